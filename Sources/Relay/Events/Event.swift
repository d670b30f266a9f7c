package import CaseNotifications

/// 16 random bytes in every event: what keeps the leaf of an erased event from being guessed.
package struct LeafRandom: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// These 16 bytes.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ random: inout some RandomNumberGenerator) {
        self.init(high: random.next(), low: random.next())
    }
}

/// Something that has been decided: one record of the journal. The state is nothing but the fold of these.
package struct Event: Sendable, Equatable {
    /// The relay's time, simulated where the collaboration's is.
    package var at: Timestamp
    package var leaf: LeafRandom
    package var body: EventBody

    /// An event.
    package init(at: Timestamp, leaf: LeafRandom, body: EventBody) {
        self.at = at
        self.leaf = leaf
        self.body = body
    }
}

/// What has been decided. Numbers are those of the names that earlier `.named` events brought.
package enum EventBody: Sendable, Equatable {
    /// The next number stands for this name.
    case named(Name)
    case accepted(Accepted)
    /// Audit only: it binds no id.
    case refused(party: NameNumber, client: NameNumber, code: RefusalCode, digest: Digest)
    /// New notifications are answered `unavailable` from here on, or no longer.
    case availability(Availability)
    case custody(DeliveryID, client: NameNumber)
    case returned(DeliveryID, client: NameNumber, readyAt: Timestamp)
    case setAside(DeliveryID, client: NameNumber)
    case requeued(DeliveryID, party: NameNumber, client: NameNumber)
    case opened(DeliveryID, HumanAct)
    case acknowledged(DeliveryID, HumanAct, Decided, noteSlot: UInt64?)
    case receiptsRead(party: NameNumber, client: NameNumber, through: UInt64)
    case policy(PolicyPart)
    case clock(ClockChange.Kind, to: Timestamp, party: NameNumber, client: NameNumber)
    case audited(Audited)
    /// What is past its time at the event's `at` is dropped, at most `Relay.trimLimit` of each kind.
    case trimmed
}

/// A notification that is now the relay's to deliver.
package struct Accepted: Sendable, Equatable {
    package var notification: NotificationID
    /// The sender's id.
    package var sourceID: String
    package var source: NameNumber
    package var client: NameNumber
    package var type: NameNumber
    package var policy: NameNumber
    package var municipality: NameNumber
    package var subject: CaseID
    package var digest: Digest
    /// The slot of the case's keys, and whether the case is new.
    package var caseSlot: UInt64
    package var isNewCase: Bool
    package var notificationSlot: UInt64
    package var urgency: UrgencyClass
    package var isDrill: Bool
    package var isProtected: Bool
    package var supersedes: NotificationID?
    /// In the order of the decision; the place is the delivery's ordinal.
    package var grants: [Granted]
    /// Those of which the sender is told.
    package var refusals: [Denied]
}

/// One party's delivery.
package struct Granted: Sendable, Equatable {
    package var party: NameNumber
    package var desk: NameNumber
    package var agent: NameNumber
    package var shape: NameNumber
    package var urgency: UrgencyClass
    package var acknowledgeBy: Timestamp?
    package var notBefore: Timestamp?
}

/// One party that does not get it.
package struct Denied: Sendable, Equatable {
    package var party: NameNumber
    package var code: RefusalCode
}

/// Who did something with a delivery, as which role, and when by his own account.
package struct HumanAct: Sendable, Equatable {
    package var party: NameNumber
    package var client: NameNumber
    package var person: PersonNumber
    package var role: NameNumber
    package var reportedAt: Timestamp?
}

/// An outcome with what belongs to it.
package enum Decided: Sendable, Equatable {
    case taken
    case alreadyKnown(earlier: NotificationID)
    case handedOver(desk: NameNumber, role: NameNumber, endsAgency: Bool)
    case notOurs(municipality: NameNumber)
    case recused
}

/// A part of a policy's canonical text. The last part makes it the active one.
package struct PolicyPart: Sendable, Equatable {
    package var policy: NameNumber
    package var part: UInt16
    package var parts: UInt16
    package var party: NameNumber
    package var client: NameNumber
    package var text: [UInt8]
}

/// Somebody used, or tried to use, a right.
package struct Audited: Sendable, Equatable {
    package var party: NameNumber
    package var client: NameNumber
    package var person: PersonNumber
    package var verb: NameNumber
    package var isAllowed: Bool
    package var code: RefusalCode?
    package var subject: String?
}
