import Crypto

/// The journal's signing key with its serial. Kept in the key file as kind 4; only the highest serial signs.
struct SigningKey: Sendable {
    static let signatureBytes = 64
    static let publicKeyBytes = 32

    let serial: UInt32
    private let key: Curve25519.Signing.PrivateKey

    /// Any 32 bytes are an Ed25519 private key.
    init(serial: UInt32, secret: Cipher.Key) {
        self.serial = serial
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: Cipher.bytes(of: secret)) else {
            preconditionFailure("a signing key has \(Cipher.keyBytes) bytes")
        }
        self.key = key
    }

    /// Ed25519 over `message`: 64 bytes.
    func signature(over message: [UInt8]) -> [UInt8] {
        guard let signature = try? key.signature(for: message) else {
            preconditionFailure("Ed25519 refused \(message.count) bytes")
        }
        return Array(signature)
    }

    var publicHalf: HeadKey { HeadKey(serial: serial, publicKey: Array(key.publicKey.rawRepresentation)) }
}

/// The public half of a signing key: what an agency keeps in order to verify heads for years.
package struct HeadKey: Sendable, Equatable {
    /// The number of the key, from 1; a trailer names it.
    package let serial: UInt32
    /// Ed25519, 32 bytes.
    package let publicKey: [UInt8]

    /// Takes the parts as they are; a public key that is none verifies nothing.
    package init(serial: UInt32, publicKey: [UInt8]) {
        self.serial = serial
        self.publicKey = publicKey
    }

    /// Whether this key's owner signed `message`.
    func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: message)
    }

    /// `budkavle-head-key/1 <journal, hexadecimal> <serial> <public key, base64url>`: the line of a key file for
    /// `budkavle receipts verify`.
    package func line(journal: JournalID) -> String {
        "budkavle-head-key/1 \(String.hex(journal.high))\(String.hex(journal.low)) \(serial) \(Base64URL.text(publicKey))"
    }
}

/// RFC 4648, section 5, without padding.
enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var index = 0
        while index < bytes.count {
            let rest = min(3, bytes.count - index)
            var group: UInt32 = 0
            for place in 0..<3 { group = group << 8 | UInt32(place < rest ? bytes[index + place] : 0) }
            for place in 0...rest { text.append(digits[Int(group >> UInt32(18 - 6 * place) & 63)]) }
            index += rest
        }
        return String(decoding: text, as: UTF8.self)
    }
}
