import CaseNotifications
import Testing

@testable import Relay

/// Records are lost: what is left may come again, but never to anybody else.
@Suite struct LossTests {
    /// What a journal's acceptances say, by the names as they were when nothing was lost.
    private static func granted(_ fixture: Fixture) throws -> [DeliveryID: (party: PartyID, shape: GrantShape)] {
        var granted: [DeliveryID: (party: PartyID, shape: GrantShape)] = [:]
        let names = fixture.relay.names
        for record in fixture.journal {
            guard case .accepted(let accepted) = try EventCodec.decode(record).body else { continue }
            for (ordinal, grant) in accepted.grants.enumerated() {
                granted[DeliveryID(notification: accepted.notification, ordinal: UInt16(ordinal))] = (
                    names.party(grant.party), names.shape(grant.shape)
                )
            }
        }
        return granted
    }

    /// A relay that has read all but some records, and how many of the others did not fit.
    private static func replay(_ journal: [[UInt8]], without lost: Range<Int>) -> (relay: Relay, unfit: Int) {
        var relay = Relay(
            collaboration: CollaborationID("orebro")!, settings: RelaySettings(attempts: 3), finishedLimit: 5)
        var changes: [Change] = []
        var unfit = 0
        for (place, record) in journal.enumerated() {
            if place == lost.lowerBound { relay.skip(records: UInt64(lost.count)) }
            if lost.contains(place) { continue }
            let before = relay.stateDigest
            do {
                try relay.replay(record, into: &changes)
            } catch {
                #expect(relay.stateDigest == before)
                relay.skip(records: 1)
                unfit += 1
            }
        }
        return (relay, unfit)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `after any loss every delivery is still its own party's, and the relay goes on`(seed: UInt64) throws {
        var fixture = ReplayTests.life(seed: seed, steps: 120)
        let granted = try Self.granted(fixture)
        var random = Seeded(seed &+ 77)
        for version in 1...2 {
            let journal = version == 1 ? try fixture.journal.map(Self.olden) : fixture.journal
            let start = Int(random.next() % UInt64(journal.count))
            let lost = start..<min(journal.count, start + 1 + Int(random.next() % 12))
            var (relay, unfit) = Self.replay(journal, without: lost)
            #expect(relay.sequence == UInt64(journal.count), "seed \(seed)")
            #expect(relay.lostRecords == UInt64(lost.count + unfit), "seed \(seed)")
            for number in 0..<relay.notifications.end where relay.notifications[number].isLive {
                for delivery in relay.deliveries(of: relay.notifications[number].id) {
                    #expect(delivery.party == granted[delivery.id]?.party, "seed \(seed)")
                    #expect(delivery.shape == granted[delivery.id]?.shape, "seed \(seed)")
                }
            }
            let highest = fixture.relay.names.all.count
            fixture.relay = relay
            fixture.journal = journal
            _ = fixture.run(
                .submit(
                    fixture.submission(id: "new", grants: [Fixture.grant("soc-1885", desk: "soc-1885", rule: "r-9")])))
            relay = fixture.relay
            #expect(Int(relay.names.number(of: .desk(desk("soc-1885")))!) >= highest, "seed \(seed)")
            #expect(Self.replay(fixture.journal, without: lost).relay.stateDigest == relay.stateDigest, "seed \(seed)")
            fixture = ReplayTests.life(seed: seed, steps: 120)
        }
    }

    /// The record as format version 1 had it.
    private static func olden(_ record: [UInt8]) throws -> [UInt8] {
        var event = try EventCodec.decode(record)
        switch event.body {
        case .numbered(let name, _): event.body = .named(name)
        case .receiptsConfirmed(let party, let client, let through):
            event.body = .receiptsRead(party: party, client: client, through: through.number)
        default: break
        }
        return EventCodec.encode(event)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `a journal of version 1 without losses gives the same state`(seed: UInt64) throws {
        let fixture = ReplayTests.life(seed: seed, steps: 300)
        let (relay, unfit) = Self.replay(try fixture.journal.map(Self.olden), without: 0..<0)
        #expect(unfit == 0 && relay.stateDigest == fixture.relay.stateDigest)
    }

    @Test func `a number whose naming is lost never means anything, not even later`() throws {
        var relay = Relay(collaboration: CollaborationID("orebro")!)
        var changes: [Change] = []
        func replay(_ body: EventBody) throws {
            try relay.replay(EventCodec.encode(EventCodecTests.event(body)), into: &changes)
        }
        try replay(.numbered(.party(party("soc-1880")), as: 0))
        relay.skip(records: 1)
        try replay(.numbered(.client(client("c")), as: 2))
        #expect(throws: ReplayFault.doesNotFit(sequence: 4, "refused")) {
            try replay(.refused(party: 1, client: 2, code: .schema, digest: Fixture.policy))
        }
        #expect(throws: ReplayFault.self) { try replay(.numbered(.party(party("soc-1885")), as: 1)) }
        #expect(throws: ReplayFault.self) { try replay(.named(.party(party("soc-1885")))) }
        try replay(.refused(party: 0, client: 2, code: .schema, digest: Fixture.policy))
        #expect(relay.sequence == 4 && relay.lostRecords == 1)
        relay.skip(records: 1 << 40)
        #expect(relay.names.next == 3 + Names.reserveLimit)
    }

    @Test func `a cursor is found by its place after a loss, and what was not read stays unread`() throws {
        var fixture = Fixture()
        for number in 0..<4 { _ = fixture.accept(fixture.submission(id: "n-\(number)")) }
        fixture.run(.readReceipts(ReceiptTests.sender, through: 3))
        let first = try fixture.journal.firstIndex {
            if case .accepted = try EventCodec.decode($0).body { true } else { false }
        }!
        let relay = Self.replay(fixture.journal, without: first..<first + 1).relay
        #expect(relay.cursor(of: ReceiptTests.sender) == 2)
        #expect(relay.receipts(for: ReceiptTests.sender, after: 0, limit: 9).map(\.receipt.id) == ["n-3"])
        let old = Self.replay(try fixture.journal.map(Self.olden), without: first..<first + 1).relay
        #expect(old.cursor(of: ReceiptTests.sender) == 0)
    }

    @Test func `a loss is unreported until an event has told of it`() {
        var fixture = Fixture()
        fixture.relay.skip(records: 5)
        #expect(fixture.relay.unreportedLost == 5)
        fixture.run(.maintain(MaintenanceNote(kind: .lost, count: 5, lost: LostRecords(first: 1, count: 5))))
        #expect(fixture.relay.unreportedLost == 0 && fixture.relay.lostRecords == 5)
    }
}
