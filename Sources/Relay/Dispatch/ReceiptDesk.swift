import CaseNotifications

/// What follows from a confirmed receipt.
package struct ReceiptAck: Sendable, Equatable {
    package var reader: ReceiptReader
    /// Everything up to this number is confirmed now: decide `.readReceipts`. Nil while an earlier one is missing.
    package var through: UInt64?
}

/// A receipt that goes to a subscriber now.
package struct ReceiptSending: Sendable, Equatable {
    package var subscriber: SubscriberID
    package var receipt: NumberedReceipt
    package var isRedelivered: Bool
}

/// Who reads which receipts and how far. No part of the fold: the fold has the confirmed cursors.
///
/// Subscribers of one reader compete. What was sent and not confirmed when one leaves goes to another, or comes again.
///
/// A receipt whose notification has left memory waits until the record of its acceptance was read from disk: `takeNeeds`
/// names these records, `supply` brings them.
package struct ReceiptDesk: Sendable {
    /// Receipts that are looked at ahead for records to be read.
    package static let readAhead = 256
    /// Records that are kept until their receipts are made; when there are more, all go and are read again.
    package static let suppliedLimit = 4_096

    /// Receipts that were skipped because their record could not be read.
    package private(set) var skippedCount = 0
    private struct Subscriber: Sendable {
        var reader: ReceiptReader
        var credit: Int
    }

    private struct Reader: Sendable {
        /// The last number that was sent for the first time.
        var sentThrough: UInt64
        /// The last cursor that was reported to the caller.
        var confirmed: UInt64
        /// Sent and not confirmed, ascending.
        var outstanding: [UInt64] = []
        var holders: [UInt64: SubscriberID] = [:]
        /// To be sent again, ascending; part of `outstanding`.
        var again: [UInt64] = []
        var subscribers: [SubscriberID] = []
        var turn = 0
    }

    private var subscribers: [SubscriberID: Subscriber] = [:]
    private var readers: [ReceiptReader: Reader] = [:]
    /// Readers for which there may be something to do, each once.
    private var busy: [ReceiptReader] = []
    /// Accepted events by their record; nil for one that cannot be read.
    private var supplied: [UInt64: Event?] = [:]
    private var needs: Set<UInt64> = []
    /// Needs that were told and not supplied yet.
    private var asked: Set<UInt64> = []

    /// Nobody reads.
    package init() {}

    /// A sender may have a new receipt.
    package mutating func handle(_ change: Change) {
        guard case .receipt(let party, let client, _) = change else { return }
        wake(.party(party))
        wake(.client(party, client))
    }

    /// A subscription begins: it goes on behind the reader's cursor.
    package mutating func add(_ subscriber: SubscriberID, reader: ReceiptReader, credit: Int, relay: Relay) {
        remove(subscriber)
        subscribers[subscriber] = Subscriber(reader: reader, credit: max(1, credit))
        let cursor = relay.cursor(of: reader)
        readers[reader, default: Reader(sentThrough: cursor, confirmed: cursor)].subscribers.append(subscriber)
        wake(reader)
    }

    /// A subscription ends: what it had not confirmed will be sent again.
    package mutating func remove(_ subscriber: SubscriberID) {
        guard let gone = subscribers.removeValue(forKey: subscriber) else { return }
        readers[gone.reader]?.subscribers.removeAll { $0 == subscriber }
        guard let reader = readers[gone.reader] else { return }
        for number in reader.outstanding where reader.holders[number] == subscriber { sendAgain(number, gone.reader) }
        wake(gone.reader)
    }

    /// A receipt was confirmed. Nil if it was not in flight there.
    package mutating func acked(_ number: UInt64, by subscriber: SubscriberID) -> ReceiptAck? {
        guard let key = subscribers[subscriber]?.reader, readers[key]?.holders[number] == subscriber else { return nil }
        subscribers[subscriber]?.credit += 1
        readers[key]?.holders[number] = nil
        readers[key]?.outstanding.remove(sorted: number)
        wake(key)
        guard let reader = readers[key] else { return nil }
        let through = reader.outstanding.first.map { $0 - 1 } ?? reader.sentThrough
        guard through > reader.confirmed else { return ReceiptAck(reader: key, through: nil) }
        readers[key]?.confirmed = through
        return ReceiptAck(reader: key, through: through)
    }

    /// A receipt was given back: it comes again. False if it was not in flight there.
    @discardableResult
    package mutating func returned(_ number: UInt64, by subscriber: SubscriberID) -> Bool {
        guard let key = subscribers[subscriber]?.reader, readers[key]?.holders[number] == subscriber else {
            return false
        }
        subscribers[subscriber]?.credit += 1
        sendAgain(number, key)
        wake(key)
        return true
    }

    /// What goes out now, at most `limit`: nothing of events beyond the record `durable`. If that many come, ask again.
    package mutating func next(relay: Relay, durable: UInt64, limit: Int) -> [ReceiptSending] {
        var sendings: [ReceiptSending] = []
        var waits: [ReceiptReader] = []
        for key in busy {
            while sendings.count < limit, let sending = nextSending(key, relay, durable) { sendings.append(sending) }
            if sendings.count >= limit || isBehind(key, relay, durable) { waits.append(key) }
        }
        busy = waits
        return sendings
    }

    /// The records that have to be read before more can go out; each is named once. Ask after `next`.
    package mutating func takeNeeds() -> [UInt64] {
        defer { needs.removeAll() }
        asked.formUnion(needs)
        return needs.sorted()
    }

    /// The accepted event of a record that `takeNeeds` named, or nil if it cannot be read: then its receipts are skipped.
    package mutating func supply(record: UInt64, _ event: Event?) {
        if supplied.count >= Self.suppliedLimit { supplied.removeAll() }
        asked.remove(record)
        supplied.updateValue(event, forKey: record)
    }

    private enum Finding {
        case receipt(NumberedReceipt)
        case skipped(UInt64)
        case nothing
    }

    /// The next receipt behind `number`, if it may go out and is at hand.
    private mutating func find(_ key: ReceiptReader, after number: UInt64, _ relay: Relay, _ durable: UInt64) -> Finding
    {
        guard let next = relay.nextReceipt(for: key, after: number), next.sequence <= durable else { return .nothing }
        if let receipt = next.atHand { return .receipt(receipt) }
        guard let record = next.neededRecord else { return .nothing }
        guard let event = supplied[record] else {
            need(from: next, key, relay)
            return .nothing
        }
        let receipt = event.flatMap { relay.receipt(next.number, of: key.party, accepted: $0) }
        return receipt.map(Finding.receipt) ?? .skipped(next.number)
    }

    private mutating func need(from first: NextReceipt, _ key: ReceiptReader, _ relay: Relay) {
        var next: NextReceipt? = first
        for _ in 0..<Self.readAhead {
            guard let receipt = next else { return }
            if let record = receipt.neededRecord, supplied[record] == nil, !asked.contains(record) {
                needs.insert(record)
            }
            next = relay.nextReceipt(for: key, after: receipt.number)
        }
    }

    private mutating func nextSending(_ key: ReceiptReader, _ relay: Relay, _ durable: UInt64) -> ReceiptSending? {
        while let reader = readers[key], let subscriber = withCredit(reader) {
            let isRedelivered = !reader.again.isEmpty
            let after = reader.again.first.map { $0 - 1 } ?? reader.sentThrough
            let receipt: NumberedReceipt
            switch find(key, after: after, relay, durable) {
            case .nothing: return nil
            case .skipped(let number):
                skippedCount += 1
                readers[key]?.again.remove(sorted: number)
                readers[key]?.outstanding.remove(sorted: number)
                readers[key]?.sentThrough = max(reader.sentThrough, number)
                continue
            case .receipt(let found): receipt = found
            }
            if isRedelivered {
                readers[key]?.again.removeFirst()
                // A receipt older than 90 days is gone: what came instead is the next one.
                if receipt.number != after + 1 { readers[key]?.outstanding.remove(sorted: after + 1) }
            }
            guard readers[key]?.holders[receipt.number] == nil else { return nil }
            if !isRedelivered || receipt.number > reader.sentThrough {
                readers[key]?.sentThrough = max(reader.sentThrough, receipt.number)
                readers[key]?.outstanding.insert(sorted: receipt.number)
            }
            readers[key]?.holders[receipt.number] = subscriber
            readers[key]?.turn += 1
            subscribers[subscriber]?.credit -= 1
            return ReceiptSending(subscriber: subscriber, receipt: receipt, isRedelivered: isRedelivered)
        }
        return nil
    }

    private func withCredit(_ reader: Reader) -> SubscriberID? {
        for place in 0..<reader.subscribers.count {
            let subscriber = reader.subscribers[(reader.turn + place) % reader.subscribers.count]
            if subscribers[subscriber]?.credit ?? 0 > 0 { return subscriber }
        }
        return nil
    }

    /// Whether the next receipt only waits until its event is durable, or until its record was read.
    private func isBehind(_ key: ReceiptReader, _ relay: Relay, _ durable: UInt64) -> Bool {
        guard let reader = readers[key], withCredit(reader) != nil,
            let receipt = relay.nextReceipt(
                for: key, after: reader.again.first.map { $0 - 1 } ?? reader.sentThrough)
        else { return false }
        return receipt.sequence > durable || receipt.neededRecord != nil
    }

    private mutating func sendAgain(_ number: UInt64, _ key: ReceiptReader) {
        readers[key]?.holders[number] = nil
        readers[key]?.again.insert(sorted: number)
    }

    private mutating func wake(_ key: ReceiptReader) {
        guard let reader = readers[key], !reader.subscribers.isEmpty, !busy.contains(key) else { return }
        busy.append(key)
    }
}

extension [UInt64] {
    private func place(of number: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate mutating func insert(sorted number: UInt64) {
        let place = place(of: number)
        if place == count || self[place] != number { insert(number, at: place) }
    }

    fileprivate mutating func remove(sorted number: UInt64) {
        let place = place(of: number)
        if place < count, self[place] == number { remove(at: place) }
    }
}
