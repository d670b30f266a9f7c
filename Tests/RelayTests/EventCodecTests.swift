import CaseNotifications
import Foundation
import Testing

@testable import Relay

@Suite struct EventCodecTests {
    static let leaf = LeafRandom(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)
    static let delivery = DeliveryID(notification: NotificationID(high: 0x0195_0000_0000_0001, low: 2), ordinal: 3)
    static let digest = Digest(sha256Of: "body")
    static let act = HumanAct(party: 1, client: 2, person: 70_000, role: 3, reportedAt: Fixture.friday)
    static let accepted = Accepted(
        notification: delivery.notification, sourceID: "n-1", source: 1, client: 2, type: 3, policy: 4,
        municipality: .none, subject: Fixture.subject, digest: digest, caseSlot: 1 << 40, isNewCase: true,
        notificationSlot: 7, urgency: .u1, isDrill: false, isProtected: true, supersedes: delivery.notification,
        grants: [
            Granted(
                party: 5, desk: 6, agent: 7, shape: 8, urgency: .u0, acknowledgeBy: nil,
                notBefore: Timestamp(milliseconds: -1)),
            Granted(
                party: 9, desk: 10, agent: .none, shape: 11, urgency: .u4, acknowledgeBy: Fixture.friday, notBefore: nil
            ),
        ], refusals: [Denied(party: 12, code: .unavailable)])

    static let bodies: [(String, EventBody)] = [
        ("named-party", .named(.party(party("soc-1880")))),
        ("named-desk", .named(.desk(desk("jour-1880")))),
        ("named-client", .named(.client(client("rlc-system")))),
        ("named-type", .named(.type(EventType("se.budkavle.police.report.registered.v1")!))),
        ("named-text", .named(.text("jour förman"))),
        ("named-policy", .named(.policy(digest))),
        (
            "named-shape",
            .named(
                .shape(
                    GrantShape(
                        rule: RuleID("r-1")!, effect: "duty", basis: "osl-10-28", marking: "OSL 26:1",
                        attributes: ["municipality"], fields: [], isStrict: true)))
        ),
        ("named-person", .named(.person(StaffMember(party: party("soc-1880"), person: person("staff-1"))))),
        ("accepted", .accepted(accepted)),
        ("refused", .refused(party: 1, client: 2, code: .schema, digest: digest)),
        ("unavailable", .availability(.unavailable)),
        ("available", .availability(.available)),
        ("custody", .custody(delivery, client: 1)),
        ("returned", .returned(delivery, client: 1, readyAt: Fixture.friday)),
        ("set-aside", .setAside(delivery, client: 1)),
        ("requeued", .requeued(delivery, party: 1, client: 2)),
        ("opened", .opened(delivery, act)),
        ("taken", .acknowledged(delivery, act, .taken, noteSlot: nil)),
        ("already-known", .acknowledged(delivery, act, .alreadyKnown(earlier: delivery.notification), noteSlot: 9)),
        (
            "handed-over",
            .acknowledged(delivery, act, .handedOver(desk: 1, role: .none, endsAgency: true), noteSlot: nil)
        ),
        ("not-ours", .acknowledged(delivery, act, .notOurs(municipality: 4), noteSlot: nil)),
        ("recused", .acknowledged(delivery, act, .recused, noteSlot: nil)),
        ("receipts-read", .receiptsRead(party: 1, client: .none, through: .max)),
        ("policy", .policy(PolicyPart(policy: 1, part: 0, parts: 2, party: .none, client: .none, text: [1, 2, 255]))),
        ("clock-reached", .clock(.reached, to: Fixture.friday, party: .none, client: .none)),
        ("clock-advanced", .clock(.advanced, to: Fixture.friday, party: 1, client: 2)),
        (
            "audited",
            .audited(
                Audited(
                    party: 1, client: 2, person: .none, verb: 3, isAllowed: false, code: .noRule, subject: "x"))
        ),
        ("trimmed", .trimmed),
        ("numbered", .numbered(.desk(desk("jour-1880")), as: 65_534)),
        (
            "numbered-person",
            .numbered(.person(StaffMember(party: party("soc-1880"), person: person("staff-1"))), as: 9)
        ),
        (
            "receipts-confirmed",
            .receiptsConfirmed(
                party: 1, client: .none, through: ReceiptPlace(number: 3, sequence: 1 << 47, ordinal: 256))
        ),
        (
            "erased",
            .maintenance(
                Maintenance(
                    kind: .erased, by: 1, what: .none, count: 2, lost: nil,
                    notifications: [delivery.notification, NotificationID(high: 1, low: 2)], reasonSlot: 77))
        ),
        (
            "lost",
            .maintenance(
                Maintenance(
                    kind: .lost, by: .none, what: 3, count: 5, lost: LostRecords(first: 6, count: 5),
                    notifications: [], reasonSlot: nil))
        ),
        ("unreadable", .unreadable(delivery.notification)),
        ("held", .held(delivery, code: .noAgreement)),
        ("released", .released(delivery)),
        ("moved", .moved(delivery, party: 1, desk: 4, agent: .none)),
    ]

    static func event(_ body: EventBody) -> Event { Event(at: Fixture.friday, leaf: leaf, body: body) }

    @Test func `every event is read as it was written, and no part of it is one`() throws {
        for (name, body) in Self.bodies {
            let event = Self.event(body)
            let bytes = EventCodec.encode(event)
            #expect(try EventCodec.decode(bytes) == event, "\(name)")
            for length in 0..<bytes.count {
                #expect(throws: EventCodecError.self, "\(name) cut at \(length)") {
                    try EventCodec.decode(Array(bytes[..<length]))
                }
            }
            #expect(throws: EventCodecError.trailingBytes(count: 1)) { try EventCodec.decode(bytes + [0]) }
        }
    }

    @Test func `every kind has an example`() {
        let kinds = Set(Self.bodies.map { EventCodec.Kind($0.1) })
        #expect(kinds == Set(EventCodec.Kind.allCases))
    }

    @Test func `what people did, names and policies outlive their segment, and a notification's way does not`() {
        let kept = Self.bodies.filter { EventCodec.lasting(EventCodec.encode(Self.event($0.1))) != nil }
        #expect(
            Set(kept.map { EventCodec.Kind($0.1) }) == [
                .named, .numbered, .policy, .refused, .availability, .requeued, .opened, .acknowledged, .clock,
                .audited, .maintenance, .held, .released, .moved,
            ])
        #expect(LastingKind.allCases.map(\.rawValue) == [1, 2, 3])
        #expect(EventCodec.lasting([]) == nil && EventCodec.lasting([0]) == nil && EventCodec.lasting([200]) == nil)
    }

    @Test func `bytes on disk are those of the golden vectors`() throws {
        let file = Bundle.module.url(forResource: "events", withExtension: "txt", subdirectory: "Vectors")
        let text = try String(contentsOf: try #require(file), encoding: .utf8)
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            found[String(words[0])] = String(words[1])
        }
        #expect(found.count == Self.bodies.count)
        for (name, body) in Self.bodies {
            let hex = EventCodec.encode(Self.event(body)).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            #expect(found[name] == hex.joined(), "\(name) \(hex.joined())")
        }
    }

    @Test func `an unknown kind or version is named`() {
        let bytes = EventCodec.encode(Self.event(.trimmed))
        for kind in [0, 23, 255] as [UInt8] {
            #expect(throws: EventCodecError.unknownKind(kind)) { try EventCodec.decode([kind] + bytes.dropFirst()) }
        }
        for version in [0, 2, 255] as [UInt8] {
            #expect(throws: EventCodecError.unknownVersion(kind: 15, version: version)) {
                try EventCodec.decode([15, version] + bytes.dropFirst(2))
            }
        }
        #expect(throws: EventCodecError.tooShort) { try EventCodec.decode([]) }
    }

    @Test func `a number in a longer form than needed is refused`() {
        var bytes = EventCodec.encode(Self.event(.custody(Self.delivery, client: 1)))
        bytes[bytes.count - 1] = 0x81
        bytes.append(0)
        #expect(throws: EventCodecError.badField(offset: bytes.count)) { try EventCodec.decode(bytes) }
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `random bytes and changed events never trap, and what is read is written back the same`(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<400 {
            var bytes: [UInt8]
            if random.next() % 4 == 0 {
                bytes = (0..<random.next() % 120).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                if bytes.count > 1 {
                    bytes[0] = UInt8(random.next() % 21)
                    bytes[1] = 1
                }
            } else {
                bytes = EventCodec.encode(Self.event(Self.bodies[Int(random.next() % UInt64(Self.bodies.count))].1))
                for _ in 0...random.next() % 3 {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            if let event = try? EventCodec.decode(bytes) {
                #expect(EventCodec.encode(event) == bytes, "seed \(seed)")
            }
            var relay = Relay(collaboration: CollaborationID("orebro")!)
            var changes: [Change] = []
            try? relay.replay(bytes, into: &changes)
        }
    }
}
