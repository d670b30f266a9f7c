import CaseNotifications
import Crypto
import Testing

/// A signed head as a relay makes it, with the key that signs.
struct Notary {
    let secret = Curve25519.Signing.PrivateKey()
    let journal = [UInt8](1...16)

    var key: HeadKey { HeadKey(journal: journal, serial: 1, publicKey: Array(secret.publicKey.rawRepresentation)) }

    func checkpoint(_ size: UInt64, root: CaseNotifications.Digest) throws -> Checkpoint {
        func big(_ number: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
        }
        var body: [UInt8] = [1] + journal + big(7) + big(size)
        body += big(1_800_000_000_000) + Digest(sha256Of: "chain").bytes + root.bytes
        let signature = try secret.signature(for: Array("budkavle/head/1".utf8) + body)
        return try #require(Checkpoint(body: body, signature: Array(signature)))
    }
}

@Suite struct ReceiptProofTests {
    private let notary = Notary()
    private let leaves = PlainTree.leaves(11)

    private func receipt(_ record: Int) throws -> Receipt {
        let checkpoint = try notary.checkpoint(11, root: PlainTree.root(leaves[...]))
        let proof = ReceiptProof(
            leaf: leaves[record - 1], path: PlainTree.path(record - 1, leaves[...]), checkpoint: checkpoint)
        return Receipt(
            notification: try #require(NotificationID(text: "01JEXAMP1E0123456789ABCDEF")),
            source: PartyID(unchecked: "pol-18-rlc"), id: "a-1", digest: Digest(sha256Of: "body"), policy: "00ff",
            event: .accepted, at: Timestamp(milliseconds: 1_796_000_000_000), position: "orebro.\(record)", proof: proof
        )
    }

    @Test func `a receipt verifies offline, from its own JSON and the relay's public key alone`() throws {
        for record in 1...11 {
            let receipt = try Receipt(json: try receipt(record).cloudEvent(receiptID: "orebro.\(record).0"))
            #expect(receipt.fault(keys: [notary.key]) == nil)
        }
        #expect(try receipt(3).fault(keys: [Notary().key]) == .signature)
        #expect(try receipt(3).fault(keys: []) == .otherJournal)
    }

    @Test func `one flipped bit in leaf, path, checkpoint or position is refused`() throws {
        let good = try receipt(6)
        let proof = try #require(good.proof)
        for bit in 0..<256 {
            var bad = good
            bad.proof?.leaf = try turned(proof.leaf, bit: bit)
            #expect(bad.fault(keys: [notary.key]) == .path)
            for place in proof.path.indices {
                bad = good
                bad.proof?.path[place] = try turned(proof.path[place], bit: bit)
                #expect(bad.fault(keys: [notary.key]) == .path)
            }
        }
        for bit in 0..<(Checkpoint.bodyBytes * 8) {
            var body = proof.checkpoint.body
            body[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let checkpoint = Checkpoint(body: body, signature: proof.checkpoint.signature) else {
                #expect(bit < 8, "only another version is no checkpoint at all")
                continue
            }
            var bad = good
            bad.proof?.checkpoint = checkpoint
            let fault = bad.fault(keys: [notary.key])
            #expect(fault == ((8..<136).contains(bit) ? .otherJournal : .signature))
        }
        for bit in 0..<(Checkpoint.signatureBytes * 8) {
            var signature = proof.checkpoint.signature
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            var bad = good
            bad.proof?.checkpoint = try #require(Checkpoint(body: proof.checkpoint.body, signature: signature))
            #expect(bad.fault(keys: [notary.key]) == .signature)
        }
        for (position, fault) in [
            ("orebro.5", ReceiptProofFault.path), ("orebro.7", .path), ("orebro.12", .notCovered),
            ("orebro.0", .position), ("orebro", .position), ("orebro.", .position), ("orebro.-6", .position),
        ] {
            var bad = good
            bad.position = position
            #expect(bad.fault(keys: [notary.key]) == fault, "\(position)")
        }
        var none = good
        none.proof = nil
        #expect(none.fault(keys: [notary.key]) == .noProof)
    }

    @Test func `half a proof is no receipt`() throws {
        let text = String(decoding: try receipt(6).cloudEvent(receiptID: "x"), as: UTF8.self)
        for name in ["leaf", "proof", "checkpoint"] {
            let renamed = text.replacing("\"\(name)\":", with: "\"x\(name)\":")
            #expect(throws: Refusal.self) { try Receipt(json: Array(renamed.utf8)) }
        }
        var bare = try receipt(6)
        bare.proof = nil
        #expect(try Receipt(json: bare.cloudEvent(receiptID: "x")) == bare)
    }

    @Test func `a key file is read line by line and its first bad line named`() throws {
        let line =
            "budkavle-head-key/1 0102030405060708090a0b0c0d0e0f10 1 " + Base64URL.text(notary.key.publicKey)
        #expect(try HeadKey.keys(in: "# keys of the relay\n\n\(line)\n").get() == [notary.key])
        #expect(try HeadKey.keys(in: "active master key v1\nsigning key: \(line)\n").get() == [notary.key])
        for wrong in [
            "budkavle-head-key/2" + line.dropFirst(19), line + " x", String(line.dropLast()),
            "budkavle-head-key/1 01 1 AA",
            line.replacing(" 1 ", with: " 0 "),
        ] {
            #expect(HeadKey.keys(in: "#\n\(wrong)\n") == .failure(HeadKeyFault(line: 2)), "\(wrong)")
        }
    }
}
