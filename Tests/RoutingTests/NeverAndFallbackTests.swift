import CaseNotifications
import Settings
import Testing

@testable import Routing

struct NeverAndFallbackTests {
    private let fixture = PolicyFixture()
    private let at = time("2026-12-11T15:00:00+01:00")

    @Test func `never beats may`() throws {
        let never = fixture.appending(
            """
              - id: never-focus-soc
                effect: never
                families: [focus]
                from: {parties: ["*"]}
                to: {parties: [soc-1880]}

            """, to: "rules.yaml")
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["soc-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        #expect(try fixture.policy().decide(notification, at: at).grants.count == 1)
        let decision = try never.policy().decide(notification, at: at)
        #expect(decision.refused == ["soc-1880:never-rule"])
        #expect(decision.refusals.first?.rule?.text == "never-focus-soc")
        #expect(decision.refusal?.code == .neverRule)
    }

    @Test func `never empties a duty and says so`() throws {
        let never = fixture.appending(
            """
              - id: never-all
                effect: never
                types: all
                from: {parties: ["*"]}
                to: {kinds: [social-services]}

            """, to: "rules.yaml")
        let decision = try never.policy().decide(
            event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880"), at: at)
        #expect(decision.grants.map(\.fields) == [[]])
        #expect(decision.grants.first?.effect == .duty)
        let redacted = decision.grants.first?.reasons.first { $0.rule?.text == "never-all" }
        #expect(redacted?.kind == .redacted(fields: ["endedAt", "needs", "place", "home"]))
        #expect(redacted?.location?.file == "rules.yaml")
    }

    @Test func `never with fields takes these out of duty and may`() throws {
        let never = fixture.appending(
            """
              - id: never-place
                effect: never
                types: [police.intervention.closed]
                from: {parties: ["*"]}
                to: {kinds: [social-services]}
                fields: [place, home]
              - id: never-level
                effect: never
                types: [focus.listed]
                from: {parties: ["*"]}
                to: {parties: ["*"]}
                valid: {from: 2026-12-12}
                fields: [level]

            """, to: "rules.yaml")
        let policy = try never.policy()
        let duty = policy.decide(
            event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880"), at: at)
        #expect(duty.grants.map(\.fields) == [["endedAt", "needs"]])
        let focus = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", affirmations: ["balance-done"],
            programme: "trygga-hem")
        #expect(Set(policy.decide(focus, at: at).grants.map(\.fields)) == [["level", "criteria"]])
        #expect(Set(policy.decide(focus, at: time("2026-12-12T00:00:00+01:00")).grants.map(\.fields)) == [["criteria"]])
    }

    @Test func `a never rule with a condition holds only then`() throws {
        let never = fixture.appending(
            """
              - id: never-imminent
                effect: never
                types: [police.intervention.closed]
                from: {kinds: [police]}
                to: {kinds: [social-services]}
                when: {all: [imminent], none: [under-18]}
                fields: [place]

            """, to: "rules.yaml")
        let policy = try never.policy()
        func fields(_ circumstances: [String]) -> [String] {
            policy.decide(
                event(
                    "police.intervention.closed", from: "pol-18-rlc", municipality: "1880",
                    circumstances: circumstances), at: at
            ).grants[0].fields
        }
        #expect(fields([]).contains("place"))
        #expect(!fields(["imminent"]).contains("place"))
        #expect(fields(["imminent", "under-18"]).contains("place"))
    }

    @Test(
        arguments: [
            ("2027-08-31T23:59:59+02:00", nil), ("2027-09-01T00:00:00+02:00", .agreementExpired),
        ] as [(String, RefusalCode?)])
    func `may stops when the agreement ends`(at: String, code: RefusalCode?) throws {
        let policy = try fixture.replacing("    valid: {to: 2027-01-31}\n", with: "", in: "rules.yaml").policy()
        let notification = event(
            "focus.listed", from: "pol-18-rlc", at: at, municipality: "1880", audience: ["soc-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        let decision = policy.decide(notification, at: time(at))
        #expect(decision.refusal?.code == code)
        let duty = policy.decide(
            event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880"), at: time(at))
        #expect(duty.grants.count == 1)
    }

    @Test(arguments: [
        ("party: soc-1880, signed: 2024-10-10", "party: soc-1880", RefusalCode.noAgreement),
        ("party: soc-1880, signed: 2024-10-10", "party: soc-1880, signed: 2026-12-12", .noAgreement),
        (
            "party: soc-1880, signed: 2024-10-10", "party: soc-1880, signed: 2024-10-10, left: 2026-12-10",
            .agreementExpired
        ),
        ("programmes: [trygga-hem]", "programmes: [gvi]", .noAgreement),
        ("municipalities: [\"1880\"]", "municipalities: [\"1864\"]", .noAgreement),
        ("valid: {from: 2024-09-01, to: 2027-08-31}", "valid: {from: 2026-12-12}", .noAgreement),
        ("valid: {from: 2024-09-01, to: 2027-08-31}", "ended: 2026-12-10", .agreementExpired),
    ])
    func `an agreement must be signed by all, in force, and about this`(
        old: String, new: String, code: RefusalCode
    ) throws {
        let policy = try fixture.replacing(old, with: new, in: "agreements.yaml").policy()
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["soc-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        #expect(policy.decide(notification, at: at).refused == ["soc-1880:\(code.rawValue)"])
    }

    @Test func `a draft and an ended agreement do not count`() throws {
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["soc-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        for (state, code) in [("draft", RefusalCode.noAgreement), ("ended", .agreementExpired)] {
            var changed = fixture
            let text = changed.files["agreements.yaml"] ?? ""
            let range = try #require(
                text.firstRange(of: "state: in-force\n    valid: {from: 2024-09-01, to: 2027-08-31}"))
            changed.files["agreements.yaml"] = text.replacingCharacters(in: range, with: "state: \(state)")
            #expect(try changed.policy().decide(notification, at: at).refused == ["soc-1880:\(code.rawValue)"])
        }
    }

    @Test func `within one organisation no agreement is needed`() throws {
        let policy = try fixture.policy()
        // The police station is in no agreement of its own programme, and is of the sender's organisation.
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["pol-18-lpo/member"],
            affirmations: ["balance-done"])
        #expect(policy.decide(notification, at: at).grants.map(\.party.text) == ["pol-18-lpo"])
    }

    // MARK: Fallback

    private let lpoRule = """
          - id: risk-lpo
            effect: may
            types: [risk.disclosed]
            from: {kinds: [region]}
            to: {parties: [pol-18-lpo], named: yes}
            basis: osl-10-18c
            fields: [concrete]

        """
    private let saturday = "2026-12-12T14:00:00+01:00"

    private func risk(_ at: String) -> CaseNotification {
        event(
            "risk.disclosed", from: "reg-18", at: at, audience: ["pol-18-lpo/member"],
            affirmations: ["concrete-risk", "close-person"])
    }

    @Test func `a party with nobody on duty is replaced by its fallback, by that party's own rule`() throws {
        let policy = try fixture.appending(lpoRule, to: "rules.yaml").policy()
        let office = policy.decide(risk("2026-12-11T15:00:00+01:00"), at: at)
        #expect(office.summary == ["pol-18-lpo:lpo:risk-lpo"])
        let closed = policy.decide(risk(saturday), at: time(saturday))
        #expect(closed.summary == ["pol-18-rlc:rlc:risk-police"])
        #expect(closed.grants.first?.insteadOf == party("pol-18-lpo"))
        #expect(closed.refusals.isEmpty)
        // What was affirmed at two in the night counts for a day, and the station opens later.
        #expect(closed.until == Timestamp(milliseconds: time("2026-12-13T02:00:00+01:00").milliseconds + 1))
        let reaffirmed = policy.decide(witness: risk(saturday), at: time(saturday))
        #expect(reaffirmed.summary == closed.summary)
        #expect(reaffirmed.until == time("2026-12-14T08:00:00+01:00"))
    }

    @Test func `a fallback without a rule of its own counts as no desk`() throws {
        let policy = try fixture.appending(lpoRule, to: "rules.yaml")
            .replacing("to: {parties: [pol-18-rlc]}", with: "to: {parties: [pol-18-lpo]}", in: "rules.yaml").policy()
        let closed = policy.decide(risk(saturday), at: time(saturday))
        #expect(closed.grants.map(\.party.text) == ["pol-18-lpo"])
        #expect(closed.grants.first?.isStaffed == false)
        #expect(closed.grants.first?.reasons.last?.kind == .unstaffed(DeskID(unchecked: "lpo")))
    }

    @Test func `a rule for those whom the sender names is no rule of a fallback that it does not name`() throws {
        let policy = try fixture.appending(lpoRule, to: "rules.yaml")
            .replacing(
                "to: {parties: [pol-18-rlc]}", with: "to: {parties: [pol-18-rlc], named: yes}", in: "rules.yaml"
            ).policy()
        let closed = policy.decide(risk(saturday), at: time(saturday))
        #expect(closed.summary == ["pol-18-lpo:lpo:risk-lpo"])
        #expect(closed.grants.first?.reasons.last?.kind == .unstaffed(DeskID(unchecked: "lpo")))
        var notification = risk(saturday)
        notification.audience.append(AudienceEntry(to: "pol-18-rlc", why: "member"))
        #expect(policy.decide(notification, at: time(saturday)).summary == ["pol-18-rlc:rlc:risk-police"])
    }

    @Test func `a fallback that gets a copy anyway gets one`() throws {
        let policy = try fixture.appending(lpoRule, to: "rules.yaml").policy()
        var notification = risk(saturday)
        notification.audience.append(AudienceEntry(to: "pol-18-rlc", why: "member"))
        let decision = policy.decide(notification, at: time(saturday))
        #expect(decision.summary == ["pol-18-rlc:rlc:risk-police"])
        #expect(decision.grants.first.map(\.insteadOf) == .some(nil))
        #expect(decision.grants.first?.reasons.last?.kind == .fallback(for: party("pol-18-lpo")))
    }

    // MARK: Explaining

    @Test func `an explanation says what every rule of the type did, with its place`() throws {
        let policy = try fixture.policy()
        let notification = event(
            "injury.observed", from: "reg-18", audience: ["soc-1880/member", "frv-18/member"])
        let explanation = policy.explain(notification, at: at)
        #expect(explanation.decision == policy.decide(notification, at: at))
        #expect(explanation.trace.map(\.rule.text) == ["injury-consent", "injury-never", "injury-risk"])
        #expect(
            explanation.trace.map(\.outcome) == [
                .reached([party("soc-1880")]), .reached([party("frv-18")]), .reached([]),
            ])
        #expect(explanation.trace[0].reason.location?.description == "rules.yaml:27:9")
        #expect(explanation.about(party("frv-18")).refusal?.code == .neverRule)
        let other = policy.explain(event("injury.observed", from: "soc-1880", audience: ["reg-18/member"]), at: at)
        #expect(other.trace.map(\.outcome) == [.otherSender, .reached([]), .otherSender])
    }
}

extension String {
    /// The text with a range replaced.
    func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
