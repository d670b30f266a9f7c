import CaseNotifications
import Settings
import Testing

@testable import Routing

/// What is read to decide and to activate nothing.
struct LoadPurposeTests {
    private let intervention = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880")
    private let at = time("2026-12-11T23:10:00+01:00")

    private func load(_ fixture: PolicyFixture, _ purpose: LoadPurpose) -> PolicyLoad {
        PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone, for: purpose)
    }

    @Test func `the decision and the digest are the same`() throws {
        let everything = try #require(load(PolicyFixture(), .everything).policy)
        let alone = try #require(load(PolicyFixture(), .decidingAlone).policy)
        #expect(alone.digest == everything.digest)
        #expect(alone.explain(intervention, at: at) == everything.explain(intervention, at: at))
        #expect(alone.steps(of: intervention, at: at) == everything.steps(of: intervention, at: at))
        #expect(alone.examples.isEmpty && !everything.examples.isEmpty)
    }

    @Test func `a mistake in worked examples hinders activation and no answer`() {
        let broken = PolicyFixture().appending("\n  - name: [\n", to: "tests.yaml")
        #expect(load(broken, .everything).policy == nil)
        #expect(load(broken, .decidingAlone).policy != nil)
        var without = PolicyFixture()
        without.files["tests.yaml"] = nil
        #expect(load(without, .decidingAlone).diagnostics.map(\.code) == [.missingFile])
    }

    @Test func `a mistake in a rule hinders both`() {
        let broken = PolicyFixture().appending("\n  - id: [\n", to: "rules.yaml")
        #expect(load(broken, .everything).policy == nil)
        #expect(load(broken, .decidingAlone).policy == nil)
    }

    @Test func `in production mode approvals decide, and are read`() throws {
        let production = PolicyFixture().inProduction
        let approved = try production.approved(without: ["rule:intervention-soc soc-1880"])
        let everything = load(approved, .everything)
        let alone = load(approved, .decidingAlone)
        let policy = try #require(alone.policy)
        #expect(policy.digest == everything.policy?.digest)
        #expect(!policy.inactive.isEmpty && policy.inactive == everything.policy?.inactive)
        #expect(policy.decide(intervention, at: at).grants == [])
        // Nobody has approved anything: that is an error, to decide as to activate.
        #expect(load(production, .decidingAlone).policy == nil)
    }
}
