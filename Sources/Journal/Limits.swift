/// Every limit of the journal, in one place. FileFormat.md, "Limits" repeats those that a file depends on.
package enum JournalLimits {
    /// Plaintext of one record.
    package static let maxRecordBytes = 1 << 20
    /// Plaintext of one text.
    package static let maxTextBytes = 1 << 20
    /// Records of one request.
    package static let maxRecordsPerRequest = 1_024
    /// Texts of one request.
    package static let maxTextsPerRequest = 16
    /// Slots that one text's key is made of.
    package static let maxSlotsPerText = 2
    /// Plaintext of all records and texts of one request.
    package static let maxRequestBytes = 4 << 20
    /// A batch is closed when the next request could make it longer than this.
    package static let maxBatchBytes = 8 << 20
    /// Slots in one slab.
    package static let slotsPerSlab = 2_048
    /// Smallest and largest size of a segment file.
    package static let segmentBytes = (64 << 10)...(1 << 30)
    /// Bytes that one preparation step writes and syncs.
    package static let preparationStepBytes = 1 << 20
    /// Keys in the key file.
    package static let maxKeys = 1 << 20
    /// Slabs that a reader keeps open in memory, 64 KiB each.
    package static let cachedSlabs = 128
    /// Segment files that a reader keeps open.
    package static let cachedSegmentFiles = 64
    /// Texts that wait for the reader. More than these trap: the caller bounds what is in flight.
    package static let maxWaitingReads = 65_536
}

/// What the journal keeps ready and how it treats damage.
package struct JournalOptions: Sendable {
    /// Size of a segment file; a new one is begun when it is full. Within `JournalLimits.segmentBytes`.
    package var segmentBytes = 64 << 20
    /// Space that is kept written and synced ahead of what was granted, besides the progress reserve.
    package var aheadBytes = 16 << 20
    /// More of it, which only `ReservationClass.progress` may use.
    package var progressReserveBytes = 4 << 20
    /// Slabs that are kept ready, 2,048 slots each.
    package var slabsAhead = 2
    /// What happens at damage that is not a torn tail.
    package var damage = DamagePolicy.refuse

    /// The values above.
    package init() {}
}

/// What a start does when it finds damage that a crash does not explain.
package enum DamagePolicy: Sendable {
    /// No start: `JournalError.damaged` names the first place.
    case refuse
    /// The damaged bytes are copied to `quarantine/`, the gap is replayed as `.lost`, and the rest is served.
    case setAside
}
