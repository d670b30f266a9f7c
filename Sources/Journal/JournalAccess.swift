/// Sight of an open journal's files for readers beside the writer: the second fold, history, snapshots. Any thread.
package struct JournalAccess: Sendable {
    let paths: JournalPaths
    let disk: any Disk
    let keys: KeyStore
    let clock: any JournalClock

    /// The journal's directory, `<data>/<collaboration>`.
    package var directory: String { paths.root }

    /// Opens texts with the keys that were known when this access was made: what is erased later it may still open, or, where
    /// a slab was written anew for it, no longer.
    package func textOpener() -> TextOpener { TextOpener(keys: keys, paths: paths, disk: disk) }

    /// Offers the snapshots, the newest first, until `take` says that it took one whole.
    ///
    /// - Returns: the one that was taken; nil for none.
    /// - Throws: `.newerFormat`; what listing the directory throws.
    package func restore(with take: (inout SnapshotReader) -> Bool) throws(JournalError) -> SnapshotPoint? {
        try SnapshotShelf(paths: paths, disk: disk, keys: keys).restore(with: take).point
    }

    /// The last segment behind which another one was begun; 0 for none.
    package func lastClosedSegment() throws(JournalError) -> UInt64 {
        let numbers = try JournalPaths.names(in: paths.segments, disk)
            .compactMap { FileName.number(in: $0, prefix: "segment-") }.sorted(by: >)
        for number in numbers where try header(number) != nil { return number - 1 }
        return 0
    }

    /// The last segment, counted from the oldest, of which all records were written before a time and are archived.
    ///
    /// - Parameters:
    ///   - limit: no later segment is looked at; the one behind it has a header.
    ///   - milliseconds: since 1970 UTC, by the machine's clock.
    ///   - archived: the last record that the archive holds.
    /// - Returns: 0 when not even the oldest may be counted.
    package func lastSegment(through limit: UInt64, before milliseconds: Int64, archived: UInt64)
        throws(JournalError) -> UInt64
    {
        let numbers = try JournalPaths.names(in: paths.segments, disk)
            .compactMap { FileName.number(in: $0, prefix: "segment-") }.filter { $0 <= limit }.sorted()
        var last: UInt64 = 0
        for number in numbers {
            // One without a key is the rest of an earlier drop.
            if keys.segment(number) != nil {
                guard let next = try header(number + 1), next.madeMilliseconds < milliseconds,
                    next.firstRecord <= archived + 1
                else { break }
            }
            last = number
        }
        return last
    }

    /// The header of a segment that was begun; nil for one that is not there, prepared only, torn, or without a key.
    func header(_ number: UInt64) throws(JournalError) -> SegmentHeader? {
        guard let key = keys.segment(number) else { return nil }
        let path = paths.segment(number)
        let block: [UInt8]
        do throws(DiskError) {
            block = try disk.readWhole(path, limit: SegmentHeader.bytes)
        } catch {
            if error.isMissing { return nil }
            throw JournalError(error)
        }
        guard let header = try SegmentHeader(opening: block, key: key, path: path), header.number == number,
            header.journal == keys.journal
        else { return nil }
        return header
    }
}
