import Settings

/// Reads the calendars of one file and resolves those that are complements of others.
struct CalendarReader {
    /// Names of days as files write them, Monday first.
    static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    /// Calendars that every policy has.
    static let builtIn: [String: OpeningCalendar] = ["always": .always, "never": .never]

    let context: ReadingContext

    private enum Draft {
        case calendar(OpeningCalendar)
        case outside(Located<String>)
    }

    /// The calendars of `entries`, by name.
    ///
    /// - Parameter known: calendars that they may be the complements of.
    func calendars(_ entries: [SettingsEntry], known: [String: OpeningCalendar]) -> [String: OpeningCalendar] {
        var drafts: [String: Draft] = [:]
        for entry in entries {
            guard let name = context.name(entry.key, "a calendar") else { continue }
            if Self.builtIn[name] != nil {
                context.log.error(.duplicateID, at: entry.key.place, "the calendar '\(name)' is built in")
                continue
            }
            if let draft = draft(entry.value, name: name) { drafts[name] = draft }
        }
        var result: [String: OpeningCalendar] = [:]
        for name in drafts.keys.sorted() {
            result[name] = resolve(name, drafts: drafts, known: known, path: [])
        }
        return result
    }

    private func resolve(
        _ name: String, drafts: [String: Draft], known: [String: OpeningCalendar], path: [String]
    ) -> OpeningCalendar? {
        switch drafts[name] {
        case .calendar(let calendar): return calendar
        case .outside(let other):
            guard !path.contains(name) else {
                context.log.error(.cycle, at: other.place, "the calendar '\(name)' is its own complement")
                return nil
            }
            if drafts[other.value] != nil {
                let base = resolve(other.value, drafts: drafts, known: known, path: path + [name])
                return base?.inverted(name: name)
            }
            let names = Set(drafts.keys).union(known.keys)
            guard context.check(other, .calendar, among: names) else { return nil }
            return known[other.value]?.inverted(name: name)
        case nil: return nil
        }
    }

    private func draft(_ node: SettingsNode, name: String) -> Draft? {
        guard var reader = MappingReader(node, "calendar '\(name)'", context.log) else { return nil }
        defer { reader.finish() }
        if let outside = reader.optionalLocated("outside", .text) { return .outside(outside) }
        var spans: [Int: [OpeningCalendar.Span]] = [:]
        for item in reader.requiredSequence("open") {
            guard let (days, span) = span(item) else { continue }
            for day in days { spans[day, default: []].append(span) }
        }
        let closings = reader.list(
            "closed", of: .oneOf(OpeningCalendar.Closing.self, named: "kind of closed days"))
        let closed = reader.list("closed-dates", of: .day)
        let open = reader.list("open-dates", of: .day)
        return .calendar(
            OpeningCalendar(
                name: name, spans: spans, closings: Set(closings.map(\.value)), closedDays: Set(closed.map(\.value)),
                openDays: Set(open.map(\.value))))
    }

    private func span(_ node: SettingsNode) -> ([Int], OpeningCalendar.Span)? {
        guard var reader = MappingReader(node, "a span of a calendar", context.log) else { return nil }
        let days = reader.list("days", of: .oneOf(Self.days))
        let start = reader.located("from", .clockTime)
        let end = reader.located("to", .clockTime)
        reader.finish()
        if days.isEmpty { context.log.error(.wrongCount, at: reader.place, "the span has no days") }
        guard let start, let end else { return nil }
        guard start.value < 1_440 else {
            context.log.error(.outOfRange, at: start.place, "a span begins at \"23:59\" at the latest")
            return nil
        }
        let length = end.value > start.value ? end.value : end.value + 1_440
        let numbers = days.compactMap { Self.days.firstIndex(of: $0.value) }.map { $0 + 1 }
        return (numbers, OpeningCalendar.Span(start: start.value, end: length))
    }
}

extension Scalar where Value == Int {
    /// `"08:00"` to `"24:00"`, in minutes since midnight.
    static var clockTime: Scalar {
        Scalar("a time of the day in quotes such as \"08:00\"") { scalar in
            let bytes = Array(scalar.text.utf8)
            let digits = [0, 1, 3, 4].compactMap { bytes.indices.contains($0) ? Int(bytes[$0]) - 0x30 : nil }
            guard bytes.count == 5, bytes[2] == 0x3A, digits.allSatisfy({ (0...9).contains($0) }) else {
                return .failure(ScalarFault())
            }
            guard scalar.isQuoted else {
                return .failure(
                    ScalarFault(.unquotedCode, message: "the time needs quotes", hint: "write \"\(scalar.text)\""))
            }
            let hour = digits[0] * 10 + digits[1]
            let minute = digits[2] * 10 + digits[3]
            guard minute < 60, hour < 24 || (hour == 24 && minute == 0) else { return .failure(ScalarFault()) }
            return .success(hour * 60 + minute)
        }
    }
}
