import Crypto

/// What an approver signs: that one part of one collaboration's policy may be active in one exact form.
///
/// Signed bytes: "budkavle/approval/1" | SHA-256 of the canonical form 32 | part | collaboration | approving party. Each of
/// the three names stands behind its length in two bytes, big-endian, so that no two statements have the same bytes.
package struct ApprovalStatement: Hashable, Sendable {
    private static let domain = Array("budkavle/approval/1".utf8)

    /// What the part is called: `rule:focus-group`.
    package let part: String
    /// SHA-256 of its canonical form.
    package let digest: Digest
    /// The collaboration whose policy it is a part of.
    package let collaboration: CollaborationID
    /// Who says so.
    package let party: PartyID

    /// A statement.
    package init(part: String, digest: Digest, collaboration: CollaborationID, party: PartyID) {
        self.part = part
        self.digest = digest
        self.collaboration = collaboration
        self.party = party
    }

    /// What is signed.
    package var bytes: [UInt8] {
        Self.domain + digest.bytes + counted(part) + counted(collaboration.text) + counted(party.text)
    }
}

/// What the old key signs when an approver changes keys: "budkavle/approver-key/1" | new key 32 | collaboration | party, the
/// names as in `ApprovalStatement`.
package struct ApproverKeyChange: Hashable, Sendable {
    private static let domain = Array("budkavle/approver-key/1".utf8)

    /// The key from now on.
    package let next: ApproverKey
    /// Where it counts.
    package let collaboration: CollaborationID
    /// Whose it is.
    package let party: PartyID

    /// A change.
    package init(to next: ApproverKey, collaboration: CollaborationID, party: PartyID) {
        self.next = next
        self.collaboration = collaboration
        self.party = party
    }

    /// What is signed.
    package var bytes: [UInt8] { Self.domain + next.bytes + counted(collaboration.text) + counted(party.text) }
}

/// A name behind its length. Names are far shorter than 65,536 bytes; a longer one is cut, and then nothing verifies.
private func counted(_ name: String) -> [UInt8] {
    let bytes = Array(name.utf8.prefix(Int(UInt16.max)))
    return [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes
}

/// The public half of an approver's key: Ed25519, 32 bytes.
package struct ApproverKey: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of a key.
    package static let keyBytes = 32
    /// Bytes of a signature.
    package static let signatureBytes = 64

    /// The 32 bytes.
    package let bytes: [UInt8]

    /// Takes 32 bytes; anything else gives nil.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.keyBytes else { return nil }
        self.bytes = bytes
    }

    /// Reads base64url without padding.
    package init?(_ text: String) {
        guard let bytes = Base64URL.bytes(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// Base64url without padding.
    package var description: String { Base64URL.text(bytes) }

    /// Whether the owner of this key signed `statement`.
    package func signed(_ statement: ApprovalStatement, _ signature: [UInt8]) -> Bool {
        isSignature(signature, of: statement.bytes)
    }

    /// Whether the owner of this key handed over to the key in `change`.
    package func signed(_ change: ApproverKeyChange, _ signature: [UInt8]) -> Bool {
        isSignature(signature, of: change.bytes)
    }

    private func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == Self.signatureBytes,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// An approver's key pair. Its bytes are shown by `secretText` alone and stand in no message.
package struct ApproverSecret: Sendable, CustomStringConvertible {
    private let key: Curve25519.Signing.PrivateKey

    /// A new random one.
    package init() { key = Curve25519.Signing.PrivateKey() }

    /// Reads what `secretText` writes; nil for anything else.
    package init?(secretText text: some StringProtocol) {
        guard let bytes = Base64URL.bytes(text), bytes.count == ApproverKey.keyBytes,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The secret half, for the owner's file only.
    package var secretText: String { Base64URL.text(key.rawRepresentation) }

    /// The public half.
    package var publicKey: ApproverKey {
        guard let publicKey = ApproverKey(bytes: Array(key.publicKey.rawRepresentation)) else {
            preconditionFailure("an Ed25519 key has \(ApproverKey.keyBytes) bytes")
        }
        return publicKey
    }

    /// Signs an approval: 64 bytes.
    package func signature(of statement: ApprovalStatement) -> [UInt8] { signature(over: statement.bytes) }

    /// Signs a change of keys: 64 bytes.
    package func signature(of change: ApproverKeyChange) -> [UInt8] { signature(over: change.bytes) }

    private func signature(over message: [UInt8]) -> [UInt8] {
        guard let signature = try? key.signature(for: message) else {
            preconditionFailure("Ed25519 refused \(message.count) bytes")
        }
        return Array(signature)
    }

    /// Never the secret.
    package var description: String { "the secret half of \(publicKey)" }
}
