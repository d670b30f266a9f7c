/// The files of `audit/` that hold the Merkle log. Layout: Journal.docc/FileFormat.md, "Audit".
struct ArchiveFiles: Sendable {
    /// Which levels of the tree have a file; the nodes between them are computed from at most 256 entries.
    static let levels = [0, 8, 16, 24]

    let directory: String
    let disk: any Disk

    var heads: String { directory + "/heads" }

    func level(_ level: Int) -> String { directory + "/level-" + (level < 10 ? "0" : "") + String(level) }

    /// The length of a file; 0 when it is not there.
    func length(_ path: String) throws(DiskError) -> UInt64 {
        do throws(DiskError) {
            let file = try disk.open(path, .read)
            defer { disk.close(file) }
            return try disk.size(file)
        } catch {
            if error.isMissing { return 0 }
            throw error
        }
    }

    /// Opens for writing, and makes the file when it is not there.
    func update(_ path: String) throws(DiskError) -> DiskFile {
        do throws(DiskError) {
            return try disk.open(path, .update)
        } catch {
            guard error.isMissing else { throw error }
            let file = try disk.open(path, .create)
            do throws(DiskError) {
                try disk.syncDirectory(directory)
            } catch {
                disk.close(file)
                throw error
            }
            return file
        }
    }

    /// Writes bytes at a place and syncs them.
    func write(_ bytes: [UInt8], to path: String, at offset: UInt64) throws(DiskError) {
        let file = try update(path)
        defer { disk.close(file) }
        try disk.writeAll(file, at: offset, bytes)
        try disk.sync(file)
    }

    /// Cuts a file that is longer.
    func cut(_ path: String, to length: UInt64) throws(DiskError) {
        guard try self.length(path) > length else { return }
        let file = try disk.open(path, .update)
        defer { disk.close(file) }
        try disk.truncate(file, to: length)
        try disk.sync(file)
    }
}

/// Reads the files of the archive; one owner, one thread, used for one question.
final class ArchiveReader {
    private let files: ArchiveFiles
    private var open: [String: DiskFile] = [:]

    init(_ files: ArchiveFiles) { self.files = files }

    deinit { for file in open.values { files.disk.close(file) } }

    /// A node from the entries below it; nil when one is not there or unknown.
    func node(_ level: Int, _ index: UInt64) throws(JournalError) -> MerkleHash? {
        guard let base = ArchiveFiles.levels.last(where: { $0 <= level }) else { return nil }
        let count = 1 << (level - base)
        var row = try hashes(base, from: index << UInt64(level - base), count)
        guard row.count == count else { return nil }
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.node(row[$0], row[$0 + 1]) }
        }
        return row[0] == .unknown ? nil : row[0]
    }

    /// Entries of a level's file, fewer at its end.
    func hashes(_ level: Int, from index: UInt64, _ count: Int) throws(JournalError) -> [MerkleHash] {
        let width = MerkleHash.byteCount
        let bytes = try read(files.level(level), at: index * UInt64(width), count * width)
        return stride(from: 0, through: bytes.count - width, by: width).compactMap {
            MerkleHash(bytes: bytes[$0..<($0 + width)])
        }
    }

    /// An entry of `heads`; nil when it is not there or not what was written.
    func head(_ index: UInt64) throws(JournalError) -> HeadEntry? {
        HeadEntry(decoding: try read(files.heads, at: index * UInt64(HeadEntry.bytes), HeadEntry.bytes))
    }

    /// The first signed head among the first `count` entries whose tree holds the record.
    func head(covering record: UInt64, among count: UInt64) throws(JournalError) -> SignedHead? {
        var (low, high) = (UInt64(0), count)
        while low < high {
            let middle = low + (high - low) / 2
            guard let entry = try head(middle) else { return nil }
            if entry.head.size < record { low = middle + 1 } else { high = middle }
        }
        // Marks are few: one per segment at most, and only where no batch was signed.
        while low < count, let entry = try head(low) {
            if !entry.isMark { return entry.head }
            low += 1
        }
        return nil
    }

    private func read(_ path: String, at offset: UInt64, _ count: Int) throws(JournalError) -> [UInt8] {
        do throws(DiskError) {
            if open[path] == nil { open[path] = try files.disk.open(path, .read) }
            guard let file = open[path] else { return [] }
            return try files.disk.readUpTo(count, file, at: offset)
        } catch {
            if error.isMissing { return [] }
            throw JournalError(error)
        }
    }
}
