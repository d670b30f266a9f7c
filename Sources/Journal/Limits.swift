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
    /// Findings that one override may name, and one segment header.
    package static let maxAcceptedFindings = 16
    /// Plaintext bytes of an override's reason.
    package static let maxReasonBytes = 1_000
    /// Plaintext bytes of the name of whoever made an override.
    package static let maxNameBytes = 200
    /// Bytes of a hold's note.
    package static let maxHoldBytes = 4_096
    /// The watermark is written at most this often while batches are committed.
    package static let markInterval = Duration.seconds(1)
    /// Texts that wait for the reader. More than these trap: the caller bounds what is in flight.
    package static let maxWaitingReads = 65_536
    /// Leaves whose nodes are kept in memory, 64 bytes each; older ones that are not in `audit/` yet have no proofs until then.
    package static let maxRecentLeaves = 1 << 20
    /// Newest leaves that stay in memory when they are in `audit/` already.
    package static let keptRecentLeaves = 1 << 16
    /// Signed heads in memory, 192 bytes each.
    package static let maxRecentHeads = 1 << 17
    /// Questions for proofs that wait for the archive's thread; further ones are answered with none.
    package static let maxWaitingProofs = 4_096
    /// Leaves that are written to `audit/` in one piece.
    package static let archivePieceLeaves = 1 << 14
    /// Pieces of maintenance that wait for the writer's thread.
    package static let maxWaitingMaintenance = 64
    /// Slabs that one step of an erasure writes anew: commits wait for it.
    package static let maxSlabsPerErasure = 16
    /// Slots that one step of an erasure destroys, and one line of the deletion list names.
    package static let maxSlotsPerErasure = 4_096
    /// One line of the deletion list.
    package static let maxDeletionLineBytes = 32 << 10
    /// A deletion list that is read.
    package static let maxDeletionListBytes = 256 << 20
}

/// What the journal keeps ready and how it treats damage.
package struct JournalOptions: Sendable {
    /// Size of a segment file; a new one is begun when it is full. Within `JournalLimits.segmentBytes`.
    package var segmentBytes = 64 << 20
    /// Space that is kept written and synced ahead of what was granted, besides the progress reserve.
    package var aheadBytes = 16 << 20
    /// More of it, which only `ReservationClass.progress` may use.
    package var progressReserveBytes = 4 << 20
    /// Size of the file whose space is given back on a full disk, see `ReserveFile`; 0 keeps none. On a small file system it
    /// is smaller.
    package var reserveFileBytes = 0
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
