package import CaseNotifications

/// A receipt with its number among those of its party, from 1 without gaps.
package struct NumberedReceipt: Sendable, Equatable {
    package var number: UInt64
    /// The id of its CloudEvent: `<position>.<n>`, the same every time.
    package var id: String
    package var receipt: Receipt
}

/// Receipts are no stored messages: an index per sending party, from which each is made when somebody reads it.
extension Relay {
    /// Receipts after `number` in their order, at most `limit`. None is older than 90 days.
    package func receipts(for reader: ReceiptReader, after number: UInt64, limit: Int) -> [NumberedReceipt] {
        guard let party = names.number(of: .party(reader.party)), let box = boxes[party], number < box.lastNumber
        else { return [] }
        var client: NameNumber?
        if case .client(_, let id) = reader {
            guard let number = names.number(of: .client(id)) else { return [] }
            client = number
        }
        var found: [NumberedReceipt] = []
        var next = max(number + 1, box.firstNumber)
        while found.count < limit, next <= box.lastNumber {
            let entry = box.entries[Int(next - box.firstNumber)]
            if client == nil || notifications[entry.notification].client == client {
                found.append(
                    NumberedReceipt(
                        number: next, id: "\(position(entry.sequence)).\(entry.ordinal)", receipt: receipt(entry)))
            }
            next += 1
        }
        return found
    }

    /// The number up to which a reader has confirmed.
    package func cursor(of reader: ReceiptReader) -> UInt64 {
        guard let party = names.number(of: .party(reader.party)), let box = boxes[party] else { return 0 }
        switch reader {
        case .party: return box.partyCursor
        case .client(_, let id): return names.number(of: .client(id)).flatMap { box.clientCursors[$0] } ?? 0
        }
    }

    /// The record number of the event that a receipt speaks of.
    func receiptSequence(_ party: PartyID, _ number: UInt64) -> UInt64? {
        guard let key = names.number(of: .party(party)), let box = boxes[key], number >= box.firstNumber,
            number <= box.lastNumber
        else { return nil }
        return box.entries[Int(number - box.firstNumber)].sequence
    }

    func receipt(_ entry: ReceiptEntry) -> Receipt {
        let notification = notifications[entry.notification]
        return Receipt(
            notification: notification.id, source: names.party(notification.source),
            id: sourceID(of: entry.notification), digest: notification.digest,
            policy: names.policy(notification.policy).hex, event: entry.event,
            party: entry.party == .none ? nil : names.party(entry.party),
            desk: entry.desk == .none ? nil : names.desk(entry.desk), role: names.text(entry.role),
            outcome: entry.outcome, step: entry.isSetAside ? "set-aside" : nil, reason: entry.reason, at: entry.at,
            position: position(entry.sequence))
    }

    /// Adds a receipt about a delivery as it is now.
    mutating func tell(
        _ row: UInt32, _ event: ReceiptEvent, role: NameNumber = .none, outcome: Outcome? = nil,
        isSetAside: Bool = false, at now: Timestamp, into changes: inout [Change]
    ) {
        let delivery = deliveries[row]
        let entry = ReceiptEntry(
            sequence: sequence, at: now, notification: delivery.notification, party: delivery.party,
            desk: delivery.desk, role: role, event: event, outcome: outcome, isSetAside: isSetAside)
        tell(delivery.notification, entry, into: &changes)
    }

    /// Adds a receipt for the sender of a notification.
    mutating func tell(_ number: UInt32, _ entry: ReceiptEntry, into changes: inout [Change]) {
        let notification = notifications[number]
        boxes[notification.source, default: ReceiptBox()].entries.append(entry)
        notifications[number].liveReceipts += 1
        changes.append(
            .receipt(
                party: names.party(notification.source), client: names.client(notification.client),
                number: boxes[notification.source]?.lastNumber ?? 0))
    }

    mutating func moveCursor(_ party: NameNumber, _ client: NameNumber, to number: UInt64) {
        if client == .none {
            boxes[party]?.partyCursor = number
        } else {
            boxes[party]?.clientCursors[client] = number
        }
    }
}
