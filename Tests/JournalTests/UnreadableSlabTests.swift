import TestSupport
import Testing

@testable import Journal

/// Erasing where a slab cannot be read: what can be erased is, and nobody else's content goes unasked.
struct UnreadableSlabTests {
    enum Damage: CaseIterable { case rotten, missing, badSector }

    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Three texts in each of two slabs, open anew, so that no slab is in memory.
    private func texts(_ disk: MemoryDisk) throws -> (journal: TextJournal, slabs: [String]) {
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        journal.journal = try TestJournal(disk, ring, random: 2)
        try journal.write(3)
        journal.journal = try TestJournal(disk, ring, random: 3)
        return (journal, disk.files.keys.filter { $0.contains("/slab-") }.sorted())
    }

    private func deletions(_ disk: MemoryDisk, _ core: JournalCore) throws -> [SlotID] {
        try DeletionList(
            try #require(disk.files["/data/orebro/audit/deletions"]), path: "", keys: core.keyReport().signing
        ).slots
    }

    @Test(arguments: Damage.allCases)
    func `the rest is erased, the slab stays as it is and is named, and a repeat reaches it when it is back`(
        damage: Damage
    ) throws {
        let disk = MemoryDisk(seed: 1)
        var (journal, slabs) = try texts(disk)
        let whole = try #require(disk.files[slabs[0]])
        switch damage {
        case .rotten: disk.rot(slabs[0], byte: 5_000, bit: 1)
        case .missing: disk.delete(slabs[0])
        case .badSector: disk.fail(.read, errno: 5)
        }
        let damaged = disk.files[slabs[0]]
        let wanted = journal.texts[0].slots + journal.texts[1].slots + journal.texts[3].slots
        let erasure = try journal.journal.core.erase(slots: wanted)
        #expect(erasure.unreadable == [UnreadableSlab(path: slabs[0], slots: 2)])
        #expect(erasure.slots == 1 && erasure.slabsRewritten == 1 && erasure.slabsDropped == 0)
        #expect(disk.files[slabs[0]] == damaged && disk.files[slabs[1]] == nil)
        #expect(try deletions(disk, journal.journal.core) == journal.texts[3].slots)

        disk.overwrite(slabs[0], with: whole)
        #expect(journal.readable(in: journal.journal.core) == [0, 1, 2, 4, 5])
        let again = try journal.journal.core.erase(slots: wanted)
        #expect(again.unreadable.isEmpty && again.slots == 2 && again.records == 2...2)
        #expect(journal.readable(in: journal.journal.core) == [2, 4, 5])
        let next = try TestJournal(disk, ring, random: 4)
        #expect(next.core.report.findings.isEmpty && journal.readable(in: next.core) == [2, 4, 5])
    }

    @Test func `with nothing that can be erased there is no record, and the slab is named all the same`() throws {
        let disk = MemoryDisk(seed: 2)
        var (journal, slabs) = try texts(disk)
        disk.rot(slabs[0], byte: 5_000, bit: 1)
        let files = disk.files
        let erasure = try journal.journal.core.erase(slots: journal.texts[0].slots)
        #expect(erasure.unreadable == [UnreadableSlab(path: slabs[0], slots: 1)] && erasure.records == nil)
        #expect(disk.files == files)
    }

    @Test(arguments: [2, 3])
    func `a slab that cannot be read goes whole when all that was used in it is to go, and not before`(
        count: Int
    ) throws {
        let disk = MemoryDisk(seed: 3)
        var (journal, slabs) = try texts(disk)
        disk.rot(slabs[0], byte: 5_000, bit: 1)
        let wanted = journal.texts[..<count].flatMap(\.slots)
        let erasure = try journal.journal.core.erase(slots: wanted)
        #expect(erasure.slabsDropped == (count == 3 ? 1 : 0) && erasure.unreadable.isEmpty == (count == 3))
        #expect((disk.files[slabs[0]] == nil) == (count == 3))
        guard count == 3 else { return }
        #expect(try deletions(disk, journal.journal.core) == wanted)
        let next = try TestJournal(disk, ring, random: 4)
        #expect(next.core.report.findings.isEmpty && journal.readable(in: next.core) == [3, 4, 5])
    }

    @Test(arguments: [2, 3])
    func `an erasure that was signed ends at the next start, though its slab cannot be read, when all in it is to go`(
        count: Int
    ) throws {
        let source = MemoryDisk(seed: 5)
        var (journal, slabs) = try texts(source)
        // With all three the slab is on a bad sector already.
        if count == 3 { source.fail(.read, errno: 5) }
        source.fail(.rename, errno: 5, forever: true)
        let wanted = journal.texts[..<count].flatMap(\.slots)
        #expect(journalError { _ = try journal.journal.core.erase(slots: wanted) } != nil)
        source.heal()
        #expect(source.files[slabs[0]] != nil)
        #expect(try deletions(source, journal.journal.core) == wanted)

        let quiet = source.clone(seed: 6)
        let before = quiet.count(.read)
        _ = try TestJournal(quiet, ring, random: 4)
        var dropped = 0
        for after in 0..<(quiet.count(.read) - before) {
            let disk = source.clone(seed: 6)
            disk.fail(.read, after: after, errno: 5)
            do throws(JournalError) {
                let core = try JournalCore.open(
                    directory: TestJournal.directory, keys: ring, options: DamageFixture.setAside(), disk: disk,
                    random: SeededRandom(seed: 4), clock: ManualClock()
                ) { _ in }
                guard core.report.findings.contains(Finding(.slab, segment: wanted[0].slab)) else { continue }
                dropped += 1
                #expect(disk.files[slabs[0]] == nil && journal.readable(in: core) == [3, 4, 5])
            } catch {
                if case .io = error { continue }
                Issue.record("\(error)")
            }
        }
        // What others have in it is not destroyed because of one bad answer of a disk.
        #expect(dropped == (count == 3 ? 1 : 0))
    }

    @Test func `for want of descriptors nothing is erased, since that says nothing about a slab`() throws {
        let disk = MemoryDisk(seed: 4)
        var (journal, _) = try texts(disk)
        let files = disk.files
        disk.fail(.open, errno: 24)
        let wanted = journal.texts.flatMap(\.slots)
        let error = journalError { _ = try journal.journal.core.erase(slots: wanted) }
        guard case .io(_, _, 24)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(disk.files == files)
        #expect(try journal.journal.core.erase(slots: wanted).slots == 6)
    }

    @Test func `what the steps of an erasure left is one list`() {
        let completeness = ErasureCompleteness(masterKeys: [], erasedMilliseconds: 1, lastKeyBackup: nil)
        var sum = Erasure(completeness: completeness)
        for number in 1...2 {
            var step = Erasure(completeness: completeness)
            step.unreadable = [UnreadableSlab(path: "slab \(number)", slots: number)]
            sum.add(step)
        }
        #expect(sum.unreadable.map(\.path) == ["slab 1", "slab 2"])
    }
}
