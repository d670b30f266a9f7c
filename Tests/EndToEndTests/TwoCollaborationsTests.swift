import BudkavleClient
import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// One relay that serves the counties of Örebro and Dalarna, the second under a master key of its own: two of everything.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct TwoCollaborationsTests {
        // MARK: Sessions

        @Test func `each side is let in by its own host alone, and nobody without one`() async throws {
            let relay = try TestRelay(with: .dalarna)
            defer { relay.remove() }
            for side in Side.both {
                for (party, client) in [side.police, side.onCall, side.administrator] {
                    let own = try await Wire.connected(relay, as: party, client, host: side.id)
                    try await own.leave()
                    for host in [side.other.id, "varmland", nil] {
                        let wire = try Wire(relay, as: party, client)
                        var headers: Headers = ["accept-version": "1.2"]
                        if let host { headers.append("host", host) }
                        try wire.say(Frame(.connect, headers))
                        let refusal = try await wire.hear()
                        #expect(refusal.command == .error, "\(party) in \(host ?? "none")")
                        #expect(refusal.headers["code"] == "unauthorized")
                        let isKnown = refusal.spoken.contains("not registered for any party")
                        #expect(isKnown == (host == side.other.id), "\(refusal)")
                    }
                }
            }
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        // MARK: Notifications

        @Test func `a concern goes to its own board, and the other side's disk, desks and answers know nothing of it`()
            async throws
        {
            let relay = try TestRelay(with: .dalarna)
            defer { relay.remove() }
            // The same event id and the same case on both sides: two notifications, no duplicate.
            var ids: [String: String] = [:]
            for side in [Side.dalarna, .orebro] {
                let before = try await relay.texts(of: side.other.id)
                let own = try await relay.texts(of: side.id)
                let desk = try await Wire.connected(relay, as: side.onCall.party, side.onCall.client, host: side.id)
                try desk.say(.inbox(side.onCall.party))
                let police = try await Wire.connected(relay, as: side.police.party, side.police.client, host: side.id)
                let sent = try await police.answer(to: .send(side.concern("two-1"), receipt: "1"))
                #expect(sent["status"] == "accepted", "\(sent)")
                let id = try #require(sent["notification"])
                ids[side.id] = id
                let message = try await desk.hear(.message)
                #expect(message.headers["notification"] == id && message.eventID == "two-1")
                #expect(message.spoken.contains(SampleEvent.note))
                try await desk.acknowledge(message)
                try await police.leave()
                try await desk.leave()
                #expect(try await relay.texts(of: side.id) > own)
                #expect(try await relay.texts(of: side.other.id) == before, "\(side.id) wrote there")
            }
            #expect(Set(ids.values).count == 2)
            for side in Side.both {
                let (mine, foreign) = (try #require(ids[side.id]), try #require(ids[side.other.id]))
                for (party, client) in [side.police, side.onCall] {
                    let status = try await relay.ask(
                        "status", #"{"notification":"\#(mine)"}"#, as: party, client, in: side.id)
                    #expect(status["notification"]?.string == mine)
                    await #expect(throws: RelayError.self, "\(party) sees what is \(side.other.id)'s") {
                        _ = try await relay.ask(
                            "status", #"{"notification":"\#(foreign)"}"#, as: party, client, in: side.id)
                    }
                }
                let status = try await relay.ask("status", #"{"id":"two-1"}"#, as: side.police, in: side.id)
                #expect(status["notification"]?.string == mine)
                #expect(try await relay.inbox(of: side.onCall, in: side.id) == [mine])
                let queues = try await relay.ask("queues", "{}", as: side.administrator, in: side.id)
                #expect(queues["queues"]?.array?.map { $0["desk"]?.string } == [side.onCall.party], "\(queues.text)")
                let sessions = try await relay.ask("sessions", "{}", as: side.administrator, in: side.id)
                let parties = (sessions["sessions"]?.array ?? []).compactMap { $0["party"]?.string }
                #expect(parties.contains(side.administrator.party))
                let own = [side.police.party, side.onCall.party, side.administrator.party]
                #expect(Set(parties).isSubset(of: own), "\(sessions.text)")
            }
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
            // What is on each disk: the store's own commands find it in one and not in the other.
            for side in Side.both {
                let id = try #require(ids[side.id])
                let erase = ["erase", "--notification", id, "--reason", "x", "--collaboration"]
                #expect(try await relay.tool(erase + [side.other.id]).status == 1)
                let erased = try await relay.tool(erase + [side.id])
                #expect(erased.status == 0, "\(erased)")
            }
        }

        @Test func `a board that is a party of both has two inboxes`() async throws {
            let relay = try TestRelay(with: .dalarna)
            defer { relay.remove() }
            let board = (party: "soc-1880", client: "verksamhetssystem")
            let police = try await Wire.connected(relay, as: "pol-20-rlc", "station", host: "dalarna")
            let named = SampleEvent.concern(
                "named-1", municipality: "1880", source: "pol-20-rlc", audience: "soc-1880/child")
            let sent = try await police.answer(to: .send(named, receipt: "1"))
            #expect(sent["status"] == "accepted", "\(sent)")
            try await police.leave()
            let id = try #require(sent["notification"])
            #expect(try await relay.inbox(of: board, in: "dalarna") == [id])
            #expect(try await relay.inbox(of: board, in: "orebro") == [])
            let question = #"{"notification":"\#(id)"}"#
            #expect(try await relay.ask("status", question, as: board, in: "dalarna")["notification"]?.string == id)
            await #expect(throws: RelayError.self) {
                _ = try await relay.ask("status", question, as: board, in: "orebro")
            }
            // Nor does a message come: what it hears in Örebro first is Örebro's.
            let wire = try await Wire.connected(relay, as: board.party, board.client, host: "orebro")
            try wire.say(.inbox("soc-1880-mottagning"), Frame(.disconnect, ["receipt": "bye"]))
            #expect(try await wire.hear().headers["receipt-id"] == "bye")
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        // MARK: Keys

        @Test func `the journal of each opens with its own master key alone, and they rotate one by one`() async throws
        {
            let relay = try TestRelay(with: .dalarna)
            defer { relay.remove() }
            try await rotate(relay)
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
            let (first, second) = (relay.directory.path + "/keys/master.key", relay.secondKey)
            let own = "{id: dalarna, master-keys: {active: v2, files: {v2: \"\(second)\"}}}"
            try relay.directory.list(own)
            for side in Side.both {
                for command in Self.looks {
                    let outcome = try await relay.tool(command + ["--collaboration", side.id])
                    #expect(outcome.status == 0, "\(command): \(outcome)")
                }
            }
            let before = try relay.dataFiles()
            // Dalarna under Örebro's key: by silence, and by name.
            for entry in ["dalarna", "{id: dalarna, master-keys: {active: v2, files: {v2: \"\(first)\"}}}"] {
                try relay.directory.list(entry)
                try await opens(relay, only: .orebro)
            }
            // Örebro under Dalarna's key.
            try relay.directory.list(own)
            try relay.nameKeys("{active: v1, files: {v1: \"\(second)\"}}")
            try await opens(relay, only: .dalarna)
            #expect(try relay.changed(since: before, in: "") == [])

            try relay.nameKeys("{active: v1, files: {v1: \"\(first)\"}}")
            try relay.restart()
            for side in Side.both {
                let police = try await Wire.connected(relay, as: side.police.party, side.police.client, host: side.id)
                let again = try await police.answer(to: .send(side.concern("keys-1"), receipt: "1"))
                #expect(again["status"] == "duplicate", "\(again)")
                try await police.leave()
            }
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        @Test func `a backup of one comes back under its own key, and the other goes on as it was`() async throws {
            let relay = try TestRelay(with: .dalarna)
            defer { relay.remove() }
            let dalarna = Side.dalarna
            let police = try await Wire.connected(relay, as: "pol-20-rlc", "station", host: "dalarna")
            #expect(try await police.answer(to: .send(dalarna.concern("kept-1"), receipt: "1"))["status"] == "accepted")
            try await police.leave()
            let (journal, keys) = (relay.directory.path + "/backup/journal", relay.directory.path + "/backup/keys")
            #expect(mkdir(relay.directory.path + "/backup", 0o700) == 0)
            let backup = try await relay.tool("backup", journal, "--keys", keys, "--collaboration", "dalarna")
            #expect(backup.status == 0, "\(backup)")
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
            try FileManager.default.removeItem(atPath: relay.directory.dataDirectory + "/dalarna")
            let before = try relay.dataFiles(of: "orebro")

            try relay.directory.list("dalarna")
            let another = try await relay.tool("restore", journal, "--keys", keys)
            #expect(another.status == 78, "the journal's key is not Dalarna's: \(another)")
            #expect(!FileManager.default.fileExists(atPath: relay.directory.dataDirectory + "/dalarna"))
            try Neighbour.dalarna.list(in: relay.directory)
            let restored = try await relay.tool("restore", journal, "--keys", keys)
            #expect(restored.status == 0, "\(restored)")
            let accepted = try await relay.tool(
                "journal", "salvage", "--accept", "--reason", "x", "--by", "y", "--collaboration", "dalarna")
            #expect(accepted.status == 0, "\(accepted)")
            #expect(try relay.changed(since: before, in: "orebro") == [])
            try relay.restart()
            let again = try await Wire.connected(relay, as: "pol-20-rlc", "station", host: "dalarna")
            #expect(try await again.answer(to: .send(dalarna.concern("kept-1"), receipt: "1"))["status"] == "duplicate")
            try await again.leave()
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        /// What reads a journal beside the daemon or without one.
        private static let looks = [
            ["journal", "verify"], ["journal", "stats"], ["journal", "salvage"], ["audit", "verify"], ["keys", "list"],
        ]

        /// Each side takes a notification, and Dalarna gets a new key under load of nobody else's.
        private func rotate(_ relay: TestRelay) async throws {
            for side in Side.both {
                let police = try await Wire.connected(relay, as: side.police.party, side.police.client, host: side.id)
                let sent = try await police.answer(to: .send(side.concern("keys-1"), receipt: "1"))
                #expect(sent["status"] == "accepted", "\(sent)")
                try await police.leave()
            }
            let orebro = try relay.dataFiles(of: "orebro/keys")
            try Neighbour.makeKey(relay.secondKey)
            let first = Neighbour.dalarna.key(in: relay.directory)
            let files = "{v1: \"\(first)\", v2: \"\(relay.secondKey)\"}"
            try relay.directory.list("{id: dalarna, master-keys: {active: v2, files: \(files)}}")
            let rotated = try await relay.tool("keys", "rotate", "--collaboration", "dalarna")
            #expect(rotated.status == 0, "\(rotated)")
            for (side, key) in [(Side.orebro, "v1"), (.dalarna, "v2")] {
                let list = try await relay.tool("keys", "list", "--json", "--collaboration", side.id)
                let told = try JSONValue(parsing: Array(list.output.utf8))
                #expect(told["active"]?.string == key, "\(list)")
                #expect(told["sealedby"]?.array?.allSatisfy { $0["master"]?.string == key } == true, "\(list)")
            }
            #expect(try relay.changed(since: orebro, in: "orebro/keys") == [])
            let retired = try await relay.tool("keys", "retire", "v1", "--collaboration", "dalarna")
            #expect(retired.status == 0, "\(retired)")
            try FileManager.default.removeItem(atPath: first)
        }

        /// With these settings one side's journal can be read, the other's cannot, and no daemon starts.
        private func opens(_ relay: TestRelay, only side: Side) async throws {
            for command in Self.looks {
                let own = try await relay.tool(command + ["--collaboration", side.id])
                #expect(own.status == 0, "\(command): \(own)")
                let other = try await relay.tool(command + ["--collaboration", side.other.id])
                #expect(other.status == 78 && other.output.isEmpty, "\(command): \(other)")
            }
            let run = try await relay.tool("run")
            #expect(run.status == 78 && run.errors.contains("master key"), "\(run)")
        }
    }
}

/// One of two collaborations on a relay: who speaks there, and of what.
private struct Side: Sendable {
    typealias Speaker = (party: String, client: String)
    let id: String
    let county: String
    let municipality: String
    let police: Speaker
    /// Hears for the board on a Friday night; its desk is called like the party.
    let onCall: Speaker
    let administrator: Speaker

    static let orebro = Side(
        id: "orebro", county: "18", municipality: "1880", police: ("pol-18-rlc", "station"),
        onCall: ("jour-1880", "jourdator"), administrator: ("drift-18", "konsol"))
    static let dalarna = Side(
        id: "dalarna", county: "20", municipality: "2080", police: ("pol-20-rlc", "station"),
        onCall: ("jour-2080", "jourdator"), administrator: ("drift-20", "konsol"))
    static let both = [orebro, dalarna]

    var other: Side { id == Side.orebro.id ? .dalarna : .orebro }

    /// A concern about a child, of the one case that both sides know.
    func concern(_ id: String) -> String {
        SampleEvent.concern(id, municipality: municipality, source: police.party).replacing(
            #""county":"18""#, with: #""county":"\#(county)""#)
    }
}

/// A second collaboration of the shipped configuration, with a master key of its own.
struct Neighbour: Sendable {
    let id: String
    /// Who gets a certificate.
    let holders: [String]

    static let dalarna = Neighbour(
        id: "dalarna", holders: ["pol-20-rlc/station", "jour-2080/jourdator", "drift-20/konsol"])

    func key(in directory: RelayDirectory) -> String { "\(directory.path)/keys/\(id).key" }

    /// Copies the policy and makes its key and certificates.
    func move(into directory: RelayDirectory) throws {
        try FileManager.default.copyItem(
            atPath: "\(try RelayDirectory.shippedConfiguration())/\(id)", toPath: "\(directory.configDirectory)/\(id)")
        try Self.makeKey(key(in: directory))
        _ = try directory.authority.issue(holders.map { try CertificateHolder($0) })
        try list(in: directory)
    }

    /// Names it in budkavled.yaml.
    func list(in directory: RelayDirectory) throws {
        try directory.list("{id: \(id), master-key: \"\(key(in: directory))\"}")
    }

    /// A new master key.
    static func makeKey(_ file: String) throws {
        var random = SystemRandomNumberGenerator()
        try Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }).write(to: URL(filePath: file))
        try #require(chmod(file, 0o600) == 0)
    }
}

extension RelayDirectory {
    /// Writes which collaboration budkavled.yaml lists beside Örebro's.
    fileprivate func list(_ neighbour: String) throws {
        let file = configDirectory + "/budkavled.yaml"
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
            $0.hasPrefix("collaborations:") ? "collaborations: [orebro, \(neighbour)]" : $0
        }
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }
}

extension TestRelay {
    fileprivate func ask(
        _ name: String, _ body: String, as who: (party: String, client: String), in collaboration: String
    ) async throws -> JSONValue {
        try await ask(name, body, as: who.party, who.client, in: collaboration)
    }

    /// The notifications at the desks of one client.
    fileprivate func inbox(of who: (party: String, client: String), in collaboration: String) async throws -> [String] {
        let answer = try await ask("inbox", "{}", as: who, in: collaboration)
        return (answer["items"]?.array ?? []).compactMap { $0["notification"]?.string }
    }

    /// How many texts lie in one journal: contents, views, reasons. The simulated clock's records, one in 10 s, are none.
    fileprivate func texts(of collaboration: String) async throws -> Int64 {
        let stats = try await tool("journal", "stats", "--json", "--collaboration", collaboration)
        return try #require(try JSONValue(parsing: Array(stats.output.utf8))["texts"]?.integer, "\(stats)")
    }

    /// The files of one directory below the data directory.
    fileprivate func dataFiles(of directory: String) throws -> [String: Digest] {
        try dataFiles().filter { $0.key.hasPrefix(directory + "/") }
    }

    /// The files there that have changed, come or gone.
    fileprivate func changed(since before: [String: Digest], in directory: String) throws -> [String] {
        let now = try directory.isEmpty ? dataFiles() : dataFiles(of: directory)
        return Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted()
    }
}

extension Frame {
    /// SUBSCRIBE to a desk's inbox.
    fileprivate static func inbox(_ desk: String) -> Frame {
        Frame(.subscribe, ["id": "1", "destination": "/inbox/\(desk)", "ack": "client-individual"])
    }
}
