package import CaseNotifications
package import Settings

/// When something is open: weekly spans with Swedish holidays taken out, or the complement of that.
package struct OpeningCalendar: Sendable {
    /// A span of a day, in minutes by the clock's face; `end` may lie beyond 1,440, in the next day.
    package struct Span: Hashable, Comparable, Sendable {
        /// 0...1,439.
        package let start: Int
        /// Greater than `start`, at most 2,879.
        package let end: Int

        /// A span.
        package init(start: Int, end: Int) {
            self.start = start
            self.end = end
        }

        /// By start, then end.
        package static func < (left: Span, right: Span) -> Bool { (left.start, left.end) < (right.start, right.end) }
    }

    /// Days on which a calendar's spans do not begin.
    package enum Closing: String, CaseIterable, Hashable, Sendable {
        /// Swedish public holidays.
        case holidays
        /// Midsummer's Eve, Christmas Eve and New Year's Eve.
        case eves
    }

    /// Whether it is open, and the first later instant at which that changes.
    package struct State: Hashable, Sendable {
        /// Whether it is open.
        package let isOpen: Bool
        /// The next change; `.distantFuture` if there is none within `farthestDays`.
        package let until: Timestamp
    }

    /// A change is looked for on so many days.
    package static let farthestDays = 400
    /// Open all the time.
    package static let always = OpeningCalendar(name: "always", spans: [:], isInverted: true)
    /// Open at no time.
    package static let never = OpeningCalendar(name: "never", spans: [:])

    /// Its name in the policy.
    package let name: String
    /// Spans by weekday, 1 is Monday.
    private let spans: [Int: [Span]]
    private let closings: Set<Closing>
    private let closedDays: Set<CivilDay>
    private let openDays: Set<CivilDay>
    private let isInverted: Bool

    /// A calendar.
    package init(
        name: String, spans: [Int: [Span]], closings: Set<Closing> = [], closedDays: Set<CivilDay> = [],
        openDays: Set<CivilDay> = [], isInverted: Bool = false
    ) {
        self.name = name
        self.spans = spans.mapValues { $0.sorted() }.filter { !$0.value.isEmpty }
        self.closings = closings
        self.closedDays = closedDays
        self.openDays = openDays
        self.isInverted = isInverted
    }

    /// The calendar that is open when this one is closed.
    package func inverted(name: String) -> OpeningCalendar {
        OpeningCalendar(
            name: name, spans: spans, closings: closings, closedDays: closedDays, openDays: openDays,
            isInverted: !isInverted)
    }

    /// Whether it is open at an instant, and until when that holds.
    package func state(at instant: Timestamp, zone: ZoneTransitions) -> State {
        guard !spans.isEmpty else { return State(isOpen: isInverted, until: .distantFuture) }
        let today = CivilTime(instant, zone: zone).day
        // Spans reach at most into the next day, and a skipped hour moves no span by a day.
        var openUntil: Timestamp?
        for day in (today - 2)...(today + Self.farthestDays) {
            for span in spans(on: CivilDay(day)) {
                let start = CivilDay(day).instant(minute: span.start, zone: zone)
                let end = CivilDay(day).instant(minute: span.end, zone: zone)
                if end <= instant || end <= start { continue }
                if let current = openUntil {
                    if start > current { return State(isOpen: !isInverted, until: current) }
                    openUntil = max(current, end)
                } else if start > instant {
                    return State(isOpen: isInverted, until: start)
                } else {
                    openUntil = end
                }
            }
            // A span that would join on begins at the latest when the day of its end begins.
            if let current = openUntil, CivilDay(day + 1).instant(zone: zone) > current {
                return State(isOpen: !isInverted, until: current)
            }
        }
        return State(isOpen: openUntil == nil ? isInverted : !isInverted, until: .distantFuture)
    }

    /// The end of the last span that begins on the first day after `instant`'s that has any; nil if there is none within `farthestDays`.
    package func endOfNextOpenDay(after instant: Timestamp, zone: ZoneTransitions) -> Timestamp? {
        let today = CivilTime(instant, zone: zone).day
        guard !isInverted else { return CivilDay(today + 2).instant(zone: zone) }
        for day in (today + 1)...(today + Self.farthestDays) {
            guard let end = spans(on: CivilDay(day)).map(\.end).max() else { continue }
            return CivilDay(day).instant(minute: end, zone: zone)
        }
        return nil
    }

    /// The spans that begin on a day, earliest first.
    private func spans(on day: CivilDay) -> [Span] {
        guard let spans = spans[day.weekday] else { return [] }
        if openDays.contains(day) { return spans }
        if closedDays.contains(day) { return [] }
        if closings.contains(.holidays), SwedishHolidays.isPublicHoliday(day) { return [] }
        if closings.contains(.eves), SwedishHolidays.isEve(day) { return [] }
        return spans
    }
}

/// A stretch of time in which something holds, given in days and compiled to instants.
package struct Validity: Hashable, Sendable {
    /// The first instant.
    package let start: Timestamp
    /// The first instant after it.
    package let end: Timestamp

    /// Without bounds.
    package static let unlimited = Validity(start: .distantPast, end: .distantFuture)

    /// From one instant up to another.
    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// From the beginning of `first` to the end of `last`.
    package init(first: CivilDay?, last: CivilDay?, zone: ZoneTransitions) {
        start = first?.instant(zone: zone) ?? .distantPast
        end = last.map { CivilDay($0.number + 1).instant(zone: zone) } ?? .distantFuture
    }

    /// Whether it holds at an instant.
    package func contains(_ instant: Timestamp) -> Bool { instant >= start && instant < end }

    /// The first later instant at which `contains` changes.
    package func nextChange(after instant: Timestamp) -> Timestamp {
        if instant < start { return min(start, end <= start ? .distantFuture : start) }
        return instant < end ? end : .distantFuture
    }

    /// The time that both cover.
    package func intersection(_ other: Validity) -> Validity {
        Validity(start: max(start, other.start), end: min(end, other.end))
    }
}
