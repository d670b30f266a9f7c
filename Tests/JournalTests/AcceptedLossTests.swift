import TestSupport
import Testing

@testable import Journal

/// The power goes while a start accepts the loss of the last segments.
struct AcceptedLossTests {
    /// What of the journal is gone.
    enum Loss: CaseIterable {
        case last, lastTwo, all
        /// The last one's end.
        case end
    }

    /// What lies behind the last segment, and what the watermark's slots name.
    enum Shape: CaseIterable {
        case stopped, killed, prepared
    }

    private static let last: UInt64 = 3
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func path(_ number: UInt64) -> String {
        TestJournal.directory + "/segments/" + SegmentHeader.fileName(number)
    }

    /// Three starts of two records each; the last one's watermark names them both.
    private func written(_ shape: Shape) throws -> MemoryDisk {
        let disk = MemoryDisk(seed: 1)
        for start in 1...Self.last {
            let options = DamageFixture.setAside {
                $0.slabsAhead = 0
                // More than a segment holds, so that the next one is made.
                if start == Self.last, shape == .prepared { $0.aheadBytes = 96 << 10 }
            }
            var journal = try TestJournal(disk, ring, options: options, random: start)
            for write in 1...2 as ClosedRange<UInt8> { try journal.write([[UInt8(start), write]]) }
            if start < Self.last || shape == .stopped {
                try journal.core.finish()
                continue
            }
            // One slot names the end, the other one the beginning of this start.
            try journal.core.mark(.now)
            if shape == .prepared {
                try journal.prepareAll()
                #expect(journal.core.segments.count == 2)
            }
            journal.core.close()
        }
        return disk
    }

    private func damage(_ disk: MemoryDisk, _ loss: Loss) throws {
        switch loss {
        case .last: disk.delete(path(3))
        case .lastTwo: for number in UInt64(2)...3 { disk.delete(path(number)) }
        case .all: for number in UInt64(1)...3 { disk.delete(path(number)) }
        case .end:
            let batch = try #require(try JournalMap(disk, ring).batches.last)
            let whole = try #require(disk.files[batch.path])
            disk.overwrite(batch.path, with: Array(whole[..<batch.range.lowerBound]))
        }
    }

    private func open(_ disk: any Disk, random: UInt64) throws -> (core: JournalCore, lost: [Range<UInt64>]) {
        var replayed = Replayed()
        let core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: DamageFixture.setAside(), disk: disk,
            random: SeededRandom(seed: random), clock: ManualClock()
        ) { replayed.take($0) }
        return (core, replayed.lost)
    }

    @Test(arguments: Loss.allCases, Shape.allCases)
    func `wherever the power goes in a start that accepts a loss, the next one accepts it and gives no number again`(
        loss: Loss, shape: Shape
    ) throws {
        let disk = try written(shape)
        try damage(disk, loss)
        let report = try Inspection.salvage(
            directory: TestJournal.directory, keys: ring,
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"), disk: disk,
            random: SeededRandom(seed: 5), clock: ManualClock())
        #expect(report.found.lostRecords.last?.upperBound == 7)
        let lost = try #require(report.found.lostRecords.last)
        let probe = ProbedDisk(disk, keepsLog: true)
        var (core, first) = try open(probe, random: 20)
        #expect(first == [lost] && core.nextRecord == 7)
        let begun = probe.logCount
        try core.retireOverride()
        try core.finish()

        var states = CrashStates(of: probe, choosing: .everything, seed: 6)
        var (seen, faults) = (Set<Int>(), [String]())
        states.forEach { remains in
            guard seen.insert(remains.fingerprint).inserted, faults.count < 5 else { return faults.count < 5 }
            if let fault = fault(remains.mounted(seed: 7), lost) {
                faults.append("\(fault); \(remains.choices) of \(begun)")
            }
            return true
        }
        #expect(faults == [])
        print("A loss (\(loss), \(shape)) accepted: \(seen.count) cuts of the power, \(probe.logCount) calls")
    }

    /// Starts twice, and says what is not as it must be.
    private func fault(_ disk: MemoryDisk, _ lost: Range<UInt64>) -> String? {
        for start in 0..<2 as Range<UInt64> {
            do {
                var (core, found) = try open(disk, random: 30 + start)
                if found != [lost] { return "start \(start): \(found) count as lost" }
                if core.nextRecord != 7 { return "start \(start): record \(core.nextRecord) comes next" }
                try core.retireOverride()
                try core.finish()
            } catch {
                return "start \(start): \(error)"
            }
        }
        return disk.files[TestJournal.directory + "/override"] == nil ? nil : "the override is still there"
    }
}
