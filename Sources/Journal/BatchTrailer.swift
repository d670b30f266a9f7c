/// What stands in clear behind a batch's last frame: its signature and the right edge of the Merkle tree after it.
///
/// Layout: Journal.docc/FileFormat.md, "Trailer". The tag at its end is made with the batch's key, so that a start sees every
/// flipped bit of it without verifying the signature.
struct BatchTrailer: Equatable {
    static let version: UInt8 = 1
    /// Everything before the peaks.
    static let headBytes = 16 + SigningKey.signatureBytes
    /// With as many peaks as a tree may have.
    static let maxBytes = bytes(peaks: MerkleTree.maxPeaks)

    var serial: UInt32
    var wallMilliseconds: Int64
    var signature: [UInt8]
    var frontier: MerkleFrontier

    static func bytes(peaks: Int) -> Int { headBytes + peaks * MerkleHash.byteCount + Cipher.tagBytes }

    /// The trailer's bytes under the batch's key.
    func sealed(_ context: inout BatchContext, frameCount: UInt32) -> [UInt8] {
        var bytes = ByteWriter(bytes: [Self.version, 0])
        bytes.put(UInt16(frontier.peaks.count))
        bytes.put(serial)
        bytes.put(wallMilliseconds)
        bytes.put(signature)
        for peak in frontier.peaks { bytes.put(peak.bytes) }
        // An empty plaintext: the tag alone, over the batch's place and the bytes before it. No frame has this number.
        let additional = context.additional(frameCount) + bytes.bytes
        var tag = [UInt8](repeating: 0, count: Cipher.tagBytes)
        tag.withUnsafeMutableBytes {
            Cipher.seal(
                UnsafeRawBufferPointer(start: nil, count: 0), key: context.key, number: frameCount,
                additional: additional, to: $0)
        }
        return bytes.bytes + tag
    }

    /// Opens the trailer of a batch. Foreign bytes: whatever is wrong gives nil.
    init?(opening bytes: ArraySlice<UInt8>, of head: BatchHead, _ context: inout BatchContext) {
        guard bytes.count == Int(head.trailerBytes), bytes.count >= Self.headBytes + Cipher.tagBytes else { return nil }
        let clear = bytes.dropLast(Cipher.tagBytes)
        let additional = context.additional(head.frameCount) + clear
        let tag = bytes.suffix(Cipher.tagBytes)
        let opened = tag.withUnsafeBytes {
            Cipher.open($0, key: context.key, number: head.frameCount, additional: additional)
        }
        guard opened != nil else { return nil }
        var reader = ByteReader(clear)
        guard reader.number(UInt8.self) == Self.version, reader.number(UInt8.self) == 0,
            let count = reader.number(UInt16.self), let serial = reader.number(UInt32.self),
            let wall = reader.number(UInt64.self), let signature = reader.take(SigningKey.signatureBytes),
            let peaks = reader.hashes(Int(count)), reader.remaining == 0,
            let frontier = MerkleFrontier(size: head.lastRecord, peaks: peaks)
        else { return nil }
        self.serial = serial
        wallMilliseconds = Int64(bitPattern: wall)
        self.signature = signature
        self.frontier = frontier
    }

    init(_ head: SignedHead, frontier: MerkleFrontier) {
        serial = head.serial
        wallMilliseconds = head.wallMilliseconds
        signature = head.signature
        self.frontier = frontier
    }

    /// The signed head that the trailer stands for, given what the batch says of itself.
    func signedHead(journal: JournalID, batch: UInt64, chain: [UInt8]) -> SignedHead {
        SignedHead(
            SignedHead.Statement(
                journal: journal, batch: batch, size: frontier.size, wallMilliseconds: wallMilliseconds, chain: chain,
                root: frontier.root), serial: serial, signature: signature)
    }
}

/// What lies behind a batch's frames.
enum TrailerFound: Equatable {
    /// Nothing: the batch was written by format version 1.
    case none
    case sound(BatchTrailer)
    /// Not what was written. The frames opened, so that no record is lost.
    case damaged
}

extension BatchHead {
    /// The number of the batch's last record.
    var lastRecord: UInt64 { firstRecord &+ UInt64(recordCount) &- 1 }
}

extension OpenedBatch {
    /// The leaves of the batch's records, in order.
    var leaves: [MerkleHash] {
        items.compactMap { item in
            guard case .record(let range) = item else { return nil }
            return MerkleTree.leaf(shared[range])
        }
    }

    /// The signed head of the batch; nil in version 1 and when the trailer is damaged. Its signature is not verified here.
    func signedHead(journal: JournalID) -> SignedHead? {
        guard case .sound(let trailer) = trailer else { return nil }
        return trailer.signedHead(journal: journal, batch: head.batch, chain: chain)
    }
}
