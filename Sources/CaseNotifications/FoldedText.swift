/// A free text made comparable: one byte per character that counts.
///
/// Letters are without accents (å and ä are `a`, ö is `o`) and keep their case, letters of other scripts are `x`; every
/// digit is ASCII, a circled or raised one too; every dash is `-`, every space a space; what is not seen (soft hyphens,
/// joiners, directions) or only marks a character (accents, keycaps) is left out, all other characters are `.`. So nothing
/// hides behind a no-break space, a change of direction, a decomposed ä or a full-width digit.
///
/// What `TextScan` looks at closer is noted on the way, so that a text is gone through once, a few comparisons per byte.
struct FoldedText {
    /// A stretch of digits, and what stands between it and the next one.
    struct Number {
        let range: Range<Int>
        /// Between this and the next number, if that is at most `longestGap` characters that may stand in one; else nil.
        var gap: Range<Int>?
        var count: Int { range.count }
    }

    /// The longest stretch between two groups of one number: `) - `.
    static let longestGap = 3

    /// The bytes.
    private(set) var bytes: [UInt8] = []
    /// All stretches of digits.
    private(set) var numbers: [Number] = []
    /// Where the words begin that have one of the beginnings.
    private(set) var suspects: [Int] = []
    /// Where an `@` stands.
    private(set) var ats: [Int] = []

    // Of the stretch that is being read.
    private var letters = 0
    private var beginning = 0
    private var firstDigit: Int?

    /// Folds text in UTF-8 and notes the words with one of some beginnings.
    init(_ utf8: some Collection<UInt8>, noting beginnings: WordBeginnings) {
        let text = Array(utf8)
        let latin = Self.latin
        bytes.reserveCapacity(text.count)
        // A loop by hand: a text may have 200 KiB, and builds without optimisation scan it too.
        var place = 0
        while place < text.count {
            let byte = text[place]
            if byte < 0x80 {
                add(byte == 0x09 ? 0x20 : byte, beginnings)
                place += 1
            } else if byte == 0xC3, place + 1 < text.count, text[place + 1] & 0xC0 == 0x80 {
                add(latin[Int(text[place + 1] & 0x3F)], beginnings)
                place += 2
            } else {
                var end = place + 1
                while end < text.count, text[end] >= 0x80 { end += 1 }
                for scalar in String(decoding: text[place..<end], as: UTF8.self).unicodeScalars {
                    if let byte = Self.folded(scalar) { add(byte, beginnings) }
                }
                place = end
            }
        }
        endNumber()
    }

    private mutating func add(_ byte: UInt8, _ beginnings: WordBeginnings) {
        if Self.isLetter(byte) {
            if firstDigit != nil { endNumber() }
            letters += 1
            if letters <= WordBeginnings.length {
                beginning = beginning << 5 | Int(byte & 0x1F)
                if letters == WordBeginnings.length, beginnings.isOne[beginning] {
                    suspects.append(bytes.count + 1 - WordBeginnings.length)
                }
            }
        } else {
            letters = 0
            beginning = 0
            if byte >= 0x30, byte <= 0x39 {
                if firstDigit == nil { firstDigit = bytes.count }
            } else {
                if firstDigit != nil { endNumber() }
                if byte == 0x40 { ats.append(bytes.count) }
            }
        }
        bytes.append(byte)
    }

    private mutating func endNumber() {
        guard let first = firstDigit else { return }
        firstDigit = nil
        if let last = numbers.indices.last {
            let gap = numbers[last].range.upperBound..<first
            if gap.count <= Self.longestGap, joins(gap) { numbers[last].gap = gap }
        }
        numbers.append(Number(range: first..<bytes.count))
    }

    /// Whether a number may go on behind a gap: behind spaces and ` -+/.()_`; behind a colon alone; and on the next line, if
    /// nothing but a dash ends this one. A dash that begins a line is a list's.
    private func joins(_ gap: Range<Int>) -> Bool {
        var isBroken = false
        var isOther = false
        for place in gap {
            switch bytes[place] {
            case 0x20: continue
            case 0x2B, 0x2D: if isBroken { return false }
            case 0x28, 0x29, 0x2E, 0x2F, 0x5F:
                if isBroken { return false }
                isOther = true
            case 0x3A: return gap.count == 1
            case 0x0A:
                if isBroken || isOther { return false }
                isBroken = true
            default: return false
            }
        }
        return true
    }

    // MARK: Characters

    /// U+00C0 to U+00FF.
    private static let latin = Array("AAAAAAACEEEEIIIIXNOOOOO.OUUUUXXxaaaaaaaceeeeiiiixnooooo.ouuuuxxx".utf8)

    /// What a character beyond ASCII counts as; nil for those that are not seen.
    private static func folded(_ scalar: Unicode.Scalar) -> UInt8? {
        switch scalar.value {
        case 0xC0...0xFF: return latin[Int(scalar.value - 0xC0)]
        case 0xFF01...0xFF5E: return UInt8(scalar.value - 0xFEE0)
        case 0xAD, 0x300...0x36F, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF: return nil
        case 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63: return UInt8(ascii: "-")
        case 0xA0, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: return 0x20
        case 0x2028, 0x2029: return 0x0A
        default: break
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .format, .nonspacingMark, .enclosingMark: return nil
        case .decimalNumber, .otherNumber:
            // Circled, raised and dotted ones are digits; ⑩ and ½ are not.
            guard properties.numericType != .numeric, let value = properties.numericValue else { break }
            return 0x30 + UInt8(min(9, max(0, value)))
        default: break
        }
        if properties.isDefaultIgnorableCodePoint { return nil }
        guard properties.isAlphabetic else { return UInt8(ascii: ".") }
        return properties.isUppercase ? UInt8(ascii: "X") : UInt8(ascii: "x")
    }

    /// The byte at a place, or a full stop outside of the text.
    subscript(place: Int) -> UInt8 { bytes.indices.contains(place) ? bytes[place] : UInt8(ascii: ".") }

    /// Whether a byte is a letter of either case.
    static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

    /// Whether a capital letter stands at a place.
    func isCapital(at place: Int) -> Bool { (0x41...0x5A).contains(self[place]) }

    // MARK: Words

    /// The whole stretch of letters of which one stands at a place; nil if none does.
    func word(at place: Int) -> Range<Int>? {
        guard Self.isLetter(self[place]) else { return nil }
        var (start, end) = (place, place + 1)
        while start > 0, Self.isLetter(bytes[start - 1]) { start -= 1 }
        while end < bytes.count, Self.isLetter(bytes[end]) { end += 1 }
        return start..<end
    }

    /// The first word that begins at a place or behind it.
    func nextWord(from place: Int) -> Range<Int>? {
        var place = place
        while place < bytes.count, !Self.isLetter(bytes[place]) { place += 1 }
        return word(at: place)
    }

    /// The last word that ends at a place or before it.
    func lastWord(before place: Int) -> Range<Int>? {
        var place = place
        while place > 0, !Self.isLetter(bytes[place - 1]) { place -= 1 }
        return place > 0 ? word(at: place - 1) : nil
    }

    /// Whether all letters of a word are capitals.
    func isShouted(_ word: Range<Int>) -> Bool { word.allSatisfy { isCapital(at: $0) } }

    /// Whether a word is one of these, which are lower case and without accents.
    func isOne(_ word: Range<Int>, of names: Set<String>) -> Bool {
        names.contains(String(decoding: bytes[word].map { $0 | 0x20 }, as: UTF8.self))
    }

    /// Whether a word begins so.
    func begins(_ word: Range<Int>, with prefix: String) -> Bool {
        bytes[word].lazy.map { $0 | 0x20 }.starts(with: prefix.utf8)
    }

    /// Whether a word ends so and is longer.
    func ends(_ word: Range<Int>, with suffix: String) -> Bool {
        word.count > suffix.utf8.count
            && bytes[word].suffix(suffix.utf8.count).lazy.map { $0 | 0x20 }.elementsEqual(suffix.utf8)
    }
}

/// The first letters of some words, as a table: a word is looked at closer only if it begins like one of them.
struct WordBeginnings {
    /// So many letters count; a shorter word begins like none.
    static let length = 3

    /// By five bits of each letter.
    let isOne: [Bool]

    /// The beginnings of words in lower case and without accents, each at least `length` letters long.
    init(of words: some Sequence<String>) {
        var isOne = [Bool](repeating: false, count: 1 << (5 * Self.length))
        for word in words {
            precondition(word.utf8.count >= Self.length, "a beginning needs its letters")
            isOne[word.utf8.prefix(Self.length).reduce(0) { $0 << 5 | Int($1 & 0x1F) }] = true
        }
        self.isOne = isOne
    }
}
