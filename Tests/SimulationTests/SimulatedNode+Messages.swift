import CaseNotifications
import Journal
import Relay
import STOMP

/// What goes out.
extension SimulatedNode {
    /// Sends what may be sent now.
    mutating func pump(at now: SessionInstant, time: Timestamp) throws(NodeStopped) {
        try mark()
        let known = flaw == .answersBeforeCommit ? relay.sequence : durable
        for sending in dispatch.next(at: time, limit: 64) { try send(sending, time) }
        try supplyRecords()
        for sending in receiptDesk.next(relay: relay, durable: known, limit: 64) {
            let body = sending.receipt.receipt.cloudEvent(receiptID: sending.receipt.id)
            var message = OutgoingMessage(contentType: "application/cloudevents+json", body: body)
            message.isRedelivered = sending.isRedelivered
            guard !deliver(message, .receipt(sending.receipt.number), to: sending.subscriber) else { continue }
            receiptDesk.returned(sending.receipt.number, by: sending.subscriber)
        }
        wantedRecords += receiptDesk.takeNeeds()
    }

    /// Sends one delivery, or keeps it until its reader has taken what waits for it.
    ///
    /// - Parameter rendered: what a flawed relay has made of it before it was kept.
    mutating func send(
        _ sending: Sending, as rendered: [UInt8]? = nil, _ time: Timestamp
    ) throws(NodeStopped) {
        let number = Int(sending.subscriber.rawValue >> 16)
        let delivery = sending.ticket.delivery
        guard rendered != nil || dispatch.holds(sending) else { return count("stale sending") }
        guard connections[number]?.held.isEmpty != false, hasRoom(number) else {
            count("held sending")
            var body = rendered
            if flaw == .sendsWhatWaited, body == nil { body = try content(of: delivery, time) }
            connections[number]?.held.append((sending, body))
            return
        }
        // It ended while it waited, but that is not on disk yet.
        guard rendered != nil || isWaiting(delivery) else {
            dispatch.acked(delivery, by: sending.subscriber)
            return
        }
        var body = rendered
        if body == nil { body = try content(of: delivery, time) }
        guard let body else { return }
        var message = OutgoingMessage(contentType: "application/cloudevents+json", body: body)
        message.notification = delivery.notification.text
        message.urgency = sending.ticket.urgency.text
        message.deliveryCount = Int(sending.ticket.deliveryCount)
        message.isRedelivered = sending.ticket.isRedelivered
        guard !deliver(message, .delivery(delivery), to: sending.subscriber) else { return }
        // As after a withdrawal: dispatch has its credit back, the station has not answered. It waits a moment.
        dispatch.handle(.returned(delivery, readyAt: time.advanced(bySeconds: Self.retrySeconds)))
    }

    private func isWaiting(_ delivery: DeliveryID) -> Bool {
        relay.contentState(of: delivery.notification) != .erased && relay.delivery(delivery)?.transport == .waiting
    }

    mutating func count(_ name: String) { counts[name, default: 0] += 1 }

    /// Whether another message may be rendered for this client now.
    func hasRoom(_ number: Int) -> Bool {
        connections[number].map { $0.session.outputCount < traits.outgoingLimitBytes } ?? true
    }

    /// The client has taken what waited for it: what was held goes on.
    mutating func goOn(with number: Int, _ time: Timestamp) throws(NodeStopped) {
        while let next = connections[number]?.held.first, hasRoom(number) {
            let rest = connections[number]?.held.dropFirst() ?? []
            connections[number]?.held = []
            try send(next.sending, as: next.rendered, time)
            connections[number]?.held += rest
        }
    }

    /// The party's view, cut from the content in the journal. Nil where a flawed relay sends before it has written, and for
    /// what cannot be opened: that is said in the journal, and its deliveries are set aside.
    mutating func content(of delivery: DeliveryID, _ time: Timestamp) throws(NodeStopped) -> [UInt8]? {
        guard let location = texts[delivery.notification] else {
            if lostAtStart > 0 { try run(.unreadable(delivery.notification), time) }
            return nil
        }
        let id = TextID(high: delivery.notification.high, low: delivery.notification.low)
        let bytes: [UInt8]
        do throws(JournalError) {
            bytes = try core.read(id, at: location)
        } catch {
            switch error {
            case .textUnreadable, .textErased, .textMismatch, .keysDamaged:
                if flaw == .servesDamage { return Array("{\"hidden\":0}".utf8) }
                try run(.unreadable(delivery.notification), time)
                return nil
            default: throw NodeStopped(error)
            }
        }
        guard let notification = try? StoredContent(bytes), let facts = relay.delivery(delivery),
            let attributes = relay.attributes(of: delivery)
        else { throw NodeStopped(.content) }
        return NotificationView.render(
            notification, attributes: facts.shape.attributes, fields: facts.shape.fields, delivery: attributes)
    }

    /// False if the session does not take it now.
    mutating func deliver(_ message: OutgoingMessage, _ tagged: Tagged, to subscriber: SubscriberID) -> Bool {
        let number = Int(subscriber.rawValue >> 16)
        let key = SubscriptionKey(rawValue: UInt32(truncatingIfNeeded: subscriber.rawValue & 0xFFFF))
        guard let tag = connections[number]?.nextTag,
            connections[number]?.session.deliver(message, to: key, tag: tag) == true
        else { return false }
        connections[number]?.nextTag += 1
        connections[number]?.tags[tag] = (key, tagged)
        return true
    }

    /// What is not with a station yet, or set aside.
    func stored() -> Set<DeliveryID> {
        Set(relay.openTickets.map(\.delivery) + relay.setAside(limit: .max).map(\.id))
    }
}
