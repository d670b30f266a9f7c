import CaseNotifications
import Settings
import Testing

@testable import Routing

/// What is not approved in production mode is as if absent, and nothing else is.
struct InactivePartsTests {
    private func policy(without left: Set<String>) throws -> Policy {
        try PolicyFixture().inProduction.approved(without: left).policy()
    }

    private let intervention = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880")

    @Test func `with every approval production decides as the rules say`() throws {
        let policy = try policy(without: [])
        let whole = try #require(
            PolicyLoader.load(files: PolicyFixture().inProduction.files, zone: PolicyFixture.zone, approvals: .waived)
                .policy)
        let at = time("2026-12-11T23:10:00+01:00")
        #expect(policy.digest == whole.digest && policy.inactive.isEmpty)
        #expect(policy.decide(intervention, at: at) == whole.decide(intervention, at: at))
        #expect(policy.decide(intervention, at: at).summary == ["soc-1880:jour-1880:intervention-soc"])
    }

    @Test(arguments: [
        "rule:intervention-soc soc-1880", "party:soc-1880 soc-1880", "party:soc-1880 pol-18-rlc",
    ]) func `a rule is as if absent between a sender and a recipient, one of whom has not approved`(
        left: String
    ) throws {
        let policy = try policy(without: [left])
        let at = time("2026-12-11T23:10:00+01:00")
        let explained = policy.explain(intervention, at: at)
        #expect(explained.decision.grants == [] && explained.decision.refusal?.code == .noRule)
        // It is a duty: its sender learns who got nothing, and whose approval is missing.
        let lacking = party(String(left.split(separator: " ")[1]))
        #expect(explained.decision.refused == ["soc-1880:no-rule"])
        #expect(explained.decision.refusals.first?.reasons.map(\.kind) == [.notApproved([lacking])])
        let trace = try #require(explained.trace.first { $0.rule.text == "intervention-soc" })
        #expect(trace.outcome == .reached([]) && trace.withheld == [party("soc-1880")])
        #expect(policy.decide(intervention, at: at) == explained.decision)
        let other = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1864")
        #expect(policy.decide(other, at: at).summary == ["soc-1864:jour-1880:intervention-soc"], "others are served")
    }

    @Test(arguments: [
        "rule:intervention-soc pol-18-rlc", "party:pol-18-rlc pol-18-rlc", "secrecy:pol-18-rlc pol-18-rlc",
    ]) func `what a sender has not approved he sends to nobody, and others do`(left: String) throws {
        let policy = try policy(without: [left])
        let at = time("2026-12-11T23:10:00+01:00")
        let explained = policy.explain(intervention, at: at)
        #expect(explained.decision.refusal?.code == .noRule)
        #expect(explained.decision.refused == ["soc-1880:no-rule"])
        #expect(explained.decision.refusals.first?.reasons.map(\.kind) == [.notApproved([party("pol-18-rlc")])])
        let trace = try #require(explained.trace.first { $0.rule.text == "intervention-soc" })
        #expect(trace.outcome == .inactive([party("pol-18-rlc")]))
        let other = event("police.intervention.closed", from: "pol-18-lpo", municipality: "1880")
        #expect(policy.decide(other, at: at).summary == ["soc-1880:jour-1880:intervention-soc"])
    }

    @Test func `a never rule needs no approval and forbids in any case`() throws {
        let policy = try policy(without: ["rule:injury-consent reg-18", "secrecy:reg-18 reg-18"])
        let injury = event("injury.observed", from: "reg-18", audience: ["frv-18/member"])
        #expect(policy.decide(injury, at: time("2026-12-15T01:30:00+01:00")).refused == ["frv-18:never-rule"])
    }

    @Test func `a system or person that is not approved is nobody, and others of the party are`() throws {
        let policy = try policy(without: ["client:soc-1880/system soc-1880"])
        #expect(policy.authorize(uris: ["urn:budkavle:soc-1880:system"], fingerprint: "").grant == nil)
        #expect(policy.authorize(uris: ["urn:budkavle:soc-1880:person:staff-17"], fingerprint: "").grant != nil)
        #expect(policy.stations(of: DeskID(unchecked: "soc-1880-intake")) == [])
        let other = try self.policy(without: ["person:soc-1880/staff-17 soc-1880"])
        #expect(other.authorize(uris: ["urn:budkavle:soc-1880:system"], fingerprint: "").grant != nil)
        #expect(other.authorize(uris: ["urn:budkavle:soc-1880:person:staff-17"], fingerprint: "").grant == nil)
        #expect(other.people(at: DeskID(unchecked: "soc-1880-intake")).isEmpty)
    }

    @Test func `somebody on a roster who is not approved is not on duty`() throws {
        let desk = DeskID(unchecked: "lpo")
        let noon = time("2026-12-11T12:00:00+01:00")
        #expect(try policy(without: []).onDuty(at: desk, when: noon).count == 1)
        let policy = try policy(without: ["person:pol-18-lpo/p-1 pol-18-lpo"])
        #expect(policy.onDuty(at: desk, when: noon) == [] && !policy.isOpen(desk, at: noon))
    }

    @Test func `a desk that is not approved takes nothing and nobody works at it`() throws {
        let policy = try policy(without: ["desk:soc-1864/soc-1864-intake soc-1864"])
        #expect(policy.desk(DeskID(unchecked: "soc-1864-intake")) == nil && policy.desks(of: party("soc-1864")) == [])
        #expect(policy.party(party("soc-1864"))?.people.map(\.desks) == [[]])
    }

    @Test func `an on-call desk acts only for boards of which both have approved it`() throws {
        let policy = try policy(without: ["agent:jour-1880/soc-1864 soc-1864"])
        #expect(policy.agents(of: party("soc-1864")) == [] && policy.agents(of: party("soc-1880")).count == 1)
        #expect(policy.boards(of: party("jour-1880")) == [party("soc-1880")])
        let at = time("2026-12-11T23:10:00+01:00")
        let grant = policy.decide(event("police.intervention.closed", from: "pol-18-rlc", municipality: "1864"), at: at)
        #expect(grant.summary == ["soc-1864:soc-1864-intake:intervention-soc"], "the board gets it at its own desk")
    }

    @Test(arguments: [
        ("agreement:local-1880/frv-18 frv-18", ["pol-18-lpo", "soc-1880"]),
        ("agreement:local-1880/frv-18 pol-18-rlc", ["pol-18-lpo", "soc-1880"]),
        ("agreement:local-1880/frv-18 pol-18-lpo", ["frv-18", "pol-18-lpo", "soc-1880"]),
        ("agreement:local-1880/pol-18-rlc frv-18", ["pol-18-lpo", "soc-1880"]),
        ("agreement:local-1880/pol-18-rlc pol-18-rlc", ["pol-18-lpo"]),
    ]) func `an agreement counts only between parties that have both approved that both take part`(
        left: String, reached: [String]
    ) throws {
        let at = "2026-12-11T23:10:00+01:00"
        let decision = try policy(without: [left]).decide(
            event(
                "focus.listed", from: "pol-18-rlc", at: at, municipality: "1880",
                affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem"), at: time(at))
        #expect(decision.grants.map(\.party.text) == reached)
    }

    @Test func `a gap counts as signed only under the board's key`() throws {
        let gapped = PolicyFixture().inProduction.replacing(
            "functions: {intake:",
            with: "coverage-gap: [{signed: 2026-11-20, by: intake, until: 2027-06-30}]\nfunctions: {intake:",
            in: "parties/soc-1880.yaml")
        let gaps = { (left: Set<String>) in
            try gapped.approved(without: left).policy().party(party("soc-1880"))?.coverageGaps.count
        }
        #expect(try gaps([]) == 1)
        #expect(try gaps(["coverage-gap:soc-1880 soc-1880"]) == 0)
    }

    @Test func `a fallback counts only when both have approved it`() throws {
        let policy = try policy(without: ["fallback:pol-18-lpo pol-18-rlc"])
        #expect(policy.party(party("pol-18-lpo"))?.fallback == nil)
    }

    @Test func `which parts are inactive is in the digest, and who approved the rest is not`() throws {
        let all = try policy(without: [])
        let digests = try ["rule:focus-group frv-18", "rule:focus-group soc-1880", "client:reg-18/form reg-18"].map {
            try policy(without: [$0]).digest
        }
        #expect(Set(digests + [all.digest]).count == 4)
        #expect(all.digest == (try PolicyFixture().inProduction.approved().policy().digest))
        #expect(String(decoding: all.canonicalText, as: UTF8.self).contains("inactive") == false)
    }

    @Test func `worked examples are played as if everything were approved`() throws {
        let files = try PolicyFixture().inProduction.approved(without: ["rule:intervention-soc soc-1880"]).files
        let result = PolicyCheck.run(files: files, zone: PolicyFixture.zone)
        #expect(result.isActivatable && result.examples.allSatisfy(\.passed), "\(result.diagnostics.map(\.text))")
        #expect(result.policy?.inactive.isEmpty == false)
    }
}
