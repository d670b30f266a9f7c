import CaseNotifications

/// Why a record of the journal is no event that this state can take.
package enum ReplayFault: Error, Equatable, Sendable {
    /// The record with this number is no event.
    case notAnEvent(sequence: UInt64, EventCodecError)
    /// It speaks of names, notifications or deliveries that no earlier record brought.
    case doesNotFit(sequence: UInt64, EventCodec.KindName)
}

extension EventCodec {
    /// The kind of an event, for messages.
    package typealias KindName = String
}

extension Relay {
    /// Applies the next record of the journal. After an error the state is as before.
    package mutating func replay(_ record: [UInt8], into changes: inout [Change]) throws(ReplayFault) {
        let event: Event
        do {
            event = try EventCodec.decode(record)
        } catch {
            throw .notAnEvent(sequence: sequence + 1, error)
        }
        guard fits(event.body) else {
            throw .doesNotFit(sequence: sequence + 1, "\(EventCodec.Kind(event.body))")
        }
        apply(event, into: &changes)
    }

    /// Goes on behind records that are lost, or that do not fit because of what is lost.
    ///
    /// Numbers that they may have given to names are not given to others. Positions stay those of the journal.
    package mutating func skip(records: UInt64) {
        sequence += records
        lostRecords += records
        names.reserve(records)
    }

    /// Whether everything that the event speaks of is there and of the right kind.
    ///
    /// Of a notification that has left memory nothing is there: what happened to it changes nothing any more. The
    /// relay decides no such event, but in journals of format version 1 there may be some.
    func fits(_ body: EventBody) -> Bool {
        switch body {
        // Without its own number a name after a loss could get somebody else's.
        case .named(let name): lostRecords == 0 && names.fits(name, as: names.nextNumber(for: name))
        case .numbered(let name, let number): names.fits(name, as: Int(number))
        case .accepted(let accepted): fits(accepted)
        case .refused(let party, let client, _, _): isParty(party) && isClient(client)
        case .availability, .trimmed: true
        case .custody(let delivery, let client): isClient(client) && isThere(delivery, takesCustody)
        case .setAside(let delivery, let client), .returned(let delivery, let client, _):
            isClient(client) && isThere(delivery) { $0.transport == .waiting }
        case .requeued(let delivery, let party, let client):
            isParty(party) && isClient(client)
                && isThere(delivery) { $0.transport == .setAside }
        case .opened(let delivery, let act): isThere(delivery) { _ in true } && fits(act)
        case .acknowledged(let delivery, let act, let decided, _):
            isThere(delivery) { _ in true } && fits(act) && fits(decided)
        case .receiptsRead(let party, let client, let through):
            // After a loss the same number may be a later receipt's, and that one would never be read.
            lostRecords == 0 && isParty(party) && (client == .none || isClient(client))
                && (boxes[party]?.lastNumber ?? 0) >= through
        case .receiptsConfirmed(let party, let client, _): isParty(party) && (client == .none || isClient(client))
        case .policy(let part):
            isPolicy(part.policy) && part.part < part.parts && (part.party == .none || isParty(part.party))
                && (part.client == .none || isClient(part.client))
        case .clock(_, _, let party, let client):
            (party == .none || isParty(party)) && (client == .none || isClient(client))
        case .audited(let audited):
            isParty(audited.party) && isClient(audited.client) && isText(audited.verb)
                && (audited.person == .none || isPerson(audited.person))
        case .maintenance(let maintenance):
            (maintenance.by == .none || name(maintenance.by) != nil) && isTextOrNone(maintenance.what)
                && maintenance.notifications.count <= Maintenance.notificationLimit
        case .unreadable(let notification): index[notification] != nil || hasReleased
        case .held(let delivery, _): isThere(delivery) { $0.transport == .waiting }
        case .released(let delivery): isThere(delivery) { $0.transport == .held }
        case .moved(let delivery, let party, let desk, let agent):
            isParty(party) && isDesk(desk) && (agent == .none || isParty(agent)) && isThere(delivery) { _ in true }
        }
    }

    private func isThere(_ delivery: DeliveryID, _ matches: (DeliveryRow) -> Bool) -> Bool {
        guard index[delivery.notification] != nil else { return hasReleased }
        return row(of: delivery).map { matches(deliveries[$0]) } == true
    }

    private func fits(_ accepted: Accepted) -> Bool {
        index[accepted.notification] == nil && isParty(accepted.source) && isClient(accepted.client)
            && isType(accepted.type) && isPolicy(accepted.policy) && isTextOrNone(accepted.municipality)
            && (1...Self.partyLimit).contains(accepted.grants.count) && accepted.refusals.count <= Self.partyLimit
            && accepted.grants.allSatisfy {
                isParty($0.party) && isDesk($0.desk) && ($0.agent == .none || isParty($0.agent)) && isShape($0.shape)
            } && accepted.refusals.allSatisfy { isParty($0.party) }
    }

    private func fits(_ act: HumanAct) -> Bool {
        isParty(act.party) && isClient(act.client) && isPerson(act.person) && isText(act.role)
    }

    private func fits(_ decided: Decided) -> Bool {
        switch decided {
        case .taken, .alreadyKnown, .recused: true
        case .handedOver(let desk, let role, _): isDesk(desk) && isTextOrNone(role)
        case .notOurs(let municipality): isTextOrNone(municipality)
        }
    }

    private func name(_ number: NameNumber) -> Name? {
        Int(number) < names.all.count ? names.all[Int(number)] : nil
    }

    func isParty(_ number: NameNumber) -> Bool { if case .party = name(number) { true } else { false } }
    func isDesk(_ number: NameNumber) -> Bool { if case .desk = name(number) { true } else { false } }
    func isClient(_ number: NameNumber) -> Bool { if case .client = name(number) { true } else { false } }
    func isType(_ number: NameNumber) -> Bool { if case .type = name(number) { true } else { false } }
    func isText(_ number: NameNumber) -> Bool { if case .text = name(number) { true } else { false } }
    func isTextOrNone(_ number: NameNumber) -> Bool { number == .none || isText(number) }
    func isPolicy(_ number: NameNumber) -> Bool { if case .policy = name(number) { true } else { false } }
    func isShape(_ number: NameNumber) -> Bool { if case .shape = name(number) { true } else { false } }
    func isPerson(_ number: PersonNumber) -> Bool {
        Int(number) < names.people.count && names.people[Int(number)] != nil
    }
}
