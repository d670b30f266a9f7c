import CaseNotifications

/// What a policy in production mode leaves out because an approval is missing. Empty in exercise mode.
package struct InactiveParts: Sendable, Equatable {
    /// Parties that have not approved a rule: it is as if absent for what they send and what they would receive.
    private var rules: [RuleID: Set<PartyID>] = [:]
    /// Parties that have not approved what another is as a recipient: they send nothing to it. Itself: nobody does.
    private var recipients: [PartyID: Set<PartyID>] = [:]
    /// Parties that have not approved what they are themselves: they send nothing.
    private var senders: Set<PartyID> = []
    /// Parties that have not approved that a party takes part in an agreement: between these it is as if absent.
    private var agreements: [String: [PartyID: Set<PartyID>]] = [:]
    /// Clients, people, desks, fallbacks, agents, mergers and signed gaps that are as if absent.
    private var items: Set<String> = []
    /// What the desks of each party take that are as if absent; nil is all types.
    private var desks: [PartyID: [Set<EventType>?]] = [:]
    /// `part party` of every missing approval, sorted, for the policy's digest.
    let lines: [String]

    /// Nothing.
    init() { lines = [] }

    /// What follows from missing approvals.
    init(missing: [MissingApproval]) {
        var lines: [String] = []
        for entry in missing {
            let parties = Set(entry.parties)
            lines += entry.parties.map { "\(entry.part.id) \($0)" }
            let name = String(entry.part.name)
            switch entry.part.kind {
            case "rule": rules[RuleID(unchecked: name), default: []].formUnion(parties)
            case "party":
                let id = PartyID(unchecked: name)
                recipients[id, default: []].formUnion(parties)
                if parties.contains(id) { senders.insert(id) }
            case "secrecy": senders.formUnion(parties)
            case "agreement":
                let words = name.split(separator: "/").map(String.init)
                guard words.count == 2 else { preconditionFailure("an agreement's part names it and a party") }
                agreements[words[0], default: [:]][PartyID(unchecked: words[1]), default: []].formUnion(parties)
            default: items.insert(entry.part.id)
            }
        }
        self.lines = lines.sorted()
    }

    /// Whether everything is active.
    package var isEmpty: Bool { lines.isEmpty }

    /// The same agreements, each between parties that have approved it only.
    func activeParts(of agreements: [Agreement]) -> [Agreement] {
        agreements.map { agreement in self.agreements[agreement.id].map(agreement.unapproved) ?? agreement }
    }

    /// Whether a client, person, desk, fallback, agent, merger or a party's signed gaps count.
    func isActive(_ part: String) -> Bool { !items.contains(part) }

    /// Remembers what those desks of `parties` take that do not count.
    mutating func noteDesks(of parties: [Party]) {
        guard !isEmpty else { return }
        for party in parties {
            let absent = party.desks.filter { !isActive("desk:\(party.id)/\($0.id)") }
            if !absent.isEmpty { desks[party.id] = absent.map(\.types) }
        }
    }

    /// Whether a desk that does not count would take a type.
    func isDeskMissing(of party: PartyID, for type: EventType) -> Bool {
        desks[party]?.contains { $0?.contains(type) ?? true } ?? false
    }

    /// Why a rule is as if absent for a sender: whose approvals are missing, sorted; empty if it is not.
    func missing(_ rule: RuleID, from sender: PartyID) -> [PartyID] {
        guard !isEmpty else { return [] }
        return senders.contains(sender) || rules[rule]?.contains(sender) ?? false ? [sender] : []
    }

    /// Why a rule is as if absent for a recipient: whose approvals are missing, sorted; empty if it is not.
    func missing(_ rule: RuleID, from sender: PartyID, to recipient: PartyID) -> [PartyID] {
        guard !isEmpty else { return [] }
        var missing: Set<PartyID> = []
        if rules[rule]?.contains(recipient) ?? false { missing.insert(recipient) }
        if let unknown = recipients[recipient] { missing.formUnion(unknown.intersection([sender, recipient])) }
        return missing.sorted()
    }
}
