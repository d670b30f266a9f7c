import CaseNotifications
import Testing

@testable import Relay

@Suite struct MaintenanceTests {
    private static func erase(_ ids: NotificationID...) -> Command {
        .maintain(MaintenanceNote(kind: .erased, by: .party(party("soc-1880")), notifications: ids, reasonSlot: 5))
    }

    private static func delivery(_ id: NotificationID, _ ordinal: UInt16 = 0) -> DeliveryID {
        DeliveryID(notification: id, ordinal: ordinal)
    }

    @Test func `what is erased goes to no station, stays with the people who must answer, and its sender is told`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        _ = fixture.drainChanges()
        fixture.run(Self.erase(id))
        let changes = fixture.drainChanges()
        #expect(changes.contains(.withdrawn(Self.delivery(id))))
        #expect(fixture.relay.openTickets.isEmpty && fixture.relay.setAside(limit: 9).isEmpty)
        #expect(fixture.relay.contentState(of: id) == .erased)
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 9).map(\.notification.content) == [.erased])
        #expect(fixture.receipts().map(\.event) == [.accepted, .recalled])
        #expect(fixture.receipts().last?.step == "before-custody")
        #expect(fixture.relay.caseSlot(of: Fixture.subject) == nil)
        fixture.run(Self.erase(id))
        #expect(fixture.receipts().count == 2)
        #expect(fixture.run(.giveBack(Self.delivery(id), by: Fixture.onCallStation)) == .nothing)
        #expect(fixture.run(.unreadable(id)) == .nothing)
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
        #expect(fixture.relay.openTickets.isEmpty)
        #expect(fixture.relay.delivery(Self.delivery(id))?.desk == desk("soc-1880"))
        // Nobody has read it: that somebody would take it is not said after `recalled`.
        let sequence = fixture.relay.sequence
        for act in [Act.taken, .alreadyKnown(earlier: NotificationID(high: 1, low: 1))] {
            let refused = fixture.run(Fixture.acknowledge(id, act, by: Fixture.board()))
            #expect(refused == .refused(.erasedUnread), "\(act)")
        }
        #expect(fixture.relay.sequence == sequence)
        fixture.run(Fixture.acknowledge(id, .notOurs(municipality: nil), by: Fixture.board()))
        #expect(fixture.relay.counts().openDeliveries == 0)
    }

    @Test func `what a person opened or a station got before it was erased is taken as ever`() {
        var fixture = Fixture()
        let opened = fixture.accept(fixture.submission(id: "n-1"))
        let held = fixture.accept(fixture.submission(id: "n-2"))
        let early = fixture.accept(fixture.submission(id: "n-3"))
        fixture.run(Fixture.open(opened, by: Fixture.onCall()))
        fixture.run(.custody(Self.delivery(held), by: Fixture.onCallStation))
        fixture.run(Fixture.acknowledge(early, .taken, by: Fixture.onCall()))
        fixture.run(Self.erase(opened, held, early))
        for id in [opened, held, early] {
            let taken = fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            #expect(taken != .refused(.erasedUnread), "\(id)")
        }
        #expect(fixture.relay.counts().openDeliveries == 0)
    }

    @Test func `the receipt of an erased delivery says how far it had come, and a finished one has none`() {
        var fixture = Fixture()
        let held = fixture.accept(fixture.submission(id: "n-1"))
        let opened = fixture.accept(fixture.submission(id: "n-2"))
        let done = fixture.accept(fixture.submission(id: "n-3"))
        for id in [held, opened, done] { fixture.run(.custody(Self.delivery(id), by: Fixture.onCallStation)) }
        fixture.run(Fixture.open(opened, by: Fixture.onCall()))
        fixture.run(Fixture.acknowledge(done, .taken, by: Fixture.onCall()))
        let before = fixture.receipts().count
        fixture.run(Self.erase(held, opened, done))
        let new = fixture.receipts()[before...]
        #expect(new.map(\.notification) == [held, opened])
        #expect(new.map(\.step) == ["after-custody-unopened", "after-opening"])
        let ids = fixture.relay.receipts(for: ReceiptTests.sender, after: 0, limit: 99).map(\.id)
        #expect(Set(ids).count == before + 2)
        #expect(fixture.relay.contentState(of: done) == .erased)
    }

    @Test func `a station that got it before it was erased has it in custody, and the sender is told`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = Self.delivery(id)
        fixture.run(Self.erase(id))
        let other = Actor(party: party("jour-1880"), client: client("station"), desks: [desk("other")])
        #expect(fixture.run(.custody(delivery, by: other)) == .nothing)
        let custody = Command.custody(delivery, by: Fixture.onCallStation)
        #expect(fixture.run(custody) == .done(sequence: fixture.relay.sequence))
        #expect(fixture.relay.delivery(delivery)?.transport == .custody)
        #expect(fixture.receipts().map(\.event) == [.accepted, .recalled, .delivered])
        #expect(fixture.run(custody) == .nothing)
        // One that people said is not theirs, and was never erased, stays as it is.
        let notOurs = fixture.accept(fixture.submission(id: "n-2"))
        fixture.run(Fixture.acknowledge(notOurs, .notOurs(municipality: nil), by: Fixture.onCall()))
        #expect(fixture.relay.delivery(Self.delivery(notOurs))?.transport == .withdrawn)
        #expect(fixture.run(.custody(Self.delivery(notOurs), by: Fixture.onCallStation)) == .nothing)
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
    }

    @Test func `for information only and erased is finished`() {
        var fixture = Fixture()
        let grant = Fixture.grant("soc-1880", desk: "soc-1880", acknowledgeBy: nil)
        let id = fixture.accept(fixture.submission(grants: [grant]))
        fixture.run(Self.erase(id))
        #expect(fixture.relay.counts().openDeliveries == 0)
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 9).isEmpty)
    }

    @Test func `content that cannot be read sets its deliveries aside and tells the sender, again after each requeue`()
    {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        _ = fixture.drainChanges()
        #expect(fixture.run(.unreadable(id)) == .done(sequence: fixture.relay.sequence))
        #expect(fixture.drainChanges().contains(.setAside(Self.delivery(id))))
        #expect(fixture.relay.setAside(limit: 9).map(\.id) == [Self.delivery(id)])
        #expect(fixture.relay.contentState(of: id) == .unreadable)
        #expect(fixture.receipts().last?.step == "set-aside")
        #expect(fixture.run(.unreadable(id)) == .nothing)
        fixture.run(.requeue(Self.delivery(id), by: Fixture.onCallStation))
        fixture.run(.unreadable(id))
        #expect(fixture.receipts().filter { $0.event == .escalated }.count == 2)
        #expect(fixture.run(.unreadable(NotificationID(high: 1, low: 1))) == .nothing)
    }

    @Test func `a note names at most 256 notifications, no person, and codes of at most 128 bytes`() {
        var fixture = Fixture()
        let ids = (0..<257).map { NotificationID(high: 1, low: $0) }
        func note(_ count: Int, by: Name? = nil, what: String? = nil) -> Command {
            .maintain(MaintenanceNote(kind: .erased, by: by, what: what, notifications: Array(ids.prefix(count))))
        }
        #expect(fixture.run(note(256)) == .done(sequence: 1))
        #expect(fixture.run(note(257)) == .refused(.maintenanceTooLong))
        let member = StaffMember(party: party("soc-1880"), person: person("staff-1"))
        #expect(fixture.run(note(1, by: .person(member))) == .refused(.maintenanceTooLong))
        #expect(fixture.run(note(1, what: String(repeating: "x", count: 129))) == .refused(.maintenanceTooLong))
        #expect(fixture.run(note(1, what: String(repeating: "x", count: 128))) == .done(sequence: 3))
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `the history of one notification, read from its records alone, is what the relay had to say`(seed: UInt64)
        throws
    {
        let fixture = ReplayTests.life(seed: seed, steps: 300, finishedLimit: 1_000)
        let events = try fixture.journal.map { try EventCodec.decode($0) }
        var seen = 0
        for number in 0..<fixture.relay.notifications.end where fixture.relay.notifications[number].isLive {
            let id = fixture.relay.notifications[number].id
            var trail = HistoricTrail(of: id, in: fixture.relay)
            for (place, event) in events.enumerated() { trail.add(event, number: UInt64(place + 1)) }
            #expect(trail.isAccepted)
            #expect(trail.notification == fixture.relay.notification(id), "seed \(seed)")
            #expect(trail.deliveries == fixture.relay.deliveries(of: id), "seed \(seed)")
            #expect(trail.receipts == fixture.relay.trail(of: id), "seed \(seed)")
            #expect(trail.sight(for: Fixture.onCall()) == fixture.relay.sight(of: id, for: Fixture.onCall()))
            seen += 1
        }
        #expect(seen > 20)
    }

    @Test func `an acknowledgement that was carried out before has its answer in the history`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let command = Fixture.acknowledge(id, .taken, by: Fixture.onCall(), at: fixture.now)
        guard case .acknowledge(let acknowledgement) = command else { return }
        let answer = fixture.run(command)
        var trail = HistoricTrail(of: id, in: fixture.relay)
        #expect(trail.storedAnswer(to: acknowledgement) == nil && trail.notification == nil)
        for (place, record) in fixture.journal.enumerated() {
            trail.add(try EventCodec.decode(record), number: UInt64(place + 1))
        }
        #expect(trail.storedAnswer(to: acknowledgement) == answer)
    }
}
