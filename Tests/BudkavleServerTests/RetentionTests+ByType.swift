import CaseNotifications
import Journal
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// A type may have times of its own in `types.yaml`; the collaboration's hold for all others.
extension RetentionTests {
    private static let intervention = """
        {"specversion":"1.0","id":"closed","source":"urn:budkavle:pol-18-rlc","county":"18","municipality":"1880",\
        "type":"se.budkavle.police.intervention.closed.v1","time":"2026-12-11T22:58:00+01:00",\
        "subject":"BK-18-2026-00000002","protected":false,\
        "data":{"interventionRef":"HR-1","endedAt":"2026-12-11T22:50:00+01:00","suspectLeftScene":true}}
        """

    /// The policy of `config/orebro` in which concerns about children go after these times.
    private static func policy(_ retention: String) throws -> Policy {
        try PartiesOverTimeTests.policy(
            (
                "types.yaml", "  - id: child.concern.reported\n",
                "  - id: child.concern.reported\n    retention: {\(retention)}\n"
            ))
    }

    @Test func `finished content of a type with a time of its own goes by that, others stay`() throws {
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: log.log)
        try PartiesOverTimeTests.activate(try Self.policy("content-after-acknowledgement: 2d"), in: relay)
        let concern = try #require(try finish(["concern"], relay, cases: [1]).first)
        let police = try relay.connect("pol-18-rlc", "station")
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        let answer = try police.ask(Self.intervention)
        let closed = try #require(answer["notification"].flatMap(NotificationID.init(text:)))
        try station.finish(try station.hear(.message))
        try relay.durable()

        let limit = try lastAct(concern, relay).advanced(bySeconds: 2 * 86_400)
        #expect(try sweep(relay, at: limit).notifications == 0)
        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).notifications == 1)
        #expect(try read(concern, relay) == .erased)
        #expect(try read(closed, relay) == .readable)
        let late = try lastAct(closed, relay).advanced(bySeconds: acknowledged)
        #expect(try sweep(relay, at: late).notifications == 0)
        #expect(try sweep(relay, at: Timestamp(milliseconds: late.milliseconds + 1)).notifications == 1)
        #expect(try read(closed, relay) == .erased)
        try relay.stop()
    }

    @Test func `a longer time of its own keeps content that the collaboration's would take`() throws {
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: log.log)
        try PartiesOverTimeTests.activate(try Self.policy("content-unacknowledged: 60d"), in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("open", case: 1)))
        try relay.durable()
        let deadline = try #require(try relay.onLoop { $0.relay.deliveries(of: id).first?.acknowledgeBy })
        #expect(try sweep(relay, at: deadline.advanced(bySeconds: 59 * 86_400)).notifications == 0)
        #expect(try read(id, relay) == .readable)
        let limit = deadline.advanced(bySeconds: 60 * 86_400)
        #expect(try sweep(relay, at: limit).notifications == 0)
        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).notifications == 1)
        // What was finished goes by the collaboration's time: the type says nothing of that.
        #expect(relay.policy.retention.content.afterAcknowledgement == acknowledged)
        let times = try relay.onLoop { $0.policy.retention }
        let type = try #require(times.byType.keys.first)
        #expect(times.content(of: type).afterAcknowledgement == acknowledged)
        #expect(times.content(of: type).unacknowledged == 60 * 86_400)
        #expect(times.content(of: nil) == times.content)
        try relay.stop()
    }

    @Test func `a note on what was erased before and has left memory does not outlive its type's time`() throws {
        let relay = try CoreRelay(scratch, finishedLimit: 1, isFolding: false, segmentBytes: 8 << 20, log: log.log)
        try PartiesOverTimeTests.activate(try Self.policy("content-after-acknowledgement: 2d"), in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("noted", case: 1)))
        let administrator = try relay.connect("drift-18", "konsol")
        _ = try administrator.order("erase", #"{"case":"BK-18-2026-00000001","reason":"sent by mistake"}"#)
        let person = try relay.connect("jour-1880", "person:staff-71")
        _ = try person.ask(
            #"{"notification":"\#(id.text)","outcome":"not-ours","note":"ringer upp"}"#, of: "/acknowledgements")
        try relay.durable()
        let slots = try relay.events().compactMap { event -> UInt64? in
            if case .acknowledged(_, _, _, let slot) = event.body { slot } else { nil }
        }
        let slot = SlotID(rawValue: try #require(slots.first))
        _ = try finish(["next"], relay, cases: [2])
        #expect(try relay.onLoop { $0.relay.notification(id) } == nil)
        let isLiving = { try relay.onLoop { try RecordReader($0.journal.access).isLiving(slot) } }
        #expect(try isLiving())
        try sweep(relay, at: try lastAct(id, relay).advanced(bySeconds: 2 * 86_400 + 1))
        #expect(try !isLiving())
        try relay.stop()
    }
}
