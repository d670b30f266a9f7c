import CaseNotifications
import Foundation
import Routing
import Testing

@testable import BudkavleServer

@Suite struct ExplanationTests {
    private static let policy = Result {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try PolicyFiles.check(directory: root.path + "/config/orebro").policy
    }

    private let policies: ExplainedPolicies
    private let policy: Policy

    init() throws {
        policy = try #require(try Self.policy.get())
        policies = ExplainedPolicies([policy], now: .distantPast)
    }

    /// A line about an intervention in Örebro; `padding` blanks stand before its end.
    private func line(_ members: String = "", municipality: String = "1880", padding: Int = 0) -> String {
        """
        {"event":{"specversion":"1.0","id":"e-1","source":"urn:budkavle:pol-18-rlc",\
        "type":"se.budkavle.police.intervention.closed.v1","time":"2026-12-11T22:00:00Z","subject":"BK-18-2026-7QK2ZD9F",\
        "municipality":"\(municipality)","protected":false,\
        "data":{"interventionRef":"r-1","endedAt":"2026-12-11T22:00:00Z","suspectLeftScene":true}}\
        \(members)\(String(repeating: " ", count: padding))}
        """
    }

    /// One word for each answer: the desks that get it, or the code and its place.
    private func answers(_ text: String, chunk: Int = 65_536) -> [String] {
        var batch = ExplanationBatch(policies)
        var answers: [String] = []
        func answer(_ answer: ExplanationBatch.Answer) {
            switch answer {
            case .explained(let found):
                answers.append(found.explanation.decision.grants.map(\.desk.text).joined(separator: " "))
            case .refused(let refusal): answers.append("\(refusal.code.rawValue) \(refusal.pointer)")
            }
        }
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            batch.take(bytes[start..<min(start + chunk, bytes.count)], answer: answer)
        }
        batch.finish(answer: answer)
        return answers
    }

    @Test(arguments: [1, 7, 65_536])
    func `every line has its answer in the lines' order, however they are cut`(chunk: Int) {
        let lines = [
            line(#","at":"2026-12-11T23:10:00+01:00""#), line(#","at":"2026-12-14T10:00:00+01:00""#), "", "  ",
            line(#","collaboration":"orebro""#), line(#","collaboration":"dalarna""#), line(#","at":"Friday""#),
            line(#","more":1"#), "[]", "{", #"{"at":"2026-12-14T10:00:00+01:00"}"#, line(municipality: "x"),
        ]
        let wanted = [
            "jour-1880", "soc-1880-mottagning", "jour-1880", "schema /collaboration", "schema /at", "schema ",
            "schema ",
            "schema ", "schema /event", "schema /event/municipality",
        ]
        #expect(answers(lines.joined(separator: "\n"), chunk: chunk) == wanted)
        #expect(answers(lines.joined(separator: "\n") + "\n", chunk: chunk) == wanted)
        #expect(answers("") == [])
    }

    @Test func `a line of the longest length is answered, one past it is refused and the next is answered`() {
        let padding = ExplanationBatch.longestLineBytes - line().utf8.count
        let longest = line(padding: padding)
        #expect(longest.utf8.count == ExplanationBatch.longestLineBytes)
        let text = [longest, line(padding: padding + 1), line()].joined(separator: "\n")
        #expect(answers(text) == ["jour-1880", "too-large ", "jour-1880"])
    }

    @Test func `an explanation has the steps of its rules, of one party or of all`() throws {
        var found: EventExplanation?
        var batch = ExplanationBatch(policies)
        batch.take(Array(line().utf8)) { _ in }
        batch.finish { answer in
            if case .explained(let explanation) = answer { found = explanation }
        }
        let explanation = try #require(found)
        #expect(explanation.steps().contains { $0.rule.text == "polisingripande-soc" && $0.matches })
        let party = try explanation.party(named: "soc-1885")
        #expect(explanation.steps(for: party).allSatisfy { $0.parties.map(\.party) == [party] })
        #expect(explanation.explanation.decision.grants.map(\.party.text) == ["soc-1880"])
        let error = #expect(throws: ToolError.self) { try explanation.party(named: "soc-1808") }
        #expect(error?.status == .usage)
        #expect(error?.description.contains("did you mean 'soc-1880'?") ?? false, "\(String(describing: error))")
    }
}
