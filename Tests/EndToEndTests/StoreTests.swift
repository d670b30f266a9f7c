import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// The store's commands beside a running daemon and without one, each on a relay of its own.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct StoreTests {
        @Test func `master keys rotate under load, no client notices, and the old key is needed no longer`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...50 { try police.say(.load(number)) }
            try relay.nameSecondKey()
            let rotated = try await relay.tool("keys", "rotate", "--json")
            #expect(rotated.status == 0, "\(rotated)")
            for number in 51...100 { try police.say(.load(number)) }
            for number in 1...100 {
                let receipt = try await police.hear(.receipt)
                #expect(receipt.headers["receipt-id"] == "\(number)")
                #expect(receipt.headers["status"] == "accepted", "\(receipt)")
            }
            try await police.leave()
            let told = try JSONValue(parsing: Array(rotated.output.utf8))
            #expect(told["active"]?.string == "v2")
            #expect(told["sealedby"]?.array?.allSatisfy { $0["master"]?.string == "v2" } == true, "\(told.text)")

            #expect(try await relay.tool("keys", "retire", "v2").status == 1, "the active key is needed")
            #expect(try await relay.tool("keys", "retire", "v9").status == 1, "there is no such key")
            let retired = try await relay.tool("keys", "retire", "v1")
            #expect(retired.status == 0, "\(retired)")
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")

            try FileManager.default.removeItem(atPath: relay.directory.path + "/keys/master.key")
            try relay.nameKeys("{active: v2, files: {v2: \"\(relay.secondKey)\"}}")
            try relay.restart()
            let again = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            #expect(try await again.answer(to: .load(1))["status"] == "duplicate")
            try await again.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `a rotation to a key file that is not as it must be is refused, and the daemon goes on`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            try relay.nameSecondKey()
            #expect(chmod(relay.secondKey, 0o640) == 0)
            let refused = try await relay.tool("keys", "rotate")
            #expect(refused.status == 78, "\(refused)")
            #expect(refused.errors.contains("chmod 0600"), "\(refused)")
            #expect(chmod(relay.secondKey, 0o600) == 0)
            try relay.nameKeys("{active: v2, files: {v2: \"\(relay.secondKey)\"}}")
            let alone = try await relay.tool("keys", "rotate")
            #expect(alone.status == 78, "the old key must be there too: \(alone)")
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            #expect(try await police.answer(to: .load(1))["status"] == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `without a daemon the command takes the lock and does the same`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            #expect(relay.process.stop() == 0)
            try relay.nameSecondKey()
            let rotated = try await relay.tool("keys", "rotate")
            #expect(rotated.status == 0 && rotated.output.contains("sealed under v2"), "\(rotated)")
            let list = try await relay.tool("keys", "list", "--json")
            #expect(try JSONValue(parsing: Array(list.output.utf8))["active"]?.string == "v2")
            let verified = try await relay.tool("journal", "verify")
            #expect(verified.status == 0 && verified.output.contains("SOUND"), "\(verified)")
            try relay.restart()
            #expect(relay.process.stop() == 0)
        }

        @Test(arguments: SpoiltKey.allCases)
        func `a key file that is not as it must be refuses the start with 78 and changes nothing`(
            what: SpoiltKey
        ) async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            #expect(relay.process.stop() == 0)
            let before = try relay.dataFiles()
            try what.spoil(URL(filePath: relay.directory.path + "/keys/master.key"))
            for command in [["run"], ["keys", "rotate"], ["keys", "list"], ["journal", "verify"]] {
                let refused = try await relay.tool(command)
                #expect(refused.status == 78, "\(what): \(command): \(refused)")
                #expect(refused.errors.contains("key"), "\(what): \(refused)")
            }
            #expect(try relay.dataFiles() == before, "\(what)")
        }

        @Test func `an unusable key leaves a directory that was never there unmade`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            #expect(relay.process.stop() == 0)
            try FileManager.default.removeItem(atPath: relay.directory.dataDirectory)
            #expect(chmod(relay.directory.path + "/keys/master.key", 0o604) == 0)
            #expect(try await relay.tool("run").status == 78)
            #expect(!FileManager.default.fileExists(atPath: relay.directory.dataDirectory))
        }

        @Test func `erased while the relay runs: withdrawn, told by show, and nothing opens it any more`() async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            var ids: [String] = []
            for number in 1...2 {
                let answer = try await police.answer(
                    to: .concern("erase-\(number)", municipality: "1880", receipt: "\(number)"))
                ids.append(try #require(answer["notification"]))
            }
            let shown = try await relay.onCall("show", ids[0], "--unsafe-plain")
            #expect(shown.status == 0 && shown.output.contains(SampleEvent.note), "\(shown)")

            let reason = "Anna Exempel bad om det"
            let erased = try await relay.tool(
                ["erase", "--notification", ids[0], "--reason", "-", "--by", "A. Admin", "--json"], input: reason)
            #expect(erased.status == 0, "\(erased)")
            let told = try JSONValue(parsing: Array(erased.output.utf8))
            #expect(told["notifications"]?.integer == 1 && told["slots"]?.integer == 1, "\(told.text)")
            #expect(told["masterkeys"]?.array == ["v1"])
            let gone = try await relay.onCall("show", ids[0], "--unsafe-plain")
            #expect(gone.status == 1 && gone.errors.contains("erased"), "\(gone)")
            #expect(!gone.output.contains(SampleEvent.note))
            let other = try await relay.onCall("show", ids[1], "--unsafe-plain")
            #expect(other.status == 0 && other.output.contains(SampleEvent.note), "the other is untouched: \(other)")
            #expect(try await relay.queue(of: "jour-1880")?["ready"]?.integer == 1)

            let whole = try await relay.tool("erase", "--case", "BK-18-2026-7QK2ZD9F", "--reason", "x")
            #expect(whole.status == 0 && whole.output.contains("2 notifications"), "\(whole)")
            let twice = try await relay.tool("erase", "--case", "BK-18-2026-7QK2ZD9F", "--reason", "x")
            #expect(twice.status == 0 && twice.output.contains("nothing left to erase"), "\(twice)")
            #expect(twice.output.contains("Older key files"), "\(twice)")
            let again = try await police.answer(to: .concern("erase-3", municipality: "1880", receipt: "3"))
            let fresh = try #require(again["notification"])
            let readable = try await relay.onCall("show", fresh, "--unsafe-plain")
            #expect(readable.output.contains(SampleEvent.note), "a new one of the case has new keys: \(readable)")
            try await police.leave()
            let verified = try await relay.tool("journal", "verify", "--json")
            #expect(verified.status == 0, "\(verified)")
            #expect(try JSONValue(parsing: Array(verified.output.utf8))["erasedtexts"]?.integer == 2, "\(verified)")
            #expect(try await relay.tool("audit", "verify").status == 0)
            #expect(!relay.log.contains("Exempel") && !relay.log.contains("7QK2ZD9F"))
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")

            try relay.restart()
            #expect(try await relay.onCall("show", ids[1], "--unsafe-plain").status == 1)
            #expect(try await relay.queue(of: "jour-1880")?["ready"]?.integer == 1)
            #expect(relay.process.stop() == 0)
        }

        @Test func `a backup of a running relay starts elsewhere only with an override, and it is audited`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...10 { try police.say(.load(number)) }
            let (journal, keys) = (relay.directory.path + "/backup/journal", relay.directory.path + "/backup/keys")
            #expect(mkdir(relay.directory.path + "/backup", 0o700) == 0)
            let backup = try await relay.tool("backup", journal, "--keys", keys)
            #expect(backup.status == 0 && backup.output.contains("Keep the two apart"), "\(backup)")
            for number in 1...10 {
                #expect(try await police.hear(.receipt).headers["receipt-id"] == "\(number)")
            }
            let twice = try await relay.tool("backup", journal, "--keys", keys)
            #expect(twice.status == 73, "\(twice)")
            try await police.leave()
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")

            try FileManager.default.removeItem(atPath: relay.directory.dataDirectory)
            let restored = try await relay.tool("restore", journal, "--keys", keys)
            #expect(restored.status == 0 && restored.output.contains("journal salvage --accept"), "\(restored)")
            let before = try relay.dataFiles()
            let refused = try await relay.tool("run")
            #expect(refused.status == 65 && refused.errors.contains("restored"), "\(refused)")
            #expect(try relay.dataFiles().filter { $0.key != "mode" } == before.filter { $0.key != "mode" })
            let why = try await relay.tool("journal", "salvage")
            #expect(why.status == 0 && why.output.contains("restored"), "\(why)")
            let accepted = try await relay.tool(
                "journal", "salvage", "--accept", "--reason", "the disk died", "--by", "A. Admin")
            #expect(accepted.status == 0 && accepted.output.contains("Accepted"), "\(accepted)")
            try relay.restart()
            let again = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            #expect(["accepted", "duplicate"].contains(try await again.answer(to: .load(1))["status"]))
            try await again.leave()
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
            // Once: the next start asks nobody, and the log says who accepted.
            try relay.restart()
            #expect(relay.process.stop() == 0)
            #expect(relay.log.contains("override"), "\(relay.log)")
        }

        @Test func `what stations gave back too often is listed, and goes to them again when asked for`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            #expect(try await police.answer(to: .load(1))["status"] == "accepted")
            try await police.leave()
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 1)
            for attempt in 1...8 {
                let message = try await station.hear(.message)
                let id = try #require(message.headers["ack"])
                try station.say(Frame(.nack, ["id": id, "receipt": "\(attempt)"]))
                #expect(try await station.hear(.receipt).headers["receipt-id"] == "\(attempt)")
                try await relay.advanceClock(seconds: 600)
            }
            let listed = try await relay.admin("dead-letters", "--json")
            let letters = try JSONValue(parsing: Array(listed.output.utf8))["deliveries"]?.array ?? []
            try #require(letters.count == 1, "\(listed)")
            #expect(letters[0]["desk"]?.string == "jour-18-syd" && letters[0]["since"]?.string != nil, "\(listed)")
            let delivery = try #require(letters[0]["delivery"]?.string)
            let requeued = try await relay.admin("requeue", delivery)
            #expect(requeued.status == 0 && requeued.output.contains("1 deliveries"), "\(requeued)")
            let again = try await station.hear(.message)
            #expect(again.eventID == "load-1" && again.headers["redelivered"] == "true")
            try await station.acknowledge(again)
            #expect(try await relay.admin("requeue", delivery).status == 1)
            #expect(try await relay.admin("requeue", "--desk", "jour-18-syd").output.contains("0 deliveries"))
            #expect(try await relay.admin("keys", "list").output.contains("active master key  v1"))
            try await station.leave()
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        @Test func `only an administrator gives orders to the store, and every attempt is recorded`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["rejections": "receipt"])
            for verb in ["keys", "erase", "backup", "salvage", "requeue", "dead-letters"] {
                let answer = try await police.answer(
                    to: Frame(.send, ["destination": "/admin/\(verb)", "receipt": verb], body: Array("{}".utf8)))
                #expect(answer["code"] == "forbidden", "\(verb): \(answer)")
                #expect(relay.log.contains("verb=\(verb)") || relay.log.contains(verb))
            }
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `the relay's settings tell the commands where to go, and every mistake has its status`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let outcomes: [(Int32, Child.Outcome)] = [
                (64, try await relay.tool("keys", "list", "--collaboration", "uppsala")),
                (64, try await relay.tool("erase", "--case", "BK-18-2026-7QK2ZD9F")),
                (64, try await relay.tool("erase", "--case", "nobody", "--reason", "x")),
                (64, try await relay.tool("journal", "salvage", "--accept")),
                (78, try await Child.run(relay.process.executable, ["keys", "list", "--config", relay.pki])),
                (1, try await relay.tool("erase", "--case", "BK-18-2026-ZZZZZZZZ", "--reason", "x")),
                (1, try await relay.tool("journal", "salvage", "--accept", "--reason", "x", "--by", "y")),
                (73, try await relay.tool("backup", relay.directory.dataDirectory)),
            ]
            for (status, outcome) in outcomes {
                #expect(outcome.status == status, "\(outcome)")
                #expect(!outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome)")
            }
            #expect(relay.process.stop() == 0)
        }
    }
}

/// Ways in which a master key's file is not as it must be.
enum SpoiltKey: CaseIterable, Sendable {
    case missing, half, ofEqualBytes, another, readableByTheGroup, aLink

    func spoil(_ key: URL) throws {
        switch self {
        case .missing: try FileManager.default.removeItem(at: key)
        case .half: try Data(contentsOf: key).prefix(16).write(to: key)
        case .ofEqualBytes: try Data(repeating: 7, count: 32).write(to: key)
        case .another: try Data((0..<32).map { UInt8($0) }).write(to: key)
        case .readableByTheGroup: #expect(chmod(key.path, 0o640) == 0)
        case .aLink:
            let other = key.appendingPathExtension("moved")
            try FileManager.default.moveItem(at: key, to: other)
            try FileManager.default.createSymbolicLink(at: key, withDestinationURL: other)
        }
    }
}

extension Frame {
    /// One of many notifications, its number as its receipt.
    fileprivate static func load(_ number: Int) -> Frame {
        .concern("load-\(number)", municipality: "1881", receipt: "\(number)")
    }
}

extension TestRelay {
    /// A second master key's file.
    var secondKey: String { directory.path + "/keys/second.key" }

    /// Runs `budkavled` with this relay's configuration to its end.
    func tool(_ arguments: String...) async throws -> Child.Outcome { try await tool(arguments) }

    func tool(_ arguments: [String], input: String = "") async throws -> Child.Outcome {
        try await Child.run(
            process.executable, arguments + ["--config", directory.configDirectory], input: input,
            environment: ["LC_ALL": "C", "BUDKAVLE_LANG": "en"])
    }

    /// Runs `budkavle admin` over the relay's Unix socket.
    func admin(_ arguments: String...) async throws -> Child.Outcome {
        let socket = try #require(directory.adminSocket)
        return try await Child.run(
            try Tools.budkavle(), ["admin"] + arguments + ["--socket", socket, "--lang", "en"])
    }

    /// Runs `budkavle` as the person on call at desk jour-1880.
    func onCall(_ arguments: String...) async throws -> Child.Outcome {
        let files = directory.files(of: "jour-1880", "staff-71")
        let connection = [
            "--host", "localhost", "--port", "\(port)", "--ca", directory.authority.certificateFile, "--cert",
            files.certificate, "--key", files.key, "--collaboration", "orebro", "--lang", "en",
        ]
        return try await Child.run(try Tools.budkavle(), arguments + connection)
    }

    /// Writes a second key and calls it active in budkavled.yaml.
    func nameSecondKey() throws {
        var random = SystemRandomNumberGenerator()
        try Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
            .write(to: URL(filePath: secondKey))
        #expect(chmod(secondKey, 0o600) == 0)
        let first = directory.path + "/keys/master.key"
        try nameKeys("{active: v2, files: {v1: \"\(first)\", v2: \"\(secondKey)\"}}")
    }

    /// Writes the master keys of budkavled.yaml.
    func nameKeys(_ keys: String) throws {
        try editSettings { line in
            line.hasPrefix("journal:")
                ? "journal: {directory: \"\(directory.dataDirectory)\", master-keys: \(keys)}" : line
        }
    }

    /// Rewrites budkavled.yaml line by line.
    func editSettings(_ change: (String) -> String) throws {
        let file = directory.configDirectory + "/budkavled.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let lines = text.split(separator: "\n").map { change(String($0)) }
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    /// Every file below the data directory with its digest.
    func dataFiles() throws -> [String: Digest] {
        var digests: [String: Digest] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory.dataDirectory) {
            guard let data = FileManager.default.contents(atPath: directory.dataDirectory + "/" + name) else {
                continue
            }
            digests[name] = Digest(sha256Of: Array(data))
        }
        return digests
    }
}
