/// What `Inspection.verify` found.
package struct VerifyReport: Sendable {
    /// The journal's name.
    package let journal: JournalID
    /// Everything that is not as it was left, in the order of the journal; then what refuses a start from a
    /// snapshot besides; then texts.
    package internal(set) var findings: [Finding] = []
    /// Segments that were read.
    package internal(set) var segments = 0
    /// Batches that are whole.
    package internal(set) var batches = 0
    /// Records in them.
    package internal(set) var records: UInt64 = 0
    /// Texts in them.
    package internal(set) var texts = 0
    /// Texts whose key was destroyed: as it should be.
    package internal(set) var erasedTexts = 0
    /// Texts that cannot be read because their slab cannot.
    package internal(set) var textsWithoutSlab = 0
    /// Slabs whose keys are there.
    package internal(set) var slabs = 0
    /// The first record that retention has left.
    package internal(set) var firstRecord: UInt64 = 1
    /// The last one; 0 when there is none.
    package internal(set) var lastRecord: UInt64 = 0
    /// The last batch.
    package internal(set) var lastBatch: UInt64 = 0
    /// The chain head after it, 32 bytes.
    package internal(set) var head: [UInt8] = []
    /// Whether an override lies in the directory, for the next start.
    package internal(set) var hasOverride = false
    var accepted: Set<Finding> = []

    init(journal: JournalID) { self.journal = journal }

    /// Whether nothing is wrong but what a crash explains.
    package var isSound: Bool { findings.allSatisfy { $0.consequence == .note } }
    /// What refuses the next start.
    package var refusals: [Finding] {
        findings.filter { $0.consequence == .refusal && !accepted.contains(where: $0.isCovered) }
    }
    /// Whether the next start needs an override that is not there yet.
    package var startNeedsOverride: Bool { !refusals.isEmpty }
    /// Records that are lost, in order.
    package var lostRecords: [Range<UInt64>] { findings.map(\.records).filter { !$0.isEmpty } }
}
