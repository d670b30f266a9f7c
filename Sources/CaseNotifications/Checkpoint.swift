import Crypto

/// What a relay's journal was after one batch, signed: `head` and `signature` of a RECEIPT, and `checkpoint` elsewhere.
///
/// Body: 0x01 | journal id 16 | batch 8 | last record, which is the tree's size 8 | wall milliseconds 8 | chain head 32 |
/// Merkle root 32; numbers big-endian. The signature is Ed25519 over "budkavle/head/1" and the body. It holds nothing secret.
package struct Checkpoint: Sendable, Equatable {
    /// Bytes of the body.
    package static let bodyBytes = 105
    /// Bytes of the signature.
    package static let signatureBytes = 64
    private static let domain = Array("budkavle/head/1".utf8)

    /// The 105 bytes that were signed.
    package let body: [UInt8]
    /// The 64 bytes of the signature; nobody has verified it yet.
    package let signature: [UInt8]

    /// Takes a body and a signature of the right lengths; anything else gives nil.
    package init?(body: [UInt8], signature: [UInt8]) {
        guard body.count == Self.bodyBytes, body[0] == 1, signature.count == Self.signatureBytes else { return nil }
        self.body = body
        self.signature = signature
    }

    /// Reads RECEIPT's two headers.
    package init?(head: some StringProtocol, signature: some StringProtocol) {
        guard let body = Base64URL.bytes(head), let signature = Base64URL.bytes(signature) else { return nil }
        self.init(body: body, signature: signature)
    }

    /// Reads `<head>.<signature>`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(head: parts[0], signature: parts[1])
    }

    /// `<head>.<signature>`.
    package var text: String { Base64URL.text(body) + "." + Base64URL.text(signature) }

    /// The journal's name.
    package var journal: [UInt8] { Array(body[1..<17]) }
    /// The batch after which it was signed.
    package var batch: UInt64 { number(at: 17) }
    /// How many records the journal held: positions up to this number are covered.
    package var size: UInt64 { number(at: 25) }
    /// The relay's clock.
    package var madeAt: Timestamp { Timestamp(milliseconds: Int64(bitPattern: number(at: 33))) }
    /// The chain head after the batch.
    package var chain: Digest { digest(at: 41) }
    /// The root of the Merkle tree over all records.
    package var root: Digest { digest(at: 73) }

    /// Whether `key` signed it, for the journal that the key belongs to.
    package func isSigned(by key: HeadKey) -> Bool {
        guard key.journal == journal, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key.publicKey)
        else { return false }
        return key.isValidSignature(signature, for: Self.domain + body)
    }

    private func number(at offset: Int) -> UInt64 {
        body[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func digest(at offset: Int) -> Digest {
        guard let digest = Digest(bytes: Array(body[offset..<(offset + Digest.lengthBytes)])) else {
            preconditionFailure("a body has \(Self.bodyBytes) bytes")
        }
        return digest
    }
}

/// The public half of a relay's signing key, as `budkavled keys list` prints it:
/// `budkavle-head-key/1 <journal, 32 hexadecimal digits> <serial> <public key, base64url>`.
package struct HeadKey: Sendable, Equatable {
    /// Most lines of a key file that are read.
    package static let mostKeys = 1_024
    private static let prefix = "budkavle-head-key/"
    private static let name = prefix + "1"

    /// The journal whose heads it verifies, 16 bytes.
    package let journal: [UInt8]
    /// The number of the key, from 1.
    package let serial: UInt32
    /// Ed25519, 32 bytes.
    package let publicKey: [UInt8]

    /// Takes the parts as they are.
    package init(journal: [UInt8], serial: UInt32, publicKey: [UInt8]) {
        self.journal = journal
        self.serial = serial
        self.publicKey = publicKey
    }

    /// Reads one line; nil when it is none.
    package init?(line: some StringProtocol) {
        let parts = line.split(separator: " ")
        guard parts.count == 4, parts[0] == Self.name, parts[1].utf8.count == 32,
            let high = UInt64(parts[1].prefix(16), radix: 16), let low = UInt64(parts[1].dropFirst(16), radix: 16),
            let serial = UInt32(parts[2]), serial > 0, let publicKey = Base64URL.bytes(parts[3]), publicKey.count == 32
        else { return nil }
        journal = [high, low].flatMap { word in
            stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
        self.serial = serial
        self.publicKey = publicKey
    }

    /// Reads a key file, as `budkavled keys list` prints it: a key per line, after a label or not; lines without one, and such
    /// that begin with `#`, are passed over.
    ///
    /// - Returns: the keys, or the number of the first line whose key is none, from 1.
    package static func keys(in text: String) -> Result<[HeadKey], HeadKeyFault> {
        var keys: [HeadKey] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !line.hasPrefix("#"), let start = line.firstRange(of: prefix)?.lowerBound else { continue }
            guard let key = HeadKey(line: line[start...]), keys.count < mostKeys else {
                return .failure(HeadKeyFault(line: index + 1))
            }
            keys.append(key)
        }
        return .success(keys)
    }
}

/// A line of a key file that is no key.
package struct HeadKeyFault: Error, Equatable {
    /// Its number, from 1.
    package let line: Int

    /// Names the line.
    package init(line: Int) { self.line = line }
}
