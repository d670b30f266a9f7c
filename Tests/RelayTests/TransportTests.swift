import CaseNotifications
import Testing

@testable import Relay

@Suite struct TransportTests {
    static let station = Actor(party: party("soc-1880"), client: client("station"), desks: [desk("soc-1880")])

    private static func waiting(settings: RelaySettings = .standard) -> (Fixture, DeliveryID) {
        var fixture = Fixture(settings: settings)
        let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        fixture.changes.removeAll()
        return (fixture, DeliveryID(notification: id, ordinal: 0))
    }

    enum Step: String, CaseIterable { case custody, giveBack, requeue }

    @Test(arguments: Transport.allCases, Step.allCases)
    func `every state of transport takes every step as the table says`(state: Transport, step: Step) throws {
        var (fixture, delivery) = Self.waiting(settings: RelaySettings(attempts: 2))
        switch state {
        case .waiting: break
        case .custody: fixture.run(.custody(delivery, by: Self.station))
        case .setAside: for _ in 0..<2 { fixture.run(.giveBack(delivery, by: Self.station)) }
        case .withdrawn:
            fixture.run(Fixture.acknowledge(delivery.notification, .notOurs(municipality: nil), by: Fixture.board()))
        case .held: fixture.run(.hold(delivery, code: .noRule))
        }
        #expect(fixture.relay.delivery(delivery)?.transport == state)
        let command: Command =
            switch step {
            case .custody: .custody(delivery, by: Self.station)
            case .giveBack: .giveBack(delivery, by: Self.station)
            case .requeue: .requeue(delivery, by: Self.station)
            }
        let answer = fixture.run(command)
        let after = try #require(fixture.relay.delivery(delivery)).transport
        switch (state, step) {
        case (.waiting, .custody), (.held, .custody): #expect(after == .custody)
        case (.waiting, .giveBack): #expect(after == .waiting)
        case (.setAside, .requeue): #expect(after == .waiting)
        default: #expect(answer == .nothing && after == state)
        }
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
    }

    @Test func `what need not wait goes at once, also when the wall clock was set back since`() {
        let (fixture, delivery) = Self.waiting()
        var dispatch = Dispatch()
        dispatch.restore(from: fixture.relay)
        dispatch.add(SubscriberID(rawValue: 1), desks: [desk("soc-1880")], credit: 1)
        let earlier = fixture.now.advanced(bySeconds: -7_200)
        #expect(dispatch.next(at: earlier, limit: 1).map(\.ticket.delivery) == [delivery])
    }

    @Test func `only a station of the desk confirms or returns`() {
        var (fixture, delivery) = Self.waiting()
        for actor in [
            Actor(party: party("soc-1885"), client: client("station"), desks: [desk("soc-1880")]),
            Actor(party: party("soc-1880"), client: client("station"), desks: [desk("other")]),
        ] {
            #expect(fixture.run(.custody(delivery, by: actor)) == .nothing)
            #expect(fixture.run(.giveBack(delivery, by: actor)) == .nothing)
        }
        #expect(
            fixture.run(
                .custody(DeliveryID(notification: NotificationID(high: 1, low: 1), ordinal: 0), by: Self.station))
                == .nothing)
        #expect(fixture.relay.delivery(delivery)?.transport == .waiting)
    }

    @Test func `returns back off, twice as long each time, up to the longest`() {
        let settings = RelaySettings(attempts: 6, firstBackoffSeconds: 2, lastBackoffSeconds: 10)
        var (fixture, delivery) = Self.waiting(settings: settings)
        var waits: [Int64] = []
        for _ in 0..<5 {
            fixture.run(.giveBack(delivery, by: Self.station))
            guard case .returned(_, let readyAt)? = fixture.drainChanges().first else { continue }
            waits.append((readyAt.milliseconds - fixture.now.milliseconds) / 1_000)
        }
        #expect(waits == [2, 4, 8, 10, 10])
        #expect(fixture.relay.delivery(delivery)?.deliveryCount == 5)
    }

    @Test func `after the configured attempts it is set aside, and both sides are told`() {
        var (fixture, delivery) = Self.waiting(settings: RelaySettings(attempts: 3))
        for _ in 0..<2 { fixture.run(.giveBack(delivery, by: Self.station)) }
        #expect(fixture.relay.delivery(delivery)?.transport == .waiting)
        _ = fixture.drainChanges()
        fixture.run(.giveBack(delivery, by: Self.station))
        let changes = fixture.drainChanges()
        #expect(changes.contains(.setAside(delivery)) && changes.contains(.desk(desk("soc-1880"), delivery)))
        let last = fixture.receipts().last
        #expect(last?.event == .escalated && last?.step == "set-aside" && last?.party == party("soc-1880"))
        #expect(fixture.relay.setAside(limit: 10).map(\.id) == [delivery])
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 10).first?.delivery.transport == .setAside)
        #expect(fixture.relay.counts().setAside == 1)
        fixture.run(.requeue(delivery, by: Self.station))
        guard case .queued(let ticket)? = fixture.drainChanges().first else {
            Issue.record("not queued")
            return
        }
        #expect(ticket.isRedelivered && ticket.deliveryCount == 0)
        #expect(fixture.relay.setAside(limit: 10).isEmpty)
    }

    @Test func `a station that got it before it was found unreadable has it in custody, and the sender is told`() throws
    {
        var (fixture, delivery) = Self.waiting()
        fixture.run(.unreadable(delivery.notification))
        #expect(fixture.run(.giveBack(delivery, by: Self.station)) == .nothing)
        let other = Actor(party: party("soc-1880"), client: client("station"), desks: [desk("other")])
        #expect(fixture.run(.custody(delivery, by: other)) == .nothing)
        #expect(fixture.run(.custody(delivery, by: Self.station)) == .done(sequence: fixture.relay.sequence))
        #expect(fixture.relay.delivery(delivery)?.transport == .custody)
        #expect(fixture.receipts().map(\.event) == [.accepted, .escalated, .delivered])
        #expect(fixture.relay.setAside(limit: 9).isEmpty && fixture.relay.counts().perDesk.first?.inCustody == 1)
        for command in [
            Command.custody(delivery, by: Self.station), .requeue(delivery, by: Self.station),
            .unreadable(delivery.notification),
        ] { #expect(fixture.run(command) == .nothing) }
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
    }

    @Test func `attempts out of range are moved into it`() {
        #expect(RelaySettings(attempts: 0).attempts == 1)
        #expect(RelaySettings(attempts: 201).attempts == 200)
        #expect(RelaySettings(attempts: 200).attempts == 200)
    }

    @Test func `custody hides nothing from the desk's people and stops no deadline`() throws {
        var (fixture, delivery) = Self.waiting()
        fixture.run(.custody(delivery, by: Self.station))
        let item = try #require(fixture.relay.inbox(of: desk("soc-1880"), limit: 10).first)
        #expect(item.delivery.acknowledgeBy == Fixture.friday.advanced(bySeconds: 900))
        #expect(fixture.relay.counts().perDesk.first?.unacknowledged == 1)
        #expect(fixture.relay.sight(of: delivery.notification, for: Fixture.board()) == .delivery(delivery))
    }

    @Test func `information is done with custody, and leaves the list when somebody has opened it`() {
        var fixture = Fixture()
        let grant = Fixture.grant("soc-1880", desk: "soc-1880", urgency: .u0, acknowledgeBy: nil)
        let id = fixture.accept(fixture.submission(grants: [grant]))
        fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Self.station))
        #expect(fixture.relay.counts().openDeliveries == 0)
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 10).count == 1)
        fixture.run(Fixture.open(id, by: Fixture.board()))
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 10).isEmpty)
    }

    @Test func `a hand-over to another desk waits for that desk's station`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = DeliveryID(notification: id, ordinal: 0)
        fixture.run(.custody(delivery, by: Fixture.onCallStation))
        _ = fixture.drainChanges()
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
        let queued = fixture.drainChanges().compactMap { if case .queued(let ticket) = $0 { ticket } else { nil } }
        #expect(queued.map(\.desk) == [desk("soc-1880")])
        #expect(fixture.run(.custody(delivery, by: Fixture.onCallStation)) == .nothing)
        guard case .done = fixture.run(.custody(delivery, by: Self.station)) else {
            Issue.record("refused")
            return
        }
    }

    @Test func `an inbox is in order of urgency, then of arrival, and cut at its limit`() {
        var fixture = Fixture()
        let classes: [UrgencyClass] = [.u4, .u1, .u0, .u2, .u1, .u3]
        for (place, urgency) in classes.enumerated() {
            _ = fixture.accept(
                fixture.submission(
                    id: "n-\(place)", grants: [Fixture.grant("soc-1880", desk: "soc-1880", urgency: urgency)]))
        }
        let inbox = fixture.relay.inbox(of: desk("soc-1880"), limit: 10)
        #expect(inbox.map(\.notification.sourceID) == ["n-1", "n-4", "n-3", "n-5", "n-0", "n-2"])
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 2) == Array(inbox.prefix(2)))
        #expect(fixture.relay.item(inbox[0].delivery.id, at: desk("soc-1880")) == inbox[0])
        #expect(fixture.relay.item(inbox[0].delivery.id, at: desk("jour-1880")) == nil)
    }

    @Test func `ids of senders are kept whole, however long`() {
        var fixture = Fixture()
        for length in [1, InlineText.capacityBytes, InlineText.capacityBytes + 1, 200] {
            let text = String((0..<length).map { Character(UnicodeScalar(UInt8(65 + $0 % 26))) })
            let id = fixture.accept(fixture.submission(id: text))
            #expect(fixture.relay.notification(id)?.sourceID == text)
        }
    }

    @Test func `availability is recorded once per change`() {
        var fixture = Fixture()
        #expect(fixture.run(.availability(.available)) == .nothing)
        #expect(fixture.run(.availability(.unavailable)) == .done(sequence: 1))
        #expect(fixture.run(.availability(.unavailable)) == .nothing)
        #expect(!fixture.relay.isAvailable)
        #expect(fixture.run(.availability(.available)) == .done(sequence: 2))
    }

    @Test func `the clock only goes forward, and a policy is active with its last part`() {
        var fixture = Fixture()
        let later = fixture.now.advanced(bySeconds: 900)
        fixture.run(.clock(.reached(later)))
        #expect(fixture.relay.simulatedNow == later)
        #expect(fixture.run(.clock(.reached(fixture.now))) == .nothing)
        #expect(fixture.run(.clock(.advanced(to: fixture.now, by: Self.station))) == .refused(.clockBack))
        fixture.run(.clock(.advanced(to: later.advanced(bySeconds: 1), by: Self.station)))
        #expect(fixture.relay.simulatedNow == later.advanced(bySeconds: 1))

        let text = [UInt8](repeating: 65, count: PolicyActivation.partLimitBytes + 1)
        let parts = PolicyActivation.all(digest: Fixture.policy, text: text)
        #expect(parts.map(\.text.count) == [PolicyActivation.partLimitBytes, 1])
        fixture.run(.activate(parts[0]))
        #expect(fixture.relay.activePolicy == nil)
        fixture.run(.activate(parts[1]))
        #expect(fixture.relay.activePolicy == Fixture.policy)
        let tooLong = PolicyActivation(digest: Fixture.policy, text: text)
        #expect(fixture.run(.activate(tooLong)) == .refused(.policyPart))
    }

    @Test func `an audit note has a verb and a subject of limited length`() {
        var fixture = Fixture()
        let long = String(repeating: "x", count: AuditNote.textLimitBytes)
        let fits = AuditNote(actor: Fixture.board(), verb: long, isAllowed: false, code: .noRule, subject: long)
        guard case .done = fixture.run(.audit(fits)) else {
            Issue.record("refused")
            return
        }
        var tooLong = fits
        tooLong.subject = long + "x"
        #expect(fixture.run(.audit(tooLong)) == .refused(.auditTooLong))
        tooLong = fits
        tooLong.verb = long + "x"
        #expect(fixture.run(.audit(tooLong)) == .refused(.auditTooLong))
    }
}
