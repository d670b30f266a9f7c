import CaseNotifications
import Testing

@testable import Routing

/// Properties that hold for every notification: many are made from one seed, printed when one fails.
struct PolicyPropertyTests {
    private static let seed: UInt64 = 0x5EED_0001

    static func events(_ policy: Policy, count: Int, random: inout SplitMix) -> [CaseNotification] {
        (0..<count).map { _ in
            let anyType = policy.catalogue.types.keys.sorted().randomElement(using: &random) ?? .none
            let anySender = policy.parties.randomElement(using: &random)?.id.text ?? ""
            // Most events are of a sender that some rule is for.
            let isLikely = Int.random(in: 0..<5, using: &random) > 0
            let (type, sender) =
                isLikely ? likely.randomElement(using: &random) ?? ("", "") : (anyType.shortName, anySender)
            let words = ["respondent", "protected", "child", "member"]
            let names = policy.parties.map(\.id.text) + ["kg-1880", "soc-9999"]
            let audience = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                "\(names.randomElement(using: &random) ?? "")/\(words.randomElement(using: &random) ?? "")"
            }
            let affirmations = ["balance-done", "concrete-risk", "close-person"].filter { _ in
                Int.random(in: 0..<4, using: &random) > 0
            }
            return event(
                type, from: sender,
                municipality: ["1880", "1864", "1780", nil].randomElement(using: &random) ?? nil,
                audience: Array(Set(audience)).sorted(),
                isProtected: [true, false, nil].randomElement(using: &random) ?? nil,
                circumstances: Bool.random(using: &random) ? ["child-present"] : [],
                affirmations: affirmations,
                consentOf: ["protected-person", "respondent", nil].randomElement(using: &random) ?? nil,
                level: ["A", "B", nil].randomElement(using: &random) ?? nil,
                programme: ["trygga-hem", nil].randomElement(using: &random) ?? nil)
        }
    }

    private static let likely = [
        ("police.intervention.closed", "pol-18-rlc"), ("contactban.issued", "akl-18"),
        ("injury.observed", "reg-18"),
        ("risk.disclosed", "reg-18"), ("risk.disclosed", "soc-1880"), ("focus.listed", "pol-18-rlc"),
        ("programme.status", "frv-18"),
    ]

    static func instant(using random: inout SplitMix) -> Timestamp {
        let first = time("2025-06-01T00:00:00Z").milliseconds
        let last = time("2027-12-31T00:00:00Z").milliseconds
        return Timestamp(milliseconds: Int64.random(in: first...last, using: &random))
    }

    @Test func `a decision is constant until it says`() throws {
        let policy = try PolicyFixture().appending(Self.never, to: "rules.yaml").policy()
        var random = SplitMix(state: Self.seed)
        var grants = 0
        for made in Self.events(policy, count: 1_200, random: &random) {
            let at = Self.instant(using: &random)
            let notification = made.affirmed(at: at, in: policy)
            let decision = policy.decide(notification, at: at)
            grants += decision.grants.count
            #expect(decision.until > at, "seed \(Self.seed)")
            let end = min(decision.until, time("2028-06-01T00:00:00Z")).milliseconds - 1
            guard end > at.milliseconds else { continue }
            var samples = (0..<12).map { _ in Int64.random(in: at.milliseconds...end, using: &random) }
            samples += [at.milliseconds + 1, end]
            for sample in samples {
                let later = Timestamp(milliseconds: sample)
                let got = policy.decide(notification, at: later)
                let moved = decision.grants.map { grant in
                    var grant = grant
                    grant.acknowledgeBy = grant.deadline.instant(from: later)
                    return grant
                }
                // `until` itself may come nearer only when nothing changes at the nearer one.
                let wanted = Decision(
                    at: later, urgency: decision.urgency, grants: moved, refusals: decision.refusals,
                    until: got.until, refusal: decision.refusal)
                #expect(got == wanted, "seed \(Self.seed) \(notification.type) at \(at) and \(later)")
            }
        }
        #expect(grants > 100, "the events must reach somebody for this to show anything")
    }

    @Test(arguments: SamplePolicy.allCases)
    func `the order of files, rules, bases and parties changes nothing`(which: SamplePolicy) throws {
        let texts = try which.texts()
        let policy = try which.policy()
        var random = SplitMix(state: Self.seed + 1)
        for _ in 0..<(which == .orebro ? 2 : 5) {
            var shuffled = texts
            for (file, marker) in [
                ("rules.yaml", "rules:\n"), ("law.yaml", "bases:\n"), ("agreements.yaml", "agreements:\n"),
            ] {
                let text = texts.files[file] ?? ""
                let list = try #require(text.firstRange(of: marker))
                let start = try #require(text[list.upperBound...].firstRange(of: "  - id:")).lowerBound
                let items = text[start...].split(separator: "  - id:", omittingEmptySubsequences: true)
                let mixed = items.shuffled(using: &random).map { "  - id:" + $0 }.joined()
                shuffled.files[file] = String(text[..<start]) + mixed
            }
            let other = try shuffled.policy()
            #expect(other.digest == policy.digest)
            for made in which.events(policy, count: which == .orebro ? 150 : 60, random: &random) {
                let at = Self.instant(using: &random)
                let notification = made.affirmed(at: at, in: policy)
                // Places in files differ, as they must; everything else is the same.
                #expect(
                    Self.withoutPlaces(policy.decide(notification, at: at))
                        == Self.withoutPlaces(other.decide(notification, at: at)))
            }
        }
    }

    @Test(arguments: SamplePolicy.allCases)
    func `a copy never has more than its rule lists and a strict one never more than an open one`(
        which: SamplePolicy
    ) throws {
        // The fixture with never rules of a time; what is shipped has never rules of its own.
        let policy =
            which == .orebro
            ? try which.policy() : try which.texts().appending(Self.never, to: "rules.yaml").policy()
        var random = SplitMix(state: Self.seed + 2)
        var copies = 0
        for made in which.events(policy, count: 600, random: &random) {
            let at = Self.instant(using: &random)
            let notification = made.affirmed(at: at, in: policy)
            for grant in policy.decide(notification, at: at).grants {
                copies += 1
                let rule = try #require(policy.rule(grant.rule))
                let view = try #require(rule.views[notification.type])
                #expect(grant.isStrict == (notification.isProtected != false))
                #expect(Set(grant.fields).isSubset(of: grant.isStrict ? view.strictFields : view.fields))
                #expect(Set(view.strictFields).isSubset(of: view.fields))
                #expect(Set(view.strictAttributes).isSubset(of: view.attributes))
                #expect(
                    Set(grant.attributes).isSubset(
                        of: grant.isStrict ? view.strictAttributes : view.attributes))
                #expect(!grant.attributes.contains("audience"))
                #expect(grant.party != notification.source)
                if !notification.audience.isEmpty {
                    let named = notification.audience.flatMap { entry in
                        policy.members(ofGroup: entry.to) ?? [party(entry.to)]
                    }
                    #expect(named.contains(grant.insteadOf ?? grant.party))
                }
            }
        }
        #expect(copies >= 100, "copies that were looked at: \(copies)")
    }

    @Test(arguments: SamplePolicy.allCases)
    func `the same input gives the same decision`(which: SamplePolicy) throws {
        let policy = try which.policy()
        let again = try which.texts().policy()
        var random = SplitMix(state: Self.seed + 3)
        for made in which.events(policy, count: 200, random: &random) {
            let at = Self.instant(using: &random)
            let notification = made.affirmed(at: at, in: policy)
            #expect(
                Self.withoutPlaces(policy.decide(notification, at: at))
                    == Self.withoutPlaces(again.decide(notification, at: at)))
            #expect(policy.explain(notification, at: at).decision == policy.decide(notification, at: at))
        }
    }

    private static let never = """
          - id: x-never-duty
            effect: never
            types: [police.intervention.closed]
            from: {parties: ["*"]}
            to: {parties: [soc-1864]}
            valid: {from: 2026-03-01, to: 2026-09-30}
          - id: x-never-open
            effect: never
            types: all
            from: {parties: ["*"]}
            to: {kinds: [social-services]}
            when: {protected: no}
            valid: {from: 2026-10-25}

        """

    static func withoutPlaces(_ decision: Decision) -> Decision {
        func bare(_ reasons: [Reason]) -> [Reason] { reasons.map { Reason($0.kind, rule: $0.rule) } }
        return Decision(
            at: decision.at, urgency: decision.urgency,
            grants: decision.grants.map { grant in
                var grant = grant
                grant.reasons = bare(grant.reasons)
                return grant
            },
            refusals: decision.refusals.map { refusal in
                var refusal = refusal
                refusal.reasons = bare(refusal.reasons)
                return refusal
            }, until: decision.until, refusal: decision.refusal)
    }
}

/// A small generator that one number repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
