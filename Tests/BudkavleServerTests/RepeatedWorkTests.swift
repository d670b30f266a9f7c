import CaseNotifications
import Journal
import Relay
import STOMP
import Synchronization
import Testing

@testable import BudkavleServer

/// What stations and people say a second time, or late.
@Suite(.timeLimit(.minutes(10))) struct RepeatedWorkTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    /// A relay that keeps so many finished notifications, and both ends of its work.
    private func relay(finishedLimit: Int? = nil) throws -> (CoreRelay, police: CoreClient, station: CoreClient) {
        let relay = try CoreRelay(scratch, finishedLimit: finishedLimit, log: log.log)
        let (police, station) = (
            try relay.connect("pol-18-rlc", "station"), try relay.connect("jour-1880", "jourdator")
        )
        try station.subscribe("/inbox/jour-1880")
        return (relay, police, station)
    }

    private static func who(_ id: String, at time: String) -> String {
        #""notification":"\#(id)","person":"staff-71","role":"socialjour","at":"2026-12-11T\#(time)+01:00""#
    }

    private func refusal(_ body: String, _ destination: String, by client: CoreClient) -> String? {
        client.send(body, to: destination)
        do {
            _ = try client.hear(.receipt)
            return nil
        } catch CoreClient.Fault.refused(let frame) {
            return frame.headers["code"]
        } catch {
            return "\(error)"
        }
    }

    @Test func `an ACK of what was found unreadable in the meantime is custody, and the sender is told`() throws {
        let (relay, police, station) = try relay()
        let id = try #require(NotificationID(text: try police.report("report-1", case: 1)))
        let message = try station.hear(.message)
        try relay.onLoop { core in _ = core.perform(.unreadable(id), answers: { _ in [] }) }
        try relay.durable()
        #expect(try relay.onLoop { $0.dispatch.inFlightCount } == 0)
        try station.acknowledge(message)
        let delivery = DeliveryID(notification: id, ordinal: 0)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        try police.subscribe("/receipts")
        var told: [String] = []
        for _ in 0..<3 {
            let receipt = try JSONValue(parsing: try police.hear(.message).body)
            told.append(receipt["data"]?["event"]?.string ?? "")
        }
        #expect(told == ["accepted", "escalated", "delivered"])
        try relay.stop()
    }

    /// Erases it as an administrator does, without its keys.
    private func erase(_ id: NotificationID, in relay: CoreRelay) throws {
        try relay.onLoop { core in
            _ = core.perform(
                .maintain(MaintenanceNote(kind: .erased, count: 1, notifications: [id])), answers: { _ in [] })
        }
        try relay.durable()
        #expect(try relay.onLoop { $0.dispatch.inFlightCount } == 0)
    }

    private static func audits(_ relay: CoreRelay) throws -> [String?] {
        try relay.events().compactMap { event in
            if case .audited(let audited) = event.body { audited.subject } else { nil }
        }
    }

    @Test func `an ACK of what was erased in the meantime is custody, and the sender is told`() throws {
        let (relay, police, station) = try relay()
        let id = try #require(NotificationID(text: try police.report("report-1", case: 1)))
        let message = try station.hear(.message)
        try erase(id, in: relay)
        try station.acknowledge(message)
        let delivery = DeliveryID(notification: id, ordinal: 0)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        try police.subscribe("/receipts")
        let told = try (0..<3).map { _ in
            try JSONValue(parsing: try police.hear(.message).body)["data"]?["event"]?.string ?? ""
        }
        #expect(told == ["accepted", "recalled", "delivered"])
        #expect(try Self.audits(relay) == [])
        try relay.stop()
    }

    @Test func `an ACK that can be no custody any more is answered, and in the audit log`() throws {
        let (relay, police, station) = try relay()
        let id = try #require(NotificationID(text: try police.report("report-1", case: 1)))
        let message = try station.hear(.message)
        try erase(id, in: relay)
        // What is erased goes to no station, also not at the desk that people hand it to.
        let body = #"{\#(Self.who(id.text, at: "23:02:00")),"outcome":"handed-over","to":"soc-1880-mottagning"}"#
        _ = try station.ask(body, of: "/acknowledgements")
        try station.acknowledge(message)
        let delivery = DeliveryID(notification: id, ordinal: 0)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .withdrawn)
        #expect(try Self.audits(relay) == [delivery.text])
        try relay.stop()
    }

    @Test func `an ACK of what was erased is refused when there is no space to say so, and no RECEIPT is given for it`()
        throws
    {
        let (relay, police, station) = try relay()
        let id = try #require(NotificationID(text: try police.report("report-1", case: 1)))
        let message = try station.hear(.message)
        try erase(id, in: relay)
        let grants = try relay.onLoop { core -> [SpaceGrant] in
            var all: [SpaceGrant] = []
            var size = 4 << 20
            while size > 0 {
                if let grant = core.journal.reserve(.progress, bytes: size) { all.append(grant) } else { size /= 2 }
            }
            return all
        }
        station.say(Frame(.ack, ["id": message.headers["ack"] ?? "", "receipt": "late"]))
        do {
            _ = try station.hear(.receipt)
            Issue.record("a RECEIPT although nothing was written")
        } catch CoreClient.Fault.refused(let frame) {
            #expect(frame.headers["code"] == "unavailable" && frame.headers["receipt-id"] == "late")
        }
        try relay.onLoop { core in for grant in grants { core.journal.release(grant) } }
        try relay.stop()
    }

    @Test func `work that is reported again after its notification has left memory gets the stored answer`() throws {
        let (relay, police, station) = try relay(finishedLimit: 1)
        let first = try police.report("report-1", case: 1)
        try station.acknowledge(try station.hear(.message))
        let reports = [
            ("{\(Self.who(first, at: "23:01:00"))}", "/openings"),
            (#"{\#(Self.who(first, at: "23:02:00")),"outcome":"taken"}"#, "/acknowledgements"),
        ]
        let answers = try reports.map { try station.ask($0.0, of: $0.1)["position"] }
        _ = try police.report("report-2", case: 2)
        try station.finish(try station.hear(.message))
        let id = try #require(NotificationID(text: first))
        #expect(try relay.onLoop { $0.relay.notification(id) == nil && $0.relay.hasReleased })
        let before = try relay.onLoop { $0.relay.sequence }
        for (report, answer) in zip(reports, answers) {
            #expect(try station.ask(report.0, of: report.1)["position"] == answer && answer != nil)
        }
        #expect(try relay.onLoop { $0.relay.sequence } == before, "nothing is written a second time")
        for (body, destination) in [
            ("{\(Self.who(first, at: "23:03:00"))}", "/openings"),
            (#"{\#(Self.who(first, at: "23:03:00")),"outcome":"taken"}"#, "/acknowledgements"),
            (
                #"{\#(Self.who(first, at: "23:02:00")),"outcome":"handed-over","to":"soc-1880-mottagning"}"#,
                "/acknowledgements"
            ),
        ] {
            let other = try relay.connect("jour-1880", "jourdator")
            #expect(refusal(body, destination, by: other) == "unknown", "\(body)")
        }
        try relay.stop()
    }

    @Test func `an agent that handed over and sees it no longer gets the stored answer to the same hand-over`() throws {
        let (relay, police, station) = try relay()
        let id = try police.report("report-1", case: 1)
        try station.acknowledge(try station.hear(.message))
        let body = #"{\#(Self.who(id, at: "23:02:00")),"outcome":"handed-over","to":"soc-1880-mottagning"}"#
        let answer = try station.ask(body, of: "/acknowledgements")["position"]
        #expect(try station.ask(body, of: "/acknowledgements")["position"] == answer && answer != nil)
        let other = #"{\#(Self.who(id, at: "23:03:00")),"outcome":"handed-over","to":"soc-1880-mottagning"}"#
        #expect(refusal(other, "/acknowledgements", by: station) == "unknown")
        try relay.stop()
    }

    @Test func `receipts that cannot be made because their record is lost are counted in the log`() throws {
        let (relay, police, station) = try relay(finishedLimit: 1)
        for number in 1...2 {
            _ = try police.report("report-\(number)", case: number)
            try station.finish(try station.hear(.message))
        }
        try relay.durable()
        // The first one has left memory; its acceptance cannot be read.
        try relay.onLoop { core in
            var desk = core.receiptDesk
            desk.add(
                SubscriberID(rawValue: .max), reader: .party(PartyID(unchecked: "pol-18-rlc")), credit: 100,
                relay: core.relay)
            _ = desk.next(relay: core.relay, durable: .max, limit: 100)
            for record in desk.takeNeeds() { desk.supply(record: record, nil) }
            _ = desk.next(relay: core.relay, durable: .max, limit: 100)
            desk.remove(SubscriberID(rawValue: .max))
            #expect(desk.skippedCount == 4)
            core.receiptDesk = desk
            for _ in 0..<2 { core.noteSkippedReceipts() }
            #expect(core.toldSkippedReceipts == 4)
        }
        let lines = log.lines.withLock { $0.filter { $0.hasPrefix("receipts were passed over") } }
        #expect(lines.count == 1)
        try relay.stop()
    }
}
