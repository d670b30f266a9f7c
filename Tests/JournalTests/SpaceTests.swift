import Journal
import TestSupport
import Testing

struct SpaceTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `on a full disk notifications are refused, progress goes on, and service resumes with space`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        disk.limit(to: disk.used)
        var accepted = 0
        while journalError({ try journal.write([[UInt8](repeating: 1, count: 2_000)]) }) == nil {
            accepted += 1
            try #require(accepted < 1_000)
        }
        #expect(journal.core.space.figures.isFull)
        for _ in 0..<5 { try journal.write([[2]], kind: .progress) }
        #expect(journal.core.space.reserve(.notification, bytes: 2_000) == nil)
        guard case .full = try journal.core.prepare() else {
            Issue.record("a full disk was not seen")
            return
        }

        disk.limit(to: nil)
        try journal.prepareAll()
        #expect(!journal.core.space.figures.isFull)
        try journal.write([[3]])
        let again = try TestJournal(disk, ring, random: 2)
        #expect(again.replayed.order == Array(1...UInt64(accepted + 6)))
        #expect(again.core.report.tornTail == nil)
    }

    @Test func `a journal on a full disk starts again and goes on with progress`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        disk.limit(to: disk.used)
        while journalError({ try journal.write([[UInt8](repeating: 1, count: 900)]) }) == nil {}
        journal.core.close()
        disk.crash()
        var again = try TestJournal(disk, ring, random: 2)
        let next = try again.write([[2]], kind: .progress)
        #expect(next.firstRecord == UInt64(again.replayed.order.count) + 1)
    }

    @Test func `there is no start where not even a segment fits`() throws {
        let disk = MemoryDisk(seed: 3)
        disk.limit(to: 1_000)
        #expect(journalError { _ = try TestJournal(disk, ring) } == .noSpace(path: TestJournal.directory))
    }

    @Test func `everything granted fits, whatever its sizes and over all rotations`() throws {
        for seed in 1...20 {
            let disk = MemoryDisk(seed: UInt64(seed))
            var generator = SeededGenerator(seed: UInt64(seed))
            var journal = try TestJournal(disk, ring)
            var total = 0
            for _ in 0..<10 {
                try journal.prepareAll()
                var waiting: [Pending] = []
                while true {
                    let length = Int.random(in: 1...20_000, using: &generator)
                    let request = try AppendRequest(records: [[UInt8](repeating: 1, count: length)])
                    guard let grant = journal.core.space.reserve(.progress, bytes: request.footprint) else { break }
                    waiting.append(Pending(request: request, ticket: 1, grant: grant))
                }
                disk.limit(to: disk.used)
                total += waiting.count
                var rest = waiting[...]
                while !rest.isEmpty { rest = rest.dropFirst(try journal.core.commit(rest).requestCount) }
                disk.limit(to: nil)
            }
            #expect(journal.core.space.figures.outstanding == 0, "seed \(seed)")
            #expect(try TestJournal(disk, ring, random: 9).replayed.order.count == total, "seed \(seed)")
        }
    }

    @Test func `slots run out, are made again, and a released grant can be used`() throws {
        let disk = MemoryDisk(seed: 4)
        var journal = try TestJournal(disk, ring)
        var seen: Set<SlotID> = []
        for _ in 0..<2_048 { #expect(seen.insert(try #require(journal.core.slots.take())).inserted) }
        #expect(journal.core.slots.take() == nil)
        try journal.prepareAll()
        #expect(seen.insert(try #require(journal.core.slots.take())).inserted)

        let before = journal.core.space.figures.outstanding
        let grant = try #require(journal.core.space.reserve(.notification, bytes: 5_000))
        #expect(journal.core.space.figures.outstanding == before + 5_000)
        journal.core.space.release(grant)
        #expect(journal.core.space.figures.outstanding == before)
    }
}
