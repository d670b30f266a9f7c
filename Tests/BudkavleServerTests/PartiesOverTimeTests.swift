import CaseNotifications
import Foundation
import Relay
import Routing
import STOMP
import Settings
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer

/// What the running daemon makes of days on which parties merge and agreements end.
struct PartiesOverTimeTests {
    private static let administrator = Actor(
        party: PartyID(unchecked: "local"), client: ClientID(unchecked: "SIGHUP"))

    /// The policy of `config/orebro` with some files changed.
    static func policy(_ changes: (file: String, old: String, new: String)...) throws -> Policy {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var files = try SettingsFiles.read(directory: root.path + "/config/orebro")
        for (file, old, new) in changes {
            let path = try #require(files.keys.first { $0.hasSuffix(file) })
            let text = try #require(files[path])
            try #require(text.contains(old), "\(file) has no longer what this test changes")
            files[path] = text.replacingOccurrences(of: old, with: new)
        }
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        let load = PolicyLoader.load(files: files, zone: zone)
        return try #require(load.policy, "\(load.diagnostics.map(\.text))")
    }

    static func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    static func activate(_ policy: Policy, in relay: CoreRelay) throws {
        try relay.onLoop { core in
            guard let space = core.spaceForActivation(of: policy) else { throw CoreClient.Fault.silence }
            core.activate(policy, by: administrator, in: space)
        }
        let end = ContinuousClock.now + .seconds(20)
        while try relay.onLoop({ $0.rights.review != nil }) {
            try #require(ContinuousClock.now < end, "the look through what waits has not come to its end")
        }
        try relay.durable()
    }

    @Test func `what waits for a board that has merged goes to its successor, under the name of its time`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("a", case: 1)
        let merged = try Self.policy(
            ("parties/soc-1880.yaml", "regime: gdpr", "regime: gdpr\nmerged-into: {party: soc-1881, on: 2026-12-12}"),
            ("parties/soc-1881.yaml", "municipalities: [\"1881\"]", "municipalities: [\"1880\", \"1881\"]"))
        let saturday = try Self.time("2026-12-12T00:00:00+01:00")
        try relay.onLoop { $0.clock.set(to: saturday) }
        try Self.activate(merged, in: relay)
        let old = try relay.connect("jour-1880", "jourdator")
        try old.subscribe("/inbox/jour-1880")
        #expect(try old.query("inbox", "{}")["items"]?.array?.isEmpty == true)
        let desk = try relay.connect("jour-18-syd", "jourdator", under: merged)
        try desk.subscribe("/inbox/jour-18-syd")
        let first = try desk.hear(.message)
        #expect(try JSONValue(parsing: first.body)["id"]?.string == "a")
        try desk.acknowledge(first)
        // What is new for that place is the successor's own.
        _ = try police.report("b", case: 2)
        let second = try desk.hear(.message)
        #expect(try JSONValue(parsing: second.body)["id"]?.string == "b")
        try desk.acknowledge(second)
        try police.subscribe("/receipts")
        var parties: [String] = []
        while parties.count < 2 {
            let data = try JSONValue(parsing: try police.hear(.message).body)["data"]
            if data?["event"]?.string == "delivered" { parties.append(data?["party"]?.string ?? "") }
        }
        #expect(parties == ["soc-1880", "soc-1881"])
        try relay.stop()
    }

    @Test func `the log says once for each threshold that an agreement ends`() throws {
        let scratch = try StoreScratch()
        let lines = LogLines()
        let relay = try CoreRelay(scratch, log: lines.log)
        func told() -> [String] { lines.lines.withLock { $0.filter { $0.contains("an agreement") } } }
        let ending = try Self.policy(
            (
                "agreements.yaml", "valid: {from: 2024-11-01, to: 2027-08-31}",
                "valid: {from: 2024-11-01, to: 2027-02-28}"
            ))
        try Self.activate(ending, in: relay)
        #expect(told().isEmpty)
        let days = [
            ("2026-12-30T23:59:59+01:00", 0), ("2026-12-31T00:00:00+01:00", 1), ("2027-01-15T00:00:00+01:00", 1),
            ("2027-01-30T00:00:00+01:00", 2), ("2027-02-22T00:00:00+01:00", 3), ("2027-03-01T00:00:00+01:00", 4),
        ]
        for (at, count) in days {
            let now = try Self.time(at)
            try relay.onLoop { core in
                core.clock.set(to: now)
                core.doWhatIsDue()
                core.doWhatIsDue()
            }
            #expect(told().count == count, "\(at): \(told())")
        }
        #expect(
            told() == [
                "an agreement ends in less than 60 days: what it alone allows stops then",
                "an agreement ends in less than 30 days: what it alone allows stops then",
                "an agreement ends in less than 7 days: what it alone allows stops then",
                "an agreement has ended: what it alone allowed stops, duties go on",
            ])
        // Whatever policy goes into force with the same agreement tells nothing anew; an administrator is told what is so.
        try relay.onLoop { $0.watchAgreements() }
        #expect(told().count == 4)
        let answer = try relay.onLoop { $0.queues() }["agreements"]?.array ?? []
        #expect(answer.map { $0["agreement"]?.string } == ["lokal-1880"])
        #expect(answer.first?["days"]?.integer == 0)
        try relay.stop()
    }
}
