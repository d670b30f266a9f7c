import CaseNotifications
import Settings
import Testing

@testable import Routing

/// What ends which approval.
struct ApprovalFormTests {
    /// A change of one line, and the parts that are not approved after it.
    struct Change: CustomTestStringConvertible, Sendable {
        let name: String
        let file: String
        let old: String
        let new: String
        let ends: Set<String>

        init(_ name: String, _ file: String, _ old: String, _ new: String, _ ends: Set<String>) {
            self.name = name
            self.file = file
            self.old = old
            self.new = new
            self.ends = ends
        }

        var testDescription: String { name }
    }

    static let opening: [Change] = [
        Change(
            "a field of a rule", "rules.yaml", "fields: [injuryClass]", "fields: [injuryClass, consentRef]",
            ["rule:injury-risk"]),
        Change(
            "an attribute of a rule", "rules.yaml", "attributes: [municipality, level]",
            "attributes: [municipality, level, secrecy]", ["rule:intervention-soc"]),
        Change(
            "a field of a type whose fields all go", "types.yaml", "fields: [{name: consentRef,",
            "fields: [{name: more, kind: flag, sensitivity: plain}, {name: consentRef,", ["rule:injury-consent"]),
        Change(
            "a field in the strict view", "rules.yaml", "    fields: [level, criteria]\n",
            "    fields: [level, criteria]\n    strict: {attributes: [level], fields:"
                + " [level]}\n", ["rule:focus-group"]),
        Change(
            "the sensitivity of a field", "types.yaml", "max: 200, sensitivity: whereabouts",
            "max: 200, sensitivity: plain", ["rule:intervention-soc"]),
        Change(
            "what a field can say", "types.yaml", "{name: validFrom, kind: timestamp",
            "{name: validFrom, kind: reference",
            ["rule:ban-boards", "rule:ban-police"]),
        Change(
            "how long a text may be", "types.yaml", "max: 200, sensitivity", "max: 2000, sensitivity",
            ["rule:intervention-soc"]),
        Change(
            "a code more", "types.yaml", "talk: {sv: samtal, en: talk}",
            "talk: {sv: samtal, en: talk}, other: {sv: annat, en: other}", ["rule:intervention-soc"]),
        Change(
            "what the strict view keeps", "types.yaml", "whereabouts: {strict: drop}", "whereabouts: {strict: keep}",
            ["rule:intervention-soc"]),
        Change(
            "another basis", "rules.yaml", "    basis: osl-10-18c\n    fields: [concrete]",
            "    basis: consent\n    fields: [concrete]", ["rule:risk-police"]),
        Change(
            "what a basis demands", "law.yaml", "affirmations: [concrete-risk, close-person]",
            "affirmations: [concrete-risk]", ["rule:injury-risk", "rule:risk-police"]),
        Change(
            "what a basis lifts", "law.yaml", "except: [\"25:1-5\", \"25:8\", \"26:3\"]",
            "except: [\"25:8\", \"26:3\"]",
            ["rule:focus-group", "rule:status-soc"]),
        Change(
            "a condition", "rules.yaml", "    valid: {to: 2027-01-31}\n", "    valid: {to: 2027-02-28}\n",
            ["rule:focus-group"]),
        Change(
            "a never rule that means fewer", "rules.yaml", "to: {kinds: [probation, county-board, ngo]}",
            "to: {kinds: [probation, county-board]}", ["rule:injury-consent", "rule:injury-risk", "rule:risk-police"]),
        Change(
            "a never rule for fewer types", "rules.yaml", "types: [injury.observed, risk.disclosed]",
            "types: [injury.observed]", ["rule:risk-police"]),
        Change(
            "a never rule that is gone", "rules.yaml",
            """
              - id: injury-never
                effect: never
                types: [injury.observed, risk.disclosed]
                from: {parties: ["*"]}
                to: {kinds: [probation, county-board, ngo]}

            """, "", ["rule:injury-consent", "rule:injury-risk", "rule:risk-police"]),
        Change(
            "a system", "parties/soc-1880.yaml", "clients: [{", "clients: [{id: other, roles: [sender]}, {",
            ["client:soc-1880/other"]),
        Change(
            "a certificate", "parties/reg-18.yaml", "0000aa\"", "0000ac\"", ["client:reg-18/form"]),
        Change(
            "a role of a person", "parties/soc-1880.yaml", "roles: [responder]", "roles: [responder, receiver]",
            ["person:soc-1880/staff-17"]),
        Change(
            "a desk of a person", "parties/frv-18.yaml", "roles: [responder], desks: [frv]", "roles: [responder]",
            ["person:frv-18/staff-1"]),
        Change(
            "the types of a desk", "parties/frv-18.yaml", "calendar: office}",
            "calendar: office, types: [focus.listed]}", ["desk:frv-18/frv"]),
        Change(
            "a fallback", "parties/pol-18-lpo.yaml", "fallback: pol-18-rlc", "fallback: soc-1880",
            ["fallback:pol-18-lpo"]),
        Change(
            "a person at an on-call desk", "parties/jour-1880.yaml", "people: [{",
            "people: [{id: staff-999, roles: [responder], desks: [jour-1880]}, {", ["person:jour-1880/staff-999"]),
        Change(
            "a station at an on-call desk", "parties/jour-1880.yaml", "people: [{",
            "clients: [{id: other, roles: [receiver], stations: [jour-1880]}]\npeople: [{", ["client:jour-1880/other"]),
        Change(
            "a desk of an on-call desk", "parties/jour-1880.yaml", "calendar: always}]",
            "calendar: always}, {id: jour-2, label: {sv: Två, en: Two}, calendar: always}]", ["desk:jour-1880/jour-2"]),
        Change(
            "a board of an on-call desk", "parties/jour-1880.yaml", "agent-for: [soc-1880, soc-1864]",
            "agent-for: [soc-1880, soc-1864, soc-1780]", ["agent:jour-1880/soc-1780"]),
        Change(
            "a municipality of a recipient", "parties/soc-1864.yaml", "municipalities: [\"1864\"]",
            "municipalities: [\"1864\", \"1880\"]", ["party:soc-1864"]),
        Change(
            "the authority of a recipient", "parties/reg-18.yaml", "organisation: region", "organisation: polisen",
            ["party:reg-18"]),
        Change(
            "the secrecy of a sender", "parties/reg-18.yaml", "secrecy: [\"25:1\"]", "secrecy: [\"26:1\"]",
            ["secrecy:reg-18"]),
        Change(
            "a member of a group", "collaboration.yaml", "members: [pol-18-lpo, soc-1880, frv-18, reg-18]",
            "members: [pol-18-lpo, soc-1880, soc-1864, frv-18, reg-18]", ["party:soc-1864", "rule:focus-group"]),
        Change("a later end of an agreement", "agreements.yaml", "to: 2027-08-31", "to: 2028-08-31", local),
        Change(
            "an agreement for more than its programmes", "agreements.yaml",
            "    programmes:"
                + " [trygga-hem]\n", "", local),
        Change(
            "another last day of one party in an agreement", "agreements.yaml",
            "{party: soc-1880, signed: 2024-10-10}", "{party: soc-1880, signed: 2024-10-10, left: 2027-08-30}",
            ["agreement:local-1880/soc-1880"]),
        Change(
            "a later end of the agreement of an on-call desk", "agreements.yaml", "to: 2026-12-31", "to: 2027-12-31",
            ["agent:jour-1880/soc-1864"]),
        Change(
            "a gap that a board signs", "parties/soc-1880.yaml", "functions: {intake:",
            "coverage-gap: [{signed: 2026-11-20, by: intake, until: 2027-06-30}]\nfunctions: {intake:",
            ["coverage-gap:soc-1880"]),
    ]

    /// The parts of the agreement of the municipality: one for each party that exchanges something by it.
    private static let local = Set(
        ["frv-18", "pol-18-lpo", "pol-18-rlc", "soc-1880"].map { "agreement:local-1880/\($0)" })

    @Test func `another signatory asks for approvals by it and of it and ends none`() throws {
        let soc = "      - {party: soc-1880, signed: 2024-06-10}\n"
        let approved = try PolicyFixture().inProduction.replacing(
            "      - {party: soc-1880, signed: 2024-10-10}\n", with: "", in: "agreements.yaml"
        ).approved()
        let more = approved.replacing(
            "    signatories:\n      - {organisation: polisen",
            with: "    signatories:\n\(soc)      - {organisation: polisen", in: "agreements.yaml")
        // Who else takes part is not in the form of its own part: it approves theirs as they approve its.
        #expect(
            try more.missing() == [
                "agreement:local-1880/frv-18: soc-1880", "agreement:local-1880/pol-18-lpo: soc-1880",
                "agreement:local-1880/pol-18-rlc: soc-1880",
                "agreement:local-1880/soc-1880: frv-18, pol-18-lpo, pol-18-rlc, soc-1880",
            ])
        #expect(!more.diagnostics.contains { $0.code == .noLongerApproved })
        let at = "2026-12-11T23:10:00+01:00"
        let listed = event(
            "focus.listed", from: "pol-18-rlc", at: at, municipality: "1880",
            affirmations: ["balance-done", "purpose-standing"], programme: "trygga-hem")
        for fixture in [approved, more] {
            let grants = try fixture.policy().decide(listed, at: time(at)).grants
            #expect(grants.map(\.party.text) == ["frv-18", "pol-18-lpo"])
        }
    }

    @Test(arguments: opening) func `what opens something ends exactly its approvals`(change: Change) throws {
        let approved = try PolicyFixture().inProduction.approved()
        let changed = approved.replacing(change.old, with: change.new, in: change.file)
        let load = PolicyLoader.load(files: changed.files, zone: PolicyFixture.zone)
        let standing = try #require(load.approvals, "\(load.diagnostics.map(\.text))")
        #expect(Set(standing.missing.map(\.part.id)) == change.ends)
        let told = load.diagnostics.filter { [.approvalMissing, .noLongerApproved].contains($0.code) }
        #expect(!told.isEmpty && told.allSatisfy { $0.severity == .warning })
        for part in change.ends { #expect(told.contains { $0.message.contains(part) }, "\(told.map(\.message))") }
        #expect(load.policy?.digest != load.whole?.digest, "what is inactive is in the digest")
    }

    static let harmless: [Change] = [
        Change("a calendar", "collaboration.yaml", "to: \"16:30\"", "to: \"17:00\"", []),
        Change(
            "a roster", "parties/pol-18-lpo.yaml", "hours: office, valid: {to: 2026-12-31}",
            "hours:"
                + " out-of-office", []),
        Change("the hours of an on-call desk", "parties/jour-1880.yaml", "hours: out-of-office", "hours: office", []),
        Change("a name", "parties/soc-1880.yaml", "en: Social board}", "en: Board}", []),
        Change("the name of a basis", "law.yaml", "en: Police Act 6", "en: The Police Act", []),
        Change("the name of an agreement", "agreements.yaml", "en: Local letter}", "en: Letter}", []),
        Change(
            "an agreement by which nothing is exchanged", "agreements.yaml", "  - id: on-call-1864",
            "  - {id: other, label: {sv: B, en: B}, level: county, state: in-force, signatories: "
                + "[{organisation: polisen, signed: 2024-01-01}]}\n  - id: on-call-1864", []),
        Change(
            "an agreement that is not signed", "agreements.yaml", "  - id: on-call-1864",
            "  - {id: other, label: {sv: B, en: B}, level: county, state: draft, signatories: "
                + "[{organisation: polisen}, {party: soc-1880, signed: 2024-01-01}]}\n  - id: on-call-1864", []),
        Change("a deadline", "collaboration.yaml", "acknowledge: 15m", "acknowledge: 20m", []),
        Change("a code", "types.yaml", "talk: {sv: samtal, en: talk}", "talk: {sv: prat, en: talk}", []),
        Change(
            "a field that no rule shows", "types.yaml", "{name: criteria, kind: reference, sensitivity: plain}",
            "{name: criteria, kind: reference, sensitivity: plain}, {name: aside, kind: flag, sensitivity: plain}", []),
    ]

    @Test(arguments: harmless) func `what opens nothing ends no approval`(change: Change) throws {
        let approved = try PolicyFixture().inProduction.approved()
        #expect(try approved.replacing(change.old, with: change.new, in: change.file).missing() == [])
    }

    @Test func `the order of files, rules, types, keys and lists does not matter`() throws {
        let fixture = PolicyFixture()
        var turned = fixture
        for (file, separator) in [("rules.yaml", "  - id: "), ("types.yaml", "  - id: "), ("law.yaml", "  - id: ")] {
            let text = try #require(fixture.files[file])
            let head = try #require(text.firstRange(of: separator))
            var entries: [String] = []
            var rest = text[head.upperBound...]
            while let next = rest.firstRange(of: separator) {
                entries.append(String(rest[..<next.lowerBound]))
                rest = rest[next.upperBound...]
            }
            entries.append(String(rest.drop { $0 == "\n" }))
            while entries[entries.count - 1].hasSuffix("\n\n") { entries[entries.count - 1].removeLast() }
            turned.files[file] =
                String(text[..<head.lowerBound]) + entries.reversed().map { separator + $0 }.joined()
        }
        turned = turned.replacing(
            "[social-services, probation, police]", with: "[police, probation, social-services]", in: "rules.yaml"
        )
        .replacing(
            "    from: {kinds: [region]}\n    to: {kinds: [police], named: yes}\n",
            with: "    to: {named: yes, kinds: [police]}\n    from: {kinds: [region]}\n", in: "rules.yaml"
        )
        .replacing(
            "roles: [sender, receiver], stations", with: "roles: [receiver, sender], stations",
            in: "parties/reg-18.yaml")
        turned.files = Dictionary(uniqueKeysWithValues: turned.files.map { ("x/\($0.key)", $0.value) })
        let before = try fixture.parts()
        let after = try turned.parts()
        #expect(before.map(\.id) == after.map(\.id))
        #expect(before.map(\.form) == after.map(\.form))
        #expect(before.map(\.approvers) == after.map(\.approvers))
        #expect(before.map(\.words) == after.map(\.words))
    }

    @Test func `a rule is approved by its senders and by its recipients, a party by whoever sends to it`() throws {
        let parts = Dictionary(uniqueKeysWithValues: try PolicyFixture().parts().map { ($0.id, $0) })
        let texts = { (id: String) in parts[id]?.approvers.map(\.text) }
        #expect(texts("rule:intervention-soc") == ["pol-18-lpo", "pol-18-rlc", "soc-1864", "soc-1880"])
        #expect(texts("rule:ban-boards") == ["akl-18", "soc-1780", "soc-1864", "soc-1880"])
        #expect(texts("rule:focus-group") == ["frv-18", "pol-18-lpo", "pol-18-rlc", "soc-1880"])
        #expect(texts("party:soc-1780") == ["akl-18", "soc-1780"])
        #expect(texts("agent:jour-1880/soc-1864") == ["jour-1880", "soc-1864"])
        for part in ["person:jour-1880/staff-31", "desk:jour-1880/jour-1880"] {
            #expect(texts(part) == ["jour-1880", "soc-1864", "soc-1880"], "what is there is those boards': \(part)")
        }
        #expect(texts("person:soc-1880/staff-17") == ["soc-1880"])
        #expect(texts("fallback:pol-18-lpo") == ["pol-18-lpo", "pol-18-rlc"])
        #expect(parts["rule:injury-never"] == nil, "what forbids needs no approval of its own")
        #expect(texts("secrecy:lst-18") == nil, "who sends nothing has nothing to open")
        #expect(texts("agreement:local-1880/soc-1880") == ["frv-18", "pol-18-lpo", "pol-18-rlc", "soc-1880"])
        #expect(
            texts("agreement:on-call-1864/soc-1864") == nil, "its parties exchange nothing that needs an agreement")
    }

    @Test func `who approves readers at an on-call desk is told whose data is there`() throws {
        let part = try #require(try PolicyFixture().parts().first { $0.id == "person:jour-1880/staff-31" })
        #expect(
            part.words.last?.en
                == "At the hours of its duty what is for these is there too: Social board (soc-1864),"
                + " Social board (soc-1880).")
        #expect(part.words.last?.sv.contains("Socialnämnden Örebro (soc-1880)") == true)
    }

    @Test func `plain words name who reads what of whom on which basis, and only if what`() throws {
        let part = try #require(try PolicyFixture().parts().first { $0.id == "rule:focus-group" })
        #expect(
            part.words.map(\.en) == [
                "Sends: Local police (pol-18-lpo), Command centre (pol-18-rlc).",
                "Reads: Probation (frv-18), Local police (pol-18-lpo), Social board (soc-1880).",
                "May be told. Of “Listed” (focus.listed): level, criteria, level.",
                "With protected identity only: level, criteria, level.",
                "Legal basis: Secrecy Act 10:15 a (SFS 2009:400, 10 kap. 15 a §, as amended by SFS 2025:934), in force from"
                    + " 2025-12-01 on.",
                "It lifts secrecy by OSL 21–40 only.", "It does not lift secrecy by OSL 25:1–25:5, 25:8, 26:3.",
                "Only if the recipient is in the municipality's group.", "Only if the sender affirms: “Balanced”.",
                "Only if an agreement is in force, or both are one authority.", "In force up to and with 2027-01-31.",
            ])
        #expect(
            part.words.map(\.sv) == [
                "Lämnar ut: LPO (pol-18-lpo), Regionledningscentralen (pol-18-rlc).",
                "Får läsa: Frivården (frv-18), LPO (pol-18-lpo), Socialnämnden Örebro (soc-1880).",
                "Får underrättas. Av ”Upptagen” (focus.listed): level, criteria, nivå.",
                "Vid skyddade personuppgifter bara: level, criteria, nivå.",
                "Rättslig grund: 10 kap. 15 a § OSL (SFS 2009:400, 10 kap. 15 a §, i lydelse enligt SFS 2025:934), gäller från"
                    + " och med 2025-12-01.",
                "Den bryter bara sekretess enligt OSL 21–40.",
                "Den bryter inte sekretess enligt OSL 25:1–25:5, 25:8, 26:3.",
                "Bara om mottagaren är med i kommunens grupp.", "Bara om avsändaren intygar: ”Avvägningen är gjord”.",
                "Bara om en överenskommelse gäller, eller båda är samma myndighet.", "Gäller till och med 2027-01-31.",
            ])
    }

    @Test func `changes are told by what was added and what has gone`() {
        var old = ApprovalForm()
        old.add("effect", "may")
        old.add("view a", ["one", "two, with\ncomma"])
        old.add("never n", "x")
        var new = ApprovalForm()
        new.add("effect", "duty")
        new.add("view a", ["one", "three"])
        new.add("affirm", ["z"])
        #expect(
            new.changes(since: old).map(\.en) == [
                "effect: duty instead of may", "fields to be read in a: three added, two\\c with\\ncomma gone",
                "to be affirmed: new, z", "what forbids, n: gone",
            ])
        #expect(
            new.changes(since: old).map(\.sv) == [
                "verkan: duty i stället för may",
                "uppgifter som får läsas i a: three tillkommer, two\\c with\\ncomma bort",
                "intygas: nytt, z", "förbudet n: bort",
            ])
        #expect(new.changes(since: new) == [])
    }

    @Test func `what separates values cannot be forged inside one`() {
        var two = ApprovalForm()
        two.add("a", ["b", "c"])
        for text in ["b, c", "b\nc", "b\\c c", "b\r"] {
            var one = ApprovalForm()
            one.add("a", [text])
            #expect(one != two && one.lines.count == 1 && !one.lines[0].contains("\n"), "\(text)")
        }
    }
}
