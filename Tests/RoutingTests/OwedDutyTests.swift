import CaseNotifications
import Settings
import Testing

@testable import Routing

/// A duty that gives a party nothing because of the policy: the sender learns it, and why.
struct OwedDutyTests {
    private static let at = "2026-12-11T23:10:00+01:00"

    /// A contact ban that concerns Örebro's and Kumla's boards and the police, by two duties.
    private func ban(_ policy: Policy, at instant: String = Self.at, audience: [String]? = nil) -> Decision {
        policy.decide(
            event(
                "contactban.issued", from: "akl-18", at: instant,
                audience: audience ?? ["pol-18-rlc/member", "soc-1880/respondent", "soc-1864/protected"]),
            at: time(instant))
    }

    private func valid(_ period: String, law: String? = nil) throws -> Policy {
        var fixture = PolicyFixture().replacing(
            "basis: ban-4a\n    fields: [validFrom]\n",
            with: "basis: ban-4a\n    valid: {\(period)}\n    fields: [validFrom]\n", in: "rules.yaml")
        if let law {
            fixture = fixture.replacing("valid: {from: 2025-07-01}", with: "valid: {\(law)}", in: "law.yaml")
        }
        return try fixture.policy()
    }

    @Test func `with everything approved and in force nobody is owed anything`() throws {
        let policy = try PolicyFixture().inProduction.approved().policy()
        let decision = ban(policy)
        #expect(decision.grants.map(\.party.text) == ["pol-18-rlc", "soc-1864", "soc-1880"])
        #expect(decision.refused == [])
    }

    @Test func `one of several whose approval is missing is refused, and the others are served`() throws {
        let policy = try PolicyFixture().inProduction.approved(without: ["rule:ban-boards soc-1864"]).policy()
        let decision = ban(policy)
        #expect(decision.grants.map(\.party.text) == ["pol-18-rlc", "soc-1880"])
        #expect(decision.refused == ["soc-1864:no-rule"] && decision.refusal == nil)
        let refusal = try #require(decision.refusals.first)
        #expect(refusal.rule?.text == "ban-boards")
        #expect(refusal.reasons.map(\.kind) == [.notApproved([party("soc-1864")])])
        #expect(refusal.reasons.first?.location?.file == "rules.yaml")
    }

    @Test func `a board that only lacks an approved desk is owed, and one that never had a desk for it is not meant`()
        throws
    {
        let left: Set = ["desk:soc-1864/soc-1864-intake soc-1864"]
        let decision = ban(try PolicyFixture().inProduction.approved(without: left).policy())
        #expect(decision.grants.map(\.party.text) == ["pol-18-rlc", "soc-1880"])
        #expect(decision.refused == ["soc-1864:no-rule"])
        #expect(decision.refusals.first?.reasons.map(\.kind) == [.notApproved([party("soc-1864")])])
        let intervention = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1864")
        let none = try PolicyFixture().inProduction.approved(without: left).policy()
            .decide(intervention, at: time(Self.at))
        #expect(none.refused == ["soc-1864:no-rule"] && none.refusal?.code == .noRule)
        // Its desk takes other types only, approved or not: the law's duty is another desk's, of whoever has one.
        let other = PolicyFixture().inProduction.replacing(
            "[{id: soc-1864-intake, ", with: "[{id: soc-1864-intake, types: [focus.listed], ",
            in: "parties/soc-1864.yaml")
        for policy in [try other.approved().policy(), try other.approved(without: left).policy()] {
            #expect(policy.decide(intervention, at: time(Self.at)).refused == [])
        }
    }

    @Test func `a duty that has not begun or is over is told for as long as its law is in force`() throws {
        let before = "2026-12-31T23:59:59.999+01:00"
        let after = "2027-01-01T00:00:00+01:00"
        let begins = try valid("from: 2027-01-01")
        let decision = ban(begins, at: before)
        #expect(decision.grants.map(\.party.text) == ["pol-18-rlc"])
        #expect(decision.refused == ["soc-1864:no-rule", "soc-1880:no-rule"])
        #expect(decision.refusals.map { $0.reasons.map(\.kind) } == [[.notInForce], [.notInForce]])
        #expect(decision.until == time(after))
        #expect(ban(begins, at: after).refused == [])
        let ends = try valid("to: 2026-12-31")
        #expect(ban(ends, at: before).refused == [])
        #expect(ban(ends, at: after).refused == ["soc-1864:no-rule", "soc-1880:no-rule"])
        // A rule and its law that end together owe nothing afterwards.
        let repealed = try valid("to: 2026-12-31", law: "to: 2026-12-31")
        #expect(ban(repealed, at: before).refused == [])
        #expect(
            ban(repealed, at: after, audience: ["soc-1880/respondent"]).refusals.map { $0.reasons.map(\.kind) }
                == [[.deniedByDefault]])
    }

    @Test func `another rule that delivers is no refusal, and conditions that are not met owe nothing`() throws {
        let copy = """
              - id: ban-boards-new
                effect: duty
                types: [contactban.issued]
                from: {kinds: [prosecutor]}
                to: {kinds: [social-services], roles: [respondent, protected, child], counties: ["17", "18"]}
                basis: ban-4a
                fields: [validFrom]

            """
        let fixture = PolicyFixture()
            .replacing(
                "basis: ban-4a\n    fields: [validFrom]\n",
                with: "basis: ban-4a\n    valid: {to: 2026-11-30}\n    fields: [validFrom]\n", in: "rules.yaml"
            )
            .appending(copy, to: "rules.yaml")
        let decision = ban(try fixture.policy())
        #expect(decision.refused == [])
        #expect(decision.grants.map(\.rule.text) == ["ban-police", "ban-boards-new", "ban-boards-new"])
        let conditional = try PolicyFixture().inProduction
            .replacing(
                "basis: police-act-6\n", with: "basis: police-act-6\n    when: {all: [child-present]}\n",
                in: "rules.yaml"
            )
            .approved(without: ["rule:intervention-soc soc-1880"]).policy()
        let intervention = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880")
        #expect(conditional.decide(intervention, at: time(Self.at)).refused == [])
        let child = event(
            "police.intervention.closed", from: "pol-18-rlc", municipality: "1880", circumstances: ["child-present"])
        #expect(conditional.decide(child, at: time(Self.at)).refused == ["soc-1880:no-rule"])
    }
}
