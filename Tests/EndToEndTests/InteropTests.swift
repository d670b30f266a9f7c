import CaseNotifications
import Demo
import Foundation
import Testing

extension EndToEnd {
    /// Clients that others wrote: each connects over mutual TLS, subscribes to an inbox, sends, gets the RECEIPT, receives, loses
    /// the link before its ACK, gets the message again, acknowledges and disconnects.
    @Suite(.serialized, .relay, .timeLimit(.minutes(10))) struct InteropTests {
        @Test func `stomp.py 8.2.0 gets its message again after a lost link, and heart-beats`() async throws {
            let story = try await play(try await Tools.python(), "stomp_py.py", id: "interop-stomp-py")
            #expect(
                story.map(\.step) == [
                    "connected", "connected", "subscribed", "receipt", "message", "lost", "connected", "subscribed",
                    "message", "acknowledged", "heart-beat", "disconnected", "disconnected",
                ])
            #expect(story.texts("connected", "version") == ["1.2", "1.2", "1.2"])
            #expect(story.texts("connected", "heartbeat").allSatisfy { $0 == "10000,10000" })
            #expect(story.texts("connected", "party") == ["pol-18-rlc", "jour-18-norr", "jour-18-norr"])
            try expectAccepted(story)
            try await expectOnceDelivered(story, id: "interop-stomp-py")
        }

        @Test func `stompman 3.16.0 comes back by itself, gets its message again, and heart-beats`() async throws {
            let story = try await play(try await Tools.python(), "stompman_client.py", id: "interop-stompman")
            #expect(
                story.map(\.step) == [
                    "connected", "subscribed", "receipt", "message", "lost", "message", "acknowledged", "heart-beat",
                    "disconnected",
                ])
            try await expectOnceDelivered(story, id: "interop-stompman")
        }

        @Test func `Net::Stomp speaks STOMP 1.1 and 1.0 and gets its message again after a lost link`() async throws {
            let story = try await play(try await Tools.netStomp(), "net_stomp.pl", id: "interop-net-stomp")
            #expect(
                story.map(\.step) == [
                    "connected", "connected", "subscribed", "receipt", "message", "lost", "connected", "subscribed",
                    "message", "acknowledged", "disconnected",
                ])
            #expect(story.texts("connected", "version") == ["1.1", "1.0", "1.0"])
            try expectAccepted(story)
            try await expectOnceDelivered(story, id: "interop-net-stomp")
        }

        /// Runs a script against the shared relay; the desk is the one whose computer may speak 1.0.
        private func play(_ interpreter: String, _ script: String, id: String) async throws -> [StoryStep] {
            let relay = try sharedRelay()
            let event = try Scratch.file(
                "\(id).json", SampleEvent.concern(id, municipality: "1864"), in: relay.directory.path)
            let outcome = try await Child.run(
                interpreter, [try Tools.script(script), "\(relay.port)", relay.pki, "jour-18-norr", event])
            try #require(outcome.status == 0, "\(outcome)\n\(relay.process.lastLines())")
            return try outcome.lines.map { StoryStep(try JSONValue(parsing: Array($0.utf8))) }
        }

        private func expectAccepted(_ story: [StoryStep]) throws {
            let receipt = try #require(story.first { $0.step == "receipt" }?.facts["headers"])
            #expect(receipt["status"]?.string == "accepted")
            #expect(receipt["notification"]?.string.flatMap { NotificationID(text: $0) } != nil)
            #expect(receipt["position"]?.string?.hasPrefix("orebro.") == true)
        }

        /// Both copies are the same view, the second is marked, and the relay has one delivery, in custody.
        private func expectOnceDelivered(_ story: [StoryStep], id: String) async throws {
            #expect(story.texts("message", "redelivered") == ["false", "true"])
            let events = story.filter { $0.step == "message" }.compactMap { $0.facts["event"] }
            #expect(events.count == 2 && events.first == events.last)
            #expect(events.first?["data"]?["note"]?.string == SampleEvent.note)
            #expect(events.first?["data"]?["reporterRole"]?.string == "vakthavande befäl")

            let status = try await sharedRelay().ask(
                "status", "{\"id\":\"\(id)\"}", as: "pol-18-rlc", "station")
            let deliveries = status["deliveries"]?.array ?? []
            #expect(
                deliveries.map { "\($0["party"]?.string ?? "") \($0["state"]?.string ?? "")" }
                    == ["soc-1864 delivered"])
        }
    }
}

/// One line that an interop script printed.
private struct StoryStep {
    let step: String
    let facts: JSONValue

    init(_ line: JSONValue) {
        step = line["step"]?.string ?? ""
        facts = line
    }
}

extension [StoryStep] {
    /// One fact of every step of that name.
    fileprivate func texts(_ step: String, _ fact: String) -> [String] {
        filter { $0.step == step }.map { $0.facts[fact]?.string ?? "" }
    }
}
