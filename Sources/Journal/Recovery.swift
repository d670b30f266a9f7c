/// One thing that a scan finds, in order of writing.
enum ScanItem {
    case batch(OpenedBatch, segment: UInt64)
    /// Records that cannot be read, and the segment they lay in.
    case lost(Range<UInt64>, segment: UInt64)
}

/// Where a scan stands: what the next batch continues.
struct ScanPoint {
    /// The last segment that is behind it; 0 before the first.
    var segment: UInt64 = 0
    var nextRecord: UInt64 = 1
    var nextBatch: UInt64 = 1
    var chain: [UInt8]
    var tree: RecoveredTree

    /// Before the first batch of a journal.
    init(origin journal: JournalID, tree: RecoveredTree = RecoveredTree()) {
        chain = Chain.origin(journal)
        self.tree = tree
    }

    /// Behind the segment that a snapshot covers.
    init(_ snapshot: SnapshotPoint, tree: RecoveredTree) {
        segment = snapshot.segment
        nextRecord = snapshot.nextRecord
        nextBatch = snapshot.nextBatch
        chain = snapshot.chain
        self.tree = tree
    }
}

/// Behind which findings a scan goes on although a start would refuse.
enum Acceptance {
    /// These, which overrides name.
    case exactly(Set<Finding>)
    /// All: somebody only reads.
    case everything
}

/// Reads segments and says what each part of them is. Writes nothing.
///
/// Whatever is wrong becomes a `Finding`. One that refuses the start is thrown unless it was accepted; the scan then goes on
/// as if the records in question were lost.
struct Recovery {
    /// The end of the last segment.
    struct Tail {
        var segment: UInt64
        /// Behind the last good batch, or behind damaged ones that are known to have been on disk.
        var end: UInt64
        /// Behind the last byte that is not zero; more than `end` when the tail is torn.
        var nonZeroEnd: UInt64
    }

    /// Bytes, or whole segments, whose lost records are known when the next good batch or header is seen.
    struct Gap {
        var segment: UInt64
        var offset: UInt64 = 0
        var bytes: UInt64 = 0
        /// The segment that a batch in it belongs to; nil when it is none of this journal's.
        var origin: UInt64?
        /// Whether a finding of its own speaks of it already.
        var isNamed = false
    }

    typealias Sink = (ScanItem) -> Void

    let paths: JournalPaths
    let disk: any Disk
    let keys: KeyStore
    let watermark: WatermarkFound
    let mark: Watermark?

    var acceptance: Acceptance
    var nextRecord: UInt64
    var nextBatch: UInt64
    var chain: [UInt8]
    var tree: RecoveredTree
    var lastSegment: UInt64
    /// The last segment behind the point that is known to be gone; 0 for none.
    private var lastMissing: UInt64 = 0
    var replayed: UInt64 = 0
    var findings: [Finding] = []
    /// What the headers of this journal's segments name as accepted.
    var acceptedBefore: Set<Finding> = []
    var tail: Tail?
    /// Prepared segments that hold nothing, and ones whose header was never whole.
    var spares: [UInt64] = []
    var tornHeaders: [UInt64] = []
    /// Files of segments whose keys are gone already: retention was interrupted.
    var leftovers: [UInt64] = []
    var gap: Gap?
    /// Whether any batch was found that a version with a watermark wrote.
    var hasMarkedBatches = false
    /// Slots below this number may have been used, as far as batches say.
    var slotMark: UInt64 = 0
    /// The last batch that was followed, when it has texts.
    var lastTexts: (segment: UInt64, offset: UInt64, bytes: Int)?
    /// Segments with sound headers and their first batches, ascending: tells where a batch belongs.
    var owners: [(segment: UInt64, firstBatch: UInt64)] = []
    var version: UInt16 = 1

    init(
        paths: JournalPaths, disk: any Disk, keys: KeyStore, at point: ScanPoint, acceptance: Acceptance,
        watermark: WatermarkFound = WatermarkFound(slots: [])
    ) {
        self.paths = paths
        self.disk = disk
        self.keys = keys
        self.watermark = watermark
        mark = watermark.newest
        self.acceptance = acceptance
        nextRecord = point.nextRecord
        nextBatch = point.nextBatch
        chain = point.chain
        tree = point.tree
        lastSegment = point.segment
        hasMarkedBatches = point.segment > 0
    }

    /// The number of the segment that a start begins. Never one that the watermark names: with a new key under that number
    /// nobody could read the watermark any more, and records that it knows would be forgotten before they are written down
    /// as lost.
    var nextSegment: UInt64 { max(lastSegment, mark?.segment ?? 0) + 1 }

    /// Where the scan stands: behind the last segment that was read.
    var point: ScanPoint {
        var point = ScanPoint(origin: keys.journal, tree: tree)
        point.segment = lastSegment
        point.nextRecord = nextRecord
        point.nextBatch = nextBatch
        point.chain = chain
        return point
    }

    /// Notes a finding, or throws it.
    mutating func issue(_ finding: Finding) throws(JournalError) {
        if finding.consequence == .refusal, case .exactly(let accepted) = acceptance,
            !accepted.contains(where: finding.isCovered)
        {
            throw finding.error
        }
        findings.append(finding)
    }

    /// Scans the segments with these file names behind the point, one batch in memory at a time.
    ///
    /// - Parameter known: the segments whose keys are there. One that the snapshot covers may be gone only with its key.
    /// - Throws: `.foreign`, `.newerFormat`, `.io`, and the first finding that refuses the start and is not accepted.
    mutating func scan(names: [String], known: [UInt64], sink: Sink) throws(JournalError) {
        let base = lastSegment
        let numbers = try numbers(names)
        let above = numbers.filter { $0 > base }
        var states: [HeaderState] = []
        for number in above { states.append(try state(of: number)) }
        for case .sound(let header) in states { acceptedBefore.formUnion(header.accepted) }
        // What a snapshot covers is not read again, but what somebody accepted there still counts.
        for number in numbers where number <= base && keys.segment(number) != nil {
            if case .sound(let header) = try state(of: number) { acceptedBefore.formUnion(header.accepted) }
        }
        if case .exactly(let accepted) = acceptance { acceptance = .exactly(accepted.union(acceptedBefore)) }

        leftovers = numbers.filter { $0 <= base && keys.segment($0) == nil }
        let present = Set(numbers)
        for number in known.sorted() where number <= base && !present.contains(number) {
            try issue(Finding(.segmentMissing, segment: number))
        }
        if let mark, mark.lastBatch == nextBatch - 1, mark.chain != chain {
            try issue(Finding(.besideWatermark, segment: mark.segment, detail: mark.lastBatch))
        }
        let used = try countUsed(above, states)
        var expected = base + 1
        for index in above.indices {
            if above[index] > expected { try miss(expected..<above[index], before: states[index...]) }
            expected = above[index] + 1
            guard index < used else { continue }
            try scan(above[index], states[index], isLast: index == used - 1, sink)
        }
        try end(sink)
    }

    private func numbers(_ names: [String]) throws(JournalError) -> [UInt64] {
        var numbers: [UInt64] = []
        for name in names {
            guard let number = FileName.number(in: name, prefix: "segment-"), number > 0 else {
                throw .foreign(path: paths.segments + "/" + name)
            }
            numbers.append(number)
        }
        return numbers.sorted()
    }

    /// Notes that these segments are not there; what they held is known when the next header is entered.
    mutating func miss(_ numbers: Range<UInt64>, before states: ArraySlice<HeaderState>) throws(JournalError) {
        let next = states.lazy.compactMap(\.header).first?.firstRecord ?? nextRecord
        for number in numbers {
            let lost = number == numbers.lowerBound && next > nextRecord ? nextRecord..<next : 0..<0
            try issue(Finding(.segmentMissing, segment: number, records: lost))
        }
        lastMissing = numbers.upperBound - 1
        open(Gap(segment: numbers.lowerBound, isNamed: true))
    }

    /// Notes that the segments up to the watermark's are gone behind the last one that is there.
    private mutating func missTail(before mark: Watermark) throws(JournalError) {
        let first = max(lastSegment, lastMissing) + 1
        guard first <= mark.segment else { return }
        for number in first...mark.segment { try issue(Finding(.segmentMissing, segment: number)) }
        lastMissing = mark.segment
    }

    /// What is known when every segment was read.
    private mutating func end(_ sink: Sink) throws(JournalError) {
        if let gap { close(gap, lostBefore: nextRecord, sink) }
        if let mark {
            if mark.lastBatch == nextBatch - 1 { tree.place(mark.frontier) }
            if mark.lastBatch >= nextBatch {
                let lost = nextRecord..<max(nextRecord, mark.lastRecord + 1)
                try issue(
                    Finding(
                        .behindWatermark, segment: mark.segment, offset: mark.end, records: lost,
                        detail: mark.lastBatch))
                try missTail(before: mark)
                adopt(mark, sink)
            } else if mark.segment > lastSegment {
                try issue(
                    Finding(.behindWatermark, segment: mark.segment, offset: mark.end, detail: mark.lastBatch))
                try missTail(before: mark)
            }
        }
        if let other = watermark.unverified, other.turn > mark?.turn ?? 0, other.segment > lastSegment {
            try issue(Finding(.behindWatermark, segment: other.segment, offset: other.end, detail: other.lastBatch))
        }
        try judgeSlots()
    }

    private mutating func judgeSlots() throws(JournalError) {
        let damaged = watermark.slots.indices.filter { watermark.slots[$0] == .damaged }
        if mark != nil {
            for index in damaged { try issue(Finding(.watermarkSlot, offset: UInt64(index))) }
        } else if hasMarkedBatches, watermark.unverified == nil, !watermark.slots.isEmpty {
            try issue(Finding(.watermark, bytes: UInt64(Watermark.fileBytes)))
        }
    }

    /// Goes on behind the end that the watermark knows.
    mutating func adopt(_ mark: Watermark, _ sink: Sink) {
        if mark.lastRecord >= nextRecord { sink(.lost(nextRecord..<(mark.lastRecord + 1), segment: mark.segment)) }
        slotMark = 0
        nextRecord = max(nextRecord, mark.lastRecord + 1)
        nextBatch = mark.lastBatch + 1
        chain = mark.chain
        tree.take(mark.frontier)
    }
}
