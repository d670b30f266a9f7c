import Crypto

/// A SHA-256 digest.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The length of a digest, in bytes.
    package static let lengthBytes = 32

    /// The digest as four big-endian words.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of `bytes`.
    package init(sha256Of bytes: [UInt8]) {
        self.init(thirtyTwo: SHA256.hash(data: bytes))
    }

    /// The digest of the bytes of `text` in UTF-8.
    package init(sha256Of text: String) {
        self.init(sha256Of: Array(text.utf8))
    }

    /// The digest that consists of these 32 bytes, or nil if there are not 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.lengthBytes else { return nil }
        self.init(thirtyTwo: bytes)
    }

    /// The digest that `hex` writes in 64 lower-case digits, or nil.
    package init?(hex: some StringProtocol) {
        var bytes: [UInt8] = []
        var pending: UInt8?
        for character in hex.utf8 {
            let nibble: UInt8
            switch character {
            case 0x30...0x39: nibble = character - 0x30
            case 0x61...0x66: nibble = character - 0x61 + 10
            default: return nil
            }
            if let high = pending {
                bytes.append(high << 4 | nibble)
                pending = nil
            } else {
                pending = nibble
            }
            guard bytes.count <= Self.lengthBytes else { return nil }
        }
        guard pending == nil else { return nil }
        self.init(bytes: bytes)
    }

    private init(thirtyTwo bytes: some Sequence<UInt8>) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for byte in bytes {
            words.0 = words.0 << 8 | words.1 >> 56
            words.1 = words.1 << 8 | words.2 >> 56
            words.2 = words.2 << 8 | words.3 >> 56
            words.3 = words.3 << 8 | UInt64(byte)
        }
        self.words = words
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// 43 characters of base64url without padding (RFC 4648, section 5).
    package var base64url: String { Base64URL.text(bytes) }

    /// Whether all 32 bytes are equal. Digests are no secrets: the time that it takes may show.
    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    /// Feeds the 32 bytes.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    /// 64 lower-case hexadecimal digits.
    package var description: String { hex }
}
