import Journal
import Synchronization
import TestSupport
import Testing

/// A journal with its records' leaves beside it, to compare with.
struct LoggedJournal {
    let disk: MemoryDisk
    var journal: TestJournal
    var leaves: [MerkleHash] = []
    var heads: [SignedHead] = []

    init(_ disk: MemoryDisk, _ ring: KeyRing, random: UInt64 = 1) throws {
        self.disk = disk
        journal = try TestJournal(disk, ring, random: random)
    }

    mutating func write(_ count: Int, of bytes: Int = 40) throws {
        for _ in 0..<count {
            let number = UInt64(leaves.count)
            let record = (0..<bytes).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * ($0 % 3)) &+ UInt64($0)) }
            heads.append(try journal.write([record]).signedHead)
            leaves.append(MerkleTree.leaf(record))
        }
    }

    /// Copies records to the archive, as the second fold does.
    func archive(_ range: ClosedRange<Int>) throws {
        var frontier = MerkleFrontier()
        for leaf in leaves[..<range.upperBound] { frontier.append(leaf) }
        try journal.core.archive.append(
            firstRecord: UInt64(range.lowerBound), leaves: Array(leaves[(range.lowerBound - 1)..<range.upperBound]),
            heads: heads.filter { range.contains(Int($0.size)) }, frontier: frontier)
    }

    /// The files alone, with nothing in memory.
    func stored() throws -> MerkleArchive {
        try MerkleArchive(
            directory: TestJournal.directory + "/audit", disk: disk, journal: journal.core.archive.journal)
    }
}

/// Waits for the archive's thread.
func answer<Value: Sendable>(_ ask: (@escaping @Sendable (Value?) -> Void) -> Void) async -> Value? {
    await withCheckedContinuation { continuation in ask { continuation.resume(returning: $0) } }
}

@Suite struct MerkleArchiveTests {
    let scratch: Scratch
    let ring: KeyRing
    static let audit = TestJournal.directory + "/audit"

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `what was archived has the same proofs from the files alone`() async throws {
        var log = try LoggedJournal(MemoryDisk(seed: 1), ring)
        try log.write(600)
        try log.archive(1...257)
        try log.archive(200...512)
        #expect(log.journal.core.archive.archivedSize == 512)
        #expect(log.disk.files[Self.audit + "/level-00"]?.count == 512 * 32)
        #expect(log.disk.files[Self.audit + "/level-08"]?.count == 2 * 32)
        #expect(log.disk.files[Self.audit + "/level-16"]?.count == 0)
        #expect(log.disk.files[Self.audit + "/heads"]?.count == 512 * 192)
        let plain = PlainTree(log.leaves)
        log.journal.core.close()

        // A reader that holds nothing but the last 88 records in memory.
        let other = log.disk.clone(seed: 2)
        let journal = try TestJournal(other, ring, random: 2)
        let archive = journal.core.archive
        #expect(archive.archivedSize == 512 && archive.size == 600)
        for record in [1, 2, 255, 256, 257, 400, 511, 512, 513, 600] {
            let evidence: MerkleEvidence? = await answer { archive.evidence(for: UInt64(record), completion: $0) }
            let found = try #require(evidence, "record \(record)")
            #expect(found.leaf == log.leaves[record - 1])
            #expect(found.head == log.heads[record - 1], "record \(record)")
            #expect(found.path == plain.path(record - 1, 0..<record))
        }
        for (from, to) in [(1, 600), (100, 512), (256, 257), (512, 600), (600, 600)] {
            let proof: [MerkleHash]? = await answer {
                archive.consistency(from: UInt64(from), to: UInt64(to), completion: $0)
            }
            #expect(proof == plain.proof(from, 0..<to), "\(from) to \(to)")
        }
        let root: MerkleHash? = await answer { archive.root(at: 300, completion: $0) }
        #expect(root == plain.root(0..<300))
        let beyond: MerkleEvidence? = await answer { archive.evidence(for: 601, completion: $0) }
        #expect(beyond == nil)
    }

    @Test func `an end that a crash tore at any byte is cut, and copying again gives the same files`() throws {
        var log = try LoggedJournal(MemoryDisk(seed: 3), ring)
        try log.write(300)
        try log.archive(1...290)
        log.journal.core.close()
        let whole = log.disk.files.filter { $0.key.hasPrefix(Self.audit) }
        #expect(whole.count == 5)
        for (path, bytes) in whole where !bytes.isEmpty {
            for cut in [0, 1, 31, bytes.count / 2, bytes.count - 33, bytes.count - 1]
            where cut < bytes.count && cut >= 0 {
                let disk = log.disk.clone(seed: 4)
                disk.overwrite(path, with: Array(bytes[..<cut]))
                var again = log
                again.journal = try TestJournal(disk, ring, random: 5)
                let archived = Int(again.journal.core.archive.archivedSize)
                #expect(archived <= 290, "\(path) cut at \(cut)")
                try again.archive((archived == 0 ? 1 : archived)...290)
                let now = disk.files.filter { $0.key.hasPrefix(Self.audit) }
                for (name, expected) in whole { #expect(now[name] == expected, "\(path) cut at \(cut): \(name)") }
            }
        }
    }

    @Test func `a rotten byte in the archive costs a proof and never gives a wrong one`() async throws {
        var log = try LoggedJournal(MemoryDisk(seed: 5), ring)
        try log.write(40)
        try log.archive(1...32)
        log.journal.core.close()
        let path = Self.audit + "/level-00"
        var bytes = try #require(log.disk.files[path])
        bytes[32 * 6 + 5] ^= 1
        log.disk.overwrite(path, with: bytes)
        // Nothing in memory: the files are asked.
        let archive = try log.stored()
        for record in 1...32 as ClosedRange<UInt64> {
            let evidence: MerkleEvidence? = await answer { archive.evidence(for: record, completion: $0) }
            // Record n's head covers n records: whoever comes before the bad leaf does not need it.
            #expect((evidence != nil) == (record < 7), "record \(record)")
        }
    }

    @Test func `lost records are unknown in the archive and what does not hang on them is still proved`() async throws {
        var log = try LoggedJournal(MemoryDisk(seed: 6), ring)
        try log.write(64)
        let good = log.leaves
        for index in 20..<23 { log.leaves[index] = .unknown }
        var frontier = MerkleFrontier()
        for leaf in good { frontier.append(leaf) }
        try log.journal.core.archive.append(firstRecord: 1, leaves: log.leaves, heads: log.heads, frontier: frontier)
        let archive = try log.stored()
        let plain = PlainTree(good)
        for record in [1, 16, 20] as [Int] {
            let evidence: MerkleEvidence? = await answer { archive.evidence(for: UInt64(record), completion: $0) }
            #expect(evidence?.path == plain.path(record - 1, 0..<record))
        }
        let lost: MerkleEvidence? = await answer { archive.evidence(for: 21, completion: $0) }
        #expect(lost == nil)
    }

    @Test func `an archive that knows more than the journal is a finding once, and what is beyond is kept`() throws {
        var log = try LoggedJournal(MemoryDisk(seed: 8), ring)
        try log.write(40)
        let older = log.disk.clone(seed: 9)
        try log.write(60)
        try log.archive(1...90)
        log.journal.core.close()
        for (path, bytes) in older.files where path.contains("/segments/") { log.disk.overwrite(path, with: bytes) }
        log.disk.delete(TestJournal.directory + "/watermark")
        var cut = try DamageFixture.open(log.disk, ring)
        let findings = cut.core.report.findings.filter { $0.kind == .archive }
        #expect(findings.map(\.offset) == [40] && findings.map(\.detail) == [90])
        #expect(cut.core.report.damage.contains { $0.description.contains("audit/ knows 90 records") })
        #expect(cut.core.archive.archivedSize <= 40)
        #expect(log.disk.files.keys.contains { $0.contains("/quarantine/audit-heads-") })
        cut.core.close()
        #expect(try DamageFixture.open(log.disk, ring).core.report.findings.allSatisfy { $0.kind != .archive })
    }

    @Test func `a full disk fails the copy, and it succeeds when there is room again`() throws {
        var log = try LoggedJournal(MemoryDisk(seed: 7), ring)
        try log.write(100)
        log.disk.fail(.write, after: 1, errno: 28)
        #expect(journalError { try log.archive(1...90) } != nil)
        log.disk.heal()
        #expect(log.journal.core.archive.archivedSize == 0)
        try log.archive(1...90)
        #expect(log.journal.core.archive.archivedSize == 90)
        #expect(log.disk.files[Self.audit + "/level-00"]?.count == 90 * 32)
    }
}
