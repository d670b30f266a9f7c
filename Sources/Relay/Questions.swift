package import CaseNotifications

/// A notification without its content.
package struct NotificationFacts: Sendable, Equatable {
    package var id: NotificationID
    /// The sender's own id.
    package var sourceID: String
    package var source: PartyID
    package var client: ClientID
    package var type: EventType
    package var caseID: CaseID
    package var municipality: String?
    package var urgency: UrgencyClass
    package var isDrill: Bool
    /// Unknown protection counts as protected.
    package var isProtected: Bool
    package var policy: Digest
    package var digest: Digest
    package var sequence: UInt64
    package var acceptedAt: Timestamp
    /// Whether the content can still be shown.
    package var content: ContentState = .stored
}

/// One party's delivery and how far it has come.
package struct DeliveryFacts: Sendable, Equatable {
    package var id: DeliveryID
    package var party: PartyID
    /// The on-call desk's own party, until it hands over.
    package var agent: PartyID?
    package var desk: DeskID
    package var shape: GrantShape
    package var urgency: UrgencyClass
    package var acknowledgeBy: Timestamp?
    package var transport: Transport
    package var work: Work
    /// Journaled returns.
    package var deliveryCount: Int
    /// When it is or was ready, while it waits.
    package var readyAt: Timestamp?
    package var custodyAt: Timestamp?
    package var openedAt: Timestamp?
    package var workAt: Timestamp?
    /// Who took it, or was handed it, as a role.
    package var workRole: String?
    /// The desk that handed it over and stays responsible until the taker acknowledges.
    package var giver: DeskID?
}

/// What a desk's people have on their list.
package struct InboxItem: Sendable, Equatable {
    package var notification: NotificationFacts
    package var delivery: DeliveryFacts

    /// An item.
    package init(notification: NotificationFacts, delivery: DeliveryFacts) {
        self.notification = notification
        self.delivery = delivery
    }
}

/// One notification in a case's history, as one party saw it.
package struct TimelineItem: Sendable, Equatable {
    package var notification: NotificationFacts
    /// Nil for one that the party sent itself.
    package var delivery: DeliveryFacts?
}

/// Whether content may be released to somebody now.
package enum Sight: Sendable, Equatable {
    case delivery(DeliveryID)
    /// This person has said that he may not act on it.
    case recused
    /// The party has said that it is not theirs.
    case closed
    /// Nothing of that name for this actor.
    case none
}

/// How much waits where. No contents, no cases.
package struct RelayCounts: Sendable, Equatable {
    /// Held in memory: open ones, and those that were finished last.
    package var notifications: Int
    package var openDeliveries: Int
    package var setAside: Int
    /// Open deliveries of protected notifications: only ever shown in this total.
    package var protectedTotal: Int
    /// Sorted by desk.
    package var perDesk: [DeskCount]
}

/// How much waits at one desk.
package struct DeskCount: Sendable, Equatable {
    package var desk: DeskID
    package var waiting: Int
    package var inCustody: Int
    package var unacknowledged: Int
    package var setAside: Int
    /// No right to it under the policy in force.
    package var held = 0
}

extension Relay {
    /// A notification by its id.
    package func notification(_ id: NotificationID) -> NotificationFacts? { index[id].map(facts(ofNotification:)) }

    /// All deliveries of a notification by ordinal; none for an unknown one.
    package func deliveries(of notification: NotificationID) -> [DeliveryFacts] {
        deliveryRows(of: notification).map(facts(ofDelivery:))
    }

    /// A delivery by its id.
    package func delivery(_ id: DeliveryID) -> DeliveryFacts? { row(of: id).map(facts(ofDelivery:)) }

    /// What the relay adds to this delivery's copy.
    package func attributes(of id: DeliveryID) -> DeliveryAttributes? {
        guard let row = row(of: id) else { return nil }
        let delivery = deliveries[row]
        let notification = notifications[delivery.notification]
        let shape = names.shape(delivery.shape)
        return DeliveryAttributes(
            rule: shape.rule.text, effect: shape.effect, marking: shape.marking,
            acknowledgeby: delivery.mustBeAcknowledged ? delivery.acknowledgeBy : nil,
            policy: names.policy(notification.policy).hex, urgency: delivery.urgency,
            drill: notification.traits.isDrill)
    }

    /// What a desk's people have to look at, by urgency, then in order of arrival; last, what they handed over and are
    /// still responsible for. At most `limit`.
    package func inbox(of desk: DeskID, limit: Int) -> [InboxItem] {
        guard let number = names.number(of: .desk(desk)), let list = desks[number] else { return [] }
        var rows: [UInt32] = []
        for head in list.heads {
            var row = head
            while row != .none, rows.count < limit {
                rows.append(row)
                row = deliveries[row].nextAtDesk
            }
        }
        rows += list.givenAway.prefix(max(0, limit - rows.count))
        return rows.map(item)
    }

    /// One item of a desk's list, or nil if it is not, or no longer, on it.
    package func item(_ id: DeliveryID, at desk: DeskID) -> InboxItem? {
        guard let row = row(of: id), let number = names.number(of: .desk(desk)) else { return nil }
        let delivery = deliveries[row]
        let isThere = delivery.isListed && delivery.desk == number || delivery.isGivenAway && delivery.giver == number
        return isThere ? item(row) : nil
    }

    /// Whether content may be released to this actor (to the person, if it names one) now.
    package func sight(of notification: NotificationID, for actor: Actor) -> Sight {
        var found = Sight.none
        for row in deliveryRows(of: notification) {
            switch seeing(row, actor, person: actor.person) {
            case .yes: return .delivery(deliveryID(row))
            case .recused: found = .recused
            case .closed: if found == .none { found = .closed }
            case .no: break
            }
        }
        return found
    }

    /// The deliveries of a notification, for its sender only.
    package func status(of notification: NotificationID, for sender: PartyID) -> [DeliveryFacts]? {
        guard let row = index[notification], names.party(notifications[row].source) == sender else { return nil }
        return deliveries(of: notification)
    }

    /// What a party sent or received in a case, oldest first, of what is in memory; nil if it had no part in it, as for an
    /// unknown case.
    package func timeline(of subject: CaseID, for party: PartyID) -> [TimelineItem]? {
        guard let number = names.number(of: .party(party)), let oldest = cases[subject]?.oldest else { return nil }
        var items: [TimelineItem] = []
        var row = oldest
        while row != .none {
            let notification = notifications[row]
            if notification.source == number {
                items.append(TimelineItem(notification: facts(ofNotification: row), delivery: nil))
            }
            for delivery in deliveryRows(of: notification.id)
            where deliveries[delivery].party == number || deliveries[delivery].agent == number {
                items.append(
                    TimelineItem(notification: facts(ofNotification: row), delivery: facts(ofDelivery: delivery)))
            }
            row = notification.nextInCase
        }
        return items.isEmpty ? nil : items
    }

    /// How much waits where.
    package func counts() -> RelayCounts {
        let perDesk = desks.map { number, row in
            DeskCount(
                desk: names.desk(number), waiting: row.waiting, inCustody: row.inCustody,
                unacknowledged: row.unacknowledged, setAside: row.setAside, held: row.held)
        }
        return RelayCounts(
            notifications: notifications.count, openDeliveries: openDeliveries,
            setAside: perDesk.reduce(0) { $0 + $1.setAside }, protectedTotal: protectedOpen,
            perDesk: perDesk.sorted { $0.desk < $1.desk })
    }

    /// Dead letters, oldest first, at most `limit`.
    package func setAside(limit: Int) -> [DeliveryFacts] {
        guard desks.values.contains(where: { $0.setAside > 0 }) else { return [] }
        return Array(rows { $0.transport == .setAside }.prefix(limit).map(facts(ofDelivery:)))
    }

    /// What waits for stations, in order of acceptance: for a relay that starts. All count as redelivered.
    package var openTickets: [Ticket] {
        rows { $0.transport == .waiting }.map { ticket($0, isRedelivered: true) }
    }

    /// Delivery rows that match, in order of acceptance.
    private func rows(_ matches: (DeliveryRow) -> Bool) -> [UInt32] {
        var found: [(UInt64, UInt32)] = []
        for number in 0..<notifications.end where notifications[number].isLive {
            var row = notifications[number].firstDelivery
            while row != .none {
                if matches(deliveries[row]) { found.append((notifications[number].sequence, row)) }
                row = deliveries[row].nextOfNotification
            }
        }
        // Rows of one notification stand in the order of their ordinals, and sorting is stable.
        return found.sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func item(_ row: UInt32) -> InboxItem {
        InboxItem(notification: facts(ofNotification: deliveries[row].notification), delivery: facts(ofDelivery: row))
    }

    private func facts(ofNotification number: UInt32) -> NotificationFacts {
        let row = notifications[number]
        return NotificationFacts(
            id: row.id, sourceID: sourceID(of: number), source: names.party(row.source),
            client: names.client(row.client), type: names.type(row.type), caseID: row.subject,
            municipality: names.text(row.municipality), urgency: row.traits.urgency, isDrill: row.traits.isDrill,
            isProtected: row.traits.isProtected, policy: names.policy(row.policy), digest: row.digest,
            sequence: row.sequence, acceptedAt: row.id.time, content: row.traits.content)
    }

    private func facts(ofDelivery number: UInt32) -> DeliveryFacts {
        let row = deliveries[number]
        let start = acceptedAt(row.notification)
        return DeliveryFacts(
            id: deliveryID(number), party: names.party(row.party),
            agent: row.agent == .none ? nil : names.party(row.agent), desk: names.desk(row.desk),
            shape: names.shape(row.shape), urgency: row.urgency,
            acknowledgeBy: row.mustBeAcknowledged ? row.acknowledgeBy : nil, transport: row.transport, work: row.work,
            deliveryCount: Int(row.returns),
            readyAt: row.transport == .waiting ? row.transportSpan.instant(from: start) : nil,
            custodyAt: row.transport == .custody ? row.transportSpan.instant(from: start) : nil,
            openedAt: row.openedSpan.instant(from: start), workAt: row.workSpan.instant(from: start),
            workRole: names.text(row.role), giver: row.giver == .none ? nil : names.desk(row.giver))
    }
}
