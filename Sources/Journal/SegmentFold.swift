/// One thing found in a closed segment, in order of writing.
package enum SegmentItem {
    /// A text; those of a request come before its records.
    case text(TextID, TextLocation)
    /// A record with its number and its leaf in the Merkle tree.
    case record(number: UInt64, bytes: [UInt8], leaf: MerkleHash)
    /// Records that cannot be read.
    case lost(records: Range<UInt64>)
    /// The signed head behind the records so far, and the tree's right edge there; batches of version 1 have none.
    case head(SignedHead, MerkleFrontier)
}

/// Reads closed segments once more, one after the other, with the same eyes as a start. One owner, one thread.
///
/// A segment is closed when the next one has a header; that also tells what the records at the end of a damaged segment were.
/// What a start would refuse is passed over as lost here, since the start that serves now has judged it. One batch is in
/// memory at a time, and read-ahead of a mebibyte.
package struct SegmentFold {
    private let access: JournalAccess
    private var recovery: Recovery

    /// The last segment that was read; 0 before the first.
    package var segment: UInt64 { recovery.lastSegment }
    /// The number of the next record.
    package var nextRecord: UInt64 { recovery.nextRecord }
    /// The Merkle tree's right edge behind the last record.
    package var frontier: MerkleFrontier { recovery.tree.frontier }

    /// A fold that begins behind a snapshot, or with the first record.
    package init(_ access: JournalAccess, from point: SnapshotPoint?) {
        self.access = access
        let start =
            point.map { ScanPoint($0, tree: RecoveredTree(frontier: $0.frontier)) }
            ?? ScanPoint(origin: access.keys.journal)
        recovery = Recovery(
            paths: access.paths, disk: access.disk, keys: access.keys, at: start, acceptance: .everything)
    }

    /// What a snapshot of the state here says about the journal.
    package func snapshot(state: [UInt8], foldedMilliseconds: Int64) -> SnapshotPoint {
        SnapshotPoint(
            segment: segment, nextRecord: recovery.nextRecord, nextBatch: recovery.nextBatch, chain: recovery.chain,
            frontier: recovery.tree.frontier, state: state, foldedMilliseconds: foldedMilliseconds)
    }

    /// The number of the segment that comes next; nil when it is not closed yet.
    ///
    /// Behind a segment that is missing, or has no header any more, it goes on when an override has answered for that: a header
    /// says so. Until then it waits there, since a start would refuse, and what is put back is read.
    package func next() throws(JournalError) -> UInt64? { try access.closedSegment(behind: segment)?.number }

    /// Reads the next segment to its end.
    ///
    /// - Returns: false when there is none, see `next`.
    /// - Throws: `.io`, `.newerFormat`; the fold has to be thrown away then.
    package mutating func replayNext(_ take: (SegmentItem) -> Void) throws(JournalError) -> Bool {
        guard let found = try access.closedSegment(behind: segment) else { return false }
        let journal = access.keys.journal
        try recovery.fold(found.number, closedBy: found.next) { item in
            switch item {
            case .lost(let records, _): take(.lost(records: records))
            case .batch(let batch, _):
                var next = batch.head.firstRecord
                for item in batch.items {
                    switch item {
                    case .text(let text): take(.text(text.id, text.location))
                    case .record(let range):
                        let bytes = Array(batch.shared[range])
                        take(.record(number: next, bytes: bytes, leaf: MerkleTree.leaf(bytes)))
                        next += 1
                    }
                }
                if let head = batch.signedHead(journal: journal), case .sound(let trailer) = batch.trailer {
                    take(.head(head, trailer.frontier))
                }
            }
        }
        return true
    }
}

extension JournalAccess {
    /// The first segment behind `last` that is there and closed, and the header that closes it.
    func closedSegment(behind last: UInt64) throws(JournalError) -> (number: UInt64, next: SegmentHeader)? {
        // Nearly always the two that follow.
        if let next = try header(last + 2), try header(last + 1) != nil { return (last + 1, next) }
        let present = try JournalPaths.names(in: paths.segments, disk)
            .compactMap { FileName.number(in: $0, prefix: "segment-") }.filter { $0 > last }.sorted()
        var headers: [UInt64: SegmentHeader] = [:]
        for number in present { headers[number] = try header(number) }
        guard let number = present.first, let next = present.dropFirst().lazy.compactMap({ headers[$0] }).first else {
            return nil
        }
        let accepted = headers.values.flatMap(\.accepted)
        let isPassed = ((last + 1)..<next.number).allSatisfy { unread in
            unread == number || accepted.contains { $0.answers(forUnread: unread) }
        }
        return isPassed ? (number, next) : nil
    }
}

extension Finding {
    /// Whether an acceptance of this says that a segment is not there or cannot be told from another.
    fileprivate func answers(forUnread number: UInt64) -> Bool {
        switch kind {
        case .segmentMissing: Finding(.segmentMissing, segment: number).isCovered(by: self)
        case .segmentHeader, .segmentMisplaced, .segmentKey: segment == number
        default: false
        }
    }
}
