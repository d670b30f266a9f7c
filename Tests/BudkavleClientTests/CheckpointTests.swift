import CaseNotifications
import STOMP
import Testing

@testable import BudkavleClient

@Suite struct CheckpointTests {
    /// A head of a log of this size; nobody has signed it.
    private func checkpoint(_ size: UInt8, journal: UInt8 = 1, root: UInt8 = 0) throws -> Checkpoint {
        var body: [UInt8] = [1] + [UInt8](repeating: journal, count: 16)
        body += [0, 0, 0, 0, 0, 0, 0, size, 0, 0, 0, 0, 0, 0, 0, size] + [UInt8](repeating: 0, count: 8)
        body += [UInt8](repeating: 0, count: 32) + [UInt8](repeating: root, count: 32)
        return try #require(Checkpoint(body: body, signature: [UInt8](repeating: 7, count: 64)))
    }

    private func headers(_ checkpoint: Checkpoint) -> Headers {
        let parts = checkpoint.text.split(separator: ".")
        return ["status": "accepted", "notification": "N1", "head": String(parts[0]), "signature": String(parts[1])]
    }

    @Test func `the newest head that a RECEIPT carried is kept and told at the next CONNECT`() throws {
        let bench = LinkBench()
        #expect(bench.link.options.checkpoint == nil)
        // An older one, another of the same size and one that is none do not replace it; another journal's does.
        let steps: [(Headers, Checkpoint)] = [
            (headers(try checkpoint(5)), try checkpoint(5)), (headers(try checkpoint(9)), try checkpoint(9)),
            (headers(try checkpoint(7)), try checkpoint(9)), (headers(try checkpoint(9, root: 3)), try checkpoint(9)),
            (["status": "accepted", "head": "x", "signature": "y"], try checkpoint(9)),
            (headers(try checkpoint(3, journal: 2)), try checkpoint(3, journal: 2)),
        ]
        for (answer, kept) in steps {
            bench.answer = { _ in .receipt(answer) }
            _ = bench.send("{}")
            #expect(bench.link.options.checkpoint == kept.text)
        }
    }

    @Test func `a proof that does not hold, another journal or no proof at all is refused`() throws {
        let old = try checkpoint(2)
        // A tree of one known leaf on each side of it, so that the proof is two hashes.
        let leaf = MerkleHashing.leaf([1])
        let (left, right) = (MerkleHashing.node(leaf, leaf), MerkleHashing.node(leaf, leaf))
        func head(_ size: UInt8, _ root: Digest, journal: UInt8 = 1) throws -> Checkpoint {
            let plain = try checkpoint(size, journal: journal)
            return try #require(
                Checkpoint(body: Array(plain.body.dropLast(32)) + root.bytes, signature: plain.signature))
        }
        let (small, large) = (try head(2, left), try head(4, MerkleHashing.node(left, right)))
        func answer(_ latest: Checkpoint, _ path: [Digest]) -> [UInt8] {
            let text = Base64URL.text(path.flatMap(\.bytes))
            return Array("{\"latest\":\"\(latest.text)\",\"consistency\":\"\(text)\"}".utf8)
        }
        #expect(try LogProof.newest(in: answer(large, [right]), since: small) == large.text)
        for wrong in [
            answer(large, [leaf]), answer(large, []), answer(large, [right, right]), Array("{}".utf8), Array("[".utf8),
            answer(try head(4, MerkleHashing.node(left, right), journal: 2), [right]),
        ] {
            #expect(throws: RelayError.self) { try LogProof.newest(in: wrong, since: small) }
        }
        #expect(throws: RelayError.self) { try LogProof.newest(in: answer(large, [right]), since: old) }
    }

    @Test func `a verifier names why a receipt does not verify, and refuses a key file without keys`() throws {
        #expect(throws: RelayError.self) { try ReceiptVerifier(keyFile: "# nothing\n") }
        #expect(throws: RelayError.self) { try ReceiptVerifier(keyFile: "budkavle-head-key/1 x\n") }
        let key =
            "budkavle-head-key/1 01010101010101010101010101010101 1 " + Base64URL.text([UInt8](repeating: 9, count: 32))
        let verifier = try ReceiptVerifier(keyFile: key)
        #expect(verifier.verify(Array("{}".utf8)).fault == "no-receipt")
        var receipt = Receipt(
            notification: try #require(NotificationID(text: "01JEXAMP1E0123456789ABCDEF")),
            source: PartyID(unchecked: "pol-18-rlc"), id: "a-1", digest: Digest(sha256Of: "body"), policy: "00ff",
            event: .accepted, at: Timestamp(milliseconds: 1_796_000_000_000), position: "orebro.2")
        #expect(verifier.verify(receipt.cloudEvent(receiptID: "x")).fault == "no-proof")
        receipt.proof = ReceiptProof(leaf: MerkleHashing.leaf([1]), path: [], checkpoint: try checkpoint(2))
        let verdict = verifier.verify(receipt.cloudEvent(receiptID: "x"))
        #expect(verdict.fault == "signature" && !verdict.isValid)
        #expect(verdict.position == "orebro.2" && verdict.event == "accepted" && verdict.logSize == 2)
    }
}
