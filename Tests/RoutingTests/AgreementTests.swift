import CaseNotifications
import Settings
import Testing

@testable import Routing

struct AgreementTests {
    /// Without the rule's own end, so that the agreement's decides: 31 August 2027.
    private static let fixture = PolicyFixture().replacing(
        "valid: {to: 2027-01-31}", with: "valid: {}", in: "rules.yaml")

    private func focus(_ policy: Policy, _ at: String) -> Decision {
        policy.decide(
            event(
                "focus.listed", from: "pol-18-rlc", at: at, municipality: "1880",
                affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem"), at: time(at))
    }

    @Test func `may stops in the second in which an agreement ends, duty goes on`() throws {
        let policy = try Self.fixture.policy()
        let last = "2027-08-31T23:59:59+02:00"
        let first = "2027-09-01T00:00:00+02:00"
        #expect(focus(policy, last).grants.map(\.party.text) == ["frv-18", "pol-18-lpo", "soc-1880"])
        #expect(focus(policy, last).until <= time(first))
        let ended = focus(policy, first)
        // Police to police is one body, and needs no agreement.
        #expect(ended.grants.map(\.party.text) == ["pol-18-lpo"])
        let refused = ended.refusals.filter { ["frv-18", "soc-1880"].contains($0.party.text) }
        #expect(refused.map(\.code) == [.agreementExpired, .agreementExpired])
        #expect(refused.first?.reasons.map(\.kind) == [.agreementEnded(agreement: "local-1880")])
        for at in [last, first] {
            let duty = policy.decide(
                event("police.intervention.closed", from: "pol-18-rlc", at: at, municipality: "1880"), at: time(at))
            #expect(duty.grants.map(\.party.text) == ["soc-1880"])
        }
    }

    @Test(
        arguments: [
            ("2027-07-02T23:59:59.999+02:00", nil), ("2027-07-03T00:00:00+02:00", 60),
            ("2027-08-01T23:59:59.999+02:00", 60),
            ("2027-08-02T00:00:00+02:00", 30), ("2027-08-24T23:59:59.999+02:00", 30), ("2027-08-25T00:00:00+02:00", 7),
            ("2027-08-31T23:59:59.999+02:00", 7), ("2027-09-01T00:00:00+02:00", 0),
        ] as [(String, Int?)])
    func `the end of an agreement is announced 60, 30 and 7 days before`(at: String, days: Int?) throws {
        let policy = try Self.fixture.policy()
        let notices = policy.agreementNotices(at: time(at)).filter { $0.agreement == "local-1880" }
        #expect(notices.map(\.days) == (days.map { [$0] } ?? []))
        let next = policy.nextAgreementNotice(after: time(at))
        #expect(next > time(at))
        if let notice = notices.first, days != 0 { #expect(notice.next == next) }
        let warnings = policy.warnings(at: time(at)).filter { $0.message.contains("local-1880") }
        #expect(warnings.count == (days == nil ? 0 : 1))
        #expect(warnings.allSatisfy { $0.code == .endingAgreement && $0.location.file == "agreements.yaml" })
    }

    @Test func `check shows what ends soon with its place and line, and only when it knows the time`() throws {
        let files = Self.fixture.replacing(", speed: 1}", with: ", speed: 1}", in: "collaboration.yaml").files
        #expect(PolicyCheck.run(files: files, zone: PolicyFixture.zone).diagnostics.isEmpty)
        var real = files
        real["collaboration.yaml"] = real["collaboration.yaml"]?.replacingFirst(
            "clock: {start: 2026-12-11T23:00:00+01:00, speed: 1}\n", with: "")
        let result = PolicyCheck.run(files: real, zone: PolicyFixture.zone, at: time("2027-08-25T12:00:00+02:00"))
        let warning = try #require(result.diagnostics.first { $0.message.contains("local-1880") })
        #expect(
            warning.text.contains(
                "agreements.yaml:3:9: warning: the agreement 'local-1880' ends on 2027-08-31, in 6 days"))
        #expect(warning.sourceLine == "  - id: local-1880")
        #expect(result.isActivatable)
    }

    // MARK: Federations

    /// A federation signs for eight organisations, each with a board of its own.
    private static func federation(_ members: String) -> PolicyFixture {
        var fixture = PolicyFixture()
        for number in 1...8 {
            fixture.files["parties/soc-f\(number).yaml"] = (fixture.files["parties/soc-1864.yaml"] ?? "")
                .replacingFirst("id: soc-1864", with: "id: soc-f\(number)")
                .replacingFirst("organisation: ljusnarsberg", with: "organisation: kommun-\(number)")
                .replacingFirst("soc-1864-intake", with: "soc-f\(number)-intake")
                .replacingFirst("desks: [soc-1864-intake]", with: "desks: [soc-f\(number)-intake]")
        }
        return fixture.appending(
            """
              - id: federation
                label: {sv: Kommunförbundet, en: Federation}
                level: county
                state: in-force
                signatories:
                  - {organisation: kriminalvarden, signed: 2026-01-01}
                  - {federation: kommunforbundet, signed: 2026-01-02, members: [\(members)]}

            """, to: "agreements.yaml")
    }

    private func status(_ policy: Policy, to municipality: String = "1864", at: String) -> [String] {
        policy.decide(
            event(
                "programme.status", from: "frv-18", at: at, municipality: municipality,
                affirmations: ["balance-done", "purpose-standing"]), at: time(at)
        ).grants.map(\.party.text).filter { $0.hasPrefix("soc-f") }
    }

    @Test func `a federation's signature opens one way for each of its members, each can be ended`() throws {
        let names = (1...8).map { "kommun-\($0)" }
        let all = try Self.federation(names.joined(separator: ", ")).policy()
        let at = "2026-12-11T12:00:00+01:00"
        #expect(status(all, at: at) == (1...8).map { "soc-f\($0)" })
        let fewer = try Self.federation(names.dropLast().joined(separator: ", ")).policy()
        #expect(status(fewer, at: at) == (1...7).map { "soc-f\($0)" })
        let leaving = try Self.federation(
            names.dropFirst().joined(separator: ", ") + ", {organisation: kommun-1, left: 2026-12-11}"
        ).policy()
        #expect(status(leaving, at: "2026-12-11T23:59:59+01:00").count == 8)
        #expect(status(leaving, at: "2026-12-12T00:00:00+01:00") == (2...8).map { "soc-f\($0)" })
        let notice = leaving.agreementNotices(at: time(at)).first { $0.agreement == "federation" }
        #expect(notice?.parties == [party("soc-f1")] && notice?.days == 7)
        #expect(
            leaving.warnings(at: time(at)).contains { $0.message.contains("ends for soc-f1 on 2026-12-11, in 0 days") })
    }

    @Test func `a federation without members, one twice, and an unknown one are told`() {
        #expect(Self.federation("").diagnostics.map(\.code.text).count == 1)
        #expect(Self.federation("kommun-1, kommun-1").diagnostics.map(\.code.text) == ["BK3004"])
        #expect(Self.federation("kommun-9").diagnostics.map(\.code.text) == ["BK3101"])
        #expect(Self.federation("{organisation: kommun-9}").diagnostics.map(\.code.text) == ["BK3101"])
    }

    // MARK: Addresses

    @Test(arguments: [
        ("parties/soc-1880.yaml", "id: soc-1880-intake", "id: anna@orebro.se"),
        ("parties/soc-1880.yaml", "clients: [{id: system", "clients: [{id: anna@orebro.se"),
        ("parties/soc-1880.yaml", "people: [{id: staff-17", "people: [{id: anna@orebro.se"),
        (
            "parties/soc-1880.yaml", "id: system, roles",
            "id: system, uri: \"urn:budkavle:soc-1880:anna@orebro.se\", roles"
        ),
        ("parties/soc-1880.yaml", "label: {sv: Mottagning,", "label: {sv: \"Mottagning, anna@orebro.se\","),
        ("parties/soc-1880.yaml", "functions: {intake:", "functions: {intake: {sv: a, en: a}, anna@orebro.se:"),
        ("parties/pol-18-lpo.yaml", "fallback: pol-18-rlc", "fallback: rlc@polisen.se"),
        ("collaboration.yaml", "members: [pol-18-lpo,", "members: [pol-18-lpo, anna@orebro.se,"),
        ("agreements.yaml", "{organisation: polisen,", "{organisation: info@polisen.se,"),
        (
            "rules.yaml", "to: {parties: [pol-18-rlc]}\n    basis: osl-10-18c",
            "to: {parties: [rlc@polisen.se]}\n    basis: osl-10-18c"
        ),
        ("tests.yaml", "not: [lst-18, soc-1864]", "not: [lst-18, info@lst.se]"),
        ("law.yaml", "label: {sv: Samtycke,", "label: {sv: anna@orebro.se,"),
    ])
    func `an e-mail address is an error wherever it is written`(file: String, old: String, new: String) throws {
        let fixture = PolicyFixture().replacing(old, with: new, in: file)
        let found = fixture.diagnostics.filter { $0.code == .personalAddress }
        let text = try #require(fixture.files[file])
        #expect(found.count == 1, "\(fixture.diagnostics.map(\.text))")
        let place = try #require(found.first?.location)
        #expect(place.file == file)
        let line = String(text.split(separator: "\n", omittingEmptySubsequences: false)[place.line - 1])
        #expect(line.contains("@") && found.first?.severity == .error)
    }
}
