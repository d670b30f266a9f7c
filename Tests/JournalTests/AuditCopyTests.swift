import TestSupport
import Testing

@testable import Journal

struct AuditCopyTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Forty records in seven segments, of which those that two snapshots cover have gone.
    ///
    /// - Returns: the journal, and the last record that went.
    private func dropped(_ disk: MemoryDisk) throws -> (ToyJournal, UInt64) {
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(20)
        try journal.snapshot()
        try journal.write(20)
        try CopiedRecords.fold(journal.core.access, into: journal.core.archive)
        let kept = try journal.snapshot()
        let last = try #require(try journal.core.access.records(of: kept[0])).upperBound - 1
        _ = try journal.core.dropSegments(through: kept[0], keeping: kept)
        return (journal, last)
    }

    private func audit(_ disk: MemoryDisk, _ ring: KeyRing? = nil) throws -> AuditReport {
        try AuditVerification.run(directory: TestJournal.directory, keys: ring ?? self.ring, disk: disk)
    }

    @Test func `audit records are read from their copies when segments are gone with their keys`() throws {
        let disk = MemoryDisk(seed: 1)
        var (journal, last) = try dropped(disk)
        #expect(last > 12 && last < 40)
        let reader = RecordReader(journal.core.access)
        for number in 1...last {
            let expected = number.isMultiple(of: 3) ? ToyState.record(number) : nil
            #expect(try reader.record(number) == expected, "record \(number)")
        }
        #expect(try reader.record(40) == ToyState.record(40))
        #expect(try CopiedRecords.read(journal.core.access) == CopiedRecords.expected(through: last))
        #expect(try reader.firstRecord() == last + 1)
        // What is written once is not written again.
        let files = CopiedRecords.files(disk).map(\.bytes)
        try CopiedRecords.fold(journal.core.access, into: nil, from: try journal.core.access.restore(with: Self.skip))
        #expect(CopiedRecords.files(disk).map(\.bytes) == files)
        let report = try audit(disk)
        #expect(report.isSound && report.copied >= UInt64(CopiedRecords.expected(through: last).count))
        #expect(try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk).isSound)

        // A new signing key and a new master key change nothing here.
        _ = try journal.core.rotateSigningKey()
        let both = try scratch.ring(["v1", "v2"], active: "v2")
        _ = try journal.core.rotateKeys(to: both)
        _ = try journal.core.retireMasterKey("v1")
        try journal.core.finish()
        let only = try KeyRing.load([KeyFileReference(id: "v2", path: "\(scratch.path)/v2-7.key")], active: "v2")
        let again = try ToyJournal(disk, only, random: 2)
        #expect(try CopiedRecords.read(again.core.access) == CopiedRecords.expected(through: last))
        #expect(try audit(disk, only).isSound)
    }

    private static func skip(_ reader: inout SnapshotReader) -> Bool {
        do { while try reader.next() != nil {} } catch { return false }
        return true
    }

    @Test func `a damaged copy is a finding, and gives nothing but what was written`() throws {
        let disk = MemoryDisk(seed: 2)
        let (journal, last) = try dropped(disk)
        let expected = CopiedRecords.expected(through: last)
        let (path, bytes) = try #require(CopiedRecords.files(disk).first)
        let rest = expected.filter { $0.number > 6 }
        func check(_ changed: [UInt8], _ what: String) throws {
            disk.overwrite(path, with: changed)
            let found = try CopiedRecords.read(journal.core.access)
            let mine = found.filter { record in !rest.contains(record) }
            #expect(found.suffix(rest.count) == rest[...] && expected.starts(with: mine), "\(what)")
            let reader = RecordReader(journal.core.access)
            for record in expected.prefix(2) {
                let got = try reader.record(record.number)
                #expect(got == nil || got == record.bytes, "\(what)")
            }
            let findings = try journal.core.access.copies.findings(before: 2) { _ in }
            #expect(
                findings.count == 1 && findings[0].kind == .copy && findings[0].segment == 1, "\(what): \(findings)")
        }
        let places =
            Array(0..<240) + Array(stride(from: 240, to: bytes.count, by: 613)) + ((bytes.count - 40)..<bytes.count)
        for place in places {
            var changed = bytes
            changed[place] ^= 1 << UInt8(place % 8)
            try check(changed, "byte \(place)")
        }
        for count in [0, 1, 191, 192, 200, 208, bytes.count / 2, bytes.count - 32, bytes.count - 1] {
            try check(Array(bytes[..<count]), "cut at \(count)")
        }
        try check(bytes + [0], "one byte more")
        try check(CopiedRecords.files(disk)[1].bytes, "another segment's copy")
        #expect(try audit(disk).findings == [.journal(Finding(.copy, segment: 1))])
        let seen = try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk)
        #expect(seen.findings == [Finding(.copy, segment: 1)] && !seen.isSound)
        disk.overwrite(path, with: bytes)
        #expect(try audit(disk).isSound)
        #expect(try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk).isSound)
    }

    @Test func `copies of a journal under the same master key pass for nothing in another one`() throws {
        let disk = MemoryDisk(seed: 3)
        let (journal, _) = try dropped(disk)
        let other = MemoryDisk(seed: 4)
        var second = try ToyJournal(other, ring, random: 77)
        try second.write(20)
        try CopiedRecords.fold(second.core.access, into: second.core.archive)
        let (path, _) = try #require(CopiedRecords.files(disk).first)
        disk.overwrite(path, with: try #require(CopiedRecords.files(other).first).bytes)
        #expect(try CopiedRecords.read(journal.core.access).allSatisfy { $0.number > 6 })
        #expect(Finding(.copy, segment: 1).kind.rawValue == 27 && Finding.Kind.copyMissing.rawValue == 28)
    }

    @Test func `copies that are not there are told, as one finding for neighbours`() throws {
        let disk = MemoryDisk(seed: 5)
        let (journal, _) = try dropped(disk)
        let gone = try #require(try journal.core.access.segments(through: .max).first) - 1
        for number in 1...gone { disk.delete(journal.core.access.copies.path(number)) }
        let finding = Finding(.copyMissing, segment: 1, detail: gone)
        #expect(try audit(disk).findings == [.journal(finding)])
        #expect(finding.consequence == .damage && finding.description.contains("segments 1 to \(gone) went"))
        #expect(try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk).findings == [finding])
        // No start is refused for it.
        #expect(try ToyJournal(disk, ring, random: 2).state == .after(40))
    }

    @Test func `a copied record that is another one than the log's is told`() throws {
        let disk = MemoryDisk(seed: 6)
        let (journal, _) = try dropped(disk)
        let access = journal.core.access
        var copy = try AuditCopyWriter(access, segment: 1, firstRecord: 1)
        try copy.append(record: 3, kind: 3, [1, 2, 3])
        try copy.finish(before: try #require(try access.copies.firstRecord(2)))
        #expect(try audit(disk).findings == [.copy(record: 3)])
    }

    @Test func `a record of the longest length is copied and a longer one refused, and so is one past the most`() throws
    {
        let disk = MemoryDisk(seed: 7)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(20)
        let access = journal.core.access
        var copy = try AuditCopyWriter(access, segment: 1, firstRecord: 1, mostRecords: 2)
        let long = [UInt8](repeating: 7, count: AuditCopyLimits.recordBytes)
        #expect(journalError { try copy.append(record: 1, kind: 1, long + [0]) } != nil)
        #expect(journalError { try copy.append(record: 1, kind: 1, []) } != nil)
        try copy.append(record: 1, kind: AuditCopyLimits.kinds.lowerBound, long)
        try copy.append(record: 5, kind: AuditCopyLimits.kinds.upperBound, [9])
        #expect(
            journalError { try copy.append(record: 6, kind: 1, [9]) }
                == .limit(name: "copied records", value: 3, limit: 2))
        try copy.finish(before: 7)
        var found: [CopiedRecord] = []
        let state = try access.copies.read(1) { record in
            found.append(record)
            return true
        }
        #expect(state == .whole(1..<7))
        #expect(found.map(\.number) == [1, 5] && found.map(\.kind) == [1, 255] && found.map(\.bytes) == [long, [9]])
    }

    @Test func `a copy of a newer version is refused and left as it is`() throws {
        let disk = MemoryDisk(seed: 8)
        let (journal, _) = try dropped(disk)
        let path = journal.core.access.copies.path(1)
        var bytes = try #require(disk.files[path])
        bytes[8] = 2
        let key = AuditCopyFormat.codeKey(try #require(journal.core.access.keys.copies))
        bytes.replaceSubrange(160..<192, with: Cipher.authenticate(Array(bytes[..<160]), key: key))
        disk.overwrite(path, with: bytes)
        #expect(journalError { _ = try audit(disk) } == .newerFormat(path: path, version: 2))
        #expect(journalError { _ = try journal.core.access.isCopied(1) } == .newerFormat(path: path, version: 2))
        #expect(disk.files[path] == bytes)
    }

    @Test func `a start removes what was half written, and moves copies aside of segments that were cut off`() throws {
        let disk = MemoryDisk(seed: 9)
        var journal = try ToyJournal(disk, ring, random: 1)
        try journal.write(40)
        try CopiedRecords.fold(journal.core.access, into: journal.core.archive)
        var half = try AuditCopyWriter(journal.core.access, segment: 2, firstRecord: 7)
        try half.append(record: 9, kind: 1, [UInt8](repeating: 1, count: AuditCopyLimits.recordBytes))
        let temporary = TestJournal.directory + "/audit/records.new"
        #expect((disk.files[temporary] ?? []).count > AuditCopyLimits.recordBytes)
        journal.core.close()
        let copies = CopiedRecords.files(disk).filter { $0.path != temporary }
        #expect(copies.count > 4)
        // Segments from the fourth on go, and what would tell.
        for segment in segments(disk).dropFirst(3) { disk.delete(segment.path) }
        disk.delete(TestJournal.directory + "/watermark")
        journal = try ToyJournal(disk, ring, random: 2, damage: .setAside)
        #expect(CopiedRecords.files(disk).map(\.path) == copies.prefix(3).map(\.path))
        for copy in copies.dropFirst(3) {
            let name = copy.path.split(separator: "/").last ?? ""
            #expect(quarantine(disk).contains { $0.key.contains("/audit-\(name)-") && $0.value == copy.bytes })
        }
        // The number is given again, and its copy is the new segment's.
        try journal.write(12)
        try CopiedRecords.fold(journal.core.access, into: journal.core.archive)
        #expect(try journal.core.access.isCopiedWhole(4))
        #expect(try audit(disk).isSound)
    }

    @Test func `a backup carries the copies, and a restored journal reads them`() throws {
        let disk = MemoryDisk(seed: 10)
        var (journal, last) = try dropped(disk)
        _ = try journal.core.backUp(to: BackupTargets(journal: "/b-journal", keys: "/b-keys"))
        journal.core.close()
        _ = try Restore.run(
            journal: "/b-journal", keys: "/b-keys", deletions: nil, to: "/restored", ring: ring, disk: disk,
            random: SeededRandom(seed: 77), clock: ManualClock())
        let access = try Inspection.access(directory: "/restored", keys: ring, disk: disk)
        #expect(try CopiedRecords.read(access) == CopiedRecords.expected(through: last))
        let report = try AuditVerification.run(directory: "/restored", keys: ring, disk: disk)
        // What any restored journal has before its first start: no watermark, and the hold.
        let kinds = report.findings.map { finding -> Finding.Kind? in
            guard case .journal(let found) = finding else { return nil }
            return found.kind
        }
        #expect(Set(kinds) == [.held, .watermark])
        #expect(report.copied > 0)
    }
}
