import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// What README tells a newcomer to type, as it is printed there, against `budkavle demo --serve`.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct FirstStepsTests {
        @Test func `after demo --serve the Python script and the openssl dialogue work as README prints them`()
            async throws
        {
            signal(SIGPIPE, SIG_IGN)
            let directory = try Scratch.directory()
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let demo = try Child(
                try Tools.budkavle(), ["demo", "--serve", "--dir", directory], environment: ["NO_COLOR": "1"])
            var lines = LineReader(demo.output)
            _ = try await lines.first { $0.hasPrefix("The relay runs on") }

            let script = try Tools.script("first_notification.py")
            #expect(try String(contentsOfFile: script, encoding: .utf8).split(separator: "\n").count <= 15)
            let first = try await Child.run(try await Tools.python(), [script, directory])
            #expect(first.status == 0, "\(first)")
            #expect(first.output.contains("'receipt-id': 'first', 'status': 'accepted', 'notification': '"), "\(first)")

            let port = try String(contentsOfFile: directory + "/run/port", encoding: .utf8).trimmingCharacters(
                in: .whitespacesAndNewlines)
            try await typeDialogue(port: port, directory: directory)

            demo.send(signal: SIGINT)
            _ = try await lines.first { $0 == "the relay has ended with status 0; \(directory) stays" }
            #expect(try await demo.end() == 0)
        }

        /// Types Scripts/s_client.txt: the command, an empty line, and frames that end with `^@` and Enter.
        private func typeDialogue(port: String, directory: String) async throws {
            let text = try String(contentsOfFile: try Tools.script("s_client.txt"), encoding: .utf8)
            let parts = try #require(text.range(of: "\n\n"))
            let command = text[..<parts.lowerBound].replacing("61614", with: port).replacing("DIR", with: directory)
            let frames = text[parts.upperBound...].split(separator: "^@\n", omittingEmptySubsequences: true)
            try #require(
                frames.map { $0.prefix { $0 != "\n" } } == ["CONNECT", "SUBSCRIBE", "SEND", "ACK", "DISCONNECT"])
            let terminal = try Child("/bin/sh", ["-c", String(command)])
            var answers = FrameReader(terminal.output)
            func type(_ frame: some StringProtocol) throws { try terminal.write(Array((frame + "\0\n").utf8)) }

            try type(frames[0])
            let connected = try await answers.next()
            #expect(connected.command == .connected)
            #expect(connected.headers["party"] == "pol-18-lpo-orebro")
            try type(frames[1])
            try type(frames[2])
            // The relay's receipt about it may come before or after the RECEIPT of the SEND.
            let both = [try await answers.next(), try await answers.next()]
            let receipt = try #require(both.first { $0.command == .receipt })
            let message = try #require(both.first { $0.command == .message })
            #expect(receipt.headers["receipt-id"] == "first")
            #expect(receipt.headers["status"] == "accepted")
            #expect(message.headers["notification"] == receipt.headers["notification"])
            #expect(String(decoding: message.body, as: UTF8.self).contains("\"event\":\"accepted\""))
            let acknowledgement = try #require(message.headers["ack"])
            try type(frames[3].replacing("ACK-HEADER-OF-THE-MESSAGE", with: acknowledgement))
            #expect(try await answers.next(.receipt).headers["receipt-id"] == "read")
            try type(frames[4])
            #expect(try await answers.next(.receipt).headers["receipt-id"] == "bye")
            #expect(try await answers.end())
            #expect(try await terminal.end() == 0)
        }
    }
}
