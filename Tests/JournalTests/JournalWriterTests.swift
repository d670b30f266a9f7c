import Foundation
import Journal
import Synchronization
import TestSupport
import Testing

/// Waits for reports without sleeping: blocks on a semaphore that the callback raises.
private final class Reports: Sendable {
    let seen = Mutex<[CommitReport]>([])
    let failure = Mutex<JournalError?>(nil)
    let signal = DispatchSemaphore(value: 0)

    func start(_ writer: JournalWriter) {
        writer.start(
            onCommit: { report in
                self.seen.withLock { $0.append(report) }
                self.signal.signal()
            },
            onFailure: { error in
                self.failure.withLock { $0 = error }
                self.signal.signal()
            })
    }
}

struct JournalWriterTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func append(_ writer: JournalWriter, _ ticket: UInt64, _ urgency: CommitUrgency = .now) throws {
        let request = try AppendRequest(records: [[UInt8(truncatingIfNeeded: ticket)]])
        let grant = try #require(writer.reserve(.notification, bytes: request.footprint))
        writer.append(request, ticket: ticket, grant: grant, urgency: urgency)
    }

    @Test func `a real directory keeps what was committed, and the reader opens it`() throws {
        let path = scratch.path + "/data"
        for start in 1...3 {
            let data = try DataDirectory(path: path)
            var order: [UInt64] = []
            let writer = try JournalWriter.open(in: data, collaboration: "orebro", keys: ring) {
                if case .record(let number, _) = $0 { order.append(number) }
            }
            #expect(order.count == (start - 1) && writer.report.start == UInt64(start))
            let reports = Reports()
            reports.start(writer)
            let slot = try #require(writer.takeSlot())
            let text = SealedText(id: textID(UInt64(start)), slots: [slot], bytes: [1, 2, 3])
            let request = try AppendRequest(records: [[7]], texts: [text])
            let grant = try #require(writer.reserve(.notification, bytes: request.footprint))
            writer.append(request, ticket: 1, grant: grant)
            reports.signal.wait()
            let report = try #require(reports.seen.withLock { $0.first })
            let reader = writer.makeReader()
            let result = Mutex<[Result<[UInt8], JournalError>]>([])
            let done = DispatchSemaphore(value: 0)
            reader.read([.init(id: text.id, location: report.texts[0].location)]) { results in
                result.withLock { $0 = results }
                done.signal()
            }
            done.wait()
            #expect(result.withLock { $0 } == [.success([1, 2, 3])])
            reader.stop()
            writer.stop()
            data.unlock()
        }
        for (name, bytes) in scratch.contents() where name.hasSuffix("segment-0000000000000001") {
            #expect(bytes.count % 512 == 0)
        }
    }

    @Test func `many requests that wait together share one sync`() throws {
        let disk = MemoryDisk(seed: 1)
        let data = try DataDirectory(path: scratch.path + "/data")
        try disk.makeDirectory(data.path)
        let writer = try JournalWriter.open(
            in: data, collaboration: "orebro", keys: ring, disk: disk, random: SeededRandom(seed: 1)
        ) { _ in }
        let clock = Duration.seconds(3_600)
        for ticket in 1...999 { try append(writer, UInt64(ticket), .within(clock)) }
        let request = try AppendRequest(records: [[1]])
        let grant = try #require(writer.reserve(.notification, bytes: request.footprint))
        writer.append(request, ticket: 1_000, grant: grant)
        let reports = Reports()
        reports.start(writer)
        reports.signal.wait()
        let seen = reports.seen.withLock { $0 }
        #expect(seen.count == 1 && seen.first?.requestCount == 1_000 && seen.first?.lastTicket == 1_000)
        writer.stop()
    }

    @Test func `stop commits what waits, also what could have waited longer`() throws {
        let data = try DataDirectory(path: scratch.path + "/data")
        let writer = try JournalWriter.open(in: data, collaboration: "orebro", keys: ring) { _ in }
        let reports = Reports()
        reports.start(writer)
        try append(writer, 1, .within(.seconds(3_600)))
        writer.stop()
        #expect(reports.seen.withLock { $0.map(\.lastTicket) } == [1])
        #expect(writer.reserve(.progress, bytes: 1_000) == nil)
        writer.stop()
    }

    @Test func `a failed sync is told once and nothing is committed after it`() throws {
        let disk = MemoryDisk(seed: 2)
        let data = try DataDirectory(path: scratch.path + "/data")
        try disk.makeDirectory(data.path)
        let writer = try JournalWriter.open(
            in: data, collaboration: "orebro", keys: ring, options: smallOptions(), disk: disk,
            random: SeededRandom(seed: 1)
        ) { _ in }
        disk.fail(.sync, errno: 5, forever: true)
        try append(writer, 1)
        let reports = Reports()
        reports.start(writer)
        reports.signal.wait()
        #expect(reports.failure.withLock { $0 } == .io(operation: "fdatasync", path: "", errno: 5))
        let syncs = disk.count(.sync)
        writer.stop()
        #expect(disk.count(.sync) == syncs && reports.seen.withLock { $0.isEmpty })
    }

    @Test func `while a failure is being told space is granted: nobody takes the end for a full disk`() throws {
        let disk = MemoryDisk(seed: 2)
        let data = try DataDirectory(path: scratch.path + "/data")
        try disk.makeDirectory(data.path)
        let writer = try JournalWriter.open(
            in: data, collaboration: "orebro", keys: ring, disk: disk, random: SeededRandom(seed: 1)
        ) { _ in }
        disk.fail(.sync, errno: 5, forever: true)
        try append(writer, 1)
        let granted = Mutex<Bool?>(nil)
        let told = DispatchSemaphore(value: 0)
        writer.start(
            onCommit: { _ in },
            onFailure: { _ in
                granted.withLock { $0 = writer.reserve(.progress, bytes: 1_000) != nil }
                told.signal()
            })
        told.wait()
        #expect(granted.withLock { $0 } == true)
        writer.stop()
    }
}

struct CommitScheduleTests {
    @Test func `an acknowledgement waits at most its delay and rides with the next batch`() throws {
        let disk = MemoryDisk(seed: 1)
        let scratch = try Scratch()
        let clock = ManualClock()
        let data = try DataDirectory(path: scratch.path + "/data")
        try disk.makeDirectory(data.path)
        let writer = try JournalWriter.open(
            in: data, collaboration: "orebro", keys: try scratch.ring(), options: smallOptions(), disk: disk,
            random: SeededRandom(seed: 1), clock: clock
        ) { _ in }
        let request = try AppendRequest(records: [[1]])
        let delay = CommitUrgency.within(.milliseconds(5))
        for ticket in 1...2 {
            let grant = try #require(writer.reserve(.progress, bytes: request.footprint))
            writer.append(request, ticket: UInt64(ticket), grant: grant, urgency: delay)
        }
        clock.advance(.milliseconds(5))
        let reports = Reports()
        reports.start(writer)
        reports.signal.wait()
        #expect(reports.seen.withLock { $0.map(\.requestCount) } == [2])
        for ticket in 3...4 {
            let grant = try #require(writer.reserve(.progress, bytes: request.footprint))
            writer.append(request, ticket: UInt64(ticket), grant: grant, urgency: ticket == 3 ? delay : .now)
        }
        reports.signal.wait()
        #expect(reports.seen.withLock { $0.last?.lastTicket } == 4)
        writer.stop()
    }
}
