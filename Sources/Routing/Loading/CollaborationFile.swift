import CaseNotifications
import Settings

/// Reads `collaboration.yaml`.
struct CollaborationFile {
    /// The settings; nil if something that they cannot do without is missing or wrong.
    private(set) var settings: CollaborationSettings?
    /// What other files may name; nil if the file could not be read.
    private(set) var known: Known?

    /// Names that other files may use.
    struct Known {
        let id: CollaborationID?
        let county: String
        let municipalities: Set<String>
        let programmes: Set<String>
        let levels: Set<String>
        let calendars: [String: OpeningCalendar]
        let groups: Set<String>
        /// Seconds for which content that nobody has acknowledged stays at least.
        let leastUnacknowledged: Int64
    }

    private let context: ReadingContext

    init(_ root: SettingsNode?, partyIDs: Set<String>?, context: ReadingContext) {
        self.context = context
        guard var reader = context.reader(root, "collaboration.yaml") else { return }
        let id = reader.value("id", Scalar<CollaborationID>.id("collaboration"))
        let labels = context.labels(&reader)
        let county = reader.value("county", .quotedCode(digits: 2))
        let municipalities = municipalities(reader.requiredEntries("municipalities"), county: county)
        let timeZone = timeZone(&reader)
        let mode = reader.value("mode", .oneOf(Mode.self, named: "mode"))
        let clock = clock(&reader, mode: mode)
        let programmes = context.vocabulary(reader.requiredEntries("programmes"), "a programme")
        let levels = reader.list("levels", of: .text).map(\.value)
        let calendarEntries = reader.entries("calendars")
        let own = CalendarReader(context: context).calendars(calendarEntries, known: CalendarReader.builtIn)
        let calendars = own.merging(CalendarReader.builtIn) { own, _ in own }
        let workingDays = reader.located("working-days", .text)
        if let workingDays { context.check(workingDays, .calendar, among: Set(calendars.keys)) }
        let urgency = urgency(&reader)
        let least = RetentionSettings.leastUnacknowledged(urgency ?? [])
        let retention = retention(&reader, least: least)
        let groups = groups(reader.sequence("groups"), municipalities: Set(municipalities.keys), partyIDs: partyIDs)
        reader.finish()
        known = Known(
            id: id, county: county ?? "", municipalities: Set(municipalities.keys),
            programmes: Set(programmes.keys), levels: Set(levels), calendars: calendars, groups: Set(groups.map(\.id)),
            leastUnacknowledged: least)
        guard let id, let labels, let county, let timeZone, let mode, let urgency, let retention, let workingDays,
            let calendar = calendars[workingDays.value]
        else { return }
        settings = CollaborationSettings(
            id: id, labels: labels, county: county, municipalities: municipalities, timeZone: timeZone, mode: mode,
            clock: clock, programmes: programmes, levels: levels, calendars: calendars, workingDays: calendar,
            urgency: urgency, retention: retention, groups: groups.sorted { $0.id < $1.id })
    }

    private func municipalities(_ entries: [SettingsEntry], county: String?) -> [String: String] {
        var result: [String: String] = [:]
        for entry in entries {
            guard let code = context.municipalityKey(entry, county: county),
                let name = MappingReader.read(entry.value, .text, what: "a municipality's name", log: context.log)
            else { continue }
            result[code] = name.value
        }
        return result
    }

    private func timeZone(_ reader: inout MappingReader) -> String? {
        guard let name = reader.located("time-zone", .text) else { return nil }
        guard name.value == context.zone.name else {
            context.log.error(
                .invalidValue, at: name.place, "unknown time zone \(Diagnostic.quote(name.value))",
                hint: "did you mean '\(context.zone.name)'?")
            return nil
        }
        return name.value
    }

    private func clock(_ reader: inout MappingReader, mode: Mode?) -> ClockSettings? {
        let place = reader.place(of: "clock")
        guard var clock = reader.optionalMapping("clock") else { return nil }
        let start = clock.value("start", .instant)
        let speed = clock.value("speed", .number(in: 0.001...86_400))
        clock.finish()
        if mode == .production {
            context.log.error(
                .clockInProduction, at: place, "production mode has no simulated clock",
                hint: "remove 'clock', or set 'mode: exercise'")
        }
        guard let start, let speed else { return nil }
        return ClockSettings(start: start, speed: speed)
    }

    // MARK: Urgency

    private func urgency(_ reader: inout MappingReader) -> [UrgencySettings]? {
        var settings: [UrgencyClass: UrgencySettings] = [:]
        let entries = reader.requiredEntries("urgency")
        for entry in entries {
            guard let urgency = UrgencyClass(text: entry.key.value) else {
                context.log.error(
                    .unknownName, at: entry.key.place, "unknown class \(Diagnostic.quote(entry.key.value))",
                    hint: "U1, U2, U3, U4 and U0")
                continue
            }
            settings[urgency] = urgencySettings(entry.value, "class \(urgency.text)")
        }
        for urgency in UrgencyClass.allCases where !entries.contains(where: { $0.key.value == urgency.text }) {
            context.log.error(
                .missingKey, at: reader.place(of: "urgency"), "'urgency' has no class \(urgency.text)")
        }
        let ordered = UrgencyClass.allCases.compactMap { settings[$0] }
        return ordered.count == UrgencyClass.allCases.count ? ordered : nil
    }

    private func urgencySettings(_ node: SettingsNode, _ subject: String) -> UrgencySettings? {
        guard var reader = MappingReader(node, subject, context.log) else { return nil }
        let labels = context.labels(&reader)
        let acknowledgement = reader.value("acknowledge", .acknowledgement)
        let desks = reader.value("desks", .oneOf(UrgencySettings.Desks.self, named: "choice of desks"))
        var steps: [EscalationStep] = []
        for item in reader.sequence("escalation") {
            guard var step = MappingReader(item, "an escalation step", context.log) else { continue }
            let after = step.value("after", .duration)
            let kind = step.value("step", .oneOf(EscalationStep.Step.self, named: "escalation step"))
            step.finish()
            if let after, let kind {
                steps.append(EscalationStep(afterSeconds: after.components.seconds, step: kind))
            }
        }
        reader.finish()
        guard let labels, let acknowledgement, let desks else { return nil }
        let ladder = steps.sorted { ($0.afterSeconds, $0.step.rawValue) < ($1.afterSeconds, $1.step.rawValue) }
        return UrgencySettings(labels: labels, acknowledgement: acknowledgement, desks: desks, escalation: ladder)
    }

    private func retention(_ reader: inout MappingReader, least: Int64) -> RetentionSettings? {
        guard var retention = reader.mapping("retention") else { return nil }
        let acknowledged = retention.located("content-after-acknowledgement", .duration)
        let unacknowledged = retention.located("content-unacknowledged", .duration)
        context.checkKept(acknowledged: acknowledged, unacknowledged: unacknowledged, least: least)
        retention.finish(removed: RetentionSettings.removed)
        guard let acknowledged, let unacknowledged else { return nil }
        return RetentionSettings(
            content: ContentTimes(
                afterAcknowledgement: acknowledged.value.components.seconds,
                unacknowledged: unacknowledged.value.components.seconds))
    }

    // MARK: Groups

    private func groups(
        _ items: [SettingsNode], municipalities: Set<String>, partyIDs: Set<String>?
    ) -> [PartyGroup] {
        var groups: [PartyGroup] = []
        var seen: [String: SourceLocation] = [:]
        for item in items {
            guard var reader = MappingReader(item, "a group", context.log) else { continue }
            let id = reader.located("id", Scalar<PartyID>.id("group"))
            let labels = context.labels(&reader)
            let municipality = reader.located("municipality", .quotedCode(digits: 4))
            let members = reader.list("members", of: Scalar<PartyID>.id("party"))
            reader.finish()
            context.check(members.map(\.asText), .party, among: partyIDs)
            if let municipality { context.check(municipality, .municipality, among: municipalities) }
            guard let id, let labels, let municipality else { continue }
            context.checkUnique(id.asText, "group", in: &seen)
            if partyIDs?.contains(id.value.text) ?? false {
                context.log.error(.duplicateID, at: id.place, "'\(id.value)' is also the id of a party")
            }
            groups.append(
                PartyGroup(
                    id: id.value.text, labels: labels, municipality: municipality.value,
                    members: members.map(\.value).sorted()))
        }
        return groups
    }
}

extension ReadingContext {
    /// The code of a municipality that is a key; nil (and an error) if it is none of the county's or not in quotes.
    func municipalityKey(_ entry: SettingsEntry, county: String?) -> String? {
        let scalar = SettingsNode(.text(entry.key.value, isQuoted: entry.isQuoted), at: entry.key.location)
        let code = MappingReader.read(scalar, .quotedCode(digits: 4), what: "a municipality", log: log)
        guard let code else { return nil }
        if let county, !code.value.hasPrefix(county) {
            log.error(
                .unknownMunicipality, at: code.place, "the municipality \(code.value) is not in county \(county)")
            return nil
        }
        return code.value
    }
}

extension Scalar where Value == UrgencySettings.Acknowledgement {
    /// A duration, `next-working-day` or `none`.
    static var acknowledgement: Scalar {
        let words: [String: UrgencySettings.Acknowledgement] = ["next-working-day": .nextWorkingDay, "none": .none]
        return Scalar("a duration, next-working-day or none") { scalar in
            if let value = words[scalar.text] { return .success(value) }
            switch Scalar<Duration>.duration(in: .seconds(60)...(.seconds(366 * 86_400))).read(scalar) {
            case .success(let duration): return .success(.within(seconds: duration.components.seconds))
            case .failure(let fault):
                let near = Suggestion.nearest(to: scalar.text, among: words.keys)
                return .failure(
                    ScalarFault(
                        fault.code, message: fault.message, hint: near.map { "did you mean '\($0)'?" } ?? fault.hint))
            }
        }
    }
}
