import CaseNotifications
import Testing

@testable import Relay

/// What moves while it waits may be at a station already, in flight and not confirmed.
struct MovedTicketTests {
    private static func tickets(_ changes: [Change]) -> [Ticket] {
        changes.compactMap { if case .queued(let ticket) = $0 { ticket } else { nil } }
    }

    @Test(arguments: [0, 1]) func `what moves is queued as one that may have come before`(returns: Int) throws {
        var fixture = Fixture()
        let delivery = DeliveryID(notification: fixture.accept(fixture.submission()), ordinal: 0)
        for _ in 0..<returns { fixture.run(.giveBack(delivery, by: Fixture.onCallStation)) }
        var wanted = try #require(fixture.relay.openTicket(of: delivery))
        wanted.desk = desk("soc-1880-ny")
        wanted.isRedelivered = true
        #expect(wanted.deliveryCount == returns)
        _ = fixture.drainChanges()
        let place = DeliveryPlace(party: party("soc-1880"), desk: wanted.desk, agent: nil)
        fixture.run(.move(delivery, to: place))
        #expect(Self.tickets(fixture.drainChanges()) == [wanted])
    }

    @Test func `what is in flight and moves, also back again, goes out a second time marked`() {
        var fixture = Fixture()
        let subscriber = SubscriberID(rawValue: 1)
        var dispatch = Dispatch()
        dispatch.add(subscriber, desks: [desk("jour-1880"), desk("soc-1880-ny")], credit: 1)
        let delivery = DeliveryID(notification: fixture.accept(fixture.submission()), ordinal: 0)
        var sent: [Sending] = []
        func follow() {
            for change in fixture.drainChanges() { dispatch.handle(change) }
            sent += dispatch.next(at: fixture.now, limit: 10)
        }
        follow()
        for place in ["soc-1880-ny", "jour-1880"] {
            fixture.run(
                .move(delivery, to: DeliveryPlace(party: party("soc-1880"), desk: desk(place), agent: nil)))
            follow()
        }
        #expect(sent.map(\.ticket.desk) == [desk("jour-1880"), desk("soc-1880-ny"), desk("jour-1880")])
        #expect(sent.map(\.ticket.isRedelivered) == [false, true, true])
        #expect(dispatch.inFlightCount == 1)
    }

    @Test(arguments: [false, true])
    func `what is handed to another desk, and back, in flight or in custody, goes out marked each time`(
        isInCustody: Bool
    ) throws {
        var fixture = Fixture()
        let subscriber = SubscriberID(rawValue: 1)
        var dispatch = Dispatch()
        dispatch.add(subscriber, desks: [desk("jour-1880"), desk("soc-1880")], credit: 1)
        let delivery = DeliveryID(notification: fixture.accept(fixture.submission()), ordinal: 0)
        var sent: [Sending] = []
        var queued: [Ticket] = []
        func follow() {
            let changes = fixture.drainChanges()
            queued += Self.tickets(changes)
            for change in changes { dispatch.handle(change) }
            sent += dispatch.next(at: fixture.now, limit: 10)
        }
        follow()
        let back = HandOverTarget(party: party("soc-1880"), desk: desk("jour-1880"), role: nil)
        for (station, person, act) in [
            (Fixture.onCallStation, Fixture.onCall(), Fixture.toBoard),
            (Fixture.board(), Fixture.board(), .handedOver(to: back)),
        ] {
            if isInCustody { fixture.run(.custody(delivery, by: station)) }
            fixture.run(Fixture.acknowledge(delivery.notification, act, by: person))
            follow()
            // What a start would hand out is what goes out now.
            #expect(sent.last?.ticket == fixture.relay.openTicket(of: delivery))
        }
        #expect(sent.map(\.ticket.desk) == [desk("jour-1880"), desk("soc-1880"), desk("jour-1880")])
        #expect(sent.map(\.ticket.isRedelivered) == [false, true, true])
        #expect(dispatch.inFlightCount == 1)
        var relay = Relay(collaboration: CollaborationID("orebro")!)
        var changes: [Change] = []
        for record in fixture.journal { try relay.replay(record, into: &changes) }
        #expect(Self.tickets(changes) == queued)
    }
}
