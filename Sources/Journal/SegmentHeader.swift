/// The first block of a segment. Layout: Journal.docc/FileFormat.md, "Segment header".
struct SegmentHeader: Equatable {
    static let bytes = 4_096
    static let codeOffset = bytes - 32
    static let magic = Array("BKSEGM01".utf8)

    var journal: JournalID
    var number: UInt64
    var start: UInt64
    var firstRecord: UInt64
    var firstBatch: UInt64
    var previousHead: [UInt8]
    var madeMilliseconds: Int64

    /// The block under the segment's key.
    func sealed(key: Cipher.Key) -> [UInt8] {
        var block = ByteWriter()
        block.put(Self.magic)
        block.put(KeyTable.version)
        block.put(KeyTable.suite)
        block.put(UInt32(Self.bytes))
        block.put(journal)
        block.put(number)
        block.put(start)
        block.put(firstRecord)
        block.put(firstBatch)
        block.put(previousHead)
        block.put(Self.commitment(key, journal: journal, number: number))
        block.put(madeMilliseconds)
        block.pad(to: Self.codeOffset)
        block.put(Cipher.authenticate(block.bytes, key: Self.headerKey(key)))
        return block.bytes
    }

    /// Opens a block.
    ///
    /// - Returns: nil when the block is not what was written under this key.
    /// - Throws: `.newerFormat` when magic and version are readable and the version is not ours.
    init?(opening block: [UInt8], key: Cipher.Key, path: String) throws(JournalError) {
        guard block.count == Self.bytes, Array(block[..<8]) == Self.magic else { return nil }
        var reader = ByteReader(block[8..<Self.codeOffset])
        guard let version = reader.number(UInt16.self), let suite = reader.number(UInt16.self),
            let length = reader.number(UInt32.self), let journal = reader.journal(),
            let number = reader.number(UInt64.self), let start = reader.number(UInt64.self),
            let firstRecord = reader.number(UInt64.self), let firstBatch = reader.number(UInt64.self),
            let previousHead = reader.take(32), let commitment = reader.take(32),
            let made = reader.number(UInt64.self)
        else { return nil }
        let isAuthentic = Cipher.isAuthentic(
            block[Self.codeOffset...], for: block[..<Self.codeOffset], key: Self.headerKey(key))
        // The code comes last in a version that is not ours, so a version field that rotted looks like a newer file.
        // Either way the file is refused untouched.
        guard version == KeyTable.version, suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard isAuthentic, Int(length) == Self.bytes,
            commitment == Self.commitment(key, journal: journal, number: number)
        else { return nil }
        self.journal = journal
        self.number = number
        self.start = start
        self.firstRecord = firstRecord
        self.firstBatch = firstBatch
        self.previousHead = previousHead
        madeMilliseconds = Int64(bitPattern: made)
    }

    init(
        journal: JournalID, number: UInt64, start: UInt64, firstRecord: UInt64, firstBatch: UInt64,
        previousHead: [UInt8], madeMilliseconds: Int64
    ) {
        self.journal = journal
        self.number = number
        self.start = start
        self.firstRecord = firstRecord
        self.firstBatch = firstBatch
        self.previousHead = previousHead
        self.madeMilliseconds = madeMilliseconds
    }

    /// GCM does not commit to its key; this does.
    private static func commitment(_ key: Cipher.Key, journal: JournalID, number: UInt64) -> [UInt8] {
        var info = ByteWriter(bytes: Array("budkavle/journal/1/commitment".utf8))
        info.put(journal)
        info.put(number)
        return Cipher.bytes(of: Cipher.derive(key, salt: [], info: info.bytes))
    }

    private static func headerKey(_ key: Cipher.Key) -> Cipher.Key {
        Cipher.derive(key, salt: [], info: Array("budkavle/journal/1/header".utf8))
    }

    static func fileName(_ number: UInt64) -> String { "segment-" + .hex(number) }
}
