/// An end of the last segment that a crash left half written. Nobody was ever answered for it.
package struct TornTail: Sendable, Equatable {
    /// The segment.
    package let segment: UInt64
    /// Where the cut was made.
    package let offset: UInt64
    /// How many bytes were copied aside; zeros behind them are not counted.
    package let bytes: Int
    /// The copy, in `quarantine/`.
    package let quarantineFile: String
}

/// What a start found and did.
package struct OpenReport: Sendable {
    /// The journal's name.
    package internal(set) var journal: JournalID
    /// Which start of the journal this is, from 1.
    package internal(set) var start: UInt64 = 0
    /// Whether there was nothing yet.
    package internal(set) var wasCreated = false
    /// Records replayed.
    package internal(set) var recordCount: UInt64 = 0
    /// The number of the last record, 0 when there is none.
    package internal(set) var lastRecord: UInt64 = 0
    /// Segments that were read.
    package internal(set) var segments = 0
    /// The cut tail, if there was one.
    package internal(set) var tornTail: TornTail?
    /// Everything that was not as it should be, notes among them.
    package internal(set) var findings: [Finding] = []
    /// The snapshot from which the start went on; nil when it replayed from the first record.
    package internal(set) var restoredFrom: SnapshotPoint?
    /// The override that this start needed. Whoever opened the journal records it and calls `JournalCore.retireOverride`.
    package internal(set) var acceptedOverride: Override?
    /// What is worse than a crash explains.
    package var damage: [Finding] { findings.filter { $0.consequence > .note } }
    /// With `.allocates` even a granted write can meet a full disk, and the process then ends with 74.
    package internal(set) var overwriting = Overwriting.inPlace
}
