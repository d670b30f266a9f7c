import CaseNotifications
import Settings
import Testing

@testable import Routing

struct DecisionTests {
    private let fixture = PolicyFixture()
    private let intervention = "police.intervention.closed"

    @Test func `the worked examples of the fixture pass`() throws {
        let result = PolicyCheck.run(files: fixture.files, zone: PolicyFixture.zone)
        #expect(result.diagnostics.map(\.text) == [])
        #expect(result.examples.map(\.failures) == [[], []])
        #expect(result.isActivatable)
    }

    @Test func `a failing worked example makes the policy unfit and says what it got`() throws {
        let broken = fixture.replacing("rule: intervention-soc", with: "rule: ban-boards", in: "tests.yaml")
        let result = PolicyCheck.run(files: broken.files, zone: PolicyFixture.zone)
        #expect(!result.isActivatable)
        let text = "soc-1880: rule: expected ban-boards, got intervention-soc"
        #expect(result.examples[0].failures == [text])
        #expect(result.diagnostics.map(\.message) == ["worked example 'Friday night, child present': \(text)"])
        #expect(result.diagnostics[0].location.line == 3)
    }

    @Test(arguments: [
        ("2026-12-11T15:00:00+01:00", "soc-1880:soc-1880-intake:intervention-soc"),
        ("2026-12-11T16:29:59+01:00", "soc-1880:soc-1880-intake:intervention-soc"),
        ("2026-12-11T16:30:00+01:00", "soc-1880:jour-1880:intervention-soc"),
        ("2026-12-14T07:59:59+01:00", "soc-1880:jour-1880:intervention-soc"),
        ("2026-12-14T08:00:00+01:00", "soc-1880:soc-1880-intake:intervention-soc"),
        ("2026-12-24T12:00:00+01:00", "soc-1880:jour-1880:intervention-soc"),
    ])
    func `the calendar chooses between the board's desk and its on-call desk`(at: String, expected: String) throws {
        let policy = try fixture.policy()
        let decision = policy.decide(event(intervention, from: "pol-18-rlc", municipality: "1880"), at: time(at))
        #expect(decision.summary == [expected])
        #expect(decision.grants[0].agent == (expected.contains("jour") ? party("jour-1880") : nil))
    }

    @Test func `the on-call desk stops when its agreement with another municipality ends`() throws {
        let policy = try fixture.policy()
        let notification = event(intervention, from: "pol-18-rlc", municipality: "1864")
        let before = policy.decide(notification, at: time("2026-12-31T23:59:59+01:00"))
        #expect(before.summary == ["soc-1864:jour-1880:intervention-soc"])
        let after = policy.decide(notification, at: time("2027-01-01T00:00:00+01:00"))
        #expect(after.summary == ["soc-1864:soc-1864-intake:intervention-soc"])
        #expect(after.grants[0].isStaffed == false)
        #expect(before.until == time("2027-01-01T00:00:00+01:00"))
    }

    @Test func `the sender or its municipality must be known`() throws {
        let policy = try fixture.policy()
        let stranger = policy.decide(
            event(intervention, from: "nobody", municipality: "1880"), at: time("2026-12-11T15:00:00+01:00"))
        #expect(stranger.refusal?.code == .wrongSource)
        let nowhere = policy.decide(event(intervention, from: "pol-18-rlc"), at: time("2026-12-11T15:00:00+01:00"))
        #expect(nowhere.refusal?.code == .schema)
        #expect(nowhere.refusal?.pointer == "/municipality")
        let elsewhere = policy.decide(
            event(intervention, from: "pol-18-rlc", municipality: "9999"), at: time("2026-12-11T15:00:00+01:00"))
        #expect(elsewhere.refusal?.code == .noRule)
        #expect(elsewhere.grants.isEmpty)
    }

    @Test func `nothing is delivered without a rule`() throws {
        let empty = fixture.replacing("examples:\n", with: "examples: []\nx:\n", in: "tests.yaml")
        var files = empty.files
        files["rules.yaml"] = "version: 1\nrules: []\n"
        files["tests.yaml"] = "version: 1\nexamples: []\n"
        let policy = try PolicyFixture(files: files).policy()
        for type in policy.catalogue.types.keys.sorted() {
            for sender in policy.parties {
                let notification = event(
                    type.shortName, from: sender.id.text, municipality: "1880", audience: ["soc-1880/member"])
                let decision = policy.decide(notification, at: time("2026-12-11T15:00:00+01:00"))
                #expect(decision.grants.isEmpty)
                #expect(decision.refusal?.code == .noRule)
            }
        }
    }

    // MARK: Audience

    @Test func `an audience narrows, and a duty that it cuts off is told to the sender`() throws {
        let policy = try fixture.policy()
        let notification = event(
            intervention, from: "pol-18-rlc", municipality: "1880", audience: ["soc-1864/member"])
        let decision = policy.decide(notification, at: time("2026-12-11T15:00:00+01:00"))
        #expect(decision.grants.isEmpty)
        #expect(decision.refused == ["soc-1864:no-rule", "soc-1880:no-rule"])
        #expect(decision.refusals.last?.reasons.map(\.kind) == [.notInAudience])
        #expect(decision.refusal?.code == .noRule)
    }

    @Test func `a type that needs an audience delivers nothing without one or to unknown names`() throws {
        let policy = try fixture.policy()
        let at = time("2026-12-11T15:00:00+01:00")
        let nobody = policy.decide(event("contactban.issued", from: "akl-18"), at: at)
        #expect(nobody.refusal?.code == .schema)
        #expect(nobody.refusal?.pointer == "/audience")
        let unknown = policy.decide(
            event("contactban.issued", from: "akl-18", audience: ["soc-9999/protected"]), at: at)
        #expect(unknown.grants.isEmpty)
        #expect(unknown.refused == ["soc-9999:no-rule"])
        #expect(unknown.refusal?.code == .noRule)
        #expect(unknown.refusal?.pointer == "/audience")
        let word = policy.decide(event("contactban.issued", from: "akl-18", audience: ["soc-1880/uncle"]), at: at)
        #expect(word.refusal?.code == .schema)
        let role = policy.decide(event("contactban.issued", from: "akl-18", audience: ["soc-1880/member"]), at: at)
        #expect(role.refusal?.code == .noRule)
    }

    @Test func `three boards of one contact ban get a copy each, from the day the ordinance demands it`() throws {
        let policy = try fixture.policy()
        let audience = ["pol-18-rlc/member", "soc-1880/respondent", "soc-1780/protected"]
        let notification = event("contactban.issued", from: "akl-18", audience: audience, isProtected: true)
        let before = policy.decide(notification, at: time("2025-06-30T23:59:59+02:00"))
        #expect(before.grants.isEmpty)
        #expect(before.until == time("2025-07-01T00:00:00+02:00"))
        #expect(
            before.refusals.flatMap { $0.reasons.map(\.kind) }
                == Array(
                    repeating: .basisNotInForce(basis: "ban-4a"), count: 3))
        let after = policy.decide(notification, at: time("2025-07-01T00:00:00+02:00"))
        #expect(after.grants.map(\.party.text) == ["pol-18-rlc", "soc-1780", "soc-1880"])
        #expect(after.grants.map(\.fields) == [["validFrom", "home"], ["validFrom"], ["validFrom"]])
        #expect(after.grants.allSatisfy { $0.isStrict && $0.attributes.isEmpty })
    }

    @Test func `a group is one decision per member, and the sender is told of members without a basis`() throws {
        let policy = try fixture.policy()
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["kg-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        let decision = policy.decide(notification, at: time("2026-12-11T15:00:00+01:00"))
        #expect(decision.grants.map(\.party.text) == ["frv-18", "pol-18-lpo", "soc-1880"])
        #expect(decision.refused == ["reg-18:no-rule"])
    }

    // MARK: Protected identity

    @Test func `protected and unknown protection get the strict view`() throws {
        let policy = try fixture.policy()
        let at = time("2026-12-11T15:00:00+01:00")
        for isProtected in [true, nil, false] as [Bool?] {
            let notification = event(
                intervention, from: "pol-18-rlc", municipality: "1880", isProtected: isProtected, level: "B")
            let grant = try #require(policy.decide(notification, at: at).grants.first)
            #expect(grant.isStrict == (isProtected != false))
            #expect(grant.fields == (grant.isStrict ? ["endedAt", "needs"] : ["endedAt", "needs", "place", "home"]))
            #expect(grant.attributes == (grant.isStrict ? ["level"] : ["municipality", "level"]))
        }
    }

    @Test func `protected identity leaves the county by duty to a named board only`() throws {
        let changed = fixture.replacing(
            "basis: ban-4a\n    fields: [validFrom]\n", with: "basis: consent\n    fields: [validFrom]\n",
            in: "rules.yaml"
        ).replacing(
            "- id: ban-boards\n    effect: duty", with: "- id: ban-boards\n    effect: may", in: "rules.yaml")
        let policy = try changed.policy()
        let audience = ["soc-1880/respondent", "soc-1780/protected"]
        func decide(_ isProtected: Bool?) -> Decision {
            policy.decide(
                event(
                    "contactban.issued", from: "akl-18", audience: audience, isProtected: isProtected,
                    consentOf: "respondent"), at: time("2026-12-11T15:00:00+01:00"))
        }
        #expect(decide(false).grants.map(\.party.text) == ["soc-1780", "soc-1880"])
        #expect(decide(true).grants.map(\.party.text) == ["soc-1880"])
        #expect(decide(nil).refused == ["soc-1780:protected"])
    }

    // MARK: Affirmations and consent

    @Test func `every affirmation of the basis is needed for this notification and from a person`() throws {
        let policy = try fixture.policy()
        let at = time("2026-12-11T23:10:00+01:00")
        func decide(_ affirmations: [Affirmation]) -> Decision {
            var notification = event("risk.disclosed", from: "soc-1880")
            notification.affirmations = affirmations
            return policy.decide(notification, at: at)
        }
        func affirmation(_ name: String, _ person: String = "staff-17", seconds: Int64 = 0) -> Affirmation {
            Affirmation(name: name, person: PersonID(unchecked: person), at: at.advanced(bySeconds: seconds))
        }
        let second = affirmation("close-person")
        #expect(decide([affirmation("concrete-risk"), second]).grants.map(\.party.text) == ["pol-18-rlc"])
        let missing = decide([second])
        #expect(missing.refusal?.code == .affirmationMissing)
        #expect(missing.refusals[0].reasons.map(\.kind) == [.affirmationsMissing(["concrete-risk"])])
        // A system affirms nothing.
        #expect(decide([affirmation("concrete-risk", "system"), second]).grants.isEmpty)
        // At the limits of its lifetime and one second past them.
        #expect(!decide([affirmation("concrete-risk", seconds: -86_400), second]).grants.isEmpty)
        #expect(decide([affirmation("concrete-risk", seconds: -86_401), second]).grants.isEmpty)
        #expect(!decide([affirmation("concrete-risk", seconds: 300), second]).grants.isEmpty)
        #expect(decide([affirmation("concrete-risk", seconds: 301), second]).grants.isEmpty)
    }

    @Test func `a standing affirmation needs no entry`() throws {
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", affirmations: ["balance-done"],
            programme: "trygga-hem")
        let at = time("2026-12-11T15:00:00+01:00")
        #expect(try fixture.policy().decide(notification, at: at).grants.count == 3)
        let strict = try fixture.replacing("    standing: [purpose-standing]\n", with: "", in: "law.yaml").policy()
        #expect(strict.decide(notification, at: at).refusal?.code == .affirmationMissing)
    }

    @Test(
        arguments: [
            (nil, ["pol-18-rlc:affirmation-missing", "soc-1880:consent-missing"]),
            ("respondent", ["pol-18-rlc:affirmation-missing", "soc-1880:consent-missing"]),
            ("protected-person", []),
        ] as [(String?, [String])])
    func `a consent counts only from the person whom the rule names`(giver: String?, refused: [String]) throws {
        let policy = try fixture.policy()
        let notification = event(
            "injury.observed", from: "reg-18", audience: ["soc-1880/member", "pol-18-rlc/member"], consentOf: giver)
        let decision = policy.decide(notification, at: time("2026-12-11T15:00:00+01:00"))
        #expect(decision.refused == refused)
        #expect(decision.grants.count == 2 - refused.count)
    }

    // MARK: Secrecy

    @Test func `a basis does not lift secrecy that it excludes`() throws {
        let changed = fixture.replacing(
            "secrecy: [\"35:1\"]", with: "secrecy: [\"35:1\", \"25:8\"]", in: "parties/pol-18-rlc.yaml")
        let policy = try changed.policy()
        func decide(_ secrecy: String?) -> Decision {
            policy.decide(
                event(
                    "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["soc-1880/member"],
                    affirmations: ["balance-done"], secrecy: secrecy, programme: "trygga-hem"),
                at: time("2026-12-11T15:00:00+01:00"))
        }
        #expect(decide(nil).grants.map(\.marking) == ["OSL 35 kap. 1 §, Regionledningscentralen"])
        #expect(decide("35:1").grants.count == 1)
        let excluded = decide("25:8")
        #expect(excluded.grants.isEmpty)
        #expect(excluded.refusals[0].reasons.map(\.kind) == [.secrecyExcluded(basis: "osl-10-15a", secrecy: "25:8")])
        // Only what the party's file lets it state.
        #expect(
            decide("26:1").refusal
                == Refusal(
                    code: .schema, pointer: "/secrecy", message: "not a secrecy that the source may state"))
    }

    // MARK: Urgency

    @Test func `urgency is raised by circumstances, level and sender, never lowered`() throws {
        let policy = try fixture.policy()
        let at = time("2026-12-11T15:00:00+01:00")
        func decide(_ circumstances: [String] = [], _ level: String? = nil, _ wanted: UrgencyClass? = nil) -> Decision {
            policy.decide(
                event(
                    intervention, from: "pol-18-rlc", municipality: "1880", circumstances: circumstances, level: level,
                    urgency: wanted), at: at)
        }
        #expect(decide().urgency == .u2)
        #expect(decide(["child-present"]).urgency == .u1)
        #expect(decide([], "A").urgency == .u1)
        #expect(decide([], "B").urgency == .u2)
        #expect(decide([], nil, .u1).urgency == .u1)
        #expect(decide([], nil, .u4).urgency == .u2)
        #expect(decide().grants[0].acknowledgeBy == time("2026-12-11T17:00:00+01:00"))
    }

    @Test func `a rule may raise the class for its own recipients`() throws {
        let raised = fixture.replacing(
            "    basis: police-act-6\n", with: "    basis: police-act-6\n    urgency: U1\n", in: "rules.yaml")
        let policy = try raised.policy()
        let decision = policy.decide(
            event(intervention, from: "pol-18-rlc", municipality: "1880"), at: time("2026-12-11T15:00:00+01:00"))
        #expect(decision.urgency == .u2)
        #expect(decision.grants[0].urgency == .u1)
        #expect(decision.grants[0].deadline == .after(seconds: 900))
    }

    @Test func `what can wait is held until the desk opens and due by the end of the next working day`() throws {
        let policy = try fixture.policy()
        let notification = event(
            "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["soc-1880/member"],
            affirmations: ["balance-done"], programme: "trygga-hem")
        let grant = try #require(policy.decide(notification, at: time("2026-12-11T23:00:00+01:00")).grants.first)
        #expect(grant.desk.text == "soc-1880-intake")
        #expect(grant.notBefore == time("2026-12-14T08:00:00+01:00"))
        #expect(grant.acknowledgeBy == time("2026-12-14T16:30:00+01:00"))
        // Wednesday before Christmas: the eve, two holidays and a Sunday lie between.
        let wednesday = time("2026-12-23T12:00:00+01:00")
        let later = notification.affirmed(at: wednesday, in: policy)
        let christmas = try #require(policy.decide(later, at: wednesday).grants.first)
        #expect(christmas.notBefore == nil)
        #expect(christmas.acknowledgeBy == time("2026-12-28T16:30:00+01:00"))
    }

    @Test func `information needs no acknowledgement`() throws {
        let open = fixture.replacing("programmes: [trygga-hem]\n", with: "programmes: []\n", in: "agreements.yaml")
        let decision = try open.policy().decide(
            event("programme.status", from: "frv-18", municipality: "1880", affirmations: ["balance-done"]),
            at: time("2026-12-11T15:00:00+01:00"))
        #expect(decision.grants.map(\.acknowledgeBy) == [nil])
        #expect(decision.urgency == .u0)
    }
}
