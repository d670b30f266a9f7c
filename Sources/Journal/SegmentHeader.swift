/// The first block of a segment. Layout: Journal.docc/FileFormat.md, "Segment header".
struct SegmentHeader: Equatable {
    static let bytes = 4_096
    static let codeOffset = bytes - 32
    static let magic = Array("BKSEGM01".utf8)
    /// The version that is written; every one from 1 on is read.
    static let version: UInt16 = 2
    static let versionOffset = 8
    static let treeOffset = 136
    static let acceptedOffset = 2_304

    var journal: JournalID
    var number: UInt64
    var start: UInt64
    var firstRecord: UInt64
    var firstBatch: UInt64
    var previousHead: [UInt8]
    var madeMilliseconds: Int64
    /// The Merkle tree before the first record; nil in version 1, which had none.
    var frontier: MerkleFrontier?
    /// What an override accepted at the start that made the segment: from then on it is no reason to refuse.
    var accepted: [Finding] = []
    var version: UInt16 = Self.version

    /// The block under the segment's key.
    func sealed(key: Cipher.Key) -> [UInt8] {
        var block = ByteWriter()
        block.put(Self.magic)
        block.put(version)
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
        block.pad(to: Self.treeOffset)
        if let frontier {
            block.put(UInt32(frontier.peaks.count + 1))
            block.put(UInt32(0))
            for peak in frontier.peaks { block.put(peak.bytes) }
        }
        block.pad(to: Self.acceptedOffset)
        Finding.put(accepted, to: &block)
        block.pad(to: Self.codeOffset)
        block.put(Cipher.authenticate(block.bytes, key: Self.headerKey(key)))
        return block.bytes
    }

    /// Opens a block.
    ///
    /// - Returns: nil when the block is not what was written under this key.
    /// - Throws: `.newerFormat` when the block is whole and its version is not ours.
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
        guard (1...Self.version).contains(version), suite == KeyTable.suite else {
            // What a newer version authenticates is not known here. A block that verifies once its version is put right
            // is one of ours whose version rotted.
            if Self.verifies(block, withVersionFrom: 1...Self.version, key: key) { return nil }
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard Self.verifies(block, key: key), Int(length) == Self.bytes,
            commitment == Self.commitment(key, journal: journal, number: number)
        else { return nil }
        self.version = version
        self.journal = journal
        self.number = number
        self.start = start
        self.firstRecord = firstRecord
        self.firstBatch = firstBatch
        self.previousHead = previousHead
        madeMilliseconds = Int64(bitPattern: made)
        guard version == 1 || readWhatVersion2Added(block) else { return nil }
    }

    init(
        journal: JournalID, number: UInt64, start: UInt64, firstRecord: UInt64, firstBatch: UInt64,
        previousHead: [UInt8], madeMilliseconds: Int64, frontier: MerkleFrontier? = nil, accepted: [Finding] = []
    ) {
        self.journal = journal
        self.number = number
        self.start = start
        self.firstRecord = firstRecord
        self.firstBatch = firstBatch
        self.previousHead = previousHead
        self.madeMilliseconds = madeMilliseconds
        self.frontier = frontier
        self.accepted = accepted
    }

    /// The number that a block gives itself; nobody has verified it.
    static func claimedNumber(_ block: [UInt8]) -> UInt64? {
        guard block.count == bytes, Array(block[..<8]) == magic else { return nil }
        var reader = ByteReader(block[32...])
        return reader.number(UInt64.self)
    }

    private mutating func readWhatVersion2Added(_ block: [UInt8]) -> Bool {
        var reader = ByteReader(block[Self.treeOffset..<Self.acceptedOffset])
        guard let count = reader.number(UInt32.self), Int(count) <= MerkleTree.maxPeaks + 1,
            reader.number(UInt32.self) == 0,
            let accepted = Finding.findings(
                decoding: Array(block[Self.acceptedOffset..<(Self.acceptedOffset + Finding.fieldBytes)]))
        else { return false }
        self.accepted = accepted
        if count == 0 { return true }
        guard let peaks = reader.hashes(Int(count) - 1) else { return false }
        frontier = MerkleFrontier(size: firstRecord &- 1, peaks: peaks)
        return frontier != nil
    }

    private static func verifies(_ block: [UInt8], key: Cipher.Key) -> Bool {
        Cipher.isAuthentic(block[codeOffset...], for: block[..<codeOffset], key: headerKey(key))
    }

    private static func verifies(
        _ block: [UInt8], withVersionFrom versions: ClosedRange<UInt16>, key: Cipher.Key
    ) -> Bool {
        versions.contains { version in
            var block = block
            withUnsafeBytes(of: (version.littleEndian, KeyTable.suite.littleEndian)) {
                block.replaceSubrange(versionOffset..<(versionOffset + 4), with: $0)
            }
            return verifies(block, key: key)
        }
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
