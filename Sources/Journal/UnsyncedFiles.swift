/// What a process that ended may have written and not synced.
///
/// After a failed sync the kernel's memory may show for ever what the disk has not got: its pages count as clean, so that no
/// later sync writes them. And a process that is killed between a write and its sync leaves bytes that the next power cut
/// takes away. A start must take neither for durable: these files are synced first, and then read from the disk itself.
///
/// Of other files only the name can be missing on disk: key files, snapshots and copies of audit records get theirs when they
/// are whole and synced, and no key file speaks of a slab before that is. One whose own sync failed is a rest that nobody
/// reads. So it is enough to sync their directories before anything is done on the strength of a name: a start removes old
/// key files, and slabs that the newest key file does not know. A directory's own failed sync needs nothing more: a file
/// system that lost changes of names stops (ext4, XFS and btrfs go read-only), and others write them again.
struct UnsyncedFiles {
    let paths: JournalPaths
    let disk: any Disk

    /// Syncs and forgets them. Changes nothing that a file shows but what was never on disk.
    ///
    /// - Parameter segmentNames: names in `segments/`.
    /// - Throws: `.io` when a sync fails.
    func settle(_ segmentNames: [String]) throws(JournalError) {
        for directory in paths.all {
            try unlessMissing { () throws(DiskError) in try disk.syncDirectory(directory) }
        }
        try settleSegments(segmentNames.compactMap { FileName.number(in: $0, prefix: "segment-") })
        // Copies of audit records are written under another name, and never changed.
        let audit = try JournalPaths.names(in: paths.audit, disk).filter { !$0.hasPrefix("records-") }.sorted()
        for path in [paths.watermark] + audit.map({ paths.audit + "/" + $0 }) { _ = try settle(path) }
    }

    /// From the last one down to the first that was begun, whose header is on disk.
    ///
    /// Those behind it are ready and hold nothing: `SpaceLedger.wantsMore` says how many they may be. Those before it have
    /// nothing unsynced: a header is written when every batch before it is on disk, and a start that cuts a tail or finds a
    /// batch in memory alone has that synced before it writes the header of its own segment.
    private func settleSegments(_ numbers: [UInt64]) throws(JournalError) {
        for number in numbers.sorted(by: >) {
            if try settle(paths.segment(number), reading: SegmentHeader.bytes).contains(where: { $0 != 0 }) { return }
        }
    }

    /// - Returns: the first `count` bytes as they are on disk, fewer at the file's end, none when it is not there.
    private func settle(_ path: String, reading count: Int = 0) throws(JournalError) -> [UInt8] {
        try unlessMissing { () throws(DiskError) in
            let file = try disk.open(path, .read)
            defer { disk.close(file) }
            try disk.sync(file)
            disk.forget(file)
            return try disk.readUpTo(count, file, at: 0)
        } ?? []
    }

    @discardableResult
    private func unlessMissing<Value>(_ body: () throws(DiskError) -> Value) throws(JournalError) -> Value? {
        do throws(DiskError) {
            return try body()
        } catch {
            guard error.isMissing else { throw JournalError(error) }
            return nil
        }
    }
}
