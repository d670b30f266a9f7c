/// The grammars of envelope values that are more than a name, an id or a time.
enum AttributeGrammar {
    /// The sender's id: 1 to 128 bytes of `[0-9A-Za-z._:-]`.
    static func isID(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...NotificationDecoder.longestIDBytes).contains(bytes.count)
            && bytes.allSatisfy { isAlphanumeric($0) || isOne(of: "._:-", $0) }
    }

    /// An opaque reference: 1 to 64 bytes of `[0-9A-Za-z._/-]`, and a space behind up to three capitals as courts write it:
    /// `B 1234-26`.
    static func isReference(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard (1...NotificationDecoder.longestReferenceBytes).contains(bytes.count) else { return false }
        var rest = bytes
        let kind = bytes.prefix { (0x41...0x5A).contains($0) }
        if (1...3).contains(kind.count), bytes.dropFirst(kind.count).first == 0x20,
            let first = bytes.dropFirst(kind.count + 1).first, NameGrammar.isDigit(first)
        {
            rest = bytes.dropFirst(kind.count + 1)
        }
        return rest.allSatisfy { isAlphanumeric($0) || isOne(of: "._/-", $0) }
    }

    /// An absolute URI (RFC 3986, section 4.3, a fragment allowed) of at most 256 bytes, without user information.
    static func isAbsoluteURI(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= NotificationDecoder.longestURIBytes, let first = bytes.first, isLetter(first),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.endIndex,
            bytes[..<colon].allSatisfy({ isAlphanumeric($0) || isOne(of: "+.-", $0) })
        else { return false }
        var index = colon + 1
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.endIndex, isHexadecimal(bytes[index + 1]), isHexadecimal(bytes[index + 2])
                else { return false }
            } else if !isAlphanumeric(byte), !isOne(of: "-._~:/?#[]!$&'()*+,;=", byte) {
                return false
            }
            index += 1
        }
        return true
    }

    /// `application/json`, with `charset=utf-8` or without parameters.
    static func isJSONMediaType(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 64 else { return false }
        let plain = bytes.filter { $0 != 0x20 }.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return plain.elementsEqual("application/json".utf8)
            || plain.elementsEqual("application/json;charset=utf-8".utf8)
    }

    /// A number of exactly so many digits.
    static func isDigits(_ bytes: ArraySlice<UInt8>, count: Int) -> Bool {
        bytes.count == count && bytes.allSatisfy(NameGrammar.isDigit)
    }

    /// Chapter and section: `26:1`, `10:18c`.
    static func isSection(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, var section = parts.last, isOrdinal(parts[0]) else { return false }
        if let last = section.last, (0x61...0x7A).contains(last) { section = section.dropLast() }
        return isOrdinal(section)
    }

    /// Items that single spaces separate; nil if one is empty or there are more than `limit`.
    static func items(_ bytes: ArraySlice<UInt8>, limit: Int) -> [ArraySlice<UInt8>]? {
        let items = bytes.split(separator: 0x20, maxSplits: limit, omittingEmptySubsequences: false)
        return items.count <= limit && items.allSatisfy { !$0.isEmpty } ? items : nil
    }

    /// Whether a text has no control characters but tab and line feed.
    static func isFreeText(_ bytes: some Collection<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in bytes {
            if byte < 0x20, byte != 0x09, byte != 0x0A { return false }
            // U+007F, and U+0080 to U+009F, which are C2 80 to C2 9F.
            if byte == 0x7F || previous == 0xC2 && (0x80...0x9F).contains(byte) { return false }
            previous = byte
        }
        return true
    }

    private static func isOrdinal(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...2).contains(bytes.count) && bytes.first != UInt8(ascii: "0") && bytes.allSatisfy(NameGrammar.isDigit)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || NameGrammar.isDigit(byte) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        NameGrammar.isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    private static func isOne(of characters: String, _ byte: UInt8) -> Bool {
        characters.utf8.contains(byte)
    }
}
