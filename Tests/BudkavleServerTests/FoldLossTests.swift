import CaseNotifications
import Foundation
import Journal
import Relay
import Synchronization
import Testing

@testable import BudkavleServer

/// What the second fold does about records that it cannot read, and about unread receipts and a clock that is ahead.
@Suite(.timeLimit(.minutes(10))) struct FoldLossTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    private static let first = "segment-0000000000000001"

    /// One round beside a relay that has lost what the store's has, with every segment old enough. Returns where it ended.
    @discardableResult
    private func fold(_ store: JournaledRelay, lastEventAt: Timestamp = .distantPast) -> UInt64? {
        let recovered = Recovered(relay: store.relay, lastEventAt: lastEventAt, contents: store.contents)
        let fold = SecondFold(
            collaboration: JournaledRelay.collaboration, journal: store.journal, log: log.log,
            options: SecondFold.Options(history: .seconds(-1_000)), beside: SecondFold.Live(recovered, .wall))
        fold.round(through: .max)
        fold.stop()
        return fold.state.withLock { $0.folded }
    }

    /// Work that closes segments.
    private func work(_ store: JournaledRelay, readingReceipts readsReceipts: Bool = true) {
        for _ in 0..<40 { store.finish(store.accept(case: 9), readingReceipts: readsReceipts) }
    }

    /// Turns one bit round in the batch that accepted a notification, behind its head.
    private func damage(_ place: TextLocation) throws {
        let name = String(place.segment, radix: 16)
        let path =
            scratch.directory + "/segments/segment-" + String(repeating: "0", count: 16 - name.count) + name
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: place.batchOffset + 200)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: place.batchOffset + 200)
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
    }

    private func lines(_ part: String) -> [String] { log.lines.withLock { $0.filter { $0.contains(part) } } }

    @Test func `what rots after it was served is not made final by a snapshot, and the next start judges it`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        store.finish(store.accept(case: 1))
        let before = store.relay.sequence
        let open = store.accept(case: 2)
        let records = (before + 1)...store.relay.sequence
        work(store)
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        let place = try #require(store.contents.location(of: open))
        #expect(store.relay.lostRecords == 0)
        try damage(place)
        for round in 1...2 {
            // Nothing is to be done before another segment is closed.
            #expect(fold(store) == .max)
            #expect(scratch.names("snapshots").isEmpty)
            let told = "records \(records.lowerBound) to \(records.upperBound) of segment \(place.segment)"
            #expect(lines("\(told) are lost on disk").count == round, "\(log.lines.withLock { $0 })")
            work(store)
        }
        store.close()

        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.journal.report.damage.map(\.records).contains(records.lowerBound..<(records.upperBound + 1)))
        #expect(store.relay.lostRecords == UInt64(records.count))
        #expect(lines("journal damage set aside").count == 1)
        #expect(!scratch.names("quarantine").isEmpty)
        fold(store)
        #expect(scratch.names("snapshots").count == 1)
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.journal.report.restoredFrom != nil && store.relay.lostRecords == UInt64(records.count))
        store.close()
    }

    @Test func `a relay that has lost records writes no snapshot either when more rot`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        store.finish(store.accept(case: 1))
        let open = [store.accept(case: 2), store.accept(case: 3)]
        work(store)
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        let places = try open.map { try #require(store.contents.location(of: $0)) }
        store.close()
        try damage(places[0])
        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.relay.lostRecords > 0)
        try damage(places[1])
        fold(store)
        #expect(scratch.names("snapshots").isEmpty)
        #expect(lines("are lost on disk").count == 1)
        store.close()
    }

    @Test func `the daemon's own fold knows what its relay has lost`() throws {
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let ids = try (1...3).map { try police.report("n-\($0)", case: $0) }
        try relay.durable()
        let id = try #require(NotificationID(text: ids[1]))
        let place = try #require(try relay.onLoop { $0.contents.location(of: id) })
        try relay.stop()
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        try damage(place)
        try relay.onLoop { $0.secondFold }.round(through: place.segment)
        #expect(scratch.names("snapshots").isEmpty)
        #expect(lines("of segment \(place.segment) are lost on disk").count == 1)
        try relay.stop()
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        #expect(try relay.maintenance().map(\.kind) == [.lost])
        try relay.onLoop { $0.secondFold }.round(through: place.segment)
        #expect(scratch.names("snapshots").count == 1)
        try relay.stop()
    }

    @Test func `what rots in front of a known loss is told where it lies, and no snapshot is written of it`() throws {
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        var police = try relay.connect("pol-18-rlc", "station")
        let first = try police.report("n-1", case: 1)
        var places: [TextLocation] = []
        func place(_ text: String) throws -> TextLocation {
            let id = try #require(NotificationID(text: text))
            return try #require(try relay.onLoop { $0.contents.location(of: id) })
        }
        try relay.durable()
        places.append(try place(first))
        try relay.stop()
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        police = try relay.connect("pol-18-rlc", "station")
        // Many more than the fresh loss will be.
        let known = try (2...25).map { number in
            let id = try police.report("n-\(number)", case: number)
            try relay.durable()
            return try place(id)
        }
        places.append(known[0])
        try relay.stop()
        #expect(places[0].segment < places[1].segment)
        for place in known { try damage(place) }
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        try damage(places[0])
        for goal in [places[0].segment, places[1].segment] {
            try relay.onLoop { $0.secondFold }.round(through: goal)
            #expect(scratch.names("snapshots").isEmpty)
        }
        #expect(lines("of segment \(places[0].segment) are lost on disk").count == 2, "\(lines("lost"))")
        #expect(lines("of segment \(places[1].segment) are lost on disk").isEmpty)
        try relay.stop()
    }

    @Test func `as many ranges as the limit says are compared one by one, and one more by their number`() {
        let limit = KnownLosses.rangeLimit
        for count in [limit, limit + 1] {
            var lost = KnownLosses(number: 2, through: 10)
            for index in 0..<count { lost.add(UInt64(20 + 2 * index)..<UInt64(21 + 2 * index)) }
            #expect(lost.covers(20..<21, total: 3))
            #expect(lost.covers(21..<22, total: 3) == (count > limit), "\(count) ranges")
            #expect(lost.covers(5..<6, total: 2) && lost.covers(5..<6, total: 3) == (count > limit))
            #expect(!lost.covers(21..<22, total: UInt64(count + 3)))
        }
    }

    @Test func `neighbours are one range, and a part of it is known`() {
        var lost = KnownLosses(number: 0, through: 0)
        for number in 1...3 as ClosedRange<UInt64> { lost.add(number..<(number + 1)) }
        #expect(lost.covers(1..<4, total: 3) && lost.covers(2..<3, total: 1))
        #expect(!lost.covers(3..<5, total: 3) && !lost.covers(4..<5, total: 1))
    }

    @Test func `while records are lost all segments stay, and only the two newest snapshots with their keys`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        store.finish(store.accept(case: 1))
        let lost = store.accept(case: 2)
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        let place = try #require(store.contents.location(of: lost))
        store.close()
        try damage(place)
        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.relay.lostRecords > 0)
        var newest: [String] = []
        for _ in 0..<4 {
            work(store)
            fold(store)
            newest = (newest + [try #require(scratch.names("snapshots").last)]).suffix(2)
            #expect(scratch.names("snapshots") == newest)
        }
        #expect(scratch.names("segments").contains(Self.first))
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.journal.report.restoredFrom != nil)
        store.close()
    }

    @Test func `a segment from which an unread receipt will be made stays until the receipt was read`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        work(store, readingReceipts: false)
        fold(store)
        work(store, readingReceipts: false)
        fold(store)
        #expect(scratch.names("snapshots").count == 2)
        #expect(scratch.names("segments").contains(Self.first))
        for _ in 0..<2 {
            work(store)
            fold(store)
        }
        #expect(!scratch.names("segments").contains(Self.first))
        store.close()
    }

    @Test func `a clock that is further ahead than the journal explains makes no segment old`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        let month = store.now.advanced(bySeconds: -30 * 86_400)
        for _ in 0..<2 {
            work(store)
            fold(store, lastEventAt: month)
        }
        #expect(scratch.names("snapshots").count == 2)
        #expect(scratch.names("segments").contains(Self.first))
        fold(store, lastEventAt: store.now)
        work(store)
        fold(store, lastEventAt: store.now)
        #expect(!scratch.names("segments").contains(Self.first))
        store.close()
    }

    @Test func `an archive that lost its last entry is filled up again from the snapshot before`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        for _ in 0..<2 {
            work(store)
            fold(store)
        }
        let archived = store.journal.archive.archivedSize
        store.close()
        let heads = URL(filePath: scratch.directory + "/audit/heads")
        var bytes = try Data(contentsOf: heads)
        bytes[bytes.count - 20] ^= 1
        try bytes.write(to: heads)

        store = try JournaledRelay(scratch, log: log.log)
        #expect(store.journal.archive.archivedSize < archived)
        work(store)
        fold(store)
        #expect(store.journal.archive.archivedSize > archived)
        #expect(try Data(contentsOf: heads).count >= bytes.count)
        store.close()
        let report = try AuditVerification.run(directory: scratch.directory, keys: scratch.ring())
        #expect(report.isSound, "\(report.findings)")
    }
}
