import CaseNotifications
import Journal
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// What is looked at again: by the clock alone, and when a station or a person has it in between.
extension HeldDeliveryTests {
    @Test func `what a station has is in its custody, also when a person asked for it and it was held for that`() throws
    {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let message = try desk.hear(.message)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.held(in: relay) == 0)
        #expect(try Self.isRefused(id, in: relay))
        #expect(try Self.held(in: relay) == 1)
        try desk.acknowledge(message)
        #expect(try Self.held(in: relay) == 0)
        try Self.activate(relay.policy, in: relay)
        #expect(
            try Self.receipts(police, 3) == ["accepted", "escalated right-ended", "delivered"])
        #expect(try relay.events().filter { if case .released = $0.body { true } else { false } }.isEmpty)
        try relay.stop()
    }

    @Test func `what a station gives back after its right ended is held a moment later, whoever listens`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        _ = try desk.hear(.message)
        try Self.activate(try Self.withoutRight(), in: relay)
        desk.say(Frame(.unsubscribe, ["id": "s", "receipt": "gone"]))
        _ = try desk.hear(.receipt)
        #expect(try relay.onLoop { ($0.dispatch.inFlightCount, $0.rights.unjudged.count) } == (0, 1))
        // Only the clock goes on: nobody asks and nobody subscribes.
        try relay.onLoop { core in
            core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            core.pumpSoon()
        }
        try Self.wait(until: 1, heldIn: relay)
        #expect(try relay.onLoop { $0.rights.unjudged.isEmpty })
        try relay.stop()
    }

    @Test func `what could not be held for want of space is held a moment later`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("a", case: 1)))
        let delivery = DeliveryID(notification: id, ordinal: 0)
        try Self.activate(relay.policy, in: relay)
        let without = try Self.withoutRight()
        let states = try relay.onLoop { core -> [Transport?] in
            core.policy = without
            var all: [SpaceGrant] = []
            var size = 4 << 20
            while size > 0 {
                if let grant = core.journal.reserve(.progress, bytes: size) { all.append(grant) } else { size /= 2 }
            }
            let content = try #require(core.contents.cached(id))
            core.settle(delivery, content)
            var states = [core.relay.delivery(delivery)?.transport]
            #expect(core.rights.unjudged == [delivery])
            for grant in all { core.journal.release(grant) }
            // Not a moment earlier, and once.
            core.doWhatIsDue()
            states.append(core.relay.delivery(delivery)?.transport)
            core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            core.doWhatIsDue()
            states.append(core.relay.delivery(delivery)?.transport)
            #expect(core.rights.unjudged.isEmpty)
            return states
        }
        #expect(states == [.waiting, .waiting, .held])
        try relay.stop()
    }

    @Test func `what is held goes on at the midnight when its basis begins, and each day is looked at once`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let later = try Self.policy("rules.yaml", (Self.rule, Self.rule + "    valid: {from: 2026-12-13}\n"))
        try Self.activate(later, in: relay)
        #expect(try Self.held(in: relay) == 1)
        let looks = try relay.onLoop { $0.rights.reviews }
        for (text, more) in [("12T00:00:00", 1), ("12T23:59:50", 1), ("13T00:00:00", 2)] as [(String, UInt64)] {
            let now = try #require(Timestamp(rfc3339: "2026-12-\(text)+01:00"))
            let (reviews, due) = try relay.onLoop { core in
                core.clock.set(to: now)
                core.doWhatIsDue()
                core.doWhatIsDue()
                return (core.rights.reviews, core.rights.due)
            }
            #expect(reviews == looks + more, "\(text)")
            // The core sleeps until then.
            #expect(try #require(due) > now, "\(text)")
            try Self.reviewed(relay)
        }
        #expect(try Self.held(in: relay) == 0)
        let desk = try relay.connect("jour-1880", "jourdator", under: later)
        try desk.subscribe("/inbox/jour-1880")
        #expect(try JSONValue(parsing: try desk.hear(.message).body)["id"]?.string == "a")
        try relay.stop()
    }

    @Test func `what ends with its day is held at midnight by the clock alone, also what nobody asked for`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let ids = try (1...3).map { try police.report("n-\($0)", case: $0) }
        let first = DeliveryID(notification: try #require(NotificationID(text: ids[0])), ordinal: 0)
        let ending = try Self.policy("rules.yaml", (Self.rule, Self.rule + "    valid: {to: 2026-12-11}\n"))
        try Self.activate(ending, in: relay)
        #expect(try Self.held(in: relay) == 0)
        let midnight = try #require(Timestamp(rfc3339: "2026-12-12T00:00:00+01:00"))
        // Somebody asks for one of them before the clock's own wake: the others are looked at all the same.
        try relay.onLoop { core in
            core.clock.set(to: midnight)
            if let content = core.contents.cached(first.notification) { core.judge(first, content) }
            core.pumpSoon()
        }
        try Self.wait(until: 3, heldIn: relay)
        try relay.stop()
    }

    /// How often the journal says that a person opened something.
    static func openings(_ relay: CoreRelay) throws -> Int {
        try relay.events().filter { if case .opened = $0.body { true } else { false } }.count
    }

    @Test func `what cannot be read any more is refused before it is recorded as opened`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("a", case: 1)))
        try relay.onLoop { core in
            _ = core.perform(.unreadable(id), answers: { _ in [] })
            core.contents.drop(id)
        }
        let person = try relay.connect("jour-1880", "person:staff-71")
        do {
            _ = try person.query("notification", #"{"notification":"\#(id.text)"}"#)
            Issue.record("it was shown")
        } catch CoreClient.Fault.refused(let frame) {
            #expect(frame.headers["code"] == "unreadable")
        }
        #expect(try Self.openings(relay) == 0)
        try relay.stop()
    }

    @Test func `a person at a desk that is no more his party's opens nothing`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let renamed = try Self.policy(
            "parties/jour-1880.yaml", ("  - id: jour-1880\n", "  - id: jour-1880-natt\n"),
            ("stations: [jour-1880]\n", "stations: [jour-1880-natt]\n"),
            ("desks: [jour-1880]\n", "desks: [jour-1880-natt]\n"))
        // The policy is new, and nothing was looked through yet: he asks first, with the rights that he came with.
        try relay.onLoop { $0.policy = renamed }
        #expect(try Self.isRefused(id, in: relay))
        #expect(try Self.openings(relay) == 0)
        let person = try relay.connect("jour-1880", "person:staff-71", under: renamed)
        let shown = try person.query("notification", #"{"notification":"\#(id)"}"#)
        #expect(shown["event"]?["id"]?.string == "a")
        #expect(try Self.openings(relay) == 1)
        try relay.stop()
    }

    @Test func `a dead letter is shown as the rules of now allow, and not at all without a right`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let delivery = DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
        let station = Actor(
            party: PartyID(unchecked: "jour-1880"), client: ClientID(unchecked: "jourdator"),
            desks: [DeskID(unchecked: "jour-1880")])
        try relay.onLoop { core in
            for _ in 0..<100 where core.relay.delivery(delivery)?.transport == .waiting {
                _ = core.perform(.giveBack(delivery, by: station), answers: { _ in [] })
            }
        }
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .setAside)
        let person = try relay.connect("jour-1880", "person:staff-71")
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.isRefused(id, in: relay))
        // What was not shown was not opened; it stays where people decide about it.
        #expect(try Self.openings(relay) == 0)
        #expect(try person.query("inbox", "{}")["items"]?.array?.count == 1)
        try Self.activate(try Self.withoutNote(), in: relay)
        let narrow = try person.query("notification", #"{"notification":"\#(id)"}"#)
        #expect(narrow["event"]?["data"]?["childRef"]?.string == "barn-1")
        #expect(narrow["event"]?["data"]?["note"] == nil)
        #expect(try Self.openings(relay) == 1)
        try Self.activate(relay.policy, in: relay)
        let whole = try person.query("notification", #"{"notification":"\#(id)"}"#)
        #expect(whole["event"]?["data"]?["note"]?.string == "a")
        try relay.stop()
    }
}
