/// The relay's own id for one accepted notification: a ULID, by which all later receipts speak.
///
/// 48 bits of milliseconds since 1970, 80 random bits. Ids of one millisecond have no order among themselves.
package struct NotificationID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The length of the text, in bytes.
    package static let lengthBytes = 26

    /// Milliseconds in the upper 48 bits, the first 16 random bits below.
    package let high: UInt64
    /// The other 64 random bits.
    package let low: UInt64

    /// An id from its 16 bytes.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new id. A time before 1970 counts as 1970, one after 10889 as that year.
    package init(at time: Timestamp, random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(min(max(time.milliseconds, 0), 0xFFFF_FFFF_FFFF))
        high = milliseconds << 16 | UInt64(UInt16.random(in: 0...UInt16.max, using: &random))
        low = random.next()
    }

    /// The id that `text` writes, or nil: 26 characters of Crockford's base 32, upper case, the first at most `7`.
    package init?(text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    /// The id in `bytes`, or nil if they have not its form.
    init?(utf8 bytes: some Collection<UInt8>) {
        guard bytes.count == Self.lengthBytes, let first = bytes.first, first <= UInt8(ascii: "7") else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            guard let value = Crockford.value(of: byte) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    /// The id in 26 characters.
    package var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.lengthBytes)
        for shift in stride(from: 125, through: 0, by: -5) {
            let bits: UInt64 =
                if shift >= 64 {
                    high >> UInt64(shift - 64)
                } else if shift > 59 {
                    high << UInt64(64 - shift) | low >> UInt64(shift)
                } else {
                    low >> UInt64(shift)
                }
            bytes.append(Crockford.character(of: UInt8(truncatingIfNeeded: bits) & 31))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The millisecond in which the id was made.
    package var time: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }

    /// By time, then by the random bits.
    package static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// The id in 26 characters.
    package var description: String { text }
}
