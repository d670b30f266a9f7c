import CaseNotifications
import Demo
import Foundation
import Testing

extension EndToEnd {
    /// `budkavle` as people and scripts call it, against the real daemon. Standard output is a pipe here.
    @Suite(.serialized, .relay, .timeLimit(.minutes(10))) struct CommandLineTests {
        // MARK: Work

        @Test func `send, inbox, show, ack, status and receipts tell one notification's story`() async throws {
            let event = SampleEvent.concern("cli-1", municipality: "1880")
            let sent = try await police("send", "-", input: event)
            #expect(sent.status == 0, "\(sent)")
            let columns = sent.output.trimmingCharacters(in: .newlines).split(separator: "\t")
            try #require(columns.count == 3, "\(sent)")
            #expect(columns[1] == "accepted" && columns[2].hasPrefix("orebro."))
            let notification = String(columns[0])
            #expect(NotificationID(text: notification) != nil)

            let again = try await json(try await police("send", "-", "--json", input: event))
            #expect(again["schema"]?.string == "budkavle.send/1")
            #expect(again["status"]?.string == "duplicate")
            #expect(again["notification"]?.string == notification)

            let open = try await police("status", "cli-1")
            #expect(open.status == 1, "not everybody has acknowledged: \(open)")

            let list = try await onCall("inbox")
            #expect(list.status == 0 && list.output.contains(notification), "\(list)")
            let listed = try await json(try await onCall("inbox", "--json"))
            #expect(listed["schema"]?.string == "budkavle.inbox/1")
            let item = listed["items"]?.array?.first { $0["notification"]?.string == notification }
            #expect(item?["urgency"]?.string == "U2")
            #expect(item?["state"]?.string == "waiting")
            for text in [list.output, listed.text] {
                for secret in ["BK-18-2026-7QK2ZD9F", "Ängön", "barn-1"] {
                    #expect(!text.contains(secret), "a list holds neither case nor content")
                }
            }

            let piped = try await onCall("show", notification)
            #expect(piped.status == 64, "content goes to a terminal only: \(piped)")
            let shown = try await onCall("show", notification, "--unsafe-plain")
            #expect(shown.status == 0 && shown.output.contains(SampleEvent.note), "\(shown)")

            let taken = try await onCall("ack", String(notification.suffix(10)), "--outcome", "taken")
            #expect(taken.status == 0, "\(taken)")
            #expect(taken.output == "\(notification)\taccepted\ttaken\n")

            let status = try await police("status", notification, "--json")
            #expect(status.status == 0, "everybody has acknowledged: \(status)")
            let told = try await json(status)
            #expect(told["schema"]?.string == "budkavle.status/1")
            #expect(told["complete"]?.bool == true)
            let steps = told["deliveries"]?.array?.first?["steps"]?.array?.compactMap { $0["event"]?.string } ?? []
            #expect(steps.filter { ["opened", "acknowledged"].contains($0) } == ["opened", "acknowledged"])

            let receipts = try await police("receipts", "--mine", "--json")
            #expect(receipts.status == 0)
            let events = try receipts.lines.map { try JSONValue(parsing: Array($0.utf8)) }
                .filter { $0["data"]?["notification"]?.string == notification }
                .compactMap { $0["data"]?["event"]?.string }
            #expect(events.first == "accepted" && events.last == "acknowledged", "\(events)")
            #expect(!receipts.output.contains("staff-71"))
            let none = try await police("receipts", "--mine", "--json")
            #expect(none.status == 0 && none.output.isEmpty, "they are marked as read: \(none)")
        }

        @Test func `watch prints the list and then each change, and ctrl-C ends it with 130`() async throws {
            let watch = try Child(try Tools.budkavle(), try person("jour-1880", "staff-71", ["watch", "--json"]))
            var lines = LineReader(watch.output)
            let list = try JSONValue(parsing: Array(try #require(await lines.next()).utf8))
            #expect(list["event"]?.string == "list")
            #expect(list["desk"]?.string == "jour-1880")
            let sent = try await json(
                try await police("send", "-", "--json", input: SampleEvent.concern("watch-1", municipality: "1880")))
            let notification = try #require(sent["notification"]?.string)
            let new = try await lines.first { $0.contains(notification) }
            let change = try JSONValue(parsing: Array(new.utf8))
            #expect(change["event"]?.string == "new")
            #expect(!new.contains("BK-18-2026-7QK2ZD9F") && !new.contains("Ängön"))
            #expect(try await onCall("ack", notification, "--outcome", "taken").status == 0)
            let acknowledged = try await lines.first { $0.contains("acknowledged") }
            #expect(acknowledged.contains("\"outcome\":\"taken\""))
            watch.send(signal: SIGINT)
            #expect(try await watch.end() == 130)
        }

        @Test(arguments: ["\\u001B[31m", "\\u009B31m"])
        func `an escape sequence is refused at the door with the place where it stands`(
            _ sequence: String
        ) async throws {
            let event = SampleEvent.concern("steer-1", municipality: "1880", note: "före \(sequence) efter")
            let refused = try await police("send", "-", "--json", input: event)
            #expect(refused.status == 65, "\(refused)")
            let told = try await json(refused)
            #expect(told["code"]?.string == "schema")
            #expect(told["path"]?.string == "/data/note")
            #expect(!refused.errors.contains("före"))
        }

        @Test func `what turns the direction of writing round does not leave show`() async throws {
            let event = SampleEvent.concern("turn-1", municipality: "1880", note: "före \\u202Egnis efter")
            let sent = try await json(try await police("send", "-", "--json", input: event))
            let notification = try #require(sent["notification"]?.string, "\(sent.text)")
            let shown = try await onCall("show", notification, "--unsafe-plain")
            #expect(shown.status == 0 && shown.output.contains("före"), "\(shown)")
            #expect(!shown.output.unicodeScalars.contains("\u{202E}"), "\(shown)")
            #expect(try await onCall("ack", notification, "--outcome", "taken").status == 0)
        }

        @Test func `a dry run says who would get it and stores nothing, and ends with 3 when nobody would`()
            async throws
        {
            let event = SampleEvent.concern("dry-1", municipality: "1880")
            let plan = try await police("send", "--dry-run", "--json", "-", input: event)
            #expect(plan.status == 0, "\(plan)")
            let told = try await json(plan)
            #expect(told["schema"]?.string == "budkavle.plan/1")
            #expect(told["recipients"]?.array?.map { $0["desk"]?.string } == ["jour-1880"])
            let nobody = try await police(
                "send", "--dry-run", "-",
                input: SampleEvent.concern("dry-2", municipality: "1880", audience: "pol-18-bops/protected"))
            #expect(nobody.status == 3, "\(nobody)")
            #expect(try await police("status", "dry-1").status == 1)
        }

        // MARK: Exit codes

        @Test func `each kind of failure has its exit code and says on standard error what to do`() async throws {
            let event = SampleEvent.concern("codes-1", municipality: "1880")
            let wrongSource = SampleEvent.concern("codes-2", municipality: "1880", source: "soc-1880")
            let dead = try await Child.run(
                try Tools.budkavle(),
                try arguments("jour-1880", "staff-71", ["inbox"], port: try freePort()))
            let outcomes: [(String, Int32, Child.Outcome)] = [
                ("usage: unknown option", 64, try await police("send", "--colour", "-", input: event)),
                ("usage: unknown command", 64, try await Child.run(try Tools.budkavle(), ["inbocks"])),
                ("usage: handed-over to nobody", 64, try await onCall("ack", "X", "--outcome", "handed-over")),
                ("input: not JSON", 65, try await police("send", "-", input: "{")),
                (
                    "input: refused by its form", 65,
                    try await police("send", "-", input: event.replacing("\"childRef\":\"barn-1\",", with: ""))
                ),
                ("input missing", 66, try await police("send", "/finns/inte.json")),
                ("unreachable", 69, dead),
                ("another's source", 77, try await police("send", "-", input: wrongSource)),
                ("not an administrator", 77, try await police("admin", "queues")),
                ("not a person", 77, try await station("show", "01K00000000000000000000000", "--unsafe-plain")),
                ("unknown id", 1, try await onCall("ack", "01K00000000000000000000000", "--outcome", "taken")),
                ("no relay named", 78, try await Child.run(try Tools.budkavle(), ["inbox"], environment: home())),
            ]
            for (what, status, outcome) in outcomes {
                #expect(outcome.status == status, "\(what): \(outcome)")
                #expect(!outcome.errors.isEmpty && outcome.output.isEmpty, "\(what): \(outcome)")
            }
        }

        @Test func `a profile stands in for the options`() async throws {
            let relay = try sharedRelay()
            let files = relay.directory.files(of: "jour-1880", "staff-71")
            let environment = home()
            let base = try #require(environment["XDG_CONFIG_HOME"]) + "/budkavle"
            try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
            _ = try Scratch.file(
                "config.yaml",
                """
                default: jour
                profiles:
                  jour: {host: localhost, port: \(relay.port), ca: "\(relay.pki)/ca.crt", cert: "\(files.certificate)",
                    key: "\(files.key)", collaboration: orebro, lang: sv}

                """, in: base)
            let list = try await Child.run(try Tools.budkavle(), ["inbox", "--json"], environment: environment)
            #expect(try await json(list)["desks"]?.array == ["jour-1880"])
            let none = try await Child.run(
                try Tools.budkavle(), ["inbox", "--profile", "natt"], environment: environment)
            #expect(none.status == 78, "\(none)")
        }

        // MARK: Administration

        @Test func `sessions, queues and the clock are told to the administrator, over TLS and over the socket`()
            async throws
        {
            let watcher = try await Wire.connected(try sharedRelay(), as: "pol-18-rlc", "station")
            let sessions = try await json(try await administrator("sessions", "--json"))
            #expect(sessions["schema"]?.string == "budkavle.sessions/1")
            let parties = sessions["sessions"]?.array?.compactMap { $0["party"]?.string } ?? []
            #expect(Set(parties) == ["drift-18", "pol-18-rlc"])
            try await watcher.leave()

            let queues = try await administrator("queues", "--json")
            #expect(queues.status == 0, "\(queues)")
            let counts = try await json(queues)
            #expect(counts["schema"]?.string == "budkavle.queues/1")
            for name in ["ready", "inflight", "custody", "setaside", "overdue"] {
                #expect(counts["total"]?[name]?.integer != nil, "total.\(name)")
            }
            #expect(try await administrator("queues").status == 0)
            #expect(try await administrator("sessions").status == 0)

            let before = try await clock()
            let advanced = try await administrator("clock", "advance", "2m", "--json")
            #expect(advanced.status == 0, "\(advanced)")
            let passed = try await clock().milliseconds - before.milliseconds
            #expect(passed >= 120_000 && passed < 180_000)

            let socket = try #require(try sharedRelay().directory.adminSocket)
            let local = try await Child.run(
                try Tools.budkavle(), ["admin", "sessions", "--json", "--socket", socket], environment: home())
            #expect(local.status == 0, "\(local)")
            #expect(try await json(local)["sessions"]?.array?.first?["transport"]?.string == "unix")
        }

        @Test func `drain refuses new notifications for a while, undrain takes them again`() async throws {
            let event = SampleEvent.concern("drain-1", municipality: "1880")
            #expect(try await administrator("drain").status == 0)
            let refused = try await police("send", "-", input: event)
            #expect(refused.status == 75, "\(refused)")
            #expect(try await administrator("undrain").status == 0)
            #expect(try await police("send", "-", input: event).status == 0)
        }

        @Test func `reload ends with 0 for a good policy and with 78 and the place of each mistake for a bad one`()
            async throws
        {
            let directory = try sharedRelay().directory
            let good = try await json(try await administrator("reload", "--json"))
            #expect(good["schema"]?.string == "budkavle.reload/1")
            #expect(good["activated"]?.bool == true && good["changed"]?.bool == false)

            try directory.edit("rules.yaml") {
                $0.replacing("types: [police.intervention.closed]", with: "types: [police.intervention.close]")
            }
            let bad = try await administrator("reload", "--json")
            try directory.edit("rules.yaml") {
                $0.replacing("types: [police.intervention.close]", with: "types: [police.intervention.closed]")
            }
            #expect(bad.status == 78, "\(bad)")
            let told = try await json(bad)
            #expect(told["activated"]?.bool == false)
            let diagnostic = told["diagnostics"]?.array?.first
            #expect(diagnostic?["file"]?.string?.hasSuffix("rules.yaml") == true, "\(told.text)")
            #expect(diagnostic?["line"]?.integer ?? 0 > 0 && diagnostic?["column"]?.integer ?? 0 > 0)
            #expect(try await administrator("reload").status == 0)
        }

        // MARK: Callers

        private func police(_ words: String..., input: String = "") async throws -> Child.Outcome {
            try await Child.run(try Tools.budkavle(), try person("pol-18-rlc", "station", words), input: input)
        }

        private func station(_ words: String...) async throws -> Child.Outcome {
            try await Child.run(try Tools.budkavle(), try person("jour-1880", "jourdator", words))
        }

        private func onCall(_ words: String...) async throws -> Child.Outcome {
            try await Child.run(try Tools.budkavle(), try person("jour-1880", "staff-71", words))
        }

        private func administrator(_ words: String...) async throws -> Child.Outcome {
            try await Child.run(try Tools.budkavle(), try person("drift-18", "konsol", ["admin"] + words))
        }

        private func person(_ party: String, _ name: String, _ words: [String]) throws -> [String] {
            try arguments(party, name, words, port: try sharedRelay().port)
        }

        private func arguments(_ party: String, _ name: String, _ words: [String], port: Int) throws -> [String] {
            let relay = try sharedRelay()
            let files = relay.directory.files(of: party, name)
            return words + [
                "--host", "localhost", "--port", "\(port)", "--collaboration", "orebro", "--ca", relay.pki + "/ca.crt",
                "--cert", files.certificate, "--key", files.key, "--lang", "en",
            ]
        }

        /// No profile of the person who runs the tests.
        private func home() -> [String: String] {
            let directory = (RelayScope.current?.directory.path ?? "") + "/home"
            return ["XDG_CONFIG_HOME": directory, "HOME": directory, "BUDKAVLE_PROFILE": ""]
        }

        /// A port on which nobody listens.
        private func freePort() throws -> Int {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            try #require(isBound)
            return Int(UInt16(bigEndian: address.sin_port))
        }

        private func clock() async throws -> Timestamp {
            let answer = try await json(try await administrator("clock", "--json"))
            return try #require(Timestamp(rfc3339: answer["now"]?.string ?? ""), "\(answer.text)")
        }

        private func json(_ outcome: Child.Outcome) async throws -> JSONValue {
            try #require(outcome.lines.count == 1, "\(outcome)")
            return try JSONValue(parsing: Array(outcome.lines[0].utf8))
        }
    }
}
