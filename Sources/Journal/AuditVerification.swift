/// Something in the Merkle log that is not as it was signed. It names the first record that is concerned.
package enum AuditFinding: Sendable, Hashable {
    /// What the journal itself shows: damage, a cut, something that was moved.
    case journal(Finding)
    /// The head of this batch was not signed by a key of the journal.
    case signature(batch: UInt64, record: UInt64)
    /// The head of this batch speaks of other records than there are: one was changed, taken out, put in or moved.
    case tree(batch: UInt64, record: UInt64)
    /// Heads do not rise: one is there twice, or they were exchanged.
    case order(batch: UInt64, record: UInt64)
    /// `audit/` has another leaf for this record than the journal.
    case leaf(record: UInt64)
    /// `audit/` has another head for this batch than the journal.
    case archivedHead(batch: UInt64, record: UInt64)
    /// The copy of this record in `audit/` is not the record of the log.
    case copy(record: UInt64)
    /// An upper level of `audit/` is not what its leaves give.
    case node(level: Int, record: UInt64)
    /// Somebody holds a signed head that knows more records than there are.
    case beyond(size: UInt64, known: UInt64)
    /// Somebody holds a signed head of another log.
    case beside(size: UInt64)

    /// The first record that is concerned.
    package var record: UInt64 {
        switch self {
        case .journal(let finding): finding.records.lowerBound
        case .signature(_, let record), .tree(_, let record), .order(_, let record), .leaf(let record),
            .archivedHead(_, let record), .node(_, let record), .copy(let record):
            record
        case .beyond(_, let known): known + 1
        case .beside(let size): size
        }
    }
}

extension AuditFinding: CustomStringConvertible {
    /// One sentence: where and what.
    package var description: String {
        switch self {
        case .journal(let finding): finding.description
        case .signature(let batch, let record):
            "batch \(batch), record \(record): its head is not signed by a key of this journal"
        case .tree(let batch, let record):
            "batch \(batch), from record \(record) on: its signed head speaks of other records than there are"
        case .order(let batch, let record):
            "batch \(batch), record \(record): its head does not follow the one before it"
        case .leaf(let record): "record \(record): audit/ has another leaf for it than the journal"
        case .archivedHead(let batch, let record):
            "batch \(batch), record \(record): audit/ has another head for it than the journal"
        case .copy(let record): "record \(record): its copy in audit/ is not the record of the log"
        case .node(let level, let record): "record \(record): level \(level) of audit/ is not what its leaves give"
        case .beyond(let size, let known):
            "a signed head of \(size) records lies beyond the log, which has \(known):"
                + " records \(known + 1) to \(size) are missing"
        case .beside(let size): "a signed head of \(size) records lies beside the log: it speaks of another one"
        }
    }
}

/// What `budkavled audit verify` found.
package struct AuditReport: Sendable {
    /// Most findings that are listed.
    package static let findingLimit = 1_000

    /// The journal's name.
    package internal(set) var journal: JournalID
    /// Records in segments that are there.
    package internal(set) var records: UInt64 = 0
    /// Number of the last record.
    package internal(set) var lastRecord: UInt64 = 0
    /// Batches in segments that are there.
    package internal(set) var batches: UInt64 = 0
    /// Of these, how many were written by a version that did not sign.
    package internal(set) var unsigned: UInt64 = 0
    /// Leaves in `audit/`.
    package internal(set) var archived: UInt64 = 0
    /// Audit records that are copied to `audit/`.
    package internal(set) var copied: UInt64 = 0
    /// Signatures that were verified, those in `audit/` among them.
    package internal(set) var signatures: UInt64 = 0
    /// Heads held elsewhere that the log continues.
    package internal(set) var held = 0
    /// What is wrong, by the first record concerned.
    package internal(set) var findings: [AuditFinding] = []

    /// Whether nothing is wrong that a crash does not explain.
    package var isSound: Bool {
        findings.allSatisfy { finding in
            guard case .journal(let finding) = finding else { return false }
            return finding.consequence == .note
        }
    }

    mutating func add(_ finding: AuditFinding?) {
        guard let finding, findings.count < Self.findingLimit else { return }
        findings.append(finding)
    }
}

/// Follows a log record by record and head by head and says what does not fit. A value: a copy goes on from where it stands.
package struct AuditWalk: Sendable {
    private let journal: JournalID
    private let keys: [UInt32: HeadKey]
    private var held: [UInt64: [SignedHead]]
    private var lastBatch: UInt64 = 0
    private var covered: UInt64
    /// A head spoke of other records: until a trailer tells the tree, nothing that hangs on the leaves can be said.
    private var isAdrift = false
    /// The tree so far.
    package private(set) var frontier: MerkleFrontier
    /// Signatures that were verified.
    package private(set) var signatures: UInt64 = 0
    /// Heads held elsewhere that fitted.
    package private(set) var fitting = 0

    /// - Parameters:
    ///   - keys: public halves that the verifier trusts.
    ///   - held: heads that somebody else kept, a sender's receipts for instance; their signatures were verified.
    ///   - frontier: the tree before the first record.
    package init(
        journal: JournalID, keys: [HeadKey], held: [SignedHead] = [], frontier: MerkleFrontier = MerkleFrontier()
    ) {
        self.journal = journal
        self.keys = Dictionary(keys.map { ($0.serial, $0) }, uniquingKeysWith: { first, _ in first })
        self.held = Dictionary(grouping: held, by: \.size)
        self.frontier = frontier
        covered = frontier.size
    }

    /// One more record.
    package mutating func append(_ leaf: MerkleHash) -> AuditFinding? {
        frontier.append(leaf)
        guard let known = held.removeValue(forKey: frontier.size) else { return nil }
        let root = frontier.root
        // Over lost records nothing can be said.
        if isAdrift || root == .unknown { return nil }
        guard known.allSatisfy({ $0.root == root }) else { return .beside(size: frontier.size) }
        fitting += known.count
        return nil
    }

    /// The head of a batch whose records were all appended.
    package mutating func follow(_ head: SignedHead) -> AuditFinding? {
        let first = covered + 1
        defer { (covered, lastBatch) = (max(covered, head.size), max(lastBatch, head.batch)) }
        guard head.journal == journal, head.batch > lastBatch, head.size > covered else {
            return .order(batch: head.batch, record: first)
        }
        signatures += 1
        guard let key = keys[head.serial], head.isSigned(by: key) else {
            return .signature(batch: head.batch, record: first)
        }
        if isAdrift { return nil }
        let root = frontier.root
        isAdrift = head.size != frontier.size || root != .unknown && head.root != root
        return isAdrift ? .tree(batch: head.batch, record: first) : nil
    }

    /// Records up to this one are lost.
    mutating func lose(through record: UInt64) {
        while frontier.size < record { _ = append(.unknown) }
    }

    /// The tree as an authentic trailer tells it behind lost records.
    mutating func place(_ told: MerkleFrontier) {
        guard isAdrift || told.size == frontier.size && frontier.peaks.contains(.unknown) else { return }
        frontier = told
        isAdrift = false
    }

    /// What is held beyond the last record.
    package func end() -> AuditFinding? {
        held.keys.max().flatMap { $0 > frontier.size ? .beyond(size: $0, known: frontier.size) : nil }
    }
}
