import CaseNotifications
import Foundation
import Logging
import Relay
import Routing
import STOMP
import Settings
import TestSupport
import Testing

@testable import BudkavleServer

/// A reload while deliveries wait: what lost its right is held and told, goes on when the right comes back, and never leaves
/// with more than both policies give.
struct HeldDeliveryTests {
    static let log = DaemonLog(logger: Logger(label: "held", factory: { _ in SwiftLogNoOpLogHandler() }))
    private static let administrator = Actor(
        party: PartyID(unchecked: "local"), client: ClientID(unchecked: "sighup"))

    /// The policy of `config/orebro` with some of one file changed.
    static func policy(_ file: String, _ changes: (old: String, new: String)...) throws -> Policy {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var files = try SettingsFiles.read(directory: root.path + "/config/orebro")
        let path = try #require(files.keys.first { $0.hasSuffix(file) })
        var text = try #require(files[path])
        for (old, new) in changes {
            try #require(text.contains(old), "\(file) has no longer what this test changes")
            text = text.replacingOccurrences(of: old, with: new)
        }
        files[path] = text
        // What the examples say of this policy is not the question.
        let examples = try #require(files.keys.first { $0.hasSuffix("tests.yaml") })
        files[examples] = "version: 1\nexamples: []\n"
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        let load = PolicyLoader.load(files: files, zone: zone)
        return try #require(load.policy, "\(load.diagnostics.map(\.text))")
    }

    static let rule = "to: {kinds: [social-services], where: municipality}\n    basis: sol-19-1\n"

    /// Concerns about children go to no board before 2027.
    static func withoutRight() throws -> Policy {
        try policy("rules.yaml", (rule, rule + "    valid: {from: 2027-01-01}\n"))
    }

    /// Concerns about children go without the free text.
    static func withoutNote() throws -> Policy {
        let never = """
              - id: x-utan-text
                effect: never
                types: [child.concern.reported]
                from: {kinds: [police]}
                to: {kinds: [social-services]}
                fields: [note]

            """
        return try policy("rules.yaml", ("\nrules:\n", "\nrules:\n" + never))
    }

    static func activate(_ policy: Policy, in relay: CoreRelay) throws {
        let end = ContinuousClock.now + .seconds(20)
        // Right after a start the journal may still be making room.
        while try !relay.onLoop({ core in
            guard let space = core.spaceForActivation(of: policy) else { return false }
            core.activate(policy, by: administrator, in: space)
            return true
        }) {
            try #require(ContinuousClock.now < end, "the journal has no space for the record of a policy")
        }
        try reviewed(relay)
    }

    static func reviewed(_ relay: CoreRelay) throws {
        let end = ContinuousClock.now + .seconds(20)
        while try relay.onLoop({ $0.rights.review != nil }) {
            try #require(ContinuousClock.now < end, "the look through what waits has not come to its end")
        }
        try relay.durable()
    }

    static func wait(until count: Int, heldIn relay: CoreRelay) throws {
        let end = ContinuousClock.now + .seconds(20)
        while try held(in: relay) != count {
            try #require(ContinuousClock.now < end, "there are never \(count) held")
        }
    }

    /// A person asks for a notification that is not his to see: his session ends with that.
    static func isRefused(_ id: String, in relay: CoreRelay) throws -> Bool {
        let person = try relay.connect("jour-1880", "person:staff-71")
        do {
            _ = try person.query("notification", #"{"notification":"\#(id)"}"#)
            return false
        } catch CoreClient.Fault.refused(let frame) {
            return frame.headers["code"] == "unknown"
        }
    }

    static func receipts(_ client: CoreClient, _ count: Int) throws -> [String] {
        try client.subscribe("/receipts")
        return try (0..<count).map { _ in
            let data = try JSONValue(parsing: try client.hear(.message).body)["data"]
            return [data?["event"]?.string, data?["step"]?.string].compactMap(\.self).joined(separator: " ")
        }
    }

    static func held(in relay: CoreRelay) throws -> Int {
        try relay.onLoop { $0.relay.counts().perDesk.reduce(0) { $0 + $1.held } }
    }

    @Test func `what lost its right is held and told, and goes on when a policy gives the right back`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        _ = try police.report("b", case: 2)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.held(in: relay) == 2)

        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        // Had anything been delivered, it would be heard in place of the answer.
        #expect(try desk.query("inbox", "{}")["items"]?.array?.isEmpty == true)

        try Self.activate(relay.policy, in: relay)
        #expect(try Self.held(in: relay) == 0)
        var ids: [String] = []
        for _ in 0..<2 {
            let message = try desk.hear(.message)
            ids.append(try #require(try JSONValue(parsing: message.body)["id"]?.string))
            try desk.acknowledge(message)
        }
        #expect(ids == ["a", "b"])
        #expect(
            try Self.receipts(police, 6) == [
                "accepted", "accepted", "escalated right-ended", "escalated right-ended", "delivered", "delivered",
            ])
        try relay.stop()
    }

    @Test func `after a restart on another policy nothing leaves that it does not allow, read from disk or not`() throws
    {
        let scratch = try StoreScratch()
        let first = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try first.connect("pol-18-rlc", "station")
        for number in 1...20 { _ = try police.report("n-\(number)", case: number) }
        try first.stop()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try Self.held(in: relay) == 20)
        try relay.stop()
        // The third start has the first policy again.
        let again = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        try Self.activate(again.policy, in: again)
        let desk = try again.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        for _ in 1...20 { try desk.acknowledge(try desk.hear(.message)) }
        #expect(try Self.held(in: again) == 0)
        try again.stop()
    }

    @Test func `a policy with fewer fields takes them from what waits, and one with more adds none`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let narrow = try Self.withoutNote()
        try Self.activate(narrow, in: relay)
        _ = try police.report("b", case: 2)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880", prefetch: 1)
        let message = try desk.hear(.message)
        let body = try JSONValue(parsing: message.body)
        #expect(body["id"]?.string == "a")
        #expect(body["data"]?["childRef"]?.string == "barn-1")
        #expect(body["data"]?["note"] == nil)
        try Self.activate(relay.policy, in: relay)
        try desk.acknowledge(message)
        // Decided while the note was not to be had: without it, whatever holds now.
        let second = try JSONValue(parsing: try desk.hear(.message).body)
        #expect(second["id"]?.string == "b")
        #expect(second["data"]?["note"] == nil)
        try relay.stop()
    }

    @Test func `a person is not shown what lost its right, and is shown it when the right is back`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let person = try relay.connect("jour-1880", "person:staff-71")
        #expect(try person.query("inbox", "{}")["items"]?.array?.count == 1)
        try Self.activate(try Self.withoutRight(), in: relay)
        #expect(try person.query("inbox", "{}")["items"]?.array?.isEmpty == true)
        try Self.activate(relay.policy, in: relay)
        let shown = try person.query("notification", #"{"notification":"\#(id)"}"#)
        #expect(shown["event"]?["id"]?.string == "a")
        #expect(try relay.events().filter { if case .opened = $0.body { true } else { false } }.count == 1)
        try relay.stop()
    }

    @Test func `what a station has when the right ends is delivered, and its custody is told`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let message = try desk.hear(.message)
        try Self.activate(try Self.withoutRight(), in: relay)
        try desk.acknowledge(message)
        #expect(try Self.receipts(police, 2) == ["accepted", "delivered"])
        try relay.stop()
    }

    @Test func `deliveries follow a desk that gets another name`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let renamed = try Self.policy(
            "parties/jour-1880.yaml", ("  - id: jour-1880\n", "  - id: jour-1880-natt\n"),
            ("stations: [jour-1880]\n", "stations: [jour-1880-natt]\n"),
            ("desks: [jour-1880]\n", "desks: [jour-1880-natt]\n"))
        try Self.activate(renamed, in: relay)
        let desk = try relay.connect("jour-1880", "jourdator", under: renamed)
        try desk.subscribe("/inbox/jour-1880-natt")
        let message = try desk.hear(.message)
        #expect(try JSONValue(parsing: message.body)["id"]?.string == "a")
        #expect(message.headers["destination"] == "/inbox/jour-1880-natt")
        try desk.acknowledge(message)
        let person = try relay.connect("jour-1880", "person:staff-71", under: renamed)
        #expect(try person.query("inbox", "{}")["items"]?.array?.count == 1)
        #expect(try Self.receipts(police, 2) == ["accepted", "delivered"])
        try relay.stop()
    }

    @Test func `an activation is recorded with who did it, and the policy in force already is recorded once`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let other = try Self.withoutNote()
        try Self.activate(other, in: relay)
        try Self.activate(other, in: relay)
        let parts = try relay.events().compactMap { event -> PolicyPart? in
            if case .policy(let part) = event.body { part } else { nil }
        }
        #expect(parts.filter { $0.part == $0.parts - 1 }.count == 2)
        #expect(try relay.onLoop { $0.relay.activePolicy } == other.digest)
        let by = try relay.events().compactMap { event -> String? in
            if case .numbered(.client(let client), as: let number) = event.body,
                number == UInt32(parts.last?.client ?? 0)
            {
                client.text
            } else {
                nil
            }
        }
        #expect(by == ["sighup"])
        try relay.stop()
    }
}
