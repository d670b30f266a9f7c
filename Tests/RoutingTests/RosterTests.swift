import CaseNotifications
import Settings
import Testing

@testable import Routing

struct RosterTests {
    private static let file = "parties/pol-18-lpo.yaml"
    private static let oldRoster = "roster: [{person: p-1, step: 1, hours: office, valid: {to: 2026-12-31}}]"

    /// The fixture with a roster of three people at the local police's desk, which is always open.
    private static func fixture(_ roster: String) -> PolicyFixture {
        PolicyFixture()
            .replacing(oldRoster, with: roster, in: file)
            .replacing(
                "people: [{id: p-1, roles: [responder], desks: [lpo]}]",
                with:
                    "people: [{id: p-1, roles: [responder], desks: [lpo]}, {id: p-2, roles: [responder], desks: [lpo]}, "
                    + "{id: p-3, roles: [responder], desks: [lpo]}]",
                in: file)
    }

    private static let weekly =
        "roster: [{rotation: {people: [p-1, p-2, p-3], length: 7d, start: 2026-10-19, hand-over: {day: mon, at: \"08:00\"}}}]"
    private static let desk = DeskID(unchecked: "lpo")

    private func onDuty(_ policy: Policy, _ at: String) -> [String] {
        policy.onDuty(at: Self.desk, when: time(at)).map { "\($0.step) \($0.person)" }
    }

    @Test(arguments: [
        ("2026-10-19T07:59:59.999+02:00", []), ("2026-10-19T08:00:00+02:00", ["1 p-1"]),
        // The week in which the clock goes back has 169 hours, and the hand-over is at eight all the same.
        ("2026-10-26T07:59:59.999+01:00", ["1 p-1"]), ("2026-10-26T08:00:00+01:00", ["1 p-2"]),
        ("2026-11-02T08:00:00+01:00", ["1 p-3"]), ("2026-11-09T08:00:00+01:00", ["1 p-1"]),
        // The week in which it goes forward has 167.
        ("2027-03-29T07:59:59.999+02:00", ["1 p-2"]), ("2027-03-29T08:00:00+02:00", ["1 p-3"]),
    ])
    func `a rotation hands over by the clock on the wall`(at: String, wanted: [String]) throws {
        let policy = try Self.fixture(Self.weekly).policy()
        #expect(onDuty(policy, at) == wanted)
    }

    @Test(arguments: ["2026-10-24", "2027-03-27"])
    func `a hand-over at an hour that is skipped or comes twice leaves nobody out`(start: String) throws {
        let roster =
            "roster: [{rotation: {people: [p-1, p-2], length: 1d, start: \(start), hand-over: {at: \"02:30\"}}}]"
        let policy = try Self.fixture(roster).policy()
        let first = time("\(start)T12:00:00+01:00")
        let gaps = policy.rosterGaps(of: Self.desk, from: first, to: first.advanced(bySeconds: 3 * 86_400))
        #expect(gaps.isEmpty)
        var seen: [PersonID] = []
        for minute in 0..<(3 * 1_440) {
            let duties = policy.onDuty(at: Self.desk, when: first.advanced(bySeconds: Int64(minute) * 60))
            #expect(duties.count == 1)
            if let person = duties.first?.person, seen.last != person { seen.append(person) }
        }
        #expect(seen.count == 4)
    }

    @Test(arguments: [
        ("2026-12-23T23:59:59.999+01:00", ["1 p-1"]), ("2026-12-24T00:00:00+01:00", ["1 p-3"]),
        ("2026-12-26T23:59:59.999+01:00", ["1 p-3"]), ("2026-12-27T00:00:00+01:00", ["1 p-1"]),
    ])
    func `an override takes over on its days and on no other`(at: String, wanted: [String]) throws {
        let roster = "roster: [{person: p-1}]\n    overrides: [{from: 2026-12-24, to: 2026-12-26, person: p-3}]"
        #expect(onDuty(try Self.fixture(roster).policy(), at) == wanted)
    }

    @Test func `an override for one person leaves the others, and one for a step fills a gap`() throws {
        let both = "roster: [{person: p-1}, {person: p-2, step: 2}]"
        let forOne = try Self.fixture(
            both + "\n    overrides: [{from: 2026-12-24, to: 2026-12-24, person: p-3, for: p-2, step: 2}]"
        ).policy()
        #expect(onDuty(forOne, "2026-12-24T12:00:00+01:00") == ["1 p-1", "2 p-3"])
        let absent = try Self.fixture(
            both + "\n    overrides: [{from: 2026-12-24, to: 2026-12-24, person: p-3, for: p-1, step: 3}]"
        ).policy()
        #expect(onDuty(absent, "2026-12-24T12:00:00+01:00") == ["1 p-1", "2 p-2"])
        let filling = try Self.fixture(
            "roster: [{person: p-1, hours: office}]\n    overrides: [{from: 2026-12-24, to: 2026-12-24, person: p-3}]"
        ).policy()
        #expect(onDuty(filling, "2026-12-24T12:00:00+01:00") == ["1 p-3"])
        #expect(onDuty(filling, "2026-12-25T12:00:00+01:00").isEmpty)
    }

    @Test func `a gap is found to the instant and told in words`() throws {
        // On duty always but from Saturday 12 December to Monday 07:00.
        let roster =
            "roster: [{person: p-1, valid: {to: 2026-12-11}}, {rotation: {people: [p-2], length: 1d, start: 2026-12-14, "
            + "hand-over: {at: \"07:00\"}}}]"
        let policy = try Self.fixture(roster).policy()
        let gaps = policy.rosterGaps(
            of: Self.desk, from: time("2026-12-07T00:00:00+01:00"), to: time("2027-01-07T00:00:00+01:00"))
        let wanted = RosterGap(
            desk: Self.desk, start: time("2026-12-12T00:00:00+01:00"), end: time("2026-12-14T07:00:00+01:00"))
        #expect(gaps == [wanted])
        #expect(gaps.map { $0.text(zone: policy.zone) } == ["nobody on duty Sat 12 Dec 00:00 + 55 h"])
        let cut = policy.rosterGaps(
            of: Self.desk, from: time("2026-12-13T00:00:00+01:00"), to: time("2026-12-13T12:00:00+01:00"))
        #expect(cut.map { $0.text(zone: policy.zone) } == ["nobody on duty Sun 13 Dec 00:00 + 12 h"])
        let warnings = policy.warnings(at: time("2026-12-01T00:00:00+01:00")).filter { $0.code == .rosterGap }
        #expect(warnings.count == 1 && warnings.first?.code.text == "BK5007")
        #expect(warnings.first?.message == "'lpo': nobody on duty Sat 12 Dec 00:00 + 55 h")
        #expect(warnings.first?.hint?.contains("'pol-18-rlc'") ?? false)
        #expect(policy.rosterGaps(of: DeskID(unchecked: "rlc"), from: wanted.start, to: wanted.end).isEmpty)
    }

    @Test func `a gap sends what cannot wait to the fallback party, to the second`() throws {
        let roster = "roster: [{person: p-1, valid: {to: 2026-12-11}}]"
        let policy = try Self.fixture(roster)
            .replacing(
                "to: {parties: [pol-18-rlc]}\n    basis: osl-10-18c",
                with: "to: {kinds: [police]}\n    basis: osl-10-18c",
                in: "rules.yaml"
            ).policy()
        func summary(_ at: String) -> [String] {
            policy.decide(
                event(
                    "risk.disclosed", from: "reg-18", at: at, affirmations: ["concrete-risk", "close-person"]),
                at: time(at)
            ).grants.map { "\($0.party):\($0.desk) \($0.insteadOf?.text ?? "-")" }
        }
        #expect(summary("2026-12-11T23:59:59.999+01:00") == ["pol-18-lpo:lpo -", "pol-18-rlc:rlc -"])
        #expect(summary("2026-12-12T00:00:00+01:00") == ["pol-18-rlc:rlc -"])
    }

    @Test(
        arguments: [
            ("length: 7d", "length: 92d", nil), ("length: 7d", "length: 93d", "BK2005"),
            ("length: 7d", "length: 36h", "BK2004"),
            ("length: 7d", "length: 0d", "BK2005"), ("start: 2026-10-19", "start: 2026-10-20", "BK3205"),
            ("at: \"08:00\"", "at: \"24:00\"", "BK2005"), ("people: [p-1, p-2, p-3]", "people: []", "BK2008"),
            ("people: [p-1, p-2, p-3]", "people: [p-1, p-9]", "BK3101"),
            ("roster: [{rotation", "roster: [{person: p-1, rotation", "BK3205"),
            (
                "roster: [{rotation: {people: [p-1, p-2, p-3], length: 7d, start: 2026-10-19, hand-over: {day: mon, at: \"08:00\"}}}]",
                "roster: [{step: 2}]", "BK2002"
            ),
        ] as [(String, String, String?)])
    func `what is wrong with a rotation is told`(old: String, new: String, code: String?) throws {
        // A turn of 92 days is no number of weeks: without a weekday.
        let weekly =
            new.contains("d") && old.hasPrefix("length")
            ? Self.weekly.replacingFirst("day: mon, ", with: "") : Self.weekly
        let fixture = Self.fixture(weekly.replacingFirst(old, with: new))
        let errors = fixture.diagnostics.filter { $0.severity == .error }
        if code == nil {
            #expect(errors.isEmpty, "\(errors.map(\.text))")
        } else {
            #expect(errors.count == 1, "\(errors.map(\.text))")
            #expect(errors.first?.code.text == code && errors.first?.location.file == Self.file)
            #expect(errors.first?.location.line == 15)
        }
    }

    @Test(arguments: [
        (Roster.mostOverrides, true), (Roster.mostOverrides + 1, false),
    ])
    func `a desk has so many overrides and no more`(count: Int, isAccepted: Bool) throws {
        let days = (0..<count).map { CivilDay(20_000 + $0).text }
        let list = days.map { "{from: \($0), to: \($0), person: p-2}" }.joined(separator: ", ")
        let diagnostics = Self.fixture("roster: [{person: p-1}]\n    overrides: [\(list)]").diagnostics
        #expect(diagnostics.isEmpty == isAccepted, "\(diagnostics.first?.text ?? "")")
    }

    @Test func `a roster, a rotation and signed gaps have their limits`() throws {
        func errors(_ roster: String) -> Int { Self.fixture(roster).diagnostics.count { $0.severity == .error } }
        func entries(_ count: Int) -> String {
            "roster: [" + Array(repeating: "{person: p-1}", count: count).joined(separator: ", ") + "]"
        }
        #expect(errors(entries(Roster.mostEntries)) == 0)
        #expect(errors(entries(Roster.mostEntries + 1)) == 1)
        for (count, wanted) in [(Rotation.mostPeople, 0), (Rotation.mostPeople + 1, 1)] {
            let names = (1...count).map { "q-\($0)" }
            let people = names.map { "{id: \($0), roles: [responder], desks: [lpo]}" }.joined(separator: ", ")
            let fixture = PolicyFixture()
                .replacing(
                    Self.oldRoster,
                    with:
                        "roster: [{rotation: {people: [\(names.joined(separator: ", "))], length: 1d, start: 2026-01-01, "
                        + "hand-over: {at: \"08:00\"}}}]", in: Self.file
                )
                .replacing(
                    "people: [{id: p-1, roles: [responder], desks: [lpo]}]", with: "people: [\(people)]", in: Self.file)
            #expect(fixture.diagnostics.count { $0.severity == .error } == wanted)
        }
    }

    @Test func `overlapping overrides of one duty, and overrides of no roster, are errors`() {
        let overlap = Self.fixture(
            "roster: [{person: p-1}]\n    overrides: [{from: 2026-12-24, to: 2026-12-26, person: p-2}, "
                + "{from: 2026-12-26, to: 2026-12-27, person: p-3}]")
        #expect(overlap.diagnostics.map(\.code.text) == ["BK3205"])
        let backwards = Self.fixture(
            "roster: [{person: p-1}]\n    overrides: [{from: 2026-12-24, to: 2026-12-23, person: p-2}]")
        #expect(backwards.diagnostics.map(\.code.text) == ["BK3206"])
        let nothing = Self.fixture("overrides: [{from: 2026-12-24, to: 2026-12-26, person: p-2}]")
        #expect(nothing.diagnostics.map(\.code.text) == ["BK3205"])
    }

    // MARK: Signed gaps

    @Test(arguments: [
        ("1864", "police.intervention.closed", "2026-11-20T00:00:00+01:00", true),
        ("1864", "police.intervention.closed", "2026-11-19T23:59:59.999+01:00", false),
        ("1864", "police.intervention.closed", "2027-06-30T23:59:59.999+02:00", true),
        ("1864", "police.intervention.closed", "2027-07-01T00:00:00+02:00", false),
        ("1880", "police.intervention.closed", "2026-12-11T00:00:00+01:00", false),
        ("1864", "injury.observed", "2026-12-11T00:00:00+01:00", false),
    ])
    func `a signed gap holds for its places, types and days`(
        municipality: String, type: String, at: String, holds: Bool
    ) throws {
        let policy = try PolicyFixture().appending(
            "functions: {chair: {sv: ordförande, en: chair}}\ncoverage-gap: [{signed: 2026-11-20, by: chair, "
                + "until: 2027-06-30, types: [police.intervention.closed]}]\n", to: "parties/soc-1864.yaml"
        ).policy()
        let board = try #require(policy.party(party("soc-1864")))
        let name = try #require(EventType("se.budkavle.\(type).v1"))
        let start = time(at)
        let end = Timestamp(milliseconds: start.milliseconds + 1)
        #expect(board.hasSignedGap(municipality: municipality, type: name, from: start, to: end) == holds)
    }

    @Test func `a gap is signed by a function of the party, for places of its own`() {
        let fixture = PolicyFixture().appending(
            "coverage-gap: [{signed: 2026-11-20, by: nobody, until: 2026-11-19, municipalities: [\"1880\"]}]\n",
            to: "parties/soc-1864.yaml")
        #expect(Set(fixture.diagnostics.map(\.code.text)) == ["BK3101", "BK3103", "BK3206"])
    }
}

extension String {
    /// The text with the first occurrence of another replaced.
    func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
