import BudkavleClient
import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// Signed heads, proofs of receipts, and what becomes of a log that a client's checkpoint contradicts.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct CheckpointTests {
        @Test func `every RECEIPT carries a signed head, and receipts verify offline with the relay's public key`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            var heads: [Checkpoint] = []
            for number in 1...5 {
                let answer = try await police.answer(
                    to: .concern("proof-\(number)", municipality: "1881", receipt: "\(number)"))
                heads.append(try #require(head(in: answer), "\(answer)"))
            }
            let again = try await police.answer(to: .concern("proof-1", municipality: "1881", receipt: "again"))
            #expect(again["status"] == "duplicate")
            let known = try #require(head(in: again))
            #expect(known.size >= heads[4].size && known.journal == heads[0].journal)
            #expect(zip(heads, heads.dropFirst()).allSatisfy { $0.size < $1.size && $0.batch < $1.batch })

            let list = try await relay.tool("keys", "list", "--json")
            let start = try #require(list.output.range(of: "budkavle-head-key/1")?.lowerBound, "\(list)")
            let verifier = try ReceiptVerifier(keyFile: String(list.output[start...].prefix { $0 != "\"" }))
            try police.say(Frame(.subscribe, ["id": "r", "destination": "/receipts", "ack": "client-individual"]))
            for _ in 0..<5 {
                let message = try await police.hear(.message)
                let verdict = verifier.verify(message.body)
                #expect(verdict.isValid, "\(verdict) \(String(decoding: message.body, as: UTF8.self))")
            }
            try await police.leave()
            let proof = try await relay.ask(
                "proof", "{\"since\":\(heads[0].size)}", as: "pol-18-rlc", "station")
            let newest = try #require(proof["latest"]?.string.flatMap { Checkpoint($0) })
            let path = try #require(proof["consistency"]?.string.flatMap { ReceiptProof.path($0) })
            let growth = ConsistencyProof(from: heads[0].size, to: newest.size, path: path)
            #expect(growth.verifies(old: heads[0].root, new: newest.root))
            #expect(relay.process.stop() == 0)
        }

        @Test func `a checkpoint beyond a log that was rolled back stops all answers, others are passed over`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let (before, newest) = try await rollBack(relay)

            // What is ours and continues, what is not ours, and what is no checkpoint: all go on.
            var log = try relay.followLog()
            var forged = newest.signature
            forged[5] ^= 1
            let stranger = try #require(Checkpoint(body: newest.body, signature: forged))
            for text in [before.text, stranger.text, "x.y", "no checkpoint"] {
                let wire = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["checkpoint": text])
                let answer = try await wire.answer(to: .concern("before", municipality: "1881", receipt: "1"))
                #expect(answer["status"] == "duplicate", "\(text): \(answer)")
                try await wire.leave()
            }
            _ = try await log.first { $0.contains("passed over") && $0.contains("no key of this journal") }

            // The one that was signed after the copy was made lies beyond.
            let sender = try await Wire.connected(
                relay, as: "pol-18-rlc", "station", ["checkpoint": newest.text, "rejections": "receipt"])
            let refused = try await sender.answer(to: .concern("during", municipality: "1881", receipt: "2"))
            #expect(refused["status"] == "refused" && refused["code"] == "unavailable", "\(refused)")
            _ = try await log.first { $0.contains("beyond our log") }
            let other = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["rejections": "receipt"])
            let also = try await other.answer(to: .concern("before", municipality: "1881", receipt: "3"))
            #expect(also["code"] == "unavailable", "\(also)")
            #expect(relay.process.stop() == 0)
            #expect(
                FileManager.default.fileExists(atPath: relay.directory.dataDirectory + "/orebro/hold-checkpoint"))
        }

        @Test func `what somebody has answered for stops nothing again, not from another client nor after a restart`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let (_, newest) = try await rollBack(relay)
            func ask() async throws -> Headers {
                let wire = try await Wire.connected(
                    relay, as: "pol-18-rlc", "station", ["checkpoint": newest.text, "rejections": "receipt"])
                let answer = try await wire.answer(to: .concern("before", municipality: "1881", receipt: "1"))
                try await wire.leave()
                return answer
            }
            #expect(try await ask()["code"] == "unavailable")
            let cleared = try await relay.tool(
                "journal", "salvage", "--accept", "--reason", "the copy was put back", "--by", "A. Admin")
            #expect(cleared.status == 0, "\(cleared)")
            #expect(try await ask()["status"] == "duplicate")
            #expect(try await ask()["status"] == "duplicate")
            #expect(relay.process.stop() == 0)
            try relay.restart()
            #expect(try await ask()["status"] == "duplicate")
            #expect(relay.process.stop() == 0)
        }

        @Test func `audit verify says which checkpoints that others kept lie beyond the log or beside it`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let (before, newest) = try await rollBack(relay)
            func verify(_ texts: [String]) async throws -> (status: Int32, output: String) {
                let files = try texts.enumerated().map { index, text in
                    let path = relay.directory.path + "/kept-\(index)"
                    try Data((text + "\n").utf8).write(to: URL(filePath: path))
                    return path
                }
                let found = try await relay.tool(["audit", "verify"] + files.flatMap { ["--checkpoint", $0] })
                return (found.status, found.output)
            }
            let sound = try await verify([before.text])
            #expect(sound.status == 0 && sound.output.contains("continues 1 of 1"), "\(sound)")
            let beyond = try await verify([before.text, newest.text])
            #expect(beyond.status == 1 && beyond.output.contains("lies beyond the log"), "\(beyond)")
            #expect(beyond.output.contains("continues 1 of 2"), "\(beyond)")
            // The log grows past it, and another way.
            for id in ["other-1", "other-2"] { _ = try await send(id, relay) }
            let beside = try await verify([newest.text])
            #expect(beside.status == 1 && beside.output.contains("lies beside the log"), "\(beside)")
            var forged = newest.signature
            forged[5] ^= 1
            let stranger = try #require(Checkpoint(body: newest.body, signature: forged))
            #expect(try await verify([stranger.text]).status == 65)
            #expect(try await verify(["no checkpoint"]).status == 65)
            #expect(relay.process.stop() == 0)
        }

        /// Puts yesterday's copy of the data back under a relay that then runs: a head from before the copy, one from after it.
        private func rollBack(_ relay: TestRelay) async throws -> (before: Checkpoint, newest: Checkpoint) {
            let before = try await send("before", relay)
            #expect(relay.process.stop() == 0)
            let (data, copy) = (relay.directory.dataDirectory, relay.directory.path + "/older")
            try FileManager.default.copyItem(atPath: data, toPath: copy)
            try relay.restart()
            let newest = try await send("after", relay)
            #expect(relay.process.stop() == 0)
            try FileManager.default.removeItem(atPath: data)
            try FileManager.default.moveItem(atPath: copy, toPath: data)
            try relay.restart()
            return (before, newest)
        }

        /// Sends one notification and returns its RECEIPT's head.
        private func send(_ id: String, _ relay: TestRelay) async throws -> Checkpoint {
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let answer = try await police.answer(to: .concern(id, municipality: "1881", receipt: "1"))
            try await police.leave()
            return try #require(head(in: answer), "\(answer)")
        }

        private func head(in answer: Headers) -> Checkpoint? {
            guard let head = answer["head"], let signature = answer["signature"] else { return nil }
            return Checkpoint(head: head, signature: signature)
        }
    }
}
