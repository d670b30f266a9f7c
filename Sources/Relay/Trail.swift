package import CaseNotifications

/// What became of one notification, step by step.
extension Relay {
    /// The receipts of one notification in their order, read or not, while it is in memory.
    package func trail(of id: NotificationID) -> [Receipt] {
        guard let number = index[id] else { return [] }
        var trail: [Receipt] = []
        var row = notifications[number].newestReceipt
        while row != .none {
            trail.append(receipt(receiptRows[row]))
            row = receiptRows[row].nextOlder
        }
        return trail.reversed()
    }

    /// The relay's id of what `source` submitted under its own id, as long as duplicates are known.
    package func notification(source: PartyID, id: String) -> NotificationID? {
        record(source: source, id: id)?.notification
    }

    /// The ticket of a delivery that waits for a station, as one that comes again; nil once it does not wait.
    package func openTicket(of id: DeliveryID) -> Ticket? {
        guard let row = row(of: id), deliveries[row].transport == .waiting else { return nil }
        return ticket(row, isRedelivered: true)
    }

    /// Most receipts that are looked at to count one client's own.
    package static let countedReceipts: UInt64 = 100_000

    /// How many receipts wait for a reader; of one client's own among at most ``countedReceipts``.
    package func pendingCount(for reader: ReceiptReader) -> Int {
        guard let party = names.number(of: .party(reader.party)), let box = boxes[party] else { return 0 }
        let first = max(cursor(of: reader) + 1, box.firstNumber)
        guard first <= box.lastNumber else { return 0 }
        guard case .client(_, let id) = reader else { return Int(box.lastNumber - first + 1) }
        guard let client = names.number(of: .client(id)) else { return 0 }
        var count = 0
        for number in first...min(box.lastNumber, first + Self.countedReceipts - 1) {
            if let row = box.row(number), self.client(ofReceipt: row) == client { count += 1 }
        }
        return count
    }
}
