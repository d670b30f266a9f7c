import CaseNotifications

/// Duties that deliver nothing because of the policy: the sender must learn that somebody whom the law obliges it to tell
/// got nothing, and why.
extension Deciding {
    /// Lets every party that a duty means, and that it does not reach because a part is not approved or the rule is not in
    /// force, count as refused, unless another rule delivers.
    mutating func tellOfOwedDuties() {
        for place in policy.index.deliveringRules[notification.type] ?? [] {
            let rule = policy.rules[place]
            let isInForce = rule.validity.contains(instant)
            // Of most rules this is all that is asked.
            guard rule.kind == .duty, !isInForce || !policy.inactive.isEmpty, isFromSender(rule.from),
                rule.when.firstUnmet(by: notification, affirmed: affirmed) == nil
            else { continue }
            until = min(until, rule.validity.nextChange(after: instant))
            // A rule that is over, or has not begun, owes nothing where the law does not oblige either.
            guard let basis = rule.law,
                isInForce || failureBeforeParties(of: rule, place: place)?.code != .noRule
            else { continue }
            for party in candidates(of: rule) + partiesWithoutApprovedDesk() where party != senderPlace {
                guard isInForce || basis.recipients?.matches(policy.parties[party]) ?? true,
                    let kind = whyNothing(by: rule, to: party)
                else { continue }
                let reason = Reason(kind, rule: rule.id, at: rule.location)
                owe(party, Failure(code: .noRule, rule: place, reasons: [reason]))
            }
        }
    }

    /// Parties all of whose desks lack approval, one for the type among them: they receive nothing, so they are
    /// candidates of no rule but one that names them.
    private func partiesWithoutApprovedDesk() -> [Int] {
        guard !policy.inactive.isEmpty else { return [] }
        return policy.parties.indices.filter { place in
            let party = policy.parties[place]
            return party.desks.isEmpty && policy.inactive.isDeskMissing(of: party.id, for: notification.type)
        }
    }

    /// Why a duty gives a party nothing that it means; nil if it reaches it or does not mean it.
    private func whyNothing(by rule: Rule, to place: Int) -> Reason.Kind? {
        let party = policy.parties[place].id
        let roles = named.first { $0.party == place }?.roles
        guard means(rule, party: place, roles: roles) else { return nil }
        var missing = policy.inactive.missing(rule.id, from: sender.id)
        missing += policy.inactive.missing(rule.id, from: sender.id, to: party).filter { !missing.contains($0) }
        if !reaches(rule, party: place, roles: roles) {
            // A party without a desk for the type is no recipient, but where its desk is only not approved.
            guard policy.inactive.isDeskMissing(of: party, for: notification.type) else { return nil }
            if !missing.contains(party) { missing.append(party) }
        }
        if !missing.isEmpty { return .notApproved(missing.sorted()) }
        return rule.validity.contains(instant) ? nil : .notInForce
    }

    private mutating func owe(_ party: Int, _ failure: Failure) {
        let known = outcomes.firstIndex { $0.party == party } ?? outcomes.endIndex
        if known == outcomes.endIndex { outcomes.append(Outcome(party: party)) }
        outcomes[known].isDuty = true
        outcomes[known].keep(failure)
    }
}
