import CaseNotifications
import Journal
import Relay

/// What a journal tells about acceptances and policies, read beside a running daemon. No content is opened here.
struct JournalReplay {
    /// An acceptance, and where its content was sealed.
    struct Acceptance {
        let facts: AcceptedFacts
        /// Nil where its segment has gone and only its record was copied.
        let content: TextLocation?
    }

    /// The most acceptances that are kept in memory.
    static let mostAcceptances = 1_000_000

    /// The newest acceptances, in their order.
    private(set) var accepted: [Acceptance] = []
    /// Acceptances whose names cannot be resolved, because what brought them is lost.
    private(set) var unresolved = 0
    /// Acceptances that were left out because there are too many newer ones.
    private(set) var leftOut = 0
    /// The latest of those; nil when there is none.
    private(set) var leftOutThrough: Timestamp?
    /// The canonical text of the policy that was made active last; nil if no record of it is left.
    private(set) var policyText: [UInt8]?
    /// The digest of that policy.
    private(set) var policy: Digest?

    /// Where it was read.
    let site: StoreSite

    private let most: Int
    private var relay: Relay
    /// Texts whose acceptance comes next.
    private var contents: [NotificationID: TextLocation] = [:]
    private var parts: [UInt16: [UInt8]] = [:]
    private var partsOf: Digest?

    /// Reads the journal of a site from its first record to the last that is on disk.
    ///
    /// - Parameter earliest: acceptances before that are passed over.
    /// - Parameter most: the most acceptances that are kept; when there are more, the older half goes.
    init(
        _ site: StoreSite, from earliest: Timestamp = .distantPast, most: Int = mostAcceptances
    ) throws(ToolError) {
        self.site = site
        self.most = max(1, most)
        let collaboration = CollaborationID(unchecked: site.collaboration)
        relay = Relay(collaboration: collaboration)
        do throws(JournalError) {
            let access = try Inspection.access(directory: site.directory, keys: try site.keys())
            var folded: FoldState?
            _ = try access.restore { reader in
                folded = FoldState(from: &reader, collaboration: collaboration)
                return folded != nil
            }
            // A snapshot knows all names so far; records behind it bring the rest.
            let known = folded?.relay.sequence ?? 0
            if let folded { relay = folded.relay }
            let reader = RecordReader(access)
            // Policies that were activated in segments that went.
            try reader.scanCopies { copied in
                if let event = try? EventCodec.decode(copied.bytes) { take(event, from: earliest) }
                return true
            }
            guard let first = try reader.firstRecord() else { return }
            func note(_ text: TextID, at place: TextLocation) {
                if let id = text.notification { contents[id] = place }
            }
            try reader.scan(from: first, through: .max, text: note(_:at:)) { number, bytes in
                guard let event = try? EventCodec.decode(bytes) else { return true }
                if number > known { relay.learnName(from: event) }
                take(event, from: earliest)
                return true
            }
        } catch {
            throw ToolError(error.description, error.exitStatus)
        }
    }

    private mutating func take(_ event: Event, from earliest: Timestamp) {
        switch event.body {
        case .policy(let part): take(part)
        case .accepted(let accepted):
            let content = contents.removeValue(forKey: accepted.notification)
            guard event.at >= earliest else { return }
            guard let facts = relay.facts(of: accepted, at: event.at) else {
                unresolved += 1
                return
            }
            if self.accepted.count == most { leaveOutOlderHalf() }
            self.accepted.append(Acceptance(facts: facts, content: content))
        default: break
        }
    }

    private mutating func leaveOutOlderHalf() {
        let older = accepted.prefix(max(1, most / 2))
        leftOut += older.count
        leftOutThrough = older.map(\.facts.at).max().map { max($0, leftOutThrough ?? $0) }
        accepted.removeFirst(older.count)
    }

    private mutating func take(_ part: PolicyPart) {
        guard let digest = relay.policy(of: part) else { return }
        if partsOf != digest || part.part == 0 { (partsOf, parts) = (digest, [:]) }
        parts[part.part] = part.text
        guard part.part + 1 == part.parts else { return }
        policy = digest
        let whole = (0..<part.parts).compactMap { parts[$0] }
        let text = whole.flatMap { $0 }
        policyText = whole.count == part.parts && Digest(sha256Of: text) == digest ? text : nil
    }
}
