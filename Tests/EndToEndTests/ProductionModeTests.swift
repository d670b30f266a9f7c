import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// Production mode from outside: what is not approved is not in force, and nobody but its approver brings it in.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct ProductionModeTests {
        @Test func `what a rule opens more counts when both sides have signed it, and an old file brings nothing back`()
            async throws
        {
            let site = try await ProductionSite.make()
            let relay = try TestRelay(on: site.directory)
            defer { relay.remove() }
            var log = try relay.followLog()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["rejections": "receipt"])
            let board = try await Wire.connected(relay, as: "soc-1880", "verksamhetssystem")
            try board.say(
                Frame(
                    .subscribe,
                    ["id": "1", "destination": "/inbox/soc-1880-mottagning", "ack": "client-individual"]))

            func send(_ id: String) async throws -> Headers {
                try await police.answer(to: .send(ProductionSite.arrest(id), receipt: id))
            }
            func received(_ id: String) async throws -> JSONValue? {
                let message = try await board.hear(.message)
                #expect(message.eventID == id)
                try await board.acknowledge(message)
                return try JSONValue(parsing: message.body)["data"]
            }
            func reload(_ outcome: String) async throws -> String {
                relay.process.send(signal: SIGHUP)
                return try await log.first { $0.contains(outcome) }
            }

            #expect(try await send("whole")["status"] == "accepted")
            #expect(try await received("whole")?["since"] == nil)

            // Wider, and nobody has signed it: as if absent, for the old readers too; check says whose word is missing.
            try site.directory.edit("rules.yaml") {
                $0.replacing(
                    "    fields: [stage]\n  - id: frihetsberovad-frivard",
                    with: "    fields: [stage, since]\n  - id: frihetsberovad-frivard")
            }
            let check = try await site.tool("check")
            #expect(check.status == 0, "\(check)")
            for party in ["pol-18-rlc", "soc-1880"] {
                let line = check.errors.split(separator: "\n").first {
                    $0.contains("approvals/\(party).yaml:")
                        && $0.contains("'rule:frihetsberovad-soc' is no longer approved, it is inactive")
                        && $0.contains("since added")
                }
                #expect(line != nil, "\(party): \(check)")
                #expect(check.errors.contains("budkavled approve --party \(party) --key FILE"))
            }
            _ = try await reload("reloaded")
            #expect(try await send("wider")["code"] == "no-rule")

            // The sender's approver alone is not enough.
            let opened = try await site.approve("pol-18-rlc", "--yes", "--lang", "sv")
            #expect(opened.status == 0 && opened.output.contains("uppgifter som får läsas i custody.deprived: "))
            #expect(
                opened.output.contains("Får läsa: ")
                    && opened.output.contains("Socialnämnden, Örebro kommun (soc-1880)"))
            _ = try await reload("reloaded")
            #expect(try await send("half")["code"] == "no-rule")
            #expect(try await site.approve("soc-1880", "--yes").status == 0)
            let file = site.approvals("soc-1880")
            let old = try Data(contentsOf: URL(filePath: file))
            _ = try await reload("reloaded")
            #expect(try await send("both")["status"] == "accepted")
            #expect(try await received("both")?["since"]?.string != nil)

            // Taken back, and the file that still had it: refused whole, the running policy goes on.
            let part = "rule:frihetsberovad-soc"
            #expect(try await site.approve("soc-1880", "--withdraw", part, "--yes").status == 0)
            _ = try await reload("reloaded")
            #expect(try await send("withdrawn")["code"] == "no-rule")
            let newest = try Data(contentsOf: URL(filePath: file))
            let policy = try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"]
            try old.write(to: URL(filePath: file))
            let replayed = try await reload("reload refused, the running policy goes on")
            #expect(replayed.contains("approvals/soc-1880.yaml:4:6: error:"), "\(replayed)")
            #expect(try await send("replayed")["code"] == "no-rule")

            // Another key without the old one's word.
            try FileManager.default.removeItem(atPath: file)
            #expect(try await site.tool("approve", "--new-key", site.key + ".thief", config: false).status == 0)
            #expect(try await site.approve("soc-1880", "--yes", key: site.key + ".thief").status == 0)
            let exchanged = try await reload("reload refused, the running policy goes on")
            #expect(exchanged.contains("not the key that is pinned"), "\(exchanged)")
            #expect(try await send("exchanged")["code"] == "no-rule")
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] == policy)
            try await police.leave()
            try await board.leave()
            #expect(relay.process.stop() == 0)

            // Nor does a command on the stopped store bring it into force.
            let erase = ["erase", "--case", "BK-18-2026-7QK2ZD9F", "--reason", "x"]
            let offline = try await site.tool(erase)
            #expect(offline.status == 78 && offline.errors.contains("not the key that is pinned"), "\(offline)")
            try newest.write(to: URL(filePath: file))
            let erased = try await site.tool(erase)
            #expect(erased.status == 0, "\(erased)")
        }

        @Test func `a gap for U1 refuses activation until its board has signed it with its key`() async throws {
            let site = try await ProductionSite.make()
            let relay = try TestRelay(on: site.directory)
            defer { relay.remove() }
            var log = try relay.followLog()
            let before = try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"]
            // Calendars need no approval; that nobody is there at night does.
            try site.directory.edit("parties/jour-1880.yaml") {
                $0.replacing("hours: jourtid", with: "hours: kontorstid")
            }
            try site.directory.edit("parties/soc-1880.yaml") {
                $0.replacing("calendar: always", with: "calendar: kontorstid")
            }
            relay.process.send(signal: SIGHUP)
            _ = try await log.first { $0.contains("reload refused, the running policy goes on") }
            #expect(try await site.tool("check").errors.contains("BK3401"))

            try site.directory.edit("parties/soc-1880.yaml") {
                $0 + "coverage-gap: [{signed: 2020-01-01, by: gruppledare, until: 2099-12-31}]\n"
            }
            let unsigned = try await site.tool("check")
            #expect(unsigned.status == 78 && unsigned.errors.contains("BK3401"), "a date in YAML is no signature")
            #expect(unsigned.errors.contains("coverage-gap:soc-1880 is inactive: approval of soc-1880 missing"))
            relay.process.send(signal: SIGHUP)
            _ = try await log.first { $0.contains("reload refused, the running policy goes on") }
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] == before)

            let signed = try await site.approve("soc-1880", "--yes")
            #expect(signed.status == 0 && signed.output.contains("knows that nobody may answer for Örebro (1880)"))
            #expect(try await site.tool("check").status == 0)
            relay.process.send(signal: SIGHUP)
            _ = try await log.first { $0.contains("reloaded") }
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] != before)
            #expect(relay.process.stop() == 0)
        }
    }
}

/// The shipped policy in production mode, everything of it approved by every party; one key is everybody's, for brevity.
struct ProductionSite: Sendable {
    let directory: RelayDirectory

    var key: String { directory.path + "/approver.key" }

    func approvals(_ party: String) -> String { "\(directory.configDirectory)/orebro/approvals/\(party).yaml" }

    /// Makes it. Approvals are no matter of the directory they lie in, so they are made once.
    static func make() async throws -> ProductionSite {
        let site = ProductionSite(
            directory: try RelayDirectory.make(
                at: try Scratch.directory(), policyFrom: try RelayDirectory.shippedConfiguration() + "/orebro", port: 0,
                clock: nil))
        try site.directory.edit("collaboration.yaml") { text in
            text.replacing("mode: exercise\n", with: "mode: production\n").split(separator: "\n")
                .filter { !$0.hasPrefix("clock:") }.joined(separator: "\n") + "\n"
        }
        // What is shown here must not depend on the hour, the year or the shipped examples.
        try site.directory.edit("tests.yaml") { _ in "version: 1\nexamples: []\n" }
        try site.directory.edit("agreements.yaml") { $0.replacing("to: 2027-08-31", with: "to: 2099-12-31") }
        try site.directory.edit("parties/soc-1880.yaml") {
            $0.replacing("calendar: kontorstid", with: "calendar: always")
        }
        try site.directory.edit("rules.yaml") {
            $0.replacing(
                "    fields: [stage, since, suspect]\n  - id: frihetsberovad-frivard",
                with: "    fields: [stage]\n  - id: frihetsberovad-frivard")
        }
        // The boards that have no agreement yet know that nobody answers for them.
        for board in ["1814", "1860", "1861", "1862", "1863", "1864", "1881", "1882", "1883", "1884", "1885"] {
            try site.directory.edit("parties/soc-\(board).yaml") {
                $0 + "coverage-gap: [{signed: 2020-01-01, by: gruppledare, until: 2099-12-31}]\n"
            }
        }
        try await Signed.shared.sign(site)
        return site
    }

    /// An arrest that the police tell the board of, now.
    static func arrest(_ id: String) -> String {
        let now = Date.now.formatted(.iso8601)
        return """
            {"specversion":"1.0","id":"\(id)","source":"urn:budkavle:pol-18-rlc",\
            "type":"se.budkavle.custody.deprived.v1","time":"\(now)","subject":"BK-18-2026-7QK2ZD9F",\
            "county":"18","municipality":"1880","protected":false,"audience":"soc-1880/recipient",\
            "affirmations":"balance-done/staff-101/\(now) chapter-18-cleared/staff-101/\(now)",\
            "data":{"stage":"apprehended","since":"\(now)","facilityClass":"police-cell"}}
            """
    }

    func tool(_ arguments: String..., config: Bool = true) async throws -> Child.Outcome {
        try await tool(arguments, config: config)
    }

    func tool(_ arguments: [String], config: Bool = true) async throws -> Child.Outcome {
        try await Child.run(
            try RelayProcess.daemonExecutable(),
            arguments + (config ? ["--config", directory.configDirectory] : []), environment: ["BUDKAVLE_LANG": "en"])
    }

    func approve(_ party: String, _ arguments: String..., key: String? = nil) async throws -> Child.Outcome {
        try await tool(["approve", "--party", party, "--key", key ?? self.key] + arguments)
    }

    /// The approvals of every party, made by the first site.
    private actor Signed {
        static let shared = Signed()
        private var files: [String: Data] = [:]
        private var key = Data()

        func sign(_ site: ProductionSite) async throws {
            guard files.isEmpty else { return try copy(to: site) }
            #expect(try await site.tool("approve", "--new-key", site.key, config: false).status == 0)
            let parties = try FileManager.default.contentsOfDirectory(
                atPath: "\(site.directory.configDirectory)/orebro/parties"
            ).map { String($0.dropLast(".yaml".count)) }
            // Two at a time: each reads the whole policy. They write one memory beside the key, so each has its own copy.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (place, party) in parties.sorted().enumerated() {
                    if place >= 2 { _ = try await group.next() }
                    group.addTask {
                        let own = "\(site.key).\(party)"
                        try FileManager.default.copyItem(atPath: site.key, toPath: own)
                        let outcome = try await site.approve(party, "--yes", key: own)
                        #expect(outcome.status == 0, "\(party): \(outcome.errors)")
                    }
                }
                try await group.waitForAll()
            }
            key = try Data(contentsOf: URL(filePath: site.key))
            for party in parties { files[party] = try Data(contentsOf: URL(filePath: site.approvals(party))) }
        }

        private func copy(to site: ProductionSite) throws {
            try key.write(to: URL(filePath: site.key))
            try #require(chmod(site.key, 0o600) == 0)
            try FileManager.default.createDirectory(
                atPath: "\(site.directory.configDirectory)/orebro/approvals", withIntermediateDirectories: true)
            for (party, file) in files { try file.write(to: URL(filePath: site.approvals(party))) }
        }
    }
}
