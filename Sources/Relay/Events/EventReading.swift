import CaseNotifications

extension ByteReader {
    mutating func body(_ kind: EventCodec.Kind) throws(EventCodecError) -> EventBody {
        switch kind {
        case .named: .named(try name())
        case .accepted: .accepted(try accepted())
        case .refused: .refused(party: try name(), client: try name(), code: try code(), digest: try digest())
        case .availability: .availability(try flag() ? .available : .unavailable)
        case .custody: .custody(try delivery(), client: try name())
        case .returned: .returned(try delivery(), client: try name(), readyAt: try time())
        case .setAside: .setAside(try delivery(), client: try name())
        case .requeued: .requeued(try delivery(), party: try name(), client: try name())
        case .opened: .opened(try delivery(), try act())
        case .acknowledged: .acknowledged(try delivery(), try act(), try decided(), noteSlot: try optional())
        case .receiptsRead: .receiptsRead(party: try name(), client: try name(), through: try number())
        case .policy: .policy(try part())
        case .clock: .clock(try flag() ? .advanced : .reached, to: try time(), party: try name(), client: try name())
        case .audited: .audited(try audited())
        case .trimmed: .trimmed
        case .numbered: try numbered()
        case .receiptsConfirmed:
            .receiptsConfirmed(
                party: try name(), client: try name(),
                through: ReceiptPlace(number: try number(), sequence: try number(), ordinal: try name()))
        case .maintenance: .maintenance(try maintenance())
        case .unreadable: .unreadable(try notification())
        case .held: .held(try delivery(), code: try code())
        case .released: .released(try delivery())
        case .moved: .moved(try delivery(), party: try name(), desk: try name(), agent: try name())
        }
    }

    private mutating func numbered() throws(EventCodecError) -> EventBody {
        let number = try person()
        return .numbered(try name(), as: number)
    }

    private mutating func maintenance() throws(EventCodecError) -> Maintenance {
        guard let kind = Maintenance.Kind(rawValue: try byte()) else { throw bad }
        let by: NameNumber = try name()
        let what: NameNumber = try name()
        let count = try number()
        let lost = try flag() ? LostRecords(first: try number(), count: try number()) : nil
        let notificationCount = try self.count()
        guard notificationCount <= Maintenance.notificationLimit else { throw bad }
        var notifications: [NotificationID] = []
        for _ in 0..<notificationCount { notifications.append(try notification()) }
        return Maintenance(
            kind: kind, by: by, what: what, count: count, lost: lost, notifications: notifications,
            reasonSlot: try optional())
    }

    mutating func optional() throws(EventCodecError) -> UInt64? { try flag() ? try number() : nil }

    mutating func checked<Value>(_ make: (String) -> Value?) throws(EventCodecError) -> Value {
        guard let value = make(try text()) else { throw bad }
        return value
    }

    mutating func name() throws(EventCodecError) -> Name {
        switch try byte() {
        case 1: .party(try checked { PartyID($0) })
        case 2: .desk(try checked { DeskID($0) })
        case 3: .client(try checked { ClientID($0) })
        case 4: .type(try checked { EventType($0) })
        case 5: .text(try text())
        case 6: .policy(try digest())
        case 7:
            .shape(
                GrantShape(
                    rule: try checked { RuleID($0) }, effect: try text(), basis: try text(), marking: try text(),
                    attributes: try texts(), fields: try texts(), isStrict: try flag()))
        case 8:
            .person(StaffMember(party: try checked { PartyID($0) }, person: try checked { PersonID($0) }))
        default: throw bad
        }
    }

    private mutating func accepted() throws(EventCodecError) -> Accepted {
        Accepted(
            notification: try notification(), sourceID: try text(), source: try name(), client: try name(),
            type: try name(), policy: try name(), municipality: try name(), subject: try checked { CaseID($0) },
            digest: try digest(), caseSlot: try number(), isNewCase: try flag(), notificationSlot: try number(),
            urgency: try urgency(), isDrill: try flag(), isProtected: try flag(),
            supersedes: try flag() ? try notification() : nil, grants: try grants(), refusals: try refusals())
    }

    private mutating func grants() throws(EventCodecError) -> [Granted] {
        var grants: [Granted] = []
        for _ in 0..<(try count()) {
            grants.append(
                Granted(
                    party: try name(), desk: try name(), agent: try name(), shape: try name(), urgency: try urgency(),
                    acknowledgeBy: try optionalTime(), notBefore: try optionalTime()))
        }
        return grants
    }

    private mutating func refusals() throws(EventCodecError) -> [Denied] {
        var refusals: [Denied] = []
        for _ in 0..<(try count()) { refusals.append(Denied(party: try name(), code: try code())) }
        return refusals
    }

    private mutating func act() throws(EventCodecError) -> HumanAct {
        HumanAct(
            party: try name(), client: try name(), person: try person(), role: try name(),
            reportedAt: try optionalTime())
    }

    private mutating func decided() throws(EventCodecError) -> Decided {
        switch try byte() {
        case 1: .taken
        case 2: .alreadyKnown(earlier: try notification())
        case 3: .handedOver(desk: try name(), role: try name(), endsAgency: try flag())
        case 4: .notOurs(municipality: try name())
        case 5: .recused
        default: throw bad
        }
    }

    private mutating func part() throws(EventCodecError) -> PolicyPart {
        PolicyPart(
            policy: try name(), part: try name(), parts: try name(), party: try name(), client: try name(),
            text: Array(try data()))
    }

    private mutating func audited() throws(EventCodecError) -> Audited {
        Audited(
            party: try name(), client: try name(), person: try person(), verb: try name(), isAllowed: try flag(),
            code: try optionalCode(), subject: try flag() ? try text() : nil)
    }
}
