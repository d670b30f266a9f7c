/// A point in time: milliseconds since 1970-01-01T00:00:00Z, by the wall clock, without leap seconds.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 9999-12-31T23:59:59.999Z, later than any deadline.
    package static let distantFuture = Timestamp(milliseconds: 253_402_300_799_999)
    /// 0000-01-01T00:00:00Z, the first time that can be written.
    package static let distantPast = Timestamp(milliseconds: -62_167_219_200_000)

    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64

    /// The time so many milliseconds after 1970.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The time that `text` writes in the form of RFC 3339, section 5.6, or nil.
    ///
    /// A zone is demanded. Fractions have 1 to 9 digits, of which three count. Second 60 is refused: the wall clock of this
    /// program has none, and a guess would move a deadline.
    package init?(rfc3339 text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    /// The time in `bytes`, or nil.
    init?(utf8 bytes: some Collection<UInt8>) {
        // The longest is 2026-12-11T23:09:00.123456789+01:00.
        guard (20...35).contains(bytes.count) else { return nil }
        var reader = DigitReader(bytes)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t"),
            let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"),
            let second = reader.number(2),
            CivilDate.isValid(year: year, month: month, day: day), hour < 24, minute < 60, second < 60,
            let fraction = reader.fractionMilliseconds(), let offset = reader.zoneMinutes(), reader.isAtEnd
        else { return nil }
        let days = CivilDate.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
        milliseconds = Int64(seconds) * 1_000 + Int64(fraction)
        guard (Self.distantPast...Self.distantFuture).contains(self) else { return nil }
    }

    /// The time in UTC with milliseconds: `2026-12-11T22:09:00.000Z`. Times outside the years 0 to 9999 are written as the
    /// nearest one within.
    package var rfc3339: String {
        let whole = min(max(self, .distantPast), .distantFuture).milliseconds
        let (days, rest) = Int(whole).flooredQuotientAndRemainder(dividingBy: 86_400_000)
        let date = CivilDate.date(days: days)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        func append(_ value: Int, digits: Int, then separator: Unicode.Scalar) {
            var power = 1
            for _ in 1..<digits { power *= 10 }
            while power > 0 {
                bytes.append(UInt8(value / power % 10) + 0x30)
                power /= 10
            }
            bytes.append(UInt8(ascii: separator))
        }
        append(date.year, digits: 4, then: "-")
        append(date.month, digits: 2, then: "-")
        append(date.day, digits: 2, then: "T")
        append(rest / 3_600_000, digits: 2, then: ":")
        append(rest / 60_000 % 60, digits: 2, then: ":")
        append(rest / 1_000 % 60, digits: 2, then: ".")
        append(rest % 1_000, digits: 3, then: "Z")
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The time so many seconds later (or earlier, if negative), never beyond `distantPast` and `distantFuture`.
    package func advanced(bySeconds seconds: Int64) -> Timestamp {
        let (product, productOverflows) = seconds.multipliedReportingOverflow(by: 1_000)
        let (sum, sumOverflows) = milliseconds.addingReportingOverflow(product)
        guard !productOverflows, !sumOverflows else { return seconds > 0 ? .distantFuture : .distantPast }
        return min(max(Timestamp(milliseconds: sum), .distantPast), .distantFuture)
    }

    /// Earlier is less.
    package static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// The time in UTC, as `rfc3339`.
    package var description: String { rfc3339 }
}

/// Reads fixed-width decimal numbers off the front of some bytes.
struct DigitReader<Bytes: Collection<UInt8>> {
    private let bytes: Bytes
    private var index: Bytes.Index

    init(_ bytes: Bytes) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index == bytes.endIndex }

    /// Takes `scalar` if it comes next.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard index < bytes.endIndex, bytes[index] == UInt8(ascii: scalar) else { return false }
        bytes.formIndex(after: &index)
        return true
    }

    /// Takes one digit if one comes next.
    mutating func digit() -> Int? {
        guard index < bytes.endIndex, NameGrammar.isDigit(bytes[index]) else { return nil }
        let value = Int(bytes[index] - 0x30)
        bytes.formIndex(after: &index)
        return value
    }

    /// A number of exactly so many digits.
    mutating func number(_ digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let next = digit() else { return nil }
            value = value * 10 + next
        }
        return value
    }

    /// The milliseconds of an optional fraction of 1 to 9 digits; 0 without one, nil for a wrong one.
    mutating func fractionMilliseconds() -> Int? {
        guard take(".") else { return 0 }
        var value = 0
        var count = 0
        while let next = digit() {
            if count < 3 { value = value * 10 + next }
            count += 1
        }
        guard (1...9).contains(count) else { return nil }
        for _ in min(count, 3)..<3 { value *= 10 }
        return value
    }

    /// The minutes east of UTC that `Z` or `+hh:mm` says; nil for anything else.
    mutating func zoneMinutes() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign: Int
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

/// Days of the proleptic Gregorian calendar, counted from 1970-01-01.
package enum CivilDate {
    /// Whether the year has that day.
    package static func isValid(year: Int, month: Int, day: Int) -> Bool {
        (1...12).contains(month) && (1...lengthOfMonth(month, year: year)).contains(day)
    }

    /// The number of days in a month (1...12).
    package static func lengthOfMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The days from 1970-01-01 to a date, by Hinnant's algorithm: years start in March, eras have 400 of them.
    package static func days(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = marchYear.flooredQuotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date so many days after 1970-01-01.
    package static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int {
    /// Division that rounds towards negative infinity, so that days before 1970 count like those after.
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
