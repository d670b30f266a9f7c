import CaseNotifications

/// What is past its time goes with `.trimmed` events; what is finished goes as soon as enough others are.
extension Relay {
    mutating func trim(at now: Timestamp) {
        known.forget(at: now)
        dropReceipts(at: now)
    }

    private mutating func dropReceipts(at now: Timestamp) {
        for party in boxes.keys.sorted() {
            var rest = Self.trimLimit
            while rest > 0, let row = boxes[party]?.rows.first, let number = boxes[party]?.firstNumber,
                receiptRows[row].at.advanced(bySeconds: Self.receiptSeconds) <= now
            {
                takeOut(number, of: party)
                rest -= 1
            }
        }
    }

    // MARK: Receipts

    /// Takes a receipt out of its box, for which nobody waits any more.
    mutating func takeOut(_ number: UInt64, of party: NameNumber) {
        guard let row = boxes[party]?.row(number) else { return }
        boxes[party]?.empty(number)
        if receiptRows[row].isDetached {
            receiptRows.free(row)
        } else {
            receiptRows[row].isRead = true
        }
    }

    /// Receipts leave when their notification does, but for those that somebody still has to read.
    private mutating func letReceiptsGo(of number: UInt32) {
        let notification = notifications[number]
        var next = notification.newestReceipt
        while next != .none {
            let row = next
            next = receiptRows[row].nextOlder
            if receiptRows[row].isRead {
                receiptRows.free(row)
            } else {
                receiptRows[row].detach(accepted: notification.sequence, client: notification.client)
            }
        }
    }

    // MARK: Finished notifications

    /// Notes that nothing of a notification is open any more.
    mutating func noteFinished(_ number: UInt32) {
        guard notifications[number].openDeliveries == 0, !notifications[number].traits.isInFinished else { return }
        notifications[number].traits.isInFinished = true
        finished.append(number)
    }

    /// Whether a row will leave memory some day.
    func isOpenOrFinished(_ number: UInt32) -> Bool {
        notifications[number].openDeliveries > 0 || notifications[number].traits.isInFinished
    }

    /// Lets those go that were finished before the last `finishedLimit`. Called once after every event.
    ///
    /// One with a late receipt that somebody still has to read goes behind the others: as detached it would name a record that
    /// may be gone. Each is put off once per event at most; when all are such, the first goes.
    mutating func letFinishedGo() {
        var putOffs = finished.count
        while finished.count > finishedLimit, let number = finished.popFirst() {
            if notifications[number].openDeliveries == 0, putOffs > 0, hasLateUnread(number) {
                putOffs -= 1
                finished.append(number)
                continue
            }
            notifications[number].traits.isInFinished = false
            if notifications[number].openDeliveries == 0 { release(number) }
        }
    }

    /// Whether somebody still has to read a receipt that was made ``lateReceiptSeconds`` or more after the acceptance.
    private func hasLateUnread(_ number: UInt32) -> Bool {
        let late = acceptedAt(number).advanced(bySeconds: Self.lateReceiptSeconds)
        var row = notifications[number].newestReceipt
        while row != .none {
            let receipt = receiptRows[row]
            if !receipt.isRead, receipt.at >= late { return true }
            row = receipt.nextOlder
        }
        return false
    }

    /// Frees the rows of a notification with which nothing more has to happen.
    private mutating func release(_ number: UInt32) {
        let row = notifications[number]
        var delivery = row.firstDelivery
        while delivery != .none {
            let next = deliveries[delivery].nextOfNotification
            leave(delivery)
            var act = deliveries[delivery].firstAct
            while act != .none {
                let nextAct = acts[act].next
                acts.free(act)
                act = nextAct
            }
            deliveries.free(delivery)
            delivery = next
        }
        letReceiptsGo(of: number)
        unlink(number)
        index[row.id] = nil
        longIDs[number] = nil
        hasReleased = true
        notifications[number].isLive = false
        notifications.free(number)
    }

    // MARK: Cases

    /// Puts a notification at the end of its case. The slot that its acceptance names is the case's from here on.
    mutating func link(_ number: UInt32, slot: UInt64?) {
        let subject = notifications[number].subject
        var row = cases[subject] ?? CaseRow(slot: slot, oldest: number, newest: .none)
        if row.newest != .none { notifications[row.newest].nextInCase = number }
        row.newest = number
        row.slot = slot
        cases[subject] = row
    }

    /// Takes a notification out of its case; with the last of them the case leaves memory.
    private mutating func unlink(_ number: UInt32) {
        let subject = notifications[number].subject
        guard var row = cases[subject] else { return }
        let following = notifications[number].nextInCase
        if row.oldest == number {
            row.oldest = following
            cases[subject] = following == .none ? nil : row
            return
        }
        var previous = row.oldest
        while previous != .none, notifications[previous].nextInCase != number {
            previous = notifications[previous].nextInCase
        }
        guard previous != .none else { return }
        notifications[previous].nextInCase = following
        if row.newest == number { row.newest = previous }
        cases[subject] = row
    }
}
