/// What a snapshot stands for: the state after the last record of a closed segment, and how the journal goes on there.
package struct SnapshotPoint: Sendable, Equatable {
    /// The last closed segment that is in it; 0 before the first.
    package var segment: UInt64
    /// The number of the first record behind it.
    package var nextRecord: UInt64
    /// The number of the first batch behind it.
    package var nextBatch: UInt64
    /// The chain head before that batch, 32 bytes.
    package var chain: [UInt8]
    /// The Merkle tree's frontier after the last record; its size is `nextRecord - 1`.
    package var frontier: MerkleFrontier
    /// The caller's fingerprint of the state.
    package var state: [UInt8]
    /// The caller's last folded time, milliseconds since 1970 UTC.
    package var foldedMilliseconds: Int64

    /// Takes the parts as they are; `SnapshotWriter` checks their lengths.
    package init(
        segment: UInt64, nextRecord: UInt64, nextBatch: UInt64, chain: [UInt8], frontier: MerkleFrontier,
        state: [UInt8], foldedMilliseconds: Int64
    ) {
        self.segment = segment
        self.nextRecord = nextRecord
        self.nextBatch = nextBatch
        self.chain = chain
        self.frontier = frontier
        self.state = state
        self.foldedMilliseconds = foldedMilliseconds
    }
}

/// A piece of a snapshot: what one `append` wrote.
package struct SnapshotPiece: Sendable, Equatable {
    /// Which part of the state it belongs to; the caller's numbers, from 1.
    package var section: UInt8
    /// At most `SnapshotLimits.pieceBytes`.
    package var bytes: [UInt8]
}

/// Limits of a snapshot file. FileFormat.md, "Snapshot" repeats them.
package enum SnapshotLimits {
    /// Plaintext of one piece: what writer and reader hold in memory.
    package static let pieceBytes = 1 << 20
    /// Pieces of one snapshot.
    package static let pieces = 1 << 20
    /// Peaks of the frontier: one per bit of a record's number.
    package static let peaks = 64
    /// The caller's fingerprint.
    package static let stateBytes = 64
    /// Snapshots that are kept: the newest, and one to fall back to.
    package static let kept = 2
}

/// Layout of a snapshot file: Journal.docc/FileFormat.md, "Snapshot".
enum SnapshotFormat {
    static let magic = Array("BKSNAP01".utf8)
    static let version: UInt16 = 2
    static let headerBytes = 256
    static let codeOffset = headerBytes - 32
    static let saltOffset = 48
    static let saltBytes = 32
    /// In front of each frame, in the clear and covered by its tag: length, section, whether it is the last.
    static let frameHeadBytes = 8
    /// Frame 0: where the snapshot stands.
    static let pointSection: UInt8 = 0
    static let longestPoint = 8 + 8 + 32 + 8 + 4 + SnapshotLimits.peaks * 32 + 4 + SnapshotLimits.stateBytes
    static let temporaryName = "snapshot.new"

    static func fileName(_ segment: UInt64) -> String { "snapshot-" + .hex(segment) }

    static func header(
        journal: JournalID, segment: UInt64, madeMilliseconds: Int64, salt: [UInt8], key: Cipher.Key
    ) -> [UInt8] {
        var header = ByteWriter()
        header.put(magic)
        header.put(version)
        header.put(KeyTable.suite)
        header.put(UInt32(headerBytes))
        header.put(journal)
        header.put(segment)
        header.put(madeMilliseconds)
        header.put(salt)
        header.pad(to: codeOffset)
        header.put(Cipher.authenticate(header.bytes, key: codeKey(key)))
        return header.bytes
    }

    /// The key of the frames. Salt and header go into it, so a second attempt under one key repeats no nonce.
    static func frameKey(_ key: Cipher.Key, header: [UInt8]) -> Cipher.Key {
        let salt = Array(header[saltOffset..<(saltOffset + saltBytes)])
        return Cipher.derive(key, salt: salt, info: Array("budkavle/journal/2/snapshot".utf8) + header)
    }

    static func codeKey(_ key: Cipher.Key) -> Cipher.Key {
        Cipher.derive(key, salt: [], info: Array("budkavle/journal/2/snapshot header".utf8))
    }

    static func frameHead(length: Int, section: UInt8, isLast: Bool) -> [UInt8] {
        var head = ByteWriter()
        head.put(UInt32(length))
        head.put(section)
        head.put(UInt8(isLast ? 1 : 0))
        head.put(UInt16(0))
        return head.bytes
    }

    static func additional(journal: JournalID, segment: UInt64, frame: UInt32, head: [UInt8]) -> [UInt8] {
        var place = ByteWriter()
        place.put(journal)
        place.put(segment)
        place.put(frame)
        place.put(head)
        return place.bytes
    }
}

extension SnapshotPoint {
    /// The plaintext of frame 0.
    var encoded: [UInt8] {
        var body = ByteWriter()
        body.put(nextRecord)
        body.put(nextBatch)
        body.put(chain)
        body.put(foldedMilliseconds)
        body.put(UInt32(frontier.peaks.count))
        for peak in frontier.peaks { body.put(peak.bytes) }
        body.put(UInt32(state.count))
        body.put(state)
        return body.bytes
    }

    init?(decoding body: [UInt8], segment: UInt64) {
        var reader = ByteReader(body)
        guard let nextRecord = reader.number(UInt64.self), let nextBatch = reader.number(UInt64.self),
            let chain = reader.take(Chain.headBytes), let folded = reader.number(UInt64.self),
            let peakCount = reader.number(UInt32.self), Int(peakCount) <= SnapshotLimits.peaks
        else { return nil }
        var peaks: [MerkleHash] = []
        for _ in 0..<peakCount {
            guard let peak = reader.take(32).flatMap({ MerkleHash(bytes: $0) }) else { return nil }
            peaks.append(peak)
        }
        guard let stateBytes = reader.number(UInt32.self), Int(stateBytes) <= SnapshotLimits.stateBytes,
            let state = reader.take(Int(stateBytes)), reader.remaining == 0, segment > 0, nextRecord > 0,
            nextBatch > 0, let frontier = MerkleFrontier(size: nextRecord - 1, peaks: peaks)
        else { return nil }
        self.init(
            segment: segment, nextRecord: nextRecord, nextBatch: nextBatch, chain: chain, frontier: frontier,
            state: state, foldedMilliseconds: Int64(bitPattern: folded))
    }
}
