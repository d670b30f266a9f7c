import Glibc
import Journal
import TestSupport
import Testing

struct SegmentDropTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Everything that the second fold does to files, twice, with drops: throws at the call that fails.
    private func life(_ disk: MemoryDisk, random: UInt64, reached: inout UInt64) throws {
        var journal = try ToyJournal(disk, ring, random: random, damage: .setAside)
        reached = max(reached, journal.state.count)
        for round in 0..<3 {
            for _ in 0..<8 {
                try journal.write(1)
                reached = journal.state.count
            }
            let kept = try journal.snapshot(random: random &* 8 &+ UInt64(round))
            if kept.count == 2 { _ = try journal.core.dropSegments(through: kept[0], keeping: kept) }
        }
        journal.core.close()
    }

    @Test(arguments: MemoryDisk.Call.allCases)
    func `after a crash at any call of snapshots and drops a start gives what all records give`(
        call: MemoryDisk.Call
    ) throws {
        var fails = 0
        for after in stride(from: 0, to: 400, by: 1) {
            let disk = MemoryDisk(seed: UInt64(after) &* 131 &+ 7)
            var reached: UInt64 = 0
            try life(disk, random: 1, reached: &reached)
            let first = reached
            disk.fail(call, after: after, errno: EIO, forever: true)
            var failure: (any Error)?
            do { try life(disk, random: 2, reached: &reached) } catch { failure = error }
            disk.crash()
            let journal = try ToyJournal(disk, ring, random: 3, damage: .setAside)
            // One record may have reached the disk whose commit was not answered.
            #expect((reached...(reached + 1)).contains(journal.state.count), "\(call) \(after)")
            #expect(journal.state == .after(journal.state.count), "\(call) \(after)")
            #expect(first == 24)
            var next = try ToyJournal(disk, ring, random: 4, damage: .setAside)
            try next.write(8)
            let kept = try next.snapshot(random: 99)
            if kept.count == 2 { _ = try next.core.dropSegments(through: kept[0], keeping: kept) }
            #expect(next.state == .after(journal.state.count + 8))
            guard failure != nil else { break }
            fails += 1
        }
        #expect(fails > 0 || call == .truncate || call == .allocate)
    }

    @Test func `dropped segments are gone with their keys, and only snapshots start the journal`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(20)
        try journal.snapshot()
        try journal.write(20)
        let kept = try journal.snapshot()
        let before = segments(disk).count
        let dropped = try journal.core.dropSegments(through: kept[0], keeping: kept)
        #expect(dropped.segments == 1..<(kept[0] + 1))
        #expect(segments(disk).count == before - Int(kept[0]))
        try journal.write(3)
        let reader = RecordReader(journal.core.access)
        #expect(try reader.record(1) == nil)
        #expect(try reader.record(43) == ToyState.record(43))
        #expect(try journal.core.dropSegments(through: kept[0], keeping: kept).segments.isEmpty)
        journal.core.close()

        #expect(try ToyJournal(disk.clone(seed: 1), ring, random: 2).state == .after(43))
        for file in snapshots(disk) { disk.overwrite(file.path, with: []) }
        let files = disk.files
        #expect(throws: JournalError.self) { _ = try ToyJournal(disk, ring, random: 2, damage: .setAside) }
        #expect(disk.files == files)
    }

    @Test func `a segment goes only when two snapshots cover it`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(20)
        let one = try journal.snapshot()
        #expect(throws: JournalError.self) { _ = try journal.core.dropSegments(through: 1, keeping: one) }
        try journal.write(20)
        let kept = try journal.snapshot()
        #expect(throws: JournalError.self) { _ = try journal.core.dropSegments(through: kept[0] + 1, keeping: kept) }
        #expect(segments(disk).count > 2)
    }

    @Test func `single records are found by number in every segment, also in the one that is being filled`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        let reader = RecordReader(journal.core.access)
        #expect(try reader.record(1) == nil)
        try journal.write(30)
        for number: UInt64 in [1, 30, 7, 29, 2, 15] {
            #expect(try reader.record(number) == ToyState.record(number), "record \(number)")
        }
        #expect(try reader.record(31) == nil)
        try journal.write(1)
        #expect(try reader.record(31) == ToyState.record(31))
        var seen: [UInt64] = []
        try reader.scan(from: 5, through: 25) { number, bytes in
            #expect(bytes == ToyState.record(number))
            seen.append(number)
            return number < 20
        }
        #expect(seen == Array(5...20))
    }

    @Test func `records behind a damaged batch are still found`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(6)
        let (path, bytes) = try #require(segments(disk).first)
        for index in [4_096 + 20, 4_096 + 8, 4_096 + 24, 4_096 + 300] {
            var damaged = bytes
            damaged[index] ^= 0xFF
            disk.overwrite(path, with: damaged)
            let reader = RecordReader(journal.core.access)
            #expect(try reader.record(1) == nil, "byte \(index)")
            #expect(try reader.record(2) == ToyState.record(2), "byte \(index)")
        }
    }
}
