import Glibc
import Journal
import TestSupport
import Testing

struct ReserveTests {
    static let reserve = TestJournal.directory + "/reserve"
    let scratch: Scratch
    let ring: KeyRing
    let options = smallOptions { $0.reserveFileBytes = 256 << 10 }

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func fill(_ journal: inout TestJournal, _ disk: MemoryDisk) throws {
        disk.limit(to: disk.used)
        var accepted = 0
        while journalError({ try journal.write([[UInt8](repeating: 1, count: 2_000)]) }) == nil {
            accepted += 1
            try #require(accepted < 1_000)
        }
    }

    @Test func `the reserve file is made last and has its full size`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring, options: options)
        #expect(disk.files[Self.reserve] == nil)
        try journal.prepareAll()
        #expect(disk.files[Self.reserve]?.count == 256 << 10)
        let again = try TestJournal(disk, ring, options: options, random: 2)
        #expect(disk.files[Self.reserve]?.count == 256 << 10, "a start with space leaves it alone")
        #expect(again.core.report.overwriting == .inPlace)
    }

    @Test func `without a setting there is no reserve file`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        #expect(disk.files[Self.reserve] == nil)
    }

    @Test func `on a full disk the reserve feeds acknowledgements, never new notifications, and comes back`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TestJournal(disk, ring, options: options)
        try journal.prepareAll()
        try fill(&journal, disk)
        #expect(disk.files[Self.reserve] != nil, "new notifications do not take it")
        var bytes = 0
        while bytes < 2 * options.progressReserveBytes {
            bytes += 1_000
            try journal.write([[UInt8](repeating: 2, count: 1_000)], kind: .progress)
            #expect(journal.core.space.reserve(.notification, bytes: 600) == nil)
        }
        #expect(disk.files[Self.reserve] == nil)
        #expect(journal.core.space.figures.isFull)

        disk.limit(to: nil)
        try journal.prepareAll()
        #expect(disk.files[Self.reserve] != nil)
        #expect(!journal.core.space.figures.isFull)
        try journal.write([[3]])
        #expect(try TestJournal(disk, ring, options: options, random: 3).core.report.tornTail == nil)
    }

    @Test func `a start on a full disk takes the reserve file when it must`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring, options: options)
        try journal.prepareAll()
        try journal.write([[1]])
        journal.core.close()
        disk.limit(to: disk.used / 2)
        var again = try TestJournal(disk, ring, options: options, random: 2)
        #expect(disk.files[Self.reserve] == nil)
        #expect(again.replayed.order == [1])
        try again.write([[2]], kind: .progress)
    }

    @Test(arguments: [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM])
    func `what cannot be opened now is prepared later`(number: Int32) throws {
        let disk = MemoryDisk(seed: 4)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        for _ in 0..<2_000 { _ = journal.core.slots.take() }
        try journal.write([[UInt8](repeating: 1, count: 20_000)])
        for call in [MemoryDisk.Call.open, .rename, .allocate] {
            disk.fail(call, errno: number, forever: true)
            var isFull = false
            for _ in 0..<20 {
                if case .full = try journal.core.prepare() { isFull = true }
            }
            #expect(isFull || call != .open, "\(call)")
            disk.heal()
        }
        try journal.prepareAll()
        #expect(!journal.core.space.figures.isFull)
        try journal.write([[UInt8](repeating: 1, count: 20_000)])
        #expect(try TestJournal(disk, ring, random: 2).replayed.order == [1, 2])
    }

    @Test(arguments: [EIO, EROFS, EACCES])
    func `what waiting does not mend ends the journal`(number: Int32) throws {
        let disk = MemoryDisk(seed: 5)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        try journal.write([[UInt8](repeating: 1, count: 20_000)])
        disk.fail(.allocate, errno: number, forever: true)
        let error = journalError { try journal.prepareAll() }
        #expect(error != nil && error != .stopped)
        #expect(journalError { try journal.write([[1]]) } == .stopped)
    }

    @Test func `a sync that fails for want of space is as final as any other`() throws {
        let disk = MemoryDisk(seed: 6)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        try journal.write([[UInt8](repeating: 1, count: 20_000)])
        disk.fail(.sync, errno: ENOSPC, forever: false)
        #expect(journalError { try journal.prepareAll() } != nil)
        #expect(journalError { _ = try journal.core.prepare() } == .stopped)
    }
}

extension ReserveTests {
    @Test func `a request almost as large as a segment does not eat the disk`() throws {
        let disk = MemoryDisk(seed: 7)
        var journal = try TestJournal(disk, ring)
        let options = smallOptions()
        _ = journal.core.space.reserve(.notification, bytes: options.segmentBytes - 4_096)
        var steps = 0
        while case .progressed = try journal.core.prepare() {
            steps += 1
            try #require(steps < 100)
        }
        #expect(journal.core.space.figures.prepared < 8 * options.segmentBytes)
    }
}
