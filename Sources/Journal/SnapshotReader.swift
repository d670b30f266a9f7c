/// Reads one snapshot, piece by piece, each opened and checked before it is handed out. One owner, one thread.
///
/// Foreign bytes: whatever is not as it was written is `.snapshotDamaged`.
package struct SnapshotReader {
    /// Where the snapshot stands.
    package let point: SnapshotPoint
    private let journal: JournalID
    private let disk: any Disk
    private let file: DiskFile
    private let path: String
    private let key: Cipher.Key
    private let size: UInt64
    private var position: UInt64
    private var frame: UInt32
    /// Whether the authenticated end was read.
    private(set) var isAtEnd = false

    /// Opens the file and its first frame. The caller closes it.
    ///
    /// - Throws: `.snapshotDamaged`; `.newerFormat` when another version wrote it; `.io`.
    init(journal: JournalID, segment: UInt64, key wrapped: Cipher.Key, path: String, disk: any Disk)
        throws(JournalError)
    {
        let file = try JournalError.wrapping { () throws(DiskError) in try disk.open(path, .read) }
        do throws(JournalError) {
            let (size, header) = try JournalError.wrapping { () throws(DiskError) in
                (try disk.size(file), try disk.readUpTo(SnapshotFormat.headerBytes, file, at: 0))
            }
            try Self.check(header, journal: journal, segment: segment, key: wrapped, path: path)
            let key = SnapshotFormat.frameKey(wrapped, header: header)
            var first = Frames(
                journal: journal, segment: segment, key: key, disk: disk, file: file, path: path, size: size,
                position: UInt64(SnapshotFormat.headerBytes), frame: 0)
            let opened = try first.next(limit: SnapshotFormat.longestPoint)
            guard opened.section == SnapshotFormat.pointSection, !opened.isLast,
                let point = SnapshotPoint(decoding: opened.bytes, segment: segment)
            else { throw .snapshotDamaged(path: path) }
            (self.point, self.journal, self.disk, self.file) = (point, journal, disk, file)
            (self.path, self.key, self.size) = (path, key, size)
            (position, frame) = (first.position, first.frame)
        } catch {
            disk.close(file)
            throw error
        }
    }

    /// The next piece; nil behind the last, when the file ends there as it should.
    ///
    /// - Throws: `.snapshotDamaged`, `.io`.
    package mutating func next() throws(JournalError) -> SnapshotPiece? {
        guard !isAtEnd else { return nil }
        var frames = Frames(
            journal: journal, segment: point.segment, key: key, disk: disk, file: file, path: path, size: size,
            position: position, frame: frame)
        let opened = try frames.next(limit: SnapshotLimits.pieceBytes)
        (position, frame) = (frames.position, frames.frame)
        if opened.isLast {
            guard opened.bytes.isEmpty, opened.section == SnapshotFormat.pointSection, position == size else {
                throw .snapshotDamaged(path: path)
            }
            isAtEnd = true
            return nil
        }
        guard opened.section != SnapshotFormat.pointSection, Int(frame) <= SnapshotLimits.pieces + 2 else {
            throw .snapshotDamaged(path: path)
        }
        return SnapshotPiece(section: opened.section, bytes: opened.bytes)
    }

    func close() { disk.close(file) }

    private static func check(
        _ header: [UInt8], journal: JournalID, segment: UInt64, key: Cipher.Key, path: String
    ) throws(JournalError) {
        let damaged = JournalError.snapshotDamaged(path: path)
        guard header.count == SnapshotFormat.headerBytes, header.starts(with: SnapshotFormat.magic),
            Cipher.isAuthentic(
                header[SnapshotFormat.codeOffset...], for: header[..<SnapshotFormat.codeOffset],
                key: SnapshotFormat.codeKey(key))
        else { throw damaged }
        var reader = ByteReader(header[8...])
        guard let version = reader.number(UInt16.self), let suite = reader.number(UInt16.self) else { throw damaged }
        guard version == SnapshotFormat.version, suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(version))
        }
        guard reader.number(UInt32.self) == UInt32(SnapshotFormat.headerBytes), reader.journal() == journal,
            reader.number(UInt64.self) == segment
        else { throw damaged }
    }
}

/// The frames of a snapshot file, one behind the other.
private struct Frames {
    let journal: JournalID
    let segment: UInt64
    let key: Cipher.Key
    let disk: any Disk
    let file: DiskFile
    let path: String
    let size: UInt64
    var position: UInt64
    var frame: UInt32

    mutating func next(limit: Int) throws(JournalError) -> (section: UInt8, isLast: Bool, bytes: [UInt8]) {
        let damaged = JournalError.snapshotDamaged(path: path)
        let head = try read(SnapshotFormat.frameHeadBytes)
        var reader = ByteReader(head)
        guard let length = reader.number(UInt32.self), let section = reader.number(UInt8.self),
            let last = reader.number(UInt8.self), reader.number(UInt16.self) == 0, last <= 1, Int(length) <= limit,
            UInt64(length) + UInt64(Cipher.tagBytes) <= size - min(size, position)
        else { throw damaged }
        let sealed = try read(Int(length) + Cipher.tagBytes)
        let additional = SnapshotFormat.additional(journal: journal, segment: segment, frame: frame, head: head)
        let (key, number) = (key, frame)
        let opened = sealed.withUnsafeBytes { Cipher.open($0, key: key, number: number, additional: additional) }
        guard sealed.count == Int(length) + Cipher.tagBytes, let opened, frame < .max else { throw damaged }
        frame += 1
        return (section, last == 1, opened)
    }

    private mutating func read(_ count: Int) throws(JournalError) -> [UInt8] {
        let (disk, file, offset) = (disk, file, position)
        let bytes = try JournalError.wrapping { () throws(DiskError) in try disk.readUpTo(count, file, at: offset) }
        position += UInt64(bytes.count)
        return bytes
    }
}
