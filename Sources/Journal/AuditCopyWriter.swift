/// Copies the audit records of one closed segment to `audit/`: a temporary file, synced, renamed, the directory synced.
///
/// One owner, one thread, which is not the writer's. Records are copied as they are: what can be erased is never in a record
/// but in the texts, of which none is copied. Whatever goes wrong, the copies that were there before are still there, whole;
/// the temporary file is removed here, at the next attempt or at the next start.
package struct AuditCopyWriter {
    /// The segment whose records are copied.
    package let segment: UInt64
    private let access: JournalAccess
    private let key: Cipher.Key
    private let file: DiskFile
    private let mostRecords: Int
    /// What is sealed and not written yet.
    private var pending: [UInt8]
    private var position: UInt64 = 0
    private var frame: UInt32 = 0
    private var nextRecord: UInt64
    private var isOpen = true

    private static func temporary(_ access: JournalAccess) -> String {
        access.paths.audit + "/" + AuditCopyFormat.temporaryName
    }

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
        let (disk, path) = (access.disk, Self.temporary(access))
        try? disk.remove(path)
        file = try JournalError.wrapping { () throws(DiskError) in try disk.open(path, .create) }
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
        let (disk, file, directory) = (access.disk, file, access.paths.audit)
        let (source, target) = (Self.temporary(access), access.copies.path(segment))
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
        try? access.disk.remove(Self.temporary(access))
    }

    private mutating func seal(record: UInt64, kind: UInt8, _ plaintext: [UInt8]) throws(JournalError) {
        precondition(isOpen, "this copy is finished")
        let head = AuditCopyFormat.frameHead(record: record, length: plaintext.count, kind: kind)
        let additional = AuditCopyFormat.additional(
            journal: access.keys.journal, segment: segment, frame: frame, head: head)
        let start = pending.count + head.count
        pending.append(contentsOf: head)
        pending.append(contentsOf: repeatElement(0, count: plaintext.count + Cipher.tagBytes))
        let (key, number) = (key, frame)
        pending.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plain in
                Cipher.seal(
                    plain, key: key, number: number, additional: additional,
                    to: UnsafeMutableRawBufferPointer(rebasing: output[start...]))
            }
        }
        frame += 1
        if pending.count >= JournalLimits.preparationStepBytes { try flush() }
    }

    private mutating func flush() throws(JournalError) {
        let (disk, file, bytes, offset) = (access.disk, file, pending, position)
        try JournalError.wrapping { () throws(DiskError) in try disk.writeAll(file, at: offset, bytes) }
        position += UInt64(bytes.count)
        pending.removeAll(keepingCapacity: true)
    }
}
