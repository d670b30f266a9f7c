/// Numbers of people and of telephones.
extension TextScan {
    // MARK: People

    /// Whether a personnummer begins with the number at a place.
    func isPersonalNumber(_ place: Int) -> Bool {
        let number = numbers[place]
        if number.count == 12 || number.count == 10 {
            let digits = digits(place..<place + 1)
            guard isDated(digits) else { return false }
            if number.count == 12, isTimeStamp(digits, at: number.range.lowerBound) { return false }
            return hasCheckDigit(digits)
                || (number.count == 12 && (!mayBeOther(digits, at: number.range.lowerBound) || isOfOldCentury(digits)))
        }
        let last: Int
        if isLastGroup(place + 1, from: place) {
            last = place + 1
        } else if isLastGroup(place + 3, from: place) {
            last = place + 3
        } else {
            return isPersonalNumberInGroups(from: place)
        }
        let digits = digits(place..<last + 1)
        guard isDated(digits) else { return false }
        let gap = numbers[last - 1].gap.map { text.bytes[$0] } ?? []
        let isDashed = gap.contains { "-+".utf8.contains($0) }
        // A line begins with a year or a time more often than with the rest of a number that no dash broke.
        let isBroken = gap.contains(0x0A) && !isDashed
        if isBroken, isYear(last) || endsLikeClock(digits) { return false }
        if isYear(last), isYearOfDate(last) { return false }
        if isOfOldCentury(digits), !isYearOfDate(last), !isBroken { return true }
        if last == place + 1, isDashed {
            // 261211-2310 is an evening, unless its check digit says otherwise.
            return hasCheckDigit(digits) || !mayBeOther(digits, at: number.range.lowerBound)
        }
        if gap.allSatisfy({ " \n:_".utf8.contains($0) }), isTimeStamp(digits, at: number.range.lowerBound) {
            return false
        }
        return hasCheckDigit(digits)
    }

    /// Whether ten or twelve digits in groups of any size begin at a place: 90 06 02 23 97.
    ///
    /// Their check digit must be right, and nothing may stand beside them that makes them a part of something longer, of
    /// a date or of a time: 2012-04-12 23:10.
    private func isPersonalNumberInGroups(from place: Int) -> Bool {
        guard goesOnInGroups(place), place == 0 || isApart(place - 1) else { return false }
        var (last, count) = (place, numbers[place].count)
        while count < 12, goesOnInGroups(last) {
            last += 1
            count += numbers[last].count
        }
        guard count == 10 || count == 12, isApart(last) else { return false }
        let first = numbers[place].range
        // 2012-04-12 and an hour; 020 is nobody's own.
        let isDay = isYear(place) && (first.count == 4 || first.count == 8)
        guard !(count == 10 && isDay), !text.bytes[first].elementsEqual("020".utf8),
            !(place + 1..<last).contains(where: { numbers[$0].count == 4 && isYear($0) })
        else { return false }
        let digits = digits(place..<last + 1)
        // 12 10 12 23 45 kr: five pairs are counts, days and hours, unless the first is none or a word announces them.
        if count == 10, first.count == 2, (place...last).allSatisfy({ numbers[$0].count == 2 }),
            digits[0] * 10 + digits[1] <= 31, !isAnnouncedAsPersonal(first.lowerBound)
        {
            return false
        }
        // 2012 04 12 23 10.
        let isTime = count == 12 && numbers[last].count == 2 && numbers[last - 1].count == 2 && endsLikeClock(digits)
        return isDated(digits) && hasCheckDigit(digits) && !isTime && !isTimeStamp(digits, at: first.lowerBound)
    }

    /// Whether the number behind the one at a place may be of the same personnummer.
    private func goesOnInGroups(_ place: Int) -> Bool {
        guard place + 1 < numbers.count, let gap = numbers[place].gap else { return false }
        return text.bytes[gap].allSatisfy { $0 == 0x20 || $0 == 0x2D || $0 == 0x5F }
    }

    /// Whether the number behind the one at a place is of something else.
    private func isApart(_ place: Int) -> Bool {
        guard let gap = numbers[place].gap else { return true }
        return !goesOnInGroups(place) && text.bytes[gap].contains { " \n".utf8.contains($0) }
    }

    /// Whether a number begins like a year of this century or the last.
    private func isYear(_ place: Int) -> Bool {
        let digits = text.bytes[numbers[place].range]
        return digits.starts(with: "19".utf8) || digits.starts(with: "20".utf8)
    }

    /// Whether digits begin with a day before 2000, the year written in full. Nobody writes the minute of what happened
    /// then without a sign between hour and minute: four digits behind such a day are a person's, misspelt or not.
    private func isOfOldCentury(_ digits: [Int]) -> Bool { digits.count == 12 && digits[0] == 1 }

    /// Whether a group of four digits begins another date: 1990-06-02 - 1995-03-04.
    private func isYearOfDate(_ place: Int) -> Bool {
        guard let gap = numbers[place].gap, text.bytes[gap].elementsEqual("-".utf8) else { return false }
        return numbers[place + 1].count == 2
    }

    /// Whether a date and four digits end with the number at `last`: 900602-2397, 1990-06-02 2397.
    private func isLastGroup(_ last: Int, from place: Int) -> Bool {
        guard last < numbers.count, numbers[last].count == 4, isJoined(place...last) else { return false }
        switch last - place {
        case 1: return numbers[place].count == 6 || numbers[place].count == 8
        default:
            return (numbers[place].count == 2 || numbers[place].count == 4) && numbers[place + 1].count == 2
                && numbers[place + 2].count == 2 && !(place..<last - 1).contains(where: isEnded)
        }
    }

    /// Whether a colon or the end of a line stands behind the number at a place.
    private func isEnded(_ place: Int) -> Bool {
        guard let gap = numbers[place].gap else { return false }
        return text.bytes[gap].contains { ":\n".utf8.contains($0) }
    }

    /// Whether the numbers of a range follow each other within one number's gaps.
    private func isJoined(_ range: ClosedRange<Int>) -> Bool {
        range.dropLast().allSatisfy { numbers[$0].gap != nil }
    }

    private func digits(_ range: Range<Int>) -> [Int] {
        range.flatMap { text.bytes[numbers[$0].range].map { Int($0 - 0x30) } }
    }

    private func isDated(_ digits: [Int]) -> Bool {
        digits.count == 12
            ? PersonalNumber.hasValidDate(digits)
            : PersonalNumber.hasValidDate([2, 0] + digits) || PersonalNumber.hasValidDate([2, 0, 0, 0] + digits[2...])
    }

    private func hasCheckDigit(_ digits: [Int]) -> Bool {
        let ten = digits.suffix(10)
        return PersonalNumber.checkDigit(of: ten.dropLast()) == ten.last
    }

    private func endsLikeClock(_ digits: [Int]) -> Bool {
        let four = Array(digits.suffix(4))
        return four[0] * 10 + four[1] < 24 && four[2] < 6
    }

    /// Years in which a date with a clock time behind it is when something happened rather than whose number it is.
    package static let timeStampYears = 2020...2035
    /// How far before a number a word may end that says that it is a person's.
    package static let announcedWithin = 20
    private static let numberWords = [
        "pnr", "personn", "persnr", "fodd", "fodelse", "nyfodd", "samordningsn", "samnr", "identitetsn", "idnr",
        "idnum",
    ]

    /// Whether digits are a day of these years and a time, one time in ten with the check digit of a personnummer, and
    /// no word before them says that they are somebody's.
    private func isTimeStamp(_ digits: [Int], at start: Int) -> Bool {
        endsLikeClock(digits) && isOfTheseYears(digits, at: start)
    }

    /// Whether digits with another check digit than a personnummer may be something else: a day and a time, and in a
    /// reference a day of these years and a serial number.
    private func mayBeOther(_ digits: [Int], at start: Int) -> Bool {
        endsLikeClock(digits) || (isReference && isOfTheseYears(digits, at: start))
    }

    /// Whether digits begin with a day of these years, and no word before them says that they are somebody's.
    private func isOfTheseYears(_ digits: [Int], at start: Int) -> Bool {
        let twelve = digits.count == 12 ? digits : [2, 0] + digits
        return Self.timeStampYears.contains(year(of: twelve)) && isDay(twelve) && !isAnnouncedAsPersonal(start)
    }

    private func year(of digits: [Int]) -> Int {
        digits[0] * 1_000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    }

    /// Whether eight digits are a day, written with its year first.
    private func isDay(_ digits: [Int]) -> Bool {
        CivilDate.isValid(
            year: year(of: digits), month: digits[4] * 10 + digits[5], day: digits[6] * 10 + digits[7])
    }

    private func isAnnouncedAsPersonal(_ start: Int) -> Bool {
        var end = start
        while end > 0, end >= start - Self.announcedWithin {
            guard let word = text.word(at: end - 1) else {
                end -= 1
                continue
            }
            if Self.numberWords.contains(where: { text.begins(word, with: $0) }) { return true }
            end = word.lowerBound
        }
        return false
    }

    // MARK: Telephones

    /// Whether a telephone number begins with the number at a place. Free numbers (020, 077x) are nobody's own.
    func isTelephone(_ place: Int) -> Bool {
        let first = text.bytes[numbers[place].range]
        let isAfterPlus = text[first.startIndex - 1] == UInt8(ascii: "+")
        guard isAfterPlus || first.first == UInt8(ascii: "0") || first.starts(with: "467".utf8) else { return false }
        let rest = following(place)
        if isAfterPlus {
            return (8...15).contains(first.count) || (8...15).contains(first.count + rest.reduce(0, +))
        }
        if first.starts(with: "0046".utf8) { return first.count + rest.reduce(0, +) >= 11 }
        if first.starts(with: "467".utf8) { return first.count == 11 }
        guard first.count >= 2, first[first.startIndex + 1] != UInt8(ascii: "0"),
            !first.starts(with: "020".utf8), !first.starts(with: "077".utf8)
        else { return false }
        let isStockholm = first.starts(with: "08".utf8)
        if first.count >= 8 { return (9...10).contains(first.count) || (first.count == 8 && isStockholm) }
        guard !rest.isEmpty, !isYear(after: place, rest), !isHours(place, rest) else { return false }
        let sum = rest.reduce(0, +)
        switch first.count {
        case 2: return isStockholm && !isMonth(place) && (6...8).contains(sum)
        case 3: return (5...8).contains(sum)
        case 4: return (5...6).contains(sum)
        default: return false
        }
    }

    /// The fewest digits at the beginning of a line that may be of the telephone number at the end of the last.
    package static let leastBehindLine = 5

    /// Lengths of the groups that belong to a telephone number behind its first.
    private func following(_ place: Int) -> [Int] {
        var lengths: [Int] = []
        var next = place
        while let gap = numbers[next].gap, next + 1 < numbers.count, lengths.count < Self.mostGroups - 1 {
            let isFirst = next == place
            let between = text.bytes[gap]
            let isAfterPlus = text[numbers[place].range.lowerBound - 1] == UInt8(ascii: "+")
            // 070:1234567 and 070 at the end of a line; 08:30 is a time.
            if isEnded(next), !isFirst || (numbers[place].count < 3 && !isAfterPlus) { break }
            // A line begins with a count or a day more often than with the rest of a number that no dash broke.
            let isBroken = between.contains(0x0A) && !between.contains(UInt8(ascii: "-"))
            if isBroken, !isAfterPlus, numbers[next + 1].count < Self.leastBehindLine { break }
            let hasDot = between.contains(UInt8(ascii: ".")) || between.contains(UInt8(ascii: "/"))
            if hasDot, numbers[place].count < 3 { break }
            // A second dash after two digits is a date's: 08-12-2026.
            if !isFirst, between.contains(UInt8(ascii: "-")), numbers[place].count < 3, !isAfterPlus { break }
            next += 1
            lengths.append(numbers[next].count)
        }
        return lengths
    }

    /// Whether what follows is the rest of a date or one: 08-12 2026, 019 2026-12-11, and behind a day or month of two digits
    /// anything: 08-12 2026 13.
    private func isYear(after place: Int, _ rest: [Int]) -> Bool {
        guard let year = rest.firstIndex(where: { $0 > 2 }), isYear(place + 1 + year) else { return false }
        let behind = place + 1 + year
        if rest[year] == 8 { return isDay(digits(behind..<behind + 1)) }
        guard rest[year] == 4 else { return false }
        if year == rest.count - 1 || numbers[place].count == 2 { return true }
        return rest.dropFirst(year + 1).elementsEqual([2, 2]) && isDay(digits(behind..<behind + 3))
    }

    /// Whether two digits and what follows are hours and a number of something: 08-12 3000 kr.
    private func isHours(_ place: Int, _ rest: [Int]) -> Bool {
        guard numbers[place].count == 2, rest == [2, 4], let gap = numbers[place].gap else { return false }
        let hour = digits(place + 1..<place + 2)
        return text.bytes[gap].contains(UInt8(ascii: "-")) && hour[0] * 10 + hour[1] <= 24
    }

    /// Whether two digits are the month of a date: 2026-08-12 2310.
    private func isMonth(_ place: Int) -> Bool {
        guard place > 0, [1, 2, 4].contains(numbers[place - 1].count), let gap = numbers[place - 1].gap else {
            return false
        }
        return gap.count == 1 && "-/.".utf8.contains(text[gap.lowerBound])
    }

    // MARK: Cases

    /// From so many digits on a telephone number is whole, and no letters or year before it make it another.
    private static let wholeTelephone = 10
    /// How words begin that announce a telephone number.
    private static let telephoneWords = ["tel", "tfn", "tlf", "mob", "sms", "ring", "fax"]

    /// Whether what looks like a telephone number in a reference is that of a case: 018-12345-26, AM-070-12345, 2026-08123456.
    func isCaseNumber(_ place: Int) -> Bool {
        let start = numbers[place].range.lowerBound
        let word = text[start - 1] == UInt8(ascii: "-") ? text.word(at: start - 2) : nil
        if let word, Self.telephoneWords.contains(where: { text.begins(word, with: $0) }) { return false }
        if isBeforeShortYear(place) { return true }
        guard numbers[place].count + following(place).reduce(0, +) < Self.wholeTelephone else { return false }
        return word != nil || isBehindYear(place)
    }

    /// Whether a year and a sign stand before the number at a place: 2026-08123456.
    private func isBehindYear(_ place: Int) -> Bool {
        guard place > 0, numbers[place - 1].count == 4, isYear(place - 1), let gap = numbers[place - 1].gap else {
            return false
        }
        return gap.count == 1 && "-/".utf8.contains(text[gap.lowerBound])
    }

    /// Whether a serial number and a year of two digits follow, the year behind a dash and nothing behind it: 018-12345-26.
    private func isBeforeShortYear(_ place: Int) -> Bool {
        guard (2...4).contains(numbers[place].count), place + 2 < numbers.count, isJoined(place...place + 2),
            numbers[place + 2].count == 2, numbers[place + 2].gap == nil, let gap = numbers[place + 1].gap,
            text.bytes[gap].elementsEqual("-".utf8)
        else { return false }
        let year = digits(place + 2..<place + 3)
        return year[0] * 10 + year[1] <= Self.timeStampYears.upperBound % 100
    }
}
