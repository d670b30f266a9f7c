/// A free text made comparable: one byte per character that counts.
///
/// Letters are lower case and without accents (å and ä are `a`, ö is `o`), letters of other scripts `x`; every decimal digit is
/// ASCII; every dash is `-`, every space a space; what is not seen (soft hyphens, joiners, combining marks) is left out, all
/// other characters are `.`. So nothing hides behind a no-break space, a decomposed ä or a full-width digit.
struct FoldedText {
    /// The bytes.
    private(set) var bytes: [UInt8] = []
    /// Whether the character at the same place is a capital letter.
    private(set) var isCapital: [Bool] = []

    /// Folds text in UTF-8.
    init(_ utf8: some Collection<UInt8>) {
        let text = Array(utf8)
        bytes.reserveCapacity(text.count)
        isCapital.reserveCapacity(text.count)
        // A loop by hand, here and below: a text may have 200 KiB, and builds without optimisation scan it too.
        var place = 0
        while place < text.count, text[place] < 0x80 {
            add(ascii: text[place])
            place += 1
        }
        guard place < text.count else { return }
        for scalar in String(decoding: text[place...], as: UTF8.self).unicodeScalars { add(scalar) }
    }

    private mutating func add(ascii byte: UInt8) {
        let isCapital = byte >= 0x41 && byte <= 0x5A
        bytes.append(isCapital ? byte | 0x20 : byte == 0x09 ? 0x20 : byte)
        self.isCapital.append(isCapital)
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case ..<0x80: return add(ascii: UInt8(scalar.value))
        case 0xFF01...0xFF5E: return add(ascii: UInt8(scalar.value - 0xFEE0))
        case 0xAD, 0x300...0x36F, 0x200B...0x200F, 0x2060...0x2064, 0xFE00...0xFE0F, 0xFEFF: return
        case 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63: return append(UInt8(ascii: "-"))
        case 0xA0, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: return append(0x20)
        case 0x2028, 0x2029: return append(0x0A)
        default: break
        }
        let properties = scalar.properties
        if properties.generalCategory == .decimalNumber, let value = properties.numericValue {
            return append(0x30 + UInt8(min(9, max(0, value))))
        }
        guard properties.isAlphabetic else { return append(UInt8(ascii: ".")) }
        append(Self.plainLetter(scalar), isCapital: properties.isUppercase)
    }

    private mutating func append(_ byte: UInt8, isCapital: Bool = false) {
        bytes.append(byte)
        self.isCapital.append(isCapital)
    }

    /// The letters of western Europe without their accents; `x` for all others.
    private static func plainLetter(_ scalar: Unicode.Scalar) -> UInt8 {
        switch scalar.value {
        case 0xC0...0xC6, 0xE0...0xE6: UInt8(ascii: "a")
        case 0xC7, 0xE7: UInt8(ascii: "c")
        case 0xC8...0xCB, 0xE8...0xEB: UInt8(ascii: "e")
        case 0xCC...0xCF, 0xEC...0xEF: UInt8(ascii: "i")
        case 0xD1, 0xF1: UInt8(ascii: "n")
        case 0xD2...0xD6, 0xD8, 0xF2...0xF6, 0xF8: UInt8(ascii: "o")
        case 0xD9...0xDC, 0xF9...0xFC: UInt8(ascii: "u")
        default: UInt8(ascii: "x")
        }
    }

    // MARK: Words and numbers

    /// A stretch of letters.
    struct Word {
        let range: Range<Int>
        /// Whether all of its letters are capitals.
        let isShouted: Bool
    }

    /// A stretch of digits, and what stands between it and the next one.
    struct Number {
        let range: Range<Int>
        /// Between this and the next number of the line, if that is at most `longestGap` characters of ` -+/.()`; else nil.
        var gap: Range<Int>?
        var count: Int { range.count }
    }

    /// The longest stretch between two groups of one number: `) - `.
    static let longestGap = 3

    /// All stretches of letters.
    var words: [Word] {
        let (bytes, isCapital, count) = (bytes, isCapital, bytes.count)
        var words: [Word] = []
        var start: Int?
        var isShouted = true
        var place = 0
        while place <= count {
            let isLetter = place < count && bytes[place] >= 0x61 && bytes[place] <= 0x7A
            if isLetter {
                if start == nil { start = place }
                isShouted = isShouted && isCapital[place]
            } else if let first = start {
                words.append(Word(range: first..<place, isShouted: isShouted))
                start = nil
                isShouted = true
            }
            place += 1
        }
        return words
    }

    /// All stretches of digits.
    var numbers: [Number] {
        let (bytes, count) = (bytes, bytes.count)
        var numbers: [Number] = []
        var start: Int?
        var place = 0
        while place <= count {
            let isDigit = place < count && bytes[place] >= 0x30 && bytes[place] <= 0x39
            if isDigit, start == nil { start = place }
            if !isDigit, let first = start {
                if let last = numbers.indices.last {
                    let gap = numbers[last].range.upperBound..<first
                    if gap.count <= Self.longestGap, bytes[gap].allSatisfy(Self.joins) { numbers[last].gap = gap }
                }
                numbers.append(Number(range: first..<place))
                start = nil
            }
            place += 1
        }
        return numbers
    }

    private static func joins(_ byte: UInt8) -> Bool { " -+/.()".utf8.contains(byte) }

    /// The byte at a place, or a full stop outside of the text.
    subscript(place: Int) -> UInt8 { bytes.indices.contains(place) ? bytes[place] : UInt8(ascii: ".") }

    /// Whether a word is one of these, which are lower case and without accents.
    func isOne(_ word: Word, of names: Set<String>) -> Bool {
        names.contains(String(decoding: bytes[word.range], as: UTF8.self))
    }

    /// Whether a word begins so.
    func begins(_ word: Word, with prefix: String) -> Bool { bytes[word.range].starts(with: prefix.utf8) }

    /// Whether a word ends so and is longer.
    func ends(_ word: Word, with suffix: String) -> Bool {
        word.range.count > suffix.utf8.count && bytes[word.range].suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
