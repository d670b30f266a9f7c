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

/// Bytes that were committed once and cannot be read now.
package struct Damage: Sendable, Equatable {
    /// The segment.
    package let segment: UInt64
    /// The first bad byte.
    package let offset: UInt64
    /// How many bytes were copied aside.
    package let bytes: Int
    /// The records that are lost; empty when only space behind the last record is damaged.
    package let records: Range<UInt64>
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
    /// What was set aside.
    package internal(set) var damage: [Damage] = []
}
