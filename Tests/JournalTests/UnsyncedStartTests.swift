import TestSupport
import Testing

@testable import Journal

/// A start on a machine that went on: the kernel's memory may show what the disk has not got.
struct UnsyncedStartTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `what a failed sync left in memory alone is not taken for durable`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring)
        try journal.write([[1]])
        disk.fail(.sync, errno: 5)
        #expect(throws: JournalError.self) { try journal.write([[2]]) }
        journal.core.close()

        var next = try TestJournal(disk, ring, random: 2)
        #expect(next.replayed.order == [1])
        try next.write([[3]])
        disk.crash()
        #expect(try TestJournal(disk, ring, random: 3).replayed.order == [1, 2])
    }

    /// A journal of two records whose process was killed between the write of the second and its sync.
    private func killed(seed: UInt64) throws -> MemoryDisk {
        let disk = MemoryDisk(seed: seed)
        var journal = try TestJournal(disk, ring)
        for byte in 1...2 as ClosedRange<UInt8> { try journal.write([[byte]]) }
        journal.core.close()
        let last = try #require(try JournalMap(disk, ring).batches.last)
        let whole = try #require(disk.files[last.path])
        var before = whole
        for place in last.range { before[place] = 0 }
        disk.overwrite(last.path, with: before)
        let file = try disk.open(last.path, .update)
        try disk.writeAll(file, at: UInt64(last.range.lowerBound), Array(whole[last.range]))
        disk.close(file)
        return disk
    }

    @Test(arguments: [MemoryDisk.Call.sync, .write, .truncate, .syncDirectory, .rename, .remove])
    func `what a start reads is there after a power cut, whatever start died before it`(call: MemoryDisk.Call) throws {
        var starts = 0
        for count in 0..<12 {
            let disk = try killed(seed: UInt64(count) + 1)
            disk.fail(call, after: count, errno: 5)
            // It may also come to its end.
            _ = try? TestJournal(disk, ring, random: 2)
            disk.heal()
            let read = try TestJournal(disk, ring, random: 3).replayed.order
            disk.crash()
            #expect(try TestJournal(disk, ring, random: 4).replayed.order == read, "\(call) \(count)")
            starts += 1
        }
        print("Starts behind a start that died at \(call): \(starts), all read what a power cut left")
    }
}
