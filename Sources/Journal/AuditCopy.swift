/// Limits of a copy of audit records. FileFormat.md, "Copies of audit records" repeats them.
package enum AuditCopyLimits {
    /// Bytes of one record.
    package static let recordBytes = JournalLimits.maxRecordBytes
    /// Records of one copy: no segment holds more.
    package static let records = 1 << 27
    /// The caller's kinds; 0 ends the file.
    package static let kinds: ClosedRange<UInt8> = 1...UInt8.max
}

/// A record that was copied out of its segment, byte for byte.
package struct CopiedRecord: Sendable, Equatable {
    /// Its number.
    package let number: UInt64
    /// What the caller said it is, in `AuditCopyLimits.kinds`.
    package let kind: UInt8
    package let bytes: [UInt8]
}

/// What a look at a copy found.
enum AuditCopyState: Equatable {
    case missing
    /// It is not as it was written from this byte on. What was handed out before is.
    case damaged(offset: UInt64)
    /// It was read to its end: the records of its segment, those among them that are no audit records left out.
    case whole(Range<UInt64>)
    /// Whoever read it had enough.
    case ended
}

/// Layout of a copy: Journal.docc/FileFormat.md, "Copies of audit records".
enum AuditCopyFormat {
    static let magic = Array("BKCOPY01".utf8)
    static let version: UInt16 = 1
    static let headerBytes = 192
    static let saltOffset = 64
    static let saltBytes = 32
    static let codeOffset = headerBytes - 32
    /// In front of each frame, in the clear and covered by its tag: record, length, kind, whether it is the last.
    static let frameHeadBytes = 16
    static let temporaryName = "records.new"

    static func fileName(_ segment: UInt64) -> String { "records-" + .hex(segment) }

    static func header(
        journal: JournalID, segment: UInt64, firstRecord: UInt64, madeMilliseconds: Int64, salt: [UInt8],
        key: Cipher.Key
    ) -> [UInt8] {
        var header = ByteWriter()
        header.put(magic)
        header.put(version)
        header.put(KeyTable.suite)
        header.put(UInt32(headerBytes))
        header.put(journal)
        header.put(segment)
        header.put(firstRecord)
        header.put(madeMilliseconds)
        header.pad(to: saltOffset)
        header.put(salt)
        header.pad(to: codeOffset)
        header.put(Cipher.authenticate(header.bytes, key: codeKey(key)))
        return header.bytes
    }

    /// The number of the segment's first record; nil when these bytes are no header of its copy.
    ///
    /// - Throws: `.newerFormat` when the header is whole and its version is not ours.
    static func firstRecord(
        in header: ArraySlice<UInt8>, journal: JournalID, segment: UInt64, key: Cipher.Key, path: String
    ) throws(JournalError) -> UInt64? {
        let start = header.startIndex
        guard header.count == headerBytes, header.starts(with: magic),
            Cipher.isAuthentic(
                header[(start + codeOffset)...], for: header[..<(start + codeOffset)], key: codeKey(key))
        else { return nil }
        var reader = ByteReader(header[(start + magic.count)...])
        guard let found = reader.number(UInt16.self), let suite = reader.number(UInt16.self) else { return nil }
        guard found == version, suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(max(found, suite)))
        }
        guard reader.number(UInt32.self) == UInt32(headerBytes), reader.journal() == journal,
            reader.number(UInt64.self) == segment, let first = reader.number(UInt64.self), first > 0
        else { return nil }
        return first
    }

    /// The key of the frames. Salt and header go into it, so a second attempt repeats no nonce.
    static func frameKey(_ key: Cipher.Key, header: [UInt8]) -> Cipher.Key {
        let salt = Array(header[saltOffset..<(saltOffset + saltBytes)])
        return Cipher.derive(key, salt: salt, info: Array("budkavle/journal/2/audit copy".utf8) + header)
    }

    static func codeKey(_ key: Cipher.Key) -> Cipher.Key {
        Cipher.derive(key, salt: [], info: Array("budkavle/journal/2/audit copy header".utf8))
    }

    /// Random, and hedged with what tells this segment's content from any other.
    static func salt(segment: UInt64, chain: [UInt8], key: Cipher.Key, random: any RandomSource) -> [UInt8] {
        var input = ByteWriter(bytes: random.bytes(saltBytes))
        input.put(segment)
        input.put(chain)
        let key = Cipher.derive(key, salt: [], info: Array("budkavle/journal/2/audit copy salt".utf8))
        return Cipher.authenticate(input.bytes, key: key)
    }

    static func frameHead(record: UInt64, length: Int, kind: UInt8) -> [UInt8] {
        var head = ByteWriter()
        head.put(record)
        head.put(UInt32(length))
        head.put(kind)
        head.put(UInt8(kind == 0 ? 1 : 0))
        head.put(UInt16(0))
        return head.bytes
    }

    static func additional(journal: JournalID, segment: UInt64, frame: UInt32, head: some Collection<UInt8>) -> [UInt8]
    {
        var place = ByteWriter()
        place.put(journal)
        place.put(segment)
        place.put(frame)
        place.put(Array(head))
        return place.bytes
    }
}

extension KeyTable {
    /// Under which copies of audit records are sealed. It follows from the oldest signing key, which stays as long as the
    /// journal: it outlives the keys of segments, and a new signing or master key changes nothing here. Nil before the first
    /// start of a version that signs.
    var copyKey: Cipher.Key? {
        let oldest = entries.filter { $0.key.kind == .signing }.min { $0.key.number < $1.key.number }
        guard let secret = oldest?.value.key else { return nil }
        var info = ByteWriter(bytes: Array("budkavle/journal/2/audit copies".utf8))
        info.put(journal)
        return Cipher.derive(secret, salt: [], info: info.bytes)
    }
}
