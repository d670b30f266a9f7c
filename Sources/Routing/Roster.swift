package import CaseNotifications
package import Settings

/// Who is on duty at a desk when: people, rotations of people, and who stands in for whom.
package struct Roster: Sendable {
    /// The most entries of one roster.
    package static let mostEntries = 256
    /// The most overrides of one desk.
    package static let mostOverrides = 1_024

    /// People and rotations.
    package let entries: [RosterEntry]
    /// Exceptions, the first that fits wins.
    package let overrides: [RosterOverride]
    /// People who are on it and not approved: as if absent.
    private let unapproved: Set<PersonID>

    /// A roster from its parts.
    init(entries: [RosterEntry], overrides: [RosterOverride], unapproved: Set<PersonID> = []) {
        self.entries = entries
        self.overrides = overrides
        self.unapproved = unapproved
    }

    /// Everybody who is on duty at an instant, by step, then id, and until when that holds.
    ///
    /// `until` may lie before the next real change, never behind it.
    package func onDuty(at instant: Timestamp, zone: ZoneTransitions) -> (duties: [Duty], until: Timestamp) {
        var until = Timestamp.distantFuture
        var duties: Set<Duty> = []
        for entry in entries {
            let state = entry.state(at: instant, zone: zone)
            until = min(until, state.until)
            if let person = state.person { duties.insert(Duty(person: person, step: entry.step)) }
        }
        for override in overrides { until = min(until, override.validity.nextChange(after: instant)) }
        let active = overrides.filter { $0.validity.contains(instant) }
        guard !active.isEmpty else { return (approved(duties), until) }
        var result: Set<Duty> = []
        for duty in duties {
            let override = active.first { $0.step == duty.step && ($0.absent == nil || $0.absent == duty.person) }
            result.insert(Duty(person: override?.person ?? duty.person, step: duty.step))
        }
        // One that is for nobody in particular also fills a step where nobody was.
        for override in active where override.absent == nil && !duties.contains(where: { $0.step == override.step }) {
            if result.contains(where: { $0.step == override.step }) { continue }
            result.insert(Duty(person: override.person, step: override.step))
        }
        return (approved(result), until)
    }

    private func approved(_ duties: Set<Duty>) -> [Duty] {
        duties.filter { !unapproved.contains($0.person) }.sorted()
    }
}

/// One line of a roster: one person's duty, or one that people take in turn.
package struct RosterEntry: Sendable {
    /// Who.
    package enum Staffing: Sendable {
        case person(PersonID)
        case rotation(Rotation)
    }

    /// Who.
    package let staffing: Staffing
    /// 1 is called first, 2 next, 3 is the duty manager.
    package let step: Int
    /// At which hours.
    package let hours: OpeningCalendar
    /// In which period.
    package let validity: Validity

    /// Who is on duty, and until when that holds.
    func state(at instant: Timestamp, zone: ZoneTransitions) -> (person: PersonID?, until: Timestamp) {
        let change = validity.nextChange(after: instant)
        guard validity.contains(instant) else { return (nil, change) }
        let hours = hours.state(at: instant, zone: zone)
        let until = min(hours.until, change)
        guard hours.isOpen else { return (nil, until) }
        switch staffing {
        case .person(let person): return (person, until)
        case .rotation(let rotation):
            let turn = rotation.turn(at: instant, zone: zone)
            return (turn.person, min(until, turn.until))
        }
    }
}

/// People who take turns of the same length. Turns begin by the clock on the wall: a week with a change of the clock has an hour
/// more or less, and the hand-over stays at its time.
package struct Rotation: Sendable {
    /// The most people of one rotation.
    package static let mostPeople = 64
    /// The longest turn, in days.
    package static let longestTurnDays = 92

    /// In their order.
    package let people: [PersonID]
    /// Days from one hand-over to the next, 1...92.
    package let lengthDays: Int
    /// The day on which the first turn begins.
    package let firstDay: CivilDay
    /// When on that day, in minutes by the clock's face, 0...1,439.
    package let handOverMinute: Int

    /// Whose turn it is, nil before the first, and until when.
    func turn(at instant: Timestamp, zone: ZoneTransitions) -> (person: PersonID?, until: Timestamp) {
        let first = start(ofTurn: 0, zone: zone)
        guard instant >= first, !people.isEmpty else { return (nil, instant < first ? first : .distantFuture) }
        var turn = (CivilTime(instant, zone: zone).day - firstDay.number) / lengthDays
        if turn > 0, instant < start(ofTurn: turn, zone: zone) { turn -= 1 }
        return (people[turn % people.count], start(ofTurn: turn + 1, zone: zone))
    }

    private func start(ofTurn turn: Int, zone: ZoneTransitions) -> Timestamp {
        CivilDay(firstDay.number + turn * lengthDays).instant(minute: handOverMinute, zone: zone)
    }
}

/// Somebody who is on duty instead of others on some days.
package struct RosterOverride: Sendable {
    /// Who is on duty.
    package let person: PersonID
    /// At which step.
    package let step: Int
    /// Instead of whom; nil is everybody of the step, and nobody.
    package let absent: PersonID?
    /// From the beginning of its first day to the end of its last.
    package let validity: Validity
}

/// Somebody on duty.
package struct Duty: Hashable, Comparable, Sendable {
    /// The person.
    package let person: PersonID
    /// 1 is called first, 2 next, 3 is the duty manager.
    package let step: Int

    /// A duty.
    package init(person: PersonID, step: Int) {
        self.person = person
        self.step = step
    }

    /// By step, then person.
    package static func < (left: Duty, right: Duty) -> Bool {
        (left.step, left.person) < (right.step, right.person)
    }
}

/// A stretch of time in which a desk is open by its calendar and its roster has nobody.
package struct RosterGap: Hashable, Sendable {
    /// The desk.
    package let desk: DeskID
    /// Its first instant, or the first that was asked for.
    package let start: Timestamp
    /// The first instant after it, or after what was asked for.
    package let end: Timestamp

    /// A gap.
    package init(desk: DeskID, start: Timestamp, end: Timestamp) {
        self.desk = desk
        self.start = start
        self.end = end
    }

    /// `nobody on duty Sat 12 Dec 00:00 + 55 h`; whole hours of real time, rounded up.
    package func text(zone: ZoneTransitions) -> String {
        let hours = (end.milliseconds - start.milliseconds + 3_599_999) / 3_600_000
        return "nobody on duty \(CivilTime(start, zone: zone).shortText) + \(hours) h"
    }
}

extension CivilTime {
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sat 12 Dec 00:00`.
    package var shortText: String {
        let (_, month, day) = date
        let (hour, minute) = (secondOfDay / 3_600, secondOfDay / 60 % 60)
        let clock = "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
        return "\(Self.weekdays[weekday - 1]) \(day) \(Self.months[month - 1]) \(clock)"
    }
}

extension CivilDay {
    /// `2026-12-11`.
    package var text: String {
        let date = CivilDate.date(days: number)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }
}

extension Policy {
    /// So many changes of one desk are looked at for its gaps; a gap behind them is not found.
    package static let mostRosterChanges = 20_000

    /// Who is on duty at a desk, by step, then id. Without a roster all its people are, at step 1.
    package func onDuty(at desk: DeskID, when instant: Timestamp) -> [Duty] {
        guard let found = self.desk(desk) else { return [] }
        guard let roster = found.roster else { return people(at: desk).map { Duty(person: $0.id, step: 1) } }
        return roster.onDuty(at: instant, zone: zone).duties
    }

    /// When nobody is on a desk's roster although its calendar is open; empty for a desk without a roster.
    ///
    /// Gaps that touch are one; the first and the last are cut off at the range's ends.
    package func rosterGaps(of desk: DeskID, from start: Timestamp, to end: Timestamp) -> [RosterGap] {
        guard let found = self.desk(desk), let roster = found.roster else { return [] }
        var gaps: [RosterGap] = []
        var instant = start
        var changes = 0
        while instant < end, changes < Self.mostRosterChanges {
            let hours = found.calendar.state(at: instant, zone: zone)
            let staffing = roster.onDuty(at: instant, zone: zone)
            let until = min(hours.until, staffing.until, end)
            if hours.isOpen, staffing.duties.isEmpty {
                if let last = gaps.last, last.end == instant {
                    gaps[gaps.count - 1] = RosterGap(desk: desk, start: last.start, end: until)
                } else {
                    gaps.append(RosterGap(desk: desk, start: instant, end: until))
                }
            }
            instant = until
            changes += 1
        }
        return gaps
    }
}
