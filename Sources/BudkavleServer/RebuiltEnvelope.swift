import CaseNotifications
import Relay
import Routing

/// The envelope of a notification whose content was erased or has gone, as far as the record of its acceptance tells: that keeps
/// sender, type, municipality, class, protection, who got it by which rule, and who was refused. What else a decision reads is
/// assumed, and only what gives the same decision counts: the same recipients, and under the same policy by the same rules.
struct RebuiltEnvelope {
    let notification: CaseNotification

    /// What the report says is assumed: everything that a decision may read and the record does not keep.
    static let assumptions = [
        "circumstances, level, programme, affirmations, consent and consentof: what the rules that delivered it ask for, no "
            + "more; the last level and the first programme where only the type demands one",
        "audience: nobody, or exactly those who got it or were refused, whichever gives the recorded recipients",
        "secrecy: the sender's first, or another of its own, whichever gives the recorded recipients",
        "correlationid and causationid: there where the type or such a rule demands one",
        "time, and when and by whom it was affirmed: the time of acceptance, and a person of the sender",
        "county: the collaboration's",
        "urgency: sent with the class that was recorded",
        "protected: said to be so where it was treated so",
    ]

    /// Nil when no envelope gives the recorded recipients.
    init?(_ facts: AcceptedFacts, policy: Policy) {
        guard let definition = policy.typeDefinition(facts.type) else { return nil }
        let rules = facts.grants.compactMap { policy.rule($0.shape.rule) }
        let isSamePolicy = facts.policy == policy.digest
        var best: CaseNotification?
        for candidate in Self.candidates(facts, rules, definition, policy) {
            let decision = policy.decide(candidate, at: facts.at)
            let isSame =
                isSamePolicy
                ? decision.grants.map { "\($0.party) \($0.rule)" }
                    == facts.grants.map { "\($0.party) \($0.shape.rule)" }.sorted()
                : decision.grants.map(\.party) == facts.grants.map(\.party).sorted()
            guard isSame else { continue }
            if best == nil { best = candidate }
            let refused = Dictionary(
                decision.refusals.filter(\.isReported).map { ($0.party, $0.code) }
            ) { first, _ in first }
            if refused == facts.refusals {
                best = candidate
                break
            }
        }
        guard let best else { return nil }
        notification = best
    }

    private static func candidates(
        _ facts: AcceptedFacts, _ rules: [Rule], _ definition: EventTypeDefinition, _ policy: Policy
    ) -> [CaseNotification] {
        let base = base(facts, rules, definition, policy)
        let words = Dictionary(rules.map { ($0.id, $0.to.roles.first) }) { first, _ in first }
        let word = policy.audienceWords.first ?? "recipient"
        var named = facts.grants.map { grant in
            AudienceEntry(to: grant.party.text, why: (words[grant.shape.rule] ?? nil) ?? word)
        }
        named += facts.refusals.keys.sorted().map { AudienceEntry(to: $0.text, why: word) }
        let needsAudience = definition.requiredAttributes.contains("audience") || rules.contains { $0.to.isNamed }
        let audiences = needsAudience ? [named] : [[], named]
        let secrecies: [String?] = [nil] + (policy.party(facts.source)?.secrecy.dropFirst().map(\.description) ?? [])
        return audiences.flatMap { audience in
            secrecies.map { secrecy in
                var candidate = base
                candidate.audience = audience
                candidate.secrecy = secrecy
                if secrecy == nil, definition.requiredAttributes.contains("secrecy") {
                    candidate.secrecy = policy.party(facts.source)?.secrecy.first?.description
                }
                return candidate
            }
        }
    }

    private static func base(
        _ facts: AcceptedFacts, _ rules: [Rule], _ definition: EventTypeDefinition, _ policy: Policy
    ) -> CaseNotification {
        let conditions = rules.map(\.when)
        let needed = Set(definition.requiredAttributes + conditions.flatMap(\.attributes))
        let circumstances = conditions.flatMap { $0.all + $0.any.prefix(1) }
        let kind = policy.party(facts.source)?.kind
        let affirmed = rules.flatMap { rule in
            let basis = rule.basis.flatMap { policy.basis($0) }
            return (kind.flatMap { basis?.affirmations(from: $0) } ?? []) + rule.affirmations + rule.when.affirmed
        }
        let consent = rules.lazy.compactMap(\.consent.first).first
        let level = conditions.lazy.compactMap(\.levels.first).first
        let programme = conditions.lazy.compactMap(\.programmes.first).first
        let person = policy.affirmer(of: facts.source)
        let other = NotificationID(high: 1, low: 1).text
        return CaseNotification(
            id: "replayed", source: facts.source, type: facts.type, time: facts.at,
            subject: CaseID(county: Int(policy.county) ?? 0, year: facts.isDrill ? 0 : 1, number: 1),
            county: policy.county, municipality: facts.municipality, urgency: facts.urgency,
            programme: programme ?? (needed.contains("programme") ? policy.catalogue.programmes.min() : nil),
            level: level ?? (needed.contains("level") ? policy.catalogue.levels.max() : nil),
            isProtected: facts.isProtected, isDrill: facts.isDrill,
            circumstances: Array(Set(circumstances)).sorted(),
            affirmations: Set(affirmed).sorted().map { Affirmation(name: $0, person: person, at: facts.at) },
            consent: consent == nil ? nil : "replayed", consentOf: consent,
            correlationid: needed.contains("correlationid") ? other : nil,
            causationid: needed.contains("causationid") ? other : nil)
    }
}
