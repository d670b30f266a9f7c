import CaseNotifications

/// Finds what a rule asked for and asks for no longer. Whatever is not provably as strict as before counts as looser.
struct RuleLoosening {
    let old: Policy
    let new: Policy

    /// What the newer of two rules with the same id asks less, a few words each; empty if it asks as much or more.
    func between(_ before: Rule, _ after: Rule) -> [String] {
        guard let first = before.basis.flatMap({ old.bases[$0] }), let second = after.basis.flatMap({ new.bases[$0] })
        else { return [] }
        var loosened: [String] = []
        func note(_ isLooser: Bool, _ what: String) { if isLooser { loosened.append(what) } }
        loosened += conditions(before.when, after.when)
        loosened += affirmations((before, first), (after, second))
        note(Self.isWider(before.consent, after.consent), "consent")
        let neededOne = before.kind == .may && first.needsAgreement
        let needsOne = after.kind == .may && second.needsAgreement
        note(neededOne && !needsOne, "agreement")
        note(neededOne && Self.isWider(before.agreements, after.agreements), "which agreement")
        note(before.kind == .may && after.kind == .duty, "may became duty")
        let (then, now) = (
            before.validity.intersection(first.validity), after.validity.intersection(second.validity)
        )
        note(now.start < then.start || now.end > then.end, "time in force")
        note(Self.isWider(first.secrecyWithin, second.secrecyWithin), "secrecy that the basis lifts")
        note(!Set(first.secrecyExcept).isSubset(of: second.secrecyExcept), "secrecy that the basis does not lift")
        note(Self.isWider(first.types, second.types), "types of the basis")
        note(Self.isWider(first.senders, second.senders), "senders of the basis")
        note(Self.isWider(first.recipients, second.recipients), "recipients of the basis")
        note(before.from.servesMunicipality && !after.from.servesMunicipality, "the sender's municipality")
        note(before.to.servesMunicipality && !after.to.servesMunicipality, "the recipient's municipality")
        note(before.to.isGroup && !after.to.isGroup, "the group")
        note(before.to.isNamed && !after.to.isNamed, "being named")
        note(Self.isWider(before.to.roles, after.to.roles), "the word that it is named with")
        return loosened
    }

    /// Of what every sender must affirm. The law asks by the sender's kind, which may be another now.
    private func affirmations(_ before: (rule: Rule, basis: Basis), _ after: (rule: Rule, basis: Basis)) -> [String] {
        let senders = new.parties.filter { sender in
            after.rule.from.meansPartyAlone(sender, ownCounty: new.county)
                && after.basis.senders?.matches(sender) ?? true
        }
        let askedLess = senders.filter { sender in
            let kind = old.party(sender.id)?.kind ?? sender.kind
            let demanded = Set(before.basis.affirmations(from: kind) + before.rule.affirmations)
            return !demanded.isSubset(of: after.basis.affirmations(from: sender.kind) + after.rule.affirmations)
        }
        guard !askedLess.isEmpty else { return [] }
        if askedLess.count == senders.count { return ["affirmations"] }
        let kinds = Set(askedLess.map(\.kind.rawValue)).sorted()
        return ["affirmations from \(kinds.joined(separator: ", "))"]
    }

    private func conditions(_ old: Condition, _ new: Condition) -> [String] {
        var loosened: [String] = []
        func note(_ isLooser: Bool, _ key: String) { if isLooser { loosened.append("when.\(key)") } }
        note(!Set(old.all).isSubset(of: new.all), "all")
        note(Self.isWider(old.any, new.any), "any")
        note(!Set(old.none).isSubset(of: new.none), "none")
        note(Self.isWider(old.levels, new.levels), "levels")
        note(Self.isWider(old.programmes, new.programmes), "programmes")
        note(!Set(old.attributes).isSubset(of: new.attributes), "attributes")
        note(!Set(old.affirmed).isSubset(of: new.affirmed), "affirmed")
        note(!Set(old.notAffirmed).isSubset(of: new.notAffirmed), "not-affirmed")
        note(old.isProtected != nil && new.isProtected != old.isProtected, "protected")
        return loosened
    }

    /// Whether `new` lets pass what `old` does not, where one of the list is needed and an empty list is any.
    private static func isWider<Value: Hashable>(_ old: some Collection<Value>, _ new: some Collection<Value>) -> Bool {
        guard !old.isEmpty else { return false }
        return new.isEmpty || !Set(new).isSubset(of: old)
    }

    private static func isWider<Value: Hashable>(_ old: Set<Value>?, _ new: Set<Value>?) -> Bool {
        guard let old else { return false }
        return new.map { !$0.isSubset(of: old) } ?? true
    }

    private static func isWider(_ old: PartyMatcher?, _ new: PartyMatcher?) -> Bool {
        isWider(old?.kinds, new?.kinds) || isWider(old?.parties, new?.parties)
    }

    /// Whether an agreement now covers more: other parties, municipalities or programmes, or a longer time.
    func isWider(_ before: Agreement?, _ after: Agreement) -> Bool {
        guard after.state != .draft, after.isSigned else { return false }
        guard let before, before.state != .draft, before.isSigned else { return true }
        if Self.isWider(before.municipalities, after.municipalities) { return true }
        if Self.isWider(before.programmes, after.programmes) { return true }
        if after.validity.start < before.validity.start || after.validity.end > before.validity.end { return true }
        return after.members.contains { party, validity in
            guard let known = before.members[party] else { return true }
            return validity.start < known.start || validity.end > known.end
        }
    }
}
