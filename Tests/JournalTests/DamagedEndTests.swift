import TestSupport
import Testing

@testable import Journal

/// A bit that flipped in the last batch that the watermark knows, and behind it a batch that a crash left half written.
struct DamagedEndTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Three batches, of which the watermark knows two.
    private func written() throws -> (disk: MemoryDisk, batches: [JournalMap.Batch]) {
        let disk = MemoryDisk(seed: 5)
        var journal = try TestJournal(disk, ring, options: DamageFixture.setAside())
        for write in 1...3 {
            if write == 3 { try journal.core.mark(.now) }
            try journal.write([[UInt8(write)], [UInt8(write), 0]])
        }
        return (disk, try JournalMap(disk, ring).batches)
    }

    @Test func `damage that ends with what the watermark knows is set aside, wherever the batch behind it was torn`()
        throws
    {
        let (source, batches) = try written()
        let (marked, torn) = (batches[1].range, batches[2].range)
        // Behind the frames stands the trailer, whose damage loses no record.
        let frames = marked.lowerBound..<(marked.upperBound - Int(batches[1].head.trailerBytes))
        let whole = try #require(source.files[batches[1].path])
        var starts = 0
        for flipped in stride(from: frames.lowerBound, to: frames.upperBound, by: 61) {
            for cut in stride(from: torn.lowerBound, to: torn.upperBound, by: 127) {
                var bytes = Array(whole[..<cut]) + [UInt8](repeating: 0, count: whole.count - cut)
                bytes[flipped] ^= 4
                let disk = source.clone(seed: 1)
                disk.overwrite(batches[1].path, with: bytes)
                let journal = try DamageFixture.open(disk, ring)
                let place = "byte \(flipped), cut at \(cut)"
                let report = journal.core.report
                #expect(journal.replayed.order == [1, 2] && report.lastRecord == 4, "\(place)")
                #expect(report.damage.map(\.kind) == [.batch] && report.damage.map(\.records) == [3..<5], "\(place)")
                #expect((report.tornTail == nil) == (cut == torn.lowerBound), "\(place)")
                // Nothing more is lost at the next start, and what is written then stays.
                var next = try DamageFixture.open(disk, ring)
                #expect(next.core.report.tornTail == nil, "\(place)")
                try next.write([[9]])
                #expect(try DamageFixture.open(disk, ring).replayed.order == [1, 2, 5], "\(place)")
                starts += 1
            }
        }
        print("Damage at the watermark, a torn batch behind it: \(starts) starts, each with the rest of the journal")
    }

    @Test func `behind lost records and a damaged trailer the tree is the one that the watermark tells`() throws {
        let disk = MemoryDisk(seed: 6)
        var journal = try TestJournal(disk, ring, options: DamageFixture.setAside())
        for write in 1...2 as ClosedRange<UInt8> { try journal.write([[write], [write, 0]]) }
        try journal.core.finish()
        let batches = try JournalMap(disk, ring).batches
        disk.rot(batches[0].path, byte: batches[0].range.lowerBound + 100, bit: 1)
        disk.rot(batches[1].path, byte: batches[1].range.upperBound - Int(batches[1].head.trailerBytes) + 20, bit: 1)
        let next = try DamageFixture.open(disk, ring)
        #expect(next.core.report.damage.map(\.kind) == [.batch, .trailer])
        #expect(next.core.tree == journal.core.tree)
    }

    @Test func `damage to the newest slot of the watermark takes no batch with it that rotted too`() throws {
        let disk = MemoryDisk(seed: 7)
        var journal = try TestJournal(disk, ring, options: DamageFixture.setAside())
        for write in 1...2 as ClosedRange<UInt8> { try journal.write([[write], [write, 0]]) }
        try journal.core.finish()
        let last = try #require(try JournalMap(disk, ring).batches.last)
        disk.rot(last.path, byte: last.range.lowerBound + 100, bit: 1)
        for slot in 0..<Watermark.slots {
            let copy = disk.clone(seed: 8)
            copy.rot(TestJournal.directory + "/watermark", byte: slot * Watermark.slotBytes + 70, bit: 1)
            let next = try DamageFixture.open(copy, ring)
            #expect(next.core.report.damage.map(\.records) == [3..<5] && next.core.report.lastRecord == 4, "\(slot)")
        }
    }

    @Test func `a text of the last batch and unused space behind it rot, and the next segment still follows`() throws {
        let disk = MemoryDisk(seed: 8)
        var journal = try TextJournal(disk, ring)
        try journal.write(2)
        let batches = try JournalMap(disk, ring)
        let text = try #require(
            batches.regions.last { if case .text = $0.part { true } else { false } })
        var next = try TestJournal(disk, ring, random: 2)
        try next.write([[1], [2]])
        try next.core.finish()
        let whole = try #require(disk.files[text.path])
        let end = try #require(batches.batches.last { $0.path == text.path }?.range.upperBound)
        disk.overwrite(text.path, with: whole + [UInt8](repeating: 0, count: end + 8_192 - whole.count))
        disk.rot(text.path, byte: text.range.upperBound - 3, bit: 1)
        disk.rot(text.path, byte: end + 5_000, bit: 1)
        let last = try DamageFixture.open(disk, ring)
        #expect(last.replayed.order == [1, 2, 3, 4] && last.core.report.lastRecord == 4)
        #expect(last.core.report.damage.map(\.kind) == [.text, .unusedSpace])
    }

    @Test func `the slab of texts whose batch is damaged stays: putting the batch back brings them back`() throws {
        let disk = MemoryDisk(seed: 9)
        var journal = try TextJournal(disk, ring)
        try journal.write(1)
        try journal.journal.core.finish()
        // The second start takes its slots from a slab of its own.
        var second = try TextJournal(disk, ring, random: 2)
        try second.write(1)
        try second.journal.core.finish()
        let last = try #require(try JournalMap(disk, ring).batches.last)
        disk.rot(last.path, byte: last.range.lowerBound + 100, bit: 1)
        let damaged = try DamageFixture.open(disk, ring)
        #expect(damaged.core.report.damage.map(\.kind) == [.batch])
        let place = second.texts[0]
        #expect(try damaged.core.access.keys.living(place.slots) == place.slots)
    }
}
