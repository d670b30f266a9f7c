import CaseNotifications
import Journal
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// A merger comes into effect at its midnight by the clock alone: no reload, no restart.
extension PartiesOverTimeTests {
    private static let midnight = "2026-12-12T00:00:00+01:00"

    /// Örebro's board becomes part of Kumla's on Saturday, and its desks are Kumla's on-call desk's from then on.
    private static func merged() throws -> Policy {
        try policy(
            ("parties/soc-1880.yaml", "regime: gdpr", "regime: gdpr\nmerged-into: {party: soc-1881, on: 2026-12-12}"),
            ("parties/soc-1881.yaml", "municipalities: [\"1881\"]", "municipalities: [\"1880\", \"1881\"]"))
    }

    private static func reviewed(_ relay: CoreRelay) throws {
        let end = ContinuousClock.now + .seconds(20)
        while try relay.onLoop({ $0.rights.review != nil }) {
            try #require(ContinuousClock.now < end, "the look through what waits has not come to its end")
        }
        try relay.durable()
    }

    private static func delivery(_ id: String) throws -> DeliveryID {
        DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
    }

    @Test func `a merger takes effect at its midnight without a reload, and receipts name the party of their time`()
        throws
    {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        let merged = try Self.merged()
        try Self.activate(merged, in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let first = try police.report("a", case: 1)
        let delivery = try Self.delivery(first)
        // Two minutes before, everything is as ever: the old board's on-call desk has it.
        let before = try Self.time("2026-12-11T23:58:00+01:00")
        let midnight = try Self.time(Self.midnight)
        let (due, place) = try relay.onLoop { core in
            core.clock.set(to: before)
            core.doWhatIsDue()
            return (core.rights.due, core.relay.place(of: delivery))
        }
        #expect(due == midnight, "the core wakes by itself then")
        #expect(place?.party.text == "soc-1880" && place?.desk.text == "jour-1880")
        let old = try relay.connect("jour-1880", "person:staff-71")
        #expect(try old.query("inbox", "{}")["items"]?.array?.count == 1)

        try relay.onLoop { core in
            core.clock.set(to: midnight)
            core.doWhatIsDue()
            core.pumpSoon()
        }
        try Self.reviewed(relay)
        let followed = try relay.onLoop { $0.relay.place(of: delivery) }
        #expect(followed?.desk.text == "jour-18-syd")
        #expect(try old.query("inbox", "{}")["items"]?.array?.isEmpty == true)
        let desk = try relay.connect("jour-18-syd", "jourdator", under: merged)
        try desk.subscribe("/inbox/jour-18-syd")
        let moved = try desk.hear(.message)
        #expect(moved.headers["notification"] == first)
        try desk.acknowledge(moved)
        // What is new is the successor's.
        let second = try Self.delivery(try police.report("b", case: 2))
        try desk.acknowledge(try desk.hear(.message))
        let new = try relay.onLoop { $0.relay.place(of: second) }
        #expect(new?.party.text == "soc-1881")

        try police.subscribe("/receipts")
        var told: [String] = []
        for _ in 0..<4 {
            let data = try JSONValue(parsing: try police.hear(.message).body)["data"]
            let event = data?["event"]?.string ?? ""
            told.append(event == "delivered" ? "delivered \(data?["party"]?.string ?? "")" : event)
        }
        #expect(told == ["accepted", "delivered soc-1880", "accepted", "delivered soc-1881"])
        try relay.stop()
    }

    @Test func `status names a party as it was called at the time of each act`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        let renamed = try Self.policy(
            (
                "parties/soc-1880.yaml", "regime: gdpr",
                "regime: gdpr\nformer-names: [{label: {sv: Nämnden väster, en: Board West}, until: 2026-12-11}]"
            ))
        try Self.activate(renamed, in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let midnight = try Self.time(Self.midnight)
        try relay.onLoop { core in
            core.clock.set(to: midnight)
            core.doWhatIsDue()
        }
        try Self.reviewed(relay)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        try desk.acknowledge(try desk.hear(.message))
        let later = try police.report("b", case: 2)
        func delivery(_ id: String) throws -> JSONValue {
            let status = try police.query("status", #"{"notification":"\#(id)"}"#)
            return try #require(status["deliveries"]?.array?.first)
        }
        let old = try delivery(id)
        let now = try #require(renamed.labels(of: PartyID(unchecked: "soc-1880"), at: midnight)?.sv)
        #expect(old["name"]?["sv"]?.string == "Nämnden väster")
        #expect(old["name"]?["en"]?.string == "Board West")
        // Custody was taken under the new name.
        let delivered = try #require(old["steps"]?.array?.first { $0["event"]?.string == "delivered" })
        #expect(delivered["name"]?["sv"]?.string == now)
        #expect(try delivery(later)["name"]?["sv"]?.string == now)
        try relay.stop()
    }

    @Test func `what could not move at midnight for want of space moves a moment later`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        try Self.activate(try Self.merged(), in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let delivery = try Self.delivery(try police.report("a", case: 1))
        let midnight = try Self.time(Self.midnight)
        try relay.durable()
        let desks = try relay.withoutWriter { core -> [String?] in
            core.clock.set(to: midnight)
            let all = CoreRelay.exhaust(core)
            core.doWhatIsDue()
            core.goOnReviewing()
            #expect(core.rights.unjudged == [delivery])
            var desks = [core.relay.place(of: delivery)?.desk.text]
            for grant in all { core.journal.release(grant) }
            // Not a moment earlier, and once.
            core.doWhatIsDue()
            desks.append(core.relay.place(of: delivery)?.desk.text)
            core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            core.doWhatIsDue()
            desks.append(core.relay.place(of: delivery)?.desk.text)
            #expect(core.rights.unjudged.isEmpty)
            return desks
        }
        #expect(desks == ["jour-1880", "jour-1880", "jour-18-syd"])
        #expect(try relay.events().filter { if case .moved = $0.body { true } else { false } }.count == 1)
        try relay.stop()
    }

    @Test func `what could not be released for want of space is released a moment later`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let delivery = try Self.delivery(try police.report("a", case: 1))
        try Self.activate(try HeldDeliveryTests.withoutRight(), in: relay)
        let policy = relay.policy
        let states = try relay.withoutWriter { core -> [Transport?] in
            var states = [core.relay.delivery(delivery)?.transport]
            core.policy = policy
            core.beginReview()
            let all = CoreRelay.exhaust(core)
            core.goOnReviewing()
            #expect(core.rights.unjudged == [delivery])
            states.append(core.relay.delivery(delivery)?.transport)
            for grant in all { core.journal.release(grant) }
            core.doWhatIsDue()
            states.append(core.relay.delivery(delivery)?.transport)
            core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            core.doWhatIsDue()
            states.append(core.relay.delivery(delivery)?.transport)
            #expect(core.rights.unjudged.isEmpty)
            return states
        }
        #expect(states == [.held, .held, .held, .waiting])
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        #expect(try JSONValue(parsing: try desk.hear(.message).body)["id"]?.string == "a")
        try relay.stop()
    }

    @Test func `a move that failed is tried again for what a station has fetched, too`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        try Self.activate(try Self.merged(), in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let fetched = try Self.delivery(try police.report("a", case: 1))
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        try desk.acknowledge(try desk.hear(.message))
        let midnight = try Self.time(Self.midnight)
        let desks = try relay.withoutWriter { core -> [String?] in
            core.clock.set(to: midnight)
            let all = CoreRelay.exhaust(core)
            core.doWhatIsDue()
            core.goOnReviewing()
            var desks = [core.relay.place(of: fetched)?.desk.text]
            for grant in all { core.journal.release(grant) }
            core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            core.doWhatIsDue()
            desks.append(core.relay.place(of: fetched)?.desk.text)
            return desks
        }
        #expect(desks == ["jour-1880", "jour-18-syd"])
        // The people there have it on their list, whoever's machine fetched it, beside the successor's own copy: until
        // midnight both boards served the place, as both files say.
        let person = try relay.connect("jour-18-syd", "person:staff-77", under: try Self.merged())
        let items = try #require(try person.query("inbox", "{}")["items"]?.array)
        let told = items.map { "\($0["party"]?.string ?? "") \($0["state"]?.string ?? "")" }
        #expect(told.sorted() == ["soc-1880 custody", "soc-1881 waiting"])
        #expect(items.allSatisfy { $0["notification"]?.string == fetched.notification.text })
        try relay.stop()
    }
}
