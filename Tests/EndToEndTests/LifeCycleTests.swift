import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// Start, stop, reload and restart of the daemon, each on a relay of its own.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct LifeCycleTests {
        @Test func `what was not in custody is there after SIGTERM and after kill -9, marked redelivered`() async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            try await sendThree(relay, "first")
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 10)
            let message = try await station.hear(.message)
            try await station.acknowledge(message)
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")

            try relay.restart()
            try await sendThree(relay, "second")
            relay.process.kill()

            try relay.restart()
            let back = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 10)
            var messages: [Frame] = []
            for _ in 0..<5 { messages.append(try await back.hear(.message)) }
            let wanted = ["first-2", "first-3", "second-1", "second-2", "second-3"]
            #expect(messages.map { $0.eventID ?? "" } == wanted)
            #expect(messages.allSatisfy { $0.headers["redelivered"] == "true" })
            for message in messages { try await back.acknowledge(message) }
            try await back.leave()
            #expect(try await relay.queue(of: "jour-18-syd")?["ready"]?.integer ?? 0 == 0)
        }

        @Test func `SIGTERM answers what was taken, tells the clients to come back, and ends with 0`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...20 {
                try police.say(.concern("drain-\(number)", municipality: "1881", receipt: "\(number)"))
            }
            #expect(try await police.hear().headers["status"] == "accepted")
            relay.process.send(signal: SIGTERM)
            var accepted: Set = ["1"]
            var last = try await police.hear()
            while last.command == .receipt {
                accepted.insert(last.headers["receipt-id"] ?? "")
                last = try await police.hear()
            }
            #expect(last.command == .error)
            #expect(["draining", "unavailable"].contains(last.headers["code"]), "\(last)")
            #expect(try await police.hearsEnd())
            #expect(relay.process.waitForEnd() == 0, "\(relay.process.lastLines())")

            try relay.restart()
            let again = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...20 {
                let answer = try await again.answer(
                    to: .concern("drain-\(number)", municipality: "1881", receipt: "\(number)"))
                // What had no RECEIPT may be stored or not: the answer tells.
                if accepted.contains("\(number)") { #expect(answer["status"] == "duplicate") }
                #expect(["accepted", "duplicate"].contains(answer["status"]))
            }
            try await again.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `SIGHUP with a broken policy keeps the old one, with a good one activates it`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            var log = try relay.followLog()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let before = try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"]

            try relay.directory.edit("parties/soc-1881.yaml") {
                $0.replacing("kind: social-services", with: "kind: polis")
            }
            relay.process.send(signal: SIGHUP)
            let refused = try await log.first { $0.contains("reload refused, the running policy goes on") }
            #expect(refused.contains("soc-1881.yaml:"), "\(refused)")
            let answer = try await police.answer(to: .concern("hup-1", municipality: "1881", receipt: "1"))
            #expect(answer["status"] == "accepted")
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] == before)

            try relay.directory.edit("parties/soc-1881.yaml") {
                $0.replacing("kind: polis", with: "kind: social-services")
            }
            try relay.directory.edit("parties/drift-18.yaml") {
                $0.replacing("Reläets drift", with: "Reläets förvaltning")
            }
            relay.process.send(signal: SIGHUP)
            _ = try await log.first { $0.hasSuffix("reloaded") }
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] != before)
            // The session lives on: its rights are what they were.
            let second = try await police.answer(to: .concern("hup-2", municipality: "1881", receipt: "2"))
            #expect(second["status"] == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `a session whose client is struck from the party's file is cut at reload`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 1)
            try relay.directory.edit("parties/jour-18-syd.yaml") { $0.replacing("id: jourdator", with: "id: utbytt") }
            relay.process.send(signal: SIGHUP)
            let error = try await station.hear()
            #expect(error.command == .error)
            #expect(error.headers["code"] == "revoked")
            #expect(try await station.hearsEnd())
            #expect(relay.process.stop() == 0)
        }

        @Test func `a session whose certificate is revoked is cut at reload, and another of its party goes on`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 1)
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            _ = try relay.directory.authority.revoke(relay.directory.files(of: "jour-18-syd", "jourdator").certificate)
            relay.process.send(signal: SIGHUP)
            let error = try await station.hear()
            #expect(error.command == .error)
            #expect(error.headers["code"] == "revoked")
            #expect(try await station.hearsEnd())
            let answer = try await police.answer(to: .concern("after-revocation", municipality: "1881", receipt: "1"))
            #expect(answer["status"] == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `a second daemon on the same data directory is refused, and the first serves on`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let second = try await Child.run(
                relay.process.executable, ["run", "--config", relay.directory.configDirectory])
            #expect(second.status == 75, "not just now: \(second)")
            #expect(second.errors.contains("in use by another process"), "\(second)")
            let answer = try await police.answer(to: .concern("second-daemon", municipality: "1881", receipt: "1"))
            #expect(answer["status"] == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test func `a wrong master key refuses with 78 and changes nothing, the right one starts`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            try await sendThree(relay, "key")
            #expect(relay.process.stop() == 0)
            let before = try contents(of: relay.directory.dataDirectory)
            let key = relay.directory.path + "/keys/master.key"
            let right = try Data(contentsOf: URL(filePath: key))
            try Data(right.map { ~$0 }).write(to: URL(filePath: key))

            let refused = try await Child.run(
                relay.process.executable, ["run", "--config", relay.directory.configDirectory])
            #expect(refused.status == 78, "\(refused)")
            #expect(refused.errors.contains("key"), "\(refused)")
            #expect(try contents(of: relay.directory.dataDirectory) == before)

            try right.write(to: URL(filePath: key))
            try relay.restart()
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 10)
            for number in 1...3 { #expect(try await station.hear(.message).eventID == "key-\(number)") }
            #expect(relay.process.stop() == 0)
        }

        /// Three notifications for the desk south, each with its RECEIPT.
        private func sendThree(_ relay: TestRelay, _ name: String) async throws {
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...3 {
                let answer = try await police.answer(
                    to: .concern("\(name)-\(number)", municipality: "1881", receipt: "\(number)"))
                try #require(answer["status"] == "accepted", "\(answer)")
            }
            try await police.leave()
        }

        /// Every file below a directory with its digest.
        private func contents(of directory: String) throws -> [String: Digest] {
            var digests: [String: Digest] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
                guard let data = FileManager.default.contents(atPath: directory + "/" + name) else { continue }
                digests[name] = Digest(sha256Of: Array(data))
            }
            return digests
        }
    }
}
