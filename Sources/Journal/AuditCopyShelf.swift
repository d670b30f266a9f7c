/// The copies of audit records that lie in `audit/`. Any thread; it may block.
struct AuditCopyShelf {
    let paths: JournalPaths
    let disk: any Disk
    let keys: KeyStore

    /// The segments that have a copy, ascending.
    func numbers() throws(JournalError) -> [UInt64] {
        try JournalPaths.names(in: paths.audit, disk)
            .compactMap { FileName.number(in: $0, prefix: "records-") }.sorted()
    }

    func path(_ segment: UInt64) -> String { paths.audit + "/" + AuditCopyFormat.fileName(segment) }

    /// The number of the first record of a copy's segment; nil when there is none or its header is damaged.
    ///
    /// - Throws: `.newerFormat`, `.io`.
    func firstRecord(_ segment: UInt64) throws(JournalError) -> UInt64? {
        guard let key = keys.copies else { return nil }
        let header: [UInt8]
        do throws(DiskError) {
            header = try disk.readWhole(path(segment), limit: AuditCopyFormat.headerBytes)
        } catch {
            if error.isMissing { return nil }
            throw JournalError(error)
        }
        return try AuditCopyFormat.firstRecord(
            in: header[...], journal: keys.journal, segment: segment, key: key, path: path(segment))
    }

    /// Hands out the records of a copy, each opened and checked before.
    ///
    /// - Parameter take: returns false when it has had enough.
    /// - Throws: `.newerFormat`, `.io`.
    func read(_ segment: UInt64, _ take: (CopiedRecord) -> Bool) throws(JournalError) -> AuditCopyState {
        guard let root = keys.copies else { return .damaged(offset: 0) }
        var window: SegmentWindow
        do throws(DiskError) {
            window = try SegmentWindow(disk: disk, path: path(segment))
        } catch {
            if error.isMissing { return .missing }
            throw JournalError(error)
        }
        defer { window.close() }
        let header = Array(try bytes(&window, at: 0, AuditCopyFormat.headerBytes))
        guard
            let first = try AuditCopyFormat.firstRecord(
                in: header[...], journal: keys.journal, segment: segment, key: root, path: path(segment))
        else { return .damaged(offset: 0) }
        let key = AuditCopyFormat.frameKey(root, header: header)
        var position = UInt64(header.count)
        var next = first
        for frame in 0...UInt32(AuditCopyLimits.records) {
            guard let found = try open(&window, segment, frame, at: position, key), found.record.number >= next else {
                return .damaged(offset: position)
            }
            if found.record.kind == 0 {
                // A file that goes on behind its end is none that was written.
                return found.end == window.size
                    ? .whole(first..<found.record.number) : .damaged(offset: found.end)
            }
            guard take(found.record) else { return .ended }
            next = found.record.number + 1
            position = found.end
        }
        return .damaged(offset: position)
    }

    /// Reads every copy and says what is wrong with them.
    ///
    /// - Parameters:
    ///   - kept: the first segment that has a key: of all before it there must be copies.
    ///   - take: every record that can be read.
    func findings(before kept: UInt64, _ take: (CopiedRecord) -> Void) throws(JournalError) -> [Finding] {
        var findings: [Finding] = []
        var expected: UInt64 = 1
        func miss(before number: UInt64) {
            guard number > expected else { return }
            findings.append(Finding(.copyMissing, segment: expected, detail: number - 1))
        }
        for number in try numbers() {
            miss(before: min(number, kept))
            expected = max(expected, number + 1)
            let state = try read(number) { record in
                take(record)
                return true
            }
            if case .damaged(let offset) = state { findings.append(Finding(.copy, segment: number, offset: offset)) }
        }
        miss(before: kept)
        return findings
    }

    /// One frame and where it ends; nil when it is not what was written here.
    private func open(
        _ window: inout SegmentWindow, _ segment: UInt64, _ frame: UInt32, at position: UInt64, _ key: Cipher.Key
    ) throws(JournalError) -> (record: CopiedRecord, end: UInt64)? {
        let head = Array(try bytes(&window, at: position, AuditCopyFormat.frameHeadBytes))
        var reader = ByteReader(head)
        guard let number = reader.number(UInt64.self), let length = reader.number(UInt32.self),
            let kind = reader.number(UInt8.self), let last = reader.number(UInt8.self),
            reader.number(UInt16.self) == 0, last == (kind == 0 ? 1 : 0), (kind == 0) == (length == 0),
            Int(length) <= AuditCopyLimits.recordBytes, number < .max
        else { return nil }
        let start = position + UInt64(head.count)
        let sealed = try bytes(&window, at: start, Int(length) + Cipher.tagBytes)
        guard sealed.count == Int(length) + Cipher.tagBytes else { return nil }
        let additional = AuditCopyFormat.additional(
            journal: keys.journal, segment: segment, frame: frame, head: head)
        let opened = sealed.withUnsafeBytes { Cipher.open($0, key: key, number: frame, additional: additional) }
        guard let opened else { return nil }
        return (CopiedRecord(number: number, kind: kind, bytes: opened), start + UInt64(sealed.count))
    }

    private func bytes(
        _ window: inout SegmentWindow, at offset: UInt64, _ count: Int
    ) throws(JournalError) -> ArraySlice<UInt8> {
        do throws(DiskError) {
            return try window.bytes(at: offset, count)
        } catch {
            throw JournalError(error)
        }
    }

    /// Removes what a crash left half written, and moves copies aside of segments that the journal never closed: their numbers
    /// are given again.
    ///
    /// - Parameters:
    ///   - last: the last segment that was closed for certain.
    ///   - size: records that the journal holds; a part of the names of what is moved.
    func settle(behind last: UInt64, size: UInt64) throws(JournalError) {
        let names = try JournalPaths.names(in: paths.audit, disk)
        let lost = names.filter { name in FileName.number(in: name, prefix: "records-").map { $0 > last } ?? false }
        try JournalError.wrapping { () throws(DiskError) in
            if names.contains(AuditCopyFormat.temporaryName) {
                try disk.remove(paths.audit + "/" + AuditCopyFormat.temporaryName)
            }
            for name in lost.sorted() {
                try disk.rename(
                    paths.audit + "/" + name, to: paths.quarantine + "/audit-" + name + "-" + .hex(size))
            }
            guard !lost.isEmpty else { return }
            try disk.syncDirectory(paths.quarantine)
            try disk.syncDirectory(paths.audit)
        }
    }
}

extension JournalAccess {
    /// The copies of audit records.
    var copies: AuditCopyShelf { AuditCopyShelf(paths: paths, disk: disk, keys: keys) }

    /// Whether there is a copy of the segment's audit records, as far as its header says. Throws: `.newerFormat`, `.io`.
    package func isCopied(_ segment: UInt64) throws(JournalError) -> Bool { try copies.firstRecord(segment) != nil }

    /// Whether the copy of a closed segment can be read from its first record to its last. Throws: `.newerFormat`, `.io`.
    package func isCopiedWhole(_ segment: UInt64) throws(JournalError) -> Bool {
        guard let records = try records(of: segment), case .whole(let copied) = try copies.read(segment, { _ in true })
        else { return false }
        return copied.lowerBound <= records.lowerBound && copied.upperBound == records.upperBound
    }

    /// The numbers of a closed segment's records; nil when its header, or the next one, is not there or damaged.
    package func records(of segment: UInt64) throws(JournalError) -> Range<UInt64>? {
        guard let first = try header(segment)?.firstRecord, let end = try header(segment + 1)?.firstRecord, first <= end
        else { return nil }
        return first..<end
    }

    /// Segments with a key up to this one, ascending: what retention has not let go.
    package func segments(through last: UInt64) throws(JournalError) -> [UInt64] {
        try JournalPaths.names(in: paths.segments, disk)
            .compactMap { FileName.number(in: $0, prefix: "segment-") }
            .filter { $0 <= last && keys.segment($0) != nil }.sorted()
    }
}
