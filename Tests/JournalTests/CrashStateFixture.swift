import Foundation
import TestSupport

@testable import Journal

/// What a workload did to a journal, and when it was told that it is on disk.
struct CrashFacts {
    struct Text {
        var id: TextID
        var location: TextLocation
        var bytes: [UInt8]
        var slot: SlotID
        /// Logged changes when it was reported.
        var reportedAt: Int
        /// Logged changes when erasing it began, and when it was reported done.
        var erasing: Int?
        var erasedAt: Int?
    }

    /// By number, from 1.
    var attempted: [[UInt8]] = []
    /// Logged changes when each of them was reported.
    var reportedAt: [Int] = []
    var texts: [Text] = []
    /// The old master key is of no use from here on.
    var rotatedAt: Int?

    /// How much a disk at this place must hold.
    func committed(at point: Int) -> Int { reportedAt.prefix { $0 <= point }.count }
}

/// A commit was reported although a sync had failed in this life.
struct ReportedAfterFailedSync: Error {}

/// Drives a journal on a probed disk and writes down what it was told.
struct CrashDriver {
    static let directory = "/data/orebro"
    let disk: ProbedDisk
    let options: JournalOptions
    private(set) var core: JournalCore
    private(set) var facts: CrashFacts
    private(set) var replayed: Replayed
    /// What a snapshot brought; the replay goes on behind it.
    private(set) var restored: ToyState
    private var ticket: UInt64 = 0

    init(
        _ disk: ProbedDisk, _ ring: KeyRing, facts: CrashFacts = CrashFacts(),
        options: JournalOptions = smallOptions(), random: UInt64
    ) throws {
        var replayed = Replayed()
        var restored = ToyState()
        self.disk = disk
        self.facts = facts
        self.options = options
        try disk.disk.makeDirectory("/data")
        core = try JournalCore.open(
            directory: Self.directory, keys: ring, options: options, disk: disk, random: SeededRandom(seed: random),
            clock: ManualClock(),
            restore: { reader in
                guard let state = ToyJournal.state(in: &reader) else { return false }
                restored = state
                return true
            }, replay: { replayed.take($0) })
        self.replayed = replayed
        self.restored = restored
        // What was tried and never reported is settled now: it is there, or it was never written.
        let last = Int(core.report.lastRecord)
        self.facts.attempted = Array(facts.attempted.prefix(last))
        self.facts.reportedAt = Array(facts.reportedAt.prefix(last))
        self.facts.reportedAt += repeatElement(disk.logCount, count: last - self.facts.reportedAt.count)
    }

    /// A record that tells its number and has a length.
    static func record(_ number: Int, length: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(number))
        let head = withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) }
        let rest = (0..<((max(0, length - 8) + 7) / 8)).flatMap { _ in
            withUnsafeBytes(of: generator.next().littleEndian) { Array($0) }
        }
        return Array((head + rest).prefix(max(8, length)))
    }

    /// Commits requests of one batch: each a record of this length, with a text where the length is even.
    mutating func commit(_ lengths: [Int]) throws {
        var pending: [Pending] = []
        for length in lengths {
            let number = facts.attempted.count + pending.count + 1
            let record = Self.record(number, length: length)
            var texts: [SealedText] = []
            if length.isMultiple(of: 2), let slot = core.slots.take() {
                texts = [
                    SealedText(id: textID(UInt64(number)), slots: [slot], bytes: Array(record.reversed()))
                ]
            }
            let request = try AppendRequest(records: [record], texts: texts)
            ticket += 1
            pending.append(Pending(request: request, ticket: ticket, grant: try grant(request.footprint)))
        }
        // From here on nothing is known of them until they are reported.
        facts.attempted += pending.flatMap(\.request.records)
        var rest = pending[...]
        while !rest.isEmpty {
            let report = try core.commit(rest)
            let now = disk.logCount
            // Design, section 4, Failure: after a failed sync nothing is answered.
            if disk.hasFailedSync { throw ReportedAfterFailedSync() }
            facts.reportedAt += repeatElement(now, count: report.recordCount)
            let texts = rest.prefix(report.requestCount).flatMap(\.request.texts)
            for (text, place) in zip(texts, report.texts) {
                facts.texts.append(
                    CrashFacts.Text(
                        id: text.id, location: place.location, bytes: text.bytes, slot: text.slots[0], reportedAt: now))
            }
            rest = rest.dropFirst(report.requestCount)
        }
    }

    private mutating func grant(_ bytes: Int) throws -> SpaceGrant {
        for _ in 0..<64 {
            if let grant = core.space.reserve(.notification, bytes: bytes) { return grant }
            guard case .progressed = try core.prepare() else { break }
        }
        throw JournalError.noSpace(path: "test")
    }

    mutating func prepareAll() throws {
        for _ in 0..<64 { guard case .progressed = try core.prepare() else { return } }
    }

    mutating func close() { core.close() }

    /// The end in good order: the watermark is written first.
    mutating func finish() throws { try core.finish() }

    mutating func mark() throws { try core.mark(.now) }

    /// Destroys the key slots of these texts, by their places among all that were reported.
    mutating func erase(_ places: [Int]) throws {
        let start = disk.logCount
        for place in places { facts.texts[place].erasing = facts.texts[place].erasing ?? start }
        _ = try core.erase(slots: places.map { facts.texts[$0].slot })
        for place in places { facts.texts[place].erasedAt = facts.texts[place].erasedAt ?? disk.logCount }
    }

    mutating func rotate(to ring: KeyRing) throws {
        _ = try core.rotateKeys(to: ring)
        facts.rotatedAt = disk.logCount
    }

    /// What the second fold does: a snapshot over all closed segments. Two of them are kept, and what both cover goes.
    mutating func snapshot(random: UInt64) throws {
        var folded = ToyState()
        let start = try core.access.restore { reader in
            guard let found = ToyJournal.state(in: &reader) else { return false }
            folded = found
            return true
        }
        var fold = SegmentFold(core.access, from: start)
        while try fold.replayNext({ if case .record(_, let bytes, _) = $0 { folded.take(bytes) } }) {}
        try CopiedRecords.fold(core.access, into: nil, from: start, random: random)
        guard fold.segment > start?.segment ?? 0 else { return }
        try core.addSnapshotKey(fold.segment)
        var writer = try SnapshotWriter(
            core.access, point: fold.snapshot(state: folded.digest, foldedMilliseconds: 5),
            random: SeededRandom(seed: random))
        do {
            try writer.append(folded.piece, section: 1)
            try writer.finish()
        } catch {
            writer.cancel()
            throw error
        }
        if let start { _ = try core.dropSegments(through: start.segment, keeping: [start.segment, fold.segment]) }
    }
}

/// Judges a disk after a cut or a failure.
struct CrashJudge {
    let facts: CrashFacts
    /// The keys that must be enough at any place; from the rotation on, the newer alone.
    let rings: (before: KeyRing, after: KeyRing)
    /// Without slabs: making them costs the most and tells nothing about what was there.
    var options = smallOptions { $0.slabsAhead = 0 }
    /// How often each disk is opened; all times must give the same.
    var recoveries = 2
    /// The state after so many records.
    private let states: [ToyState]

    init(facts: CrashFacts, rings: (before: KeyRing, after: KeyRing)) {
        self.facts = facts
        self.rings = rings
        var state = ToyState()
        states =
            [state]
            + facts.attempted.map { record in
                state.take(record)
                return state
            }
    }

    /// What is wrong, in one line; nil when all is as it must be.
    ///
    /// - Parameter readsTexts: whether each text is opened too.
    func verdict(_ disk: MemoryDisk, at point: Int, random: UInt64, readsTexts: Bool) -> String? {
        let ring = facts.rotatedAt.map { point >= $0 } ?? false ? rings.after : rings.before
        var first: (Replayed, ToyState)?
        for recovery in 0..<recoveries {
            let probe = ProbedDisk(disk, keepsLog: false)
            do {
                let driver = try CrashDriver(
                    probe, ring, options: options, random: random &+ UInt64(recovery))
                var core = driver.core
                defer { core.close() }
                // What a cut leaves is a torn end or an unfinished file, and never damage that somebody has to look at.
                if !core.report.damage.isEmpty { return "recovery \(recovery): damage \(core.report.damage)" }
                if let fault = fault(in: driver.replayed, behind: driver.restored, at: point) {
                    return "recovery \(recovery): \(fault)"
                }
                if let fault = try copyFault(core) { return "recovery \(recovery): \(fault)" }
                if readsTexts, let fault = textFault(core, driver.replayed, at: point) {
                    return "recovery \(recovery): \(fault)"
                }
                if let first, first != (driver.replayed, driver.restored) {
                    return "the second recovery gives something else"
                }
                first = (driver.replayed, driver.restored)
            } catch {
                return "recovery \(recovery): \(error)"
            }
        }
        return nil
    }

    private func fault(in replayed: Replayed, behind restored: ToyState, at point: Int) -> String? {
        let committed = facts.committed(at: point)
        guard restored.count < states.count, states[Int(restored.count)] == restored else {
            return "the snapshot's state after \(restored.count) records is another"
        }
        let end = restored.count + 1 + UInt64(replayed.order.count)
        if replayed.order != Array((restored.count + 1)..<end) {
            return "the records behind \(restored.count) are \(replayed.order)"
        }
        if end <= committed { return "\(end - 1) records of \(committed) are left" }
        for (number, bytes) in replayed.records {
            guard number <= facts.attempted.count, facts.attempted[Int(number) - 1] == bytes else {
                return "record \(number) was never written"
            }
        }
        return replayed.lost.isEmpty ? nil : "records \(replayed.lost) count as lost"
    }

    /// Whatever has its name is whole, and of every segment that went there is a copy with its audit records.
    private func copyFault(_ core: JournalCore) throws -> String? {
        let kept = try core.access.segments(through: .max).first ?? 1
        var records: [CopiedRecord] = []
        let findings = try core.access.copies.findings(before: kept) { records.append($0) }
        if let finding = findings.first { return finding.description }
        for record in records
        where record.number > facts.attempted.count || facts.attempted[Int(record.number) - 1] != record.bytes {
            return "the copy of record \(record.number) says something else"
        }
        let numbers = Set(records.map(\.number))
        guard numbers.count == records.count else { return "a record is copied twice" }
        let first = try RecordReader(core.access).firstRecord() ?? 1
        let missing = (1..<max(1, first)).first { CopiedRecords.kind(of: $0) != nil && !numbers.contains($0) }
        return missing.map { "record \($0) went without a copy" }
    }

    private func textFault(_ core: JournalCore, _ replayed: Replayed, at point: Int) -> String? {
        let places = Set(replayed.texts.map(\.location))
        for text in facts.texts where text.reportedAt <= point && places.contains(text.location) {
            let isErased = text.erasedAt.map { point >= $0 } ?? false
            do {
                let bytes = try core.read(text.id, at: text.location)
                if isErased { return "text \(text.id.low) was erased and opens" }
                if bytes != text.bytes { return "text \(text.id.low) says something else" }
            } catch JournalError.textErased {
                guard let erasing = text.erasing, point >= erasing else { return "text \(text.id.low) was erased" }
            } catch {
                return "text \(text.id.low): \(error)"
            }
        }
        return nil
    }
}
