import CaseNotifications
import Relay
import Routing
import STOMP

extension RelayCore {
    /// The current list of a desk, to somebody who begins to watch it.
    func sendList(of desk: DeskID, to subscriber: SubscriberID) {
        guard let (id, _) = subscribers[subscriber], let client = clients[id] else { return }
        let (items, more) = openItems(at: [desk], limit: Self.itemLimit, client.peer)
        var answer = AnswerObject(schema: "watch", now: clock.now)
        answer.set("event", "list")
        answer.set("desk", desk.text)
        answer.set("items", .array(items.map { item($0) }))
        answer.set("more", more)
        answer.set("labels", labels(of: items.map(\.notification.type)))
        deliverWatch(answer.value.bytes, to: subscriber)
    }

    /// Tells those who watch a desk what has just become durable there: no content, no case, no person.
    func tellWatchers(of events: [Event], _ changes: [Change]) {
        let happened = Dictionary(
            events.compactMap { event in WatchEvent(event).map { ($0.delivery, $0) } }, uniquingKeysWith: { $1 })
        for change in changes {
            guard case .desk(let desk, let delivery) = change, let subscribers = watchers[desk] else { continue }
            guard let facts = relay.delivery(delivery), let about = relay.notification(delivery.notification) else {
                continue
            }
            var event = happened[delivery]
            // Where it moved to it is new.
            if event?.name == "moved", desk == facts.desk { event = nil }
            var answer = AnswerObject(schema: "watch", now: event?.at ?? clock.now)
            answer.set("event", event?.name ?? "new")
            answer.set("desk", desk.text)
            answer.set("notification", about.id.text)
            answer.set("urgency", about.urgency.text)
            if let outcome = event?.outcome {
                answer.set("outcome", outcome)
                answer.set("role", facts.workRole)
                if facts.work == .handedOver { answer.set("to", facts.desk.text) }
            }
            if event == nil {
                answer.set("item", item(InboxItem(notification: about, delivery: facts)))
                answer.set("labels", labels(of: [about.type]))
            }
            let bytes = answer.value.bytes
            // The desk that has just handed it over is told that, so that it leaves its list, and nothing after it.
            let isLast =
                event?.outcome == Outcome.handedOver.text && desk != facts.desk || event?.name == "moved"
                || event?.name == "held"
            for subscriber in subscribers {
                guard let (id, _) = self.subscribers[subscriber], let peer = clients[id]?.peer,
                    isLast || maySee(facts, peer)
                else { continue }
                deliverWatch(bytes, to: subscriber)
            }
        }
    }

    private func deliverWatch(_ bytes: [UInt8], to subscriber: SubscriberID) {
        guard let (id, key) = subscribers[subscriber], let client = clients[id] else { return }
        // SAFETY: connections of this core live on its loop.
        guard client.connection.assumeIsolated({ $0.hasRoom }) else {
            let refusal = SessionRefusal(
                code: "limit", message: "limit unread watch messages, connect again for the current list")
            // SAFETY: as above.
            return client.connection.assumeIsolated { $0.end(refusal) }
        }
        let message = OutgoingMessage(contentType: "application/json", body: bytes)
        // SAFETY: connections of this core live on its loop.
        _ = client.connection.assumeIsolated { $0.deliver(message, to: key, tag: 0) }
    }
}

/// What a watcher is told of an event of the relay.
private struct WatchEvent {
    let delivery: DeliveryID
    let at: Timestamp
    let name: String
    var outcome: String?

    init?(_ event: Event) {
        at = event.at
        switch event.body {
        case .custody(let delivery, _): (self.delivery, name) = (delivery, "delivered")
        case .returned(let delivery, _, _): (self.delivery, name) = (delivery, "returned")
        case .setAside(let delivery, _): (self.delivery, name) = (delivery, "set-aside")
        case .opened(let delivery, _): (self.delivery, name) = (delivery, "opened")
        case .held(let delivery, _): (self.delivery, name) = (delivery, "held")
        case .moved(let delivery, _, _, _): (self.delivery, name) = (delivery, "moved")
        case .acknowledged(let delivery, _, let decided, _):
            (self.delivery, name) = (delivery, "acknowledged")
            outcome = decided.outcome.text
        default: return nil
        }
    }
}

extension Decided {
    /// The outcome alone.
    fileprivate var outcome: Outcome {
        switch self {
        case .taken: .taken
        case .alreadyKnown: .alreadyKnown
        case .handedOver: .handedOver
        case .notOurs: .notOurs
        case .recused: .recused
        }
    }
}
