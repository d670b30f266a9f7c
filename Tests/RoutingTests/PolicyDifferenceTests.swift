import CaseNotifications
import Settings
import Testing

@testable import Routing

@Suite("What changes for whom from one policy to the next")
struct PolicyDifferenceTests {
    private let original = PolicyFixture()

    private func difference(to changed: PolicyFixture) throws -> PolicyDifference {
        PolicyDifference(from: try original.policy(), to: try changed.policy())
    }

    private func words(_ difference: PolicyDifference, _ name: String) -> [String] {
        difference.widened.filter { $0.parties.contains(party(name)) }.map(\.words)
    }

    @Test("a policy differs in nothing from itself, whatever the order of its files' lines")
    func equal() throws {
        let policy = try original.policy()
        let difference = PolicyDifference(from: policy, to: policy)
        #expect(difference.isEmpty)
        #expect(difference.gained.isEmpty && difference.lost.isEmpty && difference.widened.isEmpty)
        #expect(difference.approvers.isEmpty)
    }

    @Test("a policy's canonical text read back is the same policy")
    func readBack() throws {
        let policy = try original.policy()
        let again = try #require(PolicyText.policy(policy.canonicalText, zone: PolicyFixture.zone))
        #expect(again.digest == policy.digest)
        #expect(PolicyDifference(from: policy, to: again).isEmpty)
        #expect(PolicyText.policy(Array("nothing of ours\n".utf8), zone: PolicyFixture.zone) == nil)
        #expect(PolicyText.policy([], zone: PolicyFixture.zone) == nil)
    }

    @Test("a canonical text with settings that were removed since is read back without them")
    func readBackOlder() throws {
        let policy = try original.policy()
        let text = String(decoding: policy.canonicalText, as: UTF8.self)
        let kept = #""content-unacknowledged":"30d""#
        let older = text.replacing(kept, with: kept + #","duplicates":"30d","receipts":"730d""#)
        #expect(older != text)
        let again = try #require(PolicyText.policy(Array(older.utf8), zone: PolicyFixture.zone))
        #expect(again.digest == policy.digest)
    }

    @Test("a canonical text whose content goes sooner than would be taken now is read back as it says")
    func readBackShorter() throws {
        let text = String(decoding: try original.policy().canonicalText, as: UTF8.self)
        let shorter = text.replacing(#""content-unacknowledged":"30d""#, with: #""content-unacknowledged":"1h""#)
        #expect(shorter != text)
        let again = try #require(PolicyText.policy(Array(shorter.utf8), zone: PolicyFixture.zone))
        #expect(again.retention.content.unacknowledged == 3_600)
        #expect(again.canonicalText == Array(shorter.utf8))
    }

    @Test("a rule that reaches another county's board in its own municipality reaches it in what is told, too")
    func elsewhere() throws {
        let there = original.replacing(
            "roles: [respondent, protected, child], counties",
            with: "where: municipality, roles: [respondent, protected, child], counties", in: "rules.yaml")
        let more = there.replacing(
            "fields: [validFrom]\n  - id: injury", with: "fields: [validFrom, home]\n  - id: injury", in: "rules.yaml")
        #expect(more.files["rules.yaml"] != there.files["rules.yaml"])
        let difference = PolicyDifference(from: try there.policy(), to: try more.policy())
        let now = try #require(difference.gained.first { $0.party == party("soc-1780") })
        #expect(now.fields == ["home"])
        #expect(!words(difference, "soc-1780").isEmpty)
    }

    @Test("one more field is a change of its rule, a gain of its recipients, and widens")
    func moreFields() throws {
        let changed = original.replacing(
            "fields: [injuryClass]", with: "fields: [injuryClass, consentRef]", in: "rules.yaml")
        let difference = try difference(to: changed)
        let change = try #require(difference.changes.first { $0.what == "rule" })
        #expect(change.name == "injury-risk")
        #expect(change.kind == .changed)
        #expect(change.details == ["fields: +consentRef"])
        #expect(change.location?.file == "rules.yaml")
        // With consent the police get it already, without consent they would now.
        #expect(difference.gained.isEmpty && difference.lost.isEmpty)
        let words = words(difference, "pol-18-rlc")
        #expect(words.contains { $0.hasPrefix("rule injury-risk delivers more of injury.observed: consentRef") })
        // A rule that no other stands in for is a gain too.
        let risk = try self.difference(
            to: original.replacing("fields: [validFrom]\n", with: "fields: [validFrom, home]\n", in: "rules.yaml"))
        #expect(risk.gained.contains { $0.party == party("soc-1780") && $0.fields.contains("home") })
        #expect(self.words(risk, "soc-1780").contains { $0.hasPrefix("would receive more of contactban.issued: home") })
        #expect(difference.approvers.contains(party("reg-18")))
    }

    @Test("one field less is a loss and widens nobody")
    func fewerFields() throws {
        let changed = original.replacing("fields: [level, criteria]", with: "fields: [level]", in: "rules.yaml")
        let difference = try difference(to: changed)
        #expect(!difference.isEmpty)
        #expect(difference.gained.isEmpty)
        #expect(!difference.lost.isEmpty)
        #expect(difference.widened.isEmpty, "\(difference.widened)")
    }

    @Test("another name changes something and widens nobody")
    func label() throws {
        let changed = original.replacing(
            "en: Command centre", with: "en: Command center", in: "parties/pol-18-rlc.yaml")
        let difference = try difference(to: changed)
        #expect(difference.changes.map(\.what) == ["party"])
        #expect(difference.changes.first?.details == ["label.en: Command centre -> Command center"])
        #expect(difference.widened.isEmpty)
    }

    @Test("an affirmation less widens although nobody gets another field")
    func fewerAffirmations() throws {
        let changed = original.replacing(
            "affirmations: [balance-done, purpose-standing]", with: "affirmations: [balance-done]", in: "law.yaml"
        ).replacing("standing: [purpose-standing]", with: "standing: [balance-done]", in: "law.yaml")
        let difference = try difference(to: changed)
        #expect(difference.gained.isEmpty)
        #expect(words(difference, "soc-1880").contains { $0.contains("status-soc") && $0.contains("affirmations") })
    }

    @Test("a longer time in force widens, a shorter one does not")
    func validity() throws {
        let longer = original.replacing("valid: {to: 2027-01-31}", with: "valid: {to: 2027-06-30}", in: "rules.yaml")
        #expect(try difference(to: longer).widened.contains { $0.words.contains("time in force") })
        let shorter = original.replacing("valid: {to: 2027-01-31}", with: "valid: {to: 2026-12-31}", in: "rules.yaml")
        #expect(try difference(to: shorter).widened.isEmpty)
    }

    @Test("a never rule that lets a party out widens for that party")
    func weakerNever() throws {
        let changed = original.replacing(
            "to: {kinds: [probation, county-board, ngo]}", with: "to: {kinds: [county-board, ngo]}", in: "rules.yaml"
        ).appending("", to: "rules.yaml")
        let difference = try difference(to: changed)
        #expect(!difference.isEmpty)
        let never = try #require(difference.changes.first { $0.name == "injury-never" })
        #expect(never.details == ["to.kinds: -probation"])
    }

    @Test("a new reader of a party and a new fallback widen")
    func readers() throws {
        let person = original.replacing(
            "people: [{id: staff-17,",
            with: "people: [{id: staff-18, roles: [responder], desks: [soc-1880-intake]}, {id: staff-17,",
            in: "parties/soc-1880.yaml")
        let difference = try difference(to: person)
        #expect(difference.changes.contains { $0.kind == .added && $0.name == "soc-1880/staff-18" })
        #expect(words(difference, "soc-1880").contains { $0.contains("staff-18") })
        let fallback = original.replacing(
            "secrecy: [\"26:1\"]", with: "secrecy: [\"26:1\"]\nfallback: soc-1780", in: "parties/soc-1864.yaml")
        #expect(try words(self.difference(to: fallback), "soc-1780") == ["is the fallback of soc-1864"])
    }

    @Test("a field of the same name that can say something else widens for whoever is shown it")
    func kinds() throws {
        let kind = original.replacing(
            "{name: validFrom, kind: timestamp", with: "{name: validFrom, kind: reference", in: "types.yaml")
        #expect(
            try words(difference(to: kind), "soc-1780")
                == ["rule ban-boards: validFrom of contactban.issued is a reference, was a time"])
        let codes = original.replacing(
            "talk: {sv: samtal, en: talk}", with: "talk: {sv: samtal, en: talk}, other: {sv: annat, en: other}",
            in: "types.yaml")
        #expect(
            try words(difference(to: codes), "soc-1880")
                == [
                    "rule intervention-soc: needs of police.intervention.closed is some of [other shelter talk], was some"
                        + " of [shelter talk]"
                ])
        // In another order the codes are the same.
        let order = original.replacing(
            "{shelter: {sv: skydd, en: shelter}, talk: {sv: samtal, en: talk}}",
            with: "{talk: {sv: samtal, en: talk}, shelter: {sv: skydd, en: shelter}}", in: "types.yaml")
        #expect(try difference(to: order).widened.isEmpty)
    }

    @Test("another order of a sender's secrecy widens: the first is what it states when it says nothing")
    func secrecyOrder() throws {
        func policy(_ secrecy: String) throws -> Policy {
            try original.replacing("secrecy: [\"26:1\"]", with: "secrecy: [\(secrecy)]", in: "parties/soc-1880.yaml")
                .policy()
        }
        let difference = PolicyDifference(
            from: try policy("\"26:1\", \"21:1\""), to: try policy("\"21:1\", \"26:1\""))
        #expect(words(difference, "pol-18-rlc") == ["soc-1880 may state other secrecy for what it sends"])
    }

    @Test("a system that may say from now on what named people did widens, and not the other way round")
    func speakingForPeople() throws {
        let without = try original.replacing(", speak-for-people: yes", with: "", in: "parties/soc-1880.yaml").policy()
        let with = try original.policy()
        #expect(
            words(PolicyDifference(from: without, to: with), "soc-1880")
                == ["client system may say what named people did"])
        #expect(PolicyDifference(from: with, to: without).widened.isEmpty)
    }

    @Test("a rule that is gone takes from its recipients and widens nobody")
    func removed() throws {
        let policy = try original.policy()
        var text = original.files["rules.yaml"] ?? ""
        let range = try #require(text.firstRange(of: "  - id: risk-police"))
        text = String(text[..<range.lowerBound])
        var changed = original
        changed.files["rules.yaml"] = text + "\n"
        let difference = PolicyDifference(from: policy, to: try changed.policy())
        #expect(difference.changes.contains { $0.kind == .removed && $0.name == "risk-police" })
        #expect(difference.lost.contains { $0.party == party("pol-18-rlc") && $0.isWhole })
        #expect(difference.widened.isEmpty)
        // And the other way round it widens.
        let back = PolicyDifference(from: try changed.policy(), to: policy)
        #expect(back.widened.contains { $0.words.contains("rule risk-police is new") })
        #expect(back.gained == difference.lost)
    }

    @Test("a simulation tells a lost duty, a gained recipient and more fields apart, and counts them")
    func simulation() throws {
        let running = try original.policy()
        let without = original.replacing(
            "effect: duty", with: "effect: duty\n    valid: {to: 2026-01-31}", in: "rules.yaml")
        var lost = SimulationReport(running: running, candidate: try without.policy())
        let notification = event(
            "police.intervention.closed", from: "pol-18-rlc", municipality: "1880", circumstances: ["child-present"])
        for number in 1...5 {
            lost.compare(notification, at: time("2026-12-11T23:10:00+01:00"), called: "line \(number)")
        }
        lost.compare(notification, at: time("2026-12-11T23:10:00+01:00"), called: "line 6", by: .rebuilt)
        #expect(lost.compared == 6 && lost.rebuilt == 1)
        #expect(lost.same == 0)
        #expect(lost.dutiesLost == 6)
        let row = try #require(lost.rows.first)
        #expect(row.kind == .dutyLost && row.party == party("soc-1880"))
        #expect(lost.differences[row]?.count == 6 && lost.differences[row]?.rebuilt == 1)
        #expect(lost.differences[row]?.shown == ["line 1", "line 2", "line 3"])
        var gained = SimulationReport(running: try without.policy(), candidate: running)
        gained.compare(notification, at: time("2026-12-11T23:10:00+01:00"), called: "line 1")
        #expect(gained.widened == [party("soc-1880")])
        var same = SimulationReport(running: running, candidate: running)
        same.compare(notification, at: time("2026-12-11T23:10:00+01:00"), called: "line 1")
        #expect(same.same == 1 && same.rows.isEmpty)
    }
}
