import Foundation
import Journal
import Synchronization
import TestSupport
import Testing

/// What callbacks said, in order; a test waits for it on a semaphore.
final class Told<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let signal = DispatchSemaphore(value: 0)

    func tell(_ value: Value) {
        values.withLock { $0.append(value) }
        signal.signal()
    }

    /// Everything so far, once there are so many.
    func wait(for count: Int = 1) -> [Value] {
        for _ in 0..<count { signal.wait() }
        return values.withLock { $0 }
    }

    var sofar: [Value] { values.withLock { $0 } }
}

/// A writer over a disk in memory; its data directory is a scratch directory, for the lock.
struct TestWriter {
    let writer: JournalWriter
    let data: DataDirectory
    let disk: MemoryDisk
    let commits = Told<CommitReport>()
    let failures = Told<JournalError>()

    init(_ scratch: Scratch, _ ring: KeyRing, seed: UInt64 = 1, options: JournalOptions = smallOptions()) throws {
        let disk = MemoryDisk(seed: seed)
        data = try DataDirectory(path: scratch.path + "/data-\(seed)")
        try disk.makeDirectory(data.path)
        self.disk = disk
        writer = try JournalWriter.open(
            in: data, collaboration: "orebro", keys: ring, options: options, disk: disk,
            random: SeededRandom(seed: seed), clock: ManualClock()
        ) { _ in }
    }

    var path: String { data.path + "/orebro" }

    func start() {
        let (commits, failures) = (commits, failures)
        writer.start(onCommit: { commits.tell($0) }, onFailure: { failures.tell($0) })
    }

    func append(
        _ ticket: UInt64, texts: [SealedText] = [], urgency: CommitUrgency = .now
    ) throws {
        let request = try AppendRequest(records: [[UInt8(truncatingIfNeeded: ticket)]], texts: texts)
        let grant = try #require(writer.reserve(.progress, bytes: request.footprint))
        writer.append(request, ticket: ticket, grant: grant, urgency: urgency)
    }
}

/// Runs `body` through the seam and waits for its result.
func maintain<Value: Sendable>(
    _ writer: JournalWriter, _ body: @escaping @Sendable (inout JournalCore) throws(JournalError) -> Value
) -> Result<Value, JournalError> {
    let told = Told<Result<Value, JournalError>>()
    writer.maintain(body) { told.tell($0) }
    return told.wait()[0]
}

struct MaintenanceTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    @Test func `maintenance runs behind everything that was appended before, also what could have waited`() throws {
        let journal = try TestWriter(scratch, ring)
        try journal.append(1, urgency: .within(.seconds(3_600)))
        let seen = Told<Int>()
        journal.writer.maintain({ (_: inout JournalCore) throws(JournalError) in
            journal.commits.sofar.map(\.lastTicket)
        }) { result in
            #expect(result == .success([1]))
            seen.tell(1)
        }
        journal.start()
        _ = seen.wait()
        journal.writer.stop()
    }

    @Test func `one piece runs between two batches, in the order of the calls`() throws {
        let journal = try TestWriter(scratch, ring)
        let order = Told<String>()
        for piece in 1...3 {
            journal.writer.maintain({ (_: inout JournalCore) throws(JournalError) in piece }) { _ in
                order.tell("piece \(piece)")
                // The load never pauses: each piece is followed by another batch.
                if piece < 3 { try? journal.append(UInt64(piece)) }
            }
        }
        let commits = journal.commits
        journal.writer.start(
            onCommit: { report in
                order.tell("batch \(report.lastTicket)")
                commits.tell(report)
            }, onFailure: { _ in })
        #expect(order.wait(for: 5) == ["piece 1", "batch 1", "piece 2", "batch 2", "piece 3"])
        journal.writer.stop()
    }

    @Test func `nothing can be sealed under a slot that was erased or never was`() throws {
        let journal = try TestWriter(scratch, ring)
        let slots = try (0..<3).map { _ in try #require(journal.writer.takeSlot()) }
        journal.start()
        try journal.append(1, texts: [SealedText(id: textID(1), slots: [slots[0], slots[1]], bytes: [1])])
        #expect(slots.allSatisfy(journal.writer.canSeal))
        let erasure = maintain(journal.writer) { (core: inout JournalCore) throws(JournalError) in
            try core.erase(slots: [slots[1]])
        }
        #expect(try erasure.get().slots == 1)
        #expect(slots.map(journal.writer.canSeal) == [true, false, true])
        #expect(!journal.writer.canSeal(under: SlotID(rawValue: .max)))
        journal.writer.stop()
    }

    @Test func `what waits is bounded, and what nobody runs is answered`() throws {
        let journal = try TestWriter(scratch, ring)
        let told = Told<Result<Int, JournalError>>()
        let limit = JournalLimits.maxWaitingMaintenance
        for piece in 1...(limit + 1) {
            journal.writer.maintain({ (_: inout JournalCore) throws(JournalError) in piece }) { told.tell($0) }
        }
        #expect(told.wait() == [.failure(.limit(name: "waiting maintenance", value: limit + 1, limit: limit))])
        journal.writer.stop()
        let all = told.wait(for: limit)
        #expect(all.count == limit + 1 && all.dropFirst().allSatisfy { $0 == .failure(.stopped) })
        #expect(maintain(journal.writer) { (_) throws(JournalError) in 1 } == .failure(.stopped))
    }

    @Test func `a refused piece is its caller's matter, and a full disk changes nothing`() throws {
        let journal = try TestWriter(scratch, ring)
        journal.start()
        #expect(
            maintain(journal.writer) { (core) throws(JournalError) in try core.retireMasterKey("v9") }
                .failure == .masterKeyMissing(id: "v9"))
        let before = maintain(journal.writer) { (core) throws(JournalError) in
            while case .progressed = try core.prepare() {}
            return journal.disk.files
        }
        journal.disk.limit(to: journal.disk.used)
        let result = maintain(journal.writer) { (core) throws(JournalError) in try core.addSnapshotKey(1) }
        guard case .noRoom? = result.failure else {
            Issue.record("a full disk gave \(result)")
            return
        }
        #expect(try before.get() == journal.disk.files)
        journal.disk.limit(to: nil)
        #expect(maintain(journal.writer) { (core) throws(JournalError) in try core.addSnapshotKey(1) }.failure == nil)
        try journal.append(1)
        #expect(journal.commits.wait().count == 1)
        journal.writer.stop()
    }

    @Test func `a failed sync in maintenance is the end, told once, and what waits is answered`() throws {
        let journal = try TestWriter(scratch, ring)
        let told = Told<Result<Int, JournalError>>()
        let disk = journal.disk
        journal.writer.maintain({ (core: inout JournalCore) throws(JournalError) in
            while case .progressed = try core.prepare() {}
            disk.fail(.sync, errno: 28, forever: true)
            try core.addSnapshotKey(1)
            return 1
        }) { told.tell($0) }
        journal.writer.maintain({ (_: inout JournalCore) throws(JournalError) in 2 }) { told.tell($0) }
        journal.start()
        let error = JournalError.io(operation: "fdatasync", path: "", errno: 28)
        #expect(told.wait(for: 2) == [.failure(error), .failure(.stopped)])
        #expect(journal.failures.wait() == [error])
        #expect(journal.writer.reserve(.progress, bytes: 1_000) == nil)
        journal.writer.stop()
    }
}

extension MaintenanceTests {
    @Test func `whoever asked for maintenance that ended the journal is told only when the end was told`() throws {
        let journal = try TestWriter(scratch, ring)
        let told = Told<String>()
        let disk = journal.disk
        journal.writer.maintain({ (core: inout JournalCore) throws(JournalError) in
            while case .progressed = try core.prepare() {}
            disk.fail(.sync, errno: 5, forever: true)
            try core.addSnapshotKey(1)
        }) { told.tell($0.failure == nil ? "done" : "failed") }
        journal.writer.start(onCommit: { _ in }, onFailure: { _ in told.tell("the end") })
        #expect(told.wait(for: 2) == ["the end", "failed"])
        journal.writer.stop()
    }
}

extension Result {
    /// What went wrong.
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
