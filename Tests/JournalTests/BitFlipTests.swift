import Foundation
import TestSupport
import Testing

@testable import Journal

/// A9: single bits flip anywhere in a journal's files: at least 100,000 in front of what opens them, and 3,000 in front of a
/// whole start.
struct BitFlipTests {
    let scratch: Scratch
    let fixture: DamageFixture
    let map: JournalMap

    init() throws {
        scratch = try Scratch()
        fixture = try DamageFixture(try scratch.ring())
        map = try JournalMap(fixture.disk, fixture.ring)
    }

    private struct Tally {
        var flips: [String: Int] = [:]
        var missed: [String] = []

        var total: Int { flips.values.reduce(0, +) }

        mutating func count(_ part: String, _ isDetected: Bool, _ place: @autoclosure () -> String) {
            flips[part, default: 0] += 1
            if !isDetected, missed.count < 20 { missed.append(place()) }
        }

        var line: String { flips.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }
    }

    /// Every byte of what is not payload with as many of its bits, and one bit of the payload at this distance.
    private func flips(of region: JournalMap.Region, _ generator: inout SeededGenerator) -> [(byte: Int, bit: Int)] {
        let range = region.range
        func random(_ stride: Int) -> [(byte: Int, bit: Int)] {
            Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride).map { start in
                let end = min(start + stride, range.upperBound)
                return (Int.random(in: start..<end, using: &generator), Int.random(in: 0..<8, using: &generator))
            }
        }
        func every(_ count: Int, bits: Int) -> [(byte: Int, bit: Int)] {
            range.prefix(count).flatMap { byte in (0..<bits).map { (byte, (byte + $0) % 8) } }
        }
        return switch region.part {
        case .segmentHeader, .watermarkSlot: every(range.count, bits: 4)
        case .newestKeyFile, .olderKeyFile: every(range.count, bits: 8)
        case .trailer: every(range.count, bits: 2)
        case .slab: every(SlabFile.headerBytes, bits: 8) + random(64)
        case .frames: every(BatchFormat.headBytes, bits: 2) + random(64)
        case .text: random(8)
        case .unused: random(64)
        }
    }

    /// Opens just what the flip can touch, as a start or a reader does, and says whether the damage is seen and of its
    /// class.
    private func isDetected(
        _ region: JournalMap.Region, _ bytes: [UInt8], _ batch: OpenedBatch?
    ) throws -> Bool {
        switch region.part {
        case .segmentHeader(let number):
            let key = try #require(map.keys.segment(number))
            return try SegmentHeader(
                opening: Array(bytes[..<SegmentHeader.bytes]), key: key, path: region.path) == nil
        case .frames(let segment, let offset, _):
            let opener = try opener(segment)
            return opener.open(bytes[offset...].prefix(length(at: offset, region.path)), at: UInt64(offset)) == nil
        case .trailer(let segment, _):
            let opener = try opener(segment)
            let around = try #require(batchAround(region))
            let opened = opener.open(bytes[around.range], at: UInt64(around.range.lowerBound))
            return opened?.trailer == .damaged && opened?.shared == batch?.shared && opened?.chain == batch?.chain
        case .text(let segment, let offset):
            let opener = try opener(segment)
            let slice = Array(bytes[offset...].prefix(length(at: offset, region.path)))
            guard let opened = opener.open(slice[...], at: UInt64(offset)), opened.shared == batch?.shared else {
                return false
            }
            return opener.suspectText(opened, slice[...], keys: map.keys) != nil
        case .unused: return !SegmentWindow.isZero(bytes[region.range])
        case .newestKeyFile, .olderKeyFile:
            let error = journalError { _ = try KeyTable(opening: bytes, path: "", with: fixture.ring) }
            return error == .keysDamaged(path: "")
        case .slab(let number):
            let entry = try #require(map.table.entries[KeyName(kind: .slab, number: number)])
            let header = SlabFile.header(number, generation: entry.generation, journal: map.table.journal)
            return SlabFile.open(bytes, header: header, key: entry.key) == nil
        case .watermarkSlot:
            let slot = Array(bytes[region.range])
            return try WatermarkSlot(opening: slot, keys: map.keys, path: "") == .damaged
        }
    }

    private func opener(_ segment: UInt64) throws -> BatchOpener {
        BatchOpener(journal: map.keys.journal, segment: segment, key: try #require(map.keys.segment(segment)))
    }

    private func batchAround(_ region: JournalMap.Region) -> JournalMap.Batch? {
        map.batches.first { $0.path == region.path && $0.range.contains(region.range.lowerBound) }
    }

    private func length(at offset: Int, _ path: String) -> Int {
        map.batches.first { $0.path == path && $0.range.lowerBound == offset }?.range.count ?? 0
    }

    @Test func `a flipped bit in any header byte and in the payload of every file is seen by whoever opens it`() throws
    {
        var generator = SeededGenerator(seed: 9)
        var tally = Tally()
        let files = fixture.disk.files
        for region in map.regions {
            var bytes = try #require(files[region.path])
            let name = region.part.name
            let around = batchAround(region)
            let batch = try around.flatMap {
                try opener($0.segment).open(bytes[$0.range], at: UInt64($0.range.lowerBound))
            }
            #expect((batch == nil) == (around == nil))
            // The control: without a flip nothing is seen.
            #expect(try !isDetected(region, bytes, batch), "\(region.part)")
            for flip in flips(of: region, &generator) {
                bytes[flip.byte] ^= 1 << UInt8(flip.bit)
                let isDetected = try isDetected(region, bytes, batch)
                bytes[flip.byte] ^= 1 << UInt8(flip.bit)
                tally.count(name, isDetected, "\(region.path) byte \(flip.byte) bit \(flip.bit)")
            }
        }
        #expect(tally.missed == [])
        #expect(tally.total >= 100_000)
        print(
            "A9: \(tally.total) bit flips (\(tally.line)), \(tally.missed.isEmpty ? "all" : "not all") seen by their opener"
        )
    }

    @Test func `a reader that looks at nothing fails this rig`() throws {
        var generator = SeededGenerator(seed: 9)
        var tally = Tally()
        for region in map.regions {
            for flip in flips(of: region, &generator).prefix(50) { tally.count(region.part.name, false, "\(flip)") }
        }
        #expect(!tally.missed.isEmpty)
    }

    /// What a start, or a look at everything, must say.
    private func expectation(_ part: JournalMap.Part) -> (kind: Finding.Kind, segment: UInt64, lost: Range<UInt64>?) {
        switch part {
        case .segmentHeader(let number): (.segmentHeader, number, nil)
        case .frames(let segment, _, let records): (.batch, segment, records)
        case .text(let segment, _): (.text, segment, nil)
        case .trailer(let segment, _): (.trailer, segment, nil)
        case .unused(let segment): (.unusedSpace, segment, nil)
        case .newestKeyFile(let generation), .olderKeyFile(let generation): (.keyFile, generation, nil)
        case .slab(let number): (.slab, number, nil)
        case .watermarkSlot: (.watermarkSlot, 0, nil)
        }
    }

    @Test(arguments: [10, 11] as [UInt64])
    func `a start on a journal with one flipped bit serves the rest and names the damage`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var tally = Tally()
        let files = fixture.disk.files
        let started = ContinuousClock.now
        let byName = Dictionary(grouping: map.regions) { $0.part.name }.sorted { $0.key < $1.key }
        for index in 0..<1_500 {
            let regions = byName[index % byName.count].value
            let region = try #require(regions.randomElement(using: &generator))
            let byte = Int.random(in: region.range, using: &generator)
            var bytes = try #require(files[region.path])
            bytes[byte] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            let disk = fixture.disk.clone(seed: 1)
            disk.overwrite(region.path, with: bytes)
            let place = "\(region.part) byte \(byte)"
            let want = expectation(region.part)
            let before = disk.changes
            let isSeen = try isSeenByVerify(region.part, want, disk)
            do {
                var journal = try DamageFixture.open(disk, fixture.ring)
                #expect(want.kind.consequence != .refusal, "\(place)")
                #expect(fixture.isHonest(journal.replayed), "\(place)")
                // Every text is read where the flip could reach one, and now and then elsewhere.
                if isSeen != nil || index % 8 == 0 { #expect(fixture.wrongTexts(journal.core) == 0, "\(place)") }
                #expect(journal.replayed.lost == (want.lost.map { [$0] } ?? []), "\(place)")
                let findings = journal.core.report.findings
                let isNamed = findings.contains { $0.kind == want.kind && $0.segment == want.segment }
                tally.count(region.part.name, isSeen ?? isNamed, place)
                journal.core.close()
            } catch let error as JournalError {
                tally.count(region.part.name, error == Finding(want.kind, segment: want.segment).error, place)
                #expect(want.kind.consequence == .refusal, "\(place): \(error)")
                #expect(disk.changes == before, "\(place)")
            }
        }
        #expect(tally.missed == [])
        print(
            "A9: \(tally.total) starts with one flipped bit (\(tally.line)), \(tally.missed.isEmpty ? "all" : "not all") of"
                + " the expected class, 0 wrong records or texts, in \(ContinuousClock.now - started)")
    }

    /// Texts, slabs and the older key file are not read at a start: a look at everything names them. Nil for other
    /// parts.
    private func isSeenByVerify(
        _ part: JournalMap.Part, _ want: (kind: Finding.Kind, segment: UInt64, lost: Range<UInt64>?), _ disk: MemoryDisk
    ) throws -> Bool? {
        switch part {
        case .text, .slab, .olderKeyFile:
            let before = disk.changes
            let report = try Inspection.verify(directory: TestJournal.directory, keys: fixture.ring, disk: disk)
            #expect(disk.changes == before)
            return report.findings.contains { $0.kind == want.kind && $0.segment == want.segment }
        case .segmentHeader, .frames, .trailer, .unused, .newestKeyFile, .watermarkSlot: return nil
        }
    }
}
