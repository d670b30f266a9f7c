package import CaseNotifications

/// How one person sees things: language, place and clock.
package struct Presentation: Sendable {
    /// The person's language.
    package var language: Language
    /// Where the text goes.
    package var layout: Layout
    /// Seconds east of Greenwich, in the person's own time zone, at so many seconds after 1970.
    package var zoneOffset: @Sendable (Int64) -> Int

    /// A person's view of things.
    package init(language: Language, layout: Layout, zoneOffset: @escaping @Sendable (Int64) -> Int) {
        self.language = language
        self.layout = layout
        self.zoneOffset = zoneOffset
    }

    /// The text in this person's language.
    package func text(_ message: Message) -> String { message.text(language) }

    func paint(_ text: String, _ paint: Paint) -> String { paint.applied(to: text, isOn: layout.isColoured) }

    func local(_ instant: Timestamp) -> WallTime {
        WallTime(instant, offsetSeconds: zoneOffset(WallTime.floorDivide(instant.milliseconds, 1_000)))
    }

    /// `lör 12 dec 02:10`.
    func dayAndMinute(_ instant: Timestamp) -> String {
        let time = local(instant)
        return "\(time.dayText(language)) \(time.minuteText)"
    }

    /// `02:11:04`, with the day before it unless that is the day of `reference`.
    func second(_ instant: Timestamp, besides reference: Timestamp) -> String {
        let time = local(instant)
        if time.isSameDay(as: local(reference)) { return time.secondText }
        return "\(time.dayText(language)) \(time.secondText)"
    }

    /// `23:25`, with the day before it unless that is the day of `reference`.
    func minute(_ instant: Timestamp, besides reference: Timestamp) -> String {
        let time = local(instant)
        if time.isSameDay(as: local(reference)) { return time.minuteText }
        return "\(time.dayText(language)) \(time.minuteText)"
    }

    /// What is left until a deadline: `00:09`, `-00:12` when it is past, `mån 17:00` when it is a day or more away.
    func left(until deadline: Timestamp, at now: Timestamp) -> String {
        let milliseconds = deadline.milliseconds - now.milliseconds
        if milliseconds >= 24 * 3_600_000 {
            let time = local(deadline)
            return "\(time.weekdayText(language)) \(time.minuteText)"
        }
        return WallTime.hoursAndMinutes(milliseconds)
    }
}

/// An instant on the wall clock of one place, for people.
package struct WallTime: Equatable, Sendable {
    /// The year, proleptic Gregorian.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int
    /// 0 is Monday.
    package let weekday: Int
    /// 0 to 23.
    package let hour: Int
    /// 0 to 59.
    package let minute: Int
    /// 0 to 59.
    package let second: Int

    /// The wall clock that stands so many seconds east of Greenwich.
    package init(_ instant: Timestamp, offsetSeconds: Int) {
        let seconds = Self.floorDivide(instant.milliseconds, 1_000) + Int64(offsetSeconds)
        let days = Self.floorDivide(seconds, 86_400)
        let rest = Int(seconds - days * 86_400)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = Int(((days + 3) % 7 + 7) % 7)
        let date = CivilDate.date(days: Int(days))
        year = date.year
        month = date.month
        day = date.day
    }

    /// `02:10`
    package var minuteText: String { "\(Self.two(hour)):\(Self.two(minute))" }
    /// `02:10:07`
    package var secondText: String { "\(minuteText):\(Self.two(second))" }
    /// `lör 12 dec`
    package func dayText(_ language: Language) -> String {
        "\(weekdayText(language)) \(day) \(Self.months(language)[month - 1])"
    }
    /// `lör`
    package func weekdayText(_ language: Language) -> String { Self.weekdays(language)[weekday] }

    /// Whether both fall on one calendar day.
    package func isSameDay(as other: WallTime) -> Bool {
        year == other.year && month == other.month && day == other.day
    }

    /// `00:27`, `-00:12`, `117:03`; whole minutes, towards the worse: 59 s left are `00:00`, 1 s too late is `-00:01`.
    static func hoursAndMinutes(_ milliseconds: Int64) -> String {
        let minutes = floorDivide(milliseconds, 60_000)
        let sign = minutes < 0 ? "-" : ""
        let size = minutes.magnitude
        return "\(sign)\(two(Int(clamping: size / 60))):\(two(Int(size % 60)))"
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    private static func weekdays(_ language: Language) -> [String] {
        switch language {
        case .swedish: ["mån", "tis", "ons", "tor", "fre", "lör", "sön"]
        case .english: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        }
    }

    private static func months(_ language: Language) -> [String] {
        switch language {
        case .swedish: ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
        case .english: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        }
    }
}
