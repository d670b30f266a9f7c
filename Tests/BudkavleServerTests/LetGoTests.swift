import CaseNotifications
import Foundation
import Journal
import Relay
import Synchronization
import Testing

@testable import BudkavleServer

/// What keeps old segments, and what a start says about records that speak of lost ones.
@Suite(.timeLimit(.minutes(10))) struct LetGoTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    private static let first = "segment-0000000000000001"

    /// One round of the second fold over a store in which every segment is old enough.
    private func fold(_ store: JournaledRelay) {
        let fold = SecondFold(
            collaboration: JournaledRelay.collaboration, journal: store.journal, log: log.log,
            options: SecondFold.Options(history: .seconds(-1_000)))
        fold.round(through: .max)
        fold.stop()
    }

    /// Two rounds, each behind work that closes segments: what may go is gone then.
    private func foldTwice(_ store: JournaledRelay) {
        for _ in 0..<2 {
            for _ in 0..<40 { store.finish(store.accept(case: 9)) }
            fold(store)
        }
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

    @Test func `the segment with the content of an open notification stays until somebody has finished it`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        let open = store.accept(case: 1)
        foldTwice(store)
        #expect(scratch.names("snapshots").count == 2)
        #expect(scratch.names("segments").contains(Self.first))
        store.finish(open)
        foldTwice(store)
        #expect(!scratch.names("segments").contains(Self.first))
        store.close()
    }

    @Test func `while records are lost nothing goes`() throws {
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
        foldTwice(store)
        #expect(scratch.names("snapshots").count == 2)
        #expect(scratch.names("segments").contains(Self.first))
        store.close()
    }

    @Test func `the last segment that lies wholly before a record is known by the times of segments`() {
        var state = FoldState(collaboration: JournaledRelay.collaboration)
        #expect(state.segment(before: 7) == 0)
        state.times = [(2, 11), (3, 20)].map { segment, record in
            SegmentTimes(segment: segment, firstRecord: record, earliest: .distantPast, latest: .distantPast)
        }
        // What lies before the first that is known is kept whole.
        #expect([10, 11, 19, 20, 99].map { state.segment(before: $0) } == [0, 1, 1, 2, 2])
    }

    @Test(arguments: [0, 1])
    func `records that speak of what is lost are named in the log up to the limit, the others counted`(more: Int) throws
    {
        var store = try JournaledRelay(scratch, log: log.log)
        // It brings all names, so that only the notification itself is lost with its batch.
        store.finish(store.accept(case: 1))
        let lost = store.accept(case: 2)
        let person = try #require(JournaledRelay.person.person)
        let before = store.relay.sequence
        for number in 1...(Recovered.namedMisfits + more) {
            let at = Timestamp(milliseconds: store.now.milliseconds + Int64(number))
            store.perform(
                .open(
                    Opening(
                        notification: lost, actor: JournaledRelay.person, person: person, role: "socialjour", at: at)))
        }
        #expect(store.relay.sequence == before + UInt64(Recovered.namedMisfits + more))
        store.close()
        store = try JournaledRelay(scratch, log: log.log)
        let place = try #require(store.contents.location(of: lost))
        store.close()
        try damage(place)
        log.lines.withLock { $0 = [] }
        store = try JournaledRelay(scratch, log: log.log)
        let lines = log.lines.withLock { $0.filter { $0.contains("of what is lost") } }
        #expect(lines.count == Recovered.namedMisfits + more)
        #expect(lines.first?.contains("record \(before + 1), opened, is whole but speaks of what is lost") == true)
        #expect(lines.last?.contains("1 more records speak of what is lost") == (more == 1))
        #expect(store.relay.notification(lost) == nil && store.relay.lostRecords > UInt64(Recovered.namedMisfits))
        store.close()
    }
}
