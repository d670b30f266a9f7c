/// Finds in free texts what must not travel in them: numbers of people, contact data, and words that say that a text should not be
/// here at all. It is a net against mistakes, not against somebody who wants to get round it.
///
/// Time is linear in the text, of which a type allows at most 65,536 bytes; one number is looked for in at most
/// `mostGroups` groups of digits. What is found is named by its kind and never quoted.
package struct TextScan {
    /// The most groups of digits that one number is written in: `+46 (0)70 123 45 67`.
    package static let mostGroups = 7

    /// What was found.
    package enum Finding: String, CaseIterable, Sendable {
        /// A personnummer or samordningsnummer.
        case personalNumber
        case telephone
        case postalCode
        case emailAddress
        /// A street with a number; only where identity is protected or unknown.
        case streetAddress
        /// A marking of the security protection act (2018:585).
        case classification
        /// That somebody's identity is protected, which the envelope has to say.
        case protection
        /// Fictive personal data (fingerade personuppgifter): never relayed.
        case fictiveIdentity
    }

    /// What the envelope says of protection.
    package enum Protection: Sendable {
        case protected, unknown, none

        /// From the attribute `protected`.
        package init(_ isProtected: Bool?) {
            switch isProtected {
            case true?: self = .protected
            case false?: self = .none
            case nil: self = .unknown
            }
        }
    }

    private let text: FoldedText
    private let numbers: [FoldedText.Number]

    private init(_ text: FoldedText) {
        self.text = text
        numbers = text.numbers
    }

    /// The first thing in a text that must not be there; nil if it may pass.
    package static func finding(in utf8: some Collection<UInt8>, _ protection: Protection) -> Finding? {
        guard !utf8.isEmpty else { return nil }
        let scan = TextScan(FoldedText(utf8, noting: forbidden))
        if let word = scan.forbiddenWord(protection) { return word }
        for place in scan.numbers.indices {
            if scan.isPersonalNumber(place) { return .personalNumber }
            if scan.isTelephone(place) { return .telephone }
            if scan.isPostalCode(place) { return .postalCode }
        }
        if scan.hasEmailAddress { return .emailAddress }
        if protection != .none, scan.hasStreetAddress { return .streetAddress }
        return nil
    }

    // MARK: Words

    private static let markings: Set<String> = [
        "hemlig", "hemligt", "hemliga", "konfidentiell", "konfidentiellt", "secret", "confidential", "restricted",
    ]
    private static let degrees: Set<String> = ["kvalificerat", "begransat"]
    private static let secret: Set<String> = ["hemlig", "hemligt", "hemliga"]

    /// How the words begin that `forbiddenWord` looks for.
    private static let forbidden = WordBeginnings(
        of: markings.union(degrees).union(["top", "sakerhetsskyddsklass", "sekretessmark", "fingera", "skyddad"]))

    private func forbiddenWord(_ protection: Protection) -> Finding? {
        for place in text.suspects {
            guard let word = text.word(at: place) else { continue }
            let next = text.nextWord(from: word.upperBound)
            // As a marking these stand in capitals; a hemlig relation is nobody's business but no classified matter.
            if text.isShouted(word), text.isOne(word, of: Self.markings) { return .classification }
            if let next, text.isOne(word, of: Self.degrees), text.isOne(next, of: Self.secret) {
                return .classification
            }
            if let next, text.isOne(word, of: ["top"]), text.isOne(next, of: ["secret"]) { return .classification }
            if text.begins(word, with: "hemligstamp") || text.begins(word, with: "sakerhetsskyddsklass") {
                return .classification
            }
            if text.begins(word, with: "sekretessmark") { return .protection }
            guard let next else { continue }
            if text.begins(word, with: "fingera"), isIdentity(next) { return .fictiveIdentity }
            // That contradicts what the envelope says, and one of the two is a mistake.
            if protection == .none, isProtectedIdentity(word, next) { return .protection }
        }
        return nil
    }

    private func isIdentity(_ word: Range<Int>) -> Bool {
        text.begins(word, with: "identitet") || text.begins(word, with: "personuppgift")
            || text.begins(word, with: "uppgift")
    }

    private func isProtectedIdentity(_ word: Range<Int>, _ next: Range<Int>) -> Bool {
        text.isOne(word, of: ["skyddad", "skyddade"])
            && (isIdentity(next) && !text.begins(next, with: "uppgift") || text.begins(next, with: "folkbokforing"))
    }

    // MARK: People

    /// Whether a personnummer begins with the number at a place.
    private func isPersonalNumber(_ place: Int) -> Bool {
        let number = numbers[place]
        if number.count == 12 || number.count == 10 {
            let digits = digits(place..<place + 1)
            guard isDated(digits) else { return false }
            if number.count == 12, isTimeStamp(digits, at: number.range.lowerBound) { return false }
            return hasCheckDigit(digits) || (number.count == 12 && (!endsLikeClock(digits) || isOfOldCentury(digits)))
        }
        let last: Int
        if isLastGroup(place + 1, from: place) {
            last = place + 1
        } else if isLastGroup(place + 3, from: place) {
            last = place + 3
        } else {
            return false
        }
        let digits = digits(place..<last + 1)
        guard isDated(digits) else { return false }
        if isOfOldCentury(digits), !isYearOfDate(last) { return true }
        let gap = numbers[last - 1].gap.map { text.bytes[$0] } ?? []
        if last == place + 1, gap.contains(UInt8(ascii: "-")) || gap.contains(UInt8(ascii: "+")) {
            // 261211-2310 is an evening, unless its check digit says otherwise.
            return hasCheckDigit(digits) || !endsLikeClock(digits)
        }
        if gap.allSatisfy({ $0 == 0x20 }), isTimeStamp(digits, at: number.range.lowerBound) { return false }
        return hasCheckDigit(digits)
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
                && numbers[place + 2].count == 2
        }
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
        let twelve = digits.count == 12 ? digits : [2, 0] + digits
        let year = twelve[0] * 1_000 + twelve[1] * 100 + twelve[2] * 10 + twelve[3]
        return Self.timeStampYears.contains(year) && endsLikeClock(twelve)
            && CivilDate.isValid(
                year: year, month: twelve[4] * 10 + twelve[5], day: twelve[6] * 10 + twelve[7])
            && !isAnnouncedAsPersonal(start)
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
    private func isTelephone(_ place: Int) -> Bool {
        let first = text.bytes[numbers[place].range]
        let isAfterPlus = text[first.startIndex - 1] == UInt8(ascii: "+")
        guard isAfterPlus || first.first == UInt8(ascii: "0") || first.starts(with: "467".utf8) else { return false }
        let rest = following(place)
        if isAfterPlus { return (8...15).contains(first.count + rest.reduce(0, +)) }
        if first.starts(with: "0046".utf8) { return first.count + rest.reduce(0, +) >= 11 }
        if first.starts(with: "467".utf8) { return first.count == 11 }
        guard first.count >= 2, first[first.startIndex + 1] != UInt8(ascii: "0"),
            !first.starts(with: "020".utf8), !first.starts(with: "077".utf8)
        else { return false }
        let isStockholm = first.starts(with: "08".utf8)
        if first.count >= 8 { return (9...10).contains(first.count) || (first.count == 8 && isStockholm) }
        guard !rest.isEmpty, !isYear(after: place, rest) else { return false }
        let sum = rest.reduce(0, +)
        switch first.count {
        case 2: return isStockholm && (6...8).contains(sum)
        case 3: return (5...8).contains(sum)
        case 4: return (5...6).contains(sum)
        default: return false
        }
    }

    /// Lengths of the groups that belong to a telephone number behind its first.
    private func following(_ place: Int) -> [Int] {
        var lengths: [Int] = []
        var next = place
        while let gap = numbers[next].gap, next + 1 < numbers.count, lengths.count < Self.mostGroups - 1 {
            let isFirst = next == place
            let between = text.bytes[gap]
            let hasDot = between.contains(UInt8(ascii: ".")) || between.contains(UInt8(ascii: "/"))
            if hasDot, numbers[place].count < 3 { break }
            // A second dash after two digits is a date's: 08-12-2026.
            if !isFirst, between.contains(UInt8(ascii: "-")), numbers[place].count < 3,
                text[numbers[place].range.lowerBound - 1] != UInt8(ascii: "+")
            {
                break
            }
            next += 1
            lengths.append(numbers[next].count)
        }
        return lengths
    }

    /// Whether what follows is the rest of a date: 08-12 2026.
    private func isYear(after place: Int, _ rest: [Int]) -> Bool {
        guard rest.last == 4, rest.dropLast().allSatisfy({ $0 <= 2 }) else { return false }
        let last = text.bytes[numbers[place + rest.count].range]
        return last.starts(with: "19".utf8) || last.starts(with: "20".utf8)
    }

    // MARK: Places

    private static let postalWords: Set<String> = ["se", "s", "postnummer", "postnr", "postadress", "adress"]
    /// Words after which a number is a count and not a house.
    private static let countedWords: Set<String> = [
        "ganger", "timmar", "minuter", "dagar", "veckor", "personer", "man", "barn", "kvinnor", "st", "km", "m",
        "meter",
    ]
    private static let streets = [
        "gatan", "vagen", "grand", "torget", "stigen", "allen", "backen", "platsen", "gata", "esplanaden", "kajen",
    ]

    private func isPostalCode(_ place: Int) -> Bool {
        let number = numbers[place]
        guard number.count == 5 || number.count == 3 else { return false }
        if number.count == 5 {
            let (start, end) = (number.range.lowerBound, number.range.upperBound)
            return text[start] != 0x30 && !isAfterJoin(place)
                && (isAfterPostalWord(start) || (isAfterComma(start) && isBeforeName(end)))
        }
        guard text[number.range.lowerBound] != 0x30, let gap = number.gap, gap.count == 1,
            text[gap.lowerBound] == 0x20, place + 1 < numbers.count, numbers[place + 1].count == 2
        else { return false }
        let second = numbers[place + 1]
        // 123 45 67 is no code; and 114 14 the police's number for what is not urgent.
        let goesOn = second.gap.map { text.bytes[$0].allSatisfy { $0 == 0x20 || $0 == 0x2D } } ?? false
        guard !goesOn, !isAfterJoin(place) else { return false }
        let code = String(decoding: text.bytes[number.range.lowerBound..<second.range.upperBound], as: UTF8.self)
        guard code != "114 14" else { return false }
        if isAfterPostalWord(number.range.lowerBound) || isBeforeName(second.range.upperBound) { return true }
        var end = second.range.upperBound
        while text[end] == 0x20, end < text.bytes.count { end += 1 }
        let isEmergency = code.hasPrefix("112") || code.hasPrefix("113") || code.hasPrefix("114")
        return !isEmergency && !FoldedText.isLetter(text[end]) && !"%:-".utf8.contains(text[end])
    }

    /// Whether the number is the rest of a longer one: 070-123 45, 1 250 00.
    private func isAfterJoin(_ place: Int) -> Bool {
        guard place > 0, let gap = numbers[place - 1].gap else { return false }
        return !text.bytes[gap].allSatisfy { $0 == 0x20 || $0 == 0x2E }
            || text[numbers[place - 1].range.lowerBound] == 0x30
    }

    private func isAfterPostalWord(_ start: Int) -> Bool {
        var end = start
        while start - end < FoldedText.longestGap, " -:.".utf8.contains(text[end - 1]) { end -= 1 }
        guard end < start, let word = text.word(at: end - 1), text.isOne(word, of: Self.postalWords) else {
            return false
        }
        return word.count > 2 || (text.bytes[end..<start].elementsEqual("-".utf8) && text.isShouted(word))
    }

    private func isAfterComma(_ start: Int) -> Bool {
        var place = start - 1
        while text[place] == 0x20, place >= 0 { place -= 1 }
        return place < 0 || text[place] == UInt8(ascii: ",") || text[place] == 0x0A
    }

    /// Whether a word with a capital follows on the line.
    private func isBeforeName(_ end: Int) -> Bool {
        var place = end
        while text[place] == 0x20, place < text.bytes.count { place += 1 }
        return place > end && text.isCapital(at: place) && FoldedText.isLetter(text[place + 1])
    }

    private var hasEmailAddress: Bool {
        func isNamed(_ byte: UInt8) -> Bool { NameGrammar.isDigit(byte) || FoldedText.isLetter(byte) }
        for place in text.ats where place > 0 && isNamed(text[place - 1]) {
            let domain = text.bytes[(place + 1)...].prefix { isNamed($0) || $0 == 0x2E || $0 == 0x2D }
            let labels = domain.split(separator: UInt8(ascii: "."))
            if labels.count > 1, labels.last?.count ?? 0 > 1 || labels.count > 2 { return true }
        }
        return false
    }

    private var hasStreetAddress: Bool {
        for number in numbers where number.count <= 3 && text[number.range.upperBound] != UInt8(ascii: ":") {
            let end = number.range.lowerBound - 1
            guard text[end] == 0x20, let word = text.word(at: end - 1),
                Self.streets.contains(where: { text.ends(word, with: $0) }),
                text.isCapital(at: word.lowerBound)
                    || text.lastWord(before: word.lowerBound).map({ text.isCapital(at: $0.lowerBound) }) ?? false
            else { continue }
            // Three times, not house number three.
            let behind = number.range.upperBound
            if !FoldedText.isLetter(text[behind]), let next = text.word(at: behind + 1),
                text.isOne(next, of: Self.countedWords)
            {
                continue
            }
            return true
        }
        return false
    }
}

extension TextScan.Finding {
    /// The refusal of a text in which this was found, at the place that `pointer` names.
    package func refusal(at pointer: String) -> Refusal {
        let (code, message): (RefusalCode, String) =
            switch self {
            case .personalNumber:
                (.schema, "the text holds what looks like a personnummer, which has fields of its own")
            case .telephone: (.schema, "the text holds what looks like a telephone number, which no copy may hold")
            case .postalCode: (.schema, "the text holds what looks like a postal code, which no copy may hold")
            case .emailAddress: (.schema, "the text holds what looks like an e-mail address, which no copy may hold")
            case .streetAddress:
                (.schema, "the text holds what looks like a street address while identity is protected or unknown")
            case .classification:
                (.classified, "the text holds a marking of classified information, which must not enter here")
            case .protection:
                (.protected, "that identity is protected is said by the attribute protected, never in a text")
            case .fictiveIdentity: (.protected, "fictive personal data are never relayed, use another channel")
            }
        return Refusal(code: code, pointer: pointer, message: message)
    }
}
