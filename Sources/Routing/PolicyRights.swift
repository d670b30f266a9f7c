package import CaseNotifications

/// What parties can get at most by a policy's rules: whatever an event says, whatever is agreed, at any hour.
struct PolicyRights {
    /// A recipient and a type.
    struct Key: Hashable {
        let party: PartyID
        let type: EventType
    }

    /// From whom a field can come; attributes of the envelope are `@name`, what the strict view has ends in ` (strict)`, and the empty
    /// name is the notification as such.
    typealias Fields = [String: Set<PartyID>]

    /// By any rule.
    private(set) var senders: [Key: Fields] = [:]
    /// By each rule alone: what one rule gives under its conditions says nothing of another's.
    private(set) var byRule: [RuleID: [Key: Fields]] = [:]
    /// The recipients of each rule that delivers.
    private(set) var recipients: [RuleID: Set<PartyID>] = [:]

    init(_ policy: Policy) {
        let types = policy.catalogue.types.keys
        for type in types {
            let ways = policy.ways(of: type)
            let nevers = ways.filter { $0.rule.kind == .never && $0.rule.isUnconditional }
            for way in ways where way.rule.kind != .never {
                guard let view = way.rule.views[type] else { continue }
                recipients[way.rule.id, default: []].formUnion(way.recipients)
                for recipient in way.recipients {
                    for sender in way.senders where sender != recipient {
                        let taken = nevers.filter { $0.senders.contains(sender) && $0.recipients.contains(recipient) }
                        add(view, way.rule, from: sender, to: Key(party: recipient, type: type), taken: taken)
                    }
                }
            }
        }
    }

    private mutating func add(_ view: RuleView, _ rule: Rule, from sender: PartyID, to key: Key, taken: [RuleWay]) {
        // A never rule without fields stops what may be sent, and leaves of a duty only that it happened.
        let isStopped = taken.contains { $0.rule.redactedFields.isEmpty }
        if isStopped, rule.kind == .may { return }
        let redacted = Set(taken.flatMap(\.rule.redactedFields))
        func kept(_ fields: [String]) -> [String] { isStopped ? [] : fields.filter { !redacted.contains($0) } }
        var names = view.attributes.map { "@" + $0 } + view.strictAttributes.map { "@\($0) (strict)" }
        names += kept(view.fields) + kept(view.strictFields).map { $0 + " (strict)" }
        for name in names + [""] {
            senders[key, default: [:]][name, default: []].insert(sender)
            byRule[rule.id, default: [:]][key, default: [:]][name, default: []].insert(sender)
        }
    }
}

extension Rule {
    /// Whether it holds whatever the envelope says and whenever.
    var isUnconditional: Bool { when.isEmpty && validity == .unlimited }
}

extension Condition {
    /// Whether it asks for nothing.
    var isEmpty: Bool {
        all.isEmpty && any.isEmpty && none.isEmpty && levels.isEmpty && programmes.isEmpty && attributes.isEmpty
            && affirmed.isEmpty && notAffirmed.isEmpty && isProtected == nil
    }
}

/// What a party gains or loses of one type.
package struct RightChange: Sendable, Hashable {
    /// The party.
    package let party: PartyID
    /// The type.
    package let type: EventType
    /// Fields and attributes (`@name`), sorted; those of the strict view end in ` (strict)`.
    package let fields: [String]
    /// Senders from whom it gets the type, or does no longer; sorted.
    package let senders: [PartyID]
    /// Whether it got, or gets, nothing of the type at all.
    package let isWhole: Bool
}

extension PolicyRights {
    /// What parties have here that they do not have in `other`, by party and type.
    func beyond(_ other: PolicyRights) -> [RightChange] { Self.beyond(senders, other.senders) }

    /// What parties have here by one rule that the same rule does not give them in `other`.
    func beyond(_ other: PolicyRights, by rule: RuleID) -> [RightChange] {
        Self.beyond(byRule[rule] ?? [:], other.byRule[rule] ?? [:])
    }

    private static func beyond(_ now: [Key: Fields], _ then: [Key: Fields]) -> [RightChange] {
        var changes: [RightChange] = []
        for (key, fields) in now {
            guard let before = then[key] else {
                changes.append(
                    RightChange(
                        party: key.party, type: key.type, fields: fields.keys.filter { !$0.isEmpty }.sorted(),
                        senders: (fields[""] ?? []).sorted(), isWhole: true))
                continue
            }
            var gained: [String] = []
            var from: Set<PartyID> = []
            for (field, parties) in fields {
                let new = parties.subtracting(before[field] ?? [])
                guard !new.isEmpty else { continue }
                if !field.isEmpty { gained.append(field) }
                from.formUnion(new)
            }
            guard !from.isEmpty else { continue }
            changes.append(
                RightChange(
                    party: key.party, type: key.type, fields: gained.sorted(), senders: from.sorted(), isWhole: false))
        }
        return changes.sorted { ($0.party, $0.type.text) < ($1.party, $1.type.text) }
    }
}
