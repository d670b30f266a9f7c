import CaseNotifications
import Glibc
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// What dispatch has given to a station waits for it to read, or for its content; meanwhile people hand it to another desk.
@Suite(.timeLimit(.minutes(10))) struct SlowReaderTests {
    /// Why a delivery waits between dispatch and the wire.
    enum Cause: CaseIterable { case slowReader, reading }

    private static let log = LogLines().log

    /// The board has two desks, always open, and one station for both.
    private static func twoDesks() throws -> Policy {
        let both = "[soc-1880-mottagning, soc-1880-natt]\n"
        return try HeldDeliveryTests.policy(
            "parties/soc-1880.yaml",
            (
                "    calendar: kontorstid\n",
                "    calendar: always\n  - id: soc-1880-natt\n    label: {sv: Natt, en: Night}\n    calendar: always\n"
            ),
            ("stations: [soc-1880-mottagning]\n", "stations: \(both)"),
            ("desks: [soc-1880-mottagning]\n", "desks: \(both)"))
    }

    /// Fills a client's output until it has no room, with what it does not read: replies, which take no credit.
    private static func fill(_ client: CoreClient, in relay: CoreRelay) throws {
        client.say(Frame(.subscribe, ["id": "r", "destination": "/replies/r", "receipt": "r"]))
        _ = try client.hear(.receipt)
        try relay.onLoop { core in
            for state in core.clients.values {
                for (key, subscription) in state.subscriptions {
                    guard case .replies = subscription.kind else { continue }
                    // What the socket takes is bounded first, so that enough is left.
                    var size = Int32(64 << 10)
                    let length = socklen_t(MemoryLayout<Int32>.size)
                    #expect(
                        setsockopt(Int32(state.connection.id.rawValue), SOL_SOCKET, SO_SNDBUF, &size, length) == 0)
                    let filler = OutgoingMessage(contentType: "text/plain", body: Array(repeating: 46, count: 200_000))
                    // SAFETY: connections of this core live on its loop.
                    let isFull = state.connection.assumeIsolated { connection in
                        for _ in 0..<10 { _ = connection.deliver(filler, to: key, tag: 0) }
                        connection.takeTurn()
                        return !connection.hasRoom
                    }
                    try #require(isFull)
                }
            }
        }
    }

    /// The next MESSAGE that is no filler.
    private static func inbox(_ client: CoreClient) throws -> Frame {
        while true {
            let message = try client.hear(.message)
            if message.headers["notification"] != nil { return message }
        }
    }

    private static func held(in relay: CoreRelay) throws -> [Sending] {
        try relay.onLoop { core in
            core.takeTurn()
            return core.clients.values.flatMap { Array($0.held) }
        }
    }

    /// What waits for the content of a delivery.
    private static func reading(_ delivery: DeliveryID, in relay: CoreRelay) throws -> [Sending] {
        try relay.onLoop { core in
            core.takeTurn()
            return (core.reads[delivery.notification] ?? []).compactMap {
                if case .sending(let sending) = $0 { sending } else { nil }
            }
        }
    }

    @Test(arguments: Cause.allCases, [STOMP.Command.unsubscribe, .nack])
    func `what was handed to another desk of its station while it waited comes once, and again until it is confirmed`(
        _ cause: Cause, _ end: STOMP.Command
    ) throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let policy = try Self.twoDesks()
        try HeldDeliveryTests.activate(policy, in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let station = try relay.connect("soc-1880", "verksamhetssystem", under: policy)
        if cause == .slowReader {
            try station.subscribe("/inbox", prefetch: 1)
            try Self.fill(station, in: relay)
        }
        let id = try police.report("a", case: 1)
        let delivery = DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
        if cause == .reading {
            try relay.durable()
            // Its place on disk is being looked for.
            try relay.onLoop { core in
                core.contents.drop(delivery.notification)
                core.soughtContents.insert(delivery.notification)
            }
            try station.subscribe("/inbox", prefetch: 1)
        }
        let waiting = { try cause == .slowReader ? Self.held(in: relay) : Self.reading(delivery, in: relay) }
        let person = try relay.connect("soc-1880", "person:staff-23", under: policy)
        try Self.wait { try waiting().count == 1 }
        _ = try person.ask(
            #"{"notification":"\#(id)","person":"staff-23","role":"socialsekreterare","outcome":"handed-over","#
                + #""to":"soc-1880-natt"}"#, of: "/acknowledgements")
        #expect(try waiting().map(\.ticket.desk.text) == ["soc-1880-mottagning", "soc-1880-natt"])
        try relay.onLoop { core in
            core.soughtContents.remove(delivery.notification)
            core.pumpSoon()
        }
        let message = try Self.inbox(station)
        #expect(message.headers["notification"] == id)
        #expect(message.headers["destination"] == "/inbox/soc-1880-natt")
        // Had it come twice, the second would be heard in place of the answer.
        #expect(try station.query("inbox", "{}")["items"] != nil)
        #expect(try relay.onLoop { $0.dispatch.isInFlight(delivery) })
        if end == .nack {
            station.say(Frame(.nack, ["id": message.headers["ack"] ?? "", "receipt": "end"]))
            _ = try station.hear(.receipt)
            try relay.onLoop { core in
                core.clock.set(to: core.clock.now.advanced(bySeconds: 600))
                core.pumpSoon()
            }
        } else {
            station.say(Frame(end, ["id": "s", "receipt": "end"]))
            _ = try station.hear(.receipt)
            try station.subscribe("/inbox")
        }
        let again = try Self.inbox(station)
        #expect(again.headers["notification"] == id && again.headers["redelivered"] == "true")
        try station.acknowledge(again)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        #expect(try relay.onLoop { ($0.dispatch.inFlightCount, $0.dispatch.waitingCount) } == (0, 0))
        try relay.stop()
    }

    @Test func `what another station got meanwhile does not leave to the slow one, and is not taken from the other`()
        throws
    {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let slow = try relay.connect("jour-1880", "jourdator")
        try slow.subscribe("/inbox/jour-1880", prefetch: 1)
        try Self.fill(slow, in: relay)
        let id = try police.report("a", case: 1)
        let delivery = DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
        try Self.wait { try Self.held(in: relay).count == 1 }
        let stale = try #require(try Self.held(in: relay).first)
        try relay.onLoop { core in
            try #require(core.perform(.hold(delivery, code: .noRule), answers: { _ in [] }) != nil)
        }
        try relay.durable()
        // Its credit is back, and goes to the next.
        let later = try police.report("b", case: 2)
        try Self.wait { try Self.held(in: relay).count == 2 }
        let other = try relay.connect("jour-1880", "jourdator")
        try other.subscribe("/inbox/jour-1880")
        try relay.onLoop { core in
            try #require(core.perform(.release(delivery), answers: { _ in [] }) != nil)
        }
        let message = try Self.inbox(other)
        #expect(message.headers["notification"] == id && message.headers["redelivered"] == "true")
        let holder = try relay.onLoop { core in
            core.putBack(stale)
            return core.dispatch.isInFlight(delivery)
        }
        #expect(holder, "the other station has it")
        #expect(try Self.inbox(slow).headers["notification"] == later)
        try other.acknowledge(message)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        try relay.stop()
    }

    /// Asks again until something that the relay's loop does by itself has happened, for 20 s at most.
    private static func wait(until isDone: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(20)
        while try !isDone() { try #require(ContinuousClock.now < end, "it never happened") }
    }
}
