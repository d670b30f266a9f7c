import Foundation
import TestSupport
import Testing

@testable import Journal

/// A10: a journal's end is cut off, its segments and batches are dropped, exchanged, doubled, moved and put back.
struct CutTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// A journal of three segments, each of its own start, with equal batches of one block; the last one is short.
    private func written(seed: UInt64 = 1, isFinished: Bool = true) throws -> MemoryDisk {
        let disk = MemoryDisk(seed: seed)
        for start in 1...3 {
            var journal = try TestJournal(
                disk, ring, options: DamageFixture.setAside(), random: seed * 10 + UInt64(start))
            for write in 0..<(start == 3 ? 3 : 4) { try journal.write([[UInt8(start), UInt8(write), UInt8(seed)]]) }
            if start < 3 || isFinished { try journal.core.finish() }
        }
        return disk
    }

    private func path(_ number: UInt64) -> String {
        TestJournal.directory + "/segments/" + SegmentHeader.fileName(number)
    }

    private func bytes(_ disk: MemoryDisk, _ number: UInt64) throws -> [UInt8] {
        try #require(disk.files[path(number)])
    }

    private func kinds(_ disk: MemoryDisk) throws -> [Finding.Kind] {
        try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk).findings.map(\.kind)
    }

    /// Opens it as the daemon does. Whatever refuses changes nothing.
    private func open(_ disk: MemoryDisk) throws -> Result<TestJournal, JournalError> {
        let before = disk.changes
        do {
            return .success(try DamageFixture.open(disk, ring))
        } catch let error as JournalError {
            #expect(disk.changes == before, "\(error)")
            return .failure(error)
        }
    }

    @Test func `a journal that was stopped cleanly shows a cut at every byte of its last segment`() throws {
        let source = try written()
        let map = try JournalMap(source, ring)
        let end = try #require(map.batches.last?.range.upperBound)
        let whole = try bytes(source, 3)
        var classes: [String: Int] = [:]
        for cut in 0..<end {
            let disk = source.clone(seed: 1)
            disk.overwrite(path(3), with: Array(whole[..<cut]))
            guard case .failure(let error) = try open(disk) else {
                Issue.record("a cut at byte \(cut) was not seen")
                continue
            }
            switch error {
            case .segmentHeader(3): #expect(cut < SegmentHeader.bytes)
            case .behindWatermark(3, let records):
                let kept = map.batches.last { $0.segment < 3 || $0.range.upperBound <= cut }
                #expect(cut >= SegmentHeader.bytes)
                #expect(records == ((kept?.head.lastRecord ?? 0) + 1)..<12, "cut at \(cut)")
            default: Issue.record("cut at \(cut): \(error)")
            }
            classes[String("\(error)".prefix { $0 != ":" && $0 != "(" }), default: 0] += 1
        }
        print("A10: \(end) cuts of a cleanly stopped journal, all refused as cut off: \(classes.values.sorted())")
    }

    @Test func `zeros from any byte of the last segment on are seen as a cut too`() throws {
        let source = try written()
        let last = try #require(try JournalMap(source, ring).batches.last)
        let end = last.range.upperBound
        let whole = try bytes(source, 3)
        for cut in stride(from: SegmentHeader.bytes, to: end, by: 3) {
            let disk = source.clone(seed: 1)
            disk.overwrite(path(3), with: Array(whole[..<cut]) + [UInt8](repeating: 0, count: whole.count - cut))
            switch try open(disk) {
            case .failure(.behindWatermark(3, _)): break
            case .success(let journal):
                // Only what stands behind the frames is gone: every record is there.
                #expect(cut > end - Int(last.head.trailerBytes) - 3 && journal.replayed.order.count == 11)
                #expect(journal.core.report.damage.map(\.kind) == [.trailer])
            case .failure(let error): Issue.record("zeros from byte \(cut) on: \(error)")
            }
        }
    }

    @Test func `behind the watermark a cut at every byte is a torn tail and keeps what is whole`() throws {
        let source = try written(isFinished: false)
        let map = try JournalMap(source, ring)
        let batches = map.batches.filter { $0.segment == 3 }
        let end = try #require(batches.last?.range.upperBound)
        let whole = try bytes(source, 3)
        var cuts = 0
        for cut in SegmentHeader.bytes..<end {
            let disk = source.clone(seed: 1)
            disk.overwrite(path(3), with: Array(whole[..<cut]))
            let journal = try open(disk).get()
            let kept = batches.last { $0.range.upperBound <= cut }
            #expect(journal.core.report.lastRecord == kept?.head.lastRecord ?? 8, "cut at \(cut)")
            let start = kept?.range.upperBound ?? SegmentHeader.bytes
            #expect(
                (journal.core.report.tornTail?.offset).map { Int($0) } == (cut > start ? start : nil), "cut at \(cut)")
            #expect(journal.core.report.damage == [])
            cuts += 1
        }
        print("A10: \(cuts) cuts behind the watermark, all torn tails, nothing whole lost")
    }

    @Test func `a segment that is dropped is missing, and the last one too`() throws {
        let source = try written()
        for number in UInt64(1)...3 {
            let disk = source.clone(seed: 1)
            disk.delete(path(number))
            let error = journalError { _ = try open(disk).get() }
            if number < 3 {
                #expect(error == .segmentMissing(number))
                #expect(try kinds(disk) == [.segmentMissing])
            } else {
                #expect(error == .behindWatermark(segment: 3, records: 9..<12))
                #expect(try kinds(disk) == [.behindWatermark, .segmentMissing])
            }
        }
    }

    @Test func `segments that changed places or were doubled are named with where they belong`() throws {
        let source = try written()
        var pairs = 0
        for one in UInt64(1)...3 {
            for other in UInt64(1)...3 where other != one {
                let doubled = source.clone(seed: 1)
                doubled.overwrite(path(one), with: try bytes(source, other))
                #expect(journalError { _ = try open(doubled).get() } == .segmentHeader(one))
                let found = try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: doubled).findings
                #expect(found.contains { $0.kind == .segmentMisplaced && $0.segment == one && $0.detail == other })

                doubled.overwrite(path(other), with: try bytes(source, one))
                #expect(journalError { _ = try open(doubled).get() } == .segmentHeader(min(one, other)))
                #expect(try kinds(doubled).filter { $0 == .segmentMisplaced }.count == 2)
                pairs += 1
            }
        }
        print("A10: \(pairs) doubled and \(pairs) exchanged pairs of segments, all refused and named")
    }

    @Test
    func `a batch that was moved is refused in its own segment, and set aside in another one and another journal`()
        throws
    {
        let source = try written()
        let stranger = try written(seed: 2)
        let map = try JournalMap(source, ring)
        let places = map.batches
        var moves = (own: 0, other: 0, foreign: 0)
        for target in places {
            for batch in places where batch.range != target.range || batch.segment != target.segment {
                #expect(batch.range.count == target.range.count)
                let disk = source.clone(seed: 1)
                var segment = try bytes(source, target.segment)
                segment.replaceSubrange(target.range, with: try bytes(source, batch.segment)[batch.range])
                disk.overwrite(path(target.segment), with: segment)
                if batch.segment == target.segment {
                    let error = journalError { _ = try open(disk).get() }
                    #expect(error == .chain(segment: target.segment, offset: UInt64(target.range.lowerBound)))
                    moves.own += 1
                } else {
                    let journal = try open(disk).get()
                    let lost = target.head.firstRecord..<(target.head.lastRecord + 1)
                    let found = try #require(journal.core.report.damage.first)
                    #expect(journal.core.report.damage.count == 1)
                    // A batch of a segment that was not read yet cannot be told from foreign bytes.
                    #expect(found.kind == (batch.segment < target.segment ? .splice : .batch))
                    #expect(found.records == lost && journal.replayed.lost == [lost])
                    moves.other += 1
                }
            }
            let disk = source.clone(seed: 1)
            var segment = try bytes(source, target.segment)
            segment.replaceSubrange(target.range, with: try bytes(stranger, target.segment)[target.range])
            disk.overwrite(path(target.segment), with: segment)
            let journal = try open(disk).get()
            #expect(journal.core.report.damage.map(\.kind) == [.batch])
            moves.foreign += 1
        }
        print(
            "A10: batches moved: \(moves.own) in their segment, \(moves.other) to others, \(moves.foreign) from another journal"
        )
    }

    @Test func `yesterday's copy is refused, whichever of its files were put back`() throws {
        let disk = try written()
        let yesterday = disk.files
        var journal = try TestJournal(disk, ring, options: DamageFixture.setAside(), random: 50)
        try journal.write([[9, 9]])
        try journal.core.finish()
        let today = disk.files
        func putBack(_ isPutBack: (String) -> Bool) -> MemoryDisk {
            let copy = disk.clone(seed: 1)
            for path in today.keys where isPutBack(path) { copy.delete(path) }
            for (path, bytes) in yesterday where isPutBack(path) { copy.overwrite(path, with: bytes) }
            return copy
        }
        let segments = putBack { $0.contains("/segments/") }
        #expect(journalError { _ = try open(segments).get() } == .behindWatermark(segment: 4, records: 12..<13))
        let allButWatermark = putBack { !$0.hasSuffix("/watermark") }
        #expect(journalError { _ = try open(allButWatermark).get() } == .behindWatermark(segment: 4, records: 0..<0))
        let keys = putBack { $0.contains("/keys/") }
        #expect(journalError { _ = try open(keys).get() } == .segmentKey(4))
        // An old watermark lags, which is allowed; a whole old copy is what only a client's checkpoint shows.
        let watermark = putBack { $0.hasSuffix("/watermark") }
        #expect(try open(watermark).get().core.report.lastRecord == 12)
        #expect(try open(putBack { _ in true }).get().core.report.lastRecord == 11)
        print("A10: 3 of 3 partial copies of yesterday refused")
    }

    @Test func `an older program refuses a newer format and changes no byte`() throws {
        let source = try written()
        let map = try JournalMap(source, ring)
        for (name, offset) in [("watermark", 8)] {
            let disk = source.clone(seed: 1)
            let path = TestJournal.directory + "/" + name
            var bytes = try #require(disk.files[path])
            for slot in 0..<Watermark.slots {
                let start = slot * Watermark.slotBytes
                bytes[start + offset] += 1
                let end = start + Watermark.digestOffset
                bytes.replaceSubrange(end..<(end + 32), with: Cipher.digest(Array(bytes[start..<end])))
            }
            disk.overwrite(path, with: bytes)
            #expect(journalError { _ = try open(disk).get() } == .newerFormat(path: path, version: 3))
        }
        let keyFile = try #require(map.regions.first { $0.part.name == "newestKeyFile" })
        let disk = source.clone(seed: 1)
        var bytes = try #require(disk.files[keyFile.path])
        bytes[8] += 1
        bytes.replaceSubrange(144..<160, with: Cipher.digest(Array(bytes[..<144]))[..<16])
        disk.overwrite(keyFile.path, with: bytes)
        let newer = Int(KeyTable.version) + 1
        #expect(journalError { _ = try open(disk).get() } == .newerFormat(path: keyFile.path, version: newer))
        let last = source.clone(seed: 1)
        var segment = try self.bytes(source, 3)
        let third = try #require(map.keys.segment(3))
        var header = try #require(try SegmentHeader(opening: Array(segment[..<4_096]), key: third, path: ""))
        header.version = 3
        // A newer version that adds to what is authenticated: the code is not one that this program can check.
        var block = header.sealed(key: try #require(map.keys.segment(3)))
        block[3_000] ^= 1
        segment.replaceSubrange(0..<4_096, with: block)
        last.overwrite(path(3), with: segment)
        #expect(journalError { _ = try open(last).get() } == .newerFormat(path: path(3), version: 3))
    }
}
