import CaseNotifications
import Testing

@testable import Routing

/// One rule or one line of a party is changed: only cells that it speaks of change.
struct PolicyMutationTests {
    private static let seed: UInt64 = 0x5EED_0100

    /// Parties that may get something in place of these: as their fallback, and as whose fallback they count.
    private static func family(_ policy: Policy, _ parties: Set<PartyID>) -> Set<PartyID> {
        var family = parties
        for party in policy.parties {
            if parties.contains(party.id), let fallback = party.fallback { family.insert(fallback) }
            if let fallback = party.fallback, parties.contains(fallback) { family.insert(party.id) }
        }
        return family
    }

    /// That a changed cell is of the type, sender and recipients of a rule as it was or as it is now.
    private static func expect(
        _ cell: PolicySample.Cell, _ sample: PolicySample, isOf rules: [Rule], _ policy: Policy,
        _ change: String
    ) throws {
        let event = sample.events[cell.event].notification
        let recipients = Set(
            policy.parties.filter { party in
                rules.contains { $0.to.meansPartyAlone(party, ownCounty: policy.county) }
            }.map(\.id))
        let sender = try #require(policy.party(event.source))
        #expect(rules.contains { $0.types.contains(event.type) }, "\(change): \(event.type)")
        #expect(
            rules.contains { $0.from.meansPartyAlone(sender, ownCounty: policy.county) },
            "\(change): \(event.source)")
        #expect(family(policy, recipients).contains(cell.recipient), "\(change): \(cell.recipient)")
    }

    // MARK: Rules

    /// A rule of the fixture with another line in place of one of its own.
    private struct LineChange {
        let rule: String
        let old: String
        let new: String

        init(_ rule: String, _ old: String, _ new: String) {
            (self.rule, self.old, self.new) = (rule, old, new)
        }
    }

    private static let lineChanges = [
        LineChange(
            "intervention-soc", "attributes: [municipality, level]\n", "attributes: [municipality]\n"),
        LineChange("intervention-soc", "        fields: all\n", "        fields: [endedAt]\n"),
        LineChange(
            "ban-police", "fields: [validFrom, home]\n        strict: {fields: [validFrom, home]}",
            "fields: [validFrom]\n        strict: {fields: [validFrom]}"),
        LineChange("ban-boards", "roles: [respondent, protected, child]", "roles: [protected]"),
        LineChange("injury-consent", "consent: [protected-person]", "consent: [respondent]"),
        LineChange(
            "injury-risk", "fields: [injuryClass]", "fields: [injuryClass]\n        urgency: U1"),
        LineChange(
            "injury-never", "to: {kinds: [probation, county-board, ngo]}",
            "to: {kinds: [county-board, ngo]}"),
        LineChange(
            "risk-police", "from: {kinds: [region, social-services]}", "from: {kinds: [region]}"),
        LineChange("focus-group", "valid: {to: 2027-01-31}", "valid: {to: 2026-03-31}"),
        LineChange(
            "status-soc", "basis: osl-10-15a\n        fields: [status]",
            "basis: consent\n        fields: [status]"),
    ]

    @Test func `a changed rule changes cells of its own types, senders and recipients alone`() throws {
        let fixture = PolicyFixture()
        let policy = try fixture.policy()
        let sample = PolicySample(.fixture, policy, seed: Self.seed, count: 800)
        let before = sample.cells(policy)
        var total = 0
        for change in Self.lineChanges {
            let text = try #require(fixture.files["rules.yaml"])
            let begin = try #require(text.firstRange(of: "- id: \(change.rule)\n"), "\(change.rule)")
            let old = Self.unindented(change.old)
            let place = try #require(text[begin.upperBound...].firstRange(of: old), "\(change.rule)")
            var mutant = fixture
            mutant.files["rules.yaml"] = text.swapping(place, with: Self.unindented(change.new))
            let mutated = try mutant.policy()
            #expect(
                mutated.digest != policy.digest,
                "\(change.rule): a digest covers all that decisions depend on")
            let id = try #require(RuleID(change.rule))
            let rules = [policy.rule(id), mutated.rule(id)].compactMap(\.self)
            let found = PolicySample.changed(before, sample.cells(mutated))
            total += found.count
            #expect(!found.isEmpty, "\(change.rule): the sample shows nothing of this change")
            for cell in found { try Self.expect(cell, sample, isOf: rules, policy, change.rule) }
        }
        #expect(
            total >= 250,
            "cells that changed: \(total) of \(before.count) with \(Self.lineChanges.count) changes")
    }

    @Test(arguments: RuleEdit.allCases)
    func `of each shipped type one rule is changed, and only its own cells change`(edit: RuleEdit)
        throws
    {
        let texts = try SamplePolicy.orebro.texts()
        let policy = try SamplePolicy.orebro.policy()
        var mutant = texts
        let (text, rules) = edit.applied(to: try #require(texts.files["rules.yaml"]), of: policy)
        mutant.files["rules.yaml"] = text
        let mutated = try mutant.policy()
        let sample = PolicySample(.orebro, policy, seed: Self.seed + 7, count: 500)
        var types: Set<EventType> = []
        let found = PolicySample.changed(sample.cells(policy), sample.cells(mutated))
        for cell in found {
            let type = sample.events[cell.event].notification.type
            let old = try #require(rules[type], "\(edit): \(type) has no changed rule")
            types.insert(type)
            try Self.expect(
                cell, sample, isOf: [old, mutated.rule(old.id)].compactMap(\.self), policy,
                "\(edit) \(old.id)")
        }
        #expect(rules.count >= edit.leastRules, "\(edit): \(rules.count) rules were changed")
        #expect(
            types.count * 3 >= rules.count * 2, "\(edit): of \(rules.count) changes \(types.count) show")
    }

    @Test func `a rule that is taken away gives nobody anything, but what another rule gives`() throws {
        let fixture = PolicyFixture()
        let policy = try fixture.policy()
        let sample = PolicySample(.fixture, policy, seed: Self.seed + 1, count: 800)
        var gone = 0
        for rule in policy.rules where rule.kind != .never {
            var mutant = fixture
            let text = try #require(fixture.files["rules.yaml"])
            let blocks = text.split(separator: "  - id: ", omittingEmptySubsequences: false)
            let rest = blocks.filter { !$0.hasPrefix("\(rule.id.text)\n") }
            try #require(rest.count == blocks.count - 1)
            mutant.files["rules.yaml"] = rest.joined(separator: "  - id: ")
            mutant.files["tests.yaml"] = "version: 1\nexamples: []\n"
            let mutated = try mutant.policy()
            for event in sample.events {
                let old = policy.decide(event.notification, at: event.at).grants
                let new = mutated.decide(event.notification, at: event.at).grants
                #expect(!new.contains { $0.rule == rule.id })
                // Whoever got it by another rule still does, by the same one: taking away never gives.
                for grant in new {
                    let was = old.first { $0.party == grant.party }
                    #expect(was != nil, "\(rule.id): \(grant.party) gets what it did not get before")
                    #expect(was?.rule == rule.id || was?.rule == grant.rule)
                }
                gone += old.count - new.count
            }
        }
        #expect(gone >= 100, "deliveries that went with their rule: \(gone)")
    }

    // MARK: Parties

    /// One line of a party's file, and another in its place.
    struct PartyChange: CustomTestStringConvertible, Sendable {
        let of: SamplePolicy
        let party: String
        let old: String
        let new: String

        init(_ of: SamplePolicy, _ party: String, _ old: String, _ new: String) {
            (self.of, self.party, self.old, self.new) = (of, party, old, new)
        }

        var testDescription: String { "\(of) \(party): \(new)" }
    }

    @Test(arguments: [
        PartyChange(.fixture, "soc-1880", "municipalities: [\"1880\"]", "municipalities: []"),
        PartyChange(
            .fixture, "soc-1864", "municipalities: [\"1864\"]", "municipalities: [\"1864\", \"1880\"]"),
        PartyChange(.fixture, "pol-18-lpo", "fallback: pol-18-rlc\n", "\n"),
        PartyChange(.fixture, "pol-18-rlc", "secrecy: [\"35:1\"]", "secrecy: [\"18:1\"]"),
        PartyChange(.fixture, "soc-1880", "calendar: office", "calendar: always"),
        PartyChange(.orebro, "soc-1880", "municipalities: [\"1880\"]", "municipalities: [\"1881\"]"),
        PartyChange(.orebro, "pol-18-lpo-orebro", "fallback: pol-18-rlc\n", "\n"),
        PartyChange(.orebro, "soc-1880", "secrecy: [\"26:1\"]", "secrecy: [\"25:1\"]"),
        PartyChange(.orebro, "soc-1880", "calendar: kontorstid", "calendar: always"),
    ])
    func `a changed party changes cells from it and to it alone`(change: PartyChange) throws {
        let texts = try change.of.texts()
        let policy = try change.of.policy()
        let sample = PolicySample(change.of, policy, seed: Self.seed + 2, count: 800)
        let before = sample.cells(policy)
        let mutated = try texts.replacing(
            change.old, with: change.new, in: "parties/\(change.party).yaml"
        ).policy()
        let family = Self.family(policy, [party(change.party)])
        let found = PolicySample.changed(before, sample.cells(mutated))
        for cell in found {
            let source = sample.events[cell.event].notification.source
            #expect(
                source == party(change.party) || family.contains(cell.recipient),
                "\(source) to \(cell.recipient)")
        }
        #expect(found.count >= 5, "cells that changed: \(found.count) of \(before.count)")
    }

    // MARK: Properties

    @Test(arguments: SamplePolicy.allCases)
    func
        `nothing is delivered without a rule that is in force for it, and none of the rules is a never rule`(
            which: SamplePolicy
        ) throws
    {
        let policy = try which.policy()
        let sample = PolicySample(which, policy, seed: Self.seed + 3, count: 1_500)
        var grants = 0
        for event in sample.events {
            for grant in policy.decide(event.notification, at: event.at).grants {
                grants += 1
                let rule = try #require(policy.rule(grant.rule))
                let sender = try #require(policy.party(event.notification.source))
                let basis = try #require(rule.basis.flatMap { policy.basis($0) })
                #expect(rule.kind.effect == grant.effect)
                #expect(rule.types.contains(event.notification.type))
                #expect(rule.validity.contains(event.at))
                #expect(basis.validity.contains(event.at))
                let recipient = try #require(policy.party(grant.party))
                #expect(rule.from.meansPartyAlone(sender, ownCounty: policy.county))
                #expect(rule.to.meansPartyAlone(recipient, ownCounty: policy.county))
                #expect(grant.effect == .may || basis.effect == .duty)
                let definition = try #require(policy.typeDefinition(event.notification.type))
                #expect(Set(grant.fields).isSubset(of: definition.fields.map(\.name)))
            }
        }
        #expect(grants >= 150, "deliveries that were looked at: \(grants)")
    }

    @Test(arguments: SamplePolicy.allCases)
    func `a never rule for everything leaves no may and nothing of a duty's data`(which: SamplePolicy)
        throws
    {
        let never = """
              - id: x-never
                effect: never
                types: all
                from: {parties: ["*"], counties: ["17", "18", "20"]}
                to: {parties: ["*"], counties: ["17", "18", "20"]}

            """
        let policy = try which.texts().appending(never, to: "rules.yaml").policy()
        let open = try which.policy()
        let sample = PolicySample(which, policy, seed: Self.seed + 4, count: 1_500)
        var (stopped, emptied) = (0, 0)
        for event in sample.events {
            let decision = policy.decide(event.notification, at: event.at)
            #expect(decision.grants.allSatisfy { $0.effect == .duty && $0.fields.isEmpty })
            emptied += decision.grants.count
            stopped += open.decide(event.notification, at: event.at).grants.count - decision.grants.count
        }
        #expect(stopped >= 20 && emptied >= 50, "\(stopped) stopped, \(emptied) emptied")
    }

    @Test(arguments: SamplePolicy.allCases)
    func
        `an audience of nobody that the policy knows delivers nothing, an empty one nothing that must be named`(
            which: SamplePolicy
        ) throws
    {
        let policy = try which.policy()
        let sample = PolicySample(which, policy, seed: Self.seed + 5, count: 1_000)
        var named = 0
        for event in sample.events {
            var notification = event.notification
            notification.audience = [AudienceEntry(to: "soc-9999", why: "member")]
            #expect(policy.decide(notification, at: event.at).grants.isEmpty)
            notification.audience = []
            for grant in policy.decide(notification, at: event.at).grants {
                let rule = try #require(policy.rule(grant.rule))
                #expect(!rule.to.isNamed)
                named += 1
            }
        }
        #expect(named >= 100, "deliveries without an audience: \(named)")
    }

    @Test(arguments: SamplePolicy.allCases)
    func `the same policy read twice decides the same, byte for byte`(which: SamplePolicy) throws {
        let one = try which.texts().policy()
        let other = try which.texts().policy()
        let sample = PolicySample(which, one, seed: Self.seed + 6, count: which == .orebro ? 200 : 600)
        var bytes = 0
        for event in sample.events {
            let first = Array("\(one.decide(event.notification, at: event.at))".utf8)
            #expect(first == Array("\(other.decide(event.notification, at: event.at))".utf8))
            bytes += first.count
        }
        #expect(bytes >= 100_000)
        #expect(one.canonicalText == other.canonicalText)
    }

    private static func unindented(_ text: String) -> String {
        text.replacing("\n        ", with: "\n    ").replacing(/^ {8}/, with: "    ")
    }
}

extension String {
    fileprivate func swapping(_ range: Range<Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
