/// Copies the audit records of one closed segment to `audit/`, as an `UnfinishedFile`.
///
/// One owner, one thread, which is not the writer's. Records are copied as they are: what can be erased is never in a record
/// but in the texts, of which none is copied. Whatever goes wrong, the copies that were there before are still there, whole.
package struct AuditCopyWriter {
    /// The segment whose records are copied.
    package let segment: UInt64
    private let access: JournalAccess
    private let key: Cipher.Key
    private var file: UnfinishedFile
    private let mostRecords: Int
    /// What is sealed and not written yet.
    private var pending: [UInt8]
    private var frame: UInt32 = 0
    private var nextRecord: UInt64

    /// Begins the copy of a closed segment. At most one at a time.
    ///
    /// - Parameters:
    ///   - firstRecord: the segment's first, or the first that is lost before it.
    ///   - mostRecords: how many may be copied.
    /// - Throws: `.keysMissing` for a journal that was never started since there are signing keys; `.io`, `.noSpace`.
    package init(
        _ access: JournalAccess, segment: UInt64, firstRecord: UInt64, random: any RandomSource = SystemRandom(),
        mostRecords: Int = AuditCopyLimits.records
    ) throws(JournalError) {
        guard let root = access.keys.copies else { throw .keysMissing(path: access.paths.keys) }
        let closing = try access.closedSegment(behind: segment - 1)?.next
        let salt = AuditCopyFormat.salt(
            segment: segment, chain: closing?.previousHead ?? [], key: root, random: random)
        pending = AuditCopyFormat.header(
            journal: access.keys.journal, segment: segment, firstRecord: firstRecord,
            madeMilliseconds: access.clock.wallMilliseconds, salt: salt, key: root)
        key = AuditCopyFormat.frameKey(root, header: pending)
        nextRecord = firstRecord
        self.mostRecords = mostRecords
        self.access = access
        self.segment = segment
        file = try UnfinishedFile(
            directory: access.paths.audit, temporaryName: AuditCopyFormat.temporaryName, disk: access.disk)
    }

    /// Adds a record; numbers rise.
    ///
    /// - Parameter kind: what it is, in `AuditCopyLimits.kinds`; whoever reads the copy is told.
    /// - Throws: `.limit`; `.io`, `.noSpace`, and then the attempt has to be cancelled.
    package mutating func append(record number: UInt64, kind: UInt8, _ bytes: [UInt8]) throws(JournalError) {
        precondition(AuditCopyLimits.kinds.contains(kind), "kind 0 ends a copy")
        precondition(number >= nextRecord, "records are copied in their order")
        guard (1...AuditCopyLimits.recordBytes).contains(bytes.count) else {
            throw .limit(name: "copied record bytes", value: bytes.count, limit: AuditCopyLimits.recordBytes)
        }
        guard Int(frame) < mostRecords else {
            throw .limit(name: "copied records", value: Int(frame) + 1, limit: mostRecords)
        }
        nextRecord = number + 1
        try seal(record: number, kind: kind, bytes)
    }

    /// Makes the copy durable under its name. From then on the segment may go.
    ///
    /// - Parameter next: the number of the first record behind the segment.
    package mutating func finish(before next: UInt64) throws(JournalError) {
        precondition(next >= nextRecord, "no copied record is behind the segment")
        try seal(record: next, kind: 0, [])
        try flush()
        try file.finish(as: AuditCopyFormat.fileName(segment))
    }

    /// Gives up: the temporary file goes. Does nothing after `finish`.
    package mutating func cancel() { file.cancel() }

    private mutating func seal(record: UInt64, kind: UInt8, _ plaintext: [UInt8]) throws(JournalError) {
        precondition(file.isOpen, "this copy is finished")
        let head = AuditCopyFormat.frameHead(record: record, length: plaintext.count, kind: kind)
        let additional = AuditCopyFormat.additional(
            journal: access.keys.journal, segment: segment, frame: frame, head: head)
        pending.append(contentsOf: head)
        Cipher.append(plaintext, key: key, number: frame, additional: additional, to: &pending)
        frame += 1
        if pending.count >= JournalLimits.preparationStepBytes { try flush() }
    }

    private mutating func flush() throws(JournalError) {
        try file.append(pending)
        pending.removeAll(keepingCapacity: true)
    }
}
