package import CaseNotifications

extension Policy {
    /// Who gets a notification at an instant, with what, and who does not, and why.
    ///
    /// - Parameter notification: the envelope is all that is read, `data` never.
    package func decide(_ notification: CaseNotification, at instant: Timestamp) -> Decision {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        return deciding.decide()
    }

    /// The same decision with the way to it: what every rule of the type did.
    package func explain(_ notification: CaseNotification, at instant: Timestamp) -> Explanation {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: true)
        let decision = deciding.decide()
        return Explanation(decision: decision, trace: deciding.trace)
    }
}

/// A decision with the way to it.
package struct Explanation: Sendable, Equatable {
    /// What was decided.
    package let decision: Decision
    /// What every rule of the type did, sorted by rule.
    package let trace: [RuleTrace]

    /// Everything about one party: its grant, its refusal, and the rules that reached it.
    package func about(_ party: PartyID) -> (grant: Grant?, refusal: PartyRefusal?, rules: [RuleTrace]) {
        let rules = trace.filter { trace in
            guard case .reached(let parties) = trace.outcome else { return false }
            return parties.contains(party)
        }
        return (
            decision.grants.first { $0.party == party }, decision.refusals.first { $0.party == party }, rules
        )
    }
}

/// What one rule did.
package struct RuleTrace: Sendable, Equatable {
    /// How far a rule came.
    package enum Outcome: Sendable, Equatable {
        /// It is for other senders.
        case otherSender
        /// The part of `when` with this key does not hold.
        case conditionNotMet(String)
        /// It is not in force now.
        case notInForce
        /// The approval of these parties is missing: it is as if absent for what this sender sends.
        case inactive([PartyID])
        /// It matches, and reaches these parties, sorted; what came of that is in the decision.
        case reached([PartyID])
    }

    /// The rule.
    package let rule: RuleID
    /// What it would do.
    package let kind: RuleKind
    /// How far it came.
    package let outcome: Outcome
    /// Where `rules.yaml` has it.
    package let reason: Reason
    /// Recipients for whom it is as if absent, because the approval of theirs or of the sender is missing; sorted.
    package let withheld: [PartyID]
}
