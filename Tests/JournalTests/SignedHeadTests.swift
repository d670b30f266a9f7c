import Crypto
import Foundation
import Journal
import TestSupport
import Testing

@Suite struct SignedHeadTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `every batch is signed, and its head says what FileFormat tells`() throws {
        let disk = MemoryDisk(seed: 1)
        let clock = ManualClock()
        var journal = try TestJournal(disk, ring, clock: clock)
        let keys = journal.core.archive.headKeys
        #expect(keys.map(\.serial) == [1])
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: keys[0].publicKey)
        var leaves: [MerkleHash] = []
        for batch in 1...20 {
            let records = (0..<(batch % 4 + 1)).map { [UInt8(batch), UInt8($0)] }
            let report = try journal.write(records)
            leaves += records.map { MerkleTree.leaf($0) }
            let head = report.signedHead
            #expect(head.size == UInt64(leaves.count) && head.batch == UInt64(batch))
            #expect(head.root == PlainTree(leaves).root(0..<leaves.count))
            #expect(head.chain == report.head && head.chain == journal.core.head)
            func big(_ number: UInt64) -> [UInt8] {
                (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
            }
            let body =
                [1] + journal.core.archive.journalBytes + big(head.batch) + big(head.size)
                + big(UInt64(head.wallMilliseconds)) + head.chain + head.root.bytes
            #expect(head.body == body && body.count == 105)
            #expect(key.isValidSignature(head.signature, for: Array("budkavle/head/1".utf8) + body))
            #expect(head.isSigned(by: keys[0]))
            #expect(head.checkpoint == "\(head.wireHead).\(head.wireSignature)")
            #expect(!head.checkpoint.contains { !$0.isLetter && !$0.isNumber && !"-_.".contains($0) })
        }
        let line = keys[0].line(journal: journal.core.archive.journal)
        #expect(line.hasPrefix("budkavle-head-key/1 ") && line.split(separator: " ").count == 4)
    }

    @Test func `the tree and the key go on over rotations and restarts, and each start finds what was signed`() throws {
        let disk = MemoryDisk(seed: 2)
        var leaves: [MerkleHash] = []
        var heads: [SignedHead] = []
        var number: UInt8 = 0
        for start in 1...4 as ClosedRange<UInt64> {
            var journal = try TestJournal(disk, ring, random: start)
            #expect(journal.core.archive.latest == heads.last)
            #expect(journal.core.archive.size == UInt64(leaves.count))
            for _ in 0..<40 {
                number &+= 1
                let record = [UInt8](repeating: number, count: 900)
                heads.append(try journal.write([record]).signedHead)
                leaves.append(MerkleTree.leaf(record))
            }
            journal.core.close()
        }
        #expect(segments(disk).count > 6, "the journal was to rotate within a start")
        let plain = PlainTree(leaves)
        let journal = try TestJournal(disk, ring, random: 9)
        #expect(Set(heads.map(\.serial)) == [1])
        for head in heads {
            #expect(head.root == plain.root(0..<Int(head.size)))
            #expect(head.isSigned(by: journal.core.archive.headKeys[0]))
            let evidence = try #require(journal.core.archive.recentEvidence(for: head.size))
            #expect(evidence.head == head)
            #expect(evidence.leaf == leaves[Int(head.size) - 1])
            #expect(evidence.path == plain.path(Int(head.size) - 1, 0..<Int(head.size)))
        }
        #expect(journal.core.archive.recentEvidence(for: 0) == nil)
        #expect(journal.core.archive.recentEvidence(for: UInt64(leaves.count) + 1) == nil)
    }

    @Test func `behind a damaged batch the next trailer tells the tree, and new heads continue the old log`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring)
        var leaves: [MerkleHash] = []
        for number in 1...30 as ClosedRange<UInt8> {
            try journal.write([[UInt8](repeating: number, count: 700)])
            leaves.append(MerkleTree.leaf([UInt8](repeating: number, count: 700)))
        }
        journal.core.close()
        let segment = try #require(segments(disk).first { $0.bytes.contains { $0 != 0 } })
        var bytes = segment.bytes
        // Batches of three blocks behind the header; the eleventh is hit.
        bytes[4_096 + 10 * 1_536 + 300] ^= 4
        disk.overwrite(segment.path, with: bytes)
        var again = try TestJournal(disk, ring, options: smallOptions { $0.damage = .setAside }, random: 2)
        #expect(again.replayed.lost == [11..<12])
        let head = try again.write([[99]]).signedHead
        leaves.append(MerkleTree.leaf([99]))
        #expect(head.size == 31)
        #expect(head.root == PlainTree(leaves).root(0..<31))
        #expect(again.core.archive.recentEvidence(for: 31) != nil)
        #expect(again.core.archive.recentEvidence(for: 11) == nil)
    }

    @Test func `a flipped bit in a trailer loses no record and is named, in the last batch it is a torn tail`() throws {
        let disk = MemoryDisk(seed: 4)
        var journal = try TestJournal(disk, ring)
        for number in 1...3 as ClosedRange<UInt8> { try journal.write([[number]]) }
        journal.core.close()
        let segment = try #require(segments(disk).first { $0.bytes.contains { $0 != 0 } })
        let end = try #require(segment.bytes.lastIndex { $0 != 0 }) + 1
        let batch = (end - 4_096) / 3
        // Records 1 to 3: one, one and two peaks.
        for (place, trailer) in [(1, 128), (2, 128), (3, 160)] {
            for offset in stride(from: 0, to: trailer, by: 3) {
                let copy = disk.clone(seed: 1)
                var bytes = segment.bytes
                bytes[4_096 + place * batch - trailer + offset] ^= 1 << UInt8(offset % 8)
                copy.overwrite(segment.path, with: bytes)
                let options = smallOptions { $0.damage = .setAside }
                let again = try TestJournal(copy, ring, options: options, random: 2)
                let what = "batch \(place), byte \(offset) of its trailer"
                if place == 3, again.core.report.tornTail != nil {
                    #expect(again.replayed.order == [1, 2], "\(what)")
                    continue
                }
                #expect(again.replayed.order == [1, 2, 3], "\(what)")
                #expect(again.replayed.lost.isEmpty, "\(what)")
                #expect(again.core.report.findings.contains { $0.kind == .trailer }, "\(what)")
            }
        }
    }

    @Test func `signing and the tree cost the writer little`() throws {
        let disk = MemoryDisk(seed: 5)
        var journal = try TestJournal(disk, ring, options: smallOptions { $0.segmentBytes = 16 << 20 })
        let head = try journal.write([[1]]).signedHead
        let secret = Curve25519.Signing.PrivateKey()
        let clock = ContinuousClock()
        let signing = try clock.measure {
            for _ in 0..<200 { _ = try secret.signature(for: Array("budkavle/head/1".utf8) + head.body) }
        }
        var frontier = MerkleFrontier()
        let tree = clock.measure {
            for number in 0..<2_000 { frontier.append(MerkleTree.leaf([UInt8(number & 255)] + head.body)) }
        }
        let verifying = clock.measure {
            for _ in 0..<200 { _ = head.isSigned(by: journal.core.archive.headKeys[0]) }
        }
        print("signature \(signing / 200), leaf and frontier \(tree / 2_000), verification \(verifying / 200)")
        #expect(frontier.size == 2_000)
    }
}
