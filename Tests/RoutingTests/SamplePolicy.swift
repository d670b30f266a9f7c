import CaseNotifications
import Testing

@testable import Routing

/// The policies that properties are shown on: the fixture, which has every construct once, and what is shipped.
enum SamplePolicy: CaseIterable, Sendable {
    case fixture, orebro

    /// As texts that a test may change, without the worked examples of what is shipped.
    func texts() throws -> PolicyFixture {
        guard self == .orebro else { return PolicyFixture() }
        var files: [String: String] = [:]
        for (path, text) in try ShippedCounties.orebro.files {
            let name =
                path.firstRange(of: "/config/orebro/").map { String(path[$0.upperBound...]) } ?? path
            files[name] = text
        }
        files["tests.yaml"] = "version: 1\nexamples: []\n"
        return PolicyFixture(files: files)
    }

    /// The policy; what is shipped is read once.
    func policy() throws -> Policy {
        self == .orebro ? try ShippedCounties.orebro.policy : try PolicyFixture().policy()
    }

    /// Notifications of which many get through.
    func events(_ policy: Policy, count: Int, random: inout SplitMix) -> [CaseNotification] {
        switch self {
        case .fixture: PolicyPropertyTests.events(policy, count: count, random: &random)
        case .orebro:
            (0..<count).compactMap { _ in
                let rule = policy.rules.filter { $0.kind != .never }.randomElement(using: &random)
                return rule.flatMap { Self.aimed(at: $0, of: policy, random: &random) }
            }
        }
    }

    /// A notification that mostly has what one rule demands; now and then something is missing, or somebody else is named.
    private static func aimed(at rule: Rule, of policy: Policy, random: inout SplitMix)
        -> CaseNotification?
    {
        func mostly() -> Bool { Int.random(in: 0..<10, using: &random) > 0 }
        let senders = policy.parties.filter { rule.from.meansPartyAlone($0, ownCounty: policy.county) }
        let groups = policy.settings.groups
        let recipients = policy.parties.filter { party in
            rule.to.meansPartyAlone(party, ownCounty: policy.county) && !party.desks.isEmpty
                && (!rule.to.isGroup || groups.contains { $0.members.contains(party.id) })
        }
        guard let basis = rule.basis.flatMap({ policy.basis($0) }),
            let type = rule.types.sorted().randomElement(using: &random),
            let sender = (mostly() ? senders : policy.parties).randomElement(using: &random),
            let recipient = recipients.filter({ $0.id != sender.id }).randomElement(using: &random)
        else { return nil }
        let codes = policy.municipalities.keys.sorted() + recipient.municipalities
        let fitting = codes.filter { code in
            (!rule.to.servesMunicipality || recipient.serves(code))
                && (!rule.from.servesMunicipality || sender.serves(code))
        }
        // Most agreements are those of the municipalities that have a group.
        let grouped = groups.map(\.municipality).filter { fitting.contains($0) }
        let likely = rule.to.isGroup || Bool.random(using: &random) ? grouped : fitting
        let municipality = (mostly() && !likely.isEmpty ? likely : codes).randomElement(using: &random)

        let words = rule.to.roles.isEmpty ? ["recipient", "member"] : rule.to.roles
        let isNamed =
            rule.to.isNamed || rule.when.attributes.contains("audience")
            || type.demandsAudience(in: policy)
        var audience =
            isNamed == mostly() || !isNamed && Bool.random(using: &random) ? [recipient.id.text] : []
        if !audience.isEmpty, Bool.random(using: &random) {
            let names = policy.parties.map(\.id.text) + groups.map(\.id) + ["soc-9999"]
            audience += (0..<3).compactMap { _ in names.randomElement(using: &random) }
        }
        let named = Set(audience.map { "\($0)/\(words.randomElement(using: &random) ?? "")" }).sorted()

        let law = basis.affirmations(from: sender.kind)
        let demanded = Set(law + rule.affirmations + rule.when.affirmed).sorted()
        let affirmed =
            demanded.filter { _ in mostly() } + rule.when.notAffirmed.filter { _ in !mostly() }
        let givers = rule.consent.isEmpty ? basis.consent : rule.consent
        let circumstances = (rule.when.all + rule.when.any).filter { _ in mostly() }
        var notification = event(
            type.shortName, from: sender.id.text, municipality: municipality, audience: named,
            isProtected: [true, false, false, nil].randomElement(using: &random) ?? nil,
            circumstances: Bool.random(using: &random)
                ? circumstances : Set(circumstances + ["child-present"]).sorted(),
            affirmations: affirmed, consentOf: mostly() ? givers.first : "respondent",
            secrecy: sender.secrecy.first?.description,
            level: (rule.when.levels.isEmpty ? ["A", "B", "C"] : rule.when.levels).randomElement(
                using: &random),
            programme: mostly() ? "trygga-hem" : "gvi")
        if mostly() { notification.causationid = "cause-1" }
        return notification
    }
}

extension EventType {
    /// Whether the type's envelope must name somebody.
    fileprivate func demandsAudience(in policy: Policy) -> Bool {
        policy.typeDefinition(self)?.requiredAttributes.contains("audience") ?? false
    }
}

/// Notifications of a policy, each with the instant at which it is decided, all from one seed.
struct PolicySample {
    /// What one recipient gets of one notification: sender, type and recipient name it.
    struct Cell: Hashable {
        let event: Int
        let recipient: PartyID
    }

    /// What stands in a cell, places in files left out.
    enum Entry: Equatable {
        case copy(Grant)
        case refused(PartyRefusal)
    }

    let events: [(notification: CaseNotification, at: Timestamp)]

    init(_ which: SamplePolicy, _ policy: Policy, seed: UInt64, count: Int) {
        var random = SplitMix(state: seed)
        events = which.events(policy, count: count, random: &random).map { notification in
            let at = PolicyPropertyTests.instant(using: &random)
            return (notification.affirmed(at: at, in: policy), at)
        }
    }

    /// All cells; parties that get nothing and are not refused have none.
    func cells(_ policy: Policy) -> [Cell: Entry] {
        var cells: [Cell: Entry] = [:]
        for (number, event) in events.enumerated() {
            let decision = PolicyPropertyTests.withoutPlaces(
                policy.decide(event.notification, at: event.at))
            for grant in decision.grants {
                cells[Cell(event: number, recipient: grant.party)] = .copy(grant)
            }
            for refusal in decision.refusals {
                cells[Cell(event: number, recipient: refusal.party)] = .refused(refusal)
            }
        }
        return cells
    }

    /// Cells that are otherwise, in order.
    static func changed(_ before: [Cell: Entry], _ after: [Cell: Entry]) -> [Cell] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
            .sorted { ($0.event, $0.recipient) < ($1.event, $1.recipient) }
    }
}
