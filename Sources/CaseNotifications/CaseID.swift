/// The case that a notification belongs to: `BK-18-2026-7QK2ZD9F`.
///
/// Form: `BK-`, the county's two digits, a year of four digits and eight characters of Crockford's base 32 (no I, L, O, U;
/// upper case only), minted at random by the first sender. Drills have the year `0000`. It takes eight bytes; order is the
/// order of the text.
package struct CaseID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The length of every case id, in bytes.
    package static let lengthBytes = 19

    /// County (7 bits), year (14 bits), number (40 bits), from the top down.
    private let packed: UInt64

    /// The case id, or nil if `text` has not its form.
    package init?(_ text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    /// The case id in `bytes`, or nil if they have not its form.
    init?(utf8 bytes: some Collection<UInt8>) {
        guard bytes.count == Self.lengthBytes else { return nil }
        var packed: UInt64 = 0
        for (place, byte) in bytes.enumerated() {
            switch place {
            case 0: guard byte == UInt8(ascii: "B") else { return nil }
            case 1: guard byte == UInt8(ascii: "K") else { return nil }
            case 2, 5, 10: guard byte == UInt8(ascii: "-") else { return nil }
            case 3, 4, 6...9:
                guard NameGrammar.isDigit(byte) else { return nil }
                // The year starts a field of its own: two decimal digits lie above, room for four below.
                packed = packed * 10 + UInt64(byte - 0x30)
            default:
                guard let value = Crockford.value(of: byte) else { return nil }
                packed = packed << 5 | UInt64(value)
            }
        }
        self.packed = packed
    }

    /// A case id from its parts, for the first sender of a case who mints it.
    ///
    /// - Precondition: `county` 0...99, `year` 0...9999 (0 is a drill). Of `number` the lower 40 bits count.
    package init(county: Int, year: Int, number: UInt64) {
        precondition((0...99).contains(county) && (0...9999).contains(year), "county or year out of range")
        packed = UInt64(county * 10_000 + year) << 40 | number & 0xFF_FFFF_FFFF
    }

    /// The case id as it is written.
    package var text: String {
        var bytes = Array("BK-".utf8)
        let head = packed >> 40
        let digits = [100_000, 10_000, 1_000, 100, 10, 1].map { UInt8(head / $0 % 10) + 0x30 }
        bytes += digits[0..<2]
        bytes.append(UInt8(ascii: "-"))
        bytes += digits[2..<6]
        bytes.append(UInt8(ascii: "-"))
        for shift in stride(from: 35, through: 0, by: -5) {
            bytes.append(Crockford.character(of: UInt8(truncatingIfNeeded: packed >> UInt64(shift)) & 31))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether this case belongs to a drill (year `0000`).
    package var isDrill: Bool { (packed >> 40) % 10_000 == 0 }

    /// The order of the text.
    package static func < (left: Self, right: Self) -> Bool { left.packed < right.packed }

    /// The case id itself.
    package var description: String { text }
}

/// Crockford's base 32: digits and upper-case letters without I, L, O and U. Nothing is folded or corrected.
enum Crockford {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// The character for `value`, 0...31.
    static func character(of value: UInt8) -> UInt8 { alphabet[Int(value)] }

    /// The value of a character, or nil if it is not in the alphabet.
    static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x48: byte - 0x41 + 10  // A to H
        case 0x4A, 0x4B: byte - 0x4A + 18  // J, K
        case 0x4D, 0x4E: byte - 0x4D + 20  // M, N
        case 0x50...0x54: byte - 0x50 + 22  // P to T
        case 0x56...0x5A: byte - 0x56 + 27  // V to Z
        default: nil
        }
    }
}
