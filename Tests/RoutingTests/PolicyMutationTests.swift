import CaseNotifications
import Testing

@testable import Routing

/// One rule or one line of a party is changed: only cells that it speaks of change. A cell is what one recipient gets of one
/// notification: sender, type and recipient name it, and the sample has many notifications of each.
struct PolicyMutationTests {
    private static let seed: UInt64 = 0x5EED_0100
    private static let sampleCount = 800

    private struct Cell: Hashable {
        let event: Int
        let recipient: PartyID
    }

    private struct Sample {
        let events: [(notification: CaseNotification, at: Timestamp)]

        init(_ policy: Policy, seed: UInt64, count: Int) {
            var random = SplitMix(state: seed)
            let made = PolicyPropertyTests.events(policy, count: count, random: &random)
            events = made.map { ($0, PolicyPropertyTests.instant(using: &random)) }
        }

        /// What every party gets of every event, in words; parties that get nothing and are not refused are left out.
        func cells(_ policy: Policy) -> [Cell: String] {
            var cells: [Cell: String] = [:]
            for (number, event) in events.enumerated() {
                let decision = PolicyPropertyTests.withoutPlaces(policy.decide(event.notification, at: event.at))
                for grant in decision.grants { cells[Cell(event: number, recipient: grant.party)] = "\(grant)" }
                for refusal in decision.refusals {
                    cells[Cell(event: number, recipient: refusal.party)] = "\(refusal)"
                }
            }
            return cells
        }
    }

    private static func changed(_ before: [Cell: String], _ after: [Cell: String]) -> [Cell] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
            .sorted { ($0.event, $0.recipient) < ($1.event, $1.recipient) }
    }

    /// Parties that may get something in place of these: as their fallback, and as whose fallback they count.
    private static func family(_ policy: Policy, _ parties: Set<PartyID>) -> Set<PartyID> {
        var family = parties
        for party in policy.parties {
            if parties.contains(party.id), let fallback = party.fallback { family.insert(fallback) }
            if let fallback = party.fallback, parties.contains(fallback) { family.insert(party.id) }
        }
        return family
    }

    // MARK: Rules

    /// Every rule of the fixture with another line in place of one of its own.
    private static let ruleChanges: [(rule: String, old: String, new: String)] = [
        ("intervention-soc", "attributes: [municipality, level]\n", "attributes: [municipality]\n"),
        ("intervention-soc", "        fields: all\n", "        fields: [endedAt]\n"),
        (
            "ban-police", "fields: [validFrom, home]\n        strict: {fields: [validFrom, home]}",
            "fields: [validFrom]\n        strict: {fields: [validFrom]}"
        ),
        ("ban-boards", "roles: [respondent, protected, child]", "roles: [protected]"),
        ("injury-consent", "consent: [protected-person]", "consent: [respondent]"),
        ("injury-risk", "fields: [injuryClass]", "fields: [injuryClass]\n        urgency: U1"),
        ("injury-never", "to: {kinds: [probation, county-board, ngo]}", "to: {kinds: [county-board, ngo]}"),
        ("risk-police", "from: {kinds: [region, social-services]}", "from: {kinds: [region]}"),
        ("focus-group", "valid: {to: 2027-01-31}", "valid: {to: 2026-03-31}"),
        ("status-soc", "basis: osl-10-15a\n        fields: [status]", "basis: consent\n        fields: [status]"),
    ]

    @Test func `a changed rule changes cells of its own types, senders and recipients alone`() throws {
        let fixture = PolicyFixture()
        let policy = try fixture.policy()
        let sample = Sample(policy, seed: Self.seed, count: Self.sampleCount)
        let before = sample.cells(policy)
        var total = 0
        for change in Self.ruleChanges {
            let text = try #require(fixture.files["rules.yaml"])
            let begin = try #require(text.firstRange(of: "- id: \(change.rule)\n"), "\(change.rule)")
            let old = Self.unindented(change.old)
            let place = try #require(text[begin.upperBound...].firstRange(of: old), "\(change.rule)")
            var mutant = fixture
            mutant.files["rules.yaml"] = text.swapping(place, with: Self.unindented(change.new))
            let mutated = try mutant.policy()
            #expect(mutated.digest != policy.digest, "\(change.rule): a digest covers all that decisions depend on")
            let id = try #require(RuleID(change.rule))
            let rules = [policy.rule(id), mutated.rule(id)].compactMap(\.self)
            let found = Self.changed(before, sample.cells(mutated))
            total += found.count
            #expect(!found.isEmpty, "\(change.rule): the sample shows nothing of this change")
            for cell in found {
                let event = sample.events[cell.event].notification
                let recipients = Set(
                    policy.parties.filter { party in
                        rules.contains { $0.to.meansPartyAlone(party, ownCounty: policy.county) }
                    }.map(\.id))
                let sender = try #require(policy.party(event.source))
                #expect(rules.contains { $0.types.contains(event.type) }, "\(change.rule): \(event.type)")
                #expect(
                    rules.contains { $0.from.meansPartyAlone(sender, ownCounty: policy.county) },
                    "\(change.rule): \(event.source)")
                #expect(
                    Self.family(policy, recipients).contains(cell.recipient), "\(change.rule): \(cell.recipient)")
            }
        }
        #expect(total >= 250, "cells that changed: \(total) of \(before.count) with \(Self.ruleChanges.count) changes")
    }

    @Test func `a rule that is taken away gives nobody anything, but what another rule gives`() throws {
        let fixture = PolicyFixture()
        let policy = try fixture.policy()
        let sample = Sample(policy, seed: Self.seed + 1, count: Self.sampleCount)
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

    private static let partyChanges: [(party: String, old: String, new: String)] = [
        ("soc-1880", "municipalities: [\"1880\"]", "municipalities: []"),
        ("soc-1864", "municipalities: [\"1864\"]", "municipalities: [\"1864\", \"1880\"]"),
        ("pol-18-lpo", "fallback: pol-18-rlc\n", "\n"),
        ("pol-18-rlc", "secrecy: [\"35:1\"]", "secrecy: [\"18:1\"]"),
        ("soc-1880", "calendar: office", "calendar: always"),
    ]

    @Test func `a changed party changes cells from it and to it alone`() throws {
        let fixture = PolicyFixture()
        let policy = try fixture.policy()
        let sample = Sample(policy, seed: Self.seed + 2, count: Self.sampleCount)
        let before = sample.cells(policy)
        var total = 0
        for change in Self.partyChanges {
            let mutated = try fixture.replacing(
                change.old, with: change.new, in: "parties/\(change.party).yaml"
            ).policy()
            let family = Self.family(policy, [party(change.party)])
            let found = Self.changed(before, sample.cells(mutated))
            total += found.count
            for cell in found {
                let source = sample.events[cell.event].notification.source
                #expect(
                    source == party(change.party) || family.contains(cell.recipient),
                    "\(change.party) \(change.new): \(source) to \(cell.recipient)")
            }
        }
        #expect(total >= 100, "cells that changed: \(total) of \(before.count)")
    }

    // MARK: Properties

    @Test func `nothing is delivered without a rule that is in force for it, and none of the rules is a never rule`()
        throws
    {
        let policy = try PolicyFixture().policy()
        let sample = Sample(policy, seed: Self.seed + 3, count: 1_500)
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
                #expect(rule.from.meansPartyAlone(sender, ownCounty: policy.county))
                #expect(grant.effect == .may || basis.effect == .duty)
                let definition = try #require(policy.typeDefinition(event.notification.type))
                #expect(Set(grant.fields).isSubset(of: definition.fields.map(\.name)))
            }
        }
        #expect(grants >= 150, "deliveries that were looked at: \(grants)")
    }

    @Test func `a never rule for everything leaves no may and nothing of a duty's data`() throws {
        let never = """
              - id: x-never
                effect: never
                types: all
                from: {parties: ["*"], counties: ["17", "18"]}
                to: {parties: ["*"], counties: ["17", "18"]}

            """
        let policy = try PolicyFixture().appending(never, to: "rules.yaml").policy()
        let open = try PolicyFixture().policy()
        let sample = Sample(policy, seed: Self.seed + 4, count: 1_500)
        var (stopped, emptied) = (0, 0)
        for event in sample.events {
            let decision = policy.decide(event.notification, at: event.at)
            #expect(decision.grants.allSatisfy { $0.effect == .duty && $0.fields.isEmpty })
            emptied += decision.grants.count
            stopped += open.decide(event.notification, at: event.at).grants.count - decision.grants.count
        }
        #expect(stopped >= 20 && emptied >= 50, "\(stopped) stopped, \(emptied) emptied")
    }

    @Test func `an audience of nobody that the policy knows delivers nothing, an empty one nothing that must be named`()
        throws
    {
        let policy = try PolicyFixture().policy()
        let sample = Sample(policy, seed: Self.seed + 5, count: 1_000)
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

    @Test func `the same policy read twice decides the same, byte for byte`() throws {
        let one = try PolicyFixture().policy()
        let other = try PolicyFixture().policy()
        let sample = Sample(one, seed: Self.seed + 6, count: 600)
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
