import CaseNotifications
import Testing

@testable import Relay

/// What a new policy makes of what waits: held, released, moved.
struct HoldingTests {
    private static func place(_ at: String) -> DeliveryPlace {
        DeliveryPlace(party: party("soc-1880"), desk: desk(at), agent: nil)
    }

    private static func delivery(_ id: NotificationID) -> DeliveryID { DeliveryID(notification: id, ordinal: 0) }

    @Test func `what is held is at no station, on no list and in nobody's sight, and the sender is told once`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        _ = fixture.drainChanges()
        guard case .done = fixture.run(.hold(delivery, code: .noRule)) else {
            Issue.record("not held")
            return
        }
        let changes = fixture.drainChanges()
        #expect(changes.contains(.withdrawn(delivery)))
        #expect(changes.contains(.desk(desk("jour-1880"), delivery)))
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 10).isEmpty)
        #expect(fixture.relay.sight(of: id, for: Fixture.onCall()) == .none)
        #expect(fixture.relay.openTickets.isEmpty)
        let told = try #require(fixture.receipts().last)
        #expect(told.event == .escalated)
        #expect(told.step == "right-ended")
        #expect(told.party == party("soc-1880"))
        #expect(fixture.run(.hold(delivery, code: .noRule)) == .nothing)
        #expect(fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall())) == .refused(.unknownNotification))
        #expect(fixture.relay.counts().perDesk.map(\.held) == [1])
        #expect(fixture.relay.counts().openDeliveries == 1)
    }

    @Test func `what is released waits again in its old place, and its custody is told`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        let before = try #require(fixture.relay.openTicket(of: delivery))
        #expect(fixture.run(.release(delivery)) == .nothing)
        fixture.run(.hold(delivery, code: .noAgreement))
        _ = fixture.drainChanges()
        fixture.run(.release(delivery))
        var again = before
        again.isRedelivered = true
        #expect(fixture.drainChanges().contains(.queued(again)))
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 10).map(\.delivery.id) == [delivery])
        fixture.run(.custody(delivery, by: Fixture.onCallStation))
        #expect(fixture.receipts().map(\.event) == [.accepted, .escalated, .delivered])
    }

    @Test func `a station that had it before it was held has it, and nothing is left to release`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        fixture.run(.hold(delivery, code: .noRule))
        _ = fixture.drainChanges()
        #expect(fixture.run(.custody(delivery, by: TransportTests.station)) == .nothing)
        guard case .done = fixture.run(.custody(delivery, by: Fixture.onCallStation)) else {
            Issue.record("its custody was not taken")
            return
        }
        #expect(fixture.drainChanges().contains(.custody(delivery)))
        let counts = fixture.relay.counts()
        #expect(counts.perDesk.map(\.held) == [0])
        #expect(counts.perDesk.map(\.inCustody) == [1])
        #expect(counts.openDeliveries == 1)
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 10).map(\.delivery.transport) == [.custody])
        #expect(fixture.run(.release(delivery)) == .nothing)
        #expect(fixture.run(.custody(delivery, by: Fixture.onCallStation)) == .nothing)
        #expect(fixture.relay.openTickets.isEmpty)
        #expect(fixture.receipts().map(\.event) == [.accepted, .escalated, .delivered])
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
        #expect(try Relay.restored(from: fixture.relay.pieces).stateDigest == fixture.relay.stateDigest)
    }

    @Test func `what is held and then erased is withdrawn, and is never released`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        fixture.run(.hold(delivery, code: .noRule))
        fixture.run(.maintain(MaintenanceNote(kind: .erased, count: 1, notifications: [id])))
        #expect(fixture.relay.delivery(delivery)?.transport == .withdrawn)
        #expect(fixture.run(.release(delivery)) == .nothing)
        #expect(fixture.receipts().last?.event == .recalled)
    }

    @Test func `what moves leaves one desk and waits at the other, in custody or not`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        _ = fixture.drainChanges()
        fixture.run(.move(delivery, to: Self.place("soc-1880-ny")))
        let changes = fixture.drainChanges()
        #expect(changes.contains(.withdrawn(delivery)))
        #expect(changes.contains(.desk(desk("jour-1880"), delivery)))
        #expect(changes.contains(.desk(desk("soc-1880-ny"), delivery)))
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 10).isEmpty)
        #expect(fixture.relay.inbox(of: desk("soc-1880-ny"), limit: 10).map(\.delivery.id) == [delivery])
        #expect(fixture.relay.delivery(delivery)?.agent == nil)
        #expect(fixture.run(.move(delivery, to: Self.place("soc-1880-ny"))) == .nothing)
        let station = Actor(
            party: party("soc-1880"), client: client("station"), desks: [desk("soc-1880-ny"), desk("soc-1880-3")])
        fixture.run(.custody(delivery, by: station))
        _ = fixture.drainChanges()
        fixture.run(
            .move(delivery, to: DeliveryPlace(party: party("soc-18-norr"), desk: desk("soc-1880-3"), agent: nil)))
        let moved = fixture.relay.inbox(of: desk("soc-1880-3"), limit: 10)
        #expect(moved.map(\.delivery.transport) == [.custody])
        #expect(moved.map(\.delivery.party) == [party("soc-18-norr")])
        #expect(!fixture.drainChanges().contains { if case .queued = $0 { true } else { false } })
        // What was told before keeps the name of its time.
        #expect(fixture.receipts().compactMap(\.party) == [party("soc-1880")])
    }

    @Test func `a relay that is read back, from the journal or a snapshot, is the same`() throws {
        var fixture = Fixture()
        let ids = (0..<6).map { number in fixture.accept(fixture.submission(id: "n-\(number)", body: "\(number)")) }
        for (place, id) in ids.enumerated() {
            let delivery = Self.delivery(id)
            if place != 0 { fixture.run(.hold(delivery, code: .noRule)) }
            if place > 2 { fixture.run(.release(delivery)) }
            if place > 3 { fixture.run(.move(delivery, to: Self.place("soc-1880-ny"))) }
        }
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
        #expect(try Relay.restored(from: fixture.relay.pieces).stateDigest == fixture.relay.stateDigest)
    }

    @Test func `everything unfinished is found, a few notifications at a time`() {
        var fixture = Fixture()
        var wanted: [DeliveryID] = []
        for number in 0..<7 {
            let id = fixture.accept(fixture.submission(id: "n-\(number)", body: "\(number)"))
            wanted.append(Self.delivery(id))
        }
        fixture.run(.hold(wanted[3], code: .noRule))
        for limit in 1...8 {
            var place = Relay.Place()
            var found: [Relay.Unfinished] = []
            while let some = fixture.relay.unfinished(from: &place, limit: limit) { found += some }
            #expect(found.map(\.delivery) == wanted, "\(limit) at a time")
            #expect(found.map(\.policy) == wanted.map { _ in Fixture.policy })
            #expect(found.filter { $0.transport == .held }.map(\.delivery) == [wanted[3]])
        }
    }
}
