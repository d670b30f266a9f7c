import Crypto

/// What an approver signs: everything that one party has approved in one collaboration, as it stands at one time.
///
/// Signed bytes: "budkavle/approval/2" | milliseconds since 1970 8 | collaboration | party | number of parts 4 | and for each
/// part, sorted by its bytes: part | SHA-256 of its canonical form 32 | days since 1970-01-01 4. Numbers are big-endian, and each
/// name stands behind its length in two bytes, so that no two statements have the same bytes.
///
/// What a replay is. A statement says: these forms, and no others, from this time on. A part that goes from form A to B and back
/// to A is open again without a new signature only if its approver has said nothing since he approved A. Once he has, by approving B
/// in its place, by withdrawing A, or by approving A under another `never` rule (which is part of the form), there is a later
/// statement, and the relay that has seen it takes no earlier one, nor another of the same time: it keeps the time and the digest of
/// the last beside the keys (`ApproverPins`). One signature covers the whole list because signatures of single parts could be
/// put together from two statements: the withdrawn one from the old file, the rest from the new one. The days are inside so that
/// nobody can make an approval look older or newer than it is. How old an approval may be is not said here: it ends by being
/// withdrawn, or by the dates of its rule, basis or agreement, which are part of the form.
package struct ApprovalStatement: Hashable, Sendable {
    /// One part in the form that is approved.
    package struct Entry: Hashable, Sendable {
        /// What the part is called: `rule:focus-group`.
        package let part: String
        /// SHA-256 of its canonical form.
        package let digest: Digest
        /// The day on which it was approved: days since 1970-01-01.
        package let day: Int32

        /// An entry.
        package init(part: String, digest: Digest, day: Int32) {
            self.part = part
            self.digest = digest
            self.day = day
        }
    }

    private static let domain = Array("budkavle/approval/2".utf8)

    /// The collaboration whose policy it is about.
    package let collaboration: CollaborationID
    /// Who says so.
    package let party: PartyID
    /// When: of two statements of one party the later one counts.
    package let time: Timestamp
    /// What is approved, sorted by part.
    package let entries: [Entry]

    /// A statement; the order of `entries` means nothing.
    package init(collaboration: CollaborationID, party: PartyID, time: Timestamp, entries: [Entry]) {
        self.collaboration = collaboration
        self.party = party
        self.time = time
        self.entries = entries.sorted { $0.part.utf8.lexicographicallyPrecedes($1.part.utf8) }
    }

    /// What is signed.
    package var bytes: [UInt8] {
        var bytes = Self.domain + bigEndian(UInt64(bitPattern: time.milliseconds))
        bytes += counted(collaboration.text) + counted(party.text)
        bytes += bigEndian(UInt32(truncatingIfNeeded: entries.count))
        for entry in entries {
            bytes += counted(entry.part) + entry.digest.bytes + bigEndian(UInt32(bitPattern: entry.day))
        }
        return bytes
    }

    /// SHA-256 of `bytes`: which statement it is.
    package var digest: Digest { Digest(sha256Of: bytes) }
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

private func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    stride(from: number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
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

    /// Signs what is approved: 64 bytes.
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
