import Journal
import TestSupport
import Testing

/// One entry of a log as an auditor reads it: the record's bytes, and the head of the batch that ends with it.
private struct Entry {
    var record: [UInt8]
    var head: SignedHead

    /// Feeds it; the first thing that does not fit.
    func feed(_ walk: inout AuditWalk) -> AuditFinding? {
        let leaf = walk.append(MerkleTree.leaf(record))
        return leaf ?? walk.follow(head)
    }
}

@Suite struct AuditTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `M1, each of 1,000 entries edited, dropped, inserted, swapped or cut is found, the first bad one named`()
        throws
    {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring, options: smallOptions { $0.segmentBytes = 8 << 20 })
        var entries: [Entry] = []
        for number in 0..<1_000 {
            let record = [UInt8(number & 255), UInt8(number >> 8), 7]
            entries.append(Entry(record: record, head: try journal.write([record]).signedHead))
        }
        let archive = journal.core.archive
        let newest = entries[999].head
        // A sender's receipt for the newest record is in somebody else's hands.
        var walk = AuditWalk(journal: archive.journal, keys: archive.headKeys, held: [newest])
        var found = [0, 0, 0, 0, 0]
        for index in entries.indices {
            let entry = entries[index]
            let record = UInt64(index) + 1
            func first(_ changed: [Entry]) -> UInt64? {
                var walk = walk
                for entry in changed { if let finding = entry.feed(&walk) { return finding.record } }
                return walk.end()?.record
            }
            var edited = entry
            edited.record[2] ^= 1
            if first([edited]) == record { found[0] += 1 }
            // The next entry, or the end, shows what is missing.
            let next = index < 999 ? [entries[index + 1]] : []
            if first(next) == record { found[1] += 1 }
            if first([Entry(record: [1, 2, 3], head: entry.head)] + [entry]) == record { found[2] += 1 }
            if index == 999 || first([entries[index + 1], entry]) == record { found[3] += 1 }
            if first([]) == record { found[4] += 1 }
            #expect(entry.feed(&walk) == nil)
        }
        #expect(found == [1_000, 1_000, 1_000, 1_000, 1_000])
        #expect(walk.end() == nil && walk.fitting == 1 && walk.signatures == 1_000)
    }

    @Test func `a log that somebody signed anew with its own key is beside the head that a sender kept`() throws {
        // The same records but one, under the same keys: an operator who holds everything and rewrites it.
        var logs: [(disk: MemoryDisk, heads: [SignedHead])] = []
        for version in 0..<2 as Range<UInt8> {
            let disk = MemoryDisk(seed: 2)
            var journal = try TestJournal(disk, ring, random: 5)
            var heads: [SignedHead] = []
            for number in 1...20 as ClosedRange<UInt8> {
                heads.append(try journal.write([[number, number == 12 ? version : 0]]).signedHead)
            }
            journal.core.close()
            logs.append((disk, heads))
        }
        #expect(logs[0].heads[10] == logs[1].heads[10])
        #expect(logs[0].heads[11] != logs[1].heads[11])
        let honest = try AuditVerification.run(
            directory: TestJournal.directory, keys: ring, held: [logs[0].heads[15]], disk: logs[0].disk)
        #expect(honest.isSound && honest.held == 1, "\(honest.findings)")
        let rewritten = try AuditVerification.run(
            directory: TestJournal.directory, keys: ring, held: [logs[0].heads[10], logs[0].heads[15]],
            disk: logs[1].disk)
        #expect(rewritten.findings == [.beside(size: 16)] && !rewritten.isSound)
        #expect(rewritten.held == 1)
    }

    @Test func `a cut tail is proved by RECEIPT's head, and the missing records are named`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring)
        var heads: [SignedHead] = []
        for number in 1...9 as ClosedRange<UInt8> { heads.append(try journal.write([[number]]).signedHead) }
        journal.core.close()
        // What a sender has from its RECEIPT: two texts.
        let keys = journal.core.archive.headKeys
        let held = try #require(
            AuditVerification.head(body: heads[8].body, signature: heads[8].signature, keys: keys))
        let segment = try #require(segments(disk).first { $0.bytes.contains { $0 != 0 } })
        let end = try #require(segment.bytes.lastIndex { $0 != 0 }) + 1
        let batch = (end - 4_096) / 9
        let kept = 4_096 + 6 * batch
        disk.overwrite(
            segment.path,
            with: Array(segment.bytes[..<kept]) + [UInt8](repeating: 0, count: segment.bytes.count - kept))
        // The watermark goes too: a thief leaves nothing that contradicts him.
        if disk.files[TestJournal.directory + "/watermark"] != nil {
            try disk.remove(TestJournal.directory + "/watermark")
        }
        let report = try AuditVerification.run(
            directory: TestJournal.directory, keys: ring, held: [held], disk: disk)
        #expect(report.findings.contains(.beyond(size: 9, known: 6)), "\(report.findings)")
        #expect(!report.isSound && report.lastRecord == 6)
        let sentence = AuditFinding.beyond(size: 9, known: 6).description
        #expect(sentence.hasSuffix("records 7 to 9 are missing"))
    }

    @Test func `audit verify finds a foreign key, a changed leaf, head or upper level in the archive`() throws {
        var log = try LoggedJournal(MemoryDisk(seed: 4), ring)
        try log.write(600)
        try log.archive(1...550)
        log.journal.core.close()
        func run(_ disk: MemoryDisk, trusted: [HeadKey]? = nil) throws -> AuditReport {
            try AuditVerification.run(directory: TestJournal.directory, keys: ring, trusted: trusted, disk: disk)
        }
        let sound = try run(log.disk)
        #expect(sound.isSound, "\(sound.findings)")
        #expect(sound.records == 600 && sound.batches == 600 && sound.archived == 550 && sound.signatures == 1_150)
        let other = HeadKey(serial: 1, publicKey: [UInt8](repeating: 9, count: 32))
        #expect(try run(log.disk, trusted: [other]).findings.first == .signature(batch: 1, record: 1))
        for (name, offset, record) in [
            ("level-00", 32 * 299 + 4, UInt64(300)), ("level-08", 33, 257), ("heads", 192 * 79 + 150, 80),
        ] {
            let disk = log.disk.clone(seed: 1)
            let path = TestJournal.directory + "/audit/" + name
            var bytes = try #require(disk.files[path])
            bytes[offset] ^= 16
            disk.overwrite(path, with: bytes)
            let report = try run(disk)
            #expect(!report.isSound && report.findings.first?.record == record, "\(name): \(report.findings)")
        }
    }

    @Test func `on disk, without keys, every way to change a batch is found and the first bad record named`() throws {
        let disk = MemoryDisk(seed: 6)
        var journal = try TestJournal(disk, ring)
        for number in 1...12 as ClosedRange<UInt8> { try journal.write([[number]]) }
        journal.core.close()
        let segment = try #require(segments(disk).first { $0.bytes.contains { $0 != 0 } })
        let end = try #require(segment.bytes.lastIndex { $0 != 0 }) + 1
        let size = (end - 4_096) / 12
        let batches = (0..<12).map { Array(segment.bytes[(4_096 + $0 * size)..<(4_096 + ($0 + 1) * size)]) }
        for index in 0..<11 {
            var edited = batches
            edited[index][200] ^= 1
            var dropped = batches
            dropped.remove(at: index)
            var inserted = batches
            inserted.insert(batches[(index + 5) % 12], at: index)
            var swapped = batches
            swapped.swapAt(index, index + 1)
            for (name, changed) in [("edit", edited), ("drop", dropped), ("insert", inserted), ("swap", swapped)] {
                let copy = disk.clone(seed: 1)
                var bytes = Array(segment.bytes[..<4_096]) + changed.flatMap(\.self)
                bytes += [UInt8](repeating: 0, count: max(0, segment.bytes.count - bytes.count))
                copy.overwrite(segment.path, with: bytes)
                let report = try AuditVerification.run(directory: TestJournal.directory, keys: ring, disk: copy)
                #expect(!report.isSound, "\(name) \(index + 1)")
                let first = report.findings.first?.record ?? 0
                #expect(first <= UInt64(index) + 1, "\(name) \(index + 1): \(report.findings)")
            }
        }
    }
}
