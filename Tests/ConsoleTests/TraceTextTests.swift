import CaseNotifications
import Routing
import Settings
import Testing

@testable import Console

@Suite struct TraceTextTests {
    private static let place = Settings.SourceLocation(file: "rules.yaml", line: 14, column: 9)
    private static let law = Settings.SourceLocation(file: "law.yaml", line: 3, column: 5)

    private static func step(
        _ matcher: RuleStep.Matcher, _ holds: Bool, _ finding: RuleStep.Finding,
        at location: Settings.SourceLocation? = TraceTextTests.place
    ) -> RuleStep { RuleStep(matcher: matcher, holds: holds, finding: finding, location: location) }

    private static let rules: [RuleSteps] = [
        RuleSteps(
            rule: RuleID(unchecked: "report-probation"), kind: .may, location: place,
            steps: [
                step(.sender, true, .met(["pol-18-rlc"])), step(.conditions, false, .unmet(key: "levels")),
                step(.time, true, .met([])),
                step(.affirmations, false, .reason(.affirmationsMissing(["balance-done"])), at: law),
            ],
            parties: [
                PartySteps(
                    party: PartyID(unchecked: "frv-18"),
                    steps: [
                        step(.recipient, true, .met(["frv-18"])),
                        step(.agreement, false, .reason(.noAgreement)), step(.never, true, .demandsNothing, at: nil),
                    ])
            ]),
        RuleSteps(
            rule: RuleID(unchecked: "report-never"), kind: .never, location: place,
            steps: [step(.sender, true, .met(["pol-18-rlc"]))],
            parties: [
                PartySteps(
                    party: PartyID(unchecked: "frv-18"), steps: [step(.recipient, false, .notMeant(.kind))])
            ]),
    ]

    @Test func `a trace has a line with tick or cross and place for every matcher`() {
        #expect(
            TraceText(Self.rules).lines == [
                "rule report-probation (may)  (rules.yaml:14:9)",
                "  ✓ sender        pol-18-rlc  (rules.yaml:14:9)",
                "  ✗ conditions    'levels' does not hold  (rules.yaml:14:9)",
                "  ✓ time          holds  (rules.yaml:14:9)",
                "  ✗ affirmations  the sender must affirm balance-done  (law.yaml:3:5)",
                "  frv-18",
                "    ✓ recipient     frv-18  (rules.yaml:14:9)",
                "    ✗ agreement     no agreement covers sender, recipient and municipality  (rules.yaml:14:9)",
                "    ✓ never         nothing is demanded",
                "rule report-never (never)  (rules.yaml:14:9)",
                "  ✓ sender        pol-18-rlc  (rules.yaml:14:9)",
                "  frv-18",
                "    ✗ recipient     the rule is for other kinds of party  (rules.yaml:14:9)",
            ])
    }

    @Test func `why a party does not get it is the first cross of each rule`() {
        #expect(
            TraceText(Self.rules).lines(about: PartyID(unchecked: "frv-18")) == [
                "rule report-probation (may): conditions: 'levels' does not hold  (rules.yaml:14:9)",
                "rule report-never (never): recipient: the rule is for other kinds of party  (rules.yaml:14:9)",
            ])
    }

    @Test func `the trace as JSON says the same`() throws {
        let json = TraceText(Self.rules).json
        let rule = try #require(json.array?.first)
        #expect(rule["rule"]?.string == "report-probation")
        #expect(rule["matches"]?.bool == false)
        #expect(rule["steps"]?.array?.compactMap { $0["holds"]?.bool } == [true, false, true, false])
        let party = try #require(rule["parties"]?.array?.first)
        #expect(party["party"]?.string == "frv-18")
        #expect(party["steps"]?.array?.compactMap { $0["matcher"]?.string } == ["recipient", "agreement", "never"])
        #expect(party["steps"]?.array?.last?["place"] == nil)
    }

    @Test func `a refusal as JSON has its code and place and nothing of the event`() throws {
        let refusal = Refusal(code: .schema, pointer: "/event/type", message: "unknown event type")
        let json = try JSONValue(parsing: Array(ExplanationText.json(of: refusal).utf8))
        #expect(json["schema"]?.string == "budkavle.explanation/1")
        #expect(json["refusal"]?.string == "schema")
        #expect(json["path"]?.string == "/event/type")
        #expect(json["message"]?.string == "unknown event type")
    }
}
