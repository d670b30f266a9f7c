import CaseNotifications
import Testing

@testable import Relay

@Suite struct SnapshotTests {
    @Test(arguments: 1...25 as ClosedRange<UInt64>)
    func `a relay that was read from a snapshot is the one that was written, and goes on as it does`(seed: UInt64)
        throws
    {
        let fixture = ReplayTests.life(seed: seed, steps: 500)
        let cut = Int(Seeded(seed &+ 7).state % UInt64(fixture.journal.count))
        var original = Relay(
            collaboration: CollaborationID("orebro")!, settings: fixture.relay.settings, finishedLimit: 5)
        var changes: [Change] = []
        for record in fixture.journal[..<cut] { try original.replay(record, into: &changes) }
        let pieces = original.pieces
        var restored = try Relay.restored(from: pieces, finishedLimit: 5, settings: fixture.relay.settings)
        #expect(restored.stateDigest == original.stateDigest, "seed \(seed)")
        #expect(restored.pieces == pieces, "seed \(seed)")
        #expect(restored.counts() == original.counts(), "seed \(seed)")
        #expect(restored.openTickets == original.openTickets, "seed \(seed)")
        for record in fixture.journal[cut...] {
            var other: [Change] = []
            changes.removeAll()
            try original.replay(record, into: &changes)
            try restored.replay(record, into: &other)
            #expect(other == changes, "seed \(seed)")
        }
        #expect(restored.stateDigest == fixture.relay.stateDigest, "seed \(seed)")
        #expect(restored.nextDue == fixture.relay.nextDue, "seed \(seed)")
        for reader in [ReceiptTests.sender, ReplayTests.mine] {
            #expect(restored.cursor(of: reader) == fixture.relay.cursor(of: reader), "seed \(seed)")
            #expect(
                restored.receipts(for: reader, after: 0, limit: .max)
                    == fixture.relay.receipts(for: reader, after: 0, limit: .max), "seed \(seed)")
        }
    }

    @Test func `an empty relay has a snapshot too, and another collaboration's is refused`() throws {
        let empty = Relay(collaboration: CollaborationID("orebro")!)
        #expect(try Relay.restored(from: empty.pieces).stateDigest == empty.stateDigest)
        let other = Relay(collaboration: CollaborationID("uppsala")!)
        #expect(throws: SnapshotFault.otherCollaboration) { try Relay.restored(from: other.pieces) }
    }

    @Test func `a cut, doubled, swapped or foreign piece is refused`() throws {
        let relay = ReplayTests.life(seed: 3, steps: 90).relay
        let piece = relay.pieces[0]
        #expect(relay.pieces.count == 1)
        for length in 0..<piece.count {
            #expect(throws: SnapshotFault.self) {
                try Relay.restored(from: [Array(piece[..<length])], finishedLimit: 5)
            }
        }
        #expect(throws: SnapshotFault.self) { try Relay.restored(from: [], finishedLimit: 5) }
        #expect(throws: SnapshotFault.outOfOrder(piece: 1)) {
            try Relay.restored(from: [piece, piece], finishedLimit: 5)
        }
        var later = piece
        later[0] = 2
        #expect(throws: SnapshotFault.unknownVersion(2)) { try Relay.restored(from: [later], finishedLimit: 5) }
    }

    @Test func `every changed byte is refused, and none traps`() throws {
        let relay = ReplayTests.life(seed: 9, steps: 90).relay
        let piece = relay.pieces[0]
        var random = Seeded(4)
        for place in piece.indices {
            var changed = piece
            changed[place] ^= UInt8(1 + random.next() % 255)
            #expect(throws: SnapshotFault.self, "byte \(place)") {
                try Relay.restored(from: [changed], finishedLimit: 5)
            }
        }
    }

    @Test func `a large state is cut into pieces that are each as long as allowed at most`() throws {
        var relay = Relay(collaboration: CollaborationID("orebro")!)
        Self.fill(&relay, known: 40_000, open: 3_000)
        let pieces = relay.pieces
        #expect(pieces.count > 1)
        #expect(pieces.allSatisfy { $0.count <= RelaySnapshot.pieceLimitBytes })
        #expect(pieces.dropLast().allSatisfy { $0.count > RelaySnapshot.pieceLimitBytes / 2 })
        #expect(try Relay.restored(from: pieces).stateDigest == relay.stateDigest)
        #expect(throws: SnapshotFault.self) { try Relay.restored(from: Array(pieces.dropLast())) }
        #expect(throws: SnapshotFault.outOfOrder(piece: 0)) { try Relay.restored(from: Array(pieces.reversed())) }
    }

    @Test func `a box of more receipts than the limit is refused before anything is made for it`() throws {
        var fixture = Fixture()
        fixture.run(.audit(AuditNote(actor: Fixture.board(), verb: "drain", isAllowed: true)))
        let number = try #require(fixture.relay.names.number(of: .party(party("soc-1880"))))
        // Without the digest at the end.
        let piece = fixture.relay.pieces[0].dropLast(17)
        for (count, isRefused) in [(1, false), (RelaySnapshot.boxLimit + 1, true)] as [(UInt64, Bool)] {
            var writer = ByteWriter(bytes: Array(piece))
            writer.byte(RelaySnapshot.Tag.box.rawValue)
            for field in [UInt64(number), 1, count, 0] { writer.number(field) }
            var reader = RelaySnapshotReader(collaboration: CollaborationID("orebro")!)
            if isRefused {
                #expect(throws: SnapshotFault.badItem(piece: 0, offset: writer.bytes.count)) {
                    try reader.add(writer.bytes)
                }
            } else {
                try reader.add(writer.bytes)
                #expect(throws: SnapshotFault.incomplete) { try reader.finish() }
            }
        }
    }

    /// Puts so many submissions into memory, and so many notifications that wait for a station.
    static func fill(_ relay: inout Relay, known: Int, open: Int) {
        var random = Seeded(1)
        let names: [Name] = [
            .party(party("pol-18-rlc")), .client(client("rlc-system")), .type(EventType("se.budkavle.a.b.c.v1")!),
            .policy(Fixture.policy), .desk(desk("jour-1880")), .shape(GrantShape(Fixture.grant("soc-1880", desk: "x"))),
            .party(party("soc-1880")),
        ]
        var changes: [Change] = []
        func apply(_ body: EventBody, _ relay: inout Relay) {
            let leaf = LeafRandom(high: random.next(), low: random.next())
            relay.apply(Event(at: Fixture.friday, leaf: leaf, body: body), into: &changes)
            changes.removeAll(keepingCapacity: true)
        }
        for (number, name) in names.enumerated() { apply(.numbered(name, as: UInt32(number)), &relay) }
        for number in 0..<open {
            let granted = Granted(
                party: 6, desk: 4, agent: .none, shape: 5, urgency: .u1, acknowledgeBy: Fixture.friday, notBefore: nil)
            apply(
                .accepted(
                    Accepted(
                        notification: NotificationID(at: Fixture.friday, random: &random), sourceID: "n-\(number)",
                        source: 0, client: 1, type: 2, policy: 3, municipality: .none,
                        subject: CaseID(county: 18, year: 2026, number: UInt64(number / 3)), digest: Fixture.policy,
                        caseSlot: UInt64(number / 3), isNewCase: number % 3 == 0, notificationSlot: 9, urgency: .u1,
                        isDrill: false, isProtected: false, supersedes: nil, grants: [granted], refusals: [])), &relay)
        }
        for number in 0..<known {
            relay.known.insert(
                SubmissionKey(bits: random.next()),
                KnownRow(
                    notification: NotificationID(high: UInt64(number), low: random.next()), sequence: 1,
                    digest: Fixture.policy),
                at: Fixture.friday.advanced(bySeconds: Int64(random.next() % UInt64(Relay.duplicateSeconds))))
        }
    }
}
