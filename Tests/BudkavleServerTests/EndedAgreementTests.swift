import CaseNotifications
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// The agreement by which an on-call desk acts for a board ends: what waits or lies there goes to the board's own desk, and the
/// on-call desk reads nothing more of it.
struct EndedAgreementTests {
    private static let agreement = "municipalities: [\"1863\", \"1864\", \"1884\", \"1885\"]\n    state: in-force\n"
    private static let midnight = "2026-12-12T00:00:00+01:00"

    private static func policy(_ state: String) throws -> Policy {
        try HeldDeliveryTests.policy(
            "agreements.yaml", (agreement, agreement.replacing("state: in-force\n", with: state)))
    }

    /// A concern about a child in Ljusnarsberg, at night: `jour-18-norr` acts for the board. The relay's id.
    private static func report(_ id: String, by police: CoreClient) throws -> String {
        let body = CoreClient.concern(id, case: 1).replacing("\"1880\"", with: "\"1864\"")
        let answer = try police.ask(body)
        return try #require(answer["status"] == "accepted" ? answer["notification"] : nil)
    }

    private static func delivery(_ id: String) throws -> DeliveryID {
        DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
    }

    private static func places(_ ids: [String], in relay: CoreRelay) throws -> [String] {
        let deliveries = try ids.map(delivery)
        return try relay.onLoop { core in
            deliveries.map { delivery in
                let place = core.relay.place(of: delivery)
                return [place?.party.text, place?.desk.text, place?.agent?.text].compactMap(\.self)
                    .joined(separator: " ")
            }
        }
    }

    private static func titles(_ client: CoreClient) throws -> [String] {
        try #require(try client.query("inbox", "{}")["items"]?.array).compactMap { $0["notification"]?.string }.sorted()
    }

    private static func isRefused(_ id: String, to person: CoreClient) throws -> Bool {
        do {
            _ = try person.query("notification", #"{"notification":"\#(id)"}"#)
            return false
        } catch CoreClient.Fault.refused(let frame) {
            return frame.headers["code"] == "unknown"
        }
    }

    @Test func `with the agreement ended by a reload all goes to the board, and on-call reads nothing more`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: HeldDeliveryTests.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let desk = try relay.connect("jour-18-norr", "jourdator")
        try desk.subscribe("/inbox/jour-18-norr", prefetch: 1)
        // One in custody, one in flight, one that waits.
        var ids = [try Self.report("fetched", by: police)]
        try desk.acknowledge(try desk.hear(.message))
        ids.append(try Self.report("in-flight", by: police))
        let inFlight = try desk.hear(.message)
        ids.append(try Self.report("waiting", by: police))
        let onCall = "soc-1864 jour-18-norr jour-18-norr"
        #expect(try Self.places(ids, in: relay) == [onCall, onCall, onCall])
        let person = try relay.connect("jour-18-norr", "person:staff-73")
        #expect(try Self.titles(person) == ids.sorted())

        let ended = try Self.policy("state: ended\n    ended: 2026-12-10\n")
        try HeldDeliveryTests.activate(ended, in: relay)
        let own = "soc-1864 soc-1864-mottagning"
        #expect(try Self.places(ids, in: relay) == [own, own, own])
        #expect(try HeldDeliveryTests.held(in: relay) == 0)
        // Its session is its own desk's and goes on for other boards; it hears nothing of this one, and its ACK comes too late.
        try desk.acknowledge(inFlight)
        #expect(try Self.titles(desk) == [])
        #expect(try Self.titles(person) == [])
        #expect(try Self.isRefused(ids[0], to: person))
        #expect(try Self.places(ids, in: relay) == [own, own, own])
        let board = try relay.connect("soc-1864", "verksamhetssystem", under: ended)
        try board.subscribe("/inbox/soc-1864-mottagning")
        let heard = try (0..<2).map { _ in try #require(try board.hear(.message).headers["notification"]) }
        #expect(heard == [ids[1], ids[2]], "what on-call did not take custody of")
        let worker = try relay.connect("soc-1864", "person:staff-21", under: ended)
        #expect(try Self.titles(worker) == ids.sorted())
        let new = try Self.report("new", by: police)
        #expect(try Self.places([new], in: relay) == [own])
        try relay.stop()
    }

    @Test func `an agreement that runs out at midnight ends by the clock alone`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: HeldDeliveryTests.log)
        try HeldDeliveryTests.activate(try Self.policy("state: in-force\n    ended: 2026-12-11\n"), in: relay)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try Self.report("a", by: police)
        #expect(try Self.places([id], in: relay) == ["soc-1864 jour-18-norr jour-18-norr"])
        let midnight = try #require(Timestamp(rfc3339: Self.midnight))
        try relay.onLoop { core in
            core.clock.set(to: midnight)
            core.doWhatIsDue()
        }
        try HeldDeliveryTests.reviewed(relay)
        #expect(try Self.places([id], in: relay) == ["soc-1864 soc-1864-mottagning"])
        try relay.stop()
    }
}
