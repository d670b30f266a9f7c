import Journal
import TestSupport
import Testing

struct CrashSimulationTests {
    /// One life after the other on one disk; each ends in a power cut or a failing call.
    private func run(seed: UInt64, _ ring: KeyRing) throws {
        var generator = SeededGenerator(seed: seed)
        let disk = MemoryDisk(seed: seed)
        if Bool.random(using: &generator) { disk.writeShort() }
        var committed: [UInt64: [UInt8]] = [:]
        var attempted: Set<[UInt8]> = []
        var texts: [(id: TextID, location: TextLocation, bytes: [UInt8])] = []
        var slots: Set<SlotID> = []
        var serial: UInt64 = 0
        for life in 0..<4 {
            var journal: TestJournal
            do {
                journal = try TestJournal(disk, ring, random: seed &* 31 &+ UInt64(life))
            } catch {
                // A start may fail on a failing disk; the next one finds everything.
                disk.crash()
                journal = try TestJournal(disk, ring, random: seed &* 37 &+ UInt64(life))
            }
            for (number, bytes) in committed {
                #expect(journal.replayed.records[number] == bytes, "seed \(seed), life \(life), record \(number)")
            }
            for bytes in journal.replayed.records.values {
                #expect(attempted.contains(bytes), "seed \(seed), life \(life): a record nobody wrote")
            }
            #expect(journal.replayed.order == Array(1..<(UInt64(journal.replayed.order.count) + 1)))
            for text in texts {
                #expect(try journal.core.read(text.id, at: text.location) == text.bytes, "seed \(seed)")
            }
            committed = journal.replayed.records
            try? write(&journal, &generator, disk, &committed, &attempted, &texts, &slots, &serial, seed: seed)
            disk.crash()
            if life < 3, Int.random(in: 0..<3, using: &generator) == 0 {
                let calls: [MemoryDisk.Call] = [.write, .sync, .syncDirectory, .rename]
                let call = calls[Int.random(in: 0..<calls.count, using: &generator)]
                disk.fail(call, after: Int.random(in: 0..<12, using: &generator), errno: 5)
            }
        }
    }

    private func write(
        _ journal: inout TestJournal, _ generator: inout SeededGenerator, _ disk: MemoryDisk,
        _ committed: inout [UInt64: [UInt8]], _ attempted: inout Set<[UInt8]>,
        _ texts: inout [(id: TextID, location: TextLocation, bytes: [UInt8])], _ slots: inout Set<SlotID>,
        _ serial: inout UInt64, seed: UInt64
    ) throws {
        let last = Int.random(in: 1..<12, using: &generator)
        for round in 0..<last {
            if round == last - 1 {
                disk.fail(
                    Bool.random(using: &generator) ? .sync : .write, after: Int.random(in: 0..<2, using: &generator),
                    errno: 5)
            }
            serial += 1
            let record =
                withUnsafeBytes(of: (seed, serial)) { Array($0) }
                + [UInt8](repeating: 1, count: Int.random(in: 0..<9_000, using: &generator))
            attempted.insert(record)
            var sealed: [SealedText] = []
            if let slot = journal.core.slots.take() {
                #expect(slots.insert(slot).inserted, "seed \(seed): a slot was given out twice")
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: serial), count: 1 + Int(serial % 700))
                sealed = [SealedText(id: textID(serial), slots: [slot], bytes: bytes)]
            }
            let report = try journal.write([record], texts: sealed)
            committed[report.firstRecord] = record
            for (text, place) in zip(sealed, report.texts) { texts.append((text.id, place.location, text.bytes)) }
        }
    }

    @Test(.timeLimit(.minutes(30)), arguments: [1...250, 251...500])
    func `500 seeds of crashes lose no committed record and invent none`(seeds: ClosedRange<UInt64>) throws {
        let ring = try Scratch().ring()
        for seed in seeds { try run(seed: seed, ring) }
    }
}
