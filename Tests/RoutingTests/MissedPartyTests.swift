import CaseNotifications
import Testing

@testable import Routing

/// Without an audience the sender means whom the rules mean: it learns of every party that a rule reached in vain, if something
/// can be done about it.
struct MissedPartyTests {
    private static let at = time("2026-12-11T15:00:00+01:00")

    /// A duty to the police and a `may` to the board of the municipality, of the same type.
    private static let fixture = PolicyFixture().appending(
        """
          - id: focus-rlc
            effect: duty
            types: [focus.listed]
            from: {kinds: [police]}
            to: {parties: [pol-18-rlc]}
            basis: ban-4a
            fields: [level]
          - id: focus-soc
            effect: may
            types: [focus.listed]
            from: {kinds: [police]}
            to: {kinds: [social-services], where: municipality}
            basis: osl-10-15a
            fields: [level]

        """, to: "rules.yaml"
    )

    private func listed(
        _ fixture: PolicyFixture = Self.fixture, in municipality: String = "1864", affirmed: Bool = true,
        audience: [String] = [], isProtected: Bool? = false
    ) throws -> Decision {
        try fixture.policy().decide(
            event(
                "focus.listed", from: "pol-18-lpo", municipality: municipality, audience: audience,
                isProtected: isProtected, affirmations: affirmed ? ["balance-done"] : [], programme: "trygga-hem"),
            at: Self.at)
    }

    @Test func `a missing affirmation, consent or agreement is told for each party that a rule reached`() throws {
        #expect(try listed().refused == ["soc-1864:no-agreement"])
        #expect(try listed(affirmed: false).refused == ["soc-1864:affirmation-missing"])
        #expect(try listed(isProtected: nil).refused == ["soc-1864:no-agreement"])
        let consent = Self.fixture.replacing(
            "where: municipality}\n    basis: osl-10-15a\n    fields: [level]\n",
            with: "where: municipality}\n    basis: consent\n    fields: [level]\n", in: "rules.yaml")
        #expect(try listed(consent).refused == ["soc-1864:consent-missing"])
        let ended = Self.fixture.replacing("to: 2027-08-31", with: "to: 2026-12-10", in: "agreements.yaml")
        let expired = try listed(ended, in: "1880")
        #expect(expired.refused.contains("soc-1880:agreement-expired"))
        #expect(expired.grants.contains { $0.party.text == "pol-18-rlc" } && expired.refusal == nil)
        let law = Self.fixture.replacing("valid: {from: 2025-12-01}", with: "valid: {from: 2026-12-12}", in: "law.yaml")
        #expect(try listed(law).refused == ["soc-1864:no-rule"])
    }

    @Test func `whom no rule reaches or the audience leaves out is not told, nor what nobody can remedy`() throws {
        #expect(try listed(in: "1880").refused.allSatisfy { !$0.contains("soc-1864") })
        #expect(try listed(audience: ["pol-18-rlc/member"]).refused == [])
        #expect(try listed(audience: ["soc-1864/member"]).refused.contains("soc-1864:no-agreement"))
        let never = Self.fixture.appending(
            "  - {id: stop, effect: never, types: [focus.listed], from: {kinds: [police]}, "
                + "to: {kinds: [social-services]}}\n", to: "rules.yaml")
        #expect(try listed(never).refused == ["(soc-1864:never-rule)"])
        // Of the rules' senders others have a secrecy that the basis lifts, or it could never apply; this one has not.
        let secret = Self.fixture
            .replacing("within: [\"21-40\"]", with: "within: [\"26\", \"35:15\"]", in: "law.yaml")
            .replacing("secrecy: [\"35:1\"]", with: "secrecy: [\"26:1\"]", in: "parties/pol-18-rlc.yaml")
        #expect(try listed(secret).refused == ["(soc-1864:no-rule)"])
    }

    @Test func `a party that another rule serves is not refused`() throws {
        let duty = Self.fixture.replacing(
            "to: {parties: [pol-18-rlc]}\n    basis: ban-4a",
            with: "to: {kinds: [police, social-services], where: municipality}\n    basis: ban-4a",
            in: "rules.yaml")
        #expect(try listed(duty).refused.isEmpty)
    }

    // MARK: Fallback

    @Test(arguments: [Effect.duty, .may])
    func `a fallback with a copy of its own swallows no duty, and says for whom it stands in`(effect: Effect) throws {
        let fixture = PolicyFixture().appending(
            """
              - id: closed-lpo
                effect: \(effect.rawValue)
                types: [police.intervention.closed]
                from: {kinds: [probation]}
                to: {parties: [pol-18-lpo]}
                basis: ban-4a
                fields: [endedAt]
              - id: closed-rlc
                effect: duty
                types: [police.intervention.closed]
                from: {kinds: [probation]}
                to: {parties: [pol-18-rlc]}
                basis: ban-4a
                fields: [endedAt]

            """, to: "rules.yaml")
        let saturday = "2026-12-12T14:00:00+01:00"
        let decision = try fixture.policy().decide(
            event("police.intervention.closed", from: "frv-18", at: saturday, municipality: "1880"), at: time(saturday))
        let lpo = party("pol-18-lpo")
        if effect == .duty {
            #expect(decision.summary == ["pol-18-lpo:lpo:closed-lpo", "pol-18-rlc:rlc:closed-rlc"])
            #expect(decision.grants.first?.reasons.last?.kind == .unstaffed(DeskID(unchecked: "lpo")))
        } else {
            #expect(decision.summary == ["pol-18-rlc:rlc:closed-rlc"])
            #expect(decision.grants.first?.reasons.last?.kind == .fallback(for: lpo))
        }
    }
}
