package import CaseNotifications

/// What the journal keeps of a notification's acceptance, names resolved: who, what and by which rules; no content, no case.
package struct AcceptedFacts: Sendable, Equatable {
    /// One party that got it.
    package struct Granted: Sendable, Equatable {
        /// The party.
        package let party: PartyID
        /// By which rule and with what.
        package let shape: GrantShape
        /// The class for this party.
        package let urgency: UrgencyClass
    }

    /// The notification.
    package let notification: NotificationID
    /// When it was accepted.
    package let at: Timestamp
    /// The sender.
    package let source: PartyID
    /// The type.
    package let type: EventType
    /// The municipality, if the event had one.
    package let municipality: String?
    /// The policy that was in force.
    package let policy: Digest
    /// Its class.
    package let urgency: UrgencyClass
    /// Whether it is a drill.
    package let isDrill: Bool
    /// Whether it was treated as of a protected person: so it was said, or nothing was said.
    package let isProtected: Bool
    /// Whom it went to.
    package let grants: [Granted]
    /// Whom it did not go to, of whom the sender was told.
    package let refusals: [PartyID: RefusalCode]
}

extension Relay {
    /// Learns a name from an event that brings one, and nothing else from any: for a reader that only looks up names.
    package mutating func learnName(from event: Event) {
        switch event.body {
        case .named, .numbered:
            guard fits(event.body) else { return }
            apply(event)
        default: return
        }
    }

    /// The policy that a part belongs to; nil if its name is not known.
    package func policy(of part: PolicyPart) -> Digest? {
        guard case .policy(let digest) = known(part.policy) else { return nil }
        return digest
    }

    /// The type that a number of an event stands for; nil if it is not known.
    package func type(of number: NameNumber) -> EventType? {
        guard case .type(let type) = known(number) else { return nil }
        return type
    }

    /// An acceptance with its names; nil if one of them is not known.
    package func facts(of accepted: Accepted, at instant: Timestamp) -> AcceptedFacts? {
        guard case .party(let source) = known(accepted.source), case .type(let type) = known(accepted.type),
            case .policy(let policy) = known(accepted.policy)
        else { return nil }
        var municipality: String?
        if case .text(let text) = known(accepted.municipality) { municipality = text }
        var grants: [AcceptedFacts.Granted] = []
        for grant in accepted.grants {
            guard case .party(let party) = known(grant.party), case .shape(let shape) = known(grant.shape) else {
                return nil
            }
            grants.append(AcceptedFacts.Granted(party: party, shape: shape, urgency: grant.urgency))
        }
        var refusals: [PartyID: RefusalCode] = [:]
        for refusal in accepted.refusals {
            guard case .party(let party) = known(refusal.party) else { return nil }
            refusals[party] = refusal.code
        }
        return AcceptedFacts(
            notification: accepted.notification, at: instant, source: source, type: type, municipality: municipality,
            policy: policy, urgency: accepted.urgency, isDrill: accepted.isDrill, isProtected: accepted.isProtected,
            grants: grants, refusals: refusals)
    }

    private func known(_ number: NameNumber) -> Name? {
        Int(number) < names.all.count ? names.all[Int(number)] : nil
    }
}
