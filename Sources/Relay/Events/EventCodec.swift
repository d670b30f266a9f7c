import CaseNotifications

/// Events as bytes of the journal.
///
/// kind (1 byte), version (1 byte), `at` (zigzag LEB128 of milliseconds), leaf random (16 bytes), then the fields of the
/// kind: numbers as LEB128 in their shortest form, texts and byte strings behind their length, ids as 16 bytes big-endian,
/// an optional behind a byte 0 or 1. There is one encoding for every event, and nothing may follow it. A kind's fields
/// never change under one version.
package enum EventCodec {
    /// The version of every kind so far.
    static let version: UInt8 = 1

    /// The event's bytes.
    package static func encode(_ event: Event) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(192)
        encode(event, into: &bytes)
        return bytes
    }

    /// Appends the event's bytes.
    package static func encode(_ event: Event, into bytes: inout [UInt8]) {
        var writer = ByteWriter(bytes: [])
        swap(&writer.bytes, &bytes)
        writer.byte(Kind(event.body).rawValue)
        writer.byte(version)
        writer.time(event.at)
        writer.word(event.leaf.high)
        writer.word(event.leaf.low)
        writer.body(event.body)
        swap(&writer.bytes, &bytes)
    }

    /// The event that these bytes are. Never traps.
    package static func decode(_ bytes: [UInt8]) throws(EventCodecError) -> Event {
        var reader = ByteReader(bytes)
        let number = try reader.byte()
        guard let kind = Kind(rawValue: number) else { throw .unknownKind(number) }
        let found = try reader.byte()
        guard found == version else { throw .unknownVersion(kind: number, version: found) }
        let at = try reader.time()
        let leaf = LeafRandom(high: try reader.word(), low: try reader.word())
        let event = Event(at: at, leaf: leaf, body: try reader.body(kind))
        try reader.end()
        return event
    }

    /// The first byte of a record. Numbers are never used again for something else.
    enum Kind: UInt8, CaseIterable {
        case named = 1
        case accepted = 2
        case refused = 3
        case availability = 4
        case custody = 5
        case returned = 6
        case setAside = 7
        case requeued = 8
        case opened = 9
        case acknowledged = 10
        case receiptsRead = 11
        case policy = 12
        case clock = 13
        case audited = 14
        case trimmed = 15
        case numbered = 16
        case receiptsConfirmed = 17
        case maintenance = 18
        case unreadable = 19
        case held = 20
        case released = 21
        case moved = 22

        init(_ body: EventBody) {
            switch body {
            case .named: self = .named
            case .accepted: self = .accepted
            case .refused: self = .refused
            case .availability: self = .availability
            case .custody: self = .custody
            case .returned: self = .returned
            case .setAside: self = .setAside
            case .requeued: self = .requeued
            case .opened: self = .opened
            case .acknowledged: self = .acknowledged
            case .receiptsRead: self = .receiptsRead
            case .policy: self = .policy
            case .clock: self = .clock
            case .audited: self = .audited
            case .trimmed: self = .trimmed
            case .numbered: self = .numbered
            case .receiptsConfirmed: self = .receiptsConfirmed
            case .maintenance: self = .maintenance
            case .unreadable: self = .unreadable
            case .held: self = .held
            case .released: self = .released
            case .moved: self = .moved
            }
        }
    }
}

extension ByteWriter {
    mutating func body(_ body: EventBody) {
        switch body {
        case .named(let name): self.name(name)
        case .accepted(let accepted): self.accepted(accepted)
        case .refused(let party, let client, let code, let digest):
            number(party)
            number(client)
            self.code(code)
            self.digest(digest)
        case .availability(let availability): flag(availability == .available)
        case .custody(let delivery, let client), .setAside(let delivery, let client):
            id(delivery)
            number(client)
        case .returned(let delivery, let client, let readyAt):
            id(delivery)
            number(client)
            time(readyAt)
        case .requeued(let delivery, let party, let client):
            id(delivery)
            number(party)
            number(client)
        case .opened(let delivery, let act):
            id(delivery)
            self.act(act)
        case .acknowledged(let delivery, let act, let decided, let noteSlot):
            id(delivery)
            self.act(act)
            self.decided(decided)
            optional(noteSlot)
        case .receiptsRead(let party, let client, let through):
            number(party)
            number(client)
            number(through)
        case .policy(let part): self.part(part)
        case .clock(let kind, let to, let party, let client):
            flag(kind == .advanced)
            time(to)
            number(party)
            number(client)
        case .audited(let audited): self.audited(audited)
        case .trimmed: break
        case .numbered(let name, let number):
            self.number(number)
            self.name(name)
        case .receiptsConfirmed(let party, let client, let through):
            number(party)
            number(client)
            number(through.number)
            number(through.sequence)
            number(through.ordinal)
        case .maintenance(let maintenance): self.maintenance(maintenance)
        case .unreadable(let notification): id(notification)
        case .held(let delivery, let code):
            id(delivery)
            self.code(code)
        case .released(let delivery): id(delivery)
        case .moved(let delivery, let party, let desk, let agent):
            id(delivery)
            number(party)
            number(desk)
            number(agent)
        }
    }

    mutating func optional(_ value: UInt64?) {
        flag(value != nil)
        if let value { number(value) }
    }

    mutating func name(_ name: Name) {
        switch name {
        case .party(let party): named(1, party.text)
        case .desk(let desk): named(2, desk.text)
        case .client(let client): named(3, client.text)
        case .type(let type): named(4, type.text)
        case .text(let text): named(5, text)
        case .policy(let digest):
            byte(6)
            self.digest(digest)
        case .shape(let shape):
            named(7, shape.rule.text)
            text(shape.effect)
            text(shape.basis)
            text(shape.marking)
            texts(shape.attributes)
            texts(shape.fields)
            flag(shape.isStrict)
        case .person(let member):
            named(8, member.party.text)
            text(member.person.text)
        }
    }

    private mutating func named(_ kind: UInt8, _ value: String) {
        byte(kind)
        text(value)
    }

    private mutating func accepted(_ accepted: Accepted) {
        id(accepted.notification)
        text(accepted.sourceID)
        for name in [accepted.source, accepted.client, accepted.type, accepted.policy, accepted.municipality] {
            number(name)
        }
        text(accepted.subject.text)
        digest(accepted.digest)
        number(accepted.caseSlot)
        flag(accepted.isNewCase)
        number(accepted.notificationSlot)
        byte(accepted.urgency.rawValue)
        flag(accepted.isDrill)
        flag(accepted.isProtected)
        flag(accepted.supersedes != nil)
        if let supersedes = accepted.supersedes { id(supersedes) }
        number(UInt(accepted.grants.count))
        for grant in accepted.grants {
            number(grant.party)
            number(grant.desk)
            number(grant.agent)
            number(grant.shape)
            byte(grant.urgency.rawValue)
            time(grant.acknowledgeBy)
            time(grant.notBefore)
        }
        number(UInt(accepted.refusals.count))
        for refusal in accepted.refusals {
            number(refusal.party)
            code(refusal.code)
        }
    }

    private mutating func act(_ act: HumanAct) {
        number(act.party)
        number(act.client)
        number(act.person)
        number(act.role)
        time(act.reportedAt)
    }

    private mutating func decided(_ decided: Decided) {
        switch decided {
        case .taken: byte(1)
        case .alreadyKnown(let earlier):
            byte(2)
            id(earlier)
        case .handedOver(let desk, let role, let endsAgency):
            byte(3)
            number(desk)
            number(role)
            flag(endsAgency)
        case .notOurs(let municipality):
            byte(4)
            number(municipality)
        case .recused: byte(5)
        }
    }

    private mutating func part(_ part: PolicyPart) {
        number(part.policy)
        number(part.part)
        number(part.parts)
        number(part.party)
        number(part.client)
        data(part.text)
    }

    private mutating func audited(_ audited: Audited) {
        number(audited.party)
        number(audited.client)
        number(audited.person)
        number(audited.verb)
        flag(audited.isAllowed)
        code(audited.code)
        flag(audited.subject != nil)
        if let subject = audited.subject { text(subject) }
    }

    private mutating func maintenance(_ maintenance: Maintenance) {
        byte(maintenance.kind.rawValue)
        number(maintenance.by)
        number(maintenance.what)
        number(maintenance.count)
        flag(maintenance.lost != nil)
        if let lost = maintenance.lost {
            number(lost.first)
            number(lost.count)
        }
        number(UInt(maintenance.notifications.count))
        for notification in maintenance.notifications { id(notification) }
        optional(maintenance.reasonSlot)
    }
}
