import Glibc
import TestSupport
import Testing

@testable import Journal

struct SnapshotTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Two snapshots, and records behind them.
    private func written(seed: UInt64 = 1) throws -> (disk: MemoryDisk, kept: [UInt64]) {
        let disk = MemoryDisk(seed: seed)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(20)
        try journal.snapshot()
        try journal.write(20)
        let kept = try journal.snapshot()
        try journal.write(5)
        journal.core.close()
        return (disk, kept)
    }

    @Test func `a start from a snapshot reads later segments only and ends where a full replay does`() throws {
        let (disk, kept) = try written()
        #expect(kept.count == 2)
        let plain = try TestJournal(disk.clone(seed: 1), ring, random: 2)
        #expect(plain.replayed.order.count == 45)
        let journal = try ToyJournal(disk, ring, random: 2)
        #expect(journal.state == .after(45))
        #expect(journal.replayed < 20)
        #expect(journal.core.report.restoredFrom?.segment == kept.last)
        #expect(journal.core.report.lastRecord == 45)
        #expect(journal.core.head == plain.core.head)
    }

    @Test func `a damaged newest snapshot falls back to the one before, and without any to all records`() throws {
        let (disk, kept) = try written()
        let files = snapshots(disk)
        #expect(files.count == 2)
        for (index, file) in files.enumerated().reversed() {
            var bytes = file.bytes
            bytes[bytes.count / 2] ^= 1
            disk.overwrite(file.path, with: bytes)
            let journal = try ToyJournal(disk.clone(seed: 1), ring, random: 2, damage: .setAside)
            #expect(journal.state == .after(45))
            #expect(journal.core.report.restoredFrom?.segment == (index == 1 ? kept[0] : nil))
        }
    }

    @Test func `every flipped bit, every cut and every longer file is refused and never traps`() throws {
        let (disk, kept) = try written()
        let journal = try ToyJournal(disk, ring, random: 2)
        let (path, whole) = try #require(snapshots(disk).last)
        func isTaken(_ bytes: [UInt8]) throws -> Bool {
            disk.overwrite(path, with: bytes)
            var segment: UInt64?
            _ = try journal.core.access.restore { reader in
                let isWhole = ToyJournal.state(in: &reader) != nil
                if isWhole { segment = reader.point.segment }
                return isWhole
            }
            #expect(segment == kept[0] || segment == kept[1])
            return segment == kept[1]
        }
        #expect(try isTaken(whole))
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            #expect(try !isTaken(bytes), "byte \(index)")
        }
        for count in 0..<whole.count { #expect(try !isTaken(Array(whole[..<count])), "cut at \(count)") }
        #expect(try !isTaken(whole + [0]))
    }

    @Test func `a snapshot of another segment or another journal under this name is refused`() throws {
        let (disk, kept) = try written()
        let files = snapshots(disk)
        let other = MemoryDisk(seed: 9)
        var strange = try ToyJournal(other, ring, random: 77)
        try strange.write(20)
        try strange.snapshot()
        try strange.write(20)
        try strange.snapshot()
        let foreign = try #require(snapshots(other).last)
        #expect(foreign.path == files[1].path)
        for bytes in [files[0].bytes, foreign.bytes] {
            disk.overwrite(files[1].path, with: bytes)
            let journal = try ToyJournal(disk.clone(seed: 1), ring, random: 2, damage: .setAside)
            #expect(journal.state == .after(45))
            #expect(journal.core.report.restoredFrom?.segment == kept[0])
        }
    }

    @Test func `a piece at the limit is kept and one byte more is refused`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(10)
        var fold = SegmentFold(journal.core.access, from: nil)
        #expect(try fold.replayNext { _ in })
        try journal.core.addSnapshotKey(fold.segment)
        let point = fold.snapshot(
            state: [UInt8](repeating: 1, count: SnapshotLimits.stateBytes), foldedMilliseconds: -3)
        var writer = try SnapshotWriter(journal.core.access, point: point)
        let piece = (0..<SnapshotLimits.pieceBytes).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let limit = SnapshotLimits.pieceBytes
        #expect(
            journalError { try writer.append(piece + [0], section: 1) }
                == .limit(name: "snapshot piece bytes", value: limit + 1, limit: limit))
        try writer.append(piece, section: 1)
        try writer.append([], section: 200)
        try writer.finish()
        var pieces: [SnapshotPiece] = []
        let found = try journal.core.access.restore { reader in
            while let piece = try? reader.next() { pieces.append(piece) }
            return true
        }
        #expect(found == point)
        #expect(pieces.map(\.section) == [1, 200])
        #expect(pieces.map(\.bytes) == [piece, []])
        var long = point
        long.state.append(0)
        #expect(journalError { _ = try SnapshotWriter(journal.core.access, point: long) } != nil)
    }

    @Test func `a snapshot without its key is passed over`() throws {
        let (disk, kept) = try written()
        let files = snapshots(disk)
        disk.overwrite(files[1].path.replacing("snapshot-", with: "snapshot-f"), with: files[1].bytes)
        let journal = try ToyJournal(disk, ring, random: 2, damage: .setAside)
        #expect(journal.core.report.restoredFrom?.segment == kept[1])
    }

    @Test func `a snapshot names the chain that goes on behind a segment whose last text has rotted`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        while try journal.journal.core.access.header(2) == nil { try journal.write(1) }
        let map = try JournalMap(disk, ring)
        let tag = try #require(
            map.regions.last { if case .text(1, _) = $0.part { true } else { false } }, "the last text of segment 1")
        var bytes = try #require(disk.files[tag.path])
        // Tags of texts are in the chain, and a fold does not open texts.
        bytes[tag.range.upperBound - 1] ^= 1
        disk.overwrite(tag.path, with: bytes)
        let access = journal.journal.core.access
        var fold = SegmentFold(access, from: nil)
        #expect(try fold.replayNext { _ in })
        let next = try #require(try access.header(2))
        let point = fold.snapshot(state: [1], foldedMilliseconds: 0)
        #expect(point.segment == 1 && point.nextRecord == next.firstRecord && point.nextBatch == next.firstBatch)
        #expect(point.chain == next.previousHead)
    }
}
