package import CaseNotifications
package import Settings

/// Why a party gets a notification: a statute demands it, or a basis allows it.
package enum Effect: String, Hashable, Sendable {
    /// A statute demands it; no missing agreement blocks it.
    case duty
    /// A basis with its affirmations and an agreement in force allows it.
    case may
}

/// What the policy says about one notification at one instant.
///
/// Constant in `at ..< until`, but for the instants in `acknowledgeBy`, which count from `at`.
package struct Decision: Sendable, Equatable {
    /// The instant it was made for.
    package let at: Timestamp
    /// The class of the notification, raised by circumstances and by the sender, never lowered.
    package let urgency: UrgencyClass
    /// One per party that gets a copy, sorted by party.
    package let grants: [Grant]
    /// One per party that was named, or that a rule reached without result; sorted by party, then by name in the audience.
    package let refusals: [PartyRefusal]
    /// The next instant at which anything that was looked at changes, what said no included.
    package let until: Timestamp
    /// Set when nobody gets it: the whole SEND is refused with this.
    package let refusal: Refusal?

    /// A decision from its parts.
    package init(
        at: Timestamp, urgency: UrgencyClass, grants: [Grant], refusals: [PartyRefusal], until: Timestamp,
        refusal: Refusal?
    ) {
        self.at = at
        self.urgency = urgency
        self.grants = grants
        self.refusals = refusals
        self.until = until
        self.refusal = refusal
    }
}

/// When a person must have acknowledged.
package enum Deadline: Hashable, Sendable {
    /// So many seconds of real time after acceptance.
    case after(seconds: Int64)
    /// At an instant that a calendar gave.
    case by(Timestamp)
    /// Nobody needs to acknowledge.
    case none

    /// The instant, for a notification accepted at `start`; nil for `.none`.
    package func instant(from start: Timestamp) -> Timestamp? {
        switch self {
        case .after(let seconds): start.advanced(bySeconds: seconds)
        case .by(let instant): instant
        case .none: nil
        }
    }
}

/// One party's copy: who gets it, by which rule, with what in it.
package struct Grant: Sendable, Equatable {
    /// The party that is responsible for it: with an on-call desk still the board.
    package var party: PartyID
    /// The desk where it waits: one of the party's own, or of the agent.
    package var desk: DeskID
    /// The on-call desk's own party, when that acts for `party`.
    package var agent: PartyID?
    /// The party whose desks were closed and whose fallback `party` is.
    package var insteadOf: PartyID?
    /// The rule that delivers it.
    package var rule: RuleID
    /// Whether the rule is a duty.
    package var effect: Effect
    /// The legal basis in `law.yaml`.
    package var basis: String
    /// Secrecy marking (OSL 5:5): provision, and the authority that sends.
    package var marking: String
    /// The class for this party: the decision's, or more urgent where its rule says so.
    package var urgency: UrgencyClass
    /// Envelope attributes in the copy besides the fixed ones, in the rule's order.
    package var attributes: [String]
    /// Fields of `data` in the copy, in the rule's order, without what a `never` rule took away.
    package var fields: [String]
    /// Whether this is the view for protected or unknown protection.
    package var isStrict: Bool
    /// Whether somebody is at the desk now (its calendar is open and its roster filled).
    package var isStaffed: Bool
    /// The delivery waits for its calendar until then; nil when it goes at once.
    package var notBefore: Timestamp?
    /// From which `acknowledgeBy` was counted.
    package var deadline: Deadline
    /// When a person must have acknowledged; nil for information.
    package var acknowledgeBy: Timestamp?
    /// Why, each with the place in the policy that says so.
    package var reasons: [Reason]

    /// A grant from its parts.
    package init(
        party: PartyID, desk: DeskID, agent: PartyID? = nil, insteadOf: PartyID? = nil, rule: RuleID, effect: Effect,
        basis: String, marking: String, urgency: UrgencyClass, attributes: [String], fields: [String],
        isStrict: Bool, isStaffed: Bool = true, notBefore: Timestamp? = nil, deadline: Deadline,
        acknowledgeBy: Timestamp?, reasons: [Reason] = []
    ) {
        self.party = party
        self.desk = desk
        self.agent = agent
        self.insteadOf = insteadOf
        self.rule = rule
        self.effect = effect
        self.basis = basis
        self.marking = marking
        self.urgency = urgency
        self.attributes = attributes
        self.fields = fields
        self.isStrict = isStrict
        self.isStaffed = isStaffed
        self.notBefore = notBefore
        self.deadline = deadline
        self.acknowledgeBy = acknowledgeBy
        self.reasons = reasons
    }
}

/// A party that does not get the notification although it was named, or a rule reached it.
package struct PartyRefusal: Sendable, Equatable {
    /// The party.
    package var party: PartyID
    /// Speaks of policy and of what the sender supplied, of nothing else.
    package var code: RefusalCode
    /// The rule that came nearest, or the `never` rule.
    package var rule: RuleID?
    /// Why, each with the place in the policy that says so.
    package var reasons: [Reason]
    /// Whether the sender gets a `refused` receipt: it named the party, or a duty would have reached it, or it named nobody and
    /// a rule reached the party but for something that can be remedied.
    package var isReported: Bool

    /// A refusal from its parts.
    package init(party: PartyID, code: RefusalCode, rule: RuleID?, reasons: [Reason], isReported: Bool) {
        self.party = party
        self.code = code
        self.rule = rule
        self.reasons = reasons
        self.isReported = isReported
    }
}

/// One step of a decision, with the place in the policy that made it. Text is made at the edge.
package struct Reason: Hashable, Sendable {
    /// What was found.
    package let kind: Kind
    /// The rule that was being judged.
    package let rule: RuleID?
    /// Where the policy says so.
    package let location: SourceLocation?

    /// A reason from its parts.
    package init(_ kind: Kind, rule: RuleID? = nil, at location: SourceLocation? = nil) {
        self.kind = kind
        self.rule = rule
        self.location = location
    }

    /// What was found.
    package enum Kind: Hashable, Sendable {
        /// The rule delivers, on this basis.
        case delivers(effect: Effect, basis: String)
        /// No rule names this party for this type: denied by default.
        case deniedByDefault
        /// The audience names a party or group that the policy does not know.
        case unknownInAudience
        /// The audience names this party, whose work the recipient has taken over.
        case merged(from: PartyID)
        /// The sender's audience leaves this party out.
        case notInAudience
        /// A `never` rule stops it.
        case never
        /// A `never` rule takes these fields out; for a duty without fields of its own, all of them.
        case redacted(fields: [String])
        /// The rule is as if absent: the approval of these parties is missing.
        case notApproved([PartyID])
        /// The rule is not in force now.
        case notInForce
        /// The legal basis is not in force now.
        case basisNotInForce(basis: String)
        /// The legal basis is not for this sender, recipient or type.
        case basisDoesNotCover(basis: String)
        /// The legal basis does not lift this secrecy at the source.
        case secrecyExcluded(basis: String, secrecy: String)
        /// The sender must affirm these for this notification.
        case affirmationsMissing([String])
        /// The consent of one of these is needed.
        case consentMissing(of: [String])
        /// No agreement covers sender, recipient and municipality.
        case noAgreement
        /// This agreement would, but it is a draft, partly signed or not yet valid.
        case agreementNotInForce(agreement: String)
        /// This agreement did, and has ended.
        case agreementEnded(agreement: String)
        /// This agreement covers it.
        case agreement(String)
        /// Identity is protected or unknown, and the party is in another county without being named by the sender for a duty.
        case protectedIdentity
        /// The desk is open by its calendar.
        case deskOpen(DeskID)
        /// The board's own desks are closed; this on-call desk acts for it.
        case onCall(DeskID, agent: PartyID)
        /// The desks of this party are closed, and this is its fallback.
        case fallback(for: PartyID)
        /// Nobody is at any desk: it waits at the party's first, and the ladder climbs.
        case unstaffed(DeskID)
        /// It waits until the desk opens.
        case held(DeskID, until: Timestamp)
    }
}
