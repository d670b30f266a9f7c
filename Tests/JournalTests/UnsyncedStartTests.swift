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

    @Test(arguments: [0, 1, 3, 4, 5, 12])
    func `of the last segment that was begun nothing is taken for durable, however many are ready behind it`(
        ready: Int
    ) throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TestJournal(disk, ring)
        try journal.write([[1]])
        while journal.core.segments.count < 1 + ready {
            journal.core.segments.append(try journal.core.makeSegment(UInt64(journal.core.segments.count) + 1))
        }
        disk.fail(.sync, errno: 5)
        #expect(throws: JournalError.self) { try journal.write([[2]]) }
        journal.core.close()
        #expect(segments(disk).count == 1 + ready)
        #expect(try TestJournal(disk, ring, random: 2).replayed.order == [1])
    }

    @Test func `leaves whose heads a failed sync left in memory alone do not count as archived`() throws {
        let disk = MemoryDisk(seed: 4)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(40)
        var fold = SegmentFold(journal.core.access, from: nil)
        var (leaves, heads) = ([MerkleHash](), [SignedHead]())
        while try fold.replayNext({ item in
            switch item {
            case .record(_, _, let leaf): leaves.append(leaf)
            case .head(let head, _): heads.append(head)
            case .text, .lost: break
            }
        }) {}
        disk.fail(.sync, after: ArchiveFiles.levels.count, errno: 5)
        #expect(throws: JournalError.self) {
            try journal.core.archive.append(firstRecord: 1, leaves: leaves, heads: heads, frontier: fold.frontier)
        }
        journal.core.close()
        let next = try ToyJournal(disk, ring, random: 2)
        #expect(next.core.archive.archivedSize == 0)
        try next.core.archive.append(firstRecord: 1, leaves: leaves, heads: heads, frontier: fold.frontier)
        disk.crash()
        #expect(try ToyJournal(disk, ring, random: 3).core.archive.archivedSize == UInt64(leaves.count))
    }

    @Test func `segments that were closed long ago are not synced again, however many there are`() throws {
        let counts = try [6, 60].map { records in
            let disk = MemoryDisk(seed: 3)
            var journal = try ToyJournal(disk, ring, random: 1)
            try journal.write(records)
            try journal.core.finish()
            let names = segments(disk).map { String($0.path.suffix(24)) }
            let ready = names.count - Int(try journal.core.access.lastClosedSegment())
            let before = disk.count(.sync)
            try UnsyncedFiles(paths: journal.core.paths, disk: disk).settle(names)
            return disk.count(.sync) - before - ready
        }
        #expect(counts[0] == counts[1], "syncs besides those of segments that are not closed: \(counts)")
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
