import CaseNotifications
import Settings
import Testing

@testable import Routing

struct RuleStepsTests {
    private let fixture = PolicyFixture()
    private let at = time("2026-12-11T15:00:00+01:00")

    /// Events of every sort: senders, audiences, affirmations, protection and municipalities in all combinations.
    private func events(_ policy: Policy) -> [CaseNotification] {
        var events: [CaseNotification] = []
        let audiences = [[], ["soc-1880/member"], ["pol-18-rlc/member", "soc-1780/protected", "kg-1880/member"]]
        for type in policy.catalogue.types.keys.sorted() {
            for sender in policy.parties {
                for audience in audiences {
                    for affirmed in [[], ["balance-done", "concrete-risk", "close-person"]] {
                        for municipality in [nil, "1880", "1864"] {
                            events.append(
                                event(
                                    type.shortName, from: sender.id.text, municipality: municipality,
                                    audience: audience, isProtected: audience.isEmpty ? nil : false,
                                    affirmations: affirmed, consentOf: affirmed.isEmpty ? "protected-person" : nil,
                                    level: "A", programme: "trygga-hem"))
                        }
                    }
                }
            }
        }
        return events
    }

    @Test func `the steps say the same as the decision for every rule and party`() throws {
        let policy = try fixture.policy()
        var granted = 0
        for notification in events(policy) {
            let explanation = policy.explain(notification, at: at)
            let rules = policy.steps(of: notification, at: at)
            guard !rules.isEmpty else {
                #expect(explanation.trace.isEmpty)
                continue
            }
            #expect(rules.map(\.rule) == explanation.trace.map(\.rule))
            for (rule, trace) in zip(rules, explanation.trace) where rule.kind != .never {
                let failed = rule.steps.first { !$0.holds }?.matcher
                switch trace.outcome {
                case .otherSender: #expect(failed == .sender)
                case .conditionNotMet: #expect(failed == .conditions)
                case .notInForce: #expect(failed == .time)
                case .inactive: #expect(rule.steps.contains { $0.matcher == .approval && !$0.holds })
                case .reached(let parties): #expect(rule.parties.map(\.party) == parties, "\(rule.rule)")
                }
            }
            for grant in explanation.decision.grants where grant.insteadOf == nil {
                granted += 1
                let rule = try #require(rules.first { $0.rule == grant.rule })
                let steps = try #require(rule.parties.first { $0.party == grant.party }).steps
                let stopped = (rule.steps + steps).filter { !$0.holds && !($0.matcher == .never && rule.kind == .duty) }
                #expect(stopped.isEmpty, "\(grant.party) gets it by \(rule.rule)")
            }
            for refusal in explanation.decision.refusals {
                let through = rules.filter { rule in
                    guard rule.matches, let own = rule.parties.first(where: { $0.party == refusal.party }) else {
                        return false
                    }
                    return rule.kind != .never && own.steps.allSatisfy(\.holds)
                }
                #expect(through.isEmpty, "\(refusal.party) is refused and lacks nothing by \(through.map(\.rule))")
            }
        }
        #expect(granted > 20)
    }

    @Test func `why a party that no rule names does not get it`() throws {
        let policy = try fixture.policy()
        let notification = event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880")
        func fault(_ name: String) -> [RuleStep.Finding?] {
            policy.steps(of: notification, at: at, for: party(name)).map { $0.parties.first?.steps.first?.finding }
        }
        #expect(fault("frv-18") == [.notMeant(.kind)])
        #expect(fault("soc-1864") == [.notMeant(.municipality)])
        #expect(fault("soc-1780") == [.notMeant(.county)])
        #expect(fault("jour-1880") == [.notMeant(.onCallDesk)])
        #expect(fault("pol-18-rlc") == [.notMeant(.itself)])
        #expect(fault("soc-1880") == [.met(["soc-1880"])])
        let ban = event("contactban.issued", from: "akl-18", audience: ["soc-1880/member"])
        let board = try #require(
            policy.steps(of: ban, at: at, for: party("soc-1880")).first { $0.rule.text == "ban-boards" })
        #expect(board.parties.first?.steps.first?.finding == .notMeant(.word))
        #expect(
            policy.steps(of: ban, at: at, for: party("soc-1864")).first { $0.rule.text == "ban-boards" }?
                .parties.first?.steps.first?.finding == .notMeant(.notNamed))
    }

    @Test func `a never rule is a cross beside what else would let it through`() throws {
        let policy = try fixture.policy()
        let notification = event("injury.observed", from: "reg-18", audience: ["frv-18/member"])
        let rules = policy.steps(of: notification, at: at, for: party("frv-18"))
        #expect(rules.map(\.rule.text) == ["injury-consent", "injury-never", "injury-risk"])
        let never = rules[0].parties[0].steps.last
        #expect(never?.matcher == .never && never?.holds == false && never?.finding == .met(["injury-never"]))
        #expect(rules[1].matches && rules[1].parties[0].steps.allSatisfy(\.holds))
    }
}
