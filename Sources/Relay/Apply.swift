import CaseNotifications

extension Relay {
    /// Makes an event part of the state and says what has changed outside it.
    @discardableResult
    package mutating func apply(_ event: Event) -> [Change] {
        var changes: [Change] = []
        apply(event, into: &changes)
        return changes
    }

    /// Makes an event part of the state; appends what has changed outside it.
    ///
    /// - Precondition: the event was decided on this state, or `replay` found that it fits.
    package mutating func apply(_ event: Event, into changes: inout [Change]) {
        sequence += 1
        if salt == nil { salt = event.leaf }
        switch event.body {
        case .named(let name): names.add(name, as: names.nextNumber(for: name))
        case .numbered(let name, let number): names.add(name, as: Int(number))
        case .accepted(let accepted): accept(accepted, at: event.at, into: &changes)
        case .refused, .audited: break
        case .availability(let availability): isAvailable = availability == .available
        case .custody(let delivery, _): takeCustody(delivery, at: event.at, into: &changes)
        case .returned(let delivery, _, let readyAt): giveBack(delivery, readyAt: readyAt, into: &changes)
        case .setAside(let delivery, _): setAside(delivery, at: event.at, into: &changes)
        case .requeued(let delivery, _, _): requeue(delivery, into: &changes)
        case .opened(let delivery, let act): open(delivery, act, at: event.at, into: &changes)
        case .acknowledged(let delivery, let act, let decided, _):
            acknowledge(delivery, act, decided, at: event.at, into: &changes)
        case .receiptsRead(let party, let client, let through): moveCursor(party, client, to: through)
        case .receiptsConfirmed(let party, let client, let through):
            guard let number = boxes[party].map({ number(at: through, in: $0) }) else { break }
            moveCursor(party, client, to: number)
        case .policy(let part):
            guard part.part == part.parts - 1 else { break }
            activePolicy = names.policy(part.policy)
            changes.append(.policy(names.policy(part.policy)))
        case .clock(_, let time, _, _):
            simulatedNow = time
            changes.append(.clock(time))
        case .trimmed: trim(at: event.at)
        case .maintenance(let maintenance): maintain(maintenance, at: event.at, into: &changes)
        case .unreadable(let notification): setAsideUnreadable(notification, at: event.at, into: &changes)
        case .held(let delivery, _): hold(delivery, at: event.at, into: &changes)
        case .released(let delivery): release(delivery, into: &changes)
        case .moved(let delivery, let party, let desk, let agent):
            move(delivery, to: (party, desk, agent), into: &changes)
        }
        letFinishedGo()
    }

    // MARK: Notifications

    private mutating func accept(_ accepted: Accepted, at now: Timestamp, into changes: inout [Change]) {
        let source = names.party(accepted.source)
        let number = notifications.add(
            NotificationRow(
                id: accepted.notification, digest: accepted.digest,
                sourceID: InlineText(accepted.sourceID) ?? InlineText(), source: accepted.source,
                client: accepted.client, type: accepted.type, policy: accepted.policy,
                municipality: accepted.municipality, sequence: sequence, subject: accepted.subject,
                traits: .init(
                    urgency: accepted.urgency, isDrill: accepted.isDrill, isProtected: accepted.isProtected)))
        if InlineText(accepted.sourceID) == nil { longIDs[number] = accepted.sourceID }
        index[accepted.notification] = number
        if let salt {
            known.insert(
                SubmissionKey(source: source, id: accepted.sourceID, salt: salt),
                KnownRow(notification: accepted.notification, sequence: sequence, digest: accepted.digest),
                at: accepted.notification.time)
        }
        link(number, slot: accepted.caseSlot)
        tell(number, ReceiptRow(sequence: sequence, at: now, event: .accepted), into: &changes)
        for (place, refusal) in accepted.refusals.enumerated() {
            var entry = ReceiptRow(
                sequence: sequence, ordinal: UInt16(place + 1), at: now, event: .refused, detail: .reason(refusal.code))
            entry.party = refusal.party
            tell(number, entry, into: &changes)
        }
        var last = UInt32.none
        for (ordinal, grant) in accepted.grants.enumerated() {
            let row = deliveries.add(delivery(of: number, grant, ordinal: UInt16(ordinal)))
            if last == .none {
                notifications[number].firstDelivery = row
            } else {
                deliveries[last].nextOfNotification = row
            }
            last = row
            enter(row)
            changes.append(.queued(ticket(row, isRedelivered: false)))
            changes.append(.desk(names.desk(grant.desk), deliveryID(row)))
        }
    }

    private func delivery(of number: UInt32, _ grant: Granted, ordinal: UInt16) -> DeliveryRow {
        let start = acceptedAt(number)
        return DeliveryRow(
            acknowledgeBy: grant.acknowledgeBy ?? .distantFuture, notification: number, party: grant.party,
            desk: grant.desk, agent: grant.agent, shape: grant.shape,
            transportSpan: Span(from: start, to: grant.notBefore ?? start), ordinal: ordinal, urgency: grant.urgency)
    }

    /// The ticket of a waiting delivery.
    func ticket(_ row: UInt32, isRedelivered: Bool) -> Ticket {
        let delivery = deliveries[row]
        let notification = notifications[delivery.notification]
        return Ticket(
            delivery: deliveryID(row), desk: names.desk(delivery.desk), urgency: delivery.urgency,
            subject: notification.subject,
            // What need not wait is ready at once, also where the wall clock was set back since.
            readyAt: delivery.transportSpan == .atOnce
                ? .distantPast : delivery.transportSpan.instant(from: notification.id.time) ?? .distantPast,
            order: notification.sequence, deliveryCount: UInt16(delivery.returns), isRedelivered: isRedelivered)
    }

    // MARK: Stations

    private mutating func takeCustody(_ delivery: DeliveryID, at now: Timestamp, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        let span = Span(from: acceptedAt(deliveries[row].notification), to: now)
        update(row) {
            $0.transport = .custody
            $0.transportSpan = span
        }
        changes.append(.custody(delivery))
        tellDesks(row, into: &changes)
        tell(row, .delivered, at: now, into: &changes)
    }

    private mutating func giveBack(_ delivery: DeliveryID, readyAt: Timestamp, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        let span = Span(from: acceptedAt(deliveries[row].notification), to: readyAt)
        update(row) {
            $0.returns = min($0.returns, .max - 1) + 1
            $0.transportSpan = span
        }
        changes.append(.returned(delivery, readyAt: readyAt))
        tellDesks(row, into: &changes)
    }

    private mutating func setAside(_ delivery: DeliveryID, at now: Timestamp, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        update(row) {
            $0.returns = min($0.returns, .max - 1) + 1
            $0.transport = .setAside
        }
        changes.append(.setAside(delivery))
        tellDesks(row, into: &changes)
        tell(row, .escalated, .step(.setAside), at: now, into: &changes)
    }

    private mutating func requeue(_ delivery: DeliveryID, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        update(row) {
            $0.returns = 0
            $0.transport = .waiting
            $0.transportSpan = .atOnce
        }
        changes.append(.queued(ticket(row, isRedelivered: true)))
        tellDesks(row, into: &changes)
    }

    // MARK: People

    private mutating func note(_ act: HumanAct, _ kind: ActRow.Kind, fingerprint: UInt64, on row: UInt32) {
        let number = acts.add(
            ActRow(
                next: deliveries[row].firstAct, person: act.person, role: act.role, kind: kind,
                fingerprint: fingerprint, sequence: sequence))
        deliveries[row].firstAct = number
    }

    private mutating func open(
        _ delivery: DeliveryID, _ act: HumanAct, at now: Timestamp, into changes: inout [Change]
    ) {
        guard let row = row(of: delivery) else { return }
        let isFirstOfRole = !hasOpened(row, as: act.role)
        let start = acceptedAt(deliveries[row].notification)
        note(
            act, .opened, fingerprint: act.reportedAt.map { Self.fingerprint(openedAt: $0) } ?? 0, on: row)
        update(row) {
            if $0.openedSpan == .none { $0.openedSpan = Span(from: start, to: now) }
        }
        tellDesks(row, into: &changes)
        if isFirstOfRole { tell(row, .opened, role: act.role, at: now, into: &changes) }
    }

    private func hasOpened(_ row: UInt32, as role: NameNumber) -> Bool {
        var next = deliveries[row].firstAct
        while next != .none {
            if acts[next].kind == .opened, acts[next].role == role { return true }
            next = acts[next].next
        }
        return false
    }

    private mutating func acknowledge(
        _ delivery: DeliveryID, _ act: HumanAct, _ decided: Decided, at now: Timestamp, into changes: inout [Change]
    ) {
        guard let row = row(of: delivery) else { return }
        let before = deliveries[row]
        let span = Span(from: acceptedAt(before.notification), to: now)
        // The receipt names the desk where the person acted, not the one that it went to.
        tell(row, .acknowledged, .outcome(decided.outcome), role: act.role, at: now, into: &changes)
        note(
            act, decided == .recused ? .recused : .acknowledged,
            fingerprint: Self.fingerprint(decided, at: act.reportedAt), on: row)
        tellDesks(row, into: &changes)
        let isErased = notifications[before.notification].traits.content == .erased
        update(row) {
            $0.settle(decided, by: act, span: span)
            // What was erased goes to no station, wherever people hand it.
            if isErased, $0.transport == .waiting { $0.transport = .withdrawn }
        }
        let after = deliveries[row]
        if after.desk != before.desk {
            if before.transport == .waiting { changes.append(.withdrawn(delivery)) }
            // Stations of this desk may have had it from another, or before it was handed away and back.
            if after.transport == .waiting { changes.append(.queued(ticket(row, isRedelivered: true))) }
            changes.append(.desk(names.desk(after.desk), delivery))
        } else if before.transport == .waiting, after.transport == .withdrawn {
            changes.append(.withdrawn(delivery))
        }
    }
}

extension Decided {
    var outcome: Outcome {
        switch self {
        case .taken: .taken
        case .alreadyKnown: .alreadyKnown
        case .handedOver: .handedOver
        case .notOurs: .notOurs
        case .recused: .recused
        }
    }
}

extension DeliveryRow {
    /// What an outcome makes of the delivery.
    fileprivate mutating func settle(_ decided: Decided, by act: HumanAct, span: Span) {
        switch decided {
        case .taken, .alreadyKnown:
            work = decided == .taken ? .taken : .alreadyKnown
            workSpan = span
            person = act.person
            role = act.role
            giver = .none
        case .handedOver(let to, let toRole, let endsAgency):
            work = .handedOver
            workSpan = span
            person = .none
            role = toRole
            giver = desk
            if endsAgency { agent = .none }
            guard to != desk else { return }
            desk = to
            transport = .waiting
            transportSpan = .atOnce
            returns = 0
        case .notOurs:
            work = .notOurs
            workSpan = span
            person = act.person
            role = act.role
            giver = .none
            if transport == .waiting || transport == .held { transport = .withdrawn }
        case .recused:
            guard person == act.person else { return }
            work = .open
            workSpan = .none
            person = .none
            role = .none
        }
    }
}
