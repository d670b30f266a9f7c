import Foundation

/// Reads the system's time zone data (TZif, RFC 8536). This is the only place that touches it.
package enum ZoneFile {
    /// Where systems keep it.
    package static let systemDirectory = "/usr/share/zoneinfo"
    /// The longest zone file, in bytes.
    package static let longestFileBytes = 64 << 10
    /// Changes are compiled up to the end of this year from the file's rule for the time after its table.
    package static let lastYear = 2100

    /// The changes of a zone.
    ///
    /// - Parameter zone: `Europe/Stockholm`; no component may be `..`.
    /// - Throws: `.unknownZone` if there is no such file, `.malformed` if it is not TZif of version 2 or later.
    package static func read(
        zone: String, directory: String = systemDirectory
    ) throws(ZoneFault) -> ZoneTransitions {
        let parts = zone.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            let handle = FileHandle(forReadingAtPath: directory + "/" + zone)
        else { throw .unknownZone(zone) }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: longestFileBytes + 1), data.count <= longestFileBytes else {
            throw .malformed(zone)
        }
        return try decode(Array(data), zone: zone)
    }

    /// The changes that the bytes of a zone file say.
    static func decode(_ bytes: [UInt8], zone: String) throws(ZoneFault) -> ZoneTransitions {
        guard let parsed = parse(bytes) else { throw .malformed(zone) }
        var (initial, transitions, footer) = parsed
        if let footer {
            guard let rule = PosixZoneRule(footer) else { throw .malformed(zone) }
            if transitions.isEmpty { initial = rule.standardOffset }
            // The table may end in any year; the rule goes on from there.
            let firstYear = transitions.last.map { Int($0.at / 31_556_952) + 1970 } ?? 1970
            for year in firstYear...max(firstYear, lastYear) {
                for change in rule.changes(in: year) where change.at > (transitions.last?.at ?? .min) {
                    transitions.append(change)
                }
            }
        }
        let rising = zip(transitions, transitions.dropFirst()).allSatisfy { $0.at < $1.at }
        guard rising else { throw .malformed(zone) }
        return ZoneTransitions(name: zone, initialOffsetSeconds: initial, transitions: transitions)
    }

    /// The table of 64-bit times and the rule that follows it; nil if the bytes are not TZif 2 or later.
    private static func parse(_ bytes: [UInt8]) -> (Int32, [ZoneTransitions.Transition], String?)? {
        guard let first = ZoneHeader(bytes[...]), first.version >= UInt8(ascii: "2") else { return nil }
        let start = ZoneHeader.lengthBytes + first.dataLengthBytes(timeBytes: 4)
        guard start < bytes.count, let header = ZoneHeader(bytes[start...]) else { return nil }
        let body = start + ZoneHeader.lengthBytes
        let end = body + header.dataLengthBytes(timeBytes: 8)
        guard end <= bytes.count, header.typeCount > 0 else { return nil }
        let types = body + header.timeCount * 9
        func offset(ofType index: Int) -> Int32? {
            guard index < header.typeCount else { return nil }
            return Int32(truncatingIfNeeded: number(bytes, at: types + index * 6, count: 4))
        }
        var transitions: [ZoneTransitions.Transition] = []
        for index in 0..<header.timeCount {
            let at = Int64(bitPattern: number(bytes, at: body + index * 8, count: 8))
            guard let offset = offset(ofType: Int(bytes[body + header.timeCount * 8 + index])) else { return nil }
            transitions.append(.init(at: at, offsetSeconds: offset))
        }
        guard let initial = offset(ofType: 0) else { return nil }
        let footer = bytes[end...].dropFirst().prefix { $0 != 0x0A }
        return (initial, transitions, footer.isEmpty ? nil : String(decoding: footer, as: UTF8.self))
    }

    /// A big-endian number.
    fileprivate static func number(_ bytes: [UInt8], at start: Int, count: Int) -> UInt64 {
        bytes[start..<(start + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Why there are no changes of a zone.
package enum ZoneFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The system has no data for this zone.
    case unknownZone(String)
    /// The data cannot be read.
    case malformed(String)

    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .unknownZone(let zone): "no data for the time zone \(zone); install the package tzdata"
        case .malformed(let zone): "the data for the time zone \(zone) cannot be read; reinstall the package tzdata"
        }
    }
}

/// The counts at the head of each half of a TZif file.
private struct ZoneHeader {
    static let lengthBytes = 44
    let version: UInt8
    let timeCount: Int
    let typeCount: Int
    private let otherBytes: (timeBytes4: Int, timeBytes8: Int)

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.lengthBytes, bytes.prefix(4).elementsEqual("TZif".utf8) else { return nil }
        let all = Array(bytes.prefix(Self.lengthBytes))
        version = all[4]
        // Order in the file: isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt.
        let counts = (0..<6).map { Int(ZoneFile.number(all, at: 20 + $0 * 4, count: 4)) }
        guard counts.allSatisfy({ $0 <= ZoneFile.longestFileBytes }) else { return nil }
        timeCount = counts[3]
        typeCount = counts[4]
        let common = counts[4] * 6 + counts[5] + counts[1] + counts[0]
        otherBytes = (common + counts[2] * 8, common + counts[2] * 12)
    }

    func dataLengthBytes(timeBytes: Int) -> Int {
        timeCount * (timeBytes + 1) + (timeBytes == 4 ? otherBytes.timeBytes4 : otherBytes.timeBytes8)
    }
}

/// The rule for the time after the table: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX TZ, changes in the form `Mm.w.d/time`).
struct PosixZoneRule: Equatable {
    let standardOffset: Int32
    private let summerOffset: Int32
    private let toSummer: Change?
    private let toStandard: Change?

    private struct Change: Equatable {
        let month: Int
        let week: Int
        let weekday: Int
        let seconds: Int64
    }

    /// The rule, or nil if it has another form.
    init?(_ text: String) {
        var rest = text[...]
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standardOffset = Int32(truncatingIfNeeded: -west)
        guard !rest.isEmpty else {
            summerOffset = standardOffset
            toSummer = nil
            toStandard = nil
            return
        }
        guard Self.takeName(&rest) else { return nil }
        if rest.first == "," {
            summerOffset = standardOffset + 3_600
        } else {
            guard let west = Self.takeTime(&rest) else { return nil }
            summerOffset = Int32(truncatingIfNeeded: -west)
        }
        guard let first = Self.takeChange(&rest), let second = Self.takeChange(&rest), rest.isEmpty else { return nil }
        toSummer = first
        toStandard = second
    }

    /// The changes of a year, earlier first.
    func changes(in year: Int) -> [ZoneTransitions.Transition] {
        guard let toSummer, let toStandard else { return [] }
        return [
            .init(at: Self.local(toSummer, year: year) - Int64(standardOffset), offsetSeconds: summerOffset),
            .init(at: Self.local(toStandard, year: year) - Int64(summerOffset), offsetSeconds: standardOffset),
        ].sorted { $0.at < $1.at }
    }

    /// Local seconds since 1970 of a change in a year.
    private static func local(_ change: Change, year: Int) -> Int64 {
        let first = dayNumber(year: year, month: change.month)
        let following =
            change.month == 12
            ? dayNumber(year: year + 1, month: 1) : dayNumber(year: year, month: change.month + 1)
        // 1970-01-01 was a Thursday; Sunday is 0 here.
        let weekdayOfFirst = ((first + 4) % 7 + 7) % 7
        var day = first + (change.weekday - weekdayOfFirst + 7) % 7 + (change.week - 1) * 7
        while day >= following { day -= 7 }
        return Int64(day) * 86_400 + change.seconds
    }

    /// Days from 1970-01-01 to the first of a month.
    private static func dayNumber(year: Int, month: Int) -> Int {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let before = year - 1
        let years =
            365 * (year - 1970) + (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
        return years + lengths.prefix(month - 1).reduce(0, +) + (isLeap && month > 2 ? 1 : 0)
    }

    private static func takeName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let name = rest.prefix { $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func takeTime(_ rest: inout Substring) -> Int64? {
        var sign: Int64 = 1
        if rest.first == "-" { sign = -1 }
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        var seconds: Int64 = 0
        for unit: Int64 in [3_600, 60, 1] {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...3).contains(digits.count), let number = Int64(digits) else { return nil }
            seconds += number * unit
            rest = rest.dropFirst(digits.count)
            guard rest.first == ":" else { break }
            rest = rest.dropFirst()
        }
        return sign * seconds
    }

    private static func takeChange(_ rest: inout Substring) -> Change? {
        guard rest.hasPrefix(",M") else { return nil }
        rest = rest.dropFirst(2)
        var numbers: [Int] = []
        for index in 0..<3 {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...2).contains(digits.count), let number = Int(digits) else { return nil }
            numbers.append(number)
            rest = rest.dropFirst(digits.count)
            if index < 2 {
                guard rest.first == "." else { return nil }
                rest = rest.dropFirst()
            }
        }
        var seconds: Int64 = 7_200
        if rest.first == "/" {
            rest = rest.dropFirst()
            guard let time = takeTime(&rest) else { return nil }
            seconds = time
        }
        guard (1...12).contains(numbers[0]), (1...5).contains(numbers[1]), (0...6).contains(numbers[2]) else {
            return nil
        }
        return Change(month: numbers[0], week: numbers[1], weekday: numbers[2], seconds: seconds)
    }
}
