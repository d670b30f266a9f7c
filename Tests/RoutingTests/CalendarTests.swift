import CaseNotifications
import Settings
import Testing

@testable import Routing

struct CalendarTests {
    private static let zone = PolicyFixture.zone

    /// Every day in a year that is a public holiday, as month and day.
    private static let holidays: [Int: [(Int, Int)]] = [
        2024: [
            (1, 1), (1, 6), (3, 29), (3, 31), (4, 1), (5, 1), (5, 9), (5, 19), (6, 6), (6, 22), (11, 2), (12, 25),
            (12, 26),
        ],
        2025: [
            (1, 1), (1, 6), (4, 18), (4, 20), (4, 21), (5, 1), (5, 29), (6, 6), (6, 8), (6, 21), (11, 1), (12, 25),
            (12, 26),
        ],
        2026: [
            (1, 1), (1, 6), (4, 3), (4, 5), (4, 6), (5, 1), (5, 14), (5, 24), (6, 6), (6, 20), (10, 31), (12, 25),
            (12, 26),
        ],
        2027: [
            (1, 1), (1, 6), (3, 26), (3, 28), (3, 29), (5, 1), (5, 6), (5, 16), (6, 6), (6, 26), (11, 6), (12, 25),
            (12, 26),
        ],
        2028: [
            (1, 1), (1, 6), (4, 14), (4, 16), (4, 17), (5, 1), (5, 25), (6, 4), (6, 6), (6, 24), (11, 4), (12, 25),
            (12, 26),
        ],
    ]

    @Test(arguments: [2024, 2025, 2026, 2027, 2028])
    func `these and no other days of the year are public holidays`(year: Int) throws {
        let first = try #require(CivilDay(year: year, month: 1, day: 1))
        let last = try #require(CivilDay(year: year, month: 12, day: 31))
        let found = (first.number...last.number).map { CivilDay($0) }.filter(SwedishHolidays.isPublicHoliday)
        let wanted = (Self.holidays[year] ?? []).compactMap { CivilDay(year: year, month: $0.0, day: $0.1) }
        #expect(found == wanted)
    }

    @Test(arguments: [
        ("2026-06-19", true), ("2026-06-18", false), ("2027-06-25", true), ("2028-06-23", true), ("2026-12-24", true),
        ("2026-12-31", true), ("2024-06-21", true), ("2025-06-20", true), ("2024-06-20", false),
        ("2026-12-23", false), ("2026-10-30", false),
    ])
    func `eves are those that the holiday act counts as Sundays`(day: String, isEve: Bool) throws {
        #expect(SwedishHolidays.isEve(try #require(CivilDay(day))) == isEve)
    }

    @Test(arguments: [
        (1961, 4, 2), (2000, 4, 23), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16),
        (2038, 4, 25), (2285, 3, 22),
    ])
    func `Easter Sunday is where the tables have it`(year: Int, month: Int, day: Int) {
        #expect(SwedishHolidays.easterSunday(year) == CivilDay(year: year, month: month, day: day))
    }

    // MARK: Daylight saving

    @Test(arguments: [
        // Autumn: 03:00 CEST becomes 02:00 CET at 01:00 UTC.
        ("2026-10-25T02:59:59+02:00", "2026-10-25T00:59:59.000Z", 2 * 3_600 + 3_599, 7_200),
        ("2026-10-25T02:00:00+01:00", "2026-10-25T01:00:00.000Z", 2 * 3_600, 3_600),
        // Spring: 02:00 CET becomes 03:00 CEST at 01:00 UTC.
        ("2027-03-28T01:59:59+01:00", "2027-03-28T00:59:59.000Z", 3_600 + 3_599, 3_600),
        ("2027-03-28T03:00:00+02:00", "2027-03-28T01:00:00.000Z", 3 * 3_600, 7_200),
    ])
    func `the clock on the wall changes when it should`(text: String, utc: String, second: Int, offset: Int) {
        let civil = CivilTime(time(text), zone: Self.zone)
        #expect(time(text).rfc3339 == utc)
        #expect(civil.secondOfDay == second)
        #expect(civil.offsetSeconds == offset)
        #expect(civil.weekday == 7)
    }

    private static func calendar(_ spans: [Int: [(Int, Int)]], closed: Set<OpeningCalendar.Closing> = [])
        -> OpeningCalendar
    {
        OpeningCalendar(
            name: "test", spans: spans.mapValues { $0.map { OpeningCalendar.Span(start: $0.0, end: $0.1) } },
            closings: closed)
    }

    /// 22:00 to 06:00 every night.
    private static let night = calendar(Dictionary(uniqueKeysWithValues: (1...7).map { ($0, [(1_320, 1_800)]) }))
    /// 08:00 to 16:30 on weekdays, closed on holidays and eves.
    private static let office = calendar(
        Dictionary(uniqueKeysWithValues: (1...5).map { ($0, [(480, 990)]) }), closed: [.holidays, .eves])

    @Test(arguments: [
        // (calendar, instant, open, until)
        ("night", "2026-10-24T22:00:00+02:00", true, "2026-10-25T06:00:00+01:00"),
        ("night", "2026-10-25T02:30:00+02:00", true, "2026-10-25T06:00:00+01:00"),
        ("night", "2026-10-25T02:30:00+01:00", true, "2026-10-25T06:00:00+01:00"),
        ("night", "2026-10-25T06:00:00+01:00", false, "2026-10-25T22:00:00+01:00"),
        ("night", "2027-03-27T22:00:00+01:00", true, "2027-03-28T06:00:00+02:00"),
        ("night", "2027-03-28T03:00:00+02:00", true, "2027-03-28T06:00:00+02:00"),
        ("office", "2026-12-11T07:59:59.999+01:00", false, "2026-12-11T08:00:00+01:00"),
        ("office", "2026-12-11T08:00:00+01:00", true, "2026-12-11T16:30:00+01:00"),
        ("office", "2026-12-11T16:29:59.999+01:00", true, "2026-12-11T16:30:00+01:00"),
        ("office", "2026-12-11T16:30:00+01:00", false, "2026-12-14T08:00:00+01:00"),
        ("office", "2026-12-23T16:30:00+01:00", false, "2026-12-28T08:00:00+01:00"),
        ("office", "2026-12-30T16:30:00+01:00", false, "2027-01-04T08:00:00+01:00"),
        ("office", "2027-01-05T16:30:00+01:00", false, "2027-01-07T08:00:00+01:00"),
        ("office", "2027-03-25T16:30:00+01:00", false, "2027-03-30T08:00:00+02:00"),
        ("office", "2026-06-18T16:30:00+02:00", false, "2026-06-22T08:00:00+02:00"),
        ("office", "2026-10-23T16:30:00+02:00", false, "2026-10-26T08:00:00+01:00"),
    ])
    func `a calendar is open and closed to the instant`(name: String, at: String, isOpen: Bool, until: String) {
        let calendar = name == "night" ? Self.night : Self.office
        let wanted = OpeningCalendar.State(isOpen: isOpen, until: time(until))
        #expect(calendar.state(at: time(at), zone: Self.zone) == wanted)
        let inverse = OpeningCalendar.State(isOpen: !isOpen, until: time(until))
        #expect(calendar.inverted(name: "x").state(at: time(at), zone: Self.zone) == inverse)
        #expect(calendar.inverted(name: "x").inverted(name: "y").state(at: time(at), zone: Self.zone) == wanted)
    }

    @Test func `spans that touch are one`() {
        let all = Self.calendar(Dictionary(uniqueKeysWithValues: (1...5).map { ($0, [(0, 480), (480, 1_440)]) }))
        let state = all.state(at: time("2026-12-09T03:00:00+01:00"), zone: Self.zone)
        #expect(state == OpeningCalendar.State(isOpen: true, until: time("2026-12-12T00:00:00+01:00")))
    }

    @Test func `always and never know no change`() {
        let at = time("2026-12-09T03:00:00+01:00")
        #expect(OpeningCalendar.always.state(at: at, zone: Self.zone) == .init(isOpen: true, until: .distantFuture))
        #expect(OpeningCalendar.never.state(at: at, zone: Self.zone) == .init(isOpen: false, until: .distantFuture))
    }

    @Test func `closed and open dates win over holidays and weekdays`() throws {
        let special = OpeningCalendar(
            name: "x", spans: Dictionary(uniqueKeysWithValues: (1...5).map { ($0, [.init(start: 480, end: 990)]) }),
            closings: [.holidays, .eves], closedDays: [try #require(CivilDay("2026-12-28"))],
            openDays: [try #require(CivilDay("2026-12-24"))])
        let before = special.state(at: time("2026-12-23T17:00:00+01:00"), zone: Self.zone)
        #expect(before.until == time("2026-12-24T08:00:00+01:00"))
        let after = special.state(at: time("2026-12-24T17:00:00+01:00"), zone: Self.zone)
        #expect(after.until == time("2026-12-29T08:00:00+01:00"))
    }

    @Test(arguments: [
        ("2026-12-11T15:00:00+01:00", "2026-12-14T16:30:00+01:00"),
        ("2026-12-14T00:00:00+01:00", "2026-12-15T16:30:00+01:00"),
        ("2026-12-13T23:59:59+01:00", "2026-12-14T16:30:00+01:00"),
        ("2026-12-23T12:00:00+01:00", "2026-12-28T16:30:00+01:00"),
        ("2027-03-25T12:00:00+01:00", "2027-03-30T16:30:00+02:00"),
        ("2026-10-24T12:00:00+02:00", "2026-10-26T16:30:00+01:00"),
    ])
    func `the end of the next working day passes over weekends, holidays and changes of the clock`(
        at: String, end: String
    ) {
        #expect(Self.office.endOfNextOpenDay(after: time(at), zone: Self.zone) == time(end))
    }

    @Test func `two hours are 7,200 seconds across both changes of the clock`() throws {
        let policy = try PolicyFixture().policy()
        for text in ["2026-10-25T01:30:00+02:00", "2027-03-28T01:30:00+01:00"] {
            let deadline = policy.deadline(.u2, at: time(text)).instant(from: time(text))
            #expect(deadline == Timestamp(milliseconds: time(text).milliseconds + 7_200_000))
        }
    }

    @Test(arguments: [
        ("2025-06-30T23:59:59.999+02:00", false), ("2025-07-01T00:00:00+02:00", true),
        ("2025-12-31T23:59:59.999+01:00", true), ("2026-01-01T00:00:00+01:00", false),
    ])
    func `a period begins with its first day and ends with its last`(at: String, contains: Bool) throws {
        let period = Validity(first: CivilDay("2025-07-01"), last: CivilDay("2025-12-31"), zone: Self.zone)
        #expect(period.contains(time(at)) == contains)
        let change = period.nextChange(after: time(at))
        #expect(change == (contains ? period.end : time(at) < period.start ? period.start : .distantFuture))
    }
}
