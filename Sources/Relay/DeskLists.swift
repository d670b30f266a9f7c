import CaseNotifications

/// Lists and counts per desk, kept in step with every change of a delivery.
extension Relay {
    /// A new delivery enters its desk's list.
    mutating func enter(_ row: UInt32) {
        let delivery = deliveries[row]
        count(delivery, by: 1)
        if delivery.belongsOnList { list(row) }
    }

    /// A delivery that is dropped leaves its desk's list.
    mutating func leave(_ row: UInt32) {
        let delivery = deliveries[row]
        count(delivery, by: -1)
        if delivery.isListed { unlist(row) }
        if delivery.isGivenAway { removeFromGiver(row, delivery.giver) }
    }

    /// The one way in which a delivery changes.
    mutating func update(_ row: UInt32, _ change: (inout DeliveryRow) -> Void) {
        let before = deliveries[row]
        count(before, by: -1)
        change(&deliveries[row])
        let after = deliveries[row]
        count(after, by: 1)
        if before.isListed, !after.belongsOnList || after.desk != before.desk {
            deliveries[row].desk = before.desk
            unlist(row)
            deliveries[row].desk = after.desk
        }
        if after.belongsOnList, !deliveries[row].isListed { list(row) }
        if before.isGivenAway, !after.isGivenAway || after.giver != before.giver { removeFromGiver(row, before.giver) }
        if after.isGivenAway, !before.isGivenAway || after.giver != before.giver {
            desks[after.giver, default: DeskRow()].givenAway.append(row)
        }
        noteFinished(after.notification)
    }

    private mutating func removeFromGiver(_ row: UInt32, _ giver: NameNumber) {
        desks[giver]?.givenAway.removeAll { $0 == row }
    }

    mutating func list(_ row: UInt32) {
        let delivery = deliveries[row]
        let place = Int(delivery.urgency.rawValue) - 1
        let tail = desks[delivery.desk]?.tails[place] ?? .none
        deliveries[row].previousAtDesk = tail
        deliveries[row].nextAtDesk = .none
        deliveries[row].isListed = true
        if tail == .none {
            desks[delivery.desk, default: DeskRow()].heads[place] = row
        } else {
            deliveries[tail].nextAtDesk = row
        }
        desks[delivery.desk, default: DeskRow()].tails[place] = row
    }

    private mutating func unlist(_ row: UInt32) {
        let delivery = deliveries[row]
        let place = Int(delivery.urgency.rawValue) - 1
        if delivery.previousAtDesk == .none {
            desks[delivery.desk]?.heads[place] = delivery.nextAtDesk
        } else {
            deliveries[delivery.previousAtDesk].nextAtDesk = delivery.nextAtDesk
        }
        if delivery.nextAtDesk == .none {
            desks[delivery.desk]?.tails[place] = delivery.previousAtDesk
        } else {
            deliveries[delivery.nextAtDesk].previousAtDesk = delivery.previousAtDesk
        }
        deliveries[row].isListed = false
    }

    mutating func count(_ delivery: DeliveryRow, by step: Int) {
        if !delivery.isDone {
            openDeliveries += step
            notifications[delivery.notification].openDeliveries &+= UInt16(truncatingIfNeeded: step)
            if notifications[delivery.notification].traits.isProtected { protectedOpen += step }
        }
        desks[delivery.desk, default: DeskRow()].count(delivery, by: step)
    }

    /// Tells the watchers of every desk whose people see the delivery.
    mutating func tellDesks(_ row: UInt32, into changes: inout [Change]) {
        let delivery = deliveries[row]
        changes.append(.desk(names.desk(delivery.desk), deliveryID(row)))
        if delivery.isGivenAway { changes.append(.desk(names.desk(delivery.giver), deliveryID(row))) }
    }
}

extension DeskRow {
    fileprivate mutating func count(_ delivery: DeliveryRow, by step: Int) {
        switch delivery.transport {
        case .waiting: waiting += step
        case .custody: inCustody += step
        case .setAside: setAside += step
        case .withdrawn: break
        case .held: held += step
        }
        if delivery.mustBeAcknowledged, delivery.work == .open || delivery.work == .handedOver {
            unacknowledged += step
        }
    }
}

extension DeliveryRow {
    /// Whether people of another desk of the party handed it over and wait for the taker.
    var isGivenAway: Bool { work == .handedOver && giver != .none && giver != desk && transport != .held }
}
