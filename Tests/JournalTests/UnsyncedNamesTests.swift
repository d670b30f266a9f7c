import TestSupport
import Testing

@testable import Journal

/// Names that a killed process gave or took, and did not sync: the next start sees them, and a power cut may take them back.
struct UnsyncedNamesTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func open(_ disk: any Disk, random: UInt64) throws -> JournalCore {
        try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: smallOptions { $0.slabsAhead = 0 }, disk: disk,
            random: SeededRandom(seed: random), clock: ManualClock()
        ) { _ in }
    }

    /// A journal with six texts in two slabs.
    private func texts() throws -> (disk: MemoryDisk, journal: TextJournal) {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        journal.journal = try TestJournal(disk, ring, random: 2)
        try journal.write(3)
        journal.journal.core.close()
        return (disk, journal)
    }

    /// No order among changes of names is kept: every subset of those that are not synced is tried.
    @Test(.timeLimit(.minutes(10)))
    func `a start behind an erasure that was killed loses no key and no text, whatever a power cut takes`() throws {
        let (disk, journal) = try texts()
        let wanted = journal.texts[0].slots + journal.texts[4].slots
        var (call, kills, states) = (0, 0, 0)
        while true {
            let probe = ProbedDisk(disk.clone(seed: UInt64(call)), keepsLog: true)
            var core = try open(probe, random: 3)
            probe.plan(.error(5), at: probe.calls.count + call, isSticky: false)
            _ = try? core.erase(slots: wanted)
            guard let hit = probe.hits.first else { break }
            call += 1
            guard ["fsync", "rename", "unlink"].contains(hit) else { continue }
            kills += 1
            let killed = probe.logCount
            let next = try open(probe, random: 4)
            let seen = journal.readable(in: next)
            let opened = probe.logCount
            var cuts = CrashStates(of: probe, choosing: .everything, seed: 5)
            var known: Set<Int> = []
            try cuts.forEach { remains throws in
                guard remains.point > killed, known.insert(remains.fingerprint).inserted else { return true }
                states += 1
                let cut = remains.mounted(seed: 1)
                guard let last = try? open(cut, random: 6) else {
                    Issue.record("no start: call \(call), \(remains.choices)")
                    return true
                }
                let readable = journal.readable(in: last)
                let (old, new) = ([0, 1, 2, 3, 4, 5], [1, 2, 3, 5])
                #expect(last.report.damage.isEmpty, "call \(call), \(remains.choices)")
                #expect([old, new].contains(readable), "call \(call), \(remains.choices)")
                #expect(remains.point < opened || readable == seen, "call \(call), \(remains.choices)")
                if readable == new {
                    let list = cut.files["/data/orebro/audit/deletions"] ?? []
                    #expect(try DeletionList(list, path: "", keys: last.keyReport().signing).records.count == 1)
                }
                return true
            }
        }
        #expect(kills > 8)
        print("Starts behind an erasure killed at \(kills) calls: \(states) states after a power cut, nothing lost")
    }
}
