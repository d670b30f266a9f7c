import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// What protocol.md promises, said by hand through real TLS.
    @Suite(.serialized, .relay, .timeLimit(.minutes(10))) struct WireTests {
        // MARK: Connecting

        /// protocol.md, C18: with several collaborations they are refused (`TwoCollaborationsTests`).
        @Test(arguments: ["relay.example", "varmland", "", nil] as [String?])
        func `with one collaboration an unknown host, or none, is that one`(host: String?) async throws {
            let wire = try Wire(try sharedRelay(), as: "pol-18-rlc", "station")
            var headers: Headers = ["accept-version": "1.2"]
            if let host { headers.append("host", host) }
            try wire.say(Frame(.connect, headers))
            let answer = try await wire.hear()
            #expect(answer.command == .connected, "\(answer)")
            #expect(answer.headers["party"] == "pol-18-rlc" && answer.headers["client"] == "station")
            try await wire.leave()
        }

        // MARK: Sending

        @Test func `the same bytes again are a duplicate with the first answer, other bytes under the id a conflict`()
            async throws
        {
            let wire = try await sender()
            let first = try await wire.answer(to: .concern("wire-1", municipality: "1881", receipt: "a"))
            #expect(first["status"] == "accepted")
            let second = try await wire.answer(to: .concern("wire-1", municipality: "1881", receipt: "b"))
            #expect(second["status"] == "duplicate")
            #expect(second["notification"] == first["notification"])
            #expect(second["position"] == first["position"])

            try wire.say(.concern("wire-1", municipality: "1881", note: "hemlig ändring", receipt: "c"))
            let error = try await wire.hear()
            #expect(error.command == .error)
            #expect(error.headers["receipt-id"] == "c")
            #expect(error.headers["code"] == "conflict")
            #expect(error.headers["path"] == "/id")
            #expect(!error.spoken.contains("hemlig"))
            #expect(try await wire.hearsEnd())
        }

        @Test func `an ERROR waits for the RECEIPTs before it, and nothing behind it is taken`() async throws {
            let wire = try await sender()
            try wire.say(
                .concern("order-1", municipality: "1881", receipt: "1"),
                .concern("order-2", municipality: "1881", receipt: "2"),
                .send("{\"specversion\":\"1.0\"}", receipt: "3"),
                .concern("order-4", municipality: "1881", receipt: "4"))
            #expect(try await wire.hear().headers["receipt-id"] == "1")
            #expect(try await wire.hear().headers["receipt-id"] == "2")
            let error = try await wire.hear()
            #expect(error.command == .error)
            #expect(error.headers["receipt-id"] == "3")
            #expect(error.headers["code"] == "schema")
            #expect(try await wire.hearsEnd())

            let again = try await sender()
            let fourth = try await again.answer(to: .concern("order-4", municipality: "1881", receipt: "4"))
            #expect(fourth["status"] == "accepted")
            try await again.leave()
        }

        @Test(arguments: Refused.all)
        func `a refusal has its code and place, says nothing of the content, and the session goes on`(
            _ refused: Refused
        ) async throws {
            let wire = try await sender(["rejections": "receipt"])
            let receipt = try await wire.answer(to: .send(refused.body, receipt: "r"))
            #expect(receipt["status"] == "refused")
            #expect(receipt["code"] == refused.code)
            #expect(receipt["path"] == refused.path)
            #expect(receipt["notification"] == nil)
            #expect(!"\(receipt)".contains("Ängön"))
            let good = try await wire.answer(
                to: .concern("after-\(refused.name)", municipality: "1881", receipt: "g"))
            #expect(good["status"] == "accepted")
            try await wire.leave()
        }

        @Test func `a body one byte past 256 KiB is refused by the name of its limit, at the limit it is decoded`()
            async throws
        {
            let limit = 256 * 1024
            let wire = try await sender(["rejections": "receipt"])
            let body = SampleEvent.concern("limit-1", municipality: "1881")
            let filled = body.dropLast() + String(repeating: " ", count: limit - body.utf8.count) + "}"
            let atLimit = try await wire.answer(to: .send(String(filled), receipt: "at"))
            #expect(atLimit["status"] == "accepted")
            try wire.say(.send(filled.dropLast() + " }", receipt: "past"))
            let error = try await wire.hear()
            #expect(error.command == .error)
            #expect(error.headers["code"] == "too-large")
            #expect(try await wire.hearsEnd())
        }

        @Test func `a transaction with one bad notification stores none, a good one stores all`() async throws {
            let bad = try await sender()
            try bad.say(
                Frame(.begin, ["transaction": "t"]),
                .concern("tx-1", municipality: "1881", receipt: "1", transaction: "t"),
                .send("{}", receipt: "2", transaction: "t"),
                Frame(.commit, ["transaction": "t", "receipt": "c"]))
            var last = try await bad.hear()
            while last.command == .receipt { last = try await bad.hear() }
            #expect(last.command == .error)
            #expect(last.headers["code"] == "schema")
            #expect(try await bad.hearsEnd())

            let good = try await sender()
            try good.say(
                Frame(.begin, ["transaction": "t"]),
                .concern("tx-1", municipality: "1881", receipt: "1", transaction: "t"),
                .concern("tx-2", municipality: "1881", receipt: "2", transaction: "t"),
                Frame(.commit, ["transaction": "t", "receipt": "c"]))
            var heard: [String: String] = [:]
            while heard["c"] == nil {
                let receipt = try await good.hear(.receipt)
                heard[receipt.headers["receipt-id"] ?? ""] = receipt.headers["status"] ?? ""
            }
            // tx-1 was not stored by the first transaction, or it would be a duplicate.
            #expect(heard["1"] == "accepted")
            #expect(heard["2"] == "accepted")
            let again = try await good.answer(to: .concern("tx-2", municipality: "1881", receipt: "3"))
            #expect(again["status"] == "duplicate")
            try await good.leave()
        }

        @Test func `what stands right before DISCONNECT counts when DISCONNECT has its RECEIPT`() async throws {
            let relay = try sharedRelay()
            let police = try await sender()
            _ = try await police.answer(to: .concern("bye-1", municipality: "1883", receipt: "1"))
            try await police.leave()

            let station = try await Wire.subscribed(relay, desk: "jour-18-vast", prefetch: 1)
            let message = try await station.hear(.message)
            #expect(message.eventID == "bye-1")
            try station.say(
                Frame(.ack, ["id": message.headers["ack"] ?? ""]), Frame(.disconnect, ["receipt": "bye"]))
            #expect(try await station.hear(.receipt).headers["receipt-id"] == "bye")
            #expect(try await station.hearsEnd())
            // Custody: it does not wait at the desk any more.
            #expect(try await relay.queue(of: "jour-18-vast")?["ready"]?.integer ?? 0 == 0)
            await relay.takeEverything(at: "jour-18-vast")
        }

        // MARK: Subscribing

        @Test func `another party's inbox and one that does not exist are refused with the same words`() async throws {
            var answers: [String] = []
            for destination in ["/inbox/jour-18-syd", "/inbox/finns-inte", "/watch/jour-18-syd", "/watch/finns-inte"] {
                let wire = try await Wire.connected(try sharedRelay(), as: "jour-1880", "jourdator")
                let ack = destination.hasPrefix("/watch") ? "auto" : "client"
                try wire.say(Frame(.subscribe, ["id": "1", "destination": destination, "ack": ack, "receipt": "s"]))
                let error = try await wire.hear()
                #expect(error.command == .error)
                answers.append(error.spoken)
                #expect(try await wire.hearsEnd())
            }
            #expect(Set(answers).count == 1, "\(answers)")
        }

        @Test(arguments: [
            ["id": "1", "destination": "/inbox/jour-1880", "ack": "client", "selector": "urgency = 'U1'"],
            ["id": "1", "destination": "/inbox/jour-1880", "ack": "auto"],
            ["id": "1", "destination": "/inbox/jour-1880"],
            ["destination": "/inbox/jour-1880", "ack": "client"],
        ])
        func `a selector, ack auto on an inbox and a missing id are refused, never overlooked`(
            _ headers: [String: String]
        ) async throws {
            let wire = try await Wire.connected(try sharedRelay(), as: "jour-1880", "jourdator")
            var all: Headers = ["receipt": "s"]
            for (name, value) in headers.sorted(by: { $0.key < $1.key }) { all.append(name, value) }
            try wire.say(Frame(.subscribe, all))
            let error = try await wire.hear()
            #expect(error.command == .error)
            #expect(error.headers["receipt-id"] == "s")
            #expect(try await wire.hearsEnd())
        }

        // MARK: Receiving

        @Test func `no more than prefetch-count messages are on their way, and each ACK lets one more go`() async throws
        {
            let relay = try sharedRelay()
            let station = try await Wire.subscribed(relay, desk: "jour-18-vast", prefetch: 2)
            let police = try await sender()
            for number in 1...4 {
                let receipt = try await police.answer(
                    to: .concern("prefetch-\(number)", municipality: "1883", receipt: "\(number)"))
                #expect(receipt["status"] == "accepted")
            }
            let messages = [try await station.hear(.message), try await station.hear(.message)]
            #expect(messages.map(\.eventID) == ["prefetch-1", "prefetch-2"])
            let counts = try await relay.queue(of: "jour-18-vast")
            #expect(counts?["ready"]?.integer == 2)
            #expect(counts?["inflight"]?.integer == 2)

            try await station.acknowledge(messages[0])
            let third = try await station.hear(.message)
            #expect(third.eventID == "prefetch-3")
            try await station.acknowledge(messages[1])
            let fourth = try await station.hear(.message)
            #expect(fourth.eventID == "prefetch-4")
            try await station.acknowledge(third)
            try await station.acknowledge(fourth)
            try await station.leave()
            #expect(try await relay.queue(of: "jour-18-vast")?["ready"]?.integer ?? 0 == 0)
            try await police.leave()
        }

        @Test func `what was not acknowledged at a cut comes again marked, what was acknowledged does not`()
            async throws
        {
            let relay = try sharedRelay()
            let police = try await sender()
            let station = try await Wire.subscribed(relay, desk: "jour-18-vast", prefetch: 10)
            for id in ["cut-1", "cut-2", "cut-3"] {
                _ = try await police.answer(to: .concern(id, municipality: "1883", receipt: id))
            }
            let messages = [
                try await station.hear(.message), try await station.hear(.message), try await station.hear(.message),
            ]
            #expect(messages.allSatisfy { $0.headers["redelivered"] == "false" })
            try await station.acknowledge(messages[1])
            try await station.cut()

            let back = try await Wire.subscribed(relay, desk: "jour-18-vast", prefetch: 10)
            let again = [try await back.hear(.message), try await back.hear(.message)]
            #expect(again.map(\.eventID) == ["cut-1", "cut-3"])
            #expect(again.allSatisfy { $0.headers["redelivered"] == "true" })
            for message in again { try await back.acknowledge(message) }
            try await back.leave()
            try await police.leave()
        }

        @Test func `NACK brings a message back after its backoff, and after eight it is set aside`() async throws {
            let relay = try sharedRelay()
            let police = try await sender()
            let station = try await Wire.subscribed(relay, desk: "jour-18-vast", prefetch: 10)
            let sent = try await police.answer(to: .concern("nack-1", municipality: "1883", receipt: "n"))
            let notification = try #require(sent["notification"])
            for attempt in 0..<8 {
                let message = try await station.hear(.message)
                #expect(message.headers["notification"] == notification)
                #expect(message.headers["delivery-count"] == "\(attempt)")
                #expect(message.headers["redelivered"] == (attempt == 0 ? "false" : "true"))
                try station.say(
                    Frame(.nack, ["id": message.headers["ack"] ?? "", "receipt": "nack-\(attempt)"]))
                #expect(try await station.hear(.receipt).headers["receipt-id"] == "nack-\(attempt)")
                // It waits for the simulated clock: without this the test would take minutes.
                try await relay.advanceClock(seconds: 300)
            }
            let inbox = try await relay.ask("inbox", "{}", as: "jour-18-vast", "staff-75")
            let item = inbox["items"]?.array?.first { $0["notification"]?.string == notification }
            #expect(item?["setaside"]?.bool == true)
            #expect(relay.log.contains("delivery set aside after its last attempt"))
            #expect(try await relay.queue(of: "jour-18-vast")?["setaside"]?.integer == 1)
            try await station.leave()
            try await police.leave()
        }

        @Test func `bytes that are no TLS are cut off with a line in the log that explains it`() async throws {
            let relay = try sharedRelay()
            let dialogue =
                "exec 3<>/dev/tcp/127.0.0.1/\(relay.port); printf 'CONNECT\\naccept-version:1.2\\n\\n\\0' >&3; cat <&3"
            let outcome = try await Child.run("/bin/bash", ["-c", dialogue])
            #expect(!outcome.output.contains("CONNECTED"))
            var log = try relay.followLog()
            let line = try await log.first { $0.contains("the peer speaks STOMP without TLS") }
            #expect(line.contains("warning"))
        }

        private func sender(_ headers: Headers = [:]) async throws -> Wire {
            try await Wire.connected(try sharedRelay(), as: "pol-18-rlc", "station", headers)
        }
    }
}

/// A notification that the policy does not take.
struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let code: String
    let path: String?
    let body: String
    var testDescription: String { "\(name): \(code)" }

    static let all: [Refused] = {
        let good = SampleEvent.concern("refused", municipality: "1881")
        return [
            Refused(name: "broken", code: "schema", path: "", body: String(good.dropLast())),
            Refused(
                name: "missing", code: "schema", path: "/data/childRef",
                body: good.replacing("\"childRef\":\"barn-1\",", with: "")),
            Refused(
                name: "source", code: "wrong-source", path: "/source",
                body: good.replacing("urn:budkavle:pol-18-rlc", with: "urn:budkavle:pol-18-bops")),
            Refused(
                name: "old", code: "too-old", path: "/time",
                body: good.replacing("2026-12-11T22:58:00", with: "2026-11-01T22:58:00")),
            Refused(
                name: "place", code: "schema", path: "/municipality",
                body: good.replacing("\"municipality\":\"1881\"", with: "\"municipality\":\"0180\"")),
            // The sender's audience narrows what the rules allow, down to nobody.
            Refused(
                name: "audience", code: "no-rule", path: "",
                body: SampleEvent.concern("refused", municipality: "1881", audience: "krim-18-hakte/respondent")),
            Refused(
                name: "never", code: "never-rule", path: "",
                body: SampleEvent.concern("refused", municipality: "1881", audience: "pol-18-bops/protected")),
        ]
    }()
}
