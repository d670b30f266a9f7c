import Journal
import TestSupport
import Testing

struct JournalCoreTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `what was committed is replayed in order after a restart`() throws {
        let disk = MemoryDisk(seed: 1)
        var first = try TestJournal(disk, ring)
        let slots = try [#require(first.core.slots.take()), #require(first.core.slots.take())]
        let body = [UInt8]("Anna Andersson, Storgatan 1".utf8)
        let one = try first.write([[1], [2, 2]], texts: [SealedText(id: textID(1), slots: slots, bytes: body)])
        let two = try first.write([[UInt8](repeating: 3, count: 40_000)])
        #expect(one.firstRecord == 1 && one.recordCount == 2 && two.firstRecord == 3)
        #expect(one.texts.map(\.id) == [textID(1)])

        for start in 2...4 {
            let again = try TestJournal(disk, ring, random: UInt64(start))
            #expect(again.replayed.order == [1, 2, 3])
            #expect(again.replayed.records == [1: [1], 2: [2, 2], 3: [UInt8](repeating: 3, count: 40_000)])
            #expect(again.replayed.texts == one.texts)
            #expect(again.core.report.start == UInt64(start))
            #expect(again.core.report.tornTail == nil)
            #expect(try again.core.read(textID(1), at: one.texts[0].location) == body)
        }
    }

    @Test func `segments rotate and numbers go on over restarts without gaps`() throws {
        let disk = MemoryDisk(seed: 2)
        var expected: [UInt64: [UInt8]] = [:]
        for start in 0..<4 {
            var journal = try TestJournal(disk, ring, random: UInt64(10 + start))
            #expect(journal.replayed.records == expected)
            for index in 0..<30 {
                let record = [UInt8](repeating: UInt8(index), count: 5_000 + index)
                let report = try journal.write([record])
                #expect(report.firstRecord == UInt64(expected.count) + 1)
                expected[report.firstRecord] = record
            }
        }
        #expect(segments(disk).count > 8)
    }

    @Test func `a batch takes as many requests as fit and says how many`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        var waiting: [Pending] = []
        for ticket in 1...4 {
            let request = try AppendRequest(records: [[UInt8](repeating: 9, count: 3_000)])
            let grant = try #require(journal.core.space.reserve(.notification, bytes: request.footprint))
            waiting.append(Pending(request: request, ticket: UInt64(ticket), grant: grant))
        }
        let syncs = disk.count(.sync)
        let report = try journal.core.commit(waiting[...])
        #expect(report.requestCount == 4 && report.lastTicket == 4 && report.recordCount == 4)
        #expect(disk.count(.sync) == syncs + 1)
    }

    @Test(arguments: [1, 511, 512, 16_383, 16_384, 16_385, 100_000, 1 << 20])
    func `a text of any length opens alone`(length: Int) throws {
        let disk = MemoryDisk(seed: UInt64(length))
        let options = smallOptions {
            $0.segmentBytes = 8 << 20
            $0.aheadBytes = 4 << 20
        }
        var journal = try TestJournal(disk, ring, options: options)
        let slot = try #require(journal.core.slots.take())
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let before = SealedText(id: textID(1), slots: [slot], bytes: [1, 2, 3])
        let text = SealedText(id: textID(2), slots: [slot], bytes: bytes)
        let report = try journal.write([[1]], texts: [before, text])
        #expect(try journal.core.read(textID(2), at: report.texts[1].location) == bytes)
        #expect(try journal.core.read(textID(1), at: report.texts[0].location) == [1, 2, 3])
        #expect(throws: JournalError.textMismatch(textID(9))) {
            try journal.core.read(textID(9), at: report.texts[1].location)
        }
    }

    @Test func `short writes are finished`() throws {
        let disk = MemoryDisk(seed: 4)
        disk.writeShort()
        var journal = try TestJournal(disk, ring)
        try journal.write([[UInt8](repeating: 5, count: 20_000)])
        disk.crash()
        #expect(try TestJournal(disk, ring).replayed.records[1]?.count == 20_000)
    }

    @Test func `a batch on disk is a whole number of blocks and has the length that the ledger knows`() throws {
        let disk = MemoryDisk(seed: 5)
        var journal = try TestJournal(disk, ring, options: smallOptions { $0.segmentBytes = 32 << 20 })
        try journal.prepareAll()
        for length in 1...700 {
            let request = try AppendRequest(records: [[UInt8](repeating: 1, count: length * 37)])
            let before = journal.core.space.figures.prepared
            try journal.write([[UInt8](repeating: 1, count: length * 37)])
            let used = before - journal.core.space.figures.prepared
            #expect(used <= request.footprint, "length \(length * 37)")
            try journal.prepareAll()
        }
        #expect(journal.core.space.figures.outstanding == 0)
    }

    @Test func `a failed sync is final`() throws {
        let disk = MemoryDisk(seed: 6)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        try journal.write([[1]])
        disk.fail(.sync, errno: 5)
        let syncs = disk.count(.sync)
        #expect(journalError { try journal.write([[2]]) } == .io(operation: "fdatasync", path: "", errno: 5))
        #expect(disk.count(.sync) == syncs + 1)
        // Space is still granted, "no space" would be an answer; but nothing is written in it.
        #expect(journalError { try journal.write([[3]]) } == .stopped)
        #expect(journalError { _ = try journal.core.prepare() } == .stopped)
        #expect(disk.count(.sync) == syncs + 1)
    }

    @Test func `a write that finds no space although it was granted is final too`() throws {
        let disk = MemoryDisk(seed: 7)
        var journal = try TestJournal(disk, ring)
        try journal.prepareAll()
        disk.fail(.write, errno: 28)
        #expect(journalError { try journal.write([[2]]) } == .io(operation: "pwrite", path: "", errno: 28))
        #expect(journalError { _ = try journal.core.prepare() } == .stopped)
    }

    @Test func `no plaintext and no canary reaches any file`() throws {
        let disk = MemoryDisk(seed: 8)
        var journal = try TestJournal(disk, ring)
        let canary = [UInt8]("KANARIEFAGEL-19121212-1212".utf8)
        let slot = try #require(journal.core.slots.take())
        for number in 0..<20 {
            let text = SealedText(id: textID(UInt64(number)), slots: [slot], bytes: canary + canary)
            try journal.write([canary, canary + [UInt8](repeating: 0, count: 5_000)], texts: [text])
        }
        for (path, bytes) in disk.files {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("KANARIE"), "\(path)")
        }
    }
}

struct LimitTests {
    private func limit(_ records: [[UInt8]], _ texts: [SealedText] = []) -> JournalError? {
        journalError { _ = try AppendRequest(records: records, texts: texts) }
    }

    private func text(_ count: Int, slots: Int = 1) -> SealedText {
        SealedText(
            id: textID(1), slots: (0..<slots).map { SlotID(rawValue: 1 << 16 | UInt64($0)) },
            bytes: [UInt8](repeating: 1, count: count))
    }

    @Test func `records per request`() {
        #expect(limit([]) == .limit(name: "records per request", value: 0, limit: 1))
        #expect(limit([[UInt8]](repeating: [1], count: 1_024)) == nil)
        #expect(
            limit([[UInt8]](repeating: [1], count: 1_025))
                == .limit(name: "records per request", value: 1_025, limit: 1_024))
    }

    @Test func `record bytes`() {
        let mebibyte = 1 << 20
        #expect(limit([[]]) == .limit(name: "record bytes", value: 0, limit: 1))
        #expect(limit([[UInt8](repeating: 1, count: mebibyte)]) == nil)
        #expect(
            limit([[UInt8](repeating: 1, count: mebibyte + 1)])
                == .limit(name: "record bytes", value: mebibyte + 1, limit: mebibyte))
    }

    @Test func `texts and slots`() {
        let mebibyte = 1 << 20
        #expect(limit([[1]], [text(mebibyte)]) == nil)
        #expect(limit([[1]], [text(mebibyte + 1)]) == .limit(name: "text bytes", value: mebibyte + 1, limit: mebibyte))
        #expect(limit([[1]], [text(0)]) == .limit(name: "text bytes", value: 0, limit: 1))
        #expect(limit([[1]], [text(1, slots: 2)]) == nil)
        #expect(limit([[1]], [text(1, slots: 3)]) == .limit(name: "slots per text", value: 3, limit: 2))
        #expect(limit([[1]], [text(1, slots: 0)]) == .limit(name: "slots per text", value: 0, limit: 1))
        #expect(limit([[1]], [SealedText](repeating: text(1), count: 16)) == nil)
        #expect(
            limit([[1]], [SealedText](repeating: text(1), count: 17))
                == .limit(name: "texts per request", value: 17, limit: 16))
    }

    @Test func `request bytes`() {
        let mebibyte = [UInt8](repeating: 1, count: 1 << 20)
        #expect(limit([mebibyte, mebibyte, mebibyte, mebibyte]) == nil)
        #expect(
            limit([mebibyte, mebibyte, mebibyte, mebibyte, [1]])
                == .limit(name: "request bytes", value: 4 << 20 + 1, limit: 4 << 20))
    }

    @Test func `segment size`() throws {
        let ring = try Scratch().ring()
        for (bytes, isGood) in [(64 << 10, true), ((64 << 10) - 1, false), ((1 << 30) + 1, false)] {
            let options = smallOptions { $0.segmentBytes = bytes }
            let error = journalError { _ = try TestJournal(MemoryDisk(seed: 1), ring, options: options) }
            #expect((error == nil) == isGood, "\(bytes): \(String(describing: error))")
        }
    }

    @Test func `the largest request fits its footprint and is read back`() throws {
        let ring = try Scratch().ring()
        let options = smallOptions {
            $0.segmentBytes = 16 << 20
            $0.aheadBytes = 8 << 20
        }
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, ring, options: options)
        try journal.prepareAll()
        let mebibyte = [UInt8](repeating: 1, count: 1 << 20)
        try journal.write([mebibyte, mebibyte, mebibyte, mebibyte])
        #expect(try TestJournal(disk, ring, options: options).replayed.order == [1, 2, 3, 4])
    }
}
