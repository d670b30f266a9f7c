import Settings
import Testing

@testable import Routing

/// One way to break the fixture, and what must be said about it.
struct Breakage: Sendable, CustomTestStringConvertible {
    let file: String
    let old: String
    let new: String
    let code: DiagnosticCode
    /// Text in the broken file that the finding points at the beginning of, and which of its occurrences.
    let marker: String
    /// Part of the hint, if there must be one.
    var hint: String?

    var testDescription: String { "\(code) \(file): \(new)" }

    init(_ file: String, _ old: String, _ new: String, _ code: DiagnosticCode, at marker: String, hint: String? = nil) {
        self.file = file
        self.old = old
        self.new = new
        self.code = code
        self.marker = marker
        self.hint = hint
    }

    /// Where the marker stands in a text.
    func location(in text: String) -> Settings.SourceLocation? {
        guard let range = text.firstRange(of: marker) else { return nil }
        let before = text[..<range.lowerBound]
        let line = before.count { $0 == "\n" } + 1
        let start = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
        return Settings.SourceLocation(file: file, line: line, column: before[start...].unicodeScalars.count + 1)
    }

    /// Independent of each other: all can be made at once.
    static let together = [
        Breakage(
            "collaboration.yaml", "county: \"18\"", "county: 18", .unquotedCode, at: "18\nmunicipalities",
            hint: "write \"18\""),
        Breakage(
            "collaboration.yaml", "mode: exercise", "mode: excercise", .invalidValue, at: "excercise",
            hint: "did you mean 'exercise'?"),
        Breakage("collaboration.yaml", "speed: 1}", "speed: fast}", .invalidValue, at: "fast"),
        Breakage("collaboration.yaml", "acknowledge: 12h", "acknowledge: 12 hours", .invalidValue, at: "12 hours"),
        Breakage(
            "collaboration.yaml", "closed: [holidays, eves]", "closed: [hollidays, eves]", .invalidValue,
            at: "hollidays", hint: "did you mean 'holidays'?"),
        Breakage(
            "collaboration.yaml", "{outside: office}", "{outside: ofice}", .unknownName, at: "ofice",
            hint: "did you mean 'office'?"),
        Breakage(
            "collaboration.yaml", "unacknowledged: 30d}", "unacknowledged: 30d, more: 1}", .unknownKey, at: "more: 1"),
        Breakage(
            "collaboration.yaml", "soc-1880, frv-18, reg-18", "soc-1808, frv-18, reg-18", .unknownName, at: "soc-1808",
            hint: "did you mean 'soc-1880'?"),
        Breakage(
            "types.yaml", "raise: [{when: child-present,", "raise: [{when: child-presnt,", .unknownName,
            at: "child-presnt", hint: "did you mean 'child-present'?"),
        Breakage(
            "types.yaml", "kind: codes, list: need", "kind: codes, list: needs", .unknownName, at: "needs, sensitivity",
            hint: "did you mean 'need'?"),
        Breakage("types.yaml", "max: 200", "max: 65537", .outOfRange, at: "65537"),
        Breakage(
            "types.yaml", "attributes: [municipality]", "attributes: [municipalty]", .unknownName, at: "municipalty",
            hint: "did you mean 'municipality'?"),
        Breakage("law.yaml", "sfs: \"1988:691\"", "sfs: \"88:691\"", .invalidValue, at: "\"88:691\""),
        Breakage(
            "law.yaml", "valid: {from: 2025-12-01}", "valid: {from: 2025-12-01, to: 2025-11-30}", .emptyPeriod,
            at: "2025-11-30"),
        Breakage("law.yaml", "except: [\"25:1-5\"", "except: [\"25:5-1\"", .invalidValue, at: "\"25:5-1\""),
        Breakage(
            "law.yaml", "affirmations: [concrete-risk, close-person]", "affirmations: [concrete-risk, close-persn]",
            .unknownName, at: "close-persn", hint: "did you mean 'close-person'?"),
        Breakage(
            "agreements.yaml", "organisation: polisen, signed: 2024-06-03", "organisation: polsen, signed: 2024-06-31",
            .unknownName, at: "polsen", hint: "did you mean 'polisen'?"),
        Breakage(
            "agreements.yaml", "municipalities: [\"1880\"]", "municipalities: [\"1800\"]", .unknownMunicipality,
            at: "\"1800\""),
        Breakage(
            "agreements.yaml", "programmes: [trygga-hem]", "programmes: trygga-hem", .wrongShape, at: "trygga-hem\n",
            hint: "write [trygga-hem]"),
        Breakage(
            "rules.yaml", "basis: police-act-6", "basis: police-act-7", .unknownName, at: "police-act-7",
            hint: "did you mean 'police-act-6'?"),
        Breakage(
            "rules.yaml", "from: {kinds: [prosecutor]}\n    to: {parties: [pol-18-rlc]",
            "from: {kinds: [prosecuter]}\n    to: {parties: [pol-18-rlc]", .invalidValue, at: "prosecuter",
            hint: "did you mean 'prosecutor'?"),
        Breakage(
            "rules.yaml", "types: [risk.disclosed]", "types: [risk.disclozed]", .unknownName, at: "risk.disclozed",
            hint: "did you mean 'risk.disclosed'?"),
        Breakage(
            "rules.yaml", "fields: [level, criteria]", "fields: [level, criterea]", .unknownField, at: "criterea",
            hint: "did you mean 'criteria'?"),
        Breakage(
            "rules.yaml", "fields: [status]", "fields: [status]\n    strict: {fields: [statuz]}", .widerStrictView,
            at: "statuz"),
        Breakage(
            "rules.yaml", "to: {kinds: [probation, county-board, ngo]}",
            "to: {kinds: [probation, county-board, ngo]}\n    basis: consent", .contradiction,
            at: "basis: consent\n  - id: risk"),
        Breakage(
            "rules.yaml", "told: [contactban.issued]", "told: [contactban.isued]", .unknownName, at: "contactban.isued",
            hint: "did you mean 'contactban.issued'?"),
        Breakage(
            "rules.yaml", "parties: [soc-1880], told", "parties: [soc-1808], told", .unknownName, at: "soc-1808",
            hint: "did you mean 'soc-1880'?"),
        Breakage(
            "tests.yaml", "at: 2026-12-15T01:30:00+01:00", "at: 2026-12-15 01:30", .invalidValue, at: "2026-12-15 01:30"
        ),
        Breakage("tests.yaml", "code: never-rule", "code: never", .invalidValue, at: "never}"),
        Breakage(
            "parties/pol-18-rlc.yaml", "roles: [sender, receiver]", "roles: [sender, administrator]",
            .incompatibleRoles, at: "administrator", hint: "two roles, two certificates"),
        Breakage(
            "parties/soc-1880.yaml", "function: intake", "function: intakes", .unknownName, at: "intakes",
            hint: "did you mean 'intake'?"),
        Breakage(
            "parties/soc-1880.yaml", "id: staff-17,", "id: anna@example.org,", .personalAddress, at: "anna@example.org",
            hint: "address functions and desks, never people"),
        Breakage(
            "parties/soc-1864.yaml", "kind: social-services", "kind: social-service", .invalidValue,
            at: "social-service\n", hint: "did you mean 'social-services'?"),
        Breakage(
            "parties/frv-18.yaml", "id: frv-18", "id: frv-19", .fileName, at: "frv-19",
            hint: "name the file frv-19.yaml"),
        Breakage("parties/jour-1880.yaml", "hours: out-of-office\n", "", .missingKey, at: "kind: on-call-desk"),
        Breakage(
            "parties/lst-18.yaml", "regime: gdpr", "regime: gdpr\nregime: bdl", .duplicateKey, at: "regime: bdl",
            hint: "remove one of them"),
    ]

    /// Each made alone.
    static let alone =
        together + [
            Breakage("collaboration.yaml", "mode: exercise", "mode: production", .clockInProduction, at: "clock:"),
            Breakage(
                "collaboration.yaml", "time-zone: Europe/Stockholm", "time-zone: Europe/Oslo", .invalidValue,
                at: "Europe/Oslo"),
            Breakage(
                "collaboration.yaml", "out-of-office: {outside: office}", "out-of-office: {outside: out-of-office}",
                .cycle, at: "out-of-office}"),
            Breakage(
                "collaboration.yaml", "unacknowledged: 30d}", "unacknowledged: 30d, receipts: 730d}", .unknownKey,
                at: "receipts: 730d", hint: "90 days, whatever stands here; remove this line"),
            Breakage(
                "collaboration.yaml", "unacknowledged: 30d}", "unacknowledged: 30d, duplicates: 30d}", .unknownKey,
                at: "duplicates: 30d", hint: "30 days, whatever stands here; remove this line"),
            Breakage(
                "types.yaml", "raise: [{when: child-present,",
                "retention: {content-unacknowledged: 30 days}\n    raise: [{when: child-present,", .invalidValue,
                at: "30 days"),
            Breakage(
                "types.yaml", "raise: [{when: child-present,",
                "retention: {content-unacknowledged: 1439m}\n    raise: [{when: child-present,", .outOfRange,
                at: "1439m", hint: "at least 1440m"),
            Breakage(
                "collaboration.yaml", "content-after-acknowledgement: 7d", "content-after-acknowledgement: 59m",
                .outOfRange, at: "59m", hint: "at least 60m"),
            Breakage(
                "types.yaml", "raise: [{when: child-present,",
                "retention: {content: 30d}\n    raise: [{when: child-present,", .unknownKey, at: "content: 30d"),
            Breakage("collaboration.yaml", "version: 1", "version: 2", .unknownVersion, at: "2\nid"),
            Breakage(
                "collaboration.yaml", "\"1864\": Ljusnarsberg", "\"1764\": Grums", .unknownMunicipality, at: "\"1764\""),
            Breakage("collaboration.yaml", "from: \"08:00\"", "from: 08:00", .unquotedCode, at: "08:00"),
            Breakage(
                "law.yaml", "agreement: not-required\n  - id: consent", "agreement: no\n  - id: consent", .invalidValue,
                at: "no\n  - id"),
            Breakage(
                "law.yaml", "    to: {kinds: [social-services]}\n  - id: ban-4a",
                "    agreement: required\n  - id: ban-4a", .contradiction, at: "required\n"),
            Breakage(
                "law.yaml", "{within: [\"21-40\"], except: [\"25:1-5\", \"25:8\", \"26:3\"]}", "{within: [\"25\"]}",
                .neverApplies, at: "impossible"),
            Breakage(
                "rules.yaml",
                "effect: duty\n    types: [contactban.issued]\n    from: {kinds: [prosecutor]}\n    to: {parties: [pol-18-rlc], named: yes}\n    basis: ban-4a",
                "effect: duty\n    types: [contactban.issued]\n    from: {kinds: [prosecutor]}\n    to: {parties: [pol-18-rlc], named: yes}\n    basis: consent",
                .dutyWithoutDuty, at: "consent\n    fields: [validFrom, home]"),
            Breakage(
                "rules.yaml", "basis: ban-4a\n    fields: [validFrom, home]",
                "basis: police-act-6\n    fields: [validFrom, home]", .neverApplies,
                at: "police-act-6\n    fields: [validFrom, home]"),
            Breakage(
                "rules.yaml", "to: {parties: [pol-18-rlc]}", "to: {parties: [lst-18]}", .noDesk,
                at: "to: {parties: [lst-18]}"),
            Breakage(
                "rules.yaml", "to: {parties: [pol-18-rlc]}", "to: {kinds: [on-call-desk]}", .contradiction,
                at: "on-call-desk"),
            Breakage(
                "rules.yaml", "- id: ban-police", "- id: ban-boards", .duplicateID,
                at:
                    "ban-boards\n    effect: duty\n    types: [contactban.issued]\n    from: {kinds: [prosecutor]}\n    to: {kinds"
            ),
            Breakage(
                "rules.yaml", "{collaboration: varmland", "{collaboration: orebro", .contradiction,
                at: "orebro, parties", hint: "name the collaboration whose rules reach our parties"),
            Breakage(
                "rules.yaml", "parties: [soc-1880], told", "parties: [soc-1780], told", .contradiction,
                at: "soc-1780], told", hint: "its own county's rules must name it"),
            Breakage("rules.yaml", "parties: [soc-1880], told", "parties: [], told", .wrongCount, at: "[], told"),
            Breakage("rules.yaml", "parties: [soc-1880], told", "told", .missingKey, at: "{collaboration: varmland"),
            Breakage("rules.yaml", "told: [contactban.issued]", "told: []", .wrongCount, at: "[]}"),
            Breakage(
                "rules.yaml", ", told: [contactban.issued]", "", .missingKey, at: "{collaboration: varmland",
                hint: "what its rules may tell our parties"),
            Breakage(
                "rules.yaml", "told: [contactban.issued]", "tells: [contactban.isued]", .unknownName,
                at: "contactban.isued", hint: "did you mean 'contactban.issued'?"),
            Breakage("rules.yaml", "consent: [protected-person]", "consent: [mother]", .invalidValue, at: "mother"),
            Breakage(
                "rules.yaml", "from: {parties: [\"*\"]}", "from: {}", .missingKey, at: "from: {}", hint: "everybody is"),
            Breakage(
                "parties/pol-18-rlc.yaml", "roles: [sender, receiver]", "roles: [sender]", .missingRole, at: "stations"),
            Breakage(
                "parties/pol-18-rlc.yaml", "municipalities: []", "municipalities: []\nfallback: pol-18-rlc", .cycle,
                at: "pol-18-rlc\nregime"),
            Breakage(
                "parties/soc-1880.yaml", "id: soc-1880-intake, label", "id: rlc, label", .duplicateID, at: "rlc, label"),
            Breakage(
                "parties/soc-1880.yaml", "id: system, roles",
                "id: system, uri: \"urn:budkavle:pol-18-rlc:rlc-1\", roles", .duplicateIdentity, at: "system, uri"),
            Breakage(
                "parties/soc-1880.yaml", "id: system, roles", "id: system, uri: \"urn:x\", roles", .invalidValue,
                at: "\"urn:x\""),
            Breakage(
                "parties/soc-1880.yaml", "kind: social-services", "kind: social-services\nagent-for: [soc-1864]",
                .contradiction, at: "agent-for"),
            Breakage(
                "parties/pol-18-lpo.yaml", "roster: [{person: p-1", "roster: [{person: p-2", .unknownName, at: "p-2",
                hint: "did you mean 'p-1'?"),
            Breakage(
                "parties/pol-18-lpo.yaml", "calendar: always", "calendar: allways", .unknownName, at: "allways",
                hint: "did you mean 'always'?"),
            Breakage(
                "parties/akl-18.yaml", "00bb\"", "00BB\"", .invalidValue,
                at: "\"00000000000000000000000000000000000000000000000000000000000000BB\""),
        ]
}

struct PolicyDiagnosticTests {
    @Test(arguments: Breakage.alone)
    func `every mistake has its code, its place and its hint`(breakage: Breakage) throws {
        let fixture = PolicyFixture().replacing(breakage.old, with: breakage.new, in: breakage.file)
        let diagnostics = fixture.diagnostics
        let all = diagnostics.map(\.text).joined(separator: "\n")
        // This one is found in the rule that uses the basis, not where the basis was changed.
        if breakage.marker == "impossible" {
            #expect(diagnostics.contains { $0.code == breakage.code && $0.location.file == "rules.yaml" }, "\(all)")
            return
        }
        let place = try #require(breakage.location(in: fixture.files[breakage.file] ?? ""))
        let found = try #require(
            diagnostics.first { $0.code == breakage.code && $0.location == place },
            "wanted \(breakage.code) at \(place), got\n\(all)")
        #expect(found.severity == .error)
        if let hint = breakage.hint { #expect(found.hint?.contains(hint) == true, "\(found.text)") }
        #expect(PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone).policy == nil)
    }

    @Test func `thirty and more mistakes are all told at once, each at its place`() throws {
        var fixture = PolicyFixture()
        for breakage in Breakage.together {
            fixture = fixture.replacing(breakage.old, with: breakage.new, in: breakage.file)
        }
        let diagnostics = fixture.diagnostics
        for breakage in Breakage.together {
            let place = try #require(breakage.location(in: fixture.files[breakage.file] ?? ""))
            #expect(
                diagnostics.contains { $0.code == breakage.code && $0.location == place },
                "missing \(breakage.code) at \(place)")
        }
        #expect(Breakage.together.count >= 25)
        #expect(diagnostics.map(\.location) == diagnostics.map(\.location).sorted())
    }

    @Test func `missing and foreign files are told`() {
        var fixture = PolicyFixture()
        fixture.files["config/rules.yaml"] = fixture.files.removeValue(forKey: "rules.yaml")
        fixture.files["law.yaml"] = nil
        fixture.files["laws.yaml"] = "version: 1\n"
        fixture.files["other/agreements.yaml"] = "version: 1\nagreements: []\n"
        let found = fixture.diagnostics.map { "\($0.location.file) \($0.code)" }
        #expect(found.contains("laws.yaml BK3002"))
        #expect(found.contains("law.yaml BK3001") || found.contains("config/law.yaml BK3001"))
        #expect(found.contains("other/agreements.yaml BK3004"))
    }

    @Test func `warnings do not stop a policy`() throws {
        let fixture = PolicyFixture()
            .replacing("signed: 2024-10-10", with: "left: 2027-01-01", in: "agreements.yaml")
            .replacing(
                "roster: [{person: p-1, step: 1, hours: office, valid: {to: 2026-12-31}}]", with: "roster: []",
                in: "parties/pol-18-lpo.yaml"
            )
            .replacing(
                "people: [{id: staff-1, roles: [responder], desks: [frv]}]", with: "people: []",
                in: "parties/frv-18.yaml")
        let load = PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone)
        #expect(load.policy != nil)
        #expect(load.diagnostics.map(\.severity) == [.warning, .warning, .warning])
        #expect(load.diagnostics.map(\.code) == [.partlySigned, .nobodyAtDesk, .emptyRoster])
    }

    @Test func `the digest covers everything but worked examples and layout`() throws {
        let fixture = PolicyFixture()
        let digest = try fixture.policy().digest
        let layout = fixture.replacing(
            "  - id: intervention-soc\n    effect: duty", with: "  # why\n  - effect:   duty\n    id: intervention-soc",
            in: "rules.yaml")
        #expect(try layout.policy().digest == digest)
        let examples = fixture.replacing("Nurse without consent", with: "Another name", in: "tests.yaml")
        #expect(try examples.policy().digest == digest)
        let hours = fixture.replacing("16:30", with: "16:31", in: "collaboration.yaml")
        #expect(try hours.policy().digest != digest)
        let zone = ZoneTransitions(name: "Europe/Stockholm", initialOffsetSeconds: 3_600, transitions: [])
        #expect(PolicyLoader.load(files: fixture.files, zone: zone).policy?.digest != digest)
    }
}
