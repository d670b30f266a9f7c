package import CaseNotifications

/// What people do: openings and acknowledgements (design.md section 7).
extension Relay {
    /// Whether this actor may see a delivery's content now.
    enum Seeing: Equatable {
        case yes
        case no
        case recused
        /// A final negative outcome ended it.
        case closed
    }

    /// Whether the actor's party has the delivery, and the actor stands at the desk where it is.
    func isAtDesk(_ actor: Actor, of row: UInt32) -> Bool {
        guard let party = names.number(of: .party(actor.party)) else { return false }
        let delivery = deliveries[row]
        return (party == delivery.party || party == delivery.agent) && actor.desks.contains(names.desk(delivery.desk))
    }

    func seeing(_ row: UInt32, _ actor: Actor, person: PersonID?) -> Seeing {
        let delivery = deliveries[row]
        if delivery.transport == .held { return .no }
        if !isAtDesk(actor, of: row) {
            // A giver of the party itself stays responsible and keeps its sight; an agent does not.
            guard delivery.giver != .none, delivery.work == .handedOver,
                names.number(of: .party(actor.party)) == delivery.party,
                actor.desks.contains(names.desk(delivery.giver))
            else { return .no }
        }
        if let person, act(on: row, of: actor.party, person, { $0.kind == .recused }) != nil { return .recused }
        return delivery.work == .notOurs ? .closed : .yes
    }

    /// The newest act of a person that matches.
    func act(on row: UInt32, of party: PartyID, _ person: PersonID, _ matches: (ActRow) -> Bool) -> ActRow? {
        guard let person = names.number(of: StaffMember(party: party, person: person)) else { return nil }
        var next = deliveries[row].firstAct
        while next != .none {
            let act = acts[next]
            if act.person == person, matches(act) { return act }
            next = act.next
        }
        return nil
    }

    /// The newest acknowledgement of a delivery by anybody.
    private func newestAcknowledgement(on row: UInt32) -> ActRow? {
        var next = deliveries[row].firstAct
        while next != .none {
            if acts[next].kind != .opened { return acts[next] }
            next = acts[next].next
        }
        return nil
    }

    // MARK: Openings

    func open(_ opening: Opening, _ draft: inout Draft) -> Answer {
        guard opening.role.utf8.count <= Names.textLimitBytes else { return .refused(.roleTooLong) }
        let rows = deliveryRows(of: opening.notification)
        if let sequence = repeated(opening, on: rows) { return .done(sequence: sequence) }
        let seen = visible(rows, opening.actor, opening.person)
        if let refusal = seen.refusal { return .refused(refusal) }
        let act = draft.act(
            party: opening.actor.party, client: opening.actor.client, person: opening.person, role: opening.role,
            at: opening.at)
        let sequences = seen.rows.map { draft.add(.opened(deliveryID($0), act)) }
        return .done(sequence: sequences[0])
    }

    /// The stored answer if this very opening was reported before: one with a time is known by it.
    func repeated(_ opening: Opening, on rows: [UInt32]) -> UInt64? {
        guard let at = opening.at else { return nil }
        let fingerprint = Self.fingerprint(openedAt: at)
        for row in rows {
            let same = act(on: row, of: opening.actor.party, opening.person) {
                $0.kind == .opened && $0.fingerprint == fingerprint
            }
            if let same { return same.sequence }
        }
        return nil
    }

    /// The rows that an actor sees, or why there are none.
    private func visible(_ rows: [UInt32], _ actor: Actor, _ person: PersonID) -> (rows: [UInt32], refusal: Refusal?) {
        let seeings = rows.map { seeing($0, actor, person: person) }
        let seen = zip(rows, seeings).filter { $0.1 == .yes }.map(\.0)
        if !seen.isEmpty { return (seen, nil) }
        return ([], seeings.contains(.closed) && !seeings.contains(.recused) ? .closed : .unknownNotification)
    }

    // MARK: Acknowledgements

    func acknowledge(_ acknowledgement: Acknowledgement, _ draft: inout Draft) -> Answer {
        guard acknowledgement.role.utf8.count <= Names.textLimitBytes else { return .refused(.roleTooLong) }
        let rows = deliveryRows(of: acknowledgement.notification)
        if let sequence = repeated(acknowledgement, on: rows) { return .done(sequence: sequence) }
        let seen = visible(rows, acknowledgement.actor, acknowledgement.person)
        if let refusal = seen.refusal { return .refused(refusal) }
        var first: UInt64?
        var refusal: Refusal?
        let judgements = seen.rows.map { ($0, judge(acknowledgement, on: $0)) }
        for (row, judgement) in judgements {
            switch judgement {
            case .stands(let sequence): first = first ?? sequence
            case .refused(let reason): refusal = refusal ?? reason
            case .decided(let endsAgency):
                let act = draft.act(
                    party: acknowledgement.actor.party, client: acknowledgement.actor.client,
                    person: acknowledgement.person, role: acknowledgement.role, at: acknowledgement.at)
                let decided = decided(acknowledgement.act, endsAgency: endsAgency, &draft)
                let sequence = draft.add(
                    .acknowledged(deliveryID(row), act, decided, noteSlot: acknowledgement.noteSlot))
                first = first ?? sequence
            }
        }
        if let first { return .done(sequence: first) }
        return .refused(refusal ?? .unknownNotification)
    }

    private enum Judgement {
        case decided(endsAgency: Bool)
        /// It is so already, by this person.
        case stands(sequence: UInt64)
        case refused(Refusal)
    }

    /// The stored answer if this very command was carried out before.
    ///
    /// With a time the command is known by it. Without one it is a repetition only while nothing else has happened.
    func repeated(_ acknowledgement: Acknowledgement, on rows: [UInt32]) -> UInt64? {
        guard let decided = existing(acknowledgement.act) else { return nil }
        let fingerprint = Self.fingerprint(decided, at: acknowledgement.at)
        for row in rows {
            let same = act(on: row, of: acknowledgement.actor.party, acknowledgement.person) {
                $0.kind != .opened && $0.fingerprint == fingerprint
            }
            guard let same else { continue }
            if acknowledgement.at != nil || newestAcknowledgement(on: row)?.sequence == same.sequence {
                return same.sequence
            }
        }
        return nil
    }

    /// The act in numbers, if all its names are known; otherwise it cannot have happened before.
    private func existing(_ act: Act) -> Decided? {
        switch act {
        case .taken: return .taken
        case .alreadyKnown(let earlier): return .alreadyKnown(earlier: earlier)
        case .handedOver(let target):
            guard let desk = names.number(of: .desk(target.desk)) else { return nil }
            guard let role = target.role else { return .handedOver(desk: desk, role: .none, endsAgency: false) }
            return names.number(of: .text(role)).map { .handedOver(desk: desk, role: $0, endsAgency: false) }
        case .notOurs(let municipality):
            guard let municipality else { return .notOurs(municipality: .none) }
            return names.number(of: .text(municipality)).map { .notOurs(municipality: $0) }
        case .recused: return .recused
        }
    }

    private func decided(_ act: Act, endsAgency: Bool, _ draft: inout Draft) -> Decided {
        switch act {
        case .taken: .taken
        case .alreadyKnown(let earlier): .alreadyKnown(earlier: earlier)
        case .handedOver(let target):
            .handedOver(
                desk: draft.number(.desk(target.desk)), role: draft.number(text: target.role), endsAgency: endsAgency)
        case .notOurs(let municipality): .notOurs(municipality: draft.number(text: municipality))
        case .recused: .recused
        }
    }

    /// The table of states and commands; `DecideWorkTests` has it row by row.
    private func judge(_ acknowledgement: Acknowledgement, on row: UInt32) -> Judgement {
        let delivery = deliveries[row]
        let mine = act(on: row, of: acknowledgement.actor.party, acknowledgement.person) {
            $0.kind == .acknowledged && delivery.person == $0.person
        }
        let isSettled = delivery.work == .taken || delivery.work == .alreadyKnown
        let isOthers = isSettled && mine == nil
        switch acknowledgement.act {
        case .recused:
            return .decided(endsAgency: false)
        case .taken:
            if delivery.work == .taken {
                return mine.map { .stands(sequence: $0.sequence) } ?? .refused(.somebodyElse)
            }
            return isErasedUnread(delivery) ? .refused(.erasedUnread) : .decided(endsAgency: false)
        case .alreadyKnown(let earlier):
            if isOthers { return .refused(.somebodyElse) }
            if isErasedUnread(delivery) { return .refused(.erasedUnread) }
            guard earlier != acknowledgement.notification,
                deliveryRows(of: earlier).contains(where: { deliveries[$0].party == delivery.party })
                    || acknowledgement.earlierParties.contains(names.party(delivery.party))
            else { return .refused(.earlierUnknown) }
            return .decided(endsAgency: false)
        case .handedOver(let target):
            guard names.number(of: .party(target.party)) == delivery.party,
                (target.role ?? "").utf8.count <= Names.textLimitBytes
            else { return .refused(.otherParty) }
            guard names.number(of: .desk(target.desk)) != delivery.desk || target.role != nil else {
                return .refused(.sameDesk)
            }
            let isAgent = names.number(of: .party(acknowledgement.actor.party)) == delivery.agent
            return .decided(endsAgency: isAgent)
        case .notOurs(let municipality):
            guard (municipality ?? "").utf8.count <= Names.textLimitBytes else { return .refused(.municipalityTooLong) }
            return isOthers ? .refused(.somebodyElse) : .decided(endsAgency: false)
        }
    }

    /// Whether its content was erased before a station or a person had it: then nobody can say that it is in good hands.
    private func isErasedUnread(_ delivery: DeliveryRow) -> Bool {
        notifications[delivery.notification].traits.content == .erased && delivery.openedSpan == .none
            && delivery.transport != .custody && (delivery.work == .open || delivery.work == .handedOver)
            && !hadCustody(delivery)
    }

    /// Whether a station had it before it was handed over, by what the sender was told.
    private func hadCustody(_ delivery: DeliveryRow) -> Bool {
        var row = notifications[delivery.notification].newestReceipt
        while row != .none {
            let receipt = receiptRows[row]
            if receipt.event == .delivered, receipt.party == delivery.party { return true }
            row = receipt.nextOlder
        }
        return false
    }

    // MARK: Fingerprints

    static func fingerprint(openedAt at: Timestamp) -> UInt64 {
        var mixer = Mixer(seed: 1)
        mixer.mix(UInt64(bitPattern: at.milliseconds))
        return mixer.value
    }

    /// An act with its arguments and time in 64 bits: only commands of one person about one delivery are compared.
    static func fingerprint(_ decided: Decided, at: Timestamp?) -> UInt64 {
        var mixer = Mixer(seed: 2)
        switch decided {
        case .taken: mixer.mix(1)
        case .alreadyKnown(let earlier):
            mixer.mix(2)
            mixer.mix(earlier.high)
            mixer.mix(earlier.low)
        case .handedOver(let desk, let role, _): mixer.mix(3 | UInt64(desk) << 8 | UInt64(role) << 24)
        case .notOurs(let municipality): mixer.mix(4 | UInt64(municipality) << 8)
        case .recused: mixer.mix(5)
        }
        mixer.mix(at.map { UInt64(bitPattern: $0.milliseconds) } ?? 0)
        return mixer.value
    }
}

extension Refusal {
    /// The same for a notification that does not exist and for one that is not this actor's to see.
    static let unknownNotification = Refusal(
        code: .noRule, pointer: "/notification", message: "no such notification at the desks of this client")
    static let closed = Refusal(
        code: .conflict, pointer: "/notification", message: "the party has said that it is not theirs")
    static let somebodyElse = Refusal(
        code: .conflict, pointer: "/outcome", message: "somebody else has acknowledged it; hand it over instead")
    /// The sender has been told that nobody read it; that stays the last word.
    package static let erasedUnread = Refusal(
        code: .conflict, pointer: "/outcome",
        message: "the content was erased before anybody read it; hand it over, or say not-ours to take it off the list")
    static let earlierUnknown = Refusal(
        code: .schema, pointer: "/earlier", message: "not an earlier notification to the same party")
    static let otherParty = Refusal(
        code: .schema, pointer: "/to", message: "only a desk or role of the responsible party can take it over")
    static let sameDesk = Refusal(code: .schema, pointer: "/to", message: "it is at this desk already; name a role")
    static let roleTooLong = Refusal(code: .schema, pointer: "/role", message: "role has at most 128 bytes")
    static let municipalityTooLong = Refusal(
        code: .schema, pointer: "/municipality", message: "municipality has at most 128 bytes")
}
