import CaseNotifications
import Settings
import Testing

@testable import Routing

/// A merger is a part that both parties approve. Without that it is as if it did not happen, on its day too.
struct MergerApprovalTests {
    /// Ljusnarsberg's board becomes part of Örebro's on New Year's Day 2027, and Örebro's people work at its desk.
    private static let fixture = PolicyFixture()
        .appending("merged-into: {party: soc-1880, on: 2027-01-01}\n", to: "parties/soc-1864.yaml")
        .replacing(
            "municipalities: [\"1880\"]\nregime: gdpr", with: "municipalities: [\"1864\", \"1880\"]\nregime: gdpr",
            in: "parties/soc-1880.yaml"
        )
        .inProduction

    private static let before = "2026-12-31T23:59:59.999+01:00"
    private static let on = "2027-01-01T00:00:00+01:00"
    private static let after = "2027-01-04T10:00:00+01:00"

    private func ban(_ policy: Policy, at instant: String) -> Decision {
        policy.decide(
            event("contactban.issued", from: "akl-18", at: instant, audience: ["soc-1864/respondent"]),
            at: time(instant))
    }

    @Test func `both parties approve a merger, and another day is another merger`() throws {
        let part = try #require(try Self.fixture.parts().first { $0.id == "merged:soc-1864" })
        #expect(part.approvers == [party("soc-1864"), party("soc-1880")])
        #expect(part.form.lines == ["into: soc-1880", "from: 2026-12-31T23:00:00.000Z"])
        #expect(part.location.file == "parties/soc-1864.yaml")
        let moved = Self.fixture.replacing("on: 2027-01-01", with: "on: 2027-01-02", in: "parties/soc-1864.yaml")
        let other = try #require(try moved.parts().first { $0.id == "merged:soc-1864" })
        #expect(other.form != part.form)
    }

    @Test func `an approved merger routes to the successor from its day on`() throws {
        let policy = try Self.fixture.approved().policy()
        #expect(ban(policy, at: Self.before).grants.map(\.party.text) == ["soc-1864"])
        for instant in [Self.on, Self.after] {
            #expect(ban(policy, at: instant).grants.map(\.party.text) == ["soc-1880"])
            #expect(policy.successor(of: party("soc-1864"), at: time(instant)) == party("soc-1880"))
        }
    }

    @Test(arguments: ["merged:soc-1864 soc-1864", "merged:soc-1864 soc-1880"])
    func `without one of the two approvals everything stays with the old party, before, on and after the day`(
        left: String
    ) throws {
        let policy = try Self.fixture.approved(without: [left]).policy()
        let old = party("soc-1864")
        #expect(policy.party(old)?.merger == nil)
        for instant in [Self.before, Self.on, Self.after] {
            let decision = ban(policy, at: instant)
            #expect(decision.grants.map(\.party.text) == ["soc-1864"], "\(instant)")
            #expect(decision.refused == [])
            #expect(policy.successor(of: old, at: time(instant)) == nil)
            #expect(policy.predecessors(of: party("soc-1880"), at: time(instant)) == [])
            #expect(policy.mayLie(at: DeskID(unchecked: "soc-1864-intake"), of: old, agent: nil, when: time(instant)))
            // It still sends, and what was addressed to it is its own.
            let risk = event(
                "risk.disclosed", from: "soc-1864", at: instant, affirmations: ["concrete-risk", "close-person"])
            #expect(policy.decide(risk, at: time(instant)).grants.map(\.party.text) == ["pol-18-rlc"])
            let sent = event("contactban.issued", from: "akl-18", at: Self.before, audience: ["soc-1864/respondent"])
            let own = policy.right(of: old, to: sent, acceptedAt: sent.time, at: time(instant))
            #expect(own == .holds(attributes: [], fields: ["validFrom"]))
            let other = policy.right(
                of: party("soc-1880"), to: sent, acceptedAt: sent.time, at: time(instant))
            #expect(other == .ended(.noRule))
        }
    }

    @Test(arguments: ["merged:soc-1864 soc-1864", "merged:soc-1864 soc-1880"])
    func `the old party's work lies at the successor's desk only by an approved merger`(left: String) throws {
        let desk = DeskID(unchecked: "soc-1880-intake")
        func mayLie(_ policy: Policy) -> [Bool] {
            [Self.before, Self.on, Self.after].map { instant in
                policy.mayLie(at: desk, of: party("soc-1864"), agent: party("soc-1880"), when: time(instant))
            }
        }
        #expect(try mayLie(Self.fixture.approved().policy()) == [false, true, true])
        #expect(try mayLie(Self.fixture.approved(without: [left]).policy()) == [false, false, false])
    }

    @Test(arguments: [
        ("people", "desks: [soc-1880-intake]", "desks: [soc-1880-intake, soc-1864-intake]"),
        ("clients", "stations: [soc-1880-intake]", "stations: [soc-1880-intake, soc-1864-intake]"),
    ])
    func `a desk belongs to one party, and a merger puts nobody of the successor at the old party's`(
        who: String, own: String, both: String
    ) throws {
        let errors = Self.fixture.replacing(own, with: both, in: "parties/soc-1880.yaml").diagnostics
            .filter { $0.severity == .error }
        #expect(errors.map(\.code) == [.unknownName], "\(who)")
        #expect(errors.first?.message.contains("'soc-1864-intake'") == true, "\(who)")
        #expect(errors.first?.location.file == "parties/soc-1880.yaml", "\(who)")
    }
}
