import CaseNotifications
import Settings

/// Reads the roster of one desk, with its rotations and overrides.
struct RosterReader {
    let context: ReadingContext
    let calendars: [String: OpeningCalendar]
    /// People of the party, by id.
    let staff: Set<String>

    /// The roster in `roster` and `overrides` of a desk; nil if the desk is staffed by its calendar alone.
    func roster(_ reader: inout MappingReader) -> Roster? {
        let overridePlace = reader.place(of: "overrides")
        let overrides = overrides(reader.sequence("overrides"), at: overridePlace)
        guard reader.node("roster") != nil else {
            if !overrides.isEmpty {
                context.log.error(
                    .contradiction, at: overridePlace, "overrides without a roster to override",
                    hint: "add 'roster' to the desk")
            }
            return nil
        }
        let items = reader.sequence("roster")
        if items.isEmpty {
            context.log.warning(
                .emptyRoster, at: reader.place(of: "roster"), "nobody is on this roster: the desk is never staffed")
        }
        if items.count > Roster.mostEntries {
            context.log.error(
                .wrongCount, at: reader.place(of: "roster"), "a roster has at most \(Roster.mostEntries) entries")
        }
        return Roster(entries: items.compactMap(entry), overrides: overrides)
    }

    private func entry(_ item: SettingsNode) -> RosterEntry? {
        guard var reader = MappingReader(item, "a roster entry", context.log) else { return nil }
        let person = reader.optionalLocated("person", Scalar<PersonID>.id("person"))
        if let person { context.check(person.asText, .person, among: staff) }
        let hasRotation = reader.node("rotation") != nil
        let rotation = reader.optionalMapping("rotation").flatMap { self.rotation($0) }
        let step = reader.optional("step", .integer(in: 1...3), default: 1)
        let hours = reader.optionalLocated("hours", .text)
        if let hours { context.check(hours, .calendar, among: Set(calendars.keys)) }
        let validity = context.validity(&reader)
        if hasRotation == (reader.node("person") != nil) {
            let code: DiagnosticCode = hasRotation ? .contradiction : .missingKey
            context.log.error(code, at: reader.place, "a roster entry has either 'person' or 'rotation'")
        }
        reader.finish()
        let calendar = hours.flatMap { calendars[$0.value] } ?? .always
        let staffing = rotation.map { RosterEntry.Staffing.rotation($0) } ?? person.map { .person($0.value) }
        return staffing.map { RosterEntry(staffing: $0, step: step, hours: calendar, validity: validity) }
    }

    private func rotation(_ mapping: MappingReader) -> Rotation? {
        var reader = mapping
        let peoplePlace = reader.place(of: "people")
        let isGiven = reader.requiredNode("people") != nil
        let people = reader.list("people", of: Scalar<PersonID>.id("person"))
        context.check(people.map(\.asText), .person, among: staff)
        if isGiven, people.isEmpty || people.count > Rotation.mostPeople {
            context.log.error(.wrongCount, at: peoplePlace, "a rotation has 1 to \(Rotation.mostPeople) people")
        }
        let length = reader.located("length", .wholeDays)
        let start = reader.located("start", .day)
        let handOver = reader.mapping("hand-over").flatMap { self.handOver($0, start: start, length: length) }
        reader.finish()
        guard !people.isEmpty, let length, let start, let handOver else { return nil }
        return Rotation(
            people: people.map(\.value), lengthDays: length.value, firstDay: start.value, handOverMinute: handOver)
    }

    /// The time of the hand-over; the weekday that may stand beside it must be the one on which turns begin.
    private func handOver(_ mapping: MappingReader, start: Located<CivilDay>?, length: Located<Int>?) -> Int? {
        var reader = mapping
        let day = reader.optionalLocated("day", .oneOf(CalendarReader.days))
        let at = reader.located("at", .clockTime)
        reader.finish()
        if let day, let length, !length.value.isMultiple(of: 7) {
            context.log.error(
                .contradiction, at: length.place, "a hand-over on one weekday needs turns of whole weeks",
                hint: "write 7d or 14d, or leave 'day' out", related: [day.location])
        } else if let day, let start, CalendarReader.days[start.value.weekday - 1] != day.value {
            let wanted = (CalendarReader.days.firstIndex(of: day.value) ?? 0) + 1
            let later = CivilDay(start.value.number + (wanted - start.value.weekday + 7) % 7)
            context.log.error(
                .contradiction, at: start.place,
                "\(start.value.text) is a \(CalendarReader.days[start.value.weekday - 1]) and hand-over is on \(day.value)",
                hint: "the next \(day.value) is \(later.text)", related: [day.location])
        }
        guard let at else { return nil }
        guard at.value < 1_440 else {
            context.log.error(.outOfRange, at: at.place, "a hand-over is at \"23:59\" at the latest")
            return nil
        }
        return at.value
    }

    private func overrides(_ items: [SettingsNode], at place: Place) -> [RosterOverride] {
        if items.count > Roster.mostOverrides {
            context.log.error(.wrongCount, at: place, "a desk has at most \(Roster.mostOverrides) overrides")
        }
        var overrides: [RosterOverride] = []
        for item in items {
            guard var reader = MappingReader(item, "an override", context.log) else { continue }
            let first = reader.located("from", .day)
            let last = reader.located("to", .day)
            let person = reader.located("person", Scalar<PersonID>.id("person"))
            let absent = reader.optionalLocated("for", Scalar<PersonID>.id("person"))
            let step = reader.optional("step", .integer(in: 1...3), default: 1)
            reader.finish()
            for name in [person, absent].compactMap({ $0?.asText }) { context.check(name, .person, among: staff) }
            guard let first, let last, let person else { continue }
            guard first.value <= last.value else {
                context.log.error(
                    .emptyPeriod, at: last.place, "the override ends before it begins",
                    hint: "'to' is its last day", related: [first.location])
                continue
            }
            let override = RosterOverride(
                person: person.value, step: step, absent: absent?.value,
                validity: Validity(first: first.value, last: last.value, zone: context.zone))
            if overrides.contains(where: { $0.contradicts(override) }) {
                context.log.error(
                    .contradiction, at: first.place, "another override covers some of these days at the same step",
                    hint: "shorten one of them, or say with 'for' whom each replaces")
            }
            overrides.append(override)
        }
        return overrides
    }
}

extension RosterOverride {
    /// Whether both speak of the same duty at some time.
    fileprivate func contradicts(_ other: RosterOverride) -> Bool {
        let both = validity.intersection(other.validity)
        return step == other.step && absent == other.absent && both.start < both.end
    }
}

extension Scalar where Value == Int {
    /// `7d`: whole days, for turns of a rotation.
    static var wholeDays: Scalar {
        let longest = Rotation.longestTurnDays
        return Scalar("a number of whole days such as 7d, at most \(longest)d") { scalar in
            guard case .success(let duration) = Scalar<Duration>.duration.read(scalar),
                duration.components.seconds.isMultiple(of: 86_400)
            else { return .failure(ScalarFault(hint: "write 7d for a week")) }
            let days = Int(duration.components.seconds / 86_400)
            guard (1...longest).contains(days) else { return .failure(ScalarFault(.outOfRange)) }
            return .success(days)
        }
    }
}
