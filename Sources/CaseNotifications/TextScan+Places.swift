/// Postal codes, e-mail addresses and streets.
extension TextScan {
    private static let postalWords: Set<String> = ["se", "s", "postnummer", "postnr", "postadress", "adress"]
    func isPostalCode(_ place: Int) -> Bool {
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
        // What a colon, a line's end or an underscore ends is something else.
        guard place > 0, let gap = numbers[place - 1].gap, text.bytes[gap].allSatisfy({ " -+/.()".utf8.contains($0) })
        else { return false }
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

    var hasEmailAddress: Bool {
        func isNamed(_ byte: UInt8) -> Bool { NameGrammar.isDigit(byte) || FoldedText.isLetter(byte) }
        for place in text.ats where place > 0 && isNamed(text[place - 1]) {
            let domain = text.bytes[(place + 1)...].prefix { isNamed($0) || $0 == 0x2E || $0 == 0x2D }
            let labels = domain.split(separator: UInt8(ascii: "."))
            if labels.count > 1, labels.last?.count ?? 0 > 1 || labels.count > 2 { return true }
        }
        return false
    }

    // MARK: Streets

    /// How words for streets end.
    private static let streets = [
        "gatan", "vagen", "grand", "torget", "stigen", "allen", "backen", "platsen", "gata", "esplanaden", "kajen",
    ]
    /// Those of which other words than names of streets seldom have the end: in lower case they are streets too.
    private static let surelyStreets = [
        "gatan", "vagen", "grand", "torget", "stigen", "backen", "gata", "esplanaden", "kajen",
    ]
    /// Roads that have numbers themselves.
    private static let numberedRoads: Set<String> = ["riksvagen", "lansvagen", "motorvagen", "europavagen"]
    /// What stands as a word of its own behind a name: Stora gatan 5.
    private static let ownWords: Set<String> = [
        "gatan", "vagen", "vag", "grand", "torget", "stigen", "backen", "gata", "esplanaden", "kajen", "torg", "stig",
    ]
    /// What makes one of these a name.
    private static let adjectives: Set<String> = [
        "stora", "lilla", "norra", "sodra", "ostra", "vastra", "gamla", "nya", "langa", "ovre", "nedre", "mellersta",
    ]
    /// Words with a capital at the beginning of a sentence that make it none.
    private static let noNames: Set<String> = [
        "pa", "vid", "langs", "i", "utmed", "bakom", "fran", "till", "mot", "over", "efter", "genom", "under", "hela",
        "halva", "samma", "den", "denna", "ingen", "en", "och", "sin", "hans", "hennes", "deras", "nara", "forbi",
    ]
    /// Words after which a number is a count or a day and not a house.
    private static let countedWords: Set<String> = [
        "ganger", "timmar", "timme", "tim", "minuter", "min", "sekunder", "dagar", "dygn", "veckor", "manader",
        "personer", "man", "barn", "kvinnor", "flickor", "pojkar", "poliser", "vittnen", "patruller", "bilar",
        "skott", "slag", "procent", "grader", "kr", "kronor", "st", "mil", "km", "m", "meter", "cm", "januari",
        "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december",
    ]

    /// Whether a street with a number is there.
    var hasStreetAddress: Bool {
        for number in numbers where number.count <= 3 {
            let (start, end) = (number.range.lowerBound, number.range.upperBound)
            guard let word = wordOfStreet(before: start), isStreet(word) else { continue }
            // A time, three times, or the third of a list: no house.
            let isListed = text[start - 1] == 0x0A && ".)".utf8.contains(text[end]) && text[end + 1] == 0x20
            if text[end] == UInt8(ascii: ":") || isListed || isMinute(end) { continue }
            if !FoldedText.isLetter(text[end]), let next = text.word(at: end + 1),
                text.isOne(next, of: Self.countedWords)
            {
                continue
            }
            return true
        }
        return false
    }

    /// Whether a full stop and two digits stand at a place: of 22.30.
    private func isMinute(_ place: Int) -> Bool {
        text[place] == UInt8(ascii: ".") && NameGrammar.isDigit(text[place + 1]) && NameGrammar.isDigit(text[place + 2])
            && !NameGrammar.isDigit(text[place + 3])
    }

    /// The word to which a house number at a place belongs: behind a space, a sign, the end of a line, or `nr`.
    private func wordOfStreet(before start: Int) -> Range<Int>? {
        var end = beforeSpaces(start)
        let sign = text[end - 1]
        let isAbbreviated = end < start && sign == 0x2E
        if isAbbreviated || (end == start && (0x2D...0x2F).contains(sign)) || sign == 0x5F { end -= 1 }
        guard let word = text.word(at: end - 1) else { return nil }
        let isNumber =
            text.begins(word, with: "nr") && word.count == 2 || text.begins(word, with: "nummer") && word.count == 6
        guard isNumber else { return isAbbreviated ? nil : word }
        return self.word(before: word)
    }

    private func beforeSpaces(_ place: Int) -> Int {
        var end = place
        while place - end < FoldedText.longestGap, text[end - 1] == 0x20 || text[end - 1] == 0x0A { end -= 1 }
        return end
    }

    private func isStreet(_ word: Range<Int>) -> Bool {
        // The last letters of all words for streets: most words are none of them.
        guard "adgnt".utf8.contains(text.bytes[word.upperBound - 1] | 0x20) else { return false }
        if Self.streets.contains(where: { text.ends(word, with: $0) }) {
            if text.isCapital(at: word.lowerBound) { return true }
            if Self.surelyStreets.contains(where: { text.ends(word, with: $0) }) {
                return !text.isOne(word, of: Self.numberedRoads)
            }
            return self.word(before: word).map(isName) ?? false
        }
        guard text.isOne(word, of: Self.ownWords), let previous = self.word(before: word) else { return false }
        return isName(previous) || text.isOne(previous, of: Self.adjectives)
    }

    private func word(before word: Range<Int>) -> Range<Int>? { text.word(at: beforeSpaces(word.lowerBound) - 1) }

    private func isName(_ word: Range<Int>) -> Bool {
        text.isCapital(at: word.lowerBound) && !text.isOne(word, of: Self.noNames)
    }
}
