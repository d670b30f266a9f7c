/// Sizes of a batch. Layout: Journal.docc/FileFormat.md, "Batch".
enum BatchFormat {
    static let magic: [UInt8] = Array("BKB1".utf8)
    static let headBytes = 128
    static let saltOffset = 40
    static let saltBytes = 32
    /// Plaintext of frame 0.
    static let directoryBytes = 64
    static let directoryFrameBytes = directoryBytes + Cipher.tagBytes
    /// Most plaintext of a frame.
    static let frameBytes = 16 << 10
    /// A batch is a whole number of these.
    static let blockBytes = 512
    /// Longest trailer: a signature over the chain head and the Merkle root, and the tree's right edge; not sealed.
    static let maxTrailerBytes = BatchTrailer.maxBytes

    static func frames(for bytes: Int) -> Int { (bytes + frameBytes - 1) / frameBytes }
}

/// What stands before each thing in a batch's shared frames.
enum ItemFormat {
    static let headBytes = 8
    static let textPayloadBytes = 24
    static let textItemBytes = headBytes + textPayloadBytes

    enum Kind: UInt8 {
        /// The rest of the shared bytes is zero.
        case padding = 0
        case record = 1
        case text = 2
    }

    /// Kinds that a reader which does not know them may pass over. None is written yet.
    static let ignorable: ClosedRange<UInt8> = 64...127
}

/// The sealed head of a text, in a frame of its own.
struct TextFormat {
    static let headBytes = 96
    static let headFrameBytes = headBytes + Cipher.tagBytes
    static let saltBytes = 32

    var id: TextID
    var salt: [UInt8]
    var slots: [SlotID]
    var byteCount: UInt32

    var encoded: [UInt8] {
        var head = ByteWriter()
        head.put(id.high.bigEndian)
        head.put(id.low.bigEndian)
        head.put(salt)
        head.put(byteCount)
        head.put(UInt32(slots.count))
        for slot in slots { head.put(slot.rawValue) }
        head.pad(to: Self.headBytes)
        return head.bytes
    }

    init(id: TextID, salt: [UInt8], slots: [SlotID], byteCount: UInt32) {
        self.id = id
        self.salt = salt
        self.slots = slots
        self.byteCount = byteCount
    }

    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard bytes.count == Self.headBytes, let id = reader.text(), let salt = reader.take(Self.saltBytes),
            let byteCount = reader.number(UInt32.self), let count = reader.number(UInt32.self),
            (1...JournalLimits.maxSlotsPerText).contains(Int(count))
        else { return nil }
        slots = []
        for _ in 0..<count {
            guard let slot = reader.number(UInt64.self) else { return nil }
            slots.append(SlotID(rawValue: slot))
        }
        self.id = id
        self.salt = salt
        self.byteCount = byteCount
    }

    /// Bytes on disk of a text: its head frame and its own frames.
    static func diskBytes(_ byteCount: Int) -> Int {
        headFrameBytes + byteCount + BatchFormat.frames(for: byteCount) * Cipher.tagBytes
    }
}

/// The part of a batch that is not sealed. Every byte of it goes into the derivation of the batch's key.
struct BatchHead: Equatable {
    var totalBytes: UInt32
    var frameCount: UInt32
    var batch: UInt64
    var firstRecord: UInt64
    var recordCount: UInt32
    var trailerBytes: UInt16 = 0
    var salt: [UInt8]

    var encoded: [UInt8] {
        var head = ByteWriter()
        head.put(BatchFormat.magic)
        head.put(UInt16(BatchFormat.headBytes))
        head.put(trailerBytes)
        head.put(totalBytes)
        head.put(frameCount)
        head.put(batch)
        head.put(firstRecord)
        head.put(recordCount)
        head.put(UInt32(0))
        head.put(salt)
        head.pad(to: BatchFormat.headBytes)
        return head.bytes
    }

    /// Reads a head whose numbers can be true. Whether they are is seen when the batch's frames open.
    init?(decoding bytes: ArraySlice<UInt8>) {
        guard bytes.count == BatchFormat.headBytes, bytes.starts(with: BatchFormat.magic) else { return nil }
        var reader = ByteReader(bytes.dropFirst(4))
        guard reader.number(UInt16.self) == UInt16(BatchFormat.headBytes),
            let trailerBytes = reader.number(UInt16.self), let totalBytes = reader.number(UInt32.self),
            let frameCount = reader.number(UInt32.self), let batch = reader.number(UInt64.self),
            let firstRecord = reader.number(UInt64.self), let recordCount = reader.number(UInt32.self),
            reader.number(UInt32.self) == 0, let salt = reader.take(BatchFormat.saltBytes)
        else { return nil }
        let smallest = BatchFormat.headBytes + BatchFormat.directoryFrameBytes + Int(trailerBytes)
        guard trailerBytes <= BatchFormat.maxTrailerBytes, Int(totalBytes) >= smallest,
            Int(totalBytes) <= JournalLimits.maxBatchBytes, Int(totalBytes) % BatchFormat.blockBytes == 0,
            frameCount >= 1, Int(frameCount) <= Int(totalBytes) / Cipher.tagBytes,
            firstRecord <= UInt64.max - UInt64(recordCount)
        else { return nil }
        self.totalBytes = totalBytes
        self.frameCount = frameCount
        self.batch = batch
        self.firstRecord = firstRecord
        self.recordCount = recordCount
        self.trailerBytes = trailerBytes
        self.salt = salt
    }

    init(
        totalBytes: Int, frameCount: Int, batch: UInt64, firstRecord: UInt64, recordCount: Int, trailerBytes: Int,
        salt: [UInt8]
    ) {
        self.totalBytes = UInt32(totalBytes)
        self.frameCount = UInt32(frameCount)
        self.batch = batch
        self.firstRecord = firstRecord
        self.recordCount = UInt32(recordCount)
        self.trailerBytes = UInt16(trailerBytes)
        self.salt = salt
    }
}

/// What is the same for all frames of one batch: its key and its place.
struct BatchContext {
    let key: Cipher.Key
    /// Journal, segment, batch, frame number, frame count: 40 bytes, the frame number at 32.
    private var additional: [UInt8]

    init(head: [UInt8], batch: UInt64, frameCount: UInt32, segment: UInt64, segmentKey: Cipher.Key, journal: JournalID)
    {
        var info = ByteWriter(bytes: Array("budkavle/journal/1/batch".utf8))
        info.put(journal)
        info.put(segment)
        info.put(head)
        let salt = Array(head[BatchFormat.saltOffset..<(BatchFormat.saltOffset + BatchFormat.saltBytes)])
        key = Cipher.derive(segmentKey, salt: salt, info: info.bytes)
        var place = ByteWriter()
        place.put(journal)
        place.put(segment)
        place.put(batch)
        place.put(UInt32(0))
        place.put(frameCount)
        additional = place.bytes
    }

    /// The additional data of a frame.
    mutating func additional(_ frame: UInt32) -> [UInt8] {
        additional.withUnsafeMutableBytes {
            $0.storeBytes(of: frame.littleEndian, toByteOffset: 32, as: UInt32.self)
        }
        return additional
    }
}

/// The chain over all batches: one SHA-256 per batch.
enum Chain {
    static let headBytes = 32

    /// The head before the first batch.
    static func origin(_ journal: JournalID) -> [UInt8] {
        var start = ByteWriter(bytes: Array("budkavle/journal/1/chain".utf8))
        start.put(journal)
        return Cipher.digest(start.bytes)
    }
}
