import CaseNotifications

/// Swedish public holidays (lag 1989:253), computed and not listed.
package enum SwedishHolidays {
    /// Whether a day that is no ordinary Sunday or Saturday is a public holiday, or is a Sunday that has a name of its own.
    package static func isPublicHoliday(_ day: CivilDay) -> Bool {
        let date = CivilDate.date(days: day.number)
        switch (date.month, date.day) {
        case (1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26): return true
        // Midsummer's Day and All Saints' Day are Saturdays.
        case (6, 20...26), (10, 31), (11, 1...6): return day.weekday == 6
        default: break
        }
        // Easter moves from 22 March to 25 April, and Whitsun is seven weeks later.
        guard (3...6).contains(date.month) else { return false }
        switch day.number - easterSunday(date.year).number {
        case -2, 0, 1, 39, 49: return true  // Good Friday, Easter Sunday and Monday, Ascension, Whit Sunday
        default: return false
        }
    }

    /// Whether a day is Midsummer's Eve, Christmas Eve or New Year's Eve, which the holiday act (1977:480) counts as Sundays.
    package static func isEve(_ day: CivilDay) -> Bool {
        let date = CivilDate.date(days: day.number)
        switch (date.month, date.day) {
        case (12, 24), (12, 31): return true
        case (6, 19...25): return day.weekday == 5
        default: return false
        }
    }

    /// Easter Sunday of a Gregorian year (Meeus, Jones and Butcher).
    package static func easterSunday(_ year: Int) -> CivilDay {
        let golden = year % 19
        let (century, yearOfCentury) = (year / 100, year % 100)
        let correction = (century + 8) / 25
        let epact = (19 * golden + century - century / 4 - (century - correction + 1) / 3 + 15) % 30
        let weekday = (32 + 2 * (century % 4) + 2 * (yearOfCentury / 4) - epact - yearOfCentury % 4) % 7
        let shift = (golden + 11 * epact + 22 * weekday) / 451
        let sum = epact + weekday - 7 * shift + 114
        return CivilDay(CivilDate.days(year: year, month: sum / 31, day: sum % 31 + 1))
    }
}
