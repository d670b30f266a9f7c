import Foundation
import Relay
import Synchronization
import Testing

@testable import BudkavleServer
@testable import CaseNotifications
@testable import Journal

/// What the second fold copies before a segment goes.
@Suite struct SecondFoldCopyTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    private func fold(_ store: JournaledRelay, _ options: SecondFold.Options = .init(history: .seconds(-1_000))) {
        let fold = SecondFold(
            collaboration: JournaledRelay.collaboration, journal: store.journal, log: log.log, options: options)
        fold.round(through: .max)
        fold.stop()
    }

    /// Two rounds' worth of notifications that are all done; after the first a snapshot is there, and nothing went.
    private func folded() throws -> JournaledRelay {
        let store = try JournaledRelay(scratch, log: log.log)
        for _ in 0..<60 { store.finish(store.accept()) }
        fold(store)
        for _ in 0..<60 { store.finish(store.accept()) }
        #expect(scratch.names("segments").contains("segment-0000000000000001"))
        return store
    }

    /// Every record that must outlive its segment.
    private func lasting(_ store: JournaledRelay) throws -> [CopiedRecord] {
        var found: [CopiedRecord] = []
        try RecordReader(store.journal.access).scan(from: 1, through: .max) { number, bytes in
            if let kind = EventCodec.lasting(bytes) {
                found.append(CopiedRecord(number: number, kind: kind.rawValue, bytes: bytes))
            }
            return true
        }
        return found
    }

    private func copies(_ access: JournalAccess) throws -> [CopiedRecord] {
        var found: [CopiedRecord] = []
        try RecordReader(access).scanCopies { record in
            found.append(record)
            return true
        }
        return found
    }

    private func audit() throws -> AuditReport {
        try AuditVerification.run(directory: scratch.directory, keys: try scratch.ring())
    }

    private func change(_ file: String, _ body: (inout [UInt8]) -> Void) throws {
        let path = scratch.directory + "/" + file
        var bytes = Array(try #require(FileManager.default.contents(atPath: path)))
        body(&bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test func `what outlives a segment is read from its copy when it is gone, by history and by tools`() throws {
        let store = try folded()
        let all = try lasting(store)
        fold(store)
        let access = store.journal.access
        let first = try #require(try RecordReader(access).firstRecord())
        let gone = all.filter { $0.number < first }
        #expect(first > 1 && Set(gone.map(\.kind)) == Set(LastingKind.allCases.map(\.rawValue)))
        #expect(try copies(access) == gone)
        let report = try audit()
        #expect(report.isSound && report.copied >= UInt64(gone.count), "\(report.findings)")

        let opened = try #require(gone.first { (try? EventCodec.decode($0.bytes))?.body.isOpening ?? false })
        let history = HistoryReader(access, times: { [] })
        let answer = Mutex<[UInt64: Event]>([:])
        let done = ConditionLock(false)
        let lost = try #require((1..<first).first { number in !gone.contains { $0.number == number } })
        history.events([opened.number, lost]) { result in
            if case .success(let events) = result { answer.withLock { $0 = events } }
            done.withLock { $0 = true }
            done.signal()
        }
        done.wait { $0 ? .done(()) : .untilSignal }
        history.stop()
        // What is no audit record went with its segment.
        #expect(answer.withLock { Set($0.keys) } == [opened.number])
        #expect(answer.withLock { $0[opened.number] } == (try EventCodec.decode(opened.bytes)))
        store.close()

        let settings = """
            version: 1
            listen: {host: 127.0.0.1, port: 0, port-file: run/port}
            tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt]}
            journal: {directory: data, master-key: key}
            collaborations: [orebro]
            """
        try settings.write(toFile: scratch.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        let site = try StoreSite.find(configDirectory: scratch.path, collaboration: "orebro")
        #expect(try JournalReplay(site).policyText == Array("p".utf8))
    }

    @Test func `nothing of a text is in a copy`() throws {
        let store = try folded()
        fold(store)
        #expect(try !copies(store.journal.access).contains { $0.bytes.count > 1_000 })
        for record in try copies(store.journal.access) {
            #expect(!String(decoding: record.bytes, as: UTF8.self).contains("aaaaaaaa"), "record \(record.number)")
        }
        store.close()
    }

    @Test func `nothing younger than the default of 90 days goes, and is copied all the same`() throws {
        let store = try folded()
        fold(store, SecondFold.Options())
        #expect(scratch.names("segments").contains("segment-0000000000000001"))
        #expect(scratch.names("snapshots").count == 2)
        #expect(scratch.names("audit").count { $0.hasPrefix("records-") } >= 4)
        store.close()
    }

    @Test func `a copy that is missing or damaged is made anew before its segment goes`() throws {
        let store = try folded()
        let all = try lasting(store)
        try FileManager.default.removeItem(atPath: scratch.directory + "/audit/records-0000000000000001")
        try change("audit/records-0000000000000002") { $0[$0.count - 30] ^= 1 }
        #expect(try !audit().isSound)
        fold(store)
        let first = try #require(try RecordReader(store.journal.access).firstRecord())
        #expect(try copies(store.journal.access) == all.filter { $0.number < first })
        #expect(!scratch.names("segments").contains("segment-0000000000000002"))
        #expect(try audit().isSound)
        store.close()
    }

    @Test func `a segment whose copy cannot be made whole any more stays`() throws {
        let store = try folded()
        try FileManager.default.removeItem(atPath: scratch.directory + "/audit/records-0000000000000001")
        try change("segments/segment-0000000000000001") { bytes in
            // Records and texts alternate: each of them is hit, wherever the space kept ahead begins.
            let end = bytes.lastIndex { $0 != 0 } ?? 0
            for place in stride(from: end / 4, to: end, by: 256) { bytes[place] ^= 1 }
        }
        fold(store)
        #expect(scratch.names("segments").contains("segment-0000000000000001"))
        #expect(!scratch.names("audit").contains { $0 == "records-0000000000000001" || $0.hasSuffix(".new") })
        #expect(log.lines.withLock { $0 }.contains { $0.contains("left for its next round") })
        store.close()
    }

    @Test func `behind an accepted missing segment snapshots are written again, and agree with the records`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        for _ in 0..<60 { store.finish(store.accept()) }
        store.close()
        try FileManager.default.removeItem(atPath: scratch.directory + "/segments/segment-0000000000000002")
        #expect(throws: JournalError.self) { _ = try JournaledRelay(scratch, log: log.log) }
        _ = try Inspection.salvage(
            directory: scratch.directory, keys: try scratch.ring(),
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"))
        store = try JournaledRelay(scratch, log: log.log)
        for _ in 0..<30 { store.finish(store.accept()) }
        fold(store)
        let written = try #require(scratch.names("snapshots").first)
        #expect(written > "snapshot-0000000000000002")
        store.close()
        var digests: [StateDigest] = []
        for start in [RecoveryStart.snapshots, .records] {
            store = try JournaledRelay(scratch, from: start, log: log.log)
            #expect((store.journal.report.restoredFrom != nil) == (start == .snapshots))
            digests.append(store.relay.stateDigest)
            store.close()
        }
        #expect(digests[0] == digests[1])
        #expect(!log.lines.withLock { $0 }.contains { $0.contains("differs") })
    }
}

extension EventBody {
    fileprivate var isOpening: Bool { if case .opened = self { true } else { false } }
}
