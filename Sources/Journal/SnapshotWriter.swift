/// Writes one snapshot, piece by piece: a temporary file, synced, renamed, the directory synced.
///
/// It never holds more than one piece. One owner, one thread, which is not the writer's. Whatever goes wrong, the snapshots
/// that were there before are still there, and the temporary file is removed here or at the next attempt.
package struct SnapshotWriter {
    private let access: JournalAccess
    private let point: SnapshotPoint
    private let key: Cipher.Key
    private let file: DiskFile
    private var position: UInt64
    private var frame: UInt32 = 0
    private var isOpen = true

    private var temporary: String { access.paths.snapshots + "/" + SnapshotFormat.temporaryName }

    /// Begins the snapshot of `point`. Its key has to be in the key file already.
    ///
    /// - Throws: `.keysMissing` without such a key; `.limit` for a point that is too long; `.io`, `.noSpace` and others.
    package init(_ access: JournalAccess, point: SnapshotPoint, random: any RandomSource = SystemRandom())
        throws(JournalError)
    {
        guard let wrapped = access.keys.snapshot(point.segment) else {
            throw .keysMissing(path: access.paths.snapshots + "/" + SnapshotFormat.fileName(point.segment))
        }
        guard point.state.count <= SnapshotLimits.stateBytes else {
            throw .limit(name: "snapshot state bytes", value: point.state.count, limit: SnapshotLimits.stateBytes)
        }
        precondition(point.chain.count == Chain.headBytes, "a chain head has 32 bytes")
        self.access = access
        self.point = point
        let header = SnapshotFormat.header(
            journal: access.keys.journal, segment: point.segment, madeMilliseconds: access.clock.wallMilliseconds,
            salt: random.bytes(SnapshotFormat.saltBytes), key: wrapped)
        key = SnapshotFormat.frameKey(wrapped, header: header)
        position = UInt64(header.count)
        let path = access.paths.snapshots + "/" + SnapshotFormat.temporaryName
        let disk = access.disk
        try? disk.remove(path)
        file = try JournalError.wrapping { () throws(DiskError) in try disk.open(path, .create) }
        do throws(JournalError) {
            try write(header, at: 0)
            try seal(point.encoded, section: SnapshotFormat.pointSection, isLast: false)
        } catch {
            cancel()
            throw error
        }
    }

    /// Adds a piece.
    ///
    /// - Parameters:
    ///   - piece: at most `SnapshotLimits.pieceBytes`.
    ///   - section: the caller's number for this part of the state, not 0.
    /// - Throws: `.limit`; `.io` and others, and then the attempt has to be cancelled.
    package mutating func append(_ piece: [UInt8], section: UInt8) throws(JournalError) {
        precondition(section != SnapshotFormat.pointSection, "section 0 is the snapshot's own")
        guard piece.count <= SnapshotLimits.pieceBytes else {
            throw .limit(name: "snapshot piece bytes", value: piece.count, limit: SnapshotLimits.pieceBytes)
        }
        guard Int(frame) <= SnapshotLimits.pieces else {
            throw .limit(name: "snapshot pieces", value: Int(frame), limit: SnapshotLimits.pieces)
        }
        try seal(piece, section: section, isLast: false)
    }

    /// Writes the last frame and makes the snapshot durable under its name. From then on a start may use it.
    package mutating func finish() throws(JournalError) {
        try seal([], section: SnapshotFormat.pointSection, isLast: true)
        let (disk, file) = (access.disk, file)
        let (source, directory) = (temporary, access.paths.snapshots)
        let target = directory + "/" + SnapshotFormat.fileName(point.segment)
        try JournalError.wrapping { () throws(DiskError) in
            try disk.sync(file)
            try disk.rename(source, to: target)
            try disk.syncDirectory(directory)
        }
        isOpen = false
        disk.close(file)
    }

    /// Gives up: the temporary file goes. Does nothing after `finish`.
    package mutating func cancel() {
        guard isOpen else { return }
        isOpen = false
        access.disk.close(file)
        try? access.disk.remove(temporary)
    }

    private mutating func seal(_ plaintext: [UInt8], section: UInt8, isLast: Bool) throws(JournalError) {
        precondition(isOpen, "this snapshot is finished")
        let head = SnapshotFormat.frameHead(length: plaintext.count, section: section, isLast: isLast)
        let additional = SnapshotFormat.additional(
            journal: access.keys.journal, segment: point.segment, frame: frame, head: head)
        var sealed = head
        sealed.reserveCapacity(head.count + plaintext.count + Cipher.tagBytes)
        sealed.append(contentsOf: repeatElement(0, count: plaintext.count + Cipher.tagBytes))
        let (key, number) = (key, frame)
        sealed.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plain in
                Cipher.seal(
                    plain, key: key, number: number, additional: additional,
                    to: UnsafeMutableRawBufferPointer(rebasing: output[head.count...]))
            }
        }
        try write(sealed, at: position)
        position += UInt64(sealed.count)
        frame += 1
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(JournalError) {
        let (disk, file) = (access.disk, file)
        try JournalError.wrapping { () throws(DiskError) in try disk.writeAll(file, at: offset, bytes) }
    }
}
