import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// `simulate` and `diff running` read the journal of a daemon that writes it meanwhile.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct SimulateBesideTests {
        @Test func `simulate opens envelopes beside a writing daemon, says what it assumes, and disturbs nothing`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let same = try Candidate(of: relay)
            var compared = 0
            var erased = ""
            for round in 0..<5 {
                // All of these are on their way while the journal is read.
                let numbers = (1...40).map { round * 40 + $0 }
                for number in numbers {
                    try police.say(.concern("beside-\(number)", municipality: "1881", receipt: "\(number)"))
                }
                let simulated = try await relay.tool("simulate", "--candidate", same.path, "--json")
                #expect(simulated.status == 0, "\(simulated)")
                let report = try JSONValue(parsing: Array(simulated.output.utf8))
                let count = Int(report["compared"]?.integer ?? -1)
                #expect(report["same"]?.integer == report["compared"]?.integer && report["rebuilt"]?.integer == 0)
                #expect(report["replayed"]?.integer == report["compared"]?.integer)
                #expect(count >= compared && count <= numbers[39], "\(report.text)")
                #expect(report["notes"]?.array?.isEmpty == true, "\(report.text)")
                for number in numbers {
                    let receipt = try await police.hear(.receipt)
                    #expect(receipt.headers["receipt-id"] == "\(number)" && receipt.headers["status"] == "accepted")
                    erased = receipt.headers["notification"] ?? ""
                }
                compared = numbers[39]
            }

            // What is erased is rebuilt from its record, and only then is anything assumed.
            let erasure = try await relay.tool("erase", "--notification", erased, "--reason", "x")
            #expect(erasure.status == 0, "\(erasure)")
            let simulated = try await relay.tool("simulate", "--candidate", same.path, "--json")
            let report = try JSONValue(parsing: Array(simulated.output.utf8))
            #expect(report["same"]?.integer == 200 && report["replayed"]?.integer == 199)
            #expect(report["rebuilt"]?.integer == 1, "\(report.text)")
            let notes = report["notes"]?.array?.compactMap(\.string) ?? []
            for name in ["circumstances", "audience", "secrecy", "correlationid", "time", "urgency", "protected"] {
                #expect(notes.contains { $0.hasPrefix("assumed in those, ") && $0.contains(name) }, "\(name): \(notes)")
            }
            #expect(notes.contains { $0.hasSuffix("which rule: 1 erased, 0 gone or not readable") }, "\(notes)")

            // A candidate that takes a duty away says so, for each of them, by its id and never by its content.
            let without = try Candidate(of: relay)
            try without.edit("rules.yaml") { text in
                text.replacing(
                    "to: {kinds: [social-services], where: municipality}\n    basis: sol-19-1\n",
                    with: "to: {kinds: [social-services], where: municipality}\n    basis: sol-19-1\n"
                        + "    valid: {from: 2027-01-01}\n")
            }
            let lost = try await relay.tool("simulate", "--candidate", without.path)
            #expect(lost.status == 3, "\(lost)")
            #expect(lost.output.contains("DUTY LOST for soc-1881"), "\(lost)")
            #expect(lost.output.contains("\n   200  duties lost"), "\(lost)")
            #expect(lost.output.contains("  (1 of 200 rebuilt)"), "\(lost)")
            #expect(lost.output.contains("note: assumed in those, audience: "), "\(lost)")
            for content in ["beside-", "BK-18-", "barn-1", SampleEvent.note, "vakthavande", "under-18"] {
                #expect(!lost.output.contains(content) && !simulated.output.contains(content), "\(content)")
            }
            // What is running is what the journal has as active; its files may be edited already.
            let equal = try await relay.tool("diff", "running", same.path)
            #expect(equal.status == 0, "\(equal)")
            let changed = try await relay.tool("diff", "running", without.path)
            #expect(changed.status == 2 || changed.status == 3, "\(changed)")

            try await police.leave()
            #expect(relay.process.stop() == 0, "\(relay.process.lastLines())")
        }

        /// A copy of a relay's policy that may be changed.
        private struct Candidate {
            let path: String

            init(of relay: TestRelay) throws {
                path = relay.directory.path + "/candidate-" + UUID().uuidString
                try FileManager.default.copyItem(
                    atPath: relay.directory.configDirectory + "/orebro", toPath: path)
            }

            func edit(_ name: String, _ change: (String) -> String) throws {
                let text = try String(contentsOfFile: path + "/" + name, encoding: .utf8)
                let changed = change(text)
                try #require(changed != text, "\(name) has changed in the shipped policy; change this test too")
                try changed.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
            }
        }
    }
}
