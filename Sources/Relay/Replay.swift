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

    /// Whether everything that the event speaks of is there and of the right kind.
    func fits(_ body: EventBody) -> Bool {
        switch body {
        case .named(let name): !names.has(name) && !names.isFull(for: name)
        case .accepted(let accepted): fits(accepted)
        case .refused(let party, let client, _, _): isParty(party) && isClient(client)
        case .availability, .trimmed: true
        case .custody(let delivery, let client), .setAside(let delivery, let client),
            .returned(let delivery, let client, _):
            isClient(client) && row(of: delivery).map { deliveries[$0].transport == .waiting } == true
        case .requeued(let delivery, let party, let client):
            isParty(party) && isClient(client)
                && row(of: delivery).map { deliveries[$0].transport == .setAside } == true
        case .opened(let delivery, let act): row(of: delivery) != nil && fits(act)
        case .acknowledged(let delivery, let act, let decided, _):
            row(of: delivery) != nil && fits(act) && fits(decided)
        case .receiptsRead(let party, let client, let through):
            isParty(party) && (client == .none || isClient(client)) && (boxes[party]?.lastNumber ?? 0) >= through
        case .policy(let part):
            isPolicy(part.policy) && part.part < part.parts && (part.party == .none || isParty(part.party))
                && (part.client == .none || isClient(part.client))
        case .clock(_, _, let party, let client):
            (party == .none || isParty(party)) && (client == .none || isClient(client))
        case .audited(let audited):
            isParty(audited.party) && isClient(audited.client) && isText(audited.verb)
                && (audited.person == .none || isPerson(audited.person))
        }
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

    private func isParty(_ number: NameNumber) -> Bool { if case .party = name(number) { true } else { false } }
    private func isDesk(_ number: NameNumber) -> Bool { if case .desk = name(number) { true } else { false } }
    private func isClient(_ number: NameNumber) -> Bool { if case .client = name(number) { true } else { false } }
    private func isType(_ number: NameNumber) -> Bool { if case .type = name(number) { true } else { false } }
    private func isText(_ number: NameNumber) -> Bool { if case .text = name(number) { true } else { false } }
    private func isTextOrNone(_ number: NameNumber) -> Bool { number == .none || isText(number) }
    private func isPolicy(_ number: NameNumber) -> Bool { if case .policy = name(number) { true } else { false } }
    private func isShape(_ number: NameNumber) -> Bool { if case .shape = name(number) { true } else { false } }
    private func isPerson(_ number: PersonNumber) -> Bool { Int(number) < names.people.count }
}
