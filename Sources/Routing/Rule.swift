package import CaseNotifications
package import Settings

/// What a rule does.
package enum RuleKind: String, CaseIterable, Hashable, Sendable {
    case duty, may, never

    /// The effect of a delivery by it; nil for `never`.
    package var effect: Effect? {
        switch self {
        case .duty: .duty
        case .may: .may
        case .never: nil
        }
    }
}

/// A routing rule, as `rules.yaml` describes it.
///
/// A class, so that a decision passes it on without copying its fields.
package final class Rule: Sendable {
    /// Its id, which recipients see.
    package let id: RuleID
    /// Its name.
    package let labels: Labels?
    /// What it does.
    package let kind: RuleKind
    /// The types that it is for.
    package let types: Set<EventType>
    /// Who sends.
    package let from: Selector
    /// Who receives.
    package let to: Selector
    /// Its legal basis; nil for `never`.
    package var basis: String? { law?.id }
    /// The same as `law.yaml` has it.
    let law: Basis?
    /// When it holds.
    package let validity: Validity
    /// What the envelope must say for the rule to match.
    package let when: Condition
    /// What must be affirmed besides what the basis demands.
    package let affirmations: [String]
    /// Whose consent is needed, one of these; empty is nobody's.
    package let consent: [String]
    /// The agreements that count; empty is any.
    package let agreements: Set<String>
    /// The class for its recipients, if that is more urgent.
    package let urgency: UrgencyClass?
    /// The secrecy marking; nil is made from the secrecy at the source.
    package let marking: String?
    /// The copy by type.
    package let views: [EventType: RuleView]
    /// For `never`: the fields that are taken out; empty stops everything.
    package let redactedFields: Set<String>
    /// Where `rules.yaml` says so.
    package let location: SourceLocation

    /// All of it. Made by the policy's readers only.
    init(
        id: RuleID, labels: Labels?, kind: RuleKind, types: Set<EventType>, from: Selector, to: Selector,
        law: Basis?, validity: Validity, when: Condition, affirmations: [String], consent: [String],
        agreements: Set<String>, urgency: UrgencyClass?, marking: String?, views: [EventType: RuleView],
        redactedFields: Set<String>, location: SourceLocation
    ) {
        self.id = id
        self.labels = labels
        self.kind = kind
        self.types = types
        self.from = from
        self.to = to
        self.law = law
        self.validity = validity
        self.when = when
        self.affirmations = affirmations
        self.consent = consent
        self.agreements = agreements
        self.urgency = urgency
        self.marking = marking
        self.views = views
        self.redactedFields = redactedFields
        self.location = location
    }
}

/// What a rule puts into a copy of one type.
package struct RuleView: Hashable, Sendable {
    /// Envelope attributes besides the fixed ones.
    package let attributes: [String]
    /// Fields of `data`.
    package let fields: [String]
    /// The same for protected or unknown protection.
    package let strictAttributes: [String]
    /// The same for protected or unknown protection.
    package let strictFields: [String]
}

/// Whom one side of a rule means; all of it must hold.
package struct Selector: Sendable {
    /// Kinds; nil is any.
    package let kinds: Set<PartyKind>?
    /// Ids; nil is any.
    package let parties: Set<PartyID>?
    /// Only those who serve the event's municipality.
    package let servesMunicipality: Bool
    /// Only those whom the audience names.
    package let isNamed: Bool
    /// Only those whom the audience names with one of these words; empty is any.
    package let roles: [String]
    /// Only members of a group of the event's municipality.
    package let isGroup: Bool
    /// Counties; nil is the collaboration's own.
    package let counties: Set<String>?
    /// For every party of the policy, by its place, whether what depends on the party alone holds. Made once, since every
    /// decision asks.
    private(set) var isMeant: [Bool] = []

    /// Asks it of all parties, which are sorted by id.
    mutating func compare(with parties: [Party], ownCounty: String) {
        isMeant = parties.map { meansPartyAlone($0, ownCounty: ownCounty) }
    }

    /// Whether what depends on the party alone holds.
    func meansPartyAlone(_ party: Party, ownCounty: String) -> Bool {
        guard kinds?.contains(party.kind) ?? true, parties?.contains(party.id) ?? true else { return false }
        return counties?.contains(party.county) ?? (party.county == ownCounty)
    }
}

/// What the envelope must say for a rule to match.
package struct Condition: Sendable {
    /// All of these circumstances.
    package var all: [String] = []
    /// One of these, unless empty.
    package var any: [String] = []
    /// None of these.
    package var none: [String] = []
    /// One of these levels, unless empty.
    package var levels: [String] = []
    /// One of these programmes, unless empty.
    package var programmes: [String] = []
    /// All of these attributes are set.
    package var attributes: [String] = []
    /// All of these are affirmed.
    package var affirmed: [String] = []
    /// None of these is affirmed.
    package var notAffirmed: [String] = []
    /// true: protected or unknown; false: known not to be protected; nil: either.
    package var isProtected: Bool?

    /// The first part that does not hold, as the key in `when`; nil if all do.
    func firstUnmet(by notification: CaseNotification, affirmed names: Set<String>) -> String? {
        let circumstances = notification.circumstances
        if !all.allSatisfy(circumstances.contains) { return "all" }
        if !any.isEmpty, !any.contains(where: circumstances.contains) { return "any" }
        if none.contains(where: circumstances.contains) { return "none" }
        if !levels.isEmpty, !(notification.level.map(levels.contains) ?? false) { return "levels" }
        if !programmes.isEmpty, !(notification.programme.map(programmes.contains) ?? false) { return "programmes" }
        if !attributes.allSatisfy({ notification.hasAttribute($0) }) { return "attributes" }
        if !affirmed.allSatisfy(names.contains) { return "affirmed" }
        if notAffirmed.contains(where: names.contains) { return "not-affirmed" }
        if let isProtected, isProtected != (notification.isProtected != false) { return "protected" }
        return nil
    }
}

extension CaseNotification {
    /// The extension attributes that a rule may speak of.
    static let extensionAttributes = [
        "county", "municipality", "audience", "urgency", "programme", "level", "protected", "drill", "secrecy",
        "circumstances", "affirmations", "consent", "consentof", "supersedes", "expirytime", "correlationid",
        "causationid",
    ]

    /// Whether an extension attribute is set.
    func hasAttribute(_ name: String) -> Bool {
        switch name {
        case "county": county != nil
        case "municipality": municipality != nil
        case "audience": !audience.isEmpty
        case "urgency": urgency != nil
        case "programme": programme != nil
        case "level": level != nil
        case "protected": isProtected != nil
        case "drill": isDrill
        case "secrecy": secrecy != nil
        case "circumstances": !circumstances.isEmpty
        case "affirmations": !affirmations.isEmpty
        case "consent": consent != nil
        case "consentof": consentOf != nil
        case "supersedes": supersedes != nil
        case "expirytime": expirytime != nil
        case "correlationid": correlationid != nil
        case "causationid": causationid != nil
        default: false
        }
    }
}
