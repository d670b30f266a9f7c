import CaseNotifications
import Settings
import Testing

@testable import Routing

/// Two counties of one daemon, each the other's mirror: the board of Karlstad is a party in Örebro and the board of Örebro one in
/// Karlstad's county, and both may be told of contact bans.
private struct TwoCounties {
    var orebro = PolicyFixture()
    var varmland = PolicyFixture(files: Self.mirrored(PolicyFixture.original))

    /// Names and codes of the one county for those of the other.
    private static func mirrored(_ files: [String: String]) -> [String: String] {
        func swapped(_ text: String, _ one: String, _ other: String) -> String {
            text.replacing(one, with: "\u{1}").replacing(other, with: one).replacing("\u{1}", with: other)
        }
        func mirrored(_ text: String) -> String {
            var text = swapped(swapped(text, "1780", "1880"), "\"17\"", "\"18\"")
            text = swapped(text, "orebro", "varmland").replacing("1864", with: "1764")
            for kind in ["pol", "frv", "reg", "akl", "lst"] { text = text.replacing("\(kind)-18", with: "\(kind)-17") }
            return text
        }
        return Dictionary(uniqueKeysWithValues: files.map { (mirrored($0.key), mirrored($0.value)) })
    }

    /// The line of Värmland's that lets Karlstad's board be told, changed.
    func naming(_ entry: String) -> TwoCounties {
        var copy = self
        copy.varmland = varmland.replacing(
            "neighbours: [{collaboration: orebro, parties: [soc-1780], told: [contactban.issued]}]",
            with: "neighbours: [\(entry)]", in: "rules.yaml")
        return copy
    }

    /// The rule of Örebro's about contact bans with another `to`.
    func telling(_ recipients: String) -> TwoCounties {
        var copy = self
        copy.orebro = orebro.replacing(
            "to: {kinds: [social-services], roles: [respondent, protected, child], counties: [\"17\", \"18\"]}",
            with: "to: \(recipients)", in: "rules.yaml")
        return copy
    }

    /// What is wrong between them; the same for every order.
    func findings(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws -> [Diagnostic] {
        let log = DiagnosticLog()
        let policies = try [("orebro", orebro), ("varmland", varmland)].map { name, fixture in
            let files = Dictionary(uniqueKeysWithValues: fixture.files.map { ("\(name)/\($0.key)", $0.value) })
            for (path, text) in files { log.remember(file: path, text: text) }
            let load = PolicyLoader.load(files: files, zone: PolicyFixture.zone)
            let text = load.diagnostics.map(\.text).joined(separator: "\n")
            return try #require(load.whole, "\(text)", sourceLocation: sourceLocation)
        }
        NeighbourCheck.report(policies, to: log)
        let again = DiagnosticLog()
        NeighbourCheck.report(policies.reversed(), to: again)
        #expect(log.diagnostics.map(\.message) == again.diagnostics.map(\.message), sourceLocation: sourceLocation)
        return log.diagnostics
    }

    /// Code, place and message of each.
    func texts(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws -> [String] {
        try findings(sourceLocation: sourceLocation).map { "\($0.code) \($0.location.file): \($0.message)" }
    }
}

/// What crosses between two collaborations of a daemon: only what rules of both name.
struct NeighbourTests {
    private static let untold =
        "BK3501 orebro/rules.yaml: the rule 'ban-boards' tells 'soc-1780' of 'varmland' contactban.issued, "
        + "and the rules of 'varmland' do not say so"

    @Test func `what the rules of both sides name crosses`() throws {
        #expect(try TwoCounties().texts() == [])
    }

    @Test func `what one side alone names is an error at its rule, and the line of the hint mends it`() throws {
        let oneSided = TwoCounties().naming("")
        let found = try oneSided.findings()
        #expect(try oneSided.texts() == [Self.untold])
        let error = try #require(found.first)
        #expect(error.severity == .error && error.code.text == "BK3501")
        let line = "  - id: ban-boards"
        #expect(error.sourceLine == line && error.location.column == 9 && error.length == "ban-boards".count)
        let before = try #require(oneSided.orebro.files["rules.yaml"]?.firstRange(of: line)).lowerBound
        let lines = oneSided.orebro.files["rules.yaml"]?[..<before].count { $0 == "\n" }
        #expect(error.location.line == lines.map { $0 + 1 })
        #expect(error.related.map(\.file) == ["varmland/rules.yaml"])
        let added = "{collaboration: orebro, parties: [soc-1780], told: [contactban.issued]}"
        #expect(error.hint == "add to 'neighbours' in varmland/rules.yaml: \(added)")
        #expect(try TwoCounties().naming(added).findings().isEmpty)
    }

    @Test func `another type or another party than is told is missing, and what is named without use is warned of`()
        throws
    {
        let unused = "BK5501 varmland/rules.yaml: no rule of 'orebro' "
        let type = TwoCounties().naming("{collaboration: orebro, parties: [soc-1780], told: [focus.listed]}")
        #expect(try type.texts() == [Self.untold, unused + "needs this entry"])
        #expect(try type.findings().map(\.severity) == [.error, .warning])
        #expect(try type.findings().first?.related.first?.column ?? 0 > 1, "the entry that lacks it")

        let party = TwoCounties().naming("{collaboration: orebro, parties: [soc-1764], told: [contactban.issued]}")
        #expect(try party.texts() == [Self.untold, unused + "needs this entry"])

        let more = TwoCounties().naming(
            "{collaboration: orebro, parties: [soc-1780, soc-1764], told: [contactban.issued, focus.listed], "
                + "tells: [risk.disclosed]}")
        #expect(
            try more.texts() == [
                unused + "needs 'soc-1764' here", unused + "tells these parties focus.listed",
                unused + "lets these parties tell risk.disclosed",
            ])
        let markers = ["soc-1764]", "focus.listed]", "risk.disclosed]"]
        for (finding, marker) in zip(try more.findings(), markers) {
            let line = try #require(finding.sourceLine)
            #expect(line.dropFirst(finding.location.column - 1).hasPrefix(marker), "\(finding.text)")
        }
    }

    @Test func `a rule that no longer reaches across leaves the other side's entry unused`() throws {
        let own = TwoCounties().telling("{kinds: [social-services], roles: [respondent, protected, child]}")
        #expect(try own.texts() == ["BK5501 varmland/rules.yaml: no rule of 'orebro' needs this entry"])
    }

    @Test func `a neighbour that is not served is not compared`() throws {
        let log = DiagnosticLog()
        NeighbourCheck.report([try PolicyFixture().policy()], to: log)
        #expect(log.diagnostics.isEmpty)
    }

    @Test func `two collaborations of one county have their parties in common`() throws {
        var counties = TwoCounties()
        counties.varmland = counties.orebro.replacing("id: orebro", with: "id: orebro-gvi", in: "collaboration.yaml")
        #expect(try counties.texts() == [])
    }

    // MARK: Reaching

    @Test(arguments: [
        (#"{parties: [soc-1780], counties: ["17"]}"#, true), (#"{parties: ["*"], counties: ["17"]}"#, true),
        (#"{kinds: [social-services], where: municipality, counties: ["17", "18"]}"#, true),
        (#"{kinds: [social-services], named: yes, counties: ["17"]}"#, true),
        (#"{group: yes, counties: ["17"]}"#, false), (#"{kinds: [probation], counties: ["17"]}"#, false),
        (#"{parties: [soc-1780, soc-1880]}"#, false), (#"{kinds: [social-services], counties: ["18", "20"]}"#, false),
    ])
    func `every way in which a rule can mean a neighbour's party counts`(recipients: String, reaches: Bool) throws {
        let counties = TwoCounties().naming("").telling(recipients)
        #expect(try counties.texts() == (reaches ? [Self.untold] : []))
        guard recipients.contains("group") else { return }
        // The same rule reaches whoever is in a group, or takes over the work of a member.
        var members = counties
        members.orebro = counties.orebro.replacing(
            "frv-18, reg-18]", with: "frv-18, soc-1780]", in: "collaboration.yaml")
        #expect(try members.texts() == [Self.untold])
        members.orebro = counties.orebro.appending(
            "merged-into: {party: soc-1780, on: 2028-01-01}\n", to: "parties/soc-1880.yaml")
        #expect(try members.texts() == [Self.untold])
    }

    @Test func `a never rule, and a type that no desk there takes, need no entry`() throws {
        var counties = TwoCounties()
        counties.orebro = counties.orebro.appending(
            "  - {id: never-there, effect: never, types: [risk.disclosed], from: {parties: [\"*\"]}, "
                + "to: {kinds: [social-services], counties: [\"17\"]}}\n", to: "rules.yaml")
        #expect(try counties.texts() == [])
        counties = counties.naming("")
        #expect(try counties.texts() == [Self.untold])
        let two = counties.orebro.replacing(
            "- id: ban-boards\n    effect: duty\n    types: [contactban.issued]",
            with: "- id: ban-boards\n    effect: duty\n    types: [contactban.issued, focus.listed]", in: "rules.yaml"
        ).replacing("fields: [validFrom]\n", with: "fields: all\n", in: "rules.yaml")
        for (taken, told) in [("contactban.issued", [Self.untold]), ("risk.disclosed", [])] {
            counties.orebro = two.replacing(
                "calendar: always", with: "calendar: always, types: [\(taken)]", in: "parties/soc-1780.yaml")
            #expect(try counties.texts() == told)
        }
    }

    @Test func `an on-call desk of the neighbour's needs an entry for what the boards get that it acts for`() throws {
        var counties = TwoCounties()
        counties.orebro.files["parties/jour-1780.yaml"] = counties.varmland.files["parties/jour-1780.yaml"]?
            .replacing("[soc-1780, soc-1764]", with: "[soc-1864]").replacing("on-call-1764", with: "on-call-1864")
        let types = ["contactban.issued", "injury.observed", "police.intervention.closed", "programme.status"]
        let rules = ["ban-boards", "intervention-soc", "injury-consent", "status-soc"]
        let found = try counties.texts()
        #expect(found.count == rules.count, "\(found)")
        for rule in rules {
            #expect(found.contains { $0.contains("the rule '\(rule)' tells 'jour-1780' of 'varmland' ") }, "\(rule)")
        }
        let entry = "{collaboration: orebro, parties: [soc-1780], told: [contactban.issued]}"
        let named = counties.naming(
            "\(entry), {collaboration: orebro, parties: [jour-1780], told: [\(types.joined(separator: ", "))]}")
        #expect(try named.texts() == [])
    }

    @Test func `what a neighbour's party sends needs an entry too`() throws {
        var counties = TwoCounties()
        counties.orebro = counties.orebro.appending(
            """
              - id: risk-from-there
                effect: may
                types: [risk.disclosed]
                from: {kinds: [social-services], counties: ["17"]}
                to: {parties: [pol-18-rlc]}
                basis: osl-10-18c
                fields: [concrete]

            """, to: "rules.yaml")
        #expect(
            try counties.texts() == [
                "BK3501 orebro/rules.yaml: the rule 'risk-from-there' lets 'soc-1780' of 'varmland' tell risk.disclosed, "
                    + "and the rules of 'varmland' do not say so"
            ])
        let told = "{collaboration: orebro, parties: [soc-1780], told: [contactban.issued, risk.disclosed]"
        #expect(
            try counties.naming(told + "}").findings().map(\.code.text) == ["BK3501", "BK5501"],
            "to be told is not to tell")
        #expect(
            try counties.naming(
                "{collaboration: orebro, parties: [soc-1780], told: [contactban.issued], tells: [risk.disclosed]}"
            ).findings().isEmpty)
    }

    @Test func `a party of the neighbour's county that the neighbour does not know is told`() throws {
        var counties = TwoCounties()
        counties.orebro.files["parties/soc-1785.yaml"] = counties.orebro.files["parties/soc-1780.yaml"]?
            .replacing("1780", with: "1785")
        #expect(
            try counties.texts() == [
                "BK3501 orebro/rules.yaml: the rule 'ban-boards' tells 'soc-1785' of 'varmland' contactban.issued, "
                    + "and 'varmland' has no such party"
            ])
        #expect(try counties.findings().first?.hint?.hasPrefix("give it a file in 'varmland', and add to ") == true)
    }

    @Test func `a party is of one county wherever it is a party`() throws {
        var counties = TwoCounties().naming("")
        counties.orebro = counties.orebro
            .replacing(
                "county: \"17\"\nmunicipalities: [\"1780\"]", with: "county: \"18\"\nmunicipalities: []",
                in: "parties/soc-1780.yaml")
        #expect(
            try counties.texts() == [
                "BK3502 orebro/parties/soc-1780.yaml: 'soc-1780' is of county 18 here and of county 17 in 'varmland'"
            ])
    }

    // MARK: The block

    @Test func `the digest covers the block, a comparison shows it, and it needs no approval`() throws {
        let original = PolicyFixture()
        let wider = original.replacing(
            "told: [contactban.issued]", with: "told: [contactban.issued, risk.disclosed]", in: "rules.yaml")
        let (old, new) = (try original.policy(), try wider.policy())
        #expect(old.digest != new.digest)
        let difference = PolicyDifference(from: old, to: new)
        #expect(difference.changes.map(\.what) == ["rules.yaml"])
        #expect(difference.changes.map(\.name) == ["neighbours"])
        #expect(difference.changes.map(\.details) == [["[varmland].told: +risk.disclosed"]])
        #expect(difference.widened.isEmpty && difference.approvers.isEmpty)
        #expect(old.approvalParts().map(\.form.digest) == new.approvalParts().map(\.form.digest))
        let again = try #require(PolicyText.policy(new.canonicalText, zone: PolicyFixture.zone))
        #expect(again.digest == new.digest)
    }

    // MARK: What is shipped

    @Test func `the three counties name each other's boards, all that is needed and nothing more`() throws {
        let policies = try ShippedCounties.all.get().map { try #require($0.result.whole) }
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let log = DiagnosticLog()
            NeighbourCheck.report(order.map { policies[$0] }, to: log)
            #expect(log.diagnostics.isEmpty, "\(log.diagnostics.map(\.text))")
        }
        for policy in policies {
            let others = Set(policy.neighbours.entries.map(\.collaboration.value))
            #expect(others == Set(policies.map(\.collaboration)).subtracting([policy.collaboration]))
        }
    }
}
