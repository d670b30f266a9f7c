package import CaseNotifications

/// What a party may have of a notification by the rules that are in force at an instant.
package enum Right: Sendable, Equatable {
    /// These envelope attributes and fields of `data`, besides the fixed ones.
    case holds(attributes: [String], fields: [String])
    /// Nothing, and why.
    case ended(RefusalCode)
}

extension Policy {
    /// Whether a party may have a notification now that an earlier policy gave it, and how much of it.
    ///
    /// What the catalogue of now demands of new notifications ends no right; that it does not know the type does.
    ///
    /// The rules alone answer, as `decide` reads them: calendars and rosters only say where and when. A party that is
    /// another's fallback has its right for as long as that other one has one, and lets it stand in; whether desks are
    /// open just now does not matter.
    package func right(of id: PartyID, to notification: CaseNotification, at instant: Timestamp) -> Right {
        guard let named = index.parties[id] else { return .ended(.noRule) }
        let party = index.successor(of: named, at: instant) ?? named
        var notification = notification
        // What a party sent before it merged is now its successor's.
        if let successor = successor(of: notification.source, at: instant) { notification.source = successor }
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        deciding.isStored = true
        return deciding.right(of: party)
    }

    /// Why the rules alone, whoever is at desks, keep a notification from a party; nil if they let it have it. And until when.
    func refusal(of party: Int, for notification: CaseNotification, at instant: Timestamp) -> (
        code: RefusalCode?, until: Timestamp
    ) {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        let code = deciding.refusal(of: party)
        return (code, deciding.until)
    }

    /// The day of an instant by the policy's local time: rights begin and end with days.
    package func day(of instant: Timestamp) -> Range<Timestamp> {
        let day = civilTime(instant).day
        return CivilDay(day).instant(zone: zone)..<CivilDay(day + 1).instant(zone: zone)
    }

    /// Whether a delivery of `party` may lie at a desk: one of its own, or of the agent that has it and still acts for it.
    package func mayLie(at desk: DeskID, of party: PartyID, agent: PartyID?) -> Bool {
        guard let owner = owner(of: desk) else { return false }
        return owner == party || owner == agent && boards(of: owner).contains(party)
    }

    /// The same at an instant: what a party has become part of has its deliveries then, and its own desks are no more.
    package func mayLie(at desk: DeskID, of party: PartyID, agent: PartyID?, when instant: Timestamp) -> Bool {
        guard let owner = owner(of: desk), self.successor(of: owner, at: instant) == nil else { return false }
        guard let successor = successor(of: party, at: instant) else {
            return mayLie(at: desk, of: party, agent: agent)
        }
        return agent == owner && (agent == successor || mayLie(at: desk, of: successor, agent: agent))
    }
}

extension Deciding {
    fileprivate mutating func right(of party: Int) -> Right {
        if let refusal = readEnvelope() { return .ended(refusal.code) }
        for place in policy.index.deliveringRules[notification.type] ?? [] { judge(rule: place) }
        for place in outcomes.indices { applyNeverRules(toOutcomeAt: place) }
        let own = outcomes.first { $0.party == party }
        if let candidate = own?.grant { return right(by: candidate) }
        for outcome in outcomes where outcome.grant != nil {
            guard let id = policy.parties[outcome.party].fallback, let named = policy.index.parties[id],
                policy.index.successor(of: named, at: instant) ?? named == party,
                let candidate = standIn(party)
            else { continue }
            return right(by: candidate)
        }
        return .ended(own?.refusal?.code ?? .noRule)
    }

    fileprivate mutating func refusal(of party: Int) -> RefusalCode? {
        if let refusal = readEnvelope() ?? refusalOfFormerSender() { return refusal.code }
        for place in policy.index.deliveringRules[notification.type] ?? [] { judge(rule: place) }
        guard let place = outcomes.firstIndex(where: { $0.party == party }) else { return .noRule }
        applyNeverRules(toOutcomeAt: place)
        return outcomes[place].grant == nil ? outcomes[place].refusal?.code ?? .noRule : nil
    }

    private func right(by candidate: Candidate) -> Right {
        .holds(
            attributes: isStrict ? candidate.view.strictAttributes : candidate.view.attributes,
            fields: fields(of: candidate.view))
    }
}
