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
    ///
    /// - Parameter acceptedAt: what was affirmed counted then.
    package func right(
        of id: PartyID, to notification: CaseNotification, acceptedAt: Timestamp, at instant: Timestamp
    ) -> Right {
        guard let named = index.parties[id] else { return .ended(.noRule) }
        let party = index.successor(of: named, at: instant) ?? named
        var notification = notification
        // What a party sent before it merged is now its successor's.
        if let successor = successor(of: notification.source, at: instant) { notification.source = successor }
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        deciding.isStored = true
        deciding.affirmedFor = acceptedAt
        return deciding.right(of: party)
    }

    /// Why the rules alone, whoever is at desks, keep a notification from a party; nil if they let it have it. And until when.
    ///
    /// - Parameter notification: a witness, which its sender affirms when he sends it.
    func refusal(of party: Int, for notification: CaseNotification, at instant: Timestamp) -> (
        code: RefusalCode?, until: Timestamp
    ) {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        deciding.affirmedFor = instant
        let code = deciding.refusal(of: party)
        return (code, deciding.until)
    }

    /// What is decided of a witness, which its sender affirms when he sends it.
    func decide(witness notification: CaseNotification, at instant: Timestamp) -> Decision {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        deciding.affirmedFor = instant
        return deciding.decide()
    }

    /// The day of an instant by the policy's local time: rights begin and end with days.
    package func day(of instant: Timestamp) -> Range<Timestamp> {
        let day = civilTime(instant).day
        return CivilDay(day).instant(zone: zone)..<CivilDay(day + 1).instant(zone: zone)
    }

    /// Whether a delivery of `party` may lie at a desk at an instant: one of its own, or of the agent that has it, for as long as
    /// the agreement holds by which that acts for it. Its hours do not matter: what it has it keeps until hand-over.
    ///
    /// What a party has become part of has its deliveries then, and its own desks are no more.
    package func mayLie(at desk: DeskID, of party: PartyID, agent: PartyID?, when instant: Timestamp) -> Bool {
        guard let owner = owner(of: desk), self.successor(of: owner, at: instant) == nil else { return false }
        guard let successor = successor(of: party, at: instant) else {
            return owner == party || owner == agent && acts(owner, for: party, at: instant)
        }
        return agent == owner && (agent == successor || acts(owner, for: successor, at: instant))
    }

    /// Whether an on-call party acts for a board, be it within its hours or not.
    private func acts(_ agent: PartyID, for board: PartyID, at instant: Timestamp) -> Bool {
        guard let board = index.parties[board] else { return false }
        return (index.agents[board] ?? []).contains { parties[$0.party].id == agent && $0.validity.contains(instant) }
    }
}

extension Deciding {
    fileprivate mutating func right(of party: Int) -> Right {
        if let refusal = readEnvelope() { return .ended(refusal.code) }
        for place in policy.index.deliveringRules[notification.type] ?? [] { judge(rule: place) }
        applyNeverRules()
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
        outcomes.removeAll { $0.party != party }
        guard !outcomes.isEmpty else { return .noRule }
        applyNeverRules()
        return outcomes[0].grant == nil ? outcomes[0].refusal?.code ?? .noRule : nil
    }

    private func right(by candidate: Candidate) -> Right {
        .holds(
            attributes: isStrict ? candidate.view.strictAttributes : candidate.view.attributes,
            fields: fields(of: candidate.view))
    }
}
