import CaseNotifications
import Testing

@testable import Routing

/// Which affirmations count: of this notification, by the relay's clock, and of a person of the sender.
struct AffirmationTests {
    private static let at = time("2026-12-11T23:10:00+01:00")

    /// What a board discloses by 10 kap. 18 c § OSL, which demands two affirmations.
    private func risk(
        from source: String = "soc-1880", by person: String = "staff-17", after seconds: Int64 = 0,
        time instant: Timestamp = Self.at
    ) -> CaseNotification {
        var notification = event("risk.disclosed", from: source)
        notification.time = instant
        notification.affirmations = ["concrete-risk", "close-person"].map {
            Affirmation(name: $0, person: PersonID(unchecked: person), at: Self.at.advanced(bySeconds: seconds))
        }
        return notification
    }

    @Test func `an affirmation ages by the clock of the decision, never by the time that the sender writes`() throws {
        let policy = try PolicyFixture().policy()
        func decide(_ seconds: Int64, time: Timestamp) -> Decision {
            policy.decide(risk(after: seconds, time: time), at: Self.at)
        }
        let month = Int64(29 * 86_400)
        let (past, future) = (Self.at.advanced(bySeconds: -month), time("9998-12-31T00:00:00Z"))
        for written in [past, Self.at, future] {
            #expect(decide(0, time: written).grants.map(\.party.text) == ["pol-18-rlc"])
            #expect(decide(-86_400, time: written).grants.count == 1)
            #expect(decide(-86_401, time: written).refusal?.code == .affirmationMissing)
            #expect(decide(300, time: written).grants.count == 1)
            #expect(decide(301, time: written).refusal?.code == .affirmationMissing)
        }
        #expect(decide(-month, time: past).refusal?.code == .affirmationMissing, "replayed with its own time")
        #expect(
            policy.decide(risk(after: 250_000_000_000, time: future), at: Self.at).refusal?.code == .affirmationMissing)
    }

    @Test func `a decision holds until an affirmation begins to count or ceases to`() throws {
        let policy = try PolicyFixture().policy()
        let end = policy.decide(risk(), at: Self.at).until
        #expect(end == Timestamp(milliseconds: Self.at.milliseconds + 86_400_001))
        #expect(!policy.decide(risk(), at: Timestamp(milliseconds: end.milliseconds - 1)).grants.isEmpty)
        #expect(policy.decide(risk(), at: end).grants.isEmpty)
        let early = policy.decide(risk(after: 301), at: Self.at)
        #expect(early.grants.isEmpty && early.until == Self.at.advanced(bySeconds: 1))
        #expect(!policy.decide(risk(after: 301), at: early.until).grants.isEmpty)
    }

    @Test(
        arguments: [
            ("soc-1880", "staff-17", true), ("soc-1880", "staff-99", false), ("soc-1880", "staff-1", false),
            ("soc-1880", "system", false), ("soc-1880", "system-2", false), ("soc-1880", "standing", false),
            // Its file lists nobody: its systems speak for people, and are none.
            ("reg-18", "nurse-4", true), ("reg-18", "form", false), ("reg-18", "form-2", false),
            ("reg-18", "standing", false),
        ])
    func `only a person of the sender affirms`(source: String, person: String, counts: Bool) throws {
        let fixture = PolicyFixture()
        try #require(fixture.files["parties/soc-1880.yaml"]?.contains("clients: [{id: system,") == true)
        try #require(fixture.files["parties/reg-18.yaml"]?.contains("clients: [{id: form,") == true)
        try #require(fixture.files["parties/reg-18.yaml"]?.contains("people:") == false)
        let decision = try fixture.policy().decide(risk(from: source, by: person), at: Self.at)
        #expect(decision.grants.map(\.party.text) == (counts ? ["pol-18-rlc"] : []))
        #expect(decision.refusal?.code == (counts ? nil : .affirmationMissing))
    }

    @Test func `what was accepted keeps its affirmations when they are old and whoever affirmed has left`() throws {
        let later = Self.at.advanced(bySeconds: 20 * 86_400)
        let left = PolicyFixture().replacing("{id: staff-17, ", with: "{id: staff-18, ", in: "parties/soc-1880.yaml")
        for policy in [try PolicyFixture().policy(), try left.policy()] {
            func right(_ notification: CaseNotification) -> Right {
                policy.right(of: party("pol-18-rlc"), to: notification, acceptedAt: Self.at, at: later)
            }
            #expect(right(risk()) == .holds(attributes: [], fields: ["concrete"]))
            #expect(right(risk(after: -86_401)) == .ended(.affirmationMissing))
            #expect(right(risk(by: "system-2")) == .ended(.affirmationMissing))
        }
    }
}
