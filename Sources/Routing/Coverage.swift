package import CaseNotifications
package import Settings

/// What `coverage` looks at.
package struct CoverageRequest: Hashable, Sendable {
    /// The fewest and the most weeks.
    package static let weekLimits = 1...52
    /// Weeks, where nothing else is said.
    package static let defaultWeeks = 4

    /// The first instant.
    package let start: Timestamp
    /// Weeks from then on, within `weekLimits`.
    package let weeks: Int
    /// The classes of which types are looked at.
    package let classes: [UrgencyClass]

    /// What to look at; weeks beyond the limits are cut to them.
    package init(from start: Timestamp, weeks: Int = defaultWeeks, classes: [UrgencyClass] = [.u1, .u2]) {
        self.start = start
        self.weeks = min(max(weeks, Self.weekLimits.lowerBound), Self.weekLimits.upperBound)
        self.classes = classes
    }

    /// The first instant after it.
    package var end: Timestamp { start.advanced(bySeconds: Int64(weeks) * 7 * 86_400) }
}

/// Whether somebody is there round the clock for every municipality and urgent type.
package struct CoverageReport: Sendable, Equatable {
    /// The first instant that was looked at.
    package let start: Timestamp
    /// The first instant after that.
    package let end: Timestamp
    /// Municipalities, sorted.
    package let municipalities: [String]
    /// The types of each class that was asked for.
    package let types: [UrgencyClass: [EventType]]
    /// Hours without anybody; by class, municipality and time.
    package let gaps: [UncoveredHours]
    /// Where at some hour only an agreement keeps a type from everybody who should answer for a municipality. Of class U1
    /// these are gaps too.
    package let withoutAgreement: Set<CoverageCell>
    /// Whether so much changes that not everything was looked at; what was not counts as a gap.
    package let isCut: Bool

    /// Cells of a class of which no hour is without anybody, and those that lack an agreement.
    package func cells(of urgency: UrgencyClass) -> (all: Int, covered: Int, withoutAgreement: Int) {
        let types = Set(types[urgency] ?? [])
        let lacking = withoutAgreement.filter { types.contains($0.type) }
        let open = gaps.filter { $0.urgency == urgency }.flatMap { gap in
            gap.types.map { CoverageCell(municipality: gap.municipality, type: $0) }
        }
        let all = types.count * municipalities.count
        return (all, all - lacking.union(open).count, lacking.count)
    }

    /// Gaps that keep the policy from production, or would: class U1, and no board has signed them.
    package var blocking: [UncoveredHours] { gaps.filter(\.isBlocking) }
}

/// One municipality's events of one type.
package struct CoverageCell: Hashable, Sendable {
    /// The municipality.
    package let municipality: String
    /// The type.
    package let type: EventType
}

/// A stretch of time in which nobody answers for a municipality's events of some types.
package struct UncoveredHours: Sendable, Equatable {
    /// Why nobody answers at a party.
    package enum Reason: Sendable, Hashable {
        /// No rule delivers the type to anybody who serves the municipality.
        case noRule
        /// The party has no desk that takes it.
        case noDesk(PartyID)
        /// A desk is closed by its calendar.
        case closed(DeskID)
        /// A desk is open and nobody is on its roster.
        case emptyRoster(DeskID)
        /// A desk has neither a station nor people.
        case nobodyWorks(DeskID)
        /// No on-call desk acts for the party at any time.
        case noAgent(PartyID)
        /// An on-call desk does not act for the party then.
        case agentOffDuty(PartyID)
        /// The rules that mean the party give it nothing for want of an agreement.
        case noAgreement(PartyID)
        /// The rules that mean the party refuse it.
        case refused(PartyID, RefusalCode)
        /// The party has no fallback.
        case noFallback(PartyID)
        /// The party's fallback has no rule of its own for it, or nobody at its desks.
        case fallbackCannot(PartyID)
        /// There are so many changes that this was not looked at.
        case notLookedAt
    }

    /// The municipality.
    package let municipality: String
    /// The types, sorted.
    package internal(set) var types: [EventType]
    /// Their class: the most urgent that they can have.
    package let urgency: UrgencyClass
    /// The parties of which one should answer, sorted.
    package let parties: [PartyID]
    /// The first instant.
    package let start: Timestamp
    /// The first instant after it, or after what was looked at.
    package internal(set) var end: Timestamp
    /// Why nobody does, at its beginning.
    package let reasons: [Reason]
    /// Whether the board has signed that it knows.
    package let isSigned: Bool
    /// Of the policy.
    let mode: Mode

    /// Whether only an agreement is wanting: a decision of the parties, not hours without anybody.
    package var lacksAgreement: Bool {
        !reasons.isEmpty
            && reasons.allSatisfy { reason in
                if case .noAgreement = reason { true } else { false }
            }
    }

    /// Whether it keeps the policy from production, or from an exercise that is like it. In an exercise parties may be without
    /// agreements: that is told and stops nothing.
    package var isBlocking: Bool { urgency == .u1 && !isSigned && (mode == .production || !lacksAgreement) }

    /// `Sat 12 Dec 00:00 + 55 h`; whole hours of real time, rounded up.
    package func text(zone: ZoneTransitions) -> String {
        let hours = (end.milliseconds - start.milliseconds + 3_599_999) / 3_600_000
        return "\(CivilTime(start, zone: zone).shortText) + \(hours) h"
    }
}

extension UncoveredHours.Reason: CustomStringConvertible {
    /// In words.
    package var description: String {
        switch self {
        case .noRule: "no rule delivers it to anybody there"
        case .noDesk(let party): "\(party) has no desk for it"
        case .closed(let desk): "desk \(desk) is closed"
        case .emptyRoster(let desk): "nobody is on the roster of \(desk)"
        case .nobodyWorks(let desk): "desk \(desk) has neither a station nor people"
        case .noAgent(let party): "no on-call desk acts for \(party)"
        case .agentOffDuty(let agent): "\(agent) does not act then"
        case .noAgreement(let party): "no agreement in force lets \(party) have it"
        case .refused(let party, let code): "the rules that mean \(party) refuse it: \(code.rawValue)"
        case .noFallback(let party): "\(party) has no fallback"
        case .fallbackCannot(let party): "the fallback \(party) has no rule of its own for it, or nobody at its desks"
        case .notLookedAt: "there are too many changes to look at"
        }
    }
}

extension Policy {
    /// Whether somebody is there round the clock: a staffed desk of the board or of an on-call desk that acts for it, or a fallback
    /// with a rule of its own. Where no rule is meant for the board, any recipient will do. Being there is not enough: some sender's
    /// event must get there by the rules.
    ///
    /// Found by going from change to change, never by sampling.
    package func coverage(_ request: CoverageRequest) -> CoverageReport {
        var types: [UrgencyClass: [EventType]] = [:]
        for type in catalogue.types.keys.sorted(by: { $0.text < $1.text }) {
            guard let urgency = mostUrgentClass(of: type), request.classes.contains(urgency),
                index.deliveringRules[type] != nil || catalogue.types[type]?.urgency == .u1
            else { continue }
            types[urgency, default: []].append(type)
        }
        var walk = CoverageWalk(policy: self, start: request.start, end: request.end)
        var gaps: [UncoveredHours] = []
        let municipalities = municipalities.keys.sorted()
        for urgency in request.classes.sorted() {
            for municipality in municipalities {
                var found: [UncoveredHours] = []
                for type in types[urgency] ?? [] {
                    for gap in walk.gaps(municipality: municipality, type: type, urgency: urgency) {
                        if let same = found.firstIndex(where: { $0.isSame(as: gap) }) {
                            found[same].types.append(type)
                        } else {
                            found.append(gap)
                        }
                    }
                }
                gaps += found.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
            }
        }
        return CoverageReport(
            start: request.start, end: request.end, municipalities: municipalities, types: types, gaps: gaps,
            withoutAgreement: walk.withoutAgreement, isCut: walk.isCut)
    }

    /// The most urgent class that a type can have without anybody's asking for more.
    func mostUrgentClass(of type: EventType) -> UrgencyClass? {
        catalogue.types[type].map { definition in definition.raise.map(\.to).reduce(definition.urgency, min) }
    }

    /// Gaps for U1 as findings: errors in production mode, else warnings; one per municipality and parties.
    package func coverageFindings(at instant: Timestamp) -> [Diagnostic] {
        let report = coverage(CoverageRequest(from: instant, classes: [.u1]))
        var findings: [Diagnostic] = []
        var seen: Set<[String]> = []
        for gap in report.blocking {
            guard seen.insert([gap.municipality] + gap.parties.map(\.text)).inserted else { continue }
            let more = report.blocking.count { $0.municipality == gap.municipality && $0.parties == gap.parties } - 1
            let name = municipalities[gap.municipality] ?? ""
            let others = more > 0 ? ", and \(more) more gaps in \(report.days) days" : ""
            let party = gap.parties.first.flatMap { self.party($0) }
            findings.append(
                Diagnostic(
                    code: mode == .production ? .uncovered : .uncoveredInExercise,
                    severity: mode == .production ? .error : .warning,
                    location: party?.location ?? rules.first?.location
                        ?? SourceLocation(file: "rules.yaml", line: 1, column: 1),
                    length: party?.id.text.utf8.count ?? 1,
                    message: "nobody answers for U1 in \(gap.municipality) \(name): \(gap.text(zone: zone))\(others)"
                        + " (\(gap.reasons.map(\.description).joined(separator: ", ")))",
                    hint: (gap.lacksAgreement
                        ? "bring an agreement into force"
                        : "staff a desk, name an on-call desk or a fallback with a rule of its own")
                        + ", or let the board sign it: coverage-gap in its file; all gaps: budkavled coverage"))
        }
        return findings
    }
}

extension CoverageReport {
    fileprivate var days: Int64 { (end.milliseconds - start.milliseconds) / 86_400_000 }
}

extension UncoveredHours {
    /// Whether only the types differ.
    fileprivate func isSame(as other: UncoveredHours) -> Bool {
        var copy = other
        copy.types = types
        return self == copy
    }
}
