import CaseNotifications
import Testing

@testable import Relay

@Suite struct ReplayTests {
    static let mine = ReceiptReader.client(PartyID("pol-18-rlc")!, ClientID("rlc-system")!)

    /// A long random life of a relay, with everything that can happen in it.
    static func life(seed: UInt64, steps: Int, finishedLimit: Int = 5) -> Fixture {
        var fixture = Fixture(settings: RelaySettings(attempts: 3), seed: seed, finishedLimit: finishedLimit)
        var random = Seeded(seed &+ 1_000)
        var ids: [NotificationID] = []
        let stations = [TransportTests.station, Fixture.onCallStation]
        for step in 0..<steps {
            let delivery = ids.randomElement(using: &random).map {
                DeliveryID(notification: $0, ordinal: UInt16(random.next() % 2))
            }
            let station = stations[Int(random.next() % 2)]
            let who = "staff-\(random.next() % 3)"
            let human = random.next() % 2 == 0 ? Fixture.onCall(who) : Fixture.board(who)
            switch (random.next() % 14, delivery) {
            case (0...3, _), (_, nil):
                let grants = [
                    Fixture.grant("pol-18-lpo", desk: "pol-18-lpo", urgency: .u2, acknowledgeBy: nil),
                    random.next() % 2 == 0
                        ? Fixture.grant("soc-1880", desk: "jour-1880", agent: "jour-1880")
                        : Fixture.grant("soc-1880", desk: "soc-1880", rule: "r-2"),
                ]
                let submission = fixture.submission(
                    id: "n-\(random.next() % UInt64(steps))", body: "\(random.next() % 2)",
                    subject: CaseID(county: 18, year: 2026, number: random.next() % 5), grants: grants)
                if case .accepted(let id, _) = fixture.run(.submit(submission)) { ids.append(id) }
            case (4, let delivery?): fixture.run(.custody(delivery, by: station))
            case (5, let delivery?): fixture.run(.giveBack(delivery, by: station))
            case (6, let delivery?): fixture.run(.requeue(delivery, by: station))
            case (7, let delivery?): fixture.run(Fixture.open(delivery.notification, by: human))
            case (8...9, let delivery?):
                let acts: [Act] = [
                    .taken, Fixture.toBoard, .recused, .notOurs(municipality: "1885"), .alreadyKnown(earlier: ids[0]),
                ]
                fixture.run(
                    Fixture.acknowledge(delivery.notification, acts[Int(random.next() % 5)], by: human, at: fixture.now)
                )
            case (10, _):
                fixture.run(.readReceipts(ReceiptTests.sender, through: random.next() % 60 + UInt64(step / 3)))
            case (11, _): fixture.run(.readReceipts(Self.mine, through: random.next() % 60 + UInt64(step / 2)))
            case (12, let delivery?):
                switch random.next() % 4 {
                case 0: fixture.run(.unreadable(delivery.notification))
                case 1: fixture.run(.maintain(MaintenanceNote(kind: .erased, notifications: [delivery.notification])))
                case 2: fixture.run(.maintain(MaintenanceNote(kind: .rotated, by: .text("root"), what: "v2")))
                default: fixture.run(.audit(AuditNote(actor: human, verb: "drain", isAllowed: true)))
                }
            default:
                fixture.wait(seconds: Int64(random.next() % 400_000))
                fixture.run(.trim)
            }
            if step % 50 == 0 { fixture.run(.clock(.reached(fixture.now))) }
        }
        return fixture
    }

    @Test(arguments: 1...25 as ClosedRange<UInt64>)
    func `a relay that reads its journal is the relay that wrote it`(seed: UInt64) throws {
        let fixture = Self.life(seed: seed, steps: 600)
        let replayed = try fixture.replayed()
        #expect(replayed.stateDigest == fixture.relay.stateDigest, "seed \(seed)")
        #expect(replayed.counts() == fixture.relay.counts(), "seed \(seed)")
        #expect(replayed.openTickets.map(\.delivery) == fixture.relay.openTickets.map(\.delivery), "seed \(seed)")
        for reader in [ReceiptTests.sender, Self.mine] {
            #expect(
                replayed.receipts(for: reader, after: 0, limit: .max)
                    == fixture.relay.receipts(for: reader, after: 0, limit: .max), "seed \(seed)")
        }
        var recount = 0
        for ticket in replayed.openTickets where replayed.delivery(ticket.delivery)?.transport == .waiting {
            recount += 1
        }
        #expect(recount == fixture.relay.counts().perDesk.reduce(0) { $0 + $1.waiting }, "seed \(seed)")
    }

    @Test func `the digest tells states apart that differ in one event`() throws {
        let fixture = Self.life(seed: 3, steps: 100)
        var relay = Relay(collaboration: CollaborationID("orebro")!, finishedLimit: 5)
        var digests: [StateDigest] = [relay.stateDigest]
        var changes: [Change] = []
        for record in fixture.journal {
            try relay.replay(record, into: &changes)
            #expect(!digests.contains(relay.stateDigest))
            digests.append(relay.stateDigest)
        }
    }

    @Test func `records that speak of what is not there are refused and change nothing`() throws {
        let fixture = Self.life(seed: 5, steps: 60)
        for (body) in EventCodecTests.bodies.map(\.1) {
            var relay = Relay(collaboration: CollaborationID("orebro")!)
            var changes: [Change] = []
            let fits = relay.fits(body)
            let before = relay.stateDigest
            do {
                try relay.replay(EventCodec.encode(EventCodecTests.event(body)), into: &changes)
                #expect(fits)
            } catch {
                #expect(!fits && relay.stateDigest == before)
            }
        }
        var relay = try fixture.replayed()
        var changes: [Change] = []
        let sequence = relay.sequence + 1
        #expect(throws: ReplayFault.doesNotFit(sequence: sequence, "accepted")) {
            try relay.replay(
                EventCodec.encode(EventCodecTests.event(.accepted(EventCodecTests.accepted))), into: &changes)
        }
        #expect(throws: ReplayFault.notAnEvent(sequence: sequence, .unknownKind(77))) {
            try relay.replay([77], into: &changes)
        }
    }

    /// Transport's records, each behind the commands that lead there.
    private static let transport: [(String, [@Sendable (DeliveryID) -> Command])] = [
        ("custody", [{ .custody($0, by: TransportTests.station) }]),
        ("custody", [{ .unreadable($0.notification) }, { .custody($0, by: TransportTests.station) }]),
        ("setAside", Array(repeating: { .giveBack($0, by: TransportTests.station) }, count: 3)),
        (
            "requeued",
            Array(repeating: { .giveBack($0, by: TransportTests.station) }, count: 3)
                + [{ .requeue($0, by: TransportTests.station) }]
        ),
    ]

    @Test func `a record of transport that comes twice does not fit the second time and changes nothing`() throws {
        for (kind, commands) in Self.transport {
            var fixture = Fixture(settings: RelaySettings(attempts: 3))
            let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
            let delivery = DeliveryID(notification: id, ordinal: 0)
            for command in commands { fixture.run(command(delivery)) }
            let record = try #require(fixture.journal.last)
            var relay = try fixture.replayed()
            var changes: [Change] = []
            #expect(throws: ReplayFault.doesNotFit(sequence: relay.sequence + 1, kind)) {
                try relay.replay(record, into: &changes)
            }
            #expect(changes.isEmpty && relay.stateDigest == fixture.relay.stateDigest, "\(kind)")
        }
    }

    @Test func `names past the limit are refused without an event`() {
        var fixture = Fixture()
        var names = Names()
        for number in 0..<Names.limit { names.add(.text("\(number)"), as: number) }
        fixture.relay.names = names
        #expect(fixture.run(.submit(fixture.submission())) == .refused(.namesFull))
        #expect(fixture.journal.isEmpty)
    }
}
