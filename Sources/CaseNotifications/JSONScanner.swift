/// A value that was scanned: what it is and where it stands.
package struct JSONToken: Sendable, Equatable {
    /// What a value is.
    package enum Kind: Sendable {
        case null, `true`, `false`, number, string, array, object
    }

    /// What the value is.
    package let kind: Kind
    /// Its bytes, quotes and brackets included.
    package let range: Range<Int>
    /// Whether it is a string with a backslash in it.
    package let hasEscapes: Bool

    init(_ kind: Kind, _ range: Range<Int>, hasEscapes: Bool = false) {
        self.kind = kind
        self.range = range
        self.hasEscapes = hasEscapes
    }
}

/// Reads JSON (RFC 8259) strictly and in one pass: UTF-8 is checked, surrogates must pair, names of one object differ, depth
/// is limited. It hands out ranges; nothing is copied but strings with escapes.
package struct JSONScanner: Sendable {
    /// The deepest nesting of arrays and objects.
    package static let deepest = 32
    /// The largest text, in bytes.
    package static let largestBytes = 256 * 1_024

    private let bytes: [UInt8]
    private let end: Int
    /// The offset of the next byte.
    package private(set) var position: Int

    /// A scanner at `position` of `bytes`.
    package init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
        end = bytes.count
    }

    /// The next byte behind white space, which is not consumed.
    package mutating func peek() throws(JSONFault) -> UInt8 {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        throw JSONFault(.unexpectedEnd, at: position)
    }

    /// Demands that nothing but white space follows.
    package mutating func finish() throws(JSONFault) {
        do { _ = try peek() } catch { return }
        throw JSONFault(.trailingBytes, at: position)
    }

    /// Scans one whole value; what is inside an array or object is checked and skipped.
    ///
    /// - Parameter depth: how many arrays and objects are around it.
    package mutating func value(depth: Int) throws(JSONFault) -> JSONToken {
        let first = try peek()
        let start = position
        switch first {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"):
            var names: Set<[UInt8]> = []
            try object(depth: depth) { (scanner, name) throws(JSONFault) in
                guard names.insert(scanner.content(of: name)).inserted else {
                    throw JSONFault(.duplicateMember, at: name.range.lowerBound)
                }
                _ = try scanner.value(depth: depth + 1)
            }
            return JSONToken(.object, start..<position)
        case UInt8(ascii: "["):
            try array(depth: depth) { (scanner, _) throws(JSONFault) in _ = try scanner.value(depth: depth + 1) }
            return JSONToken(.array, start..<position)
        case UInt8(ascii: "t"): return try literal("true", .true)
        case UInt8(ascii: "f"): return try literal("false", .false)
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    /// Walks through the object that begins here. `member` must scan exactly one value, and must judge whether the name stood
    /// before: the scanner does not remember names.
    package mutating func object(
        depth: Int, _ member: (inout JSONScanner, JSONToken) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try open(UInt8(ascii: "{"), depth: depth)
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw JSONFault(.unexpectedByte, at: position) }
            let name = try string()
            guard try peek() == UInt8(ascii: ":") else { throw JSONFault(.unexpectedByte, at: position) }
            position += 1
            try member(&self, name)
            guard try anotherFollows(closing: UInt8(ascii: "}")) else { return }
        }
    }

    /// Walks through the array that begins here. `item` gets each item's index and must scan exactly one value.
    package mutating func array(
        depth: Int, _ item: (inout JSONScanner, Int) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try open(UInt8(ascii: "["), depth: depth)
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return
        }
        var index = 0
        while true {
            try item(&self, index)
            guard try anotherFollows(closing: UInt8(ascii: "]")) else { return }
            index += 1
        }
    }

    /// The content of a string token in UTF-8, its escapes resolved.
    package func content(of token: JSONToken) -> [UInt8] {
        let inner = token.range.lowerBound + 1..<token.range.upperBound - 1
        return token.hasEscapes ? JSONEscapes.resolve(bytes[inner]) : Array(bytes[inner])
    }

    /// The bytes of a token as they stand in the text.
    package func raw(_ token: JSONToken) -> ArraySlice<UInt8> { bytes[token.range] }

    private mutating func open(_ bracket: UInt8, depth: Int) throws(JSONFault) {
        guard try peek() == bracket else { throw JSONFault(.unexpectedByte, at: position) }
        guard depth < Self.deepest else { throw JSONFault(.tooDeep, at: position) }
        position += 1
    }

    private mutating func anotherFollows(closing bracket: UInt8) throws(JSONFault) -> Bool {
        let next = try peek()
        guard next == bracket || next == UInt8(ascii: ",") else { throw JSONFault(.unexpectedByte, at: position) }
        position += 1
        return next != bracket
    }

    private mutating func literal(_ word: String, _ kind: JSONToken.Kind) throws(JSONFault) -> JSONToken {
        let start = position
        for expected in word.utf8 {
            guard position < end else { throw JSONFault(.unexpectedEnd, at: position) }
            guard bytes[position] == expected else { throw JSONFault(.unexpectedByte, at: position) }
            position += 1
        }
        return JSONToken(kind, start..<position)
    }

    /// RFC 8259, section 6: no plus sign, no leading zero, digits on both sides of the point.
    private mutating func number() throws(JSONFault) -> JSONToken {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard position < end else { throw JSONFault(.unexpectedEnd, at: position) }
        guard NameGrammar.isDigit(bytes[position]) else {
            throw JSONFault(position == start ? .unexpectedByte : .badNumber, at: position)
        }
        let leading = bytes[position]
        position += 1
        if leading == UInt8(ascii: "0") {
            if position < end, NameGrammar.isDigit(bytes[position]) { throw JSONFault(.badNumber, at: position) }
        } else {
            skipDigits()
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try requireDigits()
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try requireDigits()
        }
        return JSONToken(.number, start..<position)
    }

    private mutating func skipDigits() {
        while position < end, NameGrammar.isDigit(bytes[position]) { position += 1 }
    }

    private mutating func requireDigits() throws(JSONFault) {
        let start = position
        skipDigits()
        guard position > start else { throw JSONFault(.badNumber, at: position) }
    }

    /// The string that begins here.
    private mutating func string() throws(JSONFault) -> JSONToken {
        let start = position
        var hasEscapes = false
        var index = position + 1
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                return JSONToken(.string, start..<position, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index = try endOfEscape(at: index)
            } else if byte < 0x20 {
                throw JSONFault(.controlCharacter, at: index)
            } else if byte < 0x80 {
                index += 1
            } else {
                index = try endOfScalar(at: index)
            }
        }
        throw JSONFault(.unexpectedEnd, at: end)
    }

    private func endOfEscape(at index: Int) throws(JSONFault) -> Int {
        guard index + 1 < end else { throw JSONFault(.unexpectedEnd, at: end) }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(at: index + 2)
            if UTF16.isTrailSurrogate(unit) { throw JSONFault(.loneSurrogate, at: index) }
            guard UTF16.isLeadSurrogate(unit) else { return index + 6 }
            guard index + 7 < end, bytes[index + 6] == UInt8(ascii: "\\"), bytes[index + 7] == UInt8(ascii: "u"),
                UTF16.isTrailSurrogate(try codeUnit(at: index + 8))
            else { throw JSONFault(.loneSurrogate, at: index) }
            return index + 12
        default:
            throw JSONFault(.badEscape, at: index)
        }
    }

    private func codeUnit(at index: Int) throws(JSONFault) -> UInt16 {
        guard index + 4 <= end else { throw JSONFault(.unexpectedEnd, at: end) }
        guard let unit = JSONEscapes.codeUnit(bytes[index..<index + 4]) else { throw JSONFault(.badEscape, at: index) }
        return unit
    }

    /// The index behind the scalar of two to four bytes at `index` (Unicode, table 3-7: no overlong forms, no surrogates,
    /// nothing above U+10FFFF).
    private func endOfScalar(at index: Int) throws(JSONFault) -> Int {
        let second: ClosedRange<UInt8>
        let length: Int
        switch bytes[index] {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: throw JSONFault(.invalidUTF8, at: index)
        }
        guard index + length <= end, second.contains(bytes[index + 1]) else { throw JSONFault(.invalidUTF8, at: index) }
        for place in index + 2..<index + length where bytes[place] & 0xC0 != 0x80 {
            throw JSONFault(.invalidUTF8, at: place)
        }
        return index + length
    }
}

/// The escapes of JSON strings that were already checked.
enum JSONEscapes {
    /// The UTF-16 code unit that four hexadecimal digits write, or nil.
    static func codeUnit(_ digits: ArraySlice<UInt8>) -> UInt16? {
        var unit: UInt16 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: unit = unit << 4 | UInt16(digit - 0x30)
            case 0x41...0x46: unit = unit << 4 | UInt16(digit - 0x41 + 10)
            case 0x61...0x66: unit = unit << 4 | UInt16(digit - 0x61 + 10)
            default: return nil
            }
        }
        return unit
    }

    /// The inside of a string without escapes.
    static func resolve(_ inner: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(inner.count)
        var index = inner.startIndex
        while index < inner.endIndex {
            guard inner[index] == UInt8(ascii: "\\") else {
                result.append(inner[index])
                index += 1
                continue
            }
            let kind = inner[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var units = [codeUnit(inner[index..<index + 4]) ?? 0]
                index += 4
                if UTF16.isLeadSurrogate(units[0]) {
                    units.append(codeUnit(inner[index + 2..<index + 6]) ?? 0)
                    index += 6
                }
                result += Array(String(decoding: units, as: UTF16.self).utf8)
            default: result.append(kind)
            }
        }
        return result
    }
}
