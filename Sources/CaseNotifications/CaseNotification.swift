/// A recipient whom the sender names in `audience`, and why.
package struct AudienceEntry: Hashable, Sendable {
    /// A party's or a group's id.
    package let to: String
    /// The reason that the sender gives: `respondent`, `protected`.
    package let why: String

    /// An entry.
    package init(to: String, why: String) {
        self.to = to
        self.why = why
    }
}

/// What the sender affirms for one notification, in whose name and when.
package struct Affirmation: Hashable, Sendable {
    /// The affirmation's name in `law.yaml`: `balance-done`.
    package let name: String
    /// Who made the judgement.
    package let person: PersonID
    /// When it was made.
    package let at: Timestamp

    /// An affirmation.
    package init(name: String, person: PersonID, at: Timestamp) {
        self.name = name
        self.person = person
        self.at = at
    }
}

/// Whose consent a notification rests on.
package enum ConsentGiver: String, CaseIterable, Sendable {
    case protectedPerson = "protected-person"
    case respondent
}

/// A member of a JSON object: its name and where its value stands in the body.
package struct RawMember: Sendable, Equatable {
    /// The member's name, always one that the envelope or the catalogue knows.
    package let name: String
    /// The bytes of the value in the body, quotes included.
    package let value: Range<Int>

    /// A member.
    package init(name: String, value: Range<Int>) {
        self.name = name
        self.value = value
    }
}

/// One decoded CloudEvents 1.0 event about a case: the envelope as typed values, `data` as byte ranges.
///
/// The envelope is all that routing reads. `body` is what is stored and what every copy is cut from.
package struct CaseNotification: Sendable, Equatable {
    /// The sender's id; unique together with `source`.
    package var id: String
    /// The party in `urn:budkavle:<party>`. That it is the authenticated one is the session's to check.
    package var source: PartyID
    /// What has happened.
    package var type: EventType
    /// When it happened, as the sender says. Rules are never judged by it.
    package var time: Timestamp
    /// The case.
    package var subject: CaseID
    /// An absolute URI.
    package var dataschema: String?
    /// Two digits.
    package var county: String?
    /// Four digits that begin with the county's.
    package var municipality: String?
    /// Whom the sender names; empty if nobody. It narrows what the rules allow and is in no copy.
    package var audience: [AudienceEntry]
    /// What the sender asks for, at least as urgent as the type demands; nil leaves it to the type.
    package var urgency: UrgencyClass?
    /// One of the catalogue's programmes.
    package var programme: String?
    /// One of the catalogue's levels.
    package var level: String?
    /// Whether the person has protected identity; nil is unknown and counts as protected.
    package var isProtected: Bool?
    /// Whether this is a drill.
    package var isDrill: Bool
    /// Chapter and section that protect the information at the source: `26:1`.
    package var secrecy: String?
    /// Codes from the catalogue's closed list, in the sender's order.
    package var circumstances: [String]
    /// What the sender affirms.
    package var affirmations: [Affirmation]
    /// A reference to a consent.
    package var consent: String?
    /// Who gave it: `protected-person` or `respondent`.
    package var consentOf: String?
    /// The earlier notification that this one replaces.
    package var supersedes: NotificationID?
    /// After this it is of no use to anybody.
    package var expirytime: Timestamp?
    /// The relay's id of the first notification of a chain.
    package var correlationid: String?
    /// The relay's id of the notification that caused this one.
    package var causationid: String?
    /// Every envelope attribute that is set, in the order of the body; `data` is not among them.
    package var attributes: [RawMember]
    /// The members of `data`, in the order of the body.
    package var fields: [RawMember]
    /// The bytes as received.
    package var body: [UInt8]

    /// A notification from its parts. Only `NotificationDecoder` checks them.
    package init(
        id: String, source: PartyID, type: EventType, time: Timestamp, subject: CaseID, dataschema: String? = nil,
        county: String? = nil, municipality: String? = nil, audience: [AudienceEntry] = [],
        urgency: UrgencyClass? = nil, programme: String? = nil, level: String? = nil, isProtected: Bool? = nil,
        isDrill: Bool = false, secrecy: String? = nil, circumstances: [String] = [], affirmations: [Affirmation] = [],
        consent: String? = nil, consentOf: String? = nil, supersedes: NotificationID? = nil,
        expirytime: Timestamp? = nil, correlationid: String? = nil, causationid: String? = nil,
        attributes: [RawMember] = [], fields: [RawMember] = [], body: [UInt8] = []
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.subject = subject
        self.dataschema = dataschema
        self.county = county
        self.municipality = municipality
        self.audience = audience
        self.urgency = urgency
        self.programme = programme
        self.level = level
        self.isProtected = isProtected
        self.isDrill = isDrill
        self.secrecy = secrecy
        self.circumstances = circumstances
        self.affirmations = affirmations
        self.consent = consent
        self.consentOf = consentOf
        self.supersedes = supersedes
        self.expirytime = expirytime
        self.correlationid = correlationid
        self.causationid = causationid
        self.attributes = attributes
        self.fields = fields
        self.body = body
    }
}
