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

    private static let staff999 = PolicyFixture().inProduction.replacing(
        "people: [{", with: "people: [{id: staff-999, roles: [responder], desks: [jour-1880]}, {",
        in: "parties/jour-1880.yaml")

    @Test(arguments: ["jour-1880", "soc-1864", "soc-1880"])
    func `somebody at an on-call desk is nobody until it and every board that it acts for has approved`(
        left: String
    ) throws {
        let fixture = try Self.staff999.approved(without: ["person:jour-1880/staff-999 \(left)"])
        #expect(try fixture.missing() == ["person:jour-1880/staff-999: \(left)"])
        #expect(
            fixture.diagnostics.map(\.message) == [
                "person:jour-1880/staff-999 is inactive: approval of \(left) missing"
            ])
        let policy = try fixture.policy()
        let desk = DeskID(unchecked: "jour-1880")
        #expect(policy.people(at: desk).map(\.id.text) == ["staff-31"], "who was there before stays")
        #expect(policy.authorize(uris: ["urn:budkavle:jour-1880:person:staff-999"], fingerprint: "").grant == nil)
        #expect(try Self.staff999.approved().policy().people(at: desk).count == 2)
    }

    @Test func `a board that is not served yet closes nothing for those that are`() throws {
        let more = try PolicyFixture().inProduction.approved().replacing(
            "agent-for: [soc-1880, soc-1864]", with: "agent-for: [soc-1880, soc-1864, soc-1780]",
            in: "parties/jour-1880.yaml")
        #expect(try more.missing() == ["agent:jour-1880/soc-1780: jour-1880, soc-1780"])
        #expect(try more.policy().people(at: DeskID(unchecked: "jour-1880")).map(\.id.text) == ["staff-31"])
        // Once both have approved that it acts for the board, who reads there is the board's to approve, too.
        let parts = ["desk:jour-1880/jour-1880", "person:jour-1880/staff-31"]
        var served = more
        served.files["approvals/jour-1880.yaml"] = try more.approvals(of: "jour-1880")
        served.files["approvals/soc-1780.yaml"] = try more.approvals(of: "soc-1780", without: Set(parts))
        #expect(try served.missing() == ["agent:jour-1880/soc-1780: soc-1780"])
        let told = try #require(served.diagnostics.first { $0.code == .approvalMissing })
        #expect(
            told.message == "agent:jour-1880/soc-1780 is inactive: approval of soc-1780 missing for "
                + parts.joined(separator: ", "))
        #expect(told.hint == "budkavled approve --party soc-1780 --key FILE")
        let policy = try served.policy()
        #expect(policy.people(at: DeskID(unchecked: "jour-1880")).map(\.id.text) == ["staff-31"])
        #expect(policy.boards(of: party("jour-1880")).map(\.text) == ["soc-1880", "soc-1864"])
        served.files["approvals/soc-1780.yaml"] = try more.approvals(of: "soc-1780")
        #expect(try served.missing() == [])
    }

    private static let readers = staff999.replacing(
        "people: [{", with: "clients: [{id: station, roles: [receiver], stations: [jour-1880]}]\npeople: [{",
        in: "parties/jour-1880.yaml")

    @Test(arguments: [
        ["desk:jour-1880/jour-1880"], ["client:jour-1880/station"],
        ["person:jour-1880/staff-31", "person:jour-1880/staff-999"],
    ]) func `a board that takes back its approval of who reads for it closes that for itself alone`(
        parts: [String]
    ) throws {
        let fixture = try Self.readers.approved(without: Set(parts.map { "\($0) soc-1864" }))
        #expect(try fixture.missing() == ["agent:jour-1880/soc-1864: soc-1864"])
        #expect(
            fixture.diagnostics.map(\.message) == [
                "agent:jour-1880/soc-1864 is inactive: approval of soc-1864 missing for "
                    + parts.joined(separator: ", ")
            ])
        let policy = try fixture.policy()
        #expect(policy.people(at: DeskID(unchecked: "jour-1880")).map(\.id.text) == ["staff-31", "staff-999"])
        #expect(policy.stations(of: DeskID(unchecked: "jour-1880")).count == 1)
        let at = time("2026-12-11T23:10:00+01:00")
        #expect(policy.decide(intervention, at: at).summary == ["soc-1880:jour-1880:intervention-soc"])
        let other = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1864")
        #expect(policy.decide(other, at: at).summary == ["soc-1864:soc-1864-intake:intervention-soc"])
    }

    @Test(arguments: ["desk:jour-1880/jour-1880", "client:jour-1880/station"])
    func `what an on-call desk's own party has not approved is inactive, and the boards stay`(part: String) throws {
        let left = ["jour-1880", "soc-1864"].map { "\(part) \($0)" }
        let fixture = try Self.readers.approved(without: Set(left))
        #expect(try fixture.missing() == ["\(part): jour-1880, soc-1864"])
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
