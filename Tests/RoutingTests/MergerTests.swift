import CaseNotifications
import Settings
import Testing

@testable import Routing

/// Two boards become one: what is addressed to the old one, who may still send, and whose names old receipts show.
struct MergerTests {
    /// Ljusnarsberg's board becomes part of Örebro's on New Year's Day 2027.
    private static let fixture = PolicyFixture()
        .appending("merged-into: {party: soc-1880, on: 2027-01-01}\n", to: "parties/soc-1864.yaml")
        .replacing(
            "municipalities: [\"1880\"]\nregime: gdpr", with: "municipalities: [\"1864\", \"1880\"]\nregime: gdpr",
            in: "parties/soc-1880.yaml")

    private static let before = "2026-12-31T23:59:59.999+01:00"
    private static let after = "2027-01-01T00:00:00+01:00"

    private func ban(_ policy: Policy, at: String, audience: [String] = ["soc-1864/respondent"]) -> Decision {
        policy.decide(
            event("contactban.issued", from: "akl-18", at: at, audience: audience, isProtected: false), at: time(at))
    }

    @Test func `what is addressed to the old party goes to its successor from that day on, and says why`() throws {
        let policy = try Self.fixture.policy()
        let old = ban(policy, at: Self.before)
        #expect(old.grants.map(\.party.text) == ["soc-1864"])
        #expect(old.until == time(Self.after))
        let new = ban(policy, at: Self.after)
        #expect(new.grants.map(\.party.text) == ["soc-1880"])
        let reason = new.grants.first?.reasons.first { $0.kind == .merged(from: party("soc-1864")) }
        #expect(reason?.location?.file == "parties/soc-1864.yaml")
        // Named by both names it still is one copy.
        let both = ban(policy, at: Self.after, audience: ["soc-1864/protected", "soc-1880/respondent"])
        #expect(both.grants.map(\.party.text) == ["soc-1880"])
        #expect(
            ban(policy, at: Self.after, audience: ["soc-1880/respondent"]).grants.first?.reasons.contains {
                if case .merged = $0.kind { true } else { false }
            } == false)
    }

    @Test func `by municipality it is the one party at every instant`() throws {
        let policy = try Self.fixture.policy()
        func parties(_ at: String) -> [String] {
            policy.decide(
                event("police.intervention.closed", from: "pol-18-rlc", at: at, municipality: "1864"), at: time(at)
            ).grants.map(\.party.text)
        }
        // Until then both serve the place, as both files say.
        #expect(parties(Self.before) == ["soc-1864", "soc-1880"])
        #expect(parties(Self.after) == ["soc-1880"])
    }

    @Test func `a party that is no more sends nothing new, and what it sent keeps its right`() throws {
        let policy = try Self.fixture
            .replacing(
                "from: {kinds: [region, social-services]}", with: "from: {kinds: [region, social-services]}",
                in: "rules.yaml"
            )
            .policy()
        let risk = event(
            "risk.disclosed", from: "soc-1864", at: Self.before, affirmations: ["concrete-risk", "close-person"])
        #expect(policy.decide(risk, at: time(Self.before)).refusal == nil)
        let refusal = policy.decide(risk, at: time(Self.after)).refusal
        #expect(refusal?.code == .wrongSource && refusal?.pointer == "/source")
        #expect(refusal?.message == "the source has become part of soc-1880, which sends now")
        let right = policy.right(of: party("pol-18-rlc"), to: risk, acceptedAt: risk.time, at: time(Self.after))
        #expect(right == .holds(attributes: [], fields: ["concrete"]))
    }

    @Test func `what a catalogue demands of new notifications ends no right of what was accepted before`() throws {
        let policy = try Self.fixture
            .replacing(
                "urgency: U2\n    attributes: [audience]\n    fields: [{name: validFrom",
                with: "urgency: U2\n    attributes: [audience, level]\n    fields: [{name: validFrom", in: "types.yaml"
            )
            .policy()
        let sent = event("contactban.issued", from: "akl-18", at: Self.before, audience: ["soc-1880/respondent"])
        #expect(policy.decide(sent, at: time(Self.before)).refusal?.pointer == "/level")
        let right = policy.right(of: party("soc-1880"), to: sent, acceptedAt: sent.time, at: time(Self.before))
        #expect(right == .holds(attributes: [], fields: ["validFrom"]))
    }

    @Test func `what waits for the old party follows to the successor's desk`() throws {
        let policy = try Self.fixture.policy()
        let old = party("soc-1864")
        let sent = event("contactban.issued", from: "akl-18", at: Self.before, audience: ["soc-1864/respondent"])
        let right = policy.right(of: old, to: sent, acceptedAt: sent.time, at: time(Self.after))
        #expect(right == .holds(attributes: [], fields: ["validFrom"]))
        let own = DeskID(unchecked: "soc-1864-intake")
        let its = DeskID(unchecked: "soc-1880-intake")
        let successor = party("soc-1880")
        #expect(policy.mayLie(at: own, of: old, agent: nil, when: time(Self.before)))
        #expect(!policy.mayLie(at: own, of: old, agent: nil, when: time(Self.after)))
        #expect(!policy.mayLie(at: its, of: old, agent: nil, when: time(Self.after)))
        #expect(policy.mayLie(at: its, of: old, agent: successor, when: time(Self.after)))
        let office = time("2027-01-04T10:00:00+01:00")
        let choice = policy.chooseDesk(of: old, type: sent.type, urgency: .u2, at: office)
        #expect(choice?.desk == its && choice?.agent == successor && choice?.isStaffed == true)
        #expect(choice?.reason.kind == .merged(from: old))
        #expect(
            policy.chooseDesk(of: old, type: sent.type, urgency: .u2, at: time("2026-12-30T10:00:00+01:00"))?.desk
                == own)
    }

    @Test func `groups and fallbacks mean what has become of their members`() throws {
        let fixture = Self.fixture
            .replacing(
                "members: [pol-18-lpo, soc-1880, frv-18, reg-18]",
                with: "members: [pol-18-lpo, soc-1864, frv-18, reg-18]", in: "collaboration.yaml"
            )
            .replacing("valid: {to: 2027-01-31}", with: "valid: {to: 2027-08-31}", in: "rules.yaml")
        let policy = try fixture.policy()
        let focus = event(
            "focus.listed", from: "pol-18-rlc", at: Self.after, municipality: "1880",
            affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem")
        let parties = policy.decide(focus, at: time(Self.after)).grants.map(\.party.text)
        #expect(parties.contains("soc-1880") && !parties.contains("soc-1864"))
        let named = event(
            "focus.listed", from: "pol-18-rlc", at: Self.after, municipality: "1880", audience: ["kg-1880/member"],
            affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem")
        #expect(policy.decide(named, at: time(Self.after)).grants.map(\.party.text).contains("soc-1880"))
    }

    @Test func `a chain of mergers leads to its end, as far as it has come`() throws {
        let fixture = Self.fixture.appending(
            "merged-into: {party: soc-1780, on: 2028-01-01}\n", to: "parties/soc-1880.yaml")
        let policy = try fixture.policy()
        let old = party("soc-1864")
        #expect(policy.successor(of: old, at: time(Self.before)) == nil)
        #expect(policy.successor(of: old, at: time(Self.after)) == party("soc-1880"))
        #expect(policy.successor(of: old, at: time("2028-01-01T00:00:00+01:00")) == party("soc-1780"))
        #expect(policy.predecessors(of: party("soc-1880"), at: time(Self.after)) == [old])
        #expect(
            policy.predecessors(of: party("soc-1780"), at: time("2028-01-01T00:00:00+01:00"))
                == [old, party("soc-1880")])
    }

    @Test func `old receipts are shown with the name of their time`() throws {
        let policy = try Self.fixture.policy()
        let board = party("soc-1880")
        #expect(policy.labels(of: board, at: time("2025-12-31T23:59:59.999+01:00"))?.sv == "Nämnden väster")
        #expect(policy.labels(of: board, at: time("2026-01-01T00:00:00+01:00"))?.sv == "Socialnämnden Örebro")
        // A party that is no more keeps its name: its receipts are its own.
        #expect(
            policy.labels(of: party("soc-1864"), at: time("2026-06-01T00:00:00+02:00"))?.sv
                == "Socialnämnden Ljusnarsberg")
        // The marking in a copy has the name that the sender had.
        let fixture = Self.fixture.appending(
            "former-names: [{label: {sv: Åklagarkammaren i Örebro, en: Prosecutor}, until: 2026-12-10}]\n",
            to: "parties/akl-18.yaml")
        let renamed = try fixture.policy()
        func marking(_ at: String) -> String? {
            ban(renamed, at: at, audience: ["soc-1880/respondent"]).grants.first?.marking
        }
        #expect(marking("2026-12-10T23:59:59.999+01:00") == "OSL 35 kap. 1 §, Åklagarkammaren i Örebro")
        #expect(marking("2026-12-11T00:00:00+01:00") == "OSL 35 kap. 1 §, Åklagarkammaren")
    }

    @Test(arguments: [
        ("merged-into: {party: soc-1999, on: 2027-01-01}", "BK3101"),
        ("merged-into: {party: soc-1864, on: 2027-01-01}", "BK3207"),
        ("merged-into: {party: pol-18-rlc, on: 2027-01-01}", "BK3205"), ("merged-into: {party: soc-1880}", "BK2002"),
        ("merged-into: {party: anna@example.se, on: 2027-01-01}", "BK3209"),
    ])
    func `a merger into nobody, oneself or something else is an error`(text: String, code: String) {
        let diagnostics = PolicyFixture().appending(text + "\n", to: "parties/soc-1864.yaml").diagnostics
        #expect(diagnostics.first?.location.file == "parties/soc-1864.yaml")
        #expect(diagnostics.count == 1, "\(diagnostics.map(\.text))")
        #expect(diagnostics.first?.code.text == code)
    }

    /// Two on-call desks, one of which becomes part of the other on 20 December 2026.
    private static func onCall(_ boards: String) -> PolicyFixture {
        var fixture = PolicyFixture().appending(
            "merged-into: {party: jour-ny, on: 2026-12-20}\n", to: "parties/jour-1880.yaml")
        let text = PolicyFixture.original["parties/jour-1880.yaml"] ?? ""
        fixture.files["parties/jour-ny.yaml"] = text.replacing("jour-1880", with: "jour-ny")
            .replacing("staff-31", with: "staff-32").replacing("[soc-1880, soc-1864]", with: "[\(boards)]")
        return fixture
    }

    @Test func `an on-call desk that has become part of another acts for nobody, and nothing lies there any more`()
        throws
    {
        let policy = try Self.onCall("soc-1880, soc-1864").policy()
        let (old, new) = (party("jour-1880"), party("jour-ny"))
        let (night, later) = ("2026-12-19T23:00:00+01:00", "2026-12-20T23:00:00+01:00")
        for board in ["1880", "1864"] {
            func decision(_ at: String) -> Decision {
                policy.decide(
                    event(
                        "police.intervention.closed", from: "pol-18-rlc", at: at, municipality: board,
                        circumstances: ["child-present"]), at: time(at))
            }
            #expect(decision(night).grants.map(\.agent) == [old])
            #expect(decision(night).until <= time("2026-12-20T00:00:00+01:00"))
            #expect(decision(later).grants.map(\.agent) == [new])
            #expect(decision(later).grants.map(\.desk.text) == ["jour-ny"])
            let id = party("soc-\(board)")
            #expect(policy.agents(of: id, at: time(night)) == [old, new])
            #expect(policy.agents(of: id, at: time(later)) == [new])
            let (its, theirs) = (DeskID(unchecked: "jour-1880"), DeskID(unchecked: "jour-ny"))
            #expect(policy.mayLie(at: its, of: id, agent: old, when: time(night)))
            #expect(!policy.mayLie(at: its, of: id, agent: old, when: time(later)))
            #expect(policy.mayLie(at: theirs, of: id, agent: new, when: time(later)))
        }
        let report = policy.coverage(CoverageRequest(from: time(night), weeks: 1, classes: [.u1]))
        #expect(report.gaps.filter { $0.municipality == "1880" && !$0.lacksAgreement }.isEmpty, "\(report.gaps)")
    }

    @Test func `a merger that leaves a board without its on-call desk is an error`() {
        #expect(Self.onCall("soc-1864, soc-1880").diagnostics.filter { $0.severity == .error }.isEmpty)
        let errors = Self.onCall("soc-1880").diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.code.text) == ["BK3205"])
        #expect(errors.first?.location.file == "parties/jour-1880.yaml")
        #expect(errors.first?.message.hasPrefix("'jour-ny' does not act for 'soc-1864'") ?? false)
        // A board that has become part of another by then is that one's matter.
        let merged = Self.onCall("soc-1880").appending(
            "merged-into: {party: soc-1880, on: 2026-12-20}\n", to: "parties/soc-1864.yaml")
        #expect(merged.diagnostics.filter { $0.severity == .error }.isEmpty)
    }

    @Test func `a circle of mergers is told, and a rule that names the old party too`() {
        let circle = Self.fixture.appending(
            "merged-into: {party: soc-1864, on: 2027-02-01}\n", to: "parties/soc-1880.yaml")
        #expect(circle.diagnostics.map(\.code.text) == ["BK3207", "BK3207"])
        let rule = PolicyFixture().appending(
            "merged-into: {party: pol-18-lpo, on: 2027-01-01}\n", to: "parties/pol-18-rlc.yaml")
        let warnings = rule.diagnostics
        #expect(warnings.map(\.code.text) == ["BK5008", "BK5008"])
        #expect(warnings.allSatisfy { $0.severity == .warning && $0.location.file == "rules.yaml" })
        #expect(warnings.first?.message.contains("on 2027-01-01") ?? false)
    }
}
