package import CaseNotifications
import HeapModule

/// One subscription of one connection; the caller numbers them and never uses a number twice.
package struct SubscriberID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    /// The subscriber with this number.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// By number.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A delivery that goes to a subscriber now.
package struct Sending: Sendable, Equatable {
    package var subscriber: SubscriberID
    package var ticket: Ticket
    /// Tells it from every other sending of the same delivery. `Dispatch` counts them, from 0 again after 2^32.
    let number: UInt32
}

/// What is in flight on which subscription, who has credit, and what goes next. No part of the fold: a restart begins with
/// an empty one and `restore(from:)`.
///
/// Order at a desk: by urgency class, then by acceptance; within one case and class redelivered ones first. What waits
/// for its calendar, backs off or is set aside is not ready and is overtaken. While a subscriber holds one of a case and
/// class, the next of these goes to it alone. Every step takes time in the logarithm of what waits, but for the first
/// after the clock was set back: from then on no back-off is longer than if it began at that moment.
///
/// Heaps are cleaned when they are read: an entry counts only if it still says what the table of deliveries says.
package struct Dispatch: Sendable {
    /// A delivery in 64 bytes with its key. `SubscriberID` 0 is nobody.
    struct Entry: Sendable {
        enum Place: UInt8, Sendable { case ready, waiting, inFlight }
        var queue: UInt32
        var deliveryCount: UInt16
        var place: Place
        var isRedelivered: Bool
        /// Whether `readyAt` is the end of a back-off; else a calendar says when it may go.
        var isBackingOff: Bool
        /// Returns that the server has told before their event was durable: the event itself changes nothing more.
        var announcedReturns: UInt8 = 0
        /// The number of the sending with which it went out last.
        var sending: UInt32 = 0
        var order: UInt64
        var subject: CaseID
        /// When it is ready while it waits; else what it was.
        var readyAt: Timestamp
        /// Who holds it, while it is in flight.
        var holder = SubscriberID(rawValue: 0)
    }

    /// Place in a case's queue: redelivered ones first, then by acceptance.
    struct ReadyKey: Comparable, Sendable {
        var isFirst: Bool
        var order: UInt64
        var delivery: DeliveryID

        static func < (left: Self, right: Self) -> Bool {
            if left.isFirst != right.isFirst { return left.isFirst }
            return (left.order, left.delivery) < (right.order, right.delivery)
        }
    }

    private struct WaitingKey: Comparable, Sendable {
        var readyAt: Timestamp
        var order: UInt64
        var delivery: DeliveryID

        static func < (left: Self, right: Self) -> Bool {
            if left.readyAt != right.readyAt { return left.readyAt < right.readyAt }
            return (left.order, left.delivery) < (right.order, right.delivery)
        }
    }

    private struct Subscriber: Sendable {
        var queues: [UInt32]
        var credit: Int
        var inFlight: Set<DeliveryID> = []
    }

    private var entries = ChunkedTable<DeliveryID, Entry>()
    private var queues: [DeskQueue] = []
    private var queueNumbers: [DeskID: UInt32] = [:]
    private var subscribers: [SubscriberID: Subscriber] = [:]
    /// Subscribers that may have something to get, each once, in turn.
    private var turn: [SubscriberID] = []
    private var hasTurn: Set<SubscriberID> = []
    private var waiting = Heap<WaitingKey>()
    private let settings: RelaySettings
    /// Numbers the sendings.
    private var lastSending: UInt32 = 0
    /// When `next` was asked last; the first time the clock may have been set back as well.
    private var lastAsked = Timestamp.distantFuture
    /// Deliveries on some subscription.
    package private(set) var inFlightCount = 0

    /// Nothing waits, nobody listens.
    ///
    /// - Parameter settings: how long a back-off may be.
    package init(settings: RelaySettings = .standard) { self.settings = settings }

    /// Deliveries that are ready or wait for their time.
    package var waitingCount: Int { entries.count - inFlightCount }

    // MARK: What the relay says

    /// Takes over everything that waits for stations: at a start, when all of it counts as redelivered.
    package mutating func restore(from relay: Relay) {
        for ticket in relay.openTickets { enqueue(ticket) }
    }

    /// Follows a change of the relay; only after its event is durable.
    package mutating func handle(_ change: Change) {
        switch change {
        case .queued(let ticket): enqueue(ticket)
        case .custody(let delivery), .setAside(let delivery), .withdrawn(let delivery): drop(delivery)
        case .returned(let delivery, let readyAt):
            guard let entry = entries[delivery] else { return }
            if entry.announcedReturns > 0 {
                entries[delivery]?.announcedReturns -= 1
            } else if entry.place == .inFlight {
                _ = giveBack(delivery, by: entry.holder, readyAt: readyAt)
            }
        case .desk, .receipt, .policy, .clock: break
        }
    }

    /// Puts a delivery into its desk's queue; one that is there already starts anew.
    package mutating func enqueue(_ ticket: Ticket) {
        drop(ticket.delivery)
        let entry = Entry(
            queue: queueNumber(ticket.desk, ticket.urgency), deliveryCount: ticket.deliveryCount, place: .waiting,
            isRedelivered: ticket.isRedelivered, isBackingOff: ticket.deliveryCount > 0, order: ticket.order,
            subject: ticket.subject, readyAt: ticket.readyAt)
        wait(ticket.delivery, entry)
    }

    /// Puts a delivery back whose confirmation could not be written: it comes again after a moment.
    package mutating func retry(_ ticket: Ticket, readyAt: Timestamp) {
        enqueue(ticket)
        guard var entry = entries[ticket.delivery] else { return }
        entry.isBackingOff = true
        entry.readyAt = readyAt
        wait(ticket.delivery, entry)
    }

    // MARK: What subscribers say

    /// A subscription begins.
    ///
    /// - Parameter credit: how many it may hold at once, at least 1.
    package mutating func add(_ subscriber: SubscriberID, desks: [DeskID], credit: Int) {
        remove(subscriber)
        let numbers = desks.flatMap { desk in UrgencyClass.allCases.map { queueNumber(desk, $0) } }
        // By class first: a subscriber of several desks gets the most urgent of all.
        let ordered = numbers.sorted { (queues[Int($0)].urgency, $0) < (queues[Int($1)].urgency, $1) }
        subscribers[subscriber] = Subscriber(queues: ordered, credit: max(1, credit))
        for number in ordered { queues[Int(number)].subscribers.append(subscriber) }
        giveTurn(subscriber)
    }

    /// A subscription ends: what it held goes back, redelivered.
    package mutating func remove(_ subscriber: SubscriberID) {
        guard let gone = subscribers.removeValue(forKey: subscriber) else { return }
        for number in gone.queues { queues[Int(number)].subscribers.removeAll { $0 == subscriber } }
        if hasTurn.remove(subscriber) != nil { turn.removeAll { $0 == subscriber } }
        for delivery in gone.inFlight.sorted() {
            guard var entry = entries[delivery] else { continue }
            inFlightCount -= 1
            release(entry, by: subscriber)
            entry.isRedelivered = true
            makeReady(delivery, entry)
        }
        for number in gone.queues { queues[Int(number)].forget(subscriber) }
    }

    /// A station confirmed: its credit is back. False if it was not in flight there.
    @discardableResult
    package mutating func acked(_ delivery: DeliveryID, by subscriber: SubscriberID) -> Bool {
        guard let entry = entries[delivery], entry.place == .inFlight, entry.holder == subscriber else { return false }
        drop(delivery)
        return true
    }

    /// A station gave it back and the relay decided when it may go again. False if it was not in flight there.
    ///
    /// The change of that event, handled later, then does nothing more. If the relay set it aside, handle that change.
    @discardableResult
    package mutating func returned(_ delivery: DeliveryID, by subscriber: SubscriberID, readyAt: Timestamp) -> Bool {
        guard giveBack(delivery, by: subscriber, readyAt: readyAt) else { return false }
        entries[delivery]?.announcedReturns += 1
        return true
    }

    /// Whether some subscriber has it and has not confirmed it.
    package func isInFlight(_ delivery: DeliveryID) -> Bool { entries[delivery]?.place == .inFlight }

    /// Whether a sending is what its subscriber holds now.
    ///
    /// It is no more once its delivery was confirmed, given back, withdrawn or queued anew, even if that went to the same
    /// subscriber again: its credit is back, and whoever let it wait drops it and tells nobody.
    package func holds(_ sending: Sending) -> Bool {
        guard let entry = entries[sending.ticket.delivery] else { return false }
        return entry.place == .inFlight && entry.sending == sending.number
    }

    /// What a subscriber holds, sorted.
    package func inFlight(of subscriber: SubscriberID) -> [DeliveryID] {
        subscribers[subscriber]?.inFlight.sorted() ?? []
    }

    // MARK: What goes out

    /// What goes out now, at most `limit`; if that many come, ask again.
    package mutating func next(at now: Timestamp, limit: Int) -> [Sending] {
        if now < lastAsked { shortenBackoffs(at: now) }
        lastAsked = now
        wake(at: now)
        var sendings: [Sending] = []
        var place = 0
        while sendings.count < limit, !turn.isEmpty {
            if place >= turn.count { place = 0 }
            let subscriber = turn[place]
            if let sending = nextSending(for: subscriber) {
                sendings.append(sending)
                place += 1
            } else {
                turn.remove(at: place)
                hasTurn.remove(subscriber)
            }
        }
        // Whoever is next in turn begins the next time.
        if place > 0, place < turn.count { turn = Array(turn[place...] + turn[..<place]) }
        return sendings
    }

    /// The earliest time after which `next` may give more because something need not wait any longer.
    package func nextWake(after now: Timestamp) -> Timestamp? { waiting.min.map { max($0.readyAt, now) } }

    private mutating func nextSending(for id: SubscriberID) -> Sending? {
        guard let subscriber = subscribers[id], subscriber.credit > 0 else { return nil }
        var best: (number: UInt32, key: ReadyKey)?
        for number in subscriber.queues {
            if let best, queues[Int(number)].urgency > queues[Int(best.number)].urgency { break }
            guard let key = head(of: number, for: id) else { continue }
            if best.map({ key < $0.key }) ?? true { best = (number, key) }
        }
        guard let (number, key) = best, var entry = entries[key.delivery] else { return nil }
        queues[Int(number)].take(entry.subject, for: id)
        entry.place = .inFlight
        entry.holder = id
        lastSending &+= 1
        entry.sending = lastSending
        entries[key.delivery] = entry
        subscribers[id]?.credit -= 1
        subscribers[id]?.inFlight.insert(key.delivery)
        inFlightCount += 1
        settle(entry.subject, in: number)
        let queue = queues[Int(number)]
        return Sending(
            subscriber: id,
            ticket: Ticket(
                delivery: key.delivery, desk: queue.desk, urgency: queue.urgency, subject: entry.subject,
                readyAt: entry.readyAt, order: entry.order, deliveryCount: entry.deliveryCount,
                isRedelivered: entry.isRedelivered),
            number: entry.sending)
    }

    /// The first delivery of a queue that may go to this subscriber.
    private mutating func head(of number: UInt32, for subscriber: SubscriberID) -> ReadyKey? {
        let own = queues[Int(number)].head(heldBy: subscriber)
        let free = queues[Int(number)].freeHead()
        guard let own, let free else { return own?.key ?? free?.key }
        return min(own.key, free.key)
    }

    // MARK: Places

    private mutating func queueNumber(_ desk: DeskID, _ urgency: UrgencyClass) -> UInt32 {
        let first: UInt32
        if let known = queueNumbers[desk] {
            first = known
        } else {
            first = UInt32(queues.count)
            queueNumbers[desk] = first
            for urgency in UrgencyClass.allCases.sorted() { queues.append(DeskQueue(desk: desk, urgency: urgency)) }
        }
        return first + UInt32(urgency.rawValue - 1)
    }

    private mutating func giveTurn(_ subscriber: SubscriberID) {
        if hasTurn.insert(subscriber).inserted { turn.append(subscriber) }
    }

    /// Gives everybody a turn who might get something from this queue now.
    private mutating func giveTurns(of number: UInt32) {
        for subscriber in queues[Int(number)].subscribers
        where !hasTurn.contains(subscriber) && (subscribers[subscriber]?.credit ?? 0) > 0 {
            giveTurn(subscriber)
        }
    }

    private mutating func wait(_ delivery: DeliveryID, _ entry: Entry) {
        var entry = entry
        entry.place = .waiting
        entries[delivery] = entry
        waiting.insert(WaitingKey(readyAt: entry.readyAt, order: entry.order, delivery: delivery))
    }

    private mutating func wake(at now: Timestamp) {
        while let key = waiting.min, key.readyAt <= now {
            waiting.removeMin()
            if let entry = entries[key.delivery], entry.place == .waiting, entry.readyAt == key.readyAt {
                makeReady(key.delivery, entry)
            }
        }
    }

    /// The clock was set back: what backs off waits no longer than if it had been given back now.
    private mutating func shortenBackoffs(at now: Timestamp) {
        var keys: [WaitingKey] = []
        for var key in waiting.unordered {
            guard let entry = entries[key.delivery], entry.place == .waiting, entry.readyAt == key.readyAt else {
                continue
            }
            let wait = settings.backoffSeconds(returns: max(1, Int(entry.deliveryCount)))
            let latest = now.advanced(bySeconds: wait)
            if entry.isBackingOff, entry.readyAt > latest {
                entries[key.delivery]?.readyAt = latest
                key.readyAt = latest
            }
            keys.append(key)
        }
        waiting = Heap(keys)
    }

    private mutating func makeReady(_ delivery: DeliveryID, _ entry: Entry) {
        var entry = entry
        entry.place = .ready
        entries[delivery] = entry
        let key = ReadyKey(isFirst: entry.isRedelivered, order: entry.order, delivery: delivery)
        queues[Int(entry.queue)].add(key, of: entry.subject)
        settle(entry.subject, in: entry.queue)
        giveTurns(of: entry.queue)
    }

    /// Whether a key in some heap still speaks of a ready delivery.
    private func isCurrent(_ key: ReadyKey, in number: UInt32) -> Bool {
        guard let entry = entries[key.delivery] else { return false }
        return entry.place == .ready && entry.queue == number && entry.order == key.order
            && entry.isRedelivered == key.isFirst
    }

    /// Drops keys at a case's head that no longer count, and announces what is the head now.
    private mutating func settle(_ subject: CaseID, in number: UInt32) {
        while let key = queues[Int(number)].first(of: subject), !isCurrent(key, in: number) {
            queues[Int(number)].dropFirst(of: subject)
        }
        queues[Int(number)].announce(subject)
    }

    private mutating func giveBack(_ delivery: DeliveryID, by subscriber: SubscriberID, readyAt: Timestamp) -> Bool {
        guard var entry = entries[delivery], entry.place == .inFlight, entry.holder == subscriber else { return false }
        land(delivery, entry)
        entry.isRedelivered = true
        entry.isBackingOff = true
        entry.deliveryCount += entry.deliveryCount == .max ? 0 : 1
        entry.readyAt = readyAt
        // It was decided no earlier than this: where the clock was set back since, the next question shortens it.
        lastAsked = max(lastAsked, readyAt.advanced(bySeconds: -settings.lastBackoffSeconds))
        wait(delivery, entry)
        settle(entry.subject, in: entry.queue)
        giveTurns(of: entry.queue)
        return true
    }

    /// Takes a delivery off its subscription.
    private mutating func land(_ delivery: DeliveryID, _ entry: Entry) {
        inFlightCount -= 1
        subscribers[entry.holder]?.credit += 1
        subscribers[entry.holder]?.inFlight.remove(delivery)
        release(entry, by: entry.holder)
        giveTurn(entry.holder)
    }

    private mutating func release(_ entry: Entry, by subscriber: SubscriberID) {
        queues[Int(entry.queue)].release(entry.subject, by: subscriber)
    }

    private mutating func drop(_ delivery: DeliveryID) {
        guard let entry = entries[delivery] else { return }
        if entry.place == .inFlight { land(delivery, entry) }
        entries[delivery] = nil
        settle(entry.subject, in: entry.queue)
        giveTurns(of: entry.queue)
    }
}
