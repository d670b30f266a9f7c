import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// Who sees what after a hand-over, and the limits of transactions.
    @Suite(.serialized, .relay, .timeLimit(.minutes(10))) struct HandOverTests {
        private func items(_ relay: TestRelay, _ party: String, _ client: String) async throws -> [String] {
            let inbox = try await relay.ask("inbox", "{}", as: party, client)
            return (inbox["items"]?.array ?? []).compactMap { $0["notification"]?.string }
        }

        private func acknowledgement(_ body: String) -> Frame {
            Frame(
                .send, ["destination": "/acknowledgements", "content-type": "application/json", "receipt": "work"],
                body: Array(body.utf8))
        }

        @Test func `the on-call desk loses sight of what it has handed over, and the board gets it`() async throws {
            let relay = try sharedRelay()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let sent = try await police.answer(to: .concern("sight-1", municipality: "1881", receipt: "1"))
            let id = try #require(sent["notification"])
            #expect(try await items(relay, "jour-18-syd", "jourdator") == [id])
            #expect(try await items(relay, "soc-1881", "verksamhetssystem") == [])

            let desk = try await Wire.connected(relay, as: "jour-18-syd", "jourdator", ["rejections": "receipt"])
            let handed = try await desk.answer(
                to: acknowledgement(
                    #"{"notification":"\#(id)","outcome":"handed-over","person":"staff-77","role":"socialjour","#
                        + #""to":"soc-1881-mottagning"}"#))
            #expect(handed["status"] == "accepted", "\(handed)")
            #expect(try await items(relay, "jour-18-syd", "jourdator") == [])
            #expect(try await items(relay, "soc-1881", "verksamhetssystem") == [id])
            await #expect(throws: (any Error).self) {
                _ = try await relay.ask("status", #"{"notification":"\#(id)"}"#, as: "jour-18-syd", "jourdator")
            }
            let board = try await Wire.connected(relay, as: "soc-1881", "verksamhetssystem")
            try board.say(
                Frame(
                    .subscribe,
                    ["id": "1", "destination": "/inbox/soc-1881-mottagning", "ack": "client-individual"]))
            #expect(try await board.hear(.message).headers["notification"] == id)
            try await board.leave()
            try await desk.leave()
            try await police.leave()
        }

        @Test func `an acknowledgement with an empty note is one without a note`() async throws {
            let relay = try sharedRelay()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let sent = try await police.answer(to: .concern("note-1", municipality: "1883", receipt: "1"))
            let id = try #require(sent["notification"])
            let desk = try await Wire.connected(relay, as: "jour-18-vast", "jourdator", ["rejections": "receipt"])
            let taken = try await desk.answer(
                to: acknowledgement(
                    #"{"notification":"\#(id)","outcome":"taken","person":"staff-75","role":"socialjour","note":""}"#))
            #expect(taken["status"] == "accepted", "\(taken)")
            try await desk.leave()
            try await police.leave()
        }

        @Test(arguments: [(16, "accepted"), (17, "refused")])
        func `a transaction has room for sixteen notifications`(count: Int, status: String) async throws {
            let relay = try sharedRelay()
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station", ["rejections": "receipt"])
            try police.say(Frame(.begin, ["transaction": "t"]))
            for number in 1...count {
                try police.say(
                    .concern("many-\(count)-\(number)", municipality: "1882", receipt: "\(number)", transaction: "t"))
            }
            try police.say(Frame(.commit, ["transaction": "t", "receipt": "c"]))
            for _ in 1...count { #expect(try await police.hear(.receipt).headers["status"] == status) }
            let commit = try await police.hear(.receipt)
            #expect(commit.headers["receipt-id"] == "c")
            if status == "refused" { #expect(commit.headers["code"] == "too-large") }
            let after = try await police.answer(to: .concern("after-\(count)", municipality: "1882", receipt: "a"))
            #expect(after["status"] == "accepted", "the session and the relay go on")
            try await police.leave()
        }
    }
}
