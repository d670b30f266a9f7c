import Foundation
import Journal
import TestSupport
import Testing

/// A journal with texts, to erase some of.
struct TextJournal {
    var journal: TestJournal
    var texts: [(id: TextID, slots: [SlotID], location: TextLocation, bytes: [UInt8])] = []

    init(_ disk: MemoryDisk, _ ring: KeyRing, random: UInt64 = 1) throws {
        journal = try TestJournal(disk, ring, random: random)
    }

    /// Writes texts, each under a slot of its own and, if given, one that they share.
    mutating func write(_ count: Int, shared: SlotID? = nil) throws {
        for _ in 0..<count {
            let number = UInt64(texts.count + 1)
            var slot = journal.core.slots.take()
            if slot == nil {
                try journal.prepareAll()
                slot = journal.core.slots.take()
            }
            let slots = [shared, slot].compactMap { $0 }
            let bytes = Array("text \(number)".utf8)
            let report = try journal.write(
                [[UInt8(truncatingIfNeeded: number)]],
                texts: [SealedText(id: textID(number), slots: slots, bytes: bytes)])
            texts.append((textID(number), slots, report.texts[0].location, bytes))
        }
    }

    /// Numbers of the texts that can be read; others must count as erased.
    func readable(in core: JournalCore) -> [Int] {
        texts.indices.filter { index in
            do {
                return try core.read(texts[index].id, at: texts[index].location) == texts[index].bytes
            } catch {
                #expect(error as? JournalError == .textErased(texts[index].id))
                return false
            }
        }
    }
}

struct ErasureTests {
    let ring: KeyRing
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `erasing a slot takes every text under it and no other, at once and for good`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        let person = try #require(journal.journal.core.slots.take())
        try journal.write(3, shared: person)
        try journal.write(3)
        let before = disk.files
        let erasure = try journal.journal.core.erase(slots: [person, journal.texts[4].slots[0]])
        #expect(erasure.slots == 2 && erasure.slabsRewritten == 1 && erasure.slabsDropped == 0)
        #expect(erasure.records == 1...1)
        #expect(journal.readable(in: journal.journal.core) == [3, 5])
        // Segments are not touched; the old slab and the old key files are gone.
        let after = disk.files
        for (path, bytes) in before where path.contains("/segments/") { #expect(after[path] == bytes) }
        #expect(before.keys.filter { $0.contains("/keys/") }.allSatisfy { after[$0] == nil })
        #expect(after.keys.count { $0.contains("/keys/keys-") } == 2)
        // The rest of the history verifies at the next start, and the journal goes on.
        let next = try TestJournal(disk, ring, random: 2)
        #expect(next.replayed.order == [1, 2, 3, 4, 5, 6])
        #expect(journal.readable(in: next.core) == [3, 5])
        #expect(next.core.report.findings.isEmpty)
    }

    @Test func `repeating an erasure changes nothing and says so`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TextJournal(disk, ring)
        try journal.write(2)
        _ = try journal.journal.core.erase(slots: journal.texts[0].slots)
        let files = disk.files
        let again = try journal.journal.core.erase(slots: journal.texts[0].slots)
        #expect(again.records == nil && again.slots == 0 && disk.files == files)
        #expect(try journal.journal.core.erase(slots: []).records == nil)
    }

    @Test func `a slot that was erased before anybody took it is not given out`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring)
        let first = try #require(journal.core.slots.take())
        let ready = journal.core.slots.count
        let unused = [3, 5].map { SlotID(rawValue: first.rawValue + $0) }
        #expect(try journal.core.erase(slots: unused + [first]).slots == 3)
        #expect(journal.core.slots.count == ready - 2)
        var taken: [SlotID] = []
        while let slot = journal.core.slots.take() { taken.append(slot) }
        #expect(taken.count == ready - 2 && Set(taken).isDisjoint(with: unused))
    }

    @Test func `a slab goes whole when none of its used slots is left, and unused slabs go at the next start`() throws {
        let disk = MemoryDisk(seed: 4)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        try journal.journal.prepareAll()
        func slabs() -> [String] { disk.files.keys.filter { $0.contains("/slab-") }.sorted() }
        let made = slabs()
        #expect(made.count == 2)
        // The slab is still being handed out: it is written anew, not dropped.
        #expect(try journal.journal.core.erase(slots: journal.texts[0].slots).slabsDropped == 0)
        var next = try TestJournal(disk, ring, random: 2)
        #expect(slabs().count == 2, "the second slab was never used; the new start made one")
        #expect(journal.readable(in: next.core) == [1, 2])
        let rest = journal.texts[1].slots + journal.texts[2].slots
        let erasure = try next.core.erase(slots: rest)
        #expect(erasure.slabsDropped == 1 && erasure.slabsRewritten == 0 && slabs().count == 1)
        #expect(journal.readable(in: next.core) == [])
        let last = try TestJournal(disk, ring, random: 3)
        #expect(last.replayed.order == [1, 2, 3] && journal.readable(in: last.core) == [])
    }

    @Test func `one step takes 4,096 slots in 16 slabs and not one more`() throws {
        let disk = MemoryDisk(seed: 5)
        var journal = try TestJournal(disk, ring, options: smallOptions { $0.slabsAhead = 17 })
        try journal.prepareAll()
        let slots = (0..<(17 * 2_048)).compactMap { _ in journal.core.slots.take() }
        #expect(slots.count == 17 * 2_048)
        #expect(
            journalError { _ = try journal.core.erase(slots: Array(slots[..<4_097])) }
                == .limit(name: "slots per erasure", value: 4_097, limit: 4_096))
        let spread = (0..<17).map { slots[$0 * 2_048] }
        #expect(
            journalError { _ = try journal.core.erase(slots: spread) }
                == .limit(name: "slabs per erasure", value: 17, limit: 16))
        #expect(try journal.core.erase(slots: Array(spread[..<16])).slabsRewritten == 16)
        #expect(try journal.core.erase(slots: Array(slots[..<4_096])).slots == 4_094)
    }

    @Test func `any number of slots goes in steps, each with its own signed record`() throws {
        let test = try TestWriter(scratch, ring, options: smallOptions { $0.slabsAhead = 20 })
        test.start()
        _ = maintain(test.writer) { (core) throws(JournalError) in while case .progressed = try core.prepare() {} }
        var slots: [SlotID] = []
        while slots.count < 20 * 2_048, let slot = test.writer.takeSlot() { slots.append(slot) }
        let spread = stride(from: 0, to: slots.count, by: 1_024).map { slots[$0] }
        let told = Told<Result<Erasure, JournalError>>()
        test.writer.erase(spread + spread) { told.tell($0) }
        let erasure = try #require(try? told.wait()[0].get())
        #expect(erasure.slots == spread.count && erasure.records == 1...UInt64((spread.count / 2 + 15) / 16))
        test.writer.erase([]) { told.tell($0) }
        #expect(try told.wait()[1].get().records == nil)
        test.writer.stop()
    }

    @Test func `a full disk leaves keys, slabs and list as they were`() throws {
        let disk = MemoryDisk(seed: 6)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        try journal.journal.prepareAll()
        let files = disk.files
        var refusals = 0
        for room in stride(from: 0, through: 200_000, by: 997) {
            disk.limit(to: disk.used + room)
            do {
                _ = try journal.journal.core.erase(slots: journal.texts[1].slots)
                break
            } catch JournalError.noRoom {
                refusals += 1
                #expect(disk.files == files, "with \(room) bytes of room")
            }
        }
        #expect(refusals > 60 && journal.readable(in: journal.journal.core) == [0, 2])
    }

    @Test(arguments: [true, false])
    func `an erasure that was signed is carried out although its slab cannot be read`(isThere: Bool) throws {
        let disk = MemoryDisk(seed: 8)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        disk.fail(.rename, errno: 5)
        #expect(throws: JournalError.self) { _ = try journal.journal.core.erase(slots: journal.texts[1].slots) }
        journal.journal.core.close()
        disk.heal()
        let slab = try #require(disk.files.keys.filter { $0.contains("/slab-0000000000000001-") }.min())
        if isThere { disk.rot(slab, byte: 5_000, bit: 1) } else { disk.delete(slab) }
        let next = try TestJournal(disk, ring, random: 2)
        #expect(next.replayed.order == [1, 2, 3] && next.core.report.findings.map(\.kind) == [.slab])
        #expect(journal.readable(in: next.core) == [] && disk.files[slab] == nil)
        let last = try TestJournal(disk, ring, random: 3)
        #expect(last.core.report.findings.isEmpty && journal.readable(in: last.core) == [])
    }

    @Test func `an erasure says which master keys and key backups must still go`() throws {
        let disk = MemoryDisk(seed: 7)
        var journal = try TextJournal(disk, try scratch.ring(["v1", "v2"], active: "v2"))
        try journal.write(1)
        let erasure = try journal.journal.core.erase(slots: journal.texts[0].slots)
        #expect(
            erasure.completeness
                == ErasureCompleteness(
                    masterKeys: ["v1", "v2"], erasedMilliseconds: ManualClock().wallMilliseconds, lastKeyBackup: nil))
    }
}

/// J2: what a thief, or a court, can still open.
struct ErasureRemainderTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `no key that still exists opens what was erased, not even with the old slab in hand`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        let person = try #require(journal.journal.core.slots.take())
        try journal.write(40, shared: person)
        try journal.write(40)
        let before = disk.files
        let erased = [person] + journal.texts[60..<70].map { $0.slots[0] }
        _ = try journal.journal.core.erase(slots: erased)
        let kept = Array(journal.texts[40..<60] + journal.texts[70...]).map(\.bytes)
        let masters = scratch.masters()

        // Positive control: before, everything opens.
        #expect(Burglar.search(before, masters: masters).texts.count == 80)
        let after = Burglar.search(disk.files, masters: masters)
        #expect(after.texts == kept && after.records.count == 80)
        // With copies of every old slab, and everything else that lay there but the key files.
        var hoard = disk.files
        for (path, bytes) in before where !path.contains("/keys/keys-") { hoard["/copy" + path] = bytes }
        #expect(Set(Burglar.search(hoard, masters: masters).texts) == Set(kept))
        // Negative control: an old key file with its master key opens it all. That is what completeness speaks of.
        for (path, bytes) in before { hoard["/copy" + path] = bytes }
        #expect(Set(Burglar.search(hoard, masters: masters).texts).count == 80)
        print("J2: 80 texts, 50 erased by 11 slots; 30 open afterwards, 80 with an old key file and its master key")
    }

    /// Everything that a power cut may leave during an erasure, and what the next start makes of it.
    @Test(.timeLimit(.minutes(30)))
    func `a power cut at any call of an erasure leaves the old or the new, and a repeat completes it`() throws {
        let (probe, texts, started, ended) = try erasedJournal()
        var states = CrashStates(of: probe, choosing: .everything, seed: 11)
        var (old, new) = (0, 0)
        var seen: Set<Int> = []
        var reader = try TextJournal(MemoryDisk(seed: 9), ring)
        reader.texts = texts
        try states.forEach { remains in
            guard remains.point > started, seen.insert(remains.fingerprint).inserted else { return true }
            let disk = remains.mounted(seed: 1)
            var journal = try TestJournal(disk, ring, options: smallOptions { $0.slabsAhead = 0 }, random: 77)
            let readable = reader.readable(in: journal.core)
            #expect(journal.replayed.order == Array(1...6), "\(remains.choices)")
            switch readable {
            case [0, 1, 2, 3, 4, 5]:
                old += 1
                #expect(remains.point < ended, "erased, and back again: \(remains.choices)")
            case [1, 2, 3, 5]: new += 1
            default: Issue.record("neither old nor new: \(readable), \(remains.choices)")
            }
            _ = try journal.core.erase(slots: texts[0].slots + texts[4].slots)
            #expect(reader.readable(in: journal.core) == [1, 2, 3, 5])
            let opened = Burglar.search(disk.files, masters: scratch.masters())
            #expect(opened.texts.count == 4 && opened.closed + opened.closedSlabs == 0, "\(remains.choices)")
            let list = try #require(disk.files["/data/orebro/audit/deletions"])
            let keys = try journal.core.keyReport().signing
            #expect(try DeletionList(list, path: "", keys: keys).records.count == 1)
            return true
        }
        #expect(old > 20 && new > 20)
        print("J2: \(seen.count) legal states after a power cut in an erasure: \(old) old, \(new) new, 0 others")
    }

    /// A journal on a probed disk with six texts in two slabs; those under two slots, one in each slab, are erased.
    private func erasedJournal() throws -> (
        ProbedDisk, [(id: TextID, slots: [SlotID], location: TextLocation, bytes: [UInt8])], Int, Int
    ) {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        journal.journal = try TestJournal(disk, ring, random: 2)
        try journal.write(3)
        journal.journal.core.close()
        let probe = ProbedDisk(disk, keepsLog: true)
        var core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: smallOptions(), disk: probe,
            random: SeededRandom(seed: 3), clock: ManualClock()
        ) { _ in }
        let started = probe.logCount
        _ = try core.erase(slots: journal.texts[0].slots + journal.texts[4].slots)
        return (probe, journal.texts, started, probe.logCount)
    }

    @Test(.timeLimit(.minutes(30)))
    func `an error at any call of an erasure is typed, and the next start finds the old or the new`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        journal.journal.core.close()
        var (call, ended) = (0, false)
        while !ended {
            for (number, fault) in [(5, "once"), (28, "full"), (24, "descriptors")] {
                let copy = disk.clone(seed: UInt64(call))
                let probe = ProbedDisk(copy, keepsLog: false)
                var core = try JournalCore.open(
                    directory: TestJournal.directory, keys: ring, options: smallOptions(), disk: probe,
                    random: SeededRandom(seed: 3), clock: ManualClock()
                ) { _ in }
                probe.plan(.error(Int32(number)), at: probe.calls.count + call, isSticky: false)
                let error = journalError { _ = try core.erase(slots: journal.texts[1].slots) }
                ended = probe.hits.isEmpty
                probe.plan(.error(5), at: -1, isSticky: false)
                let isOver = core.failure != nil
                if case .noRoom? = error {
                    #expect(!isOver && number == 28 && journal.readable(in: core) == [0, 1, 2], "\(fault) \(call)")
                }
                if probe.hasFailedSync { #expect(isOver && error != nil, "\(fault) \(call)") }
                if error == nil { #expect(journal.readable(in: core) == [0, 2]) }
                core.close()
                copy.crash()
                var next = try TestJournal(copy, ring, random: 4)
                let readable = journal.readable(in: next.core)
                #expect(readable == [0, 2] || (readable == [0, 1, 2] && error != nil), "\(fault) \(call)")
                _ = try next.core.erase(slots: journal.texts[1].slots)
                #expect(journal.readable(in: next.core) == [0, 2])
            }
            call += 1
        }
        #expect(call > 20)
        print("J2: an error of 3 kinds at each of \(call - 1) calls of an erasure: all typed, none in between")
    }
}
