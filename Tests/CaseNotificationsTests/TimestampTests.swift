import CaseNotifications
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("2026-12-11T23:09:00+01:00", 1_797_026_940_000),
        ("2026-12-11t22:09:00z", 1_797_026_940_000), ("2026-12-11T22:09:00.1Z", 1_797_026_940_100),
        ("2026-12-11T22:09:00.123456789Z", 1_797_026_940_123),
        ("2026-12-11T22:09:00.000000000-00:00", 1_797_026_940_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000), ("2024-02-29T23:59:59Z", 1_709_251_199_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("2026-12-11T22:09:00-23:59", 1_797_113_280_000),
    ])
    func `a time of RFC 3339 is its milliseconds`(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "2026-12-11", "2026-12-11T22:09:00", "2026-12-11 22:09:00Z", "2026-12-11T22:09Z", "2026-12-11T24:00:00Z",
        "2026-12-11T22:60:00Z", "2016-12-31T23:59:60Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-12-00T00:00:00Z",
        "2026-12-11T22:09:00.Z", "2026-12-11T22:09:00.1234567890Z", "2026-12-11T22:09:00,5Z",
        "2026-12-11T22:09:00+1:00", "2026-12-11T22:09:00+01", "2026-12-11T22:09:00+0100", "2026-12-11T22:09:00+24:00",
        "2026-12-11T22:09:00+01:60", "2026-12-11T22:09:00ZZ", "+2026-12-11T22:09:00Z", "２026-12-11T22:09:00Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
    func `anything else is no time`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `what is written is read back`() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<5_000 {
            let range = Timestamp.distantPast.milliseconds...Timestamp.distantFuture.milliseconds
            let time = Timestamp(milliseconds: Int64.random(in: range, using: &random))
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
        #expect(Timestamp(milliseconds: 1_797_026_940_007).rfc3339 == "2026-12-11T22:09:00.007Z")
        #expect(Timestamp(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
    }

    @Test func `every day of five centuries follows the one before`() {
        var expected = CivilDate.days(year: 1700, month: 1, day: 1)
        for year in 1700..<2200 {
            for month in 1...12 {
                for day in 1...CivilDate.lengthOfMonth(month, year: year) {
                    guard CivilDate.days(year: year, month: month, day: day) == expected,
                        CivilDate.date(days: expected) == (year, month, day)
                    else {
                        Issue.record("\(year)-\(month)-\(day)")
                        return
                    }
                    expected += 1
                }
            }
        }
    }

    @Test func `advancing stops at the ends of time`() {
        let time = Timestamp(milliseconds: 1_000)
        #expect(time.advanced(bySeconds: 15 * 60) == Timestamp(milliseconds: 901_000))
        #expect(time.advanced(bySeconds: -1) == Timestamp(milliseconds: 0))
        #expect(time.advanced(bySeconds: .max) == .distantFuture && time.advanced(bySeconds: .min) == .distantPast)
        #expect(Timestamp.distantFuture.advanced(bySeconds: 1) == .distantFuture)
    }
}
