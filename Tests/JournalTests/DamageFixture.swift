import Foundation
import TestSupport
import Testing

@testable import Journal

/// What of a journal's files is what, so that a test knows which class a damage at a byte must get.
struct JournalMap {
    enum Part: Hashable {
        case segmentHeader(UInt64)
        /// Head, directory and shared frames of a batch with these records.
        case frames(segment: UInt64, offset: Int, records: Range<UInt64>)
        case text(segment: UInt64, offset: Int)
        case trailer(segment: UInt64, batch: UInt64)
        /// Behind the last batch of a segment that others follow.
        case unused(UInt64)
        case newestKeyFile(UInt64)
        case olderKeyFile(UInt64)
        case slab(UInt64)
        case watermarkSlot(Int)

        /// A name for counting.
        var name: String { String("\(self)".prefix { $0 != "(" }) }
    }

    struct Region {
        var part: Part
        var path: String
        var range: Range<Int>
    }

    struct Batch {
        var segment: UInt64
        var path: String
        var range: Range<Int>
        var head: BatchHead
    }

    var regions: [Region] = []
    /// Each batch's place, in order.
    var batches: [Batch] = []
    let keys: KeyStore
    let table: KeyTable
    let paths = JournalPaths(root: TestJournal.directory)

    init(_ disk: MemoryDisk, _ ring: KeyRing) throws {
        let sight = try InspectedJournal(directory: TestJournal.directory, keys: ring, disk: disk)
        keys = sight.start.keys
        table = sight.table
        var end: [UInt64: Int] = [:]
        var found: [(UInt64, OpenedBatch)] = []
        _ = try sight.scan { item, segment in
            if case .batch(let batch, _) = item { found.append((segment, batch)) }
        }
        for (segment, batch) in found {
            let start = end[segment] ?? SegmentHeader.bytes
            end[segment] = start + Int(batch.head.totalBytes)
            add(batch, segment, start)
        }
        let files = disk.files
        let last = end.keys.max() ?? 0
        for (segment, end) in end {
            let path = paths.segment(segment)
            regions.append(Region(part: .segmentHeader(segment), path: path, range: 0..<SegmentHeader.bytes))
            if segment < last, let bytes = files[path], bytes.count > end {
                regions.append(Region(part: .unused(segment), path: path, range: end..<bytes.count))
            }
        }
        for (path, bytes) in files {
            let name = path.split(separator: "/").last ?? ""
            if let generation = FileName.number(in: name, prefix: "keys-") {
                let part: Part = generation == table.generation ? .newestKeyFile(generation) : .olderKeyFile(generation)
                regions.append(Region(part: part, path: path, range: 0..<bytes.count))
            } else if name.hasPrefix("slab-"), let number = FileName.number(in: name.dropLast(9), prefix: "slab-") {
                regions.append(Region(part: .slab(number), path: path, range: 0..<bytes.count))
            } else if name == "watermark" {
                for slot in 0..<Watermark.slots {
                    let range = (slot * Watermark.slotBytes)..<((slot + 1) * Watermark.slotBytes)
                    if bytes[range].contains(where: { $0 != 0 }) {
                        regions.append(Region(part: .watermarkSlot(slot), path: path, range: range))
                    }
                }
            }
        }
        regions.sort { ($0.path, $0.range.lowerBound) < ($1.path, $1.range.lowerBound) }
    }

    private mutating func add(_ batch: OpenedBatch, _ segment: UInt64, _ start: Int) {
        let path = paths.segment(segment)
        let end = start + Int(batch.head.totalBytes)
        batches.append(Batch(segment: segment, path: path, range: start..<end, head: batch.head))
        var frames = end - Int(batch.head.trailerBytes)
        for case .text(let text) in batch.items.reversed() {
            let text = text.location
            let first = start + Int(text.textOffset)
            regions.append(
                Region(part: .text(segment: segment, offset: start), path: path, range: first..<frames))
            frames = first
        }
        let records = batch.head.firstRecord..<(batch.head.lastRecord + 1)
        regions.append(
            Region(part: .frames(segment: segment, offset: start, records: records), path: path, range: start..<frames))
        if batch.head.trailerBytes > 0 {
            let trailer = (end - Int(batch.head.trailerBytes))..<end
            regions.append(
                Region(part: .trailer(segment: segment, batch: batch.head.batch), path: path, range: trailer))
        }
    }
}

/// A journal to be damaged: three starts, texts under two slabs, a rotation, a clean stop.
struct DamageFixture {
    let disk: MemoryDisk
    let ring: KeyRing
    let whole: Replayed
    var texts: [(id: TextID, location: TextLocation, bytes: [UInt8])] = []

    static let options = smallOptions {
        $0.aheadBytes = 8 << 10
        $0.progressReserveBytes = 4 << 10
    }

    init(_ ring: KeyRing, seed: UInt64 = 1) throws {
        self.ring = ring
        disk = MemoryDisk(seed: seed)
        var generator = SeededGenerator(seed: seed)
        for start in 1...3 {
            let options = Self.setAside { $0.slabsAhead = start < 3 ? 1 : 0 }
            var journal = try TestJournal(disk, ring, options: options, random: seed * 10 + UInt64(start))
            for write in 0..<(start == 2 ? 40 : 4) {
                let size = write % 7 == 2 ? 6_000 : 40 + write * 9
                let records = [
                    (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }, [UInt8(start), UInt8(write)],
                ]
                var sealed: [SealedText] = []
                if start < 3, write % 4 == 1, let slot = journal.core.slots.take() {
                    let text = (0..<(100 + write)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    sealed = [SealedText(id: textID(UInt64(start * 100 + write)), slots: [slot], bytes: text)]
                }
                let report = try journal.write(records, texts: sealed)
                for (text, place) in zip(sealed, report.texts) { texts.append((text.id, place.location, text.bytes)) }
            }
            try journal.core.finish()
        }
        var replayed = Replayed()
        var core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: Self.setAside(), disk: disk.clone(seed: 1),
            random: SeededRandom(seed: 99), clock: ManualClock()
        ) { replayed.take($0) }
        core.close()
        whole = replayed
    }

    static func setAside(_ change: (inout JournalOptions) -> Void = { $0.slabsAhead = 0 }) -> JournalOptions {
        var options = options
        options.damage = .setAside
        change(&options)
        return options
    }

    /// Opens a damaged copy as the daemon does.
    static func open(_ disk: MemoryDisk, _ ring: KeyRing) throws -> TestJournal {
        try TestJournal(disk, ring, options: setAside(), random: 77)
    }

    /// Whether everything that was replayed is what was written, in order, and everything else is named as lost.
    func isHonest(_ replayed: Replayed) -> Bool {
        let lost = Set(replayed.lost.flatMap { Array($0) })
        return replayed.order == replayed.order.sorted()
            && replayed.records.allSatisfy { whole.records[$0.key] == $0.value }
            && whole.order.allSatisfy { (replayed.records[$0] != nil) != lost.contains($0) }
    }

    /// Reads all texts: those that open must be what was written.
    func wrongTexts(_ core: JournalCore) -> Int {
        texts.count { text in
            guard let bytes = try? core.read(text.id, at: text.location) else { return false }
            return bytes != text.bytes
        }
    }
}

extension MemoryDisk {
    /// How many calls so far changed anything.
    var changes: Int {
        [Call.write, .truncate, .rename, .remove, .allocate].reduce(0) { $0 + count($1) }
    }
}
