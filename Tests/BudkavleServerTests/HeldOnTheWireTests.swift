import CaseNotifications
import Relay
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// What a client that knows protocol.md and nothing else hears of a delivery that is held and goes on: only members, headers
/// and words that it knows, and nothing that says that the matter is closed.
extension HeldDeliveryTests {
    /// protocol.md, "Receipts".
    private static let receiptMembers: Set = [
        "notification", "source", "id", "digest", "policy", "event", "party", "desk", "role", "outcome", "step",
        "reason", "at", "position", "leaf", "proof", "checkpoint",
    ]
    /// design.md section 7: the events of a receipt.
    private static let events: Set = [
        "accepted", "refused", "delivered", "opened", "acknowledged", "actioned", "escalated", "expired", "recalled",
    ]
    /// protocol.md, "Receiving", and what STOMP 1.2 has on every MESSAGE.
    private static let messageHeaders: Set = [
        "message-id", "subscription", "destination", "ack", "content-type", "content-length", "notification",
        "urgency", "priority", "acknowledge-by", "delivery-count", "redelivered", "drill",
    ]
    /// protocol.md, "The envelope": the fixed ones, the sender's and the delivery's.
    private static let attributes: Set = [
        "specversion", "id", "source", "type", "time", "subject", "dataschema", "datacontenttype", "data", "county",
        "municipality", "urgency", "programme", "level", "protected", "drill", "secrecy", "circumstances",
        "affirmations", "consent", "consentof", "supersedes", "expirytime", "correlationid", "causationid", "rule",
        "effect", "marking", "acknowledgeby", "policy",
    ]

    private static func names(_ value: JSONValue?) -> Set<String> { Set(value?.object?.names ?? []) }

    @Test func `a held delivery is told in members and words of protocol_md, and never as an end`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.held(in: relay) == 1)
        try police.subscribe("/receipts")
        var events: [String] = []
        for _ in 0..<2 {
            let message = try police.hear(.message)
            #expect(Set(message.headers.map { $0.name }).isSubset(of: Self.messageHeaders), "\(message.headers)")
            let receipt = try JSONValue(parsing: message.body)
            #expect(receipt["type"]?.string == "se.budkavle.relay.receipt.v1")
            let data = try #require(receipt["data"])
            #expect(Self.names(data).isSubset(of: Self.receiptMembers), "\(Self.names(data))")
            #expect(data["notification"]?.string == id)
            // `reason` is a refusal's code and `outcome` a person's answer: this is neither.
            #expect(data["reason"] == nil && data["outcome"] == nil)
            events.append(data["event"]?.string ?? "")
            if events.last == "escalated" { #expect(data["step"]?.string == "right-ended") }
        }
        #expect(events == ["accepted", "escalated"] && Self.events.isSuperset(of: events))
        // The same SEND is the same notification: it was accepted, and nothing has been refused since.
        let again = try police.ask(CoreClient.concern("a", case: 1))
        #expect(again["status"] == "duplicate" && again["notification"] == id)
        let status = try police.query("status", #"{"notification":"\#(id)"}"#)
        #expect(status["refused"]?.array?.isEmpty == true && status["complete"]?.bool == false)
        try relay.stop()
    }

    @Test func `a delivery that goes on is an ordinary MESSAGE, marked as one that may have come before`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let first = try desk.hear(.message)
        #expect(first.headers["redelivered"] != "true")
        // It goes back, is held, and goes on later.
        desk.say(Frame(.nack, ["id": first.headers["ack"] ?? "", "receipt": "back"]))
        _ = try desk.hear(.receipt)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.held(in: relay) == 1)
        try Self.activate(relay.policy, in: relay)
        // Whatever backoff the return had is over.
        try relay.onLoop { core in
            core.clock.set(to: core.clock.now.advanced(bySeconds: 600))
            core.pumpSoon()
        }
        let message = try desk.hear(.message)
        #expect(Set(message.headers.map { $0.name }).isSubset(of: Self.messageHeaders), "\(message.headers)")
        #expect(message.headers["notification"] == id && message.headers["redelivered"] == "true")
        #expect(message.headers["destination"] == "/inbox/jour-1880")
        let body = try JSONValue(parsing: message.body)
        #expect(Self.names(body).isSubset(of: Self.attributes), "\(Self.names(body))")
        try desk.acknowledge(message)
        #expect(
            try Self.receipts(police, 3) == ["accepted", "escalated right-ended", "delivered"])
        try relay.stop()
    }
}
