import CaseNotifications
import Settings
import Testing

@testable import Routing

@Suite("Coverage: who answers round the clock")
struct CoverageTests {
    private static let start = time("2026-12-11T23:00:00+01:00")

    private func report(_ fixture: PolicyFixture, weeks: Int = 4) throws -> CoverageReport {
        try fixture.policy().coverage(CoverageRequest(from: Self.start, weeks: weeks))
    }

    private func gaps(_ fixture: PolicyFixture, in municipality: String = "1880") throws -> [UncoveredHours] {
        try report(fixture).gaps.filter { $0.municipality == municipality && $0.urgency == .u1 }
    }

    /// The fixture without its on-call desk's agency for a board.
    private var withoutAgents: PolicyFixture {
        var fixture = PolicyFixture()
        for (name, text) in fixture.files where text.contains("kind: on-call-desk") {
            fixture.files[name] = text.replacing("calendar: always", with: "calendar: never")
        }
        return fixture
    }

    @Test("a board with an on-call desk has no gap")
    func covered() throws {
        let report = try report(PolicyFixture())
        #expect(report.blocking.filter { $0.municipality == "1880" }.isEmpty, "\(report.blocking)")
        #expect(!report.isCut)
    }

    @Test("without anybody on call every hour outside office hours is a gap, with its exact ends and why")
    func nights() throws {
        let gaps = try gaps(withoutAgents)
        let first = try #require(gaps.first)
        #expect(first.start == Self.start)
        // Friday evening until Monday 08:00.
        #expect(first.end == time("2026-12-14T08:00:00+01:00"))
        #expect(first.text(zone: PolicyFixture.zone) == "Fri 11 Dec 23:00 + 57 h")
        #expect(first.parties == [party("soc-1880")])
        #expect(first.reasons.contains(.noFallback(party("soc-1880"))))
        #expect(first.isBlocking)
        for gap in gaps { #expect(gap.start < gap.end) }
        let starts = gaps.map(\.start)
        #expect(starts == starts.sorted())
    }

    @Test("gaps are the same whatever hour the walk begins at")
    func walking() throws {
        let policy = try withoutAgents.policy()
        let whole = policy.coverage(CoverageRequest(from: Self.start, weeks: 4, classes: [.u1]))
        for hours in [1, 5, 13, 37, 100] {
            let later = Self.start.advanced(bySeconds: Int64(hours) * 3_600)
            let part = policy.coverage(CoverageRequest(from: later, weeks: 3, classes: [.u1]))
            let ends = Set(part.gaps.map(\.end)).subtracting([part.end])
            #expect(ends.isSubset(of: Set(whole.gaps.map(\.end))))
        }
    }

    @Test("what the walk calls a gap no decision in it answers, and what it calls covered every decision does")
    func agreesWithDecisions() throws {
        let policy = try withoutAgents.policy()
        let report = policy.coverage(CoverageRequest(from: Self.start, weeks: 2, classes: [.u1]))
        let gaps = report.gaps.filter { $0.municipality == "1880" }
        var instant = Self.start
        while instant < report.end {
            let notification = event(
                "police.intervention.closed", from: "pol-18-lpo", municipality: "1880", urgency: .u1)
            let decision = policy.decide(notification, at: instant)
            if let grant = decision.grants.first(where: { $0.party == party("soc-1880") }) {
                let isGap = gaps.contains { $0.start <= instant && instant < $0.end }
                #expect(grant.isStaffed != isGap, "\(instant.rfc3339)")
            }
            instant = instant.advanced(bySeconds: 1_800)
        }
    }

    @Test("in an exercise a gap is a warning, in production an error unless the board has signed it")
    func findings() throws {
        let policy = try withoutAgents.policy()
        let warnings = policy.coverageFindings(at: Self.start)
        #expect(!warnings.isEmpty)
        #expect(warnings.allSatisfy { $0.severity == .warning && $0.code.text == "BK5401" })
        let production = withoutAgents.replacing("mode: exercise", with: "mode: production", in: "collaboration.yaml")
            .replacing("clock: {start: 2026-12-11T23:00:00+01:00, speed: 1}", with: "", in: "collaboration.yaml")
        let load = PolicyLoader.load(files: production.files, zone: PolicyFixture.zone, approvals: .waived)
        let errors = try #require(load.policy).coverageFindings(at: Self.start)
        #expect(!errors.isEmpty)
        #expect(errors.allSatisfy { $0.severity == .error && $0.code.text == "BK3401" })
        let result = PolicyCheck.run(
            files: production.files, zone: PolicyFixture.zone, approvals: .waived, at: Self.start)
        #expect(!result.isActivatable)
        #expect(result.diagnostics.contains { $0.code.text == "BK3401" && $0.message.contains("57 h") })
    }

    @Test("a gap that the board has signed blocks nothing, until the signature ends")
    func signed() throws {
        func blocking(_ until: String) throws -> [UncoveredHours] {
            let signed = withoutAgents.replacing(
                "functions: {intake:",
                with: "coverage-gap: [{signed: 2026-11-20, by: intake, until: \(until)}]\nfunctions: {intake:",
                in: "parties/soc-1880.yaml")
            return try gaps(signed).filter(\.isBlocking)
        }
        #expect(try !gaps(withoutAgents).filter(\.isBlocking).isEmpty)
        #expect(try blocking("2027-06-30").isEmpty)
        let late = try blocking("2026-12-20")
        #expect(!late.isEmpty)
        #expect(late.allSatisfy { $0.end > time("2026-12-21T00:00:00+01:00") })
    }

    @Test("one signature must cover all of a gap: two that have an end each do not")
    func signedTwice() throws {
        let signed = withoutAgents.replacing(
            "functions: {intake:",
            with: "coverage-gap: [{signed: 2026-11-20, by: intake, until: 2026-12-12}, "
                + "{signed: 2026-12-13, by: intake, until: 2027-06-30}]\nfunctions: {intake:",
            in: "parties/soc-1880.yaml")
        let gaps = try gaps(signed)
        #expect(gaps.count > 1)
        #expect(gaps.filter(\.isBlocking).map(\.start) == [Self.start])
    }

    @Test("somebody at a desk that the rules let nothing get to is a gap that blocks, and says with which code")
    func refused() throws {
        let refused = PolicyFixture().replacing(
            "effect: duty\n    types: [police", with: "effect: may\n    types: [police", in: "rules.yaml"
        )
        .replacing(
            "  - id: injury-never\n",
            with: "  - {id: stop, effect: never, types: [police.intervention.closed], from: {kinds: [police]}, "
                + "to: {kinds: [social-services]}}\n  - id: injury-never\n", in: "rules.yaml")
        let gaps = try gaps(refused)
        let gap = try #require(gaps.first)
        #expect(gaps.count == 1 && gap.start == Self.start && gap.end == Self.start.advanced(bySeconds: 28 * 86_400))
        #expect(gap.types.map(\.shortName) == ["police.intervention.closed"])
        #expect(gap.reasons == [.refused(party("soc-1880"), .neverRule)])
        #expect(gap.reasons.first?.description == "the rules that mean soc-1880 refuse it: never-rule")
        #expect(gap.isBlocking)
    }

    @Test("where only an agreement is wanting that is told, from its last day on, and blocks production alone")
    func agreements() throws {
        var fixture = PolicyFixture()
            .replacing("urgency: U0\n", with: "urgency: U1\n", in: "types.yaml")
            .replacing("from: {kinds: [probation]}", with: "from: {kinds: [police]}", in: "rules.yaml")
            .replacing(
                "    fields: [status]\n", with: "    fields: [status]\n    when: {programmes: [trygga-hem]}\n",
                in: "rules.yaml")
        func gaps(in municipality: String) throws -> [UncoveredHours] {
            try self.gaps(fixture, in: municipality).filter { $0.types.map(\.shortName) == ["programme.status"] }
        }
        #expect(try gaps(in: "1880").isEmpty)
        let other = try gaps(in: "1864")
        #expect(other.map(\.reasons) == [[.noAgreement(party("soc-1864"))]])
        #expect(other.allSatisfy { $0.lacksAgreement && !$0.isBlocking })
        fixture = fixture.replacing("to: 2027-08-31", with: "to: 2026-12-20", in: "agreements.yaml")
        let ended = try gaps(in: "1880")
        #expect(ended.map(\.start) == [time("2026-12-21T00:00:00+01:00")])
        #expect(ended.allSatisfy { $0.lacksAgreement && !$0.isBlocking })
        #expect(
            try fixture.policy().coverageFindings(at: Self.start).allSatisfy { !$0.message.contains("no agreement") })
        // In production it blocks like any other, unless the board has signed it.
        func findings(_ fixture: PolicyFixture) throws -> [Diagnostic] {
            let files = fixture.inProduction.files
            let load = PolicyLoader.load(files: files, zone: PolicyFixture.zone, approvals: .waived)
            return try #require(load.policy).coverageFindings(at: Self.start).filter {
                $0.message.contains("no agreement in force lets soc-1864 have it")
            }
        }
        let errors = try findings(fixture)
        #expect(errors.map(\.code) == [.uncovered] && errors.allSatisfy { $0.severity == .error })
        #expect(errors.first?.hint?.contains("bring an agreement into force, or let the board sign it") == true)
        let signed = fixture.replacing(
            "people: [{id: staff-1, roles: [responder], desks: [soc-1864-intake]}]",
            with: "people: [{id: staff-1, function: chair, roles: [responder], desks: [soc-1864-intake]}]\n"
                + "functions: {chair: {sv: ordförande, en: chair}}\n"
                + "coverage-gap: [{signed: 2026-11-20, by: chair, until: 2027-06-30}]",
            in: "parties/soc-1864.yaml")
        #expect(try findings(signed).isEmpty)
    }

    @Test("cells without an agreement are counted once each, of every class, and are not called covered")
    func cellsWithoutAgreement() throws {
        func report(_ urgency: String) throws -> CoverageReport {
            let fixture = PolicyFixture()
                .replacing("urgency: U0\n", with: "urgency: \(urgency)\n", in: "types.yaml")
                .replacing("from: {kinds: [probation]}", with: "from: {kinds: [police]}", in: "rules.yaml")
                .replacing(
                    "    fields: [status]\n", with: "    fields: [status]\n    when: {programmes: [trygga-hem]}\n",
                    in: "rules.yaml")
            return try self.report(fixture)
        }
        for (urgency, name) in [(UrgencyClass.u1, "U1"), (.u2, "U2")] {
            let report = try report(name)
            let status = report.withoutAgreement.filter { $0.type.shortName == "programme.status" }
            #expect(status.contains { $0.municipality == "1864" }, "\(name)")
            #expect(!status.contains { $0.municipality == "1880" }, "\(name)")
            let cells = report.cells(of: urgency)
            #expect(cells.all == (report.types[urgency]?.count ?? 0) * report.municipalities.count)
            let lacking = report.withoutAgreement.filter { report.types[urgency]?.contains($0.type) == true }
            #expect(cells.withoutAgreement == lacking.count)
            #expect(cells.covered <= cells.all - cells.withoutAgreement)
            // What lacks only an agreement is listed hour by hour for U1 alone.
            #expect(report.gaps.contains { $0.urgency == urgency && $0.lacksAgreement } == (urgency == .u1))
        }
    }

    private func walk(_ policy: Policy, _ limits: CoverageWalk.Limits) -> (gaps: [UncoveredHours], isCut: Bool) {
        var walk = CoverageWalk(
            policy: policy, start: Self.start, end: Self.start.advanced(bySeconds: 7 * 86_400), limits: limits)
        let type = policy.catalogue.types.keys.first { $0.shortName == "police.intervention.closed" } ?? EventType.none
        return (walk.gaps(municipality: "1880", type: type, urgency: .u1), walk.isCut)
    }

    @Test("as many changes as the walk may look at give the whole, and one fewer makes the rest a gap that says so")
    func changesAtTheLimit() throws {
        let policy = try withoutAgents.policy()
        let whole = walk(policy, CoverageWalk.Limits())
        #expect(!whole.isCut)
        // A week of nights from Friday 23:00: that weekend, four nights, and the evening of the last Friday.
        #expect(whole.gaps.count == 6)
        let needed = try #require((1...200).first { !walk(policy, CoverageWalk.Limits(changes: $0)).isCut })
        #expect(walk(policy, CoverageWalk.Limits(changes: needed)).gaps == whole.gaps)
        let cut = walk(policy, CoverageWalk.Limits(changes: needed - 1))
        #expect(cut.isCut)
        let last = try #require(cut.gaps.last)
        #expect(last.end == Self.start.advanced(bySeconds: 7 * 86_400))
        let one = walk(policy, CoverageWalk.Limits(changes: 0))
        #expect(one.gaps.map(\.reasons) == [[.notLookedAt]] && one.gaps.allSatisfy(\.isBlocking))
        #expect(CoverageWalk.Limits().changes == 20_000 && CoverageWalk.Limits().decisions == 100_000)
    }

    @Test("as many decisions as the walk may make give the whole, and one fewer makes the rest a gap that says so")
    func decisionsAtTheLimit() throws {
        let policy = try withoutAgents.policy()
        let whole = walk(policy, CoverageWalk.Limits())
        let needed = try #require((1...500).first { !walk(policy, CoverageWalk.Limits(decisions: $0)).isCut })
        #expect(walk(policy, CoverageWalk.Limits(decisions: needed)).gaps == whole.gaps)
        let cut = walk(policy, CoverageWalk.Limits(decisions: needed - 1))
        #expect(cut.isCut && cut.gaps.last?.end == whole.gaps.last?.end)
        let none = walk(policy, CoverageWalk.Limits(decisions: 0))
        #expect(none.gaps.map(\.reasons) == [[.notLookedAt]], "a policy that was not looked at never passes")
    }

    @Test("weeks beyond the limits are cut to them")
    func limits() {
        let limits = CoverageRequest.weekLimits
        #expect(CoverageRequest(from: Self.start, weeks: limits.upperBound).weeks == limits.upperBound)
        #expect(CoverageRequest(from: Self.start, weeks: limits.upperBound + 1).weeks == limits.upperBound)
        #expect(CoverageRequest(from: Self.start, weeks: 0).weeks == limits.lowerBound)
    }
}
