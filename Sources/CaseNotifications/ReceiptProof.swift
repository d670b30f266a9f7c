/// What a receipt carries so that it can be verified years later, offline: `leaf`, `proof` and `checkpoint` of its `data`.
///
/// It proves that the relay, when it signed the checkpoint, had at the receipt's `position` a record with this leaf, and that nothing
/// before it can be changed, taken out or put in without a signature that contradicts it. It does not prove what that record
/// says: the record names all recipients and stays with the relay, which can show it on demand, and only one record fits the leaf.
package struct ReceiptProof: Sendable, Equatable {
    /// SHA-256(0x00 || record): the random bytes in the record keep it from being guessed.
    package var leaf: Digest
    /// The way from the leaf to the checkpoint's root.
    package var path: [Digest]
    /// The first signed head that covers the record.
    package var checkpoint: Checkpoint

    /// Takes the parts as they are.
    package init(leaf: Digest, path: [Digest], checkpoint: Checkpoint) {
        self.leaf = leaf
        self.path = path
        self.checkpoint = checkpoint
    }

    /// The text of `proof`: the path's hashes one behind the other, base64url.
    package var pathText: String { Base64URL.text(path.flatMap(\.bytes)) }

    /// Reads `proof`; nil when it is none.
    package static func path(_ text: String) -> [Digest]? {
        let width = Digest.lengthBytes
        guard text.utf8.count <= (MerkleHashing.longestPath * width * 4 + 2) / 3, let bytes = Base64URL.bytes(text),
            bytes.count % width == 0
        else { return nil }
        return stride(from: 0, to: bytes.count, by: width).compactMap { Digest(bytes: Array(bytes[$0..<($0 + width)])) }
    }

    /// Judges the proof of the record with this number.
    package func fault(record: UInt64, keys: [HeadKey]) -> ReceiptProofFault? {
        let fitting = keys.filter { $0.journal == checkpoint.journal }
        guard !fitting.isEmpty else { return .otherJournal }
        guard fitting.contains(where: { checkpoint.isSigned(by: $0) }) else { return .signature }
        guard record > 0, record <= checkpoint.size else { return .notCovered }
        let inclusion = InclusionProof(index: record - 1, size: checkpoint.size, path: path)
        return inclusion.verifies(leaf, root: checkpoint.root) ? nil : .path
    }
}

/// Why a receipt does not verify.
package enum ReceiptProofFault: String, Error, Sendable, Equatable {
    /// It carries no `leaf`, `proof` and `checkpoint`, or they have not their form.
    case noProof = "no-proof"
    /// Its `position` has not the form `<collaboration>.<number>`.
    case position
    /// None of the keys belongs to the journal that the checkpoint names.
    case otherJournal = "other-journal"
    /// No key of that journal signed the checkpoint.
    case signature
    /// The checkpoint is older than the record.
    case notCovered = "not-covered"
    /// Leaf and path do not lead to the checkpoint's root.
    case path
}

extension Receipt {
    /// The number behind the dot of `position`; nil when there is none.
    package var record: UInt64? {
        guard let dot = position.lastIndex(of: ".") else { return nil }
        return UInt64(position[position.index(after: dot)...]).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Judges the receipt by its own proof and the relay's public keys, and nothing else. Nil: it verifies.
    package func fault(keys: [HeadKey]) -> ReceiptProofFault? {
        guard let proof else { return .noProof }
        guard let record else { return .position }
        return proof.fault(record: record, keys: keys)
    }
}
