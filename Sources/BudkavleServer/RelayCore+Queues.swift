import CaseNotifications
import Relay
import Routing
import STOMP

/// How much waits, as an administrator sees it: numbers, never what it is.
private struct QueueNumbers {
    var ready = 0
    var inFlight = 0
    var custody = 0
    var setAside = 0
    var overdue = 0
    var oldest: Timestamp?

    mutating func count(_ item: InboxItem, isInFlight: Bool, now: Timestamp) {
        switch item.delivery.transport {
        case .waiting: if isInFlight { inFlight += 1 } else { ready += 1 }
        case .custody: custody += 1
        case .setAside: setAside += 1
        case .withdrawn, .held: break
        }
        if let deadline = item.delivery.acknowledgeBy, deadline < now { overdue += 1 }
        oldest = min(oldest ?? item.notification.acceptedAt, item.notification.acceptedAt)
    }

    func write(to answer: inout AnswerObject) {
        answer.set("ready", ready)
        answer.set("inflight", inFlight)
        answer.set("custody", custody)
        answer.set("setaside", setAside)
        answer.set("overdue", overdue)
    }
}

extension RelayCore {
    /// Open items of one desk that are looked at for the numbers.
    private static let countedPerDesk = 100_000

    /// Numbers per desk, without protected deliveries, and in all, with them.
    func queues() -> JSONValue {
        let now = clock.now
        var inFlight: Set<DeliveryID> = []
        for client in clients.values {
            for case .delivery(let delivery, _) in client.inFlight.values { inFlight.insert(delivery) }
        }
        var total = QueueNumbers()
        var queues: [JSONValue] = []
        for desk in relay.counts().perDesk {
            var numbers = QueueNumbers()
            for item in relay.inbox(of: desk.desk, limit: Self.countedPerDesk) {
                let isInFlight = inFlight.contains(item.delivery.id)
                total.count(item, isInFlight: isInFlight, now: now)
                if !item.notification.isProtected { numbers.count(item, isInFlight: isInFlight, now: now) }
            }
            var answer = AnswerObject()
            answer.set("party", policy.owner(of: desk.desk)?.text ?? "")
            answer.set("desk", desk.desk.text)
            numbers.write(to: &answer)
            answer.set("oldest", numbers.oldest)
            queues.append(answer.value)
        }
        var answer = AnswerObject(schema: "queues", now: now)
        answer.set("queues", .array(queues))
        var sum = AnswerObject()
        total.write(to: &sum)
        // Held ones are on no desk's list; in the total alone, for the reason of the protected ones.
        sum.set("held", relay.counts().perDesk.reduce(0) { $0 + $1.held })
        answer.set("total", sum.value)
        answer.set("agreements", agreementAnswers())
        return answer.value
    }
}
