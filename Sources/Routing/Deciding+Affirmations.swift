package import CaseNotifications

/// Which affirmations count: made for this notification, and by a person of the sender.
extension Deciding {
    /// The longest time between an affirmation and the decision that it is for.
    static let affirmationLifetimeSeconds: Int64 = 86_400
    /// How far the clocks of a sender's systems may be ahead of the relay's.
    static let clockToleranceSeconds: Int64 = 300
    /// What nobody is called.
    static let standing = "standing"

    mutating func readAffirmations() {
        for affirmation in notification.affirmations where isPerson(affirmation.person) {
            if isTimely(affirmation) { affirmed.insert(affirmation.name) }
        }
    }

    /// What the sender must affirm for a rule: what the law demands of its kind, then what the rule does.
    func demandedAffirmations(_ rule: Rule, _ basis: Basis) -> [String] {
        let law = basis.affirmations(from: sender.kind)
        return rule.affirmations.isEmpty ? law : law + rule.affirmations.filter { !law.contains($0) }
    }

    /// Whether it is made for this notification: by the relay's clock, never by the time that the sender writes. One made long
    /// before is a standing one.
    private mutating func isTimely(_ affirmation: Affirmation) -> Bool {
        let judged = affirmedFor ?? instant
        let start = affirmation.at.advanced(bySeconds: -Self.clockToleranceSeconds)
        let last = affirmation.at.advanced(bySeconds: Self.affirmationLifetimeSeconds)
        let end = last == .distantFuture ? last : Timestamp(milliseconds: last.milliseconds + 1)
        if affirmedFor == nil {
            for change in [start, end] where change > instant { until = min(until, change) }
        }
        return judged >= start && judged < end
    }

    /// Whether a person of the sender has this id. Systems speak for people where its file lists none, and are none themselves.
    ///
    /// Who affirmed what was accepted before may have left since, or the sender may have become part of another party.
    private func isPerson(_ id: PersonID) -> Bool {
        guard !sender.clients.contains(where: { $0.id.text == id.text }) else { return false }
        if sender.people.contains(where: { $0.id == id }) { return true }
        guard isStored || sender.people.isEmpty else { return false }
        return id.text != Self.standing && !sender.clients.contains { id.text.hasPrefix($0.id.text) }
    }
}

extension Deciding.Failure {
    /// Whether the sender or the parties can do something about it: an affirmation, a consent, an agreement, a law that the rule
    /// outlives. What the law does not allow, or protection forbids, they cannot.
    var canBeRemedied: Bool {
        switch code {
        case .affirmationMissing, .consentMissing, .noAgreement, .agreementExpired: true
        default: reasons.contains { if case .basisNotInForce = $0.kind { true } else { false } }
        }
    }
}

extension Policy {
    /// Somebody who can affirm for a party, in what nobody has sent.
    package func affirmer(of id: PartyID) -> PersonID { Self.affirmer(among: party(id)?.people ?? []) }

    /// The first of a party's people, or anybody where its file lists none.
    static func affirmer(among people: [Person]) -> PersonID {
        people.first?.id ?? PersonID(unchecked: "example-person")
    }
}
