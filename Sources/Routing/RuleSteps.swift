package import CaseNotifications
package import Settings

/// What every matcher of one rule says of one notification, each judged for itself, also behind one that fails.
package struct RuleSteps: Sendable, Equatable {
    /// The rule.
    package let rule: RuleID
    /// What it would do.
    package let kind: RuleKind
    /// Where `rules.yaml` has it.
    package let location: SourceLocation
    /// What depends on no recipient, in the order in which it is judged.
    package let steps: [RuleStep]
    /// What depends on the recipient, for each party that the rule means, sorted, or for the one that was asked for.
    package let parties: [PartySteps]

    /// All of it.
    package init(
        rule: RuleID, kind: RuleKind, location: SourceLocation, steps: [RuleStep], parties: [PartySteps]
    ) {
        self.rule = rule
        self.kind = kind
        self.location = location
        self.steps = steps
        self.parties = parties
    }

    /// Whether everything that depends on no recipient holds.
    package var matches: Bool { steps.allSatisfy(\.holds) }
}

/// What the matchers of a rule that depend on the recipient say of one party.
package struct PartySteps: Sendable, Equatable {
    /// The party.
    package let party: PartyID
    /// In the order in which they are judged.
    package let steps: [RuleStep]

    /// A party's steps.
    package init(party: PartyID, steps: [RuleStep]) {
        self.party = party
        self.steps = steps
    }
}

/// One matcher of a rule, and what it says.
package struct RuleStep: Sendable, Equatable {
    /// What is compared.
    package enum Matcher: String, CaseIterable, Sendable {
        case sender, conditions, time, basis, secrecy, affirmations, consent, recipient, audience, protection
        case agreement, approval, never
    }

    /// Why a matcher says so; text is made at the edge.
    package enum Finding: Sendable, Equatable {
        /// It demands nothing.
        case demandsNothing
        /// What it demands is there.
        case met([String])
        /// The part of `when` with this key does not hold.
        case unmet(key: String)
        /// The rule is not in force at that time.
        case notInForce
        /// A party is not meant.
        case notMeant(SelectorFault)
        /// These parties have not approved it.
        case notApproved([PartyID])
        /// As a decision would say it.
        case reason(Reason.Kind)
    }

    /// What is compared.
    package let matcher: Matcher
    /// Whether the rule may go on.
    package let holds: Bool
    /// Why.
    package let finding: Finding
    /// Where the policy says so.
    package let location: SourceLocation?

    /// A step.
    package init(matcher: Matcher, holds: Bool, finding: Finding, location: SourceLocation?) {
        self.matcher = matcher
        self.holds = holds
        self.finding = finding
        self.location = location
    }
}

/// The first part of `from` or `to` that does not mean a party.
package enum SelectorFault: Sendable, Equatable {
    /// Nobody sends to itself.
    case itself
    /// Another party has taken over its work.
    case merged
    /// Rules address boards, never on-call desks.
    case onCallDesk
    /// The rule is for other kinds.
    case kind
    /// The rule names other parties.
    case party
    /// The rule is for other counties.
    case county
    /// It has no desk that takes the type.
    case noDesk
    /// It does not serve the event's municipality, or the event has none.
    case municipality
    /// It is in no group of the event's municipality.
    case group
    /// The rule is for those whom the audience names, and it does not.
    case notNamed
    /// The audience names it with other words than the rule's.
    case word
}
