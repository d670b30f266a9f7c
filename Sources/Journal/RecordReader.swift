/// Finds single records by their numbers, in any segment that is still there. One owner, one thread; it may block.
///
/// Within a segment it hops over batch heads and remembers every 64th, so that the next question starts close by. What it
/// reads is opened and checked as at a start; damaged batches are passed over.
package final class RecordReader {
    /// Every how many batches a place is remembered.
    static let indexStride = 64
    /// Segments whose places are remembered; the one that was asked about longest ago goes first.
    static let indexedSegments = 16

    private struct Segment {
        var number: UInt64
        var firstRecord: UInt64
    }

    private struct Place {
        var firstRecord: UInt64
        var offset: UInt64
    }

    private let access: JournalAccess
    private var segments: [Segment] = []
    private var places: [UInt64: [Place]] = [:]
    /// Segments in `places`, the one used last behind.
    private var used: [UInt64] = []
    /// What is known of copies of audit records, ascending.
    private var copies: [Segment] = []

    /// A reader that has looked at nothing yet.
    package init(_ access: JournalAccess) { self.access = access }

    /// The record with this number.
    ///
    /// - Returns: nil when it is lost, its segment has been dropped and it is no audit record, or it was never written.
    /// - Throws: `.io`.
    package func record(_ number: UInt64) throws(JournalError) -> [UInt8]? {
        var found: [UInt8]?
        try scan(from: number, through: number) { _, bytes in
            found = bytes
            return false
        }
        return if let found { found } else { try copied(number) }
    }

    /// The audit records of segments that went, in order, as the second fold copied them.
    ///
    /// A copy that is damaged gives what stands before the damage.
    ///
    /// - Parameter body: returns false to end it.
    /// - Throws: `.newerFormat`, `.io`.
    package func scanCopies(_ body: (CopiedRecord) -> Bool) throws(JournalError) {
        try lookAtCopies()
        let kept = try access.segments(through: .max).first ?? .max
        for copy in copies where copy.number < kept {
            if case .ended = try access.copies.read(copy.number, body) { return }
        }
    }

    /// An audit record from the copy of its segment; nil when there is none.
    private func copied(_ number: UInt64) throws(JournalError) -> [UInt8]? {
        try lookAtCopies()
        guard let copy = copies.last(where: { $0.firstRecord <= number }) else { return nil }
        var found: [UInt8]?
        _ = try access.copies.read(copy.number) { record in
            if record.number == number { found = record.bytes }
            return record.number < number
        }
        return found
    }

    private func lookAtCopies() throws(JournalError) {
        let known = Set(copies.map(\.number))
        for number in try access.copies.numbers() where !known.contains(number) {
            if let first = try access.copies.firstRecord(number) {
                copies.append(Segment(number: number, firstRecord: first))
            }
        }
        copies.sort { $0.number < $1.number }
    }

    /// Hands out the records of a range in order, those left out that are not there.
    ///
    /// - Parameters:
    ///   - text: gets the places of the texts beside them, those of a request before its records.
    ///   - body: returns false to end it.
    /// - Throws: `.io`.
    package func scan(
        from first: UInt64, through last: UInt64, text: (TextID, TextLocation) -> Void = { _, _ in },
        _ body: (UInt64, [UInt8]) -> Bool
    ) throws(JournalError) {
        guard first >= 1, first <= last else { return }
        if segments.last.map({ $0.firstRecord <= last }) ?? true { try look() }
        let start = segments.lastIndex { $0.firstRecord <= first } ?? 0
        for segment in segments[start...] where segment.firstRecord <= last {
            let goesOn = try open(segment, from: first, through: last) { batch in
                var number = batch.head.firstRecord
                for item in batch.items {
                    switch item {
                    case .text(let found): text(found.id, found.location)
                    case .record(let range):
                        if (first...last).contains(number), !body(number, Array(batch.shared[range])) { return false }
                        number += 1
                    }
                }
                return true
            }
            guard goesOn else { return }
        }
    }

    /// The place of a text in the batch that holds a record; nil when either is not there.
    package func text(_ id: TextID, besideRecord record: UInt64) throws(JournalError) -> TextLocation? {
        try look()
        guard let segment = segments.last(where: { $0.firstRecord <= record }) else { return nil }
        var found: TextLocation?
        _ = try open(segment, from: record, through: record) { batch in
            for case .text(let text) in batch.items where text.id == id { found = text.location }
            return false
        }
        return found
    }

    /// Whether a slot was not destroyed yet.
    ///
    /// - Throws: `.io`, or `.keysDamaged` when its slab's file does not open.
    package func isLiving(_ slot: SlotID) throws(JournalError) -> Bool { try !access.keys.living([slot]).isEmpty }

    /// The first record that is still there; nil for an empty journal.
    package func firstRecord() throws(JournalError) -> UInt64? {
        try look()
        return segments.first?.firstRecord
    }

    /// Forgets what it knows of segments that have gone, and learns of new ones.
    private func look() throws(JournalError) {
        let names = try JournalPaths.names(in: access.paths.segments, access.disk)
        let numbers = names.compactMap { FileName.number(in: $0, prefix: "segment-") }.sorted()
        var known: [UInt64: Segment] = [:]
        for segment in segments { known[segment.number] = segment }
        var next: [Segment] = []
        for number in numbers {
            if let segment = known[number] {
                next.append(segment)
            } else if let header = try access.header(number) {
                next.append(Segment(number: number, firstRecord: header.firstRecord))
            }
        }
        segments = next
    }
}

extension RecordReader {
    /// Hands out the batches of a segment that hold any of these records.
    ///
    /// - Returns: false when `body` has had enough, or the range is behind.
    private func open(
        _ segment: Segment, from first: UInt64, through last: UInt64, _ body: (OpenedBatch) -> Bool
    ) throws(JournalError) -> Bool {
        guard let key = access.keys.segment(segment.number) else { return true }
        let opener = BatchOpener(journal: access.keys.journal, segment: segment.number, key: key)
        var window: SegmentWindow
        do throws(DiskError) {
            window = try SegmentWindow(disk: access.disk, path: access.paths.segment(segment.number))
        } catch {
            if error.isMissing { return true }
            throw JournalError(error)
        }
        defer { window.close() }
        do throws(DiskError) {
            return try scan(&window, opener, from: first, through: last, body)
        } catch {
            throw JournalError(error)
        }
    }

    private func scan(
        _ window: inout SegmentWindow, _ opener: BatchOpener, from first: UInt64, through last: UInt64,
        _ body: (OpenedBatch) -> Bool
    ) throws(DiskError) -> Bool {
        var offset = start(opener.segment, of: first)
        var batches = 0
        var expected: UInt64?
        while offset < window.size {
            let block = try window.bytes(at: offset, BatchFormat.blockBytes)
            // A head is not sealed: one that does not say what it should is believed only when its batch opens.
            guard let head = BatchHead(decoding: block.prefix(BatchFormat.headBytes)),
                (head.firstRecord == expected && head.firstRecord <= last) || opener.isBatch(block)
            else {
                guard let next = try next(&window, opener, behind: offset) else { return true }
                offset = next
                expected = nil
                continue
            }
            if head.firstRecord > last { return false }
            expected = head.firstRecord + UInt64(head.recordCount)
            batches += 1
            if batches % Self.indexStride == 0 { remember(opener.segment, head.firstRecord, offset) }
            guard head.firstRecord + UInt64(head.recordCount) > first else {
                offset += UInt64(head.totalBytes)
                continue
            }
            let bytes = try window.bytes(at: offset, Int(head.totalBytes))
            guard let batch = opener.open(bytes, at: offset) else {
                guard let next = try next(&window, opener, behind: offset) else { return true }
                offset = next
                continue
            }
            remember(opener.segment, head.firstRecord, offset)
            guard body(batch), head.firstRecord + UInt64(head.recordCount) <= last else { return false }
            offset += UInt64(head.totalBytes)
        }
        return true
    }

    /// The next batch behind bytes that are none; nil when there is none.
    private func next(
        _ window: inout SegmentWindow, _ opener: BatchOpener, behind offset: UInt64
    ) throws(DiskError) -> UInt64? {
        try window.survey(from: offset, skippingFirst: true) { opener.isBatch($0) }.batch
    }

    private func start(_ segment: UInt64, of record: UInt64) -> UInt64 {
        guard let known = places[segment], let place = known.last(where: { $0.firstRecord <= record }) else {
            return UInt64(SegmentHeader.bytes)
        }
        return place.offset
    }

    /// Keeps the places of a segment in order, at least `indexStride` records apart.
    private func remember(_ segment: UInt64, _ record: UInt64, _ offset: UInt64) {
        if let index = used.firstIndex(of: segment) { used.remove(at: index) }
        used.append(segment)
        if used.count > Self.indexedSegments { places[used.removeFirst()] = nil }
        var known = places[segment] ?? []
        let index = known.firstIndex { $0.firstRecord >= record } ?? known.count
        let isClose =
            (index > 0 && record - known[index - 1].firstRecord < UInt64(Self.indexStride))
            || (index < known.count && known[index].firstRecord - record < UInt64(Self.indexStride))
        guard !isClose else { return }
        places[segment] = nil
        known.insert(Place(firstRecord: record, offset: offset), at: index)
        places[segment] = known
    }
}
