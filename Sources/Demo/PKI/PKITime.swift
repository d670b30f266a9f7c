import Foundation
import SwiftASN1

/// Times as X.509 and our text files write them: whole seconds, UTC.
enum PKITime {
    /// `2026-12-11T22:00:00Z`.
    static func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle())
    }

    static func date(_ text: String) -> Date? {
        try? Date(text, strategy: Date.ISO8601FormatStyle())
    }

    /// The same instant without its fraction, which a certificate cannot hold.
    static func wholeSeconds(_ date: Date) -> Date {
        Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down))
    }

    /// Writes `date` as RFC 5280, 5.1.2.4 demands: UTCTime up to 2049, GeneralizedTime from 2050 on.
    static func serialize(_ date: Date, into coder: inout DER.Serializer) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let part = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        guard let year = part.year, let month = part.month, let day = part.day, let hour = part.hour,
            let minute = part.minute, let second = part.second
        else { preconditionFailure("a Gregorian date has all its components") }
        if year < 2050 {
            try coder.serialize(
                UTCTime(year: year, month: month, day: day, hours: hour, minutes: minute, seconds: second))
        } else {
            try coder.serialize(
                GeneralizedTime(
                    year: year, month: month, day: day, hours: hour, minutes: minute, seconds: second,
                    fractionalSeconds: 0))
        }
    }
}
