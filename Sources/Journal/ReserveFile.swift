/// Space of the file system that is kept for what must not fail on a full disk: the end of a start, a key file, a copy in
/// quarantine, and what deliveries and acknowledgements write when even their prepared space is used up.
///
/// The file holds nothing and is never read. It goes when that space is needed, and comes back when the file system has
/// twice its size to spare; until then new notifications are refused, so that what it gave is not spent on them.
/// One owner, the journal's thread.
struct ReserveFile {
    private enum Phase {
        /// Never made, or not kept at all.
        case absent
        /// On disk in full size.
        case held
        /// Given away on a full disk.
        case spent
    }

    /// The file takes at most this part of the file system: a small disk is there for notifications first.
    static let shareOfFileSystem = 16
    /// With less than this there is no reserve.
    static let smallestBytes = 64 << 10

    private let path: String
    private let root: String
    private let disk: any Disk
    private let mostBytes: Int
    private var phase = Phase.absent

    /// - Parameter mostBytes: the size on a large file system; 0 keeps no reserve.
    init(paths: JournalPaths, disk: any Disk, mostBytes: Int) {
        path = paths.reserve
        root = paths.root
        self.disk = disk
        self.mostBytes = mostBytes
    }

    /// Whether it was given away and is not back yet.
    var isSpent: Bool { phase == .spent }

    /// Whether it should be made as soon as nothing else is to be prepared.
    var isMissing: Bool { mostBytes > 0 && phase != .held }

    /// Looks whether an earlier start left it. One of another size is made anew.
    mutating func find() throws(DiskError) {
        guard mostBytes > 0 else { return }
        let file: DiskFile
        do throws(DiskError) {
            file = try disk.open(path, .read)
        } catch {
            guard error.isMissing else { throw error }
            return
        }
        let size = try disk.size(file)
        disk.close(file)
        if try size >= UInt64(bytes()) { phase = .held } else { try disk.remove(path) }
    }

    /// Gives its space back to the file system.
    ///
    /// - Returns: `false` when there was none to give.
    mutating func release() throws(DiskError) -> Bool {
        guard phase == .held else { return false }
        try disk.remove(path)
        phase = .spent
        return true
    }

    /// Makes it, when the file system has twice its size to spare.
    ///
    /// - Returns: whether it is there now, or none is kept on a file system this small.
    mutating func make() throws(DiskError) -> Bool {
        guard isMissing else { return true }
        let bytes = try bytes()
        guard bytes > 0 else {
            phase = .absent
            return true
        }
        if let room = try disk.room(at: root), room.freeBytes < 2 * bytes { return false }
        do throws(DiskError) {
            let file = try disk.open(path, .create)
            defer { disk.close(file) }
            // Twice its size and then cut: a quota, or a file system that says nothing, has to show the room as well, or the
            // space just given away would be taken back at once.
            try fill(file, 2 * bytes)
            try disk.truncate(file, to: UInt64(bytes))
        } catch {
            guard error.isPassing || error.isExisting else { throw error }
            try? disk.remove(path)
            return false
        }
        phase = .held
        return true
    }

    /// Not synced: what a crash takes of it is made again.
    private func fill(_ file: DiskFile, _ bytes: Int) throws(DiskError) {
        try disk.allocate(file, at: 0, count: bytes)
        // Where the file system knows no fallocate, zeros take the place.
        let zeros = [UInt8](repeating: 0, count: JournalLimits.preparationStepBytes)
        var end = Int(try disk.size(file))
        while end < bytes {
            let count = min(zeros.count, bytes - end)
            try disk.writeAll(file, at: UInt64(end), count == zeros.count ? zeros : Array(zeros[..<count]))
            end += count
        }
    }

    private func bytes() throws(DiskError) -> Int {
        guard let room = try disk.room(at: root) else { return mostBytes }
        let bytes = min(mostBytes, room.totalBytes / Self.shareOfFileSystem)
        return bytes < Self.smallestBytes ? 0 : bytes / SegmentHeader.bytes * SegmentHeader.bytes
    }
}

extension JournalCore {
    /// What kind of disk this is, and whether the reserve of an earlier start is there.
    mutating func takeStock() throws(DiskError) {
        report.overwriting = try disk.overwriting(in: paths.segments)
        try reserve.find()
    }

    /// Runs what must go on also on a full disk. When there is no space, the reserve file goes and `body` runs once more from
    /// its beginning, so it must be such that a first half may be repeated.
    ///
    /// Not for what new notifications need. A failed sync is final here as everywhere.
    mutating func spendingReserve<Value>(
        _ body: (inout JournalCore) throws(DiskError) -> Value
    ) throws(DiskError) -> Value {
        do throws(DiskError) {
            return try body(&self)
        } catch {
            guard error.isFull, !error.isSync, try reserve.release() else { throw error }
            space.setSpent(true)
            return try body(&self)
        }
    }
}
