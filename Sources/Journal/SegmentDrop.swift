/// What letting go of old segments did.
package struct SegmentDrop: Sendable, Equatable {
    /// Segments whose files and keys are gone; empty for none.
    package var segments: Range<UInt64>
    /// Snapshots that went with them.
    package var snapshots: Int
}

extension JournalCore {
    /// Segments that one call drops at most: a step between two batches stays short.
    package static let segmentsPerDrop: UInt64 = 64

    /// Lets the oldest segments go, and the snapshots that nobody starts from any more: first their keys, in both generations
    /// of the key file, then the files, the oldest first. Through `JournalWriter.maintain`.
    ///
    /// After a crash in between, files without keys are left over; they are removed by the next call or the next start.
    /// Whether a segment may go is the caller's to know: it is covered by `snapshots`, archived, its audit
    /// records are copied (`isCopiedWhole`), and nothing else in it is needed.
    ///
    /// - Parameters:
    ///   - last: segments up to this one go, at most `segmentsPerDrop` at a time; 0 for none. It is closed.
    ///   - snapshots: the snapshots that stay; every one of them covers `last`.
    /// - Throws: `.limit` when `last` is not covered by every snapshot that stays, or there are fewer than two; `.noRoom`, `.io`.
    package mutating func dropSegments(through last: UInt64, keeping snapshots: [UInt64]) throws(JournalError)
        -> SegmentDrop
    {
        let oldest = snapshots.min() ?? 0
        guard last == 0 || (snapshots.count >= SnapshotLimits.kept && last <= oldest) else {
            throw .limit(name: "segments to drop", value: Int(clamping: last), limit: Int(clamping: oldest))
        }
        precondition(oldest < segments[0].number, "a snapshot covers closed segments only")
        let present = try JournalPaths.names(in: paths.segments, disk)
            .compactMap { FileName.number(in: $0, prefix: "segment-") }.filter { $0 <= last }.sorted()
            .prefix(Int(Self.segmentsPerDrop))
        let through = present.last ?? 0
        let shelf = SnapshotShelf(paths: paths, disk: disk, keys: keys)
        let stale = try shelf.leftovers(keeping: snapshots)
        guard through > 0 || !stale.isEmpty else { return SegmentDrop(segments: 0..<0, snapshots: 0) }
        try dropKeys(segmentsThrough: through, snapshotsBefore: oldest)
        return try maintaining { (core) throws(DiskError) in
            for number in present { try core.disk.remove(core.paths.segment(number)) }
            if !present.isEmpty { try core.disk.syncDirectory(core.paths.segments) }
            for name in stale { try core.disk.remove(core.paths.snapshots + "/" + name) }
            if !stale.isEmpty { try core.disk.syncDirectory(core.paths.snapshots) }
            return SegmentDrop(
                segments: present.first.map { $0..<(through + 1) } ?? 0..<0, snapshots: stale.count)
        }
    }
}
