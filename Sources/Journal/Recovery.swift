/// Reads a whole journal and says what each part is. Writes nothing.
struct Recovery {
    /// The end of the last segment.
    struct Tail {
        var segment: UInt64
        /// Behind the last good batch.
        var end: UInt64
        /// Behind the last byte that is not zero; more than `end` when the tail is torn.
        var nonZeroEnd: UInt64
    }

    private let paths: JournalPaths
    private let disk: any Disk
    private let table: KeyTable
    private let keys: KeyStore
    private let policy: DamagePolicy

    private(set) var nextRecord: UInt64 = 1
    private(set) var nextBatch: UInt64 = 1
    private(set) var chain: [UInt8]
    private(set) var replayed: UInt64 = 0
    private(set) var lastSegment: UInt64 = 0
    private(set) var tail: Tail?
    private(set) var damage: [Damage] = []
    /// Prepared segments that hold nothing, and one whose header was never whole.
    private(set) var spares: [UInt64] = []
    private(set) var tornHeader: UInt64?
    /// Damaged bytes whose lost records are known when the next good batch or header is seen.
    private var gap: (segment: UInt64, offset: UInt64, bytes: Int)?

    init(paths: JournalPaths, disk: any Disk, table: KeyTable, keys: KeyStore, policy: DamagePolicy) {
        self.paths = paths
        self.disk = disk
        self.table = table
        self.keys = keys
        self.policy = policy
        chain = Chain.origin(table.journal)
    }

    /// Scans the segments with these file names and replays what they hold, one batch in memory at a time.
    mutating func scan(names: [String], replay: (ReplayItem) -> Void) throws(JournalError) {
        var numbers: [UInt64] = []
        for name in names.sorted() {
            guard let number = FileName.number(in: name, prefix: "segment-") else {
                throw .foreign(path: paths.segments + "/" + name)
            }
            numbers.append(number)
        }
        for (index, number) in numbers.enumerated() where number != UInt64(index) + 1 {
            throw .segmentMissing(UInt64(index) + 1)
        }
        var blocks: [[UInt8]] = []
        for number in numbers { blocks.append(try headerBlock(number)) }
        let used = (blocks.lastIndex { !$0.allSatisfy { $0 == 0 } } ?? -1) + 1
        spares = Array(numbers[used...])
        for index in 0..<used {
            try scan(numbers[index], block: blocks[index], isLast: index == used - 1, replay: replay)
        }
        if let gap { note(gap, lost: nextRecord..<nextRecord, replay: replay) }
    }

    private func headerBlock(_ number: UInt64) throws(JournalError) -> [UInt8] {
        try JournalError.wrapping { () throws(DiskError) in
            try disk.readWhole(paths.segment(number), limit: SegmentHeader.bytes)
        }
    }

    private mutating func scan(
        _ number: UInt64, block: [UInt8], isLast: Bool, replay: (ReplayItem) -> Void
    ) throws(JournalError) {
        guard let key = keys.segment(number) else { throw .keysDamaged(path: paths.keys) }
        let opener = BatchOpener(journal: table.journal, segment: number, key: key)
        let path = paths.segment(number)
        var window = try JournalError.wrapping { () throws(DiskError) in try SegmentWindow(disk: disk, path: path) }
        defer { window.close() }
        let header = try SegmentHeader(opening: block, key: key, path: path)
        guard let header, header.number == number, header.journal == table.journal else {
            // The header is synced before anything follows it, so a crash leaves a torn one only in an empty segment.
            let first = UInt64(SegmentHeader.bytes)
            let rest = try JournalError.wrapping { () throws(DiskError) in
                try window.survey(from: first) { opener.isBatch($0) }
            }
            guard isLast, header == nil, rest.batch == nil, rest.end == first else { throw .segmentHeader(number) }
            tornHeader = number
            return
        }
        guard follows(header, replay: replay) else { throw .chain(segment: number, offset: 0) }
        lastSegment = number
        try scanBatches(&window, opener, isLast: isLast, replay: replay)
    }
}

extension Recovery {
    private mutating func follows(_ header: SegmentHeader, replay: (ReplayItem) -> Void) -> Bool {
        if header.firstRecord == nextRecord, header.firstBatch == nextBatch, header.previousHead == chain {
            if let gap { note(gap, lost: nextRecord..<nextRecord, replay: replay) }
            return true
        }
        guard let gap, header.firstRecord >= nextRecord, header.firstBatch > nextBatch else { return false }
        note(gap, lost: nextRecord..<header.firstRecord, replay: replay)
        nextRecord = header.firstRecord
        nextBatch = header.firstBatch
        chain = header.previousHead
        return true
    }
}

extension Recovery {
    private mutating func scanBatches(
        _ window: inout SegmentWindow, _ opener: BatchOpener, isLast: Bool, replay: (ReplayItem) -> Void
    ) throws(JournalError) {
        var offset = UInt64(SegmentHeader.bytes)
        var nonZeroEnd = offset
        while offset < window.size {
            let batch = try JournalError.wrapping { () throws(DiskError) in
                try open(&window, opener, at: offset, isLast: isLast)
            }
            if let batch {
                guard follow(batch, segment: opener.segment, replay: replay) else {
                    throw .chain(segment: opener.segment, offset: offset)
                }
                offset += UInt64(batch.head.totalBytes)
                nonZeroEnd = offset
                continue
            }
            let next = try JournalError.wrapping { () throws(DiskError) in
                try window.survey(from: offset, skippingFirst: true) { opener.isBatch($0) }
            }
            if let found = next.batch {
                addGap(opener.segment, offset, Int(found - offset))
                offset = found
                continue
            }
            nonZeroEnd = next.end
            if next.end > offset, !isLast || gap != nil { addGap(opener.segment, offset, Int(next.end - offset)) }
            break
        }
        if isLast {
            let isTorn = gap == nil
            tail = Tail(
                segment: opener.segment, end: isTorn ? min(offset, window.size) : nonZeroEnd, nonZeroEnd: nonZeroEnd)
        }
    }

    /// The batch at this place, when it is whole.
    private func open(
        _ window: inout SegmentWindow, _ opener: BatchOpener, at offset: UInt64, isLast: Bool
    ) throws(DiskError) -> OpenedBatch? {
        let start = try window.bytes(at: offset, BatchFormat.headBytes)
        guard let head = BatchHead(decoding: start) else { return nil }
        let bytes = try window.bytes(at: offset, Int(head.totalBytes))
        guard let batch = opener.open(bytes, at: offset) else { return nil }
        guard isLast else { return batch }
        // Only the last batch of all can be torn, and a tear may have hit a text, which the chain does not show.
        let behind = offset + UInt64(head.totalBytes)
        if opener.isBatch(try window.bytes(at: behind, BatchFormat.blockBytes)) { return batch }
        if opener.opensTexts(batch, bytes, keys: keys) { return batch }
        return try window.survey(from: behind) { opener.isBatch($0) }.batch == nil ? nil : batch
    }

    private mutating func addGap(_ segment: UInt64, _ offset: UInt64, _ bytes: Int) {
        if let known = gap, known.segment == segment {
            gap = (segment, known.offset, Int(offset - known.offset) + bytes)
        } else {
            gap = (segment, offset, bytes)
        }
    }

    private mutating func note(
        _ gap: (segment: UInt64, offset: UInt64, bytes: Int), lost: Range<UInt64>, replay: (ReplayItem) -> Void
    ) {
        damage.append(Damage(segment: gap.segment, offset: gap.offset, bytes: gap.bytes, records: lost))
        self.gap = nil
        if policy == .setAside, !lost.isEmpty { replay(.lost(records: lost, segment: gap.segment)) }
    }

    private mutating func follow(_ batch: OpenedBatch, segment: UInt64, replay: (ReplayItem) -> Void) -> Bool {
        let head = batch.head
        let isNext = batch.previous == chain && head.batch == nextBatch && head.firstRecord == nextRecord
        if let gap {
            guard isNext || (head.batch > nextBatch && head.firstRecord >= nextRecord) else { return false }
            note(gap, lost: nextRecord..<head.firstRecord, replay: replay)
        } else if !isNext {
            return false
        }
        var number = head.firstRecord
        for item in batch.items {
            switch item {
            case .text(let text): replay(.text(text.id, text.location))
            case .record(let range):
                replay(.record(number: number, bytes: Array(batch.shared[range])))
                number += 1
            }
        }
        replayed += UInt64(head.recordCount)
        nextRecord = number
        nextBatch = head.batch + 1
        chain = batch.chain
        return true
    }
}
