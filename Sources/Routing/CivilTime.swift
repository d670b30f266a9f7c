package import CaseNotifications
package import Settings

/// What a clock on the wall in the collaboration's zone shows.
package struct CivilTime: Hashable, Sendable {
    /// Days since 1970-01-01.
    package let day: Int
    /// Seconds since midnight by the clock's face, 0...86,399.
    package let secondOfDay: Int
    /// Seconds east of UTC.
    package let offsetSeconds: Int

    /// What the clock shows at an instant.
    package init(_ instant: Timestamp, zone: ZoneTransitions) {
        let seconds = instant.milliseconds.flooredDivision(by: 1_000)
        offsetSeconds = Int(zone.offset(at: seconds))
        let local = seconds + Int64(offsetSeconds)
        day = Int(local.flooredDivision(by: 86_400))
        secondOfDay = Int(local - Int64(day) * 86_400)
    }

    /// 1 is Monday, 7 is Sunday.
    package var weekday: Int { CivilDay(day).weekday }
    /// Year, month and day.
    package var date: (year: Int, month: Int, day: Int) { CivilDate.date(days: day) }
}

/// A day of the calendar.
package struct CivilDay: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01.
    package let number: Int

    /// The day so many days after 1970-01-01.
    package init(_ number: Int) {
        self.number = number
    }

    /// A date, or nil if there is no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard CivilDate.isValid(year: year, month: month, day: day) else { return nil }
        self.init(CivilDate.days(year: year, month: month, day: day))
    }

    /// The date that `text` writes as `2026-12-11`, or nil.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(into: Int?(0)) { result, byte in
                guard let sum = result, (0x30...0x39).contains(byte) else { return result = nil }
                result = sum * 10 + Int(byte - 0x30)
            }
        }
        guard let year = number(0..<4), year >= 1, let month = number(5..<7), let day = number(8..<10) else {
            return nil
        }
        self.init(year: year, month: month, day: day)
    }

    /// 1 is Monday, 7 is Sunday.
    package var weekday: Int { ((number + 3) % 7 + 7) % 7 + 1 }

    /// The instant at which this day begins in a zone, plus so many minutes by the clock's face.
    package func instant(minute: Int = 0, zone: ZoneTransitions) -> Timestamp {
        Timestamp(milliseconds: zone.instant(ofLocal: Int64(number) * 86_400 + Int64(minute) * 60) * 1_000)
    }

    /// The earlier day is less.
    package static func < (left: CivilDay, right: CivilDay) -> Bool { left.number < right.number }
}

extension Int64 {
    /// Division that rounds towards negative infinity.
    func flooredDivision(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
