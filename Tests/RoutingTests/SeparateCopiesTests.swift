import CaseNotifications
import Foundation
import Settings
import Testing

@testable import Routing

/// Three boards of one contact ban (S5): what each of them gets says nothing of the others. On the shipped policy of Örebro.
struct SeparateCopiesTests {
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A board, the word it is named with, and what only its own copy might tell of it.
    private static let boards: [(id: String, why: String, names: [String])] = [
        ("soc-1880", "respondent", ["soc-1880", "1880", "Örebro kommun", "Örebros"]),
        ("soc-1780", "protected", ["soc-1780", "1780", "Karlstad", "karlstads-kommun", "\"17\"", "Värmland"]),
        ("soc-1864", "child", ["soc-1864", "1864", "Ljusnarsberg", "jour-18-norr"]),
    ]
    private static let at = "2026-12-15T10:00:00+01:00"

    private static func ban(audience: String, isProtected: String) -> [UInt8] {
        Array(
            """
            {"specversion":"1.0","id":"ban-7","source":"urn:budkavle:akl-18","type":"se.budkavle.contactban.issued.v1",\
            "time":"2026-12-15T09:58:00+01:00","subject":"BK-18-2026-7QK2ZD9F","county":"18","municipality":"1880",\
            "circumstances":"child-present","audience":"\(audience)",\(isProtected)"data":{"banKind":"ordinary",\
            "electronic":false,"validFrom":"2026-12-15T00:00:00+01:00","validTo":"2027-12-15T00:00:00+01:00",\
            "childInvolved":true,"respondent":"19900602-2397","protectedPerson":"19910717-2380","decisionRef":"ban-ref-7"}}
            """.utf8)
    }

    /// Every copy of the notification as its party gets it, body and all that the relay adds.
    private func copies(_ body: [UInt8]) throws -> [String: String] {
        let policy = try ShippedCounties.orebro.policy
        let notification = try NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode).decode(body)
        let decision = policy.decide(notification, at: time(Self.at))
        var copies: [String: String] = [:]
        for grant in decision.grants {
            let delivery = DeliveryAttributes(
                rule: grant.rule.text, effect: grant.effect.rawValue, marking: grant.marking,
                acknowledgeby: grant.acknowledgeBy, policy: "", urgency: grant.urgency, drill: false)
            let copy = NotificationView.render(
                notification, attributes: grant.attributes, fields: grant.fields, delivery: delivery)
            copies[grant.party.text] = String(decoding: copy, as: UTF8.self)
        }
        return copies
    }

    @Test(arguments: ["\"protected\":true,", "", "\"protected\":false,"])
    func `no byte of one board's copy shows another board, its municipality or its people`(isProtected: String) throws {
        let audience = "pol-18-rlc/recipient " + Self.boards.map { "\($0.id)/\($0.why)" }.joined(separator: " ")
        let copies = try copies(Self.ban(audience: audience, isProtected: isProtected))
        #expect(Set(copies.keys) == ["pol-18-rlc", "soc-1880", "soc-1780", "soc-1864"])
        for board in Self.boards {
            let copy = try #require(copies[board.id])
            for other in Self.boards where other.id != board.id {
                for name in other.names { #expect(!copy.contains(name), "\(board.id) sees \(name): \(copy)") }
            }
            for word in ["audience", "municipality", "county", "circumstances", "pol-18"] {
                #expect(!copy.contains(word))
            }
        }
        // The police see nobody either, and only her own board and they know the protected person.
        let police = try #require(copies["pol-18-rlc"])
        for board in Self.boards { #expect(!board.names.contains { police.contains($0) }) }
        let knowing = copies.filter { $0.value.contains("19910717") }.keys.sorted()
        #expect(knowing == ["pol-18-rlc", "soc-1780"])
    }

    @Test func `one board's copy is the same whether there are others or not`() throws {
        let alone = try copies(
            Self.ban(audience: "pol-18-rlc/recipient soc-1880/respondent", isProtected: "\"protected\":true,"))
        let audience = "pol-18-rlc/recipient " + Self.boards.map { "\($0.id)/\($0.why)" }.joined(separator: " ")
        let together = try copies(Self.ban(audience: audience, isProtected: "\"protected\":true,"))
        #expect(alone["soc-1880"] == together["soc-1880"] && alone["pol-18-rlc"] == together["pol-18-rlc"])
    }

    @Test(arguments: ["soc-1780/protected", "soc-1780/child"])
    func `a board in another county gets it as a named duty only`(name: String) throws {
        let policy = try ShippedCounties.orebro.policy
        let decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        let named = policy.decide(
            try decoder.decode(Self.ban(audience: name, isProtected: "\"protected\":true,")), at: time(Self.at))
        #expect(named.grants.contains { $0.party.text == "soc-1780" && $0.effect == .duty && $0.isStrict })
        let others = try decoder.decode(Self.ban(audience: "soc-1880/respondent", isProtected: "\"protected\":true,"))
        #expect(!policy.decide(others, at: time(Self.at)).grants.contains { $0.party.text == "soc-1780" })
    }

    // MARK: Groups

    @Test func `a group is one decision per member, and each that gets nothing is told to the sender once`() throws {
        let policy = try PolicyFixture().policy()
        let focus = event(
            "focus.listed", from: "pol-18-rlc", at: "2026-12-15T10:00:00+01:00", municipality: "1880",
            audience: ["kg-1880/member"], isProtected: false,
            affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem")
        let decision = policy.decide(focus, at: time("2026-12-15T10:00:00+01:00"))
        #expect(
            decision.summary == [
                "frv-18:frv:focus-group", "pol-18-lpo:lpo:focus-group", "soc-1880:soc-1880-intake:focus-group",
            ])
        // The region is a member and no rule is for it; the others have a basis each of their own.
        #expect(decision.refused == ["reg-18:no-rule"])
        let without = policy.decide(
            event(
                "focus.listed", from: "pol-18-rlc", municipality: "1880", audience: ["kg-1880/member"],
                isProtected: false,
                programme: "trygga-hem"), at: time("2026-12-15T10:00:00+01:00"))
        #expect(without.grants.isEmpty && without.refusal?.code == .affirmationMissing)
        #expect(
            without.refused == [
                "frv-18:affirmation-missing", "pol-18-lpo:affirmation-missing", "reg-18:no-rule",
                "soc-1880:affirmation-missing",
            ])
    }

    @Test func `the audience narrows what rules allow and never widens it`() throws {
        let policy = try PolicyFixture().policy()
        func parties(_ audience: [String]) -> Set<String> {
            let focus = event(
                "focus.listed", from: "pol-18-rlc", at: "2026-12-15T10:00:00+01:00", municipality: "1880",
                audience: audience, isProtected: false,
                affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem")
            return Set(policy.decide(focus, at: time("2026-12-15T10:00:00+01:00")).grants.map(\.party.text))
        }
        let all = parties([])
        let names = policy.parties.map { "\($0.id)/member" } + ["kg-1880/member", "nobody/member"]
        for first in names {
            #expect(parties([first]).isSubset(of: all))
            for second in names { #expect(parties([first, second]) == parties([first]).union(parties([second]))) }
        }
        #expect(parties(["nobody/member"]).isEmpty)
    }

    // MARK: The strict view

    /// In the strict view nothing of these goes unless a rule's `strict` lists it; unknown protection is protection.
    @Test func `protected and unknown protection get the strict view of every rule, no wider than the ordinary one`()
        throws
    {
        let policy = try ShippedCounties.orebro.policy
        var listed = 0
        for rule in policy.rules where rule.kind != .never {
            for (type, view) in rule.views {
                #expect(Set(view.strictFields).isSubset(of: view.fields), "\(rule.id)")
                #expect(Set(view.strictAttributes).isSubset(of: view.attributes), "\(rule.id)")
                let definition = try #require(policy.typeDefinition(type))
                for field in definition.fields where view.strictFields.contains(field.name) {
                    // The only place is where an absconder was last seen: not the protected person's.
                    let isPlace = field.kind == .municipality || field.sensitivity == "whereabouts"
                    #expect(!isPlace || field.name == "lastKnownMunicipality", "\(rule.id) \(field.name)")
                    if field.sensitivity == "person" { listed += 1 }
                }
                #expect(!view.strictAttributes.contains("audience"))
            }
        }
        #expect(listed > 0)
        for isProtected in [true, nil] as [Bool?] {
            let decision = policy.decide(
                event("police.intervention.closed", from: "pol-18-rlc", municipality: "1880", isProtected: isProtected),
                at: time("2026-12-11T23:10:00+01:00"))
            #expect(decision.grants.allSatisfy { $0.isStrict && !$0.attributes.contains("municipality") })
        }
    }

    // MARK: Twenty-five mistakes

    /// One way to break the shipped policy: the first `old` in `file` becomes `new`, and what is wrong stands at `at` in it.
    struct Mistake: Decodable {
        let file: String
        let old: String
        let new: String
        let at: String
        let hint: String
    }

    @Test func `twenty-five mistakes in fourteen files are twenty-five messages, each with its place and a hint`()
        throws
    {
        let list = try Data(contentsOf: Self.root.appending(path: "Tests/EndToEndTests/Scripts/broken-policy.json"))
        let mistakes = try JSONDecoder().decode([Mistake].self, from: list)
        #expect(mistakes.count == 25 && Set(mistakes.map(\.file)).count == 14)
        let prefix = Self.root.path + "/config/orebro/"
        var files = try SettingsFiles.read(directory: Self.root.path + "/config/orebro")
        let key = try #require(files.keys.first { $0.hasSuffix("/collaboration.yaml") })
        let directory = String(key.dropLast("collaboration.yaml".count))
        #expect(directory.hasSuffix("config/orebro/"), "\(prefix)")
        for mistake in mistakes {
            let text = try #require(files[directory + mistake.file])
            #expect(text.contains(mistake.old), "\(mistake.file) has changed: \(mistake.old)")
            files[directory + mistake.file] = text.replacingFirst(mistake.old, with: mistake.new)
        }
        let result = PolicyCheck.run(files: files, zone: PolicyFixture.zone)
        #expect(result.policy == nil && !result.isActivatable)
        let errors = result.diagnostics.filter { $0.severity == .error }
        #expect(errors.count == 25, "\(errors.map(\.text).joined(separator: "\n"))")
        for mistake in mistakes {
            let text = try #require(files[directory + mistake.file])
            let place = try #require(Self.place(of: mistake, in: text))
            let found = errors.first {
                $0.location.file == directory + mistake.file && ($0.location.line, $0.location.column) == place
            }
            #expect(
                found?.hint?.contains(mistake.hint) == true, "\(mistake.file) \(place): \(found?.text ?? "nothing")")
            #expect(found?.sourceLine != nil)
        }
    }

    /// Line and column of what is wrong.
    private static func place(of mistake: Mistake, in text: String) -> (Int, Int)? {
        guard let whole = text.firstRange(of: mistake.new),
            let part = text[whole].firstRange(of: mistake.at)
        else { return nil }
        let before = text[..<part.lowerBound]
        let start = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
        return (before.count { $0 == "\n" } + 1, before[start...].unicodeScalars.count + 1)
    }
}
