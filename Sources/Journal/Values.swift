/// The name of a text: 16 bytes that the caller chose, unique within the journal.
package struct TextID: Hashable, Sendable {
    /// The first eight bytes, big-endian.
    package var high: UInt64
    /// The last eight bytes, big-endian.
    package var low: UInt64

    /// Takes the two halves as they are.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// A key slot: 32 random bytes in a slab. Layout: Journal.docc/FileFormat.md, "Slab".
package struct SlotID: Hashable, Comparable, Sendable {
    /// Slab number << 16 | index in the slab. Slab numbers start at 1, so 0 names no slot.
    package let rawValue: UInt64

    /// Takes a number that an event named; whether such a slot exists is seen when it is used.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(slab: UInt64, index: Int) {
        rawValue = slab << 16 | UInt64(index)
    }

    package var slab: UInt64 { rawValue >> 16 }
    var index: Int { Int(rawValue & 0xFFFF) }

    /// Orders by slab, then by place in it.
    package static func < (left: SlotID, right: SlotID) -> Bool { left.rawValue < right.rawValue }
}

/// Free text that is sealed under a key of its own, so that it can be erased by destroying a slot.
package struct SealedText: Sendable {
    /// Its name; sealed beside it and checked when it is read.
    package let id: TextID
    /// One or two slots: the case's and the notification's. Destroying either makes the text unreadable for good.
    package let slots: [SlotID]
    /// 1 byte to 1 MiB.
    package let bytes: [UInt8]

    /// Takes the parts as they are; `AppendRequest` checks them.
    package init(id: TextID, slots: [SlotID], bytes: [UInt8]) {
        self.id = id
        self.slots = slots
        self.bytes = bytes
    }
}

/// Where a text lies: enough to open it alone, given its segment's key and its slots. 32 bytes.
package struct TextLocation: Hashable, Sendable {
    /// The segment's number.
    package let segment: UInt64
    /// Offset of the batch head in the segment.
    package let batchOffset: UInt64
    /// Bytes from the batch head to the text's head frame.
    package let textOffset: UInt32
    /// The head frame's number in the batch; the text's own frames follow.
    package let frame: UInt32
    /// Plaintext bytes of the text.
    package let byteCount: UInt32
}

/// 16 random bytes that name one journal for ever; in every header and in all additional data.
package struct JournalID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}

/// Whom a piece of granted space is for.
package enum ReservationClass: Sendable {
    /// New notifications: the first to be refused.
    case notification
    /// What must go on when the disk is full: deliveries, acknowledgements, escalations.
    case progress
}

/// Bytes of space that are written and synced, and promised to one request. Append it or release it, once.
package struct SpaceGrant: Sendable {
    /// How much was granted.
    package let bytes: Int
}

/// When a request has to be on disk.
package enum CommitUrgency: Sendable, Equatable {
    /// With the next batch.
    case now
    /// With the next batch, but it starts one only when this much time has gone by (a consumer's ACK: 5 ms).
    case within(Duration)
}

/// Everything that one decision writes. It lands in one batch or not at all: texts first, then records, in this order.
package struct AppendRequest: Sendable {
    /// 1 to 1,024 records, each 1 byte to 1 MiB.
    package let records: [[UInt8]]
    /// At most 16 texts.
    package let texts: [SealedText]
    /// The most bytes that the request can take on disk, padding and a batch of its own included.
    package let footprint: Int

    /// Checks every limit of `JournalLimits`.
    ///
    /// - Throws: `.limit`, naming the limit that was passed.
    package init(records: [[UInt8]], texts: [SealedText] = []) throws(JournalError) {
        try Self.check("records per request", records.count, 1...JournalLimits.maxRecordsPerRequest)
        try Self.check("texts per request", texts.count, 0...JournalLimits.maxTextsPerRequest)
        var recordBytes = 0
        for record in records {
            try Self.check("record bytes", record.count, 1...JournalLimits.maxRecordBytes)
            recordBytes += record.count
        }
        var textBytes = 0
        for text in texts {
            try Self.check("text bytes", text.bytes.count, 1...JournalLimits.maxTextBytes)
            try Self.check("slots per text", text.slots.count, 1...JournalLimits.maxSlotsPerText)
            textBytes += text.bytes.count
        }
        try Self.check("request bytes", recordBytes + textBytes, 1...JournalLimits.maxRequestBytes)
        self.records = records
        self.texts = texts
        footprint = Self.footprint(
            recordBytes: recordBytes, recordCount: records.count, textCount: texts.count, textTotal: textBytes)
    }

    /// The footprint of a request with these sizes, to reserve before it is known what will be written.
    ///
    /// Larger sizes never give a smaller footprint, so an upper bound of each size gives an upper bound.
    package static func footprint(recordBytes: Int, recordCount: Int, textBytes: [Int]) -> Int {
        footprint(
            recordBytes: recordBytes, recordCount: recordCount, textCount: textBytes.count,
            textTotal: textBytes.reduce(0, +))
    }

    private static func footprint(recordBytes: Int, recordCount: Int, textCount: Int, textTotal: Int) -> Int {
        let shared = recordBytes + recordCount * ItemFormat.headBytes + textCount * ItemFormat.textItemBytes
        let tag = Cipher.tagBytes
        let texts = textTotal + textCount * (TextFormat.headBytes + 2 * tag) + textTotal / BatchFormat.frameBytes * tag
        let sharedFrames = shared / BatchFormat.frameBytes + 2
        return BatchFormat.headBytes + BatchFormat.directoryFrameBytes + shared + sharedFrames * tag + texts
            + BatchFormat.maxTrailerBytes + BatchFormat.blockBytes
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(JournalError) {
        guard range.contains(value) else {
            throw .limit(
                name: name, value: value, limit: value < range.lowerBound ? range.lowerBound : range.upperBound)
        }
    }
}

/// A request on its way to disk.
package struct Pending: Sendable {
    /// What is to be written.
    package let request: AppendRequest
    /// The caller's number for it; tickets rise.
    package let ticket: UInt64
    /// The space that was granted for it.
    package let grant: SpaceGrant

    /// - Precondition: the grant covers the request's footprint.
    package init(request: AppendRequest, ticket: UInt64, grant: SpaceGrant) {
        precondition(request.footprint <= grant.bytes, "a request needs more space than was granted for it")
        self.request = request
        self.ticket = ticket
        self.grant = grant
    }
}

/// A text that is on disk.
package struct CommittedText: Sendable, Equatable {
    /// The text's name.
    package let id: TextID
    /// Where it lies.
    package let location: TextLocation

    /// Takes the parts as they are.
    package init(id: TextID, location: TextLocation) {
        self.id = id
        self.location = location
    }
}

/// What one commit put on disk. When it is handed out, the batch has been synced.
package struct CommitReport: Sendable {
    /// How many requests the batch holds.
    package let requestCount: Int
    /// The ticket of the last of them.
    package let lastTicket: UInt64
    /// The number of the first record; the others follow without gaps.
    package let firstRecord: UInt64
    /// How many records there are.
    package let recordCount: Int
    /// The texts, in order.
    package let texts: [CommittedText]
    /// The batch's number in the journal.
    package let batch: UInt64
    /// The segment that it lies in; when it rises, the one before is closed.
    package let segment: UInt64
    /// The chain head after this batch, 32 bytes.
    package let head: [UInt8]
    /// The Merkle log after this batch, signed.
    package let signedHead: SignedHead
}

/// One thing found in the journal, in order of writing.
package enum ReplayItem {
    /// A text; those of a request come before its records.
    case text(TextID, TextLocation)
    /// A record with its number.
    case record(number: UInt64, bytes: [UInt8])
    /// Records that cannot be read, and the segment they lie in. Only with `DamagePolicy.setAside`.
    case lost(records: Range<UInt64>, segment: UInt64)
}
