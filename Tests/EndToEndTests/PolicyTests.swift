import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// What the policy promises, seen from outside: separate copies, and a broken policy that changes nothing.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct PolicyTests {
        // MARK: S5

        /// A board of the contact ban, who hears for it on a Friday night, and what only its own artefacts may hold.
        private struct Board {
            let party: String
            let why: String
            let hearer: String
            let client: String
            let desk: String
            let names: [String]
        }

        private static let boards = [
            Board(
                party: "soc-1880", why: "respondent", hearer: "jour-1880", client: "jourdator", desk: "jour-1880",
                names: ["soc-1880", "1880", "Örebro kommun", "Socialnämnden, Örebro"]),
            Board(
                party: "soc-1780", why: "protected", hearer: "soc-1780", client: "verksamhetssystem",
                desk: "soc-1780-mottagning", names: ["soc-1780", "1780", "Karlstad", "karlstads-kommun", "Värmland"]),
            Board(
                party: "soc-1864", why: "child", hearer: "jour-18-norr", client: "jourdator", desk: "jour-18-norr",
                names: ["soc-1864", "1864", "Ljusnarsberg", "jour-18-norr"]),
        ]

        private static let ban: String = {
            let audience = boards.map { "\($0.party)/\($0.why)" }.joined(separator: " ")
            return """
                {"specversion":"1.0","id":"ban-7","source":"urn:budkavle:akl-18",\
                "type":"se.budkavle.contactban.issued.v1","time":"2026-12-11T22:58:00+01:00",\
                "subject":"BK-18-2026-7QK2ZD9F","county":"18","protected":true,"audience":"\(audience)",\
                "data":{"banKind":"ordinary","electronic":false,"validFrom":"2026-12-11T00:00:00+01:00",\
                "validTo":"2027-12-11T00:00:00+01:00","childInvolved":true,"respondent":"19900602-2397",\
                "protectedPerson":"19910717-2380","decisionRef":"ban-ref-7"}}
                """
        }()

        @Test func `three boards of one contact ban get three copies, none of which shows another`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let prosecutor = try await Wire.connected(relay, as: "akl-18", "cabra")
            let sent = try await prosecutor.answer(to: .send(Self.ban, receipt: "ban"))
            #expect(sent["status"] == "accepted")
            let id = try #require(sent["notification"])

            for board in Self.boards {
                let seen = try await everything(board, id, relay)
                #expect(seen.contains("ban-ref-7"), "\(board.party) got its copy")
                for other in Self.boards where other.party != board.party {
                    for name in other.names { #expect(!seen.contains(name), "\(board.party) sees \(name):\n\(seen)") }
                }
                #expect(seen.contains("19910717") == (board.why == "protected"))
            }
            // The prosecutor alone sees all of them, with the police, and nobody's names.
            var parties: Set<String> = []
            try prosecutor.say(Frame(.subscribe, ["id": "r", "destination": "/receipts", "ack": "client-individual"]))
            while parties.count < 3 {
                let message = try await prosecutor.hear(.message)
                let data = try JSONValue(parsing: message.body)["data"]
                if data?["event"]?.string == "delivered", let party = data?["party"]?.string { parties.insert(party) }
                try prosecutor.say(Frame(.ack, ["id": message.headers["ack"] ?? ""]))
            }
            #expect(parties == Set(Self.boards.map(\.party)))
            try await prosecutor.leave()
            #expect(relay.process.stop() == 0)
        }

        /// Every byte that reaches the party that hears for a board: its MESSAGE with headers, and the answers to all that it may ask.
        private func everything(_ board: Board, _ id: String, _ relay: TestRelay) async throws -> String {
            let wire = try await Wire.connected(relay, as: board.hearer, board.client)
            try wire.say(
                Frame(.subscribe, ["id": "1", "destination": "/inbox/\(board.desk)", "ack": "client-individual"]))
            let message = try await wire.hear(.message)
            #expect(message.headers["notification"] == id)
            var seen = message.spoken
            try await wire.acknowledge(message)
            // It has sent nothing, so no receipt is its own: the answer to DISCONNECT comes first.
            try wire.say(Frame(.subscribe, ["id": "2", "destination": "/receipts", "ack": "client-individual"]))
            try await wire.leave()
            let questions = [
                ("inbox", "{}"), ("status", "{\"notification\":\"\(id)\"}"), ("oncall", "{}"),
                ("timeline", "{\"case\":\"BK-18-2026-7QK2ZD9F\"}"),
            ]
            for (name, body) in questions {
                let answer = try? await relay.ask(name, body, as: board.hearer, board.client)
                seen += "\n\(name): " + (answer?.text ?? "")
            }
            // The relay's own numbers and digests are nobody's names, and may hold any four digits.
            let words = seen.split { !$0.isLetter && !$0.isNumber }.filter(Self.isOpaque)
            for word in Set(words) { seen = seen.replacingOccurrences(of: word, with: "…") }
            return seen
        }

        private static func isOpaque(_ word: Substring) -> Bool {
            let isHexadecimal = word.allSatisfy { $0.isHexDigit && !$0.isUppercase }
            let isULID = word.count == 26 && word.allSatisfy { $0.isNumber || $0.isUppercase }
            return isULID || (word.count >= 12 && isHexadecimal && word.contains { $0.isNumber })
        }

        @Test func `a group member without a basis gets nothing, and the sender one refused receipt`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let body = SampleEvent.concern(
                "group-1", municipality: "1880",
                audience: "soc-1880/recipient lst-18/recipient reg-18-akm/recipient okand-part/recipient")
            #expect(try await police.answer(to: .send(body, receipt: "1"))["status"] == "accepted")
            try police.say(Frame(.subscribe, ["id": "r", "destination": "/receipts", "ack": "client-individual"]))
            var refused: [String] = []
            for _ in 0..<4 {
                let message = try await police.hear(.message)
                let data = try JSONValue(parsing: message.body)["data"]
                if data?["event"]?.string == "refused" {
                    refused.append(data?["party"]?.string ?? "")
                    #expect(["no-rule", "never-rule"].contains(data?["reason"]?.string))
                }
                try await police.acknowledge(message)
            }
            #expect(refused.sorted() == ["lst-18", "okand-part", "reg-18-akm"])
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        @Test(arguments: [
            ("Nås på 070-123 45 67.", "schema"), ("Målsäganden är 910717-2380.", "schema"),
            ("KVALIFICERAT HEMLIG", "classified"), ("Hon har fingerade personuppgifter.", "protected"),
        ])
        func `a text with what must not travel is refused by code and place, and nowhere repeated`(
            note: String, code: String
        ) async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["rejections": "receipt"])
            let body = SampleEvent.concern("text-1", municipality: "1881", note: note)
            let answer = try await police.answer(to: .send(body, receipt: "1"))
            #expect(answer["status"] == "refused" && answer["code"] == code && answer["path"] == "/data/note")
            for word in note.split(separator: " ") where word.count > 5 {
                #expect(!"\(answer)".contains(word) && !relay.log.contains(word))
            }
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        // MARK: Twenty-five mistakes

        private struct Mistake: Decodable {
            let file: String
            let old: String
            let new: String
            let at: String
            let hint: String
        }

        @Test func `twenty-five mistakes are told with their places, check ends with 78, and the policy stays`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            var log = try relay.followLog()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let before = try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"]
            let list = try Data(contentsOf: URL(filePath: try Tools.script("broken-policy.json")))
            let mistakes = try JSONDecoder().decode([Mistake].self, from: list)
            #expect(mistakes.count == 25)
            for mistake in mistakes {
                try relay.directory.edit(mistake.file) { text in
                    guard let range = text.range(of: mistake.old) else { return text }
                    return text.replacingCharacters(in: range, with: mistake.new)
                }
            }
            let check = try await Child.run(
                try RelayProcess.daemonExecutable(), ["check", "--config", relay.directory.configDirectory])
            #expect(check.status == 78)
            let said = check.output + check.errors
            for mistake in mistakes {
                let file = "\(relay.directory.configDirectory)/orebro/\(mistake.file)"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let place = try #require(Self.place(of: mistake, in: text))
                let heads = said.components(separatedBy: "\n").filter {
                    $0.contains("\(mistake.file):\(place): error: ")
                }
                #expect(heads.count == 1, "\(mistake.file):\(place) \(said)")
                #expect(said.contains(mistake.hint))
            }
            #expect(said.components(separatedBy: ": error: ").count == 26, "\(said)")

            relay.process.send(signal: SIGHUP)
            let refused = try await log.first { $0.contains("reload refused, the running policy goes on") }
            #expect(refused.contains("25"), "\(refused)")
            #expect(try await relay.ask("schema", "{}", as: "pol-18-rlc", "station")["policy"] == before)
            let answer = try await police.answer(to: .concern("after", municipality: "1881", receipt: "1"))
            #expect(answer["status"] == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        /// `line:column` of what is wrong.
        private static func place(of mistake: Mistake, in text: String) -> String? {
            guard let whole = text.range(of: mistake.new), let part = text[whole].range(of: mistake.at) else {
                return nil
            }
            let lines = text[..<part.lowerBound].components(separatedBy: "\n")
            return "\(lines.count):\((lines.last?.unicodeScalars.count ?? 0) + 1)"
        }
    }
}
