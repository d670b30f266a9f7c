import CaseNotifications
import Settings
import Testing

@testable import Routing

/// What the law has only senders of some kinds affirm, whichever rule they tell by.
struct SenderAffirmationTests {
    private static let written = "2026-12-11T15:00:00+01:00"
    private static let at = time(written)
    private static let demand = "    affirmations-from: {police: [close-person]}\n"

    /// Police and probation tell the group by one rule and one basis, which lets the police affirm one thing more.
    private static let fixture = open.replacing(
        "    standing: [purpose-standing]\n", with: "    standing: [purpose-standing]\n" + demand, in: "law.yaml")
    /// The same without that.
    private static let open = PolicyFixture().replacing(
        "from: {kinds: [police]}\n    to: {group: yes", with: "from: {kinds: [police, probation]}\n    to: {group: yes",
        in: "rules.yaml")

    private func listed(from source: String, _ affirmations: String...) -> CaseNotification {
        event(
            "focus.listed", from: source, at: Self.written, municipality: "1880", affirmations: affirmations,
            programme: "trygga-hem")
    }

    private static func part(_ id: String, of fixture: PolicyFixture) throws -> ApprovalPart {
        try #require(try fixture.parts().first { $0.id == id })
    }

    // MARK: Decisions

    @Test func `of the senders of one rule only those of the kind must affirm it`() throws {
        let policy = try Self.fixture.policy()
        let refused = policy.decide(listed(from: "pol-18-rlc", "balance-done"), at: Self.at)
        #expect(refused.grants.isEmpty && refused.refusal?.code == .affirmationMissing)
        #expect(refused.refusals.map(\.party.text) == ["frv-18", "pol-18-lpo", "soc-1880"])
        for refusal in refused.refusals {
            #expect(refusal.reasons.map(\.kind) == [.affirmationsMissing(["close-person"])])
        }
        let cleared = policy.decide(listed(from: "pol-18-rlc", "balance-done", "close-person"), at: Self.at)
        #expect(cleared.grants.map(\.party.text) == ["frv-18", "pol-18-lpo", "soc-1880"])
        let probation = policy.decide(listed(from: "frv-18", "balance-done"), at: Self.at)
        #expect(probation.grants.map(\.party.text) == ["pol-18-lpo", "soc-1880"])
    }

    @Test func `what law and rule both ask is asked once, the law's first`() throws {
        let policy = try Self.fixture.replacing(
            "    valid: {to: 2027-01-31}\n", with: "    affirm: [concrete-risk, close-person]\n", in: "rules.yaml"
        ).policy()
        func missing(_ source: String) -> RuleStep.Finding? {
            let rule = policy.steps(of: listed(from: source), at: Self.at).first { $0.rule.text == "focus-group" }
            return rule?.steps.first { $0.matcher == .affirmations }?.finding
        }
        #expect(
            missing("pol-18-rlc")
                == .reason(.affirmationsMissing(["balance-done", "close-person", "concrete-risk"])))
        #expect(
            missing("frv-18") == .reason(.affirmationsMissing(["balance-done", "concrete-risk", "close-person"])))
    }

    @Test func `what the police told before the law asked it is theirs no more to read, what probation told is`() throws
    {
        let policy = try Self.fixture.policy()
        func right(_ notification: CaseNotification) -> Right {
            policy.right(of: party("soc-1880"), to: notification, acceptedAt: Self.at, at: Self.at)
        }
        #expect(right(listed(from: "pol-18-rlc", "balance-done")) == .ended(.affirmationMissing))
        let fields = ["level", "criteria"]
        #expect(
            right(listed(from: "pol-18-rlc", "balance-done", "close-person"))
                == .holds(attributes: ["level"], fields: fields))
        #expect(right(listed(from: "frv-18", "balance-done")) == .holds(attributes: ["level"], fields: fields))
    }

    @Test func `an example event affirms what its sender must`() throws {
        let type = try #require(EventType("se.budkavle.focus.listed.v1"))
        let example = try #require(try Self.fixture.policy().exampleNotification(of: type, at: Self.at))
        #expect(example.source == party("pol-18-rlc"))
        #expect(example.affirmations.map(\.name) == ["balance-done", "close-person"])
    }

    // MARK: Changes

    @Test func `a demand that is gone widens, in words that say of whom; a new one does not`() throws {
        let (open, strict) = (try Self.open.policy(), try Self.fixture.policy())
        let difference = PolicyDifference(from: strict, to: open)
        #expect(difference.changes.map { "\($0.what) \($0.name)" } == ["basis osl-10-15a"])
        #expect(difference.changes.first?.details == ["affirmations-from: -{police: [close-person]}"])
        #expect(difference.gained.isEmpty)
        #expect(difference.widened.map(\.words) == ["rule focus-group asks less: affirmations from police"])
        #expect(difference.widened.first?.parties.contains(party("soc-1880")) == true)
        #expect(difference.approvers.contains(party("soc-1880")))
        #expect(PolicyDifference(from: open, to: strict).widened.isEmpty)
    }

    @Test func `a demand that moves from the rule to the law widens only where somebody no longer meets it`() throws {
        func affirming(_ fixture: PolicyFixture) throws -> Policy {
            try fixture.replacing(
                "    valid: {to: 2027-01-31}\n",
                with: "    valid: {to: 2027-01-31}\n    affirm: [close-person]\n", in: "rules.yaml"
            ).policy()
        }
        let mixed = PolicyDifference(from: try affirming(Self.open), to: try Self.fixture.policy())
        #expect(mixed.widened.map(\.words) == ["rule focus-group asks less: affirmations from probation"])
        let policeAlone = Self.fixture.replacing(
            "[police, probation]}\n    to", with: "[police]}\n    to", in: "rules.yaml")
        #expect(PolicyDifference(from: try affirming(PolicyFixture()), to: try policeAlone.policy()).widened.isEmpty)
    }

    @Test func `a sender of another kind of which less is asked widens`() throws {
        let other = Self.fixture.replacing("kind: police", with: "kind: probation", in: "parties/pol-18-lpo.yaml")
        let words = PolicyDifference(from: try Self.fixture.policy(), to: try other.policy()).widened.map(\.words)
        #expect(words.contains("rule focus-group asks less: affirmations from probation"), "\(words)")
    }

    // MARK: Approvals

    @Test func `a demand that is gone ends the approvals of the rules of those senders and of no other`() throws {
        let approved = try Self.fixture.inProduction.approved()
        #expect(try approved.missing() == [])
        let missing = try approved.replacing(Self.demand, with: "", in: "law.yaml").missing()
        #expect(missing.map { $0.prefix { $0 != " " } } == ["rule:focus-group:"])
    }

    @Test func `what is otherwise is told in plain words, both ways`() throws {
        let strict = try Self.part("rule:focus-group", of: Self.fixture).form
        let open = try Self.part("rule:focus-group", of: Self.open).form
        #expect(open.changes(since: strict).map(\.en) == ["legal basis, to be affirmed by police: gone"])
        #expect(open.changes(since: strict).map(\.sv) == ["rättslig grund, intygas av police: bort"])
        #expect(strict.changes(since: open).map(\.en) == ["legal basis, to be affirmed by police: new, close-person"])
    }

    @Test func `whoever approves reads who must affirm it, where not everybody must`() throws {
        let mixed = try Self.part("rule:focus-group", of: Self.fixture).words
        #expect(mixed.contains { $0.en == "Only if the sender affirms: “Balanced”." })
        #expect(
            mixed.contains { $0.en == "Only if the sender, where it is of the kind police, affirms: “Close person”." })
        #expect(
            mixed.contains { $0.sv == "Bara om avsändaren, när den är av slaget police, intygar: ”Närstående”." })
        let policeAlone = Self.fixture.replacing(
            "[police, probation]}\n    to", with: "[police]}\n    to", in: "rules.yaml")
        let words = try Self.part("rule:focus-group", of: policeAlone).words
        #expect(words.contains { $0.en == "Only if the sender affirms: “Close person”." })
        let others = try Self.part("rule:status-soc", of: Self.fixture)
        #expect(!others.words.contains { $0.en.contains("Close person") })
        #expect(!others.form.lines.contains { $0.hasPrefix("basis.affirmations-from") })
    }

    // MARK: Mistakes

    static let mistakes = [
        Breakage(
            "law.yaml", "{police: [close-person]}", "{police: [close-persn]}", .unknownName, at: "close-persn",
            hint: "did you mean 'close-person'?"),
        Breakage(
            "law.yaml", "{police: [close-person]}", "{polise: [close-person]}", .unknownKey, at: "polise:",
            hint: "did you mean 'police'?"),
        Breakage(
            "law.yaml", demand,
            "    from: {kinds: [probation, police]}\n    affirmations-from: {region: [close-person]}\n",
            .contradiction, at: "region: [close-person]", hint: "its 'from' has police, probation"),
        Breakage(
            "law.yaml", "{police: [close-person]}", "{police: [balance-done]}", .repeatedValue, at: "balance-done]}",
            hint: "remove one of them"),
        Breakage(
            "law.yaml", "{police: [close-person]}", "{police: [close-person, close-person]}", .repeatedValue,
            at: "close-person]}"),
        Breakage("law.yaml", "{police: [close-person]}", "{police: close-person}", .wrongShape, at: "close-person}\n"),
        Breakage("law.yaml", "{police: [close-person]}", "[close-person]", .wrongShape, at: "[close-person]"),
    ]

    @Test(arguments: mistakes) func `a mistake in it has its code, its place and its hint`(mistake: Breakage) throws {
        let broken = Self.fixture.replacing(mistake.old, with: mistake.new, in: mistake.file)
        let place = try #require(mistake.location(in: broken.files[mistake.file] ?? ""))
        let errors = broken.diagnostics.filter { $0.severity == .error }
        let text = errors.map(\.text).joined(separator: "\n")
        #expect(errors.map(\.code) == [mistake.code] && errors.map(\.location) == [place], "\(text)")
        if let hint = mistake.hint { #expect(errors.first?.hint?.contains(hint) == true, "\(text)") }
    }
}
