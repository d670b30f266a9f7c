import TestSupport
import Testing

@testable import Journal

/// Copies of audit records whose segments are lost.
struct LostSegmentCopyTests {
    private static let last: UInt64 = 5
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func path(_ number: UInt64) -> String {
        TestJournal.directory + "/segments/" + SegmentHeader.fileName(number)
    }

    private func open(_ disk: MemoryDisk, random: UInt64) throws -> ToyJournal {
        try ToyJournal(disk, ring, random: random, damage: .setAside)
    }

    /// Five segments, the last one with two batches.
    private func written() throws -> MemoryDisk {
        let disk = MemoryDisk(seed: 3)
        var journal = try open(disk, random: 1)
        while journal.core.segments[0].number < Self.last { try journal.write(1) }
        try journal.write(1)
        try CopiedRecords.fold(journal.core.access, into: journal.core.archive)
        try journal.core.finish()
        journal.core.close()
        return disk
    }

    /// Starts with what salvage offers now.
    private func accept(_ disk: MemoryDisk, random: UInt64) throws {
        let report = try Inspection.salvage(
            directory: TestJournal.directory, keys: ring,
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"), disk: disk,
            random: SeededRandom(seed: random), clock: ManualClock())
        #expect(report.override != nil)
        var journal = try open(disk, random: random)
        try journal.write(1)
        try journal.core.retireOverride()
        try journal.core.finish()
        journal.core.close()
    }

    @Test func `copies of closed segments stay when the segments are lost`() throws {
        let disk = try written()
        let copies = CopiedRecords.files(disk)
        #expect(copies.count == Int(Self.last) - 1)
        for number in (Self.last - 1)...Self.last { disk.delete(path(number)) }
        try accept(disk, random: 10)
        #expect(CopiedRecords.files(disk).map(\.path) == copies.map(\.path))
        #expect(CopiedRecords.files(disk).map(\.bytes) == copies.map(\.bytes))
    }
}
