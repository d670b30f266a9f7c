package import CaseNotifications
package import Routing

/// Who asks for something: the client of one connection, and the desks that the policy gives it now.
package struct Actor: Sendable, Equatable {
    package var party: PartyID
    package var client: ClientID
    /// The person, when the certificate is a person's or a station names him.
    package var person: PersonID?
    package var role: String?
    /// Desks where this client is a station, or where this person works.
    package var desks: [DeskID]

    /// An actor.
    package init(party: PartyID, client: ClientID, person: PersonID? = nil, role: String? = nil, desks: [DeskID] = []) {
        self.party = party
        self.client = client
        self.person = person
        self.role = role
        self.desks = desks
    }
}

extension Actor {
    var member: StaffMember? { person.map { StaffMember(party: party, person: $0) } }
}

/// A decoded notification with the policy's decision about it.
package struct Submission: Sendable {
    package var notification: CaseNotification
    /// Of the body as received.
    package var digest: Digest
    package var party: PartyID
    package var client: ClientID
    package var notificationSlot: UInt64
    /// Used if the case is new; `Relay.caseSlot(of:)` says which one was used before.
    package var freshCaseSlot: UInt64
    package var decision: Decision
    package var policy: Digest
    /// Whether the case's slot of before cannot be used any more, erased or lost: the case goes on with the fresh one.
    package var isCaseSlotGone = false
    /// Whether its type is an answer: then it goes to the sender of what its `causationid` names, and to nobody else.
    package var isAnswer = false
    /// What it names (`supersedes`, `causationid`) and has left memory, as it was read from disk.
    package var recalled: [NotificationID: NamedNotification] = [:]

    /// A submission.
    package init(
        notification: CaseNotification, digest: Digest, party: PartyID, client: ClientID, notificationSlot: UInt64,
        freshCaseSlot: UInt64, decision: Decision, policy: Digest
    ) {
        self.notification = notification
        self.digest = digest
        self.party = party
        self.client = client
        self.notificationSlot = notificationSlot
        self.freshCaseSlot = freshCaseSlot
        self.decision = decision
        self.policy = policy
    }
}

/// What a submission names, as far as that decides whether it may.
package struct NamedNotification: Sendable, Equatable {
    let facts: NotificationFacts
    /// Whoever got it.
    let parties: Set<PartyID>
}

extension HistoricTrail {
    /// The notification as another one names it; nil before its acceptance was added.
    package var named: NamedNotification? {
        notification.map { NamedNotification(facts: $0, parties: Set(deliveries.map(\.party))) }
    }
}

/// A submission that was refused before it came to the relay. Never for `unavailable`, which is counted.
package struct RefusedSubmission: Sendable, Equatable {
    package var party: PartyID
    package var client: ClientID
    package var code: RefusalCode
    package var digest: Digest

    /// A refused submission.
    package init(party: PartyID, client: ClientID, code: RefusalCode, digest: Digest) {
        self.party = party
        self.client = client
        self.code = code
        self.digest = digest
    }
}

/// Whether new notifications can be stored.
package enum Availability: Sendable, Equatable { case available, unavailable }

/// Content was released to a named person.
package struct Opening: Sendable, Equatable {
    package var notification: NotificationID
    package var actor: Actor
    package var person: PersonID
    package var role: String
    /// When a station says that it was; nil: now, by the relay itself.
    package var at: Timestamp?

    /// An opening.
    package init(notification: NotificationID, actor: Actor, person: PersonID, role: String, at: Timestamp?) {
        self.notification = notification
        self.actor = actor
        self.person = person
        self.role = role
        self.at = at
    }
}

/// Where a delivery is handed to, as the policy resolved it.
package struct HandOverTarget: Sendable, Equatable {
    /// The party that the desk belongs to.
    package var party: PartyID
    package var desk: DeskID
    package var role: String?

    /// A desk, and a role at it if only that is meant.
    package init(party: PartyID, desk: DeskID, role: String?) {
        self.party = party
        self.desk = desk
        self.role = role
    }
}

/// An outcome with what belongs to it.
package enum Act: Sendable, Equatable {
    case taken
    case alreadyKnown(earlier: NotificationID)
    case handedOver(to: HandOverTarget)
    case notOurs(municipality: String?)
    case recused

    /// The outcome alone.
    package var outcome: Outcome {
        switch self {
        case .taken: .taken
        case .alreadyKnown: .alreadyKnown
        case .handedOver: .handedOver
        case .notOurs: .notOurs
        case .recused: .recused
        }
    }
}

/// A person says what becomes of a notification.
package struct Acknowledgement: Sendable, Equatable {
    package var notification: NotificationID
    package var actor: Actor
    package var person: PersonID
    package var role: String
    package var act: Act
    /// When by the client's account; tells a repeated command from a second one.
    package var at: Timestamp?
    /// The slot under which a note is sealed.
    package var noteSlot: UInt64?
    /// Parties that got the earlier notification which `act` names, read from disk, if that has left memory.
    package var earlierParties: [PartyID] = []

    /// An acknowledgement.
    package init(
        notification: NotificationID, actor: Actor, person: PersonID, role: String, act: Act, at: Timestamp?,
        noteSlot: UInt64? = nil
    ) {
        self.notification = notification
        self.actor = actor
        self.person = person
        self.role = role
        self.act = act
        self.at = at
        self.noteSlot = noteSlot
    }
}

/// Who reads receipts: all of a party (`/receipts`) or one client's own (`/receipts/mine`).
package enum ReceiptReader: Hashable, Sendable {
    case party(PartyID)
    case client(PartyID, ClientID)

    /// The party whose receipts are read.
    package var party: PartyID {
        switch self {
        case .party(let party), .client(let party, _): party
        }
    }
}

/// Where a delivery is: whose it is, at which desk, and the on-call desk's own party, if that acts.
package struct DeliveryPlace: Sendable, Equatable {
    package var party: PartyID
    package var desk: DeskID
    package var agent: PartyID?

    /// A place.
    package init(party: PartyID, desk: DeskID, agent: PartyID?) {
        self.party = party
        self.desk = desk
        self.agent = agent
    }
}

/// A part of a policy's canonical text that becomes active.
package struct PolicyActivation: Sendable, Equatable {
    /// The longest part, in bytes.
    package static let partLimitBytes = 1_000_000
    package var digest: Digest
    package var text: [UInt8]
    /// From 0.
    package var part: UInt16
    package var parts: UInt16
    /// Nil at start.
    package var actor: Actor?

    /// A part.
    package init(digest: Digest, text: [UInt8], part: UInt16 = 0, parts: UInt16 = 1, by actor: Actor? = nil) {
        self.digest = digest
        self.text = text
        self.part = part
        self.parts = parts
        self.actor = actor
    }

    /// The whole text in parts that each fit one record.
    package static func all(digest: Digest, text: [UInt8], by actor: Actor? = nil) -> [PolicyActivation] {
        let count = max(1, (text.count + partLimitBytes - 1) / partLimitBytes)
        return (0..<count).map { part in
            let slice = text[part * partLimitBytes..<min(text.count, (part + 1) * partLimitBytes)]
            return PolicyActivation(
                digest: digest, text: Array(slice), part: UInt16(part), parts: UInt16(count), by: actor)
        }
    }
}

/// The simulated clock.
package enum ClockChange: Sendable, Equatable {
    /// It has come so far by itself.
    case reached(Timestamp)
    /// Somebody moved it.
    case advanced(to: Timestamp, by: Actor)

    /// Which of the two.
    package enum Kind: UInt8, Sendable { case reached, advanced }
}

/// Somebody used, or tried to use, a right.
package struct AuditNote: Sendable, Equatable {
    /// The longest verb and subject, in bytes.
    package static let textLimitBytes = 128
    package var actor: Actor
    /// A code: `drain`, `reload`. Never foreign text.
    package var verb: String
    package var isAllowed: Bool
    package var code: RefusalCode?
    /// An id.
    package var subject: String?

    /// A note.
    package init(actor: Actor, verb: String, isAllowed: Bool, code: RefusalCode? = nil, subject: String? = nil) {
        self.actor = actor
        self.verb = verb
        self.isAllowed = isAllowed
        self.code = code
        self.subject = subject
    }
}

/// What the relay can be asked to do.
package enum Command: Sendable {
    case submit(Submission)
    case refuse(RefusedSubmission)
    case availability(Availability)
    /// A station's ACK.
    case custody(DeliveryID, by: Actor)
    /// A station's NACK.
    case giveBack(DeliveryID, by: Actor)
    /// An administrator makes a dead letter ready again.
    case requeue(DeliveryID, by: Actor)
    case open(Opening)
    case acknowledge(Acknowledgement)
    /// A reader has confirmed everything up to this number.
    case readReceipts(ReceiptReader, through: UInt64)
    case activate(PolicyActivation)
    case clock(ClockChange)
    case audit(AuditNote)
    case maintain(MaintenanceNote)
    /// The content of this notification cannot be read any more.
    case unreadable(NotificationID)
    /// The policy in force gives this delivery's party no right to it any more.
    case hold(DeliveryID, code: RefusalCode)
    /// The policy in force gives the right back.
    case release(DeliveryID)
    /// The policy in force has another place for it.
    case move(DeliveryID, to: DeliveryPlace)
    /// Drops what is past its time.
    case trim
}

/// What the asker is told, once the events are on disk.
package enum Answer: Sendable, Equatable {
    case accepted(NotificationID, sequence: UInt64)
    /// The stored answer to the same submission.
    case duplicate(NotificationID, sequence: UInt64)
    /// For a repeated command the stored sequence, without events.
    case done(sequence: UInt64)
    /// There was nothing to do and nothing to store.
    case nothing
    case refused(Refusal)
}

/// What was decided about one command.
package struct Verdict: Sendable, Equatable {
    package var answer: Answer
    /// To be applied in this order at once, and appended as one request.
    package var events: [Event]
}

/// What was decided about a transaction.
package struct TransactionVerdict: Sendable, Equatable {
    /// One per command; one alone if the whole was refused.
    package var answers: [Answer]
    /// Which command was refused, from 0.
    package var refusedIndex: Int?
    package var events: [Event]
}

/// What an event has changed outside the relay's own state.
package enum Change: Sendable, Equatable {
    /// A delivery waits for a station.
    case queued(Ticket)
    case custody(DeliveryID)
    case returned(DeliveryID, readyAt: Timestamp)
    case setAside(DeliveryID)
    /// It is no longer for a station, or not at this desk.
    case withdrawn(DeliveryID)
    /// What the people of a desk see of a delivery has changed.
    case desk(DeskID, DeliveryID)
    /// A sender has a new receipt.
    case receipt(party: PartyID, client: ClientID, number: UInt64)
    case policy(Digest)
    case clock(Timestamp)
}

/// A delivery in the machine queue of a desk.
package struct Ticket: Sendable, Equatable {
    package var delivery: DeliveryID
    package var desk: DeskID
    package var urgency: UrgencyClass
    package var subject: CaseID
    /// Waits for its calendar or backs off until then.
    package var readyAt: Timestamp
    /// The record number of its acceptance: first in, first out by it.
    package var order: UInt64
    /// Journaled returns.
    package var deliveryCount: UInt16
    package var isRedelivered: Bool

    /// A ticket.
    package init(
        delivery: DeliveryID, desk: DeskID, urgency: UrgencyClass, subject: CaseID, readyAt: Timestamp, order: UInt64,
        deliveryCount: UInt16 = 0, isRedelivered: Bool = false
    ) {
        self.delivery = delivery
        self.desk = desk
        self.urgency = urgency
        self.subject = subject
        self.readyAt = readyAt
        self.order = order
        self.deliveryCount = deliveryCount
        self.isRedelivered = isRedelivered
    }
}
