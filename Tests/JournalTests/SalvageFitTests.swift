import TestSupport
import Testing

@testable import Journal

/// Salvage reads a journal from its first segment, a start from a snapshot that it can use: whatever each of them can see,
/// what the one offers is what the other asks for.
struct SalvageFitTests {
    /// Which snapshots a start can read.
    private enum Sight: CaseIterable {
        case both, older, neither
    }

    /// Where the watermark stands: in a segment that others follow, with the first batch of the last one, or at the end.
    private enum MarkPlace: CaseIterable {
        case third, fifth, end
    }

    private static let last: UInt64 = 5
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Five segments and two snapshots, which cover two and four of them.
    private func written(_ place: MarkPlace) throws -> MemoryDisk {
        let disk = MemoryDisk(seed: 3)
        var journal = try ToyJournal(disk, ring, random: 1, damage: .setAside)
        for number in 2...Self.last {
            while journal.core.segments[0].number < number { try journal.write(1) }
            if number == 3 || number == 5 { try journal.snapshot() }
            if number == 3 && place == .third || number == 5 && place == .fifth {
                for _ in 0..<Watermark.slots { try journal.core.mark(.now) }
            }
        }
        try journal.write(2)
        if place == .end { try journal.core.finish() }
        journal.core.close()
        #expect(snapshots(disk).count == 2 && Set(segments(disk).map(\.path)).isSuperset(of: (1...Self.last).map(path)))
        return disk
    }

    private func path(_ number: UInt64) -> String {
        TestJournal.directory + "/segments/" + SegmentHeader.fileName(number)
    }

    /// Damages snapshots, or makes those that are there whole again.
    private func see(_ sight: Sight, _ disk: MemoryDisk, of source: MemoryDisk) {
        let there = Set(snapshots(disk).map(\.path))
        for (index, snapshot) in snapshots(source).reversed().enumerated() where there.contains(snapshot.path) {
            disk.overwrite(snapshot.path, with: snapshot.bytes)
            if sight == .neither || sight == .older && index == 0 { disk.rot(snapshot.path, byte: 300, bit: 1) }
        }
    }

    private func salvage(_ disk: MemoryDisk) throws -> SalvageReport {
        try Inspection.salvage(
            directory: TestJournal.directory, keys: ring,
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"), disk: disk,
            random: SeededRandom(seed: 5), clock: ManualClock())
    }

    /// Lets salvage look, and starts with what it offers: at once, and again without the override.
    ///
    /// - Returns: what is wrong; nil when all is as it must be.
    private func fault(
        _ damaged: MemoryDisk, of source: MemoryDisk, salvaging sight: Sight = .both, _ first: Sight, _ later: Sight
    ) throws -> String? {
        let disk = damaged.clone(seed: 4)
        see(sight, disk, of: source)
        let shown = try salvage(disk).found
        let marked = try Inspection.stats(directory: TestJournal.directory, keys: ring, disk: disk).markedRecord ?? 0
        see(first, disk, of: source)
        var journal: ToyJournal
        do {
            journal = try ToyJournal(disk, ring, random: 9, damage: .setAside)
        } catch {
            return "shown \(shown.refusals.map(\.description)), refused: \(error)"
        }
        let known = shown.findings.reduce(into: Set<UInt64>()) { $0.formUnion($1.records) }
        let lost = journal.core.report.findings.filter { $0.consequence == .refusal }.flatMap { Array($0.records) }
        if !known.isSuperset(of: lost) { return "more is lost than was shown: \(lost)" }
        if journal.core.nextRecord <= marked { return "record \(journal.core.nextRecord) is given again" }
        try journal.write(1)
        try journal.core.retireOverride()
        try journal.core.finish()
        see(later, disk, of: source)
        do {
            var again = try ToyJournal(disk, ring, random: 10, damage: .setAside)
            again.core.close()
            return again.core.nextRecord == journal.core.nextRecord ? nil : "the next start ends elsewhere"
        } catch {
            return "the next start: \(error)"
        }
    }

    @Test(arguments: [false, true])
    func `whichever segments are gone, a start takes the override that salvage offers`(isDamaged: Bool) throws {
        var starts = 0
        for place in MarkPlace.allCases {
            let source = try written(place)
            for choice in 1..<(1 << Self.last) {
                let gone = (1...Self.last).filter { choice >> ($0 - 1) & 1 == 1 }
                let kept = (1...Self.last).filter { !gone.contains($0) }
                let damaged = source.clone(seed: 2)
                if isDamaged, let number = kept.last {
                    // A batch is damaged besides, the last one of those that are left.
                    let batch = try #require(try JournalMap(source, ring).batches.last { $0.segment == number })
                    damaged.rot(batch.path, byte: batch.range.lowerBound + 100, bit: 3)
                }
                for number in gone { damaged.delete(path(number)) }
                for first in Sight.allCases where !isDamaged || first != .older {
                    // A start that reads a damaged end and nothing behind it cannot know how many records a snapshot has:
                    // a later one that sees both refuses, and a person has to look.
                    for later in isDamaged ? [first, .neither] : Sight.allCases {
                        let fault = try fault(damaged, of: source, first, later)
                        #expect(fault == nil, "mark \(place), gone \(gone), snapshots \(first), later \(later)")
                        starts += 1
                    }
                }
            }
        }
        print("Journals with segments gone: \(starts) starts with what salvage offered")
    }

    @Test func `behind an end that was lost the number of its segment stays free, and the second fold goes on`() throws
    {
        let source = try written(.end)
        let disk = source.clone(seed: 2)
        disk.delete(path(Self.last))
        _ = try salvage(disk)
        var journal = try ToyJournal(disk, ring, random: 9, damage: .setAside)
        #expect(journal.core.segments[0].number == Self.last + 1)
        while journal.core.segments[0].number < Self.last + 2 { try journal.write(1) }
        #expect(try journal.snapshot() == [4, Self.last + 1])
        try journal.core.retireOverride()
        try journal.core.finish()
        // What was lost is put back, and read where it lay.
        disk.overwrite(path(Self.last), with: try #require(source.files[path(Self.last)]))
        let whole = try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk)
        #expect(!whole.startNeedsOverride && whole.lostRecords == [] && whole.records == whole.lastRecord)
    }

    @Test func `another history at the end of a snapshot is accepted by a start from it and by one without`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try ToyJournal(disk, ring, random: 1, damage: .setAside)
        while journal.core.segments[0].number < 3 { try journal.write(1) }
        try journal.snapshot()
        journal.core.close()
        // The next start writes its watermark before its first batch: it names the last batch of the snapshot after it.
        var next = try ToyJournal(disk, ring, random: 2, damage: .setAside)
        try next.snapshot()
        next.core.close()
        let sight = try InspectedJournal(directory: TestJournal.directory, keys: ring, disk: disk)
        var mark = try #require(try sight.scan { _, _ in }.mark)
        #expect(mark.segment == 4 && snapshots(disk).count == 2)
        mark.chain[0] ^= 1
        let slot = mark.sealed(key: try #require(sight.start.keys.segment(mark.segment)), journal: sight.table.journal)
        disk.overwrite(TestJournal.directory + "/watermark", with: slot + slot)
        for sight in Sight.allCases {
            for first in Sight.allCases {
                let fault = try fault(disk, of: disk, salvaging: sight, first, first)
                #expect(fault == nil, "salvage \(sight), start \(first)")
            }
        }
    }

    @Test func `when the oldest segments went and no snapshot is left, salvage offers what the start asks for`() throws
    {
        let source = try written(.end)
        var journal = try ToyJournal(source, ring, random: 2, damage: .setAside)
        _ = try journal.core.dropSegments(through: 2, keeping: [2, 4])
        try journal.core.finish()
        let disk = source.clone(seed: 2)
        for snapshot in snapshots(disk) { disk.rot(snapshot.path, byte: 300, bit: 1) }
        let before = try #require(journalError { _ = try ToyJournal(disk, ring, random: 9, damage: .setAside) })
        #expect(before == .segmentMissing(1))
        let shown = try salvage(disk).found
        var accepted = try ToyJournal(disk, ring, random: 9, damage: .setAside)
        let kept = try #require(try RecordReader(accepted.core.access).firstRecord())
        accepted.core.close()
        #expect(shown.refusals.map(\.kind) == [.segmentMissing, .segmentMissing])
        #expect(shown.refusals[0].records == 1..<kept && kept > 10)
        // With its snapshots it starts as it is.
        #expect(try !Inspection.verify(directory: TestJournal.directory, keys: ring, disk: source).startNeedsOverride)
    }

    @Test func `copies of closed segments stay when the segments are lost`() throws {
        let disk = try written(.end)
        var journal = try ToyJournal(disk, ring, random: 2, damage: .setAside)
        try CopiedRecords.fold(journal.core.access, into: journal.core.archive)
        journal.core.close()
        let copies = CopiedRecords.files(disk)
        #expect(copies.count == Int(Self.last))
        for number in Self.last...(Self.last + 1) { disk.delete(path(number)) }
        #expect(try salvage(disk).override != nil)
        journal = try ToyJournal(disk, ring, random: 3, damage: .setAside)
        journal.core.close()
        #expect(CopiedRecords.files(disk).map(\.path) == copies.map(\.path))
        #expect(CopiedRecords.files(disk).map(\.bytes) == copies.map(\.bytes))
    }
}
