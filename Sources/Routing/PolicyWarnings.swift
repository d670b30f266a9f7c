package import CaseNotifications
package import Settings

/// An agreement that is about to end, altogether or for some of its parties.
package struct AgreementNotice: Hashable, Sendable {
    /// Days before the end at which somebody is told, the first first.
    package static let thresholds = [60, 30, 7]

    /// The agreement.
    package let agreement: String
    /// The first instant at which it does not hold any more.
    package let end: Timestamp
    /// The parties that leave it then, sorted; empty if it ends for all.
    package let parties: [PartyID]
    /// The last threshold that has been passed: 60, 30 or 7; 0 once it has ended.
    package let days: Int
    /// When the next threshold is passed; `.distantFuture` after the end.
    package let next: Timestamp
}

extension Policy {
    /// Days ahead in which gaps of rosters are looked for.
    package static let rosterHorizonDays = 28

    /// Agreements in force that end within 60 days, or that have ended without being called so; by end, then id.
    package func agreementNotices(at instant: Timestamp) -> [AgreementNotice] {
        var notices: [AgreementNotice] = []
        for agreement in agreements where agreement.state == .inForce && agreement.isSigned {
            notices += notice(of: agreement, end: agreement.validity.end, parties: [], at: instant).map { [$0] } ?? []
            var leaving: [Timestamp: [PartyID]] = [:]
            for (party, validity) in agreement.members where validity.end < agreement.validity.end {
                leaving[validity.end, default: []].append(party)
            }
            for (end, parties) in leaving where end > instant {
                notices += notice(of: agreement, end: end, parties: parties.sorted(), at: instant).map { [$0] } ?? []
            }
        }
        return notices.sorted { ($0.end, $0.agreement, $0.days) < ($1.end, $1.agreement, $1.days) }
    }

    /// The next instant after `instant` at which `agreementNotices` has something new; `.distantFuture` if there is none.
    package func nextAgreementNotice(after instant: Timestamp) -> Timestamp {
        var next = Timestamp.distantFuture
        for agreement in agreements where agreement.state == .inForce && agreement.isSigned {
            for end in Set(agreement.members.values.map(\.end) + [agreement.validity.end]) where end != .distantFuture {
                let end = min(end, agreement.validity.end)
                let steps = AgreementNotice.thresholds.map { threshold(days: $0, before: end) } + [end]
                next = min(next, steps.filter { $0 > instant }.min() ?? .distantFuture)
            }
        }
        return next
    }

    private func notice(
        of agreement: Agreement, end: Timestamp, parties: [PartyID], at instant: Timestamp
    ) -> AgreementNotice? {
        guard end != .distantFuture, instant >= threshold(days: AgreementNotice.thresholds[0], before: end) else {
            return nil
        }
        guard instant < end else {
            return AgreementNotice(
                agreement: agreement.id, end: end, parties: parties, days: 0, next: .distantFuture)
        }
        let passed = AgreementNotice.thresholds.filter { instant >= threshold(days: $0, before: end) }
        let coming = AgreementNotice.thresholds.map { threshold(days: $0, before: end) }.filter { $0 > instant }
        return AgreementNotice(
            agreement: agreement.id, end: end, parties: parties, days: passed.min() ?? AgreementNotice.thresholds[0],
            next: coming.min() ?? end)
    }

    /// The midnight so many days before an end, by the calendar.
    private func threshold(days: Int, before end: Timestamp) -> Timestamp {
        CivilDay(CivilTime(end, zone: zone).day - days).instant(zone: zone)
    }

    // MARK: As findings

    /// What is right now and will not be for long: agreements that end, rosters with gaps. Warnings, by file and place.
    package func warnings(at instant: Timestamp) -> [Diagnostic] {
        (agreementWarnings(at: instant) + rosterWarnings(at: instant)).sorted { $0.location < $1.location }
    }

    private func agreementWarnings(at instant: Timestamp) -> [Diagnostic] {
        agreementNotices(at: instant).compactMap { notice in
            guard let agreement = agreements.first(where: { $0.id == notice.agreement }) else { return nil }
            let lastDay = CivilDay(CivilTime(notice.end, zone: zone).day - 1).text
            let left = CivilTime(notice.end, zone: zone).day - 1 - CivilTime(instant, zone: zone).day
            let whose =
                notice.parties.isEmpty ? "" : " for \(notice.parties.map(\.text).joined(separator: ", "))"
            let when =
                notice.days == 0
                ? "ended\(whose) on \(lastDay): 'may' has stopped, duties go on"
                : "ends\(whose) on \(lastDay), in \(left) days: 'may' stops then, duties go on"
            return Diagnostic(
                code: .endingAgreement, severity: .warning, location: agreement.location,
                length: agreement.id.utf8.count, message: "the agreement '\(agreement.id)' \(when)",
                hint: notice.days == 0 ? "set 'state: ended', or prolong it" : "prolong it, or let it end")
        }
    }

    private func rosterWarnings(at instant: Timestamp) -> [Diagnostic] {
        let end = instant.advanced(bySeconds: Int64(Self.rosterHorizonDays) * 86_400)
        var warnings: [Diagnostic] = []
        for party in parties where index.successor(of: index.parties[party.id] ?? 0, at: instant) == nil {
            for desk in party.desks {
                let gaps = rosterGaps(of: desk.id, from: instant, to: end)
                guard let first = gaps.first else { continue }
                let others = gaps.count > 1 ? ", and \(gaps.count - 1) more gaps in \(Self.rosterHorizonDays) days" : ""
                let rest = party.fallback.map { "what cannot wait goes to '\($0)'" }
                warnings.append(
                    Diagnostic(
                        code: .rosterGap, severity: .warning, location: desk.location,
                        length: desk.id.text.utf8.count,
                        message: "'\(desk.id)': \(first.text(zone: zone))\(others)",
                        hint: (rest ?? "what cannot wait climbs the ladder") + "; fill the roster, or add an override"))
            }
        }
        return warnings
    }
}
