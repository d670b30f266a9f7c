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
    /// The next number stands for this name. Only in journals of format version 1: a lost record would shift all later
    /// ones, so after a loss it does not fit.
    case named(Name)
    /// This number stands for this name.
    case numbered(Name, as: UInt32)
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
    /// Only in journals of format version 1, where it names a receipt by its number; after a loss it does not fit.
    case receiptsRead(party: NameNumber, client: NameNumber, through: UInt64)
    case receiptsConfirmed(party: NameNumber, client: NameNumber, through: ReceiptPlace)
    case policy(PolicyPart)
    case clock(ClockChange.Kind, to: Timestamp, party: NameNumber, client: NameNumber)
    case audited(Audited)
    /// What is past its time at the event's `at` is dropped, at most `Relay.trimLimit` of each kind.
    case trimmed
    /// Something was done with the journal, or found out about it.
    case maintenance(Maintenance)
    /// The content cannot be read any more, and nobody meant that: its deliveries are set aside and the sender is told.
    case unreadable(NotificationID)
    /// The policy in force gives its party no right to it any more: no station and no person gets it while that is so.
    case held(DeliveryID, code: RefusalCode)
    /// A later policy gives the right back: it waits for a station again.
    case released(DeliveryID)
    /// The policy in force has another desk in place of the one where it was, or another party in place of a merged one.
    case moved(DeliveryID, party: NameNumber, desk: NameNumber, agent: NameNumber)

    /// The notifications that the event is about; a reader of one notification's history needs no others.
    package var notifications: [NotificationID] {
        switch self {
        case .accepted(let accepted): [accepted.notification]
        case .custody(let delivery, _), .returned(let delivery, _, _), .setAside(let delivery, _),
            .requeued(let delivery, _, _), .opened(let delivery, _), .acknowledged(let delivery, _, _, _),
            .held(let delivery, _), .released(let delivery), .moved(let delivery, _, _, _):
            [delivery.notification]
        case .maintenance(let maintenance): maintenance.notifications
        case .unreadable(let notification): [notification]
        case .named, .numbered, .refused, .availability, .receiptsRead, .receiptsConfirmed, .policy, .clock, .audited,
            .trimmed:
            []
        }
    }
}

/// Where a receipt is among those of its party: by the record that it speaks of, which no loss can shift.
package struct ReceiptPlace: Sendable, Equatable {
    /// Its number, from 1, as it was when this was written.
    package var number: UInt64
    package var sequence: UInt64
    /// Tells receipts of one event apart.
    package var ordinal: UInt16
}

/// Records that are lost: the number of the first, and how many.
package struct LostRecords: Sendable, Equatable {
    package var first: UInt64
    package var count: UInt64

    /// So many records from `first` on.
    package init(first: UInt64, count: UInt64) {
        self.first = first
        self.count = count
    }
}

/// What was done with the journal. Codes, counts and ids only: the reason is a stored text, sealed like a note.
package struct Maintenance: Sendable, Equatable {
    /// The most notifications that one event names.
    package static let notificationLimit = 256

    /// What was done. Raw values are those on disk.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Somebody accepted a finding that would not have let the journal start.
        case override = 1
        /// Records are lost: `lost` says which, `count` how many in all.
        case lost = 2
        /// The contents of `notifications` are destroyed; a case of them gets new keys. `count` of slots.
        case erased = 3
        /// New segment keys; `what` names the master key.
        case rotated = 4
        /// A master key was retired, `what` names it; or, by the relay itself, `count` old `segments`.
        case retired = 5
        case backup = 6
        case restored = 7
        case salvaged = 8
        /// A client showed a checkpoint beside or beyond the log: all answers stop.
        case checkpointStop = 9
        case checkpointCleared = 10
    }

    package var kind: Kind
    /// Who did it: a party, a client or a text; `.none` for the relay itself.
    package var by: NameNumber
    /// A code: a key's id, a kind of damage. `.none` without one.
    package var what: NameNumber
    package var count: UInt64
    package var lost: LostRecords?
    package var notifications: [NotificationID]
    /// The slot under which the reason is sealed.
    package var reasonSlot: UInt64?
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
