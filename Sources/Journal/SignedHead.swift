/// What the journal was after one batch, signed: RECEIPT's `head`, and the checkpoint of the Merkle log.
///
/// Body: 0x01 | journal id 16 | batch 8 | last record, which is the tree's size 8 | wall milliseconds 8 | chain head 32 |
/// Merkle root 32; numbers big-endian. The signature is Ed25519 over "budkavle/head/1" and the body.
package struct SignedHead: Sendable, Equatable {
    /// Bytes of the body.
    package static let bodyBytes = 105
    private static let domain = Array("budkavle/head/1".utf8)

    /// The journal's name.
    package let journal: JournalID
    /// The batch after which it was signed.
    package let batch: UInt64
    /// Number of the last record: the size of the tree.
    package let size: UInt64
    /// The relay's clock, milliseconds since 1970 UTC.
    package let wallMilliseconds: Int64
    /// The chain head after the batch, 32 bytes.
    package let chain: [UInt8]
    /// Root of the tree over all records up to `size`.
    package let root: MerkleHash
    /// Which key signed.
    package let serial: UInt32
    /// 64 bytes.
    package let signature: [UInt8]

    /// What a head says, before it is signed.
    struct Statement {
        var journal: JournalID
        var batch: UInt64
        var size: UInt64
        var wallMilliseconds: Int64
        var chain: [UInt8]
        var root: MerkleHash

        var body: [UInt8] {
            var body = ByteWriter(bytes: [1])
            body.bytes.reserveCapacity(SignedHead.bodyBytes)
            // A journal's id is written big-endian by `put` already.
            body.put(journal)
            body.put(batch.bigEndian)
            body.put(size.bigEndian)
            body.put(wallMilliseconds.bigEndian)
            body.put(chain)
            body.put(root.bytes)
            return body.bytes
        }
    }

    init(_ statement: Statement, serial: UInt32, signature: [UInt8]) {
        journal = statement.journal
        batch = statement.batch
        size = statement.size
        wallMilliseconds = statement.wallMilliseconds
        chain = statement.chain
        root = statement.root
        self.serial = serial
        self.signature = signature
    }

    init(signing statement: Statement, with key: SigningKey) {
        self.init(statement, serial: key.serial, signature: key.signature(over: Self.domain + statement.body))
    }

    var statement: Statement {
        Statement(
            journal: journal, batch: batch, size: size, wallMilliseconds: wallMilliseconds, chain: chain, root: root)
    }

    /// The 105 bytes that are signed, behind "budkavle/head/1".
    package var body: [UInt8] { statement.body }

    /// The body as the wire shows it: base64url without padding.
    package var wireHead: String { Base64URL.text(body) }
    /// The signature as the wire shows it: base64url without padding.
    package var wireSignature: String { Base64URL.text(signature) }
    /// `<head>.<signature>`: what a client gives back in CONNECT.
    package var checkpoint: String { wireHead + "." + wireSignature }

    /// Whether `key` signed this head. About 60 µs.
    package func isSigned(by key: HeadKey) -> Bool {
        key.serial == serial && key.isSignature(signature, of: Self.domain + body)
    }
}
