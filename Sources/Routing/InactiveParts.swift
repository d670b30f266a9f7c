import CaseNotifications

/// What a policy in production mode leaves out because an approval is missing. Empty in exercise mode.
package struct InactiveParts: Sendable, Equatable {
    /// Parties that have not approved a rule: it is as if absent for what they send and what they would receive.
    private var rules: [RuleID: Set<PartyID>] = [:]
    /// Parties that have not approved what another is as a recipient: they send nothing to it. Itself: nobody does.
    private var recipients: [PartyID: Set<PartyID>] = [:]
    /// Parties that have not approved what they are themselves: they send nothing.
    private var senders: Set<PartyID> = []
    /// Clients, people, desks, fallbacks, agents and mergers that are as if absent.
    private var items: Set<String> = []
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
            let kind = entry.part.id.prefix { $0 != ":" }
            let name = String(entry.part.id.dropFirst(kind.count + 1))
            switch kind {
            case "rule": rules[RuleID(unchecked: name), default: []].formUnion(parties)
            case "party":
                let id = PartyID(unchecked: name)
                recipients[id, default: []].formUnion(parties)
                if parties.contains(id) { senders.insert(id) }
            case "secrecy": senders.formUnion(parties)
            default: items.insert(entry.part.id)
            }
        }
        self.lines = lines.sorted()
    }

    /// Whether everything is active.
    package var isEmpty: Bool { lines.isEmpty }

    /// Whether a client, person, desk, fallback, agent or merger counts.
    func isActive(_ part: String) -> Bool { !items.contains(part) }

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
