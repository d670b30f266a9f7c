import CaseNotifications
import Testing

@testable import Relay

@Suite struct DispatchTests {
    static let now = Fixture.friday
    static let first = SubscriberID(rawValue: 1)
    static let second = SubscriberID(rawValue: 2)

    static func ticket(
        _ order: UInt64, _ urgency: UrgencyClass = .u1, case number: UInt64 = 0, desk at: String = "d",
        readyAt: Timestamp = now
    ) -> Ticket {
        Ticket(
            delivery: DeliveryID(notification: NotificationID(high: order, low: 0), ordinal: 0), desk: desk(at),
            urgency: urgency, subject: CaseID(county: 18, year: 2026, number: number), readyAt: readyAt, order: order)
    }

    static func id(_ order: UInt64) -> DeliveryID {
        DeliveryID(notification: NotificationID(high: order, low: 0), ordinal: 0)
    }

    @Test func `a higher class overtakes always, within a class first in goes first out`() {
        var dispatch = Dispatch()
        for ticket in [
            Self.ticket(1, .u4, case: 1), Self.ticket(2, .u0, case: 2), Self.ticket(3, .u1, case: 3),
            Self.ticket(4, .u2, case: 4), Self.ticket(5, .u1, case: 5), Self.ticket(6, .u3, case: 6),
        ] { dispatch.enqueue(ticket) }
        dispatch.add(Self.first, desks: [desk("d")], credit: 10)
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [3, 5, 4, 6, 1, 2])
        #expect(dispatch.inFlightCount == 6 && dispatch.waitingCount == 0)
    }

    @Test func `a U4 of a case held until Monday does not hold a U1 of it`() {
        var dispatch = Dispatch()
        let monday = Self.now.advanced(bySeconds: 2 * 86_400)
        dispatch.add(Self.first, desks: [desk("d")], credit: 10)
        dispatch.enqueue(Self.ticket(1, .u4, readyAt: monday))
        #expect(dispatch.next(at: Self.now, limit: 10).isEmpty)
        #expect(dispatch.nextWake(after: Self.now) == monday)
        dispatch.enqueue(Self.ticket(2, .u1))
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [2])
        dispatch.acked(Self.id(2), by: Self.first)
        #expect(dispatch.next(at: Timestamp(milliseconds: monday.milliseconds - 1), limit: 10).isEmpty)
        #expect(dispatch.next(at: monday, limit: 10).map(\.ticket.order) == [1])
        #expect(dispatch.nextWake(after: monday) == nil)
    }

    @Test func `what waits within one case and class is overtaken, and redelivered ones go first`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 1)
        dispatch.enqueue(Self.ticket(1, readyAt: Self.now.advanced(bySeconds: 60)))
        dispatch.enqueue(Self.ticket(2))
        dispatch.enqueue(Self.ticket(3))
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [2])
        let later = Self.now.advanced(bySeconds: 61)
        #expect(dispatch.next(at: later, limit: 10).isEmpty)
        dispatch.remove(Self.first)
        dispatch.add(Self.second, desks: [desk("d")], credit: 3)
        let sent = dispatch.next(at: later, limit: 10)
        #expect(sent.map(\.ticket.order) == [2, 1, 3])
        #expect(sent.map(\.ticket.isRedelivered) == [true, false, false])
        #expect(sent.map(\.ticket.deliveryCount) == [0, 0, 0])
    }

    @Test func `subscribers compete, each up to its credit`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 2)
        dispatch.add(Self.second, desks: [desk("d")], credit: 3)
        for order in 1...9 as ClosedRange<UInt64> { dispatch.enqueue(Self.ticket(order, case: order)) }
        let sent = dispatch.next(at: Self.now, limit: 100)
        #expect(sent.map(\.ticket.order) == [1, 2, 3, 4, 5])
        #expect(sent.filter { $0.subscriber == Self.first }.count == 2)
        #expect(sent.filter { $0.subscriber == Self.second }.count == 3)
        #expect(dispatch.next(at: Self.now, limit: 100).isEmpty)
        #expect(dispatch.acked(sent[0].ticket.delivery, by: sent[0].subscriber) == true)
        #expect(dispatch.acked(sent[0].ticket.delivery, by: sent[0].subscriber) == false)
        let more = dispatch.next(at: Self.now, limit: 100)
        #expect(more.map(\.ticket.order) == [6] && more.map(\.subscriber) == [sent[0].subscriber])
    }

    @Test func `while a subscriber holds one of a case and class, the next of these goes only to it`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 1)
        dispatch.enqueue(Self.ticket(1))
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.subscriber) == [Self.first])
        dispatch.add(Self.second, desks: [desk("d")], credit: 5)
        dispatch.enqueue(Self.ticket(2))
        dispatch.enqueue(Self.ticket(3, .u2))
        dispatch.enqueue(Self.ticket(4, case: 1))
        let sent = dispatch.next(at: Self.now, limit: 10)
        #expect(sent.map(\.ticket.order) == [4, 3])
        #expect(sent.allSatisfy { $0.subscriber == Self.second })
        dispatch.acked(Self.id(1), by: Self.first)
        dispatch.enqueue(Self.ticket(5))
        let free = dispatch.next(at: Self.now, limit: 10)
        // The first has credit for one; the second, with credit for more, does not get what is now the first's.
        #expect(free.map(\.ticket.order) == [2] && free.map(\.subscriber) == [Self.first])
    }

    @Test func `a NACK waits for its backoff while others go, and comes back counted`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 1)
        dispatch.enqueue(Self.ticket(1))
        dispatch.enqueue(Self.ticket(2))
        _ = dispatch.next(at: Self.now, limit: 10)
        let ready = Self.now.advanced(bySeconds: 5)
        #expect(dispatch.returned(Self.id(1), by: Self.first, readyAt: ready) == true)
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [2])
        dispatch.handle(.returned(Self.id(1), readyAt: ready))
        dispatch.acked(Self.id(2), by: Self.first)
        let again = dispatch.next(at: ready, limit: 10)
        #expect(again.map(\.ticket.order) == [1])
        #expect(again.first?.ticket.isRedelivered == true && again.first?.ticket.deliveryCount == 1)
    }

    @Test func `a change that comes after the redelivery takes nothing back`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 1)
        dispatch.enqueue(Self.ticket(1))
        _ = dispatch.next(at: Self.now, limit: 10)
        dispatch.returned(Self.id(1), by: Self.first, readyAt: Self.now)
        #expect(dispatch.next(at: Self.now, limit: 10).count == 1)
        dispatch.handle(.returned(Self.id(1), readyAt: Self.now))
        #expect(dispatch.inFlightCount == 1)
        dispatch.handle(.returned(Self.id(1), readyAt: Self.now))
        #expect(dispatch.inFlightCount == 0 && dispatch.waitingCount == 1)
    }

    @Test func `what is withdrawn, set aside or in custody is not sent, and gives its credit back`() {
        for change in [Change.withdrawn(Self.id(1)), .setAside(Self.id(1)), .custody(Self.id(1))] {
            var dispatch = Dispatch()
            dispatch.enqueue(Self.ticket(1))
            dispatch.handle(change)
            dispatch.add(Self.first, desks: [desk("d")], credit: 1)
            #expect(dispatch.next(at: Self.now, limit: 10).isEmpty)
            dispatch.enqueue(Self.ticket(1))
            _ = dispatch.next(at: Self.now, limit: 10)
            dispatch.handle(change)
            dispatch.enqueue(Self.ticket(2))
            #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [2])
            #expect(dispatch.waitingCount == 0)
        }
    }

    @Test func `a subscriber of several desks gets the most urgent of all, and no other desk's`() {
        var dispatch = Dispatch()
        dispatch.enqueue(Self.ticket(1, .u2, case: 1, desk: "a"))
        dispatch.enqueue(Self.ticket(2, .u1, case: 2, desk: "b"))
        dispatch.enqueue(Self.ticket(3, .u1, case: 3, desk: "c"))
        dispatch.add(Self.first, desks: [desk("a"), desk("b")], credit: 10)
        #expect(dispatch.next(at: Self.now, limit: 10).map(\.ticket.order) == [2, 1])
    }

    @Test func `the limit cuts, and asking again goes on`() {
        var dispatch = Dispatch()
        dispatch.add(Self.first, desks: [desk("d")], credit: 100)
        for order in 1...7 as ClosedRange<UInt64> { dispatch.enqueue(Self.ticket(order)) }
        var all: [UInt64] = []
        for _ in 0..<4 { all += dispatch.next(at: Self.now, limit: 2).map(\.ticket.order) }
        #expect(all == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `a start queues everything that is not in custody, as redelivered`() {
        var fixture = Fixture()
        let ids = (0..<3).map { number in
            fixture.accept(
                fixture.submission(id: "n-\(number)", grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        }
        fixture.run(.custody(DeliveryID(notification: ids[1], ordinal: 0), by: TransportTests.station))
        var dispatch = Dispatch()
        dispatch.restore(from: fixture.relay)
        dispatch.add(Self.first, desks: [desk("soc-1880")], credit: 10)
        let sent = dispatch.next(at: fixture.now, limit: 10)
        #expect(sent.map(\.ticket.delivery.notification) == [ids[0], ids[2]])
        #expect(sent.allSatisfy { $0.ticket.isRedelivered })
    }

    /// Checks every rule on a long random run against plain lists.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a random run breaks no rule`(seed: UInt64) {
        var random = Seeded(seed)
        var dispatch = Dispatch()
        var queued: [DeliveryID: Ticket] = [:]
        var held: [DeliveryID: Sending] = [:]
        var credit: [SubscriberID: Int] = [:]
        var order: UInt64 = 0
        var now = Self.now
        for _ in 0..<1_500 {
            switch random.next() % 8 {
            case 0, 1, 2:
                order += 1
                let urgency = UrgencyClass.allCases.randomElement(using: &random)!
                let wait = Int64(random.next() % 8) - 4
                let ticket = Self.ticket(
                    order, urgency, case: random.next() % 5, readyAt: now.advanced(bySeconds: max(0, wait)))
                dispatch.enqueue(ticket)
                queued[ticket.delivery] = ticket
            case 3:
                let subscriber = SubscriberID(rawValue: random.next() % 3 + 1)
                for (delivery, sending) in held where sending.subscriber == subscriber {
                    held[delivery] = nil
                    queued[delivery] = sending.ticket
                    queued[delivery]!.isRedelivered = true
                }
                dispatch.remove(subscriber)
                credit[subscriber] = nil
                if random.next() % 2 == 0 {
                    let some = Int(random.next() % 4) + 1
                    dispatch.add(subscriber, desks: [desk("d")], credit: some)
                    credit[subscriber] = some
                }
            case 4, 5:
                guard
                    let sending = held.values.sorted(by: { $0.ticket.order < $1.ticket.order })
                        .randomElement(using: &random)
                else { continue }
                let delivery = sending.ticket.delivery
                held[delivery] = nil
                credit[sending.subscriber]! += 1
                if random.next() % 3 == 0 {
                    var ticket = sending.ticket
                    ticket.readyAt = now.advanced(bySeconds: Int64(random.next() % 5))
                    ticket.isRedelivered = true
                    ticket.deliveryCount += 1
                    queued[delivery] = ticket
                    #expect(dispatch.returned(delivery, by: sending.subscriber, readyAt: ticket.readyAt) == true)
                } else {
                    #expect(dispatch.acked(delivery, by: sending.subscriber) == true)
                }
            case 6:
                now = now.advanced(bySeconds: Int64(random.next() % 3))
            default:
                let sendings = dispatch.next(at: now, limit: Int(random.next() % 6) + 1)
                for sending in sendings {
                    let ticket = sending.ticket
                    guard let wanted = queued[ticket.delivery] else {
                        Issue.record("seed \(seed): \(ticket) was not queued")
                        return
                    }
                    #expect(ticket == wanted, "seed \(seed)")
                    #expect(ticket.readyAt <= now, "seed \(seed)")
                    let rivals = queued.values.filter {
                        $0.subject == ticket.subject && $0.urgency == ticket.urgency && $0.readyAt <= now
                    }
                    let best = rivals.min {
                        ($0.isRedelivered ? 0 : 1, $0.order) < ($1.isRedelivered ? 0 : 1, $1.order)
                    }
                    #expect(best == ticket, "seed \(seed): order within the case")
                    let holders = held.values.filter {
                        $0.ticket.subject == ticket.subject && $0.ticket.urgency == ticket.urgency
                    }
                    #expect(holders.allSatisfy { $0.subscriber == sending.subscriber }, "seed \(seed): stickiness")
                    let mayGo = queued.values.filter { other in
                        other.urgency < ticket.urgency && other.readyAt <= now
                            && held.values.allSatisfy {
                                $0.ticket.subject != other.subject || $0.ticket.urgency != other.urgency
                                    || $0.subscriber == sending.subscriber
                            }
                    }
                    #expect(mayGo.isEmpty, "seed \(seed): a higher class overtakes")
                    queued[ticket.delivery] = nil
                    held[ticket.delivery] = sending
                    credit[sending.subscriber]! -= 1
                    #expect(credit[sending.subscriber]! >= 0, "seed \(seed): credit")
                }
            }
            #expect(dispatch.inFlightCount == held.count, "seed \(seed)")
            #expect(dispatch.waitingCount == queued.count, "seed \(seed)")
        }
        // In the end somebody with much credit gets everything.
        for subscriber in 1...3 as ClosedRange<UInt64> { dispatch.remove(SubscriberID(rawValue: subscriber)) }
        dispatch.add(SubscriberID(rawValue: 9), desks: [desk("d")], credit: 10_000)
        let rest = dispatch.next(at: now.advanced(bySeconds: 60), limit: 10_000)
        #expect(rest.count == queued.count + held.count, "seed \(seed)")
    }
}
