/// Writes one snapshot, piece by piece, as an `UnfinishedFile`.
///
/// It never holds more than one piece. One owner, one thread, which is not the writer's. Whatever goes wrong, the snapshots
/// that were there before are still there.
package struct SnapshotWriter {
    private let access: JournalAccess
    private let point: SnapshotPoint
    private let key: Cipher.Key
    private var file: UnfinishedFile
    private var frame: UInt32 = 0

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
        file = try UnfinishedFile(
            directory: access.paths.snapshots, temporaryName: SnapshotFormat.temporaryName, disk: access.disk)
        do throws(JournalError) {
            try file.append(header)
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
        try file.finish(as: SnapshotFormat.fileName(point.segment))
    }

    /// Gives up: the temporary file goes. Does nothing after `finish`.
    package mutating func cancel() { file.cancel() }

    private mutating func seal(_ plaintext: [UInt8], section: UInt8, isLast: Bool) throws(JournalError) {
        precondition(file.isOpen, "this snapshot is finished")
        let head = SnapshotFormat.frameHead(length: plaintext.count, section: section, isLast: isLast)
        let additional = SnapshotFormat.additional(
            journal: access.keys.journal, segment: point.segment, frame: frame, head: head)
        var sealed = head
        sealed.reserveCapacity(head.count + plaintext.count + Cipher.tagBytes)
        Cipher.append(plaintext, key: key, number: frame, additional: additional, to: &sealed)
        try file.append(sealed)
        frame += 1
    }
}
