import CaseNotifications

/// What is past its time goes, a little with every `.trimmed` event.
extension Relay {
    mutating func trim(at now: Timestamp) {
        forget(at: now)
        dropReceipts(at: now)
        release(at: now)
        reviewLingering(at: now)
    }

    /// Submissions of more than 30 days ago are no longer known.
    private mutating func forget(at now: Timestamp) {
        var rest = Self.trimLimit
        while rest > 0, forgottenCount < ages.count, forgetTime(of: ages[forgottenCount]) <= now {
            let row = ages[forgottenCount]
            known[SubmissionKey(source: names.party(notifications[row].source), id: sourceID(of: row))] = nil
            forgottenCount += 1
            rest -= 1
        }
    }

    private mutating func dropReceipts(at now: Timestamp) {
        for party in boxes.keys.sorted() {
            var rest = Self.trimLimit
            while rest > 0, let entry = boxes[party]?.entries.first,
                entry.at.advanced(bySeconds: Self.receiptSeconds) <= now
            {
                _ = boxes[party]?.entries.popFirst()
                boxes[party]?.firstNumber += 1
                notifications[entry.notification].liveReceipts -= 1
                rest -= 1
            }
        }
    }

    private mutating func release(at now: Timestamp) {
        var rest = Self.trimLimit
        while rest > 0, forgottenCount > 0, let row = ages.first, releaseTime(of: row) <= now {
            _ = ages.popFirst()
            forgottenCount -= 1
            freeOrKeep(row, at: now)
            rest -= 1
        }
    }

    private mutating func reviewLingering(at now: Timestamp) {
        var rest = min(Self.trimLimit, lingering.count)
        while rest > 0, let oldest = lingering.first, oldest.until <= now {
            _ = lingering.popFirst()
            freeOrKeep(oldest.row, at: now)
            rest -= 1
        }
    }

    /// Frees a notification with which nothing more can happen; what is still open is looked at again a day later.
    private mutating func freeOrKeep(_ number: UInt32, at now: Timestamp) {
        let row = notifications[number]
        guard row.openDeliveries == 0, row.liveReceipts == 0 else {
            lingering.append(Lingering(row: number, until: now.advanced(bySeconds: 86_400)))
            return
        }
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
        unlink(number)
        index[row.id] = nil
        longIDs[number] = nil
        notifications[number].isLive = false
        notifications.free(number)
    }
}
