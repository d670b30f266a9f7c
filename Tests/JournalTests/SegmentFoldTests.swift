import TestSupport
import Testing

@testable import Journal

struct SegmentFoldTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private struct Folded: Equatable {
        var numbers: [UInt64] = []
        var lost: [Range<UInt64>] = []

        mutating func take(_ item: SegmentItem) {
            switch item {
            case .record(let number, _, _): numbers.append(number)
            case .lost(let records): lost.append(records)
            case .text, .head: break
            }
        }
    }

    /// Folds from the first record as far as it goes.
    private func fold(_ access: JournalAccess) throws -> (fold: SegmentFold, found: Folded) {
        var fold = SegmentFold(access, from: nil)
        var found = Folded()
        while try fold.replayNext({ found.take($0) }) {}
        return (fold, found)
    }

    private func accept(_ disk: MemoryDisk) throws {
        _ = try Inspection.salvage(
            directory: TestJournal.directory, keys: ring,
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"), disk: disk,
            random: SeededRandom(seed: 5), clock: ManualClock())
    }

    @Test(arguments: [3...3, 2...4, 1...2] as [ClosedRange<UInt64>])
    func `behind a missing segment the fold waits, and goes on when an override has answered for it`(
        missing: ClosedRange<UInt64>
    ) throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(40)
        let access = journal.core.access
        let first = try #require(try access.records(of: missing.lowerBound)).lowerBound
        let end = try #require(try access.records(of: missing.upperBound)).upperBound
        let closed = try fold(access).fold.segment
        // What is in front of a missing one is not known to be closed.
        let sure = max(missing.lowerBound, 2) - 2
        let behind = try access.records(of: sure)?.upperBound ?? 1
        journal.core.close()
        for number in missing { disk.delete(access.paths.segment(number)) }

        let before = try fold(try Inspection.access(directory: TestJournal.directory, keys: ring, disk: disk))
        #expect(before.fold.segment == sure && before.found.numbers == Array(1..<behind))
        #expect(try before.fold.next() == nil && before.found.lost.isEmpty)
        #expect(throws: JournalError.self) { _ = try ToyJournal(disk, ring, random: 2, damage: .setAside) }
        try accept(disk)
        for start in 2...3 as ClosedRange<UInt64> {
            var again = try ToyJournal(disk, ring, random: start, damage: .setAside)
            let after = try fold(again.core.access)
            #expect(after.fold.segment == closed + start - 1, "start \(start)")
            #expect(after.found == Folded(numbers: Array(1..<first) + Array(end...40), lost: [first..<end]))
            #expect(after.fold.frontier == again.core.tree, "start \(start)")
            try again.core.finish()
        }
    }

    @Test func `behind a segment without header the fold goes on when an override has answered for it`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(40)
        let access = journal.core.access
        let closed = try fold(access).fold.segment
        journal.core.close()
        let path = access.paths.segment(4)
        var bytes = try #require(disk.files[path])
        bytes[40] ^= 1
        disk.overwrite(path, with: bytes)
        let sight = try Inspection.access(directory: TestJournal.directory, keys: ring, disk: disk)
        #expect(try fold(sight).fold.segment == 2)
        try accept(disk)
        let again = try ToyJournal(disk, ring, random: 2, damage: .setAside)
        let after = try fold(again.core.access)
        #expect(after.fold.segment == closed + 1)
        #expect(after.found.numbers == Array(1...40) && after.found.lost.isEmpty)
    }

    @Test func `behind lost records and a damaged trailer a snapshot has the tree of the next segment's header`() throws
    {
        let disk = MemoryDisk(seed: 3)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(40)
        let access = journal.core.access
        let batches = try JournalMap(disk, ring).batches.filter { $0.segment == 2 }
        let (lost, last) = (batches[batches.count - 2], batches[batches.count - 1])
        disk.rot(lost.path, byte: lost.range.lowerBound + 100, bit: 1)
        disk.rot(last.path, byte: last.range.upperBound - Int(last.head.trailerBytes) + 20, bit: 1)

        var fold = SegmentFold(access, from: nil)
        var found = Folded()
        while fold.segment < 2 { #expect(try fold.replayNext { found.take($0) }) }
        #expect(found.lost == [lost.head.firstRecord..<last.head.firstRecord])
        #expect(fold.frontier == (try access.header(3)?.frontier))
        try journal.core.addSnapshotKey(2)
        var writer = try SnapshotWriter(
            access, point: fold.snapshot(state: [], foldedMilliseconds: 5), random: SeededRandom(seed: 5))
        try writer.append([1], section: 1)
        try writer.finish()
        try journal.core.finish()

        let core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: smallOptions(), disk: disk,
            random: SeededRandom(seed: 2), clock: ManualClock(),
            restore: { reader in
                while (try? reader.next()) ?? nil != nil {}
                return true
            }, replay: { _ in })
        #expect(core.report.restoredFrom?.segment == 2 && core.report.damage == [])
    }
}
