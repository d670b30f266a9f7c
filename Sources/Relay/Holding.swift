package import CaseNotifications

/// What a new policy makes of deliveries that an older one decided: the right to one ends or comes back, or its desk is
/// another one. What was handed out stays handed out.
extension Relay {
    /// Delivery and policy of one delivery with which something still has to happen.
    package struct Unfinished: Sendable, Equatable {
        package var delivery: DeliveryID
        /// The policy by which it was decided.
        package var policy: Digest
        package var transport: Transport

        /// A delivery that was looked at before.
        package init(delivery: DeliveryID, policy: Digest, transport: Transport) {
            self.delivery = delivery
            self.policy = policy
            self.transport = transport
        }
    }

    /// A place in the table of notifications, for looking through all of them a few at a time.
    package struct Place: Sendable, Equatable {
        fileprivate var row: UInt32 = 0

        /// Before the first.
        package init() {}
    }

    /// Unfinished deliveries of the next notifications from `place` on, which moves behind them.
    ///
    /// Notifications that come while somebody looks through the table may be passed over: they are decided by the policy
    /// of then.
    ///
    /// - Parameter limit: notifications that are looked at.
    /// - Returns: nil behind the last.
    package func unfinished(from place: inout Place, limit: Int) -> [Unfinished]? {
        guard place.row < notifications.end else { return nil }
        var found: [Unfinished] = []
        let end = UInt32(min(Int(place.row) + max(1, limit), Int(notifications.end)))
        for number in place.row..<end where notifications[number].isLive && notifications[number].openDeliveries > 0 {
            let policy = names.policy(notifications[number].policy)
            var row = notifications[number].firstDelivery
            while row != .none {
                if !deliveries[row].isDone {
                    found.append(
                        Unfinished(delivery: deliveryID(row), policy: policy, transport: deliveries[row].transport))
                }
                row = deliveries[row].nextOfNotification
            }
        }
        place.row = end
        return found
    }

    /// The policy by which a notification was decided; nil if it is not in memory.
    package func policy(of notification: NotificationID) -> Digest? {
        index[notification].map { names.policy(notifications[$0].policy) }
    }

    /// A delivery's place, with which the policy in force may no longer agree.
    package func place(of delivery: DeliveryID) -> DeliveryPlace? {
        row(of: delivery).map { row in
            let agent = deliveries[row].agent
            return DeliveryPlace(
                party: names.party(deliveries[row].party), desk: names.desk(deliveries[row].desk),
                agent: agent == .none ? nil : names.party(agent))
        }
    }

    // MARK: Deciding

    func hold(_ delivery: DeliveryID, _ code: RefusalCode, _ draft: inout Draft) -> Answer {
        guard let row = row(of: delivery), deliveries[row].transport == .waiting else { return .nothing }
        return .done(sequence: draft.add(.held(delivery, code: code)))
    }

    func release(_ delivery: DeliveryID, _ draft: inout Draft) -> Answer {
        guard let row = row(of: delivery), deliveries[row].transport == .held else { return .nothing }
        return .done(sequence: draft.add(.released(delivery)))
    }

    func move(_ delivery: DeliveryID, to place: DeliveryPlace, _ draft: inout Draft) -> Answer {
        guard row(of: delivery) != nil, self.place(of: delivery) != place else { return .nothing }
        let party = draft.number(.party(place.party))
        let desk = draft.number(.desk(place.desk))
        let agent = place.agent.map { draft.number(.party($0)) } ?? .none
        return .done(sequence: draft.add(.moved(delivery, party: party, desk: desk, agent: agent)))
    }

    // MARK: Applying

    mutating func hold(_ delivery: DeliveryID, at now: Timestamp, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        tellDesks(row, into: &changes)
        update(row) { $0.transport = .held }
        changes.append(.withdrawn(delivery))
        tell(row, .escalated, .step(.rightEnded), at: now, into: &changes)
    }

    mutating func release(_ delivery: DeliveryID, into changes: inout [Change]) {
        guard let row = row(of: delivery) else { return }
        update(row) { $0.transport = .waiting }
        // A station may have had it before it was held.
        changes.append(.queued(ticket(row, isRedelivered: true)))
        tellDesks(row, into: &changes)
    }

    mutating func move(
        _ delivery: DeliveryID, to place: (party: NameNumber, desk: NameNumber, agent: NameNumber),
        into changes: inout [Change]
    ) {
        guard let row = row(of: delivery) else { return }
        tellDesks(row, into: &changes)
        update(row) {
            $0.party = place.party
            $0.desk = place.desk
            $0.agent = place.agent
            if $0.giver == place.desk { $0.giver = .none }
        }
        if deliveries[row].transport == .waiting {
            changes.append(.withdrawn(delivery))
            // A station of the old desk may have had it.
            changes.append(.queued(ticket(row, isRedelivered: true)))
        }
        changes.append(.desk(names.desk(place.desk), delivery))
    }
}

extension GrantShape {
    /// The same with nothing that is not among these, too.
    package func narrowed(to attributes: [String], _ fields: [String]) -> GrantShape {
        GrantShape(
            rule: rule, effect: effect, basis: basis, marking: marking,
            attributes: self.attributes.filter(attributes.contains), fields: self.fields.filter(fields.contains),
            isStrict: isStrict)
    }
}
