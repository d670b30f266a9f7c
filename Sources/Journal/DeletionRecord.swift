/// One line of the deletion list. Layout: Journal.docc/FileFormat.md, "Deletion list".
///
/// It says which key slots were destroyed, never whose: slots are numbers that mean something inside the seal only.
package struct DeletionRecord: Sendable, Equatable {
    /// What a line says.
    package enum Statement: Sendable, Equatable {
        /// These slots were destroyed, sorted.
        case erased([SlotID])
        /// From here on this key signs too.
        case signingKey(HeadKey)
    }

    /// From 1 without gaps.
    package let number: UInt64
    /// The journal's name.
    package let journal: JournalID
    /// When, milliseconds since 1970 UTC.
    package let wallMilliseconds: Int64
    /// The last record that was on disk then.
    package let position: UInt64
    /// What happened.
    package let statement: Statement
    /// SHA-256 of the line before, with its newline; zeros for the first.
    package let previous: [UInt8]
    /// The signing key's serial.
    package let serial: UInt32
    /// Ed25519 over what stands before it.
    package let signature: [UInt8]

    private static let erasedWord = "budkavle-deletion/1"
    private static let keyWord = "budkavle-deletion-key/1"

    /// Makes and signs the next line.
    init(
        _ statement: Statement, number: UInt64, journal: JournalID, wallMilliseconds: Int64, position: UInt64,
        previous: [UInt8], key: SigningKey
    ) {
        self.statement = statement
        self.number = number
        self.journal = journal
        self.wallMilliseconds = wallMilliseconds
        self.position = position
        self.previous = previous
        serial = key.serial
        let front = Self.front(statement, number, journal, wallMilliseconds, position, previous, key.serial)
        signature = key.signature(over: Array(front.utf8))
    }

    private static func front(
        _ statement: Statement, _ number: UInt64, _ journal: JournalID, _ milliseconds: Int64, _ position: UInt64,
        _ previous: [UInt8], _ serial: UInt32
    ) -> String {
        let (word, content) =
            switch statement {
            case .erased(let slots): (erasedWord, SlotRanges.text(slots))
            case .signingKey(let key): (keyWord, "\(key.serial):\(Base64URL.text(key.publicKey))")
            }
        return "\(word) \(number) \(String.hex(journal.high))\(String.hex(journal.low)) \(milliseconds) \(position)"
            + " \(content) \(Base64URL.text(previous)) \(serial) "
    }

    /// The line with its newline.
    package var line: String {
        Self.front(statement, number, journal, wallMilliseconds, position, previous, serial)
            + Base64URL.text(signature) + "\n"
    }

    /// What the next line has as `previous`.
    var digest: [UInt8] { Cipher.digest(Array(line.utf8)) }

    /// Reads a line without its newline: exactly what `line` writes, whoever signed it. Foreign bytes.
    init?(decoding line: String) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 9, let number = UInt64(fields[1]), number > 0, fields[2].utf8.count == 32,
            let high = UInt64(fields[2].prefix(16), radix: 16), let low = UInt64(fields[2].suffix(16), radix: 16),
            let milliseconds = Int64(fields[3]), let position = UInt64(fields[4]),
            let previous = Base64URL.bytes(fields[6]), previous.count == KeyTable.digestBytes,
            let serial = UInt32(fields[7]), let signature = Base64URL.bytes(fields[8]),
            signature.count == SigningKey.signatureBytes
        else { return nil }
        switch String(fields[0]) {
        case Self.erasedWord:
            guard let slots = SlotRanges.slots(fields[5]) else { return nil }
            statement = .erased(slots)
        case Self.keyWord:
            let sides = fields[5].split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, let next = UInt32(sides[0]), let key = Base64URL.bytes(sides[1]),
                key.count == SigningKey.publicKeyBytes
            else { return nil }
            statement = .signingKey(HeadKey(serial: next, publicKey: key))
        default: return nil
        }
        self.number = number
        journal = JournalID(high: high, low: low)
        wallMilliseconds = milliseconds
        self.position = position
        self.previous = previous
        self.serial = serial
        self.signature = signature
        // One form only: what was signed is what is shown.
        guard self.line == line + "\n" else { return nil }
    }

    func isSigned(by key: HeadKey) -> Bool {
        let front = Self.front(statement, number, journal, wallMilliseconds, position, previous, serial)
        return key.serial == serial && key.isSignature(signature, of: Array(front.utf8))
    }
}

extension Base64URL {
    /// Reads what `text` wrote; nil for anything else.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var bits = 0
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case 65...90: value = character - 65
            case 97...122: value = character - 71
            case 48...57: value = character + 4
            case 45: value = 62
            case 95: value = 63
            default: return nil
            }
            group = group << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        return Self.text(bytes) == text ? bytes : nil
    }
}
