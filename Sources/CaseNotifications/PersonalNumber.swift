/// A personnummer or samordningsnummer with its century, whose date and check digit are right.
package struct PersonalNumber: Hashable, Sendable {
    /// The number as `YYYYMMDDNNNC`; of a samordningsnummer the day is raised by 60.
    package let twelveDigits: UInt64

    /// The number that `text` writes, or nil.
    ///
    /// Forms: `YYYYMMDDNNNC`, `YYYYMMDD-NNNC`, `YYMMDD-NNNC`, and `YYMMDD+NNNC` from the year in which the person turns 100.
    /// - Parameter year: the year in which it was written; it gives the short forms their century.
    package init?(_ text: some StringProtocol, writtenIn year: Int) {
        self.init(utf8: text.utf8, writtenIn: year)
    }

    /// The number in `bytes`, or nil.
    init?(utf8 bytes: some Collection<UInt8>, writtenIn year: Int) {
        guard (11...13).contains(bytes.count) else { return nil }
        var digits: [Int] = []
        var separator: UInt8?
        for byte in bytes {
            if NameGrammar.isDigit(byte) {
                digits.append(Int(byte - 0x30))
            } else {
                guard separator == nil, bytes.count - digits.count == 5 else { return nil }
                separator = byte
            }
        }
        let minus = UInt8(ascii: "-")
        switch (digits.count, separator) {
        case (12, nil), (12, minus): break
        case (10, minus): digits = Self.digits(ofCenturyOf: digits, latest: year) + digits
        case (10, UInt8(ascii: "+")): digits = Self.digits(ofCenturyOf: digits, latest: year - 100) + digits
        default: return nil
        }
        guard digits.count == 12, Self.hasValidDate(digits), Self.checkDigit(of: digits[2..<11]) == digits[11] else {
            return nil
        }
        twelveDigits = digits.reduce(0) { $0 * 10 + UInt64($1) }
    }

    /// Whether this is a samordningsnummer.
    package var isCoordinationNumber: Bool { twelveDigits / 10_000 % 100 > 60 }

    /// Whether it is one of the published test numbers that exercises use.
    package var isTestNumber: Bool { TestNumbers.all.contains(twelveDigits) }

    /// Whether it may be used: production refuses test numbers, exercises accept nothing else.
    package func isAllowed(in mode: Mode) -> Bool { isTestNumber == (mode == .exercise) }

    /// The check digit of nine digits `YYMMDDNNN`: weights 2, 1, 2 and so on, digits of the products added, modulus 10.
    static func checkDigit(of nine: ArraySlice<Int>) -> Int {
        var sum = 0
        for (place, digit) in nine.enumerated() {
            let product = place.isMultiple(of: 2) ? digit * 2 : digit
            sum += product / 10 + product % 10
        }
        return (10 - sum % 10) % 10
    }

    /// Whether twelve digits begin with a date of the years 1800 to 2099, the day raised by 60 or not.
    static func hasValidDate(_ digits: [Int]) -> Bool {
        let year = digits[0] * 1_000 + digits[1] * 100 + digits[2] * 10 + digits[3]
        let day = digits[6] * 10 + digits[7]
        return (1800...2099).contains(year)
            && CivilDate.isValid(year: year, month: digits[4] * 10 + digits[5], day: day > 60 ? day - 60 : day)
    }

    /// The first two digits of the last year up to `latest` that ends in the first two of `ten`.
    private static func digits(ofCenturyOf ten: [Int], latest: Int) -> [Int] {
        let ending = ten[0] * 10 + ten[1]
        let year = latest - ((latest - ending) % 100 + 100) % 100
        return [year / 1_000 % 10, year / 100 % 10]
    }
}

/// Finds in envelope values what may point at a person: numbers like a personnummer or a telephone number.
///
/// The check digit does not count here: a misspelt number is a person's too. A UUID is let pass as a whole, since chance
/// makes some of its groups look like dates.
enum PersonalShape {
    /// Whether `bytes` hold something like a personnummer or a telephone number.
    static func isFound(in bytes: some Collection<UInt8>) -> Bool {
        // The shortest is an area code with five digits behind it.
        guard bytes.count(where: NameGrammar.isDigit) >= 7, !isUUID(bytes) else { return false }
        var group: [UInt8] = []
        var isWord = false
        for byte in bytes {
            if NameGrammar.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                group.append(byte)
            } else if (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) {
                isWord = true
                group.append(byte)
            } else {
                if !group.isEmpty, isPersonal(group, mixed: isWord) { return true }
                group = []
                isWord = false
            }
        }
        return !group.isEmpty && isPersonal(group, mixed: isWord)
    }

    /// Judges one stretch of letters, digits, `-` and `+`. Runs that touch a letter are parts of an opaque id.
    private static func isPersonal(_ group: [UInt8], mixed: Bool) -> Bool {
        var runs: [[UInt8]] = []
        var separators: [UInt8] = []
        for part in group.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x2D || $0 == 0x2B }) {
            runs.append(mixed && !part.allSatisfy(NameGrammar.isDigit) ? [] : Array(part))
        }
        separators = group.filter { $0 == 0x2D || $0 == 0x2B }
        for (place, run) in runs.enumerated() {
            if isDated(run) || isTelephone(run, afterPlus: place > 0 && separators[place - 1] == 0x2B) { return true }
            guard place + 1 < runs.count else { continue }
            let next = runs[place + 1]
            if (run.count == 6 || run.count == 8) && next.count == 4 && isDated(run + next) { return true }
            // An area code and a number: 019-123456.
            if (2...4).contains(run.count), run[0] == UInt8(ascii: "0"), run[1] != UInt8(ascii: "0"),
                (5...8).contains(next.count)
            {
                return true
            }
        }
        return false
    }

    /// Whether ten or twelve digits begin with a date.
    private static func isDated(_ run: [UInt8]) -> Bool {
        let digits = run.map { Int($0 &- 0x30) }
        switch digits.count {
        case 12: return PersonalNumber.hasValidDate(digits)
        // 2000 was a leap year: every day that any year has is accepted as one.
        case 10:
            return PersonalNumber.hasValidDate([2, 0] + digits)
                || PersonalNumber.hasValidDate([2, 0, 0, 0] + digits[2...])
        default: return false
        }
    }

    /// A mobile number (070, 072, 073, 076, 079 and seven digits) or one with the country's code.
    private static func isTelephone(_ run: [UInt8], afterPlus: Bool) -> Bool {
        let text = String(decoding: run, as: UTF8.self)
        if afterPlus { return (8...15).contains(run.count) }
        if text.hasPrefix("46") || text.hasPrefix("0046") {
            let rest = text.dropFirst(text.hasPrefix("0046") ? 4 : 2)
            return rest.hasPrefix("7") && rest.count == 9
        }
        return run.count == 10 && text.hasPrefix("07") && "02369".contains(text.dropFirst(2).first ?? "x")
    }

    /// Whether the bytes are a UUID in its usual form, 8-4-4-4-12 hexadecimal digits, `urn:uuid:` before it or not.
    private static func isUUID(_ bytes: some Collection<UInt8>) -> Bool {
        let text = bytes.starts(with: "urn:uuid:".utf8) ? bytes.dropFirst(9) : bytes.dropFirst(0)
        guard text.count == 36 else { return false }
        return text.enumerated().allSatisfy { place, byte in
            switch place {
            case 8, 13, 18, 23: byte == UInt8(ascii: "-")
            default: NameGrammar.isDigit(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
            }
        }
    }
}
