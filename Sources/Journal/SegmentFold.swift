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

    /// Reads the next segment to its end.
    ///
    /// - Returns: false when it is not closed yet.
    /// - Throws: `.io`, `.newerFormat`; the fold has to be thrown away then.
    package mutating func replayNext(_ take: (SegmentItem) -> Void) throws(JournalError) -> Bool {
        let number = segment + 1
        guard try access.header(number + 1) != nil else { return false }
        let journal = access.keys.journal
        try recovery.fold(number) { item in
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
