import Foundation
import TestSupport
import Testing

@testable import Journal

/// What a person accepts, and what the start makes of it.
struct OverrideTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Three segments of two records each, stopped cleanly.
    private func written() throws -> MemoryDisk {
        let disk = MemoryDisk(seed: 1)
        for start in 1...3 {
            var journal = try TestJournal(disk, ring, options: DamageFixture.setAside(), random: UInt64(start))
            try journal.write([[UInt8(start), 1]])
            try journal.write([[UInt8(start), 2]])
            try journal.core.finish()
        }
        return disk
    }

    private func path(_ number: UInt64) -> String {
        TestJournal.directory + "/segments/" + SegmentHeader.fileName(number)
    }

    private func salvage(_ disk: MemoryDisk) throws -> SalvageReport {
        try Inspection.salvage(
            directory: TestJournal.directory, keys: ring,
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"), disk: disk,
            random: SeededRandom(seed: 5), clock: ManualClock())
    }

    /// Damages a journal, accepts it, and starts it three times: the second and third go on without the override.
    private func accept(_ disk: MemoryDisk, _ kinds: [Finding.Kind], lost: [Range<UInt64>], order: [UInt64]) throws {
        #expect(throws: JournalError.self) { _ = try DamageFixture.open(disk, ring) }
        let report = try salvage(disk)
        #expect(report.override?.findings.map(\.kind) == kinds)
        var journal = try DamageFixture.open(disk, ring)
        #expect(journal.core.report.acceptedOverride?.reason == "the disk was exchanged")
        #expect(journal.replayed.lost == lost && journal.replayed.order == order)
        let next = try journal.write([[7]]).firstRecord
        #expect(next == max(order.last ?? 0, (lost.last?.upperBound ?? 1) - 1) + 1)
        try journal.core.retireOverride()
        try journal.core.finish()
        #expect(quarantine(disk).keys.contains { $0.contains("/override-") })
        #expect(disk.files[TestJournal.directory + "/override"] == nil)
        for _ in 0..<2 {
            var again = try DamageFixture.open(disk, ring)
            #expect(again.core.report.acceptedOverride == nil)
            #expect(again.replayed.lost == lost && again.replayed.order == order + [next])
            try again.core.finish()
        }
    }

    @Test func `a segment that is gone is accepted once and for all, and its numbers are never used again`() throws {
        let disk = try written()
        disk.delete(path(2))
        try accept(disk, [.segmentMissing], lost: [3..<5], order: [1, 2, 5, 6])
    }

    /// A journal of so many starts, each of which wrote one record into a segment of its own.
    private func written(starts: Int) throws -> MemoryDisk {
        let disk = MemoryDisk(seed: 5)
        for start in 1...starts {
            var journal = try TestJournal(disk, ring, options: DamageFixture.setAside(), random: UInt64(start))
            try journal.write([[UInt8(start)]])
            try journal.core.finish()
        }
        return disk
    }

    @Test func `however many neighbouring segments are gone, they are one finding of an override`() throws {
        let disk = try written(starts: 22)
        for number in 2...21 as ClosedRange<UInt64> { disk.delete(path(number)) }
        try accept(disk, [.segmentMissing], lost: [2..<22], order: [1, 22])
        let sight = try InspectedJournal(directory: TestJournal.directory, keys: ring, disk: disk)
        let accepted = try #require(try sight.scan { _, _ in }.acceptedBefore.first)
        #expect(accepted.segment == 2 && accepted.description.hasPrefix("segments 2 to 21 are missing"))
    }

    @Test(arguments: [16, 17]) func `an override takes 16 findings, and of more it is said how to go on`(count: Int)
        throws
    {
        let disk = try written(starts: 2 * count + 1)
        for number in 1...count { disk.delete(path(UInt64(2 * number))) }
        guard count > JournalLimits.maxAcceptedFindings else {
            #expect(try salvage(disk).override?.findings.count == count)
            #expect(try DamageFixture.open(disk, ring).replayed.lost.count == count)
            return
        }
        let path = TestJournal.directory + "/override"
        #expect(throws: JournalError.override(path: path, problem: .tooMany(count))) { _ = try salvage(disk) }
        #expect(disk.files[path] == nil)
        #expect(OverrideProblem.tooMany(count).description.contains("17 findings") && count == 17)
    }

    @Test func `an end that was cut off is accepted, and its numbers are never used again`() throws {
        let disk = try written()
        disk.delete(path(3))
        try accept(disk, [.behindWatermark, .segmentMissing], lost: [5..<7], order: [1, 2, 3, 4])
    }

    @Test func `a header that does not verify loses nothing when its batches are whole`() throws {
        let disk = try written()
        var bytes = try #require(disk.files[path(2)])
        bytes[200] ^= 4
        disk.overwrite(path(2), with: bytes)
        try accept(disk, [.segmentHeader], lost: [], order: [1, 2, 3, 4, 5, 6])
    }

    @Test func `batches that changed places are accepted with the loss of the first`() throws {
        let disk = try written()
        var bytes = try #require(disk.files[path(1)])
        let first = Array(bytes[4_096..<4_608])
        bytes.replaceSubrange(4_096..<4_608, with: bytes[4_608..<5_120])
        bytes.replaceSubrange(4_608..<5_120, with: first)
        disk.overwrite(path(1), with: bytes)
        #expect(journalError { _ = try DamageFixture.open(disk, ring) } == .chain(segment: 1, offset: 4_096))
        let report = try salvage(disk)
        #expect(report.override?.findings.allSatisfy { $0.kind == .chain } == true)
        let journal = try DamageFixture.open(disk, ring)
        #expect(journal.replayed.order == [2, 3, 4, 5, 6] && journal.replayed.lost == [1..<2])
    }

    @Test func `an override accepts exactly what it names and nothing else`() throws {
        let disk = try written()
        disk.delete(path(2))
        _ = try salvage(disk)
        var bytes = try #require(disk.files[path(3)])
        bytes[300] ^= 1
        disk.overwrite(path(3), with: bytes)
        let before = disk.changes
        #expect(throws: JournalError.self) { _ = try DamageFixture.open(disk, ring) }
        #expect(disk.changes == before)
    }

    /// The third segment without its last so many batches.
    private func cut(_ disk: MemoryDisk, of source: MemoryDisk, batches count: Int) throws {
        let batches = try JournalMap(source, ring).batches.filter { $0.segment == 3 }
        let whole = try #require(source.files[path(3)])
        disk.overwrite(path(3), with: Array(whole[..<batches[batches.count - count].range.lowerBound]))
    }

    @Test func `an override takes a loss that became smaller and none that became larger`() throws {
        let source = try written()
        let disk = source.clone(seed: 1)
        try cut(disk, of: source, batches: 2)
        #expect(try salvage(disk).override?.findings.map(\.records) == [5..<7])
        try cut(disk, of: source, batches: 1)
        for start in 0..<3 {
            var journal = try DamageFixture.open(disk, ring)
            #expect(journal.replayed.lost == [6..<7] && journal.replayed.order == [1, 2, 3, 4, 5], "start \(start)")
            try journal.core.retireOverride()
            try journal.core.finish()
        }
        #expect(try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: disk).lostRecords == [6..<7])

        let other = source.clone(seed: 2)
        try cut(other, of: source, batches: 1)
        _ = try salvage(other)
        try cut(other, of: source, batches: 2)
        let refusal = journalError { _ = try DamageFixture.open(other, ring) }
        #expect(refusal == .behindWatermark(segment: 3, records: 5..<7))
    }

    @Test func `of neighbouring segments every other one may be put back before the start`() throws {
        let source = try written(starts: 42)
        let disk = source.clone(seed: 1)
        for number in 2...41 as ClosedRange<UInt64> { disk.delete(path(number)) }
        #expect(try salvage(disk).override?.findings.count == 1)
        for number in stride(from: UInt64(3), to: 41, by: 2) {
            disk.overwrite(path(number), with: try #require(source.files[path(number)]))
        }
        for _ in 0..<2 {
            var journal = try DamageFixture.open(disk, ring)
            #expect(journal.replayed.lost.count == 20 && journal.core.report.lastRecord == 42)
            try journal.core.retireOverride()
            try journal.core.finish()
        }
    }

    @Test func `a hold refuses the start until an override names it, and a second hold is another one`() throws {
        let disk = try written()
        try Hold.place(.restored, in: TestJournal.directory, note: [1, 2, 3], disk: disk)
        #expect(journalError { _ = try DamageFixture.open(disk, ring) } == .held(.restored))
        try accept(disk, [.held], lost: [], order: [1, 2, 3, 4, 5, 6])
        #expect(quarantine(disk).keys.contains { $0.contains("hold-restored") })
        try Hold.place(.restored, in: TestJournal.directory, note: [1, 2, 4], disk: disk)
        #expect(journalError { _ = try DamageFixture.open(disk, ring) } == .held(.restored))
    }

    @Test func `an override that nobody needs is put away unused`() throws {
        let disk = try written()
        let gone = try #require(disk.files[path(2)])
        disk.delete(path(2))
        _ = try salvage(disk)
        disk.overwrite(path(2), with: gone)
        let journal = try DamageFixture.open(disk, ring)
        #expect(journal.core.report.acceptedOverride == nil && journal.replayed.order == [1, 2, 3, 4, 5, 6])
        #expect(disk.files[TestJournal.directory + "/override"] == nil)
    }

    @Test func `an override is not readable and no flipped bit of it is accepted`() throws {
        let disk = try written()
        disk.delete(path(2))
        _ = try salvage(disk)
        let name = TestJournal.directory + "/override"
        let whole = try #require(disk.files[name])
        let words = Array("Karin".utf8)
        #expect(!whole.indices.contains { whole[$0...].starts(with: words) })
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            disk.overwrite(name, with: bytes)
            #expect(throws: JournalError.self, "byte \(index)") { _ = try DamageFixture.open(disk, ring) }
        }
    }

    @Test(arguments: [
        (16, 1_000, 200, true), (17, 1_000, 200, false), (16, 1_001, 200, false), (16, 1_000, 201, false),
        (0, 1, 1, false),
    ])
    func `findings, reason and name of an override have limits`(count: Int, reason: Int, name: Int, fits: Bool) throws {
        let disk = try written()
        let sight = try InspectedJournal(directory: TestJournal.directory, keys: ring, disk: disk)
        let override = Override(
            findings: (0..<count).map { Finding(.segmentMissing, segment: UInt64($0) + 1) },
            reason: String(repeating: "r", count: reason), by: String(repeating: "n", count: name), madeMilliseconds: 7)
        func write() throws {
            try Override.write(
                override, sight.paths, journal: sight.table.journal, keys: ring, disk: disk,
                random: SeededRandom(seed: 1))
        }
        guard fits else {
            #expect(throws: JournalError.override(path: sight.paths.override, problem: .contents)) { try write() }
            return
        }
        try write()
        #expect(try Override.load(sight.paths, journal: sight.table.journal, keys: ring, disk: disk) == override)
    }

    @Test func `a note of a hold has a limit`() throws {
        let disk = try written()
        let note = [UInt8](repeating: 1, count: JournalLimits.maxHoldBytes)
        #expect(throws: JournalError.limit(name: "hold bytes", value: note.count + 1, limit: note.count)) {
            try Hold.place(.restored, in: TestJournal.directory, note: note + [1], disk: disk)
        }
        try Hold.place(.restored, in: TestJournal.directory, note: note, disk: disk)
    }

    @Test func `the watermark is written once a second while batches are committed, and after them`() throws {
        let disk = MemoryDisk(seed: 4)
        let clock = ManualClock()
        var journal = try TestJournal(disk, ring, options: DamageFixture.setAside(), clock: clock)
        func marked() throws -> UInt64? {
            try Inspection.stats(directory: TestJournal.directory, keys: ring, disk: disk).markedRecord
        }
        try journal.write([[1]])
        try journal.core.mark()
        #expect(try marked() == 0)
        clock.advance(.milliseconds(999))
        try journal.core.mark()
        #expect(try marked() == 0)
        clock.advance(.milliseconds(1))
        try journal.core.mark()
        #expect(try marked() == 1)
        try journal.write([[2]])
        #expect(try marked() == 1)
        try journal.core.finish()
        #expect(try marked() == 2)
    }

    @Test func `a failed write or sync of the watermark is final`() throws {
        for call in [MemoryDisk.Call.write, .sync] {
            let disk = MemoryDisk(seed: 4)
            let clock = ManualClock()
            var journal = try TestJournal(disk, ring, options: DamageFixture.setAside(), clock: clock)
            try journal.write([[1]])
            clock.advance(.seconds(2))
            disk.fail(call, errno: 5)
            #expect(throws: JournalError.self) { try journal.core.mark() }
            #expect(throws: JournalError.stopped) { try journal.core.mark(.now) }
            #expect(journalError { _ = try journal.core.prepare() } == .stopped)
        }
    }

    @Test func `a rotted last batch that the watermark knows is damage and not a torn tail`() throws {
        let disk = try written()
        let map = try JournalMap(disk, ring)
        let last = try #require(map.batches.last)
        var bytes = try #require(disk.files[last.path])
        bytes[last.range.lowerBound + 150] ^= 1
        disk.overwrite(last.path, with: bytes)
        for _ in 0..<2 {
            var journal = try DamageFixture.open(disk, ring)
            #expect(journal.core.report.damage.map(\.kind) == [.batch] && journal.core.report.tornTail == nil)
            #expect(journal.replayed.lost == [6..<7])
            #expect(disk.files[last.path]?.count == last.range.upperBound)
            try journal.core.finish()
        }
        var journal = try DamageFixture.open(disk, ring)
        #expect(try journal.write([[1]]).firstRecord == 7)
    }

    @Test func `a lost watermark is damage and the start goes on`() throws {
        let disk = try written()
        let name = TestJournal.directory + "/watermark"
        let whole = try #require(disk.files[name])
        for bytes in [[], [UInt8](repeating: 0, count: whole.count), whole.map { $0 ^ 0x55 }] {
            let copy = disk.clone(seed: 1)
            copy.overwrite(name, with: bytes)
            var journal = try DamageFixture.open(copy, ring)
            #expect(journal.core.report.damage.map(\.kind) == [.watermark] && journal.replayed.order.count == 6)
            try journal.core.finish()
            #expect(try DamageFixture.open(copy, ring).core.report.damage == [])
        }
    }

    @Test func `a look at a sound journal writes nothing and counts what is there`() throws {
        let fixture = try DamageFixture(ring)
        let before = fixture.disk.changes
        let report = try Inspection.verify(directory: TestJournal.directory, keys: ring, disk: fixture.disk)
        #expect(report.isSound && report.findings == [] && !report.startNeedsOverride)
        #expect(report.records == UInt64(fixture.whole.order.count) && report.texts == fixture.texts.count)
        let stats = try Inspection.stats(directory: TestJournal.directory, keys: ring, disk: fixture.disk)
        #expect(stats.records == fixture.whole.order.count && stats.texts == fixture.texts.count)
        #expect(stats.head == report.head && stats.starts == 3)
        #expect(fixture.disk.changes == before)
    }
}
