/// The snapshots that lie on disk.
struct SnapshotShelf {
    let paths: JournalPaths
    let disk: any Disk
    let keys: KeyStore

    /// What came of looking for a snapshot to start from.
    struct Outcome {
        /// The snapshot that was taken; nil for none.
        var point: SnapshotPoint?
        /// Newer ones that could not be used.
        var refused: [String] = []
    }

    /// The segments that snapshots are named after, the newest first.
    func numbers() throws(JournalError) -> [UInt64] {
        try JournalPaths.names(in: paths.snapshots, disk)
            .compactMap { FileName.number(in: $0, prefix: "snapshot-") }
            .sorted(by: >)
    }

    func path(_ segment: UInt64) -> String { paths.snapshots + "/" + SnapshotFormat.fileName(segment) }

    /// Offers the snapshots, the newest first, until `take` says that it took one whole.
    ///
    /// One that is damaged, cannot be read or has lost its key is passed over. Nothing is written.
    ///
    /// - Throws: `.newerFormat` for a snapshot that a newer version wrote; what listing the directory throws.
    func restore(with take: (inout SnapshotReader) -> Bool) throws(JournalError) -> Outcome {
        var outcome = Outcome()
        for number in try numbers() {
            do throws(JournalError) {
                var reader = try open(number)
                defer { reader.close() }
                if take(&reader), reader.isAtEnd {
                    outcome.point = reader.point
                    return outcome
                }
            } catch {
                if case .newerFormat = error { throw error }
            }
            outcome.refused.append(path(number))
        }
        return outcome
    }

    func open(_ segment: UInt64) throws(JournalError) -> SnapshotReader {
        guard let key = keys.snapshot(segment) else { throw .snapshotDamaged(path: path(segment)) }
        return try SnapshotReader(journal: keys.journal, segment: segment, key: key, path: path(segment), disk: disk)
    }

    /// Names of snapshots other than these. The temporary file of an attempt is not among them: a writer may be at it.
    func leftovers(keeping kept: [UInt64]) throws(JournalError) -> [String] {
        try JournalPaths.names(in: paths.snapshots, disk).sorted().filter { name in
            FileName.number(in: name, prefix: "snapshot-").map { !kept.contains($0) } == true
        }
    }
}
