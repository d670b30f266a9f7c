import CaseNotifications
import Foundation
import Routing
import STOMP
import Settings
import TestSupport
import Testing

@testable import BudkavleServer

/// What was accepted stays accepted: a catalogue that would refuse it today neither hides it nor takes back its answer.
struct StoredAlertTests {
    private typealias Held = HeldDeliveryTests

    /// A catalogue that refuses what was a good concern before: it demands another attribute, its texts are shorter and a
    /// code is gone.
    private static func demandingMore() throws -> Policy {
        let required = "    attributes: [municipality]\n    fields:\n      - {name: childRef,"
        let note = " sensitivity: person}\n  - id: child.concern.feedback"
        return try Held.policy(
            "types.yaml", ("    witnessed-violence: {", "    seen-violence: {"),
            (required, required.replacingOccurrences(of: "[municipality]", with: "[municipality, programme]")),
            ("max: 2000," + note, "max: 4," + note))
    }

    /// The type of concerns has another name: what was accepted is of a type that is no more.
    private static func withoutType() throws -> Policy {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let files = try SettingsFiles.read(directory: root.path + "/config/orebro").mapValues {
            $0.replacingOccurrences(of: "child.concern.reported", with: "child.concern.noted")
        }
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        let load = PolicyLoader.load(files: files, zone: zone)
        return try #require(load.policy, "\(load.diagnostics.map(\.text))")
    }

    /// A concern at U1.
    private static func alarm(_ id: String, case subject: Int) -> String {
        CoreClient.concern(id, case: subject).replacingOccurrences(of: "\"under-18\"", with: "\"under-18 imminent\"")
    }

    @Test func `what waits stays visible and keeps its answer under a catalogue that would refuse it`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Held.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let alarm = Self.alarm("alarm-1", case: 1)
        let answer = try police.ask(alarm)
        let waiting = try police.report("concern-2", case: 2)
        try Held.activate(try Self.demandingMore(), in: relay)
        #expect(try Held.held(in: relay) == 0)
        let person = try relay.connect("jour-1880", "person:staff-71")
        #expect(try person.query("inbox", "{}")["items"]?.array?.count == 2)
        let shown = try person.query("notification", #"{"notification":"\#(waiting)"}"#)
        #expect(shown["event"]?["data"]?["note"]?.string == "concern-2")

        let again = try police.ask(alarm)
        #expect(again["status"] == "duplicate")
        #expect(again["notification"] == answer["notification"])
        #expect(again["position"] == answer["position"])
        // Other bytes under the same id, and the same under another, are new.
        for body in [alarm + " ", Self.alarm("alarm-3", case: 1)] {
            let other = try relay.connect("pol-18-rlc", "station")
            let refusal = #expect(throws: CoreClient.Fault.self) { try other.ask(body) }
            guard case .refused(let frame) = refusal else {
                Issue.record("it is refused")
                continue
            }
            #expect(frame.headers["code"] == "schema")
        }

        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let body = try JSONValue(parsing: try desk.hear(.message).body)
        #expect(body["id"]?.string == "alarm-1")
        #expect(body["data"]?["note"]?.string == "alarm-1")
        try relay.stop()
    }

    @Test func `what is of a type that is no more is held, and a retry of it still has its answer`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Held.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let alarm = Self.alarm("alarm-1", case: 1)
        let answer = try police.ask(alarm)
        try Held.activate(try Self.withoutType(), in: relay)
        #expect(try Held.held(in: relay) == 1)
        let again = try police.ask(alarm)
        #expect(again["status"] == "duplicate")
        #expect(again["notification"] == answer["notification"])
        try Held.activate(relay.policy, in: relay)
        #expect(try Held.held(in: relay) == 0)
        try relay.stop()
    }
}
