package import CaseNotifications

/// A receipt with its number among those of its party, from 1 without gaps.
package struct NumberedReceipt: Sendable, Equatable {
    package var number: UInt64
    /// The id of its CloudEvent: `<position>.<n>`, the same every time.
    package var id: String
    package var receipt: Receipt
}

/// The next receipt for a reader, or what has to be read from disk first.
package struct NextReceipt: Sendable, Equatable {
    package var number: UInt64
    /// The record of the event that it speaks of.
    package var sequence: UInt64
    /// Nil if the notification has left memory: `Relay.receipt(_:of:accepted:)` makes it from that record.
    package var atHand: NumberedReceipt?
    /// The record of the acceptance, if it has to be read.
    package var neededRecord: UInt64?
}

/// Receipts are no stored messages: an index per sending party, from which each is made when somebody reads it.
extension Relay {
    /// The first receipt after `number` that waits for this reader.
    package func nextReceipt(for reader: ReceiptReader, after number: UInt64) -> NextReceipt? {
        guard let party = names.number(of: .party(reader.party)), let box = boxes[party], number < box.lastNumber
        else { return nil }
        var client: NameNumber?
        if case .client(_, let id) = reader {
            guard let number = names.number(of: .client(id)) else { return nil }
            client = number
        }
        var next = max(number + 1, box.firstNumber)
        while next <= box.lastNumber {
            if let row = box.row(next), client == nil || self.client(ofReceipt: row) == client {
                let entry = receiptRows[row]
                return NextReceipt(
                    number: next, sequence: entry.sequence,
                    atHand: entry.isDetached
                        ? nil : NumberedReceipt(number: next, id: receiptID(entry), receipt: receipt(entry)),
                    neededRecord: entry.isDetached ? entry.accepted : nil)
            }
            next += 1
        }
        return nil
    }

    /// Receipts after `number` in their order, at most `limit`, up to the first for which something has to be read.
    package func receipts(for reader: ReceiptReader, after number: UInt64, limit: Int) -> [NumberedReceipt] {
        var found: [NumberedReceipt] = []
        var last = number
        while found.count < limit, let next = nextReceipt(for: reader, after: last), let receipt = next.atHand {
            found.append(receipt)
            last = next.number
        }
        return found
    }

    /// The first record that an unread receipt is made from, or will be when its notification has left memory; nil when there
    /// is no unread one.
    package var oldestUnreadAcceptance: UInt64? {
        var oldest: UInt64?
        for box in boxes.values {
            for index in 0..<box.rows.count where box.rows[index] != .none {
                let entry = receiptRows[box.rows[index]]
                let accepted = entry.isDetached ? entry.accepted : notifications[entry.notification].sequence
                oldest = min(oldest ?? accepted, accepted)
            }
        }
        return oldest
    }

    /// A receipt whose notification has left memory, made from the event that accepted it. Nil for another event.
    package func receipt(_ number: UInt64, of party: PartyID, accepted event: Event) -> NumberedReceipt? {
        guard let key = names.number(of: .party(party)), let row = boxes[key]?.row(number),
            case .accepted(let accepted) = event.body, accepted.source == key, isPolicy(accepted.policy)
        else { return nil }
        let entry = receiptRows[row]
        var receipt = Receipt(
            notification: accepted.notification, source: party, id: accepted.sourceID, digest: accepted.digest,
            policy: names.policy(accepted.policy).hex, event: entry.event, at: entry.at,
            position: position(entry.sequence))
        fill(&receipt, from: entry)
        return NumberedReceipt(number: number, id: receiptID(entry), receipt: receipt)
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
        names.number(of: .party(party)).flatMap { boxes[$0]?.row(number) }.map { receiptRows[$0].sequence }
    }

    private func receiptID(_ row: ReceiptRow) -> String { "\(position(row.sequence)).\(row.ordinal)" }

    func client(ofReceipt row: UInt32) -> NameNumber {
        let entry = receiptRows[row]
        return entry.isDetached ? entry.detachedClient : notifications[entry.notification].client
    }

    /// A receipt whose notification is in memory.
    func receipt(_ entry: ReceiptRow) -> Receipt {
        let notification = notifications[entry.notification]
        var receipt = Receipt(
            notification: notification.id, source: names.party(notification.source),
            id: sourceID(of: entry.notification), digest: notification.digest,
            policy: names.policy(notification.policy).hex, event: entry.event, at: entry.at,
            position: position(entry.sequence))
        fill(&receipt, from: entry)
        return receipt
    }

    private func fill(_ receipt: inout Receipt, from entry: ReceiptRow) {
        receipt.party = entry.party == .none ? nil : names.party(entry.party)
        receipt.desk = entry.desk == .none ? nil : names.desk(entry.desk)
        receipt.role = names.text(entry.role)
        switch entry.detail {
        case .nothing: break
        case .reason(let code): receipt.reason = code
        case .outcome(let outcome): receipt.outcome = outcome
        case .step(let step): receipt.step = step.text
        }
    }

    // MARK: New receipts

    /// Adds a receipt about a delivery as it is now. `ordinal` tells those of one event apart.
    mutating func tell(
        _ row: UInt32, _ event: ReceiptEvent, _ detail: ReceiptDetail = .nothing, role: NameNumber = .none,
        ordinal: UInt16 = 0, at now: Timestamp, into changes: inout [Change]
    ) {
        let delivery = deliveries[row]
        var entry = ReceiptRow(sequence: sequence, ordinal: ordinal, at: now, event: event, detail: detail)
        entry.party = delivery.party
        entry.desk = delivery.desk
        entry.role = role
        tell(delivery.notification, entry, into: &changes)
    }

    /// Adds a receipt for the sender of a notification.
    mutating func tell(_ number: UInt32, _ entry: ReceiptRow, into changes: inout [Change]) {
        let notification = notifications[number]
        var entry = entry
        entry.attach(to: number, nextOlder: notification.newestReceipt)
        let row = receiptRows.add(entry)
        notifications[number].newestReceipt = row
        boxes[notification.source, default: ReceiptBox()].rows.append(row)
        let last = boxes[notification.source]?.lastNumber ?? 0
        changes.append(
            .receipt(
                party: names.party(notification.source), client: names.client(notification.client), number: last))
    }

    // MARK: Readers

    /// Where a receipt with this number, or the nearest before it that is still here, is.
    func place(of number: UInt64, in box: ReceiptBox) -> ReceiptPlace? {
        var number = min(number, box.lastNumber)
        while number >= box.firstNumber {
            if let row = box.row(number) {
                return ReceiptPlace(
                    number: number, sequence: receiptRows[row].sequence, ordinal: receiptRows[row].ordinal)
            }
            number -= 1
        }
        return nil
    }

    /// The number of the last receipt up to this place. After a loss it is not the one that was written.
    func number(at place: ReceiptPlace, in box: ReceiptBox) -> UInt64 {
        let key = place.sequence << 16 | UInt64(place.ordinal)
        if let row = box.row(place.number), receiptRows[row].key == key { return place.number }
        var low = 0
        var high = box.rows.count
        while low < high {
            let middle = (low + high) / 2
            var full = middle
            while full < high, box.rows[full] == .none { full += 1 }
            if full < high, receiptRows[box.rows[full]].key <= key { low = full + 1 } else { high = middle }
        }
        return box.firstNumber + UInt64(low) - 1
    }

    /// A reader has confirmed everything up to `number`: what no reader waits for any more leaves its box.
    mutating func moveCursor(_ party: NameNumber, _ client: NameNumber, to number: UInt64) {
        // Nothing may hold the box while it changes, or every change would copy it.
        guard let first = boxes[party]?.firstNumber, let last = boxes[party]?.lastNumber else { return }
        let old = (client == .none ? boxes[party]?.partyCursor : boxes[party]?.clientCursors[client]) ?? 0
        guard number > old else { return }
        if client == .none {
            boxes[party]?.partyCursor = number
        } else {
            boxes[party]?.clientCursors[client] = number
        }
        var next = max(old + 1, first)
        while next <= min(number, last) {
            if let row = boxes[party]?.row(next) {
                let its = self.client(ofReceipt: row)
                if client == .none || its == client, boxes[party]?.isWanted(next, of: its) == false {
                    takeOut(next, of: party)
                }
            }
            next += 1
        }
    }
}
