/// What a process that ended may have written and not synced.
///
/// After a failed sync the kernel's memory may show for ever what the disk has not got: its pages count as clean, so that no
/// later sync writes them. And a process that is killed between a write and its sync leaves bytes that the next power cut
/// takes away. A start must take neither for durable: these files are synced first, and then read from the disk itself.
struct UnsyncedFiles {
    /// Of the last so many segments' files one was being filled; the others were ready, or had just been closed.
    static let segments = 4

    let paths: JournalPaths
    let disk: any Disk

    /// Syncs and forgets them. Changes nothing that a file shows but what was never on disk.
    ///
    /// - Parameter segmentNames: names in `segments/`.
    /// - Throws: `.io` when a sync fails.
    func settle(_ segmentNames: [String]) throws(JournalError) {
        let segments = segmentNames.sorted().suffix(Self.segments).map { paths.segments + "/" + $0 }
        // Copies of audit records are written under another name, and never changed.
        let audit = try JournalPaths.names(in: paths.audit, disk).filter { !$0.hasPrefix("records-") }.sorted()
        for path in segments + [paths.watermark] + audit.map({ paths.audit + "/" + $0 }) {
            do throws(DiskError) {
                let file = try disk.open(path, .read)
                defer { disk.close(file) }
                try disk.sync(file)
                disk.forget(file)
            } catch {
                guard error.isMissing else { throw JournalError(error) }
            }
        }
    }
}
