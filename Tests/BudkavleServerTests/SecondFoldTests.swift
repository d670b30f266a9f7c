import CaseNotifications
import Foundation
import Journal
import Relay
import Synchronization
import Testing

@testable import BudkavleServer

@Suite struct SecondFoldTests {
    let scratch: StoreScratch
    let log = LogLines()
    let dropped = Recorder()

    init() throws { scratch = try StoreScratch() }

    private func fold(_ store: JournaledRelay, samples: [FoldSample] = [], _ options: SecondFold.Options = .init()) {
        let fold = SecondFold(
            collaboration: JournaledRelay.collaboration, journal: store.journal, log: log.log, options: options)
        for sample in samples { fold.compare(with: sample) }
        fold.state.withLock { $0.onDrop = { [dropped] count in dropped.counts.withLock { $0.append(count) } } }
        fold.round(through: .max)
        fold.stop()
    }

    private func sample(_ relay: Relay) throws -> FoldSample {
        let sample = try #require(relay.sample())
        return FoldSample(sequence: sample.sequence, digest: sample.digest)
    }

    @Test func `a start from a snapshot is the start from all records, and knows where open content lies`() throws {
        var store = try JournaledRelay(scratch, log: log.log)
        var open: [NotificationID] = []
        var samples: [FoldSample] = []
        for number in 0..<60 {
            let id = store.accept(case: UInt64(number / 3))
            if number % 10 == 0 { open.append(id) } else { store.finish(id) }
            if number % 20 == 0 { samples.append(try sample(store.relay)) }
        }
        fold(store, samples: samples)
        #expect(scratch.names("snapshots").count == 1)
        let tail = store.accept()
        store.close()

        var digests: [StateDigest] = []
        for start in [RecoveryStart.snapshots, .records] {
            store = try JournaledRelay(scratch, from: start, log: log.log)
            digests.append(store.relay.stateDigest)
            #expect((store.journal.report.restoredFrom != nil) == (start == .snapshots))
            for id in open + [tail] {
                let location = try #require(store.contents.location(of: id))
                let read = Mutex<[UInt8]>([])
                // `stop` answers what waits before it returns.
                let opener = store.journal.makeReader()
                opener.read([TextReader.Request(id: TextID(id), location: location)]) { results in
                    if case .success(let bytes)? = results.first { read.withLock { $0 = bytes } }
                }
                opener.stop()
                #expect(read.withLock { String(decoding: $0.prefix(34), as: UTF8.self) } == #"{"id":"\#(id.text)""#)
            }
            store.close()
        }
        #expect(digests[0] == digests[1])
        #expect(!log.lines.withLock { $0 }.contains { $0.contains("differs") || $0.contains("left for") })
    }

    @Test func `a sample that differs raises the alarm, and nothing is written`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        for _ in 0..<30 { store.finish(store.accept()) }
        let right = try sample(store.relay)
        for _ in 0..<60 { store.finish(store.accept()) }
        fold(store, samples: [FoldSample(sequence: right.sequence - 3, digest: right.digest)])
        #expect(log.lines.withLock { $0 }.contains { $0.contains("differs") })
        #expect(scratch.names("snapshots").isEmpty)
        fold(store, samples: [right])
        #expect(scratch.names("snapshots").count == 1)
        store.close()
    }

    @Test func `old segments go when two snapshots cover them and nothing open lies there, and not before`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        let old = SecondFold.Options(history: .seconds(-1_000))
        for _ in 0..<60 { store.finish(store.accept()) }
        fold(store, old)
        let before = scratch.names("segments")
        #expect(dropped.counts.withLock { $0.isEmpty })
        #expect(before.contains("segment-0000000000000001"))
        let kept = store.accept()
        for _ in 0..<60 { store.finish(store.accept()) }
        fold(store, old)
        let after = scratch.names("segments")
        #expect(!after.contains("segment-0000000000000001"))
        #expect(dropped.counts.withLock { $0.count == 1 && $0[0] == before.filter { !after.contains($0) }.count })
        #expect(scratch.names("snapshots").count == 2)
        for _ in 0..<60 { store.finish(store.accept()) }
        fold(store, old)
        #expect(scratch.names("snapshots").count == 2)
        let digest = store.relay.stateDigest
        store.close()

        let again = try JournaledRelay(scratch, log: log.log)
        #expect(again.relay.stateDigest == digest)
        #expect(again.contents.location(of: kept) != nil)
        fold(again, SecondFold.Options(history: .seconds(1_000)))
        #expect(scratch.names("segments").count >= after.count)
        again.close()
    }

    @Test func `history follows a finished notification and finds its content on disk`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        let first = store.accept(case: 5)
        store.finish(first)
        for number in 0..<40 { store.finish(store.accept(case: UInt64(100 + number))) }
        _ = store.accept(case: 5)
        let history = HistoryReader(store.journal.access, times: { [] })
        let followed = Mutex<HistoricTrail?>(nil)
        let place = Mutex<TextLocation?>(nil)
        let last = store.relay.sequence
        history.follow(HistoricTrail(of: first, in: store.relay), of: first, from: nil, through: last) { result in
            if case .success(let trail) = result { followed.withLock { $0 = trail } }
        }
        let done = ConditionLock(false)
        history.content(of: first, record: store.relay.notification(first)?.sequence ?? 0) { result in
            if case .success(let found) = result { place.withLock { $0 = found } }
            done.withLock { $0 = true }
            done.signal()
        }
        done.wait { $0 ? .done(()) : .untilSignal }
        let trail = try #require(followed.withLock { $0 })
        #expect(trail.isAccepted)
        #expect(trail.notification == store.relay.notification(first))
        #expect(trail.deliveries == store.relay.deliveries(of: first))
        #expect(trail.receipts == store.relay.trail(of: first))
        #expect(place.withLock { $0 } == store.contents.location(of: first) || place.withLock { $0 } != nil)
        history.stop()
        store.close()
    }

    @Test func `past the limit of waiting questions the answer is busy at once`() throws {
        let store = try JournaledRelay(scratch, log: log.log)
        let history = HistoryReader(store.journal.access, times: { [] })
        let gate = ConditionLock(false)
        let started = ConditionLock(false)
        history.events([1]) { _ in
            started.withLock { $0 = true }
            started.signal()
            gate.wait { $0 ? .done(()) : .untilSignal }
        }
        started.wait { $0 ? .done(()) : .untilSignal }
        let answers = Mutex<[Bool]>([])
        for _ in 0...HistoryReader.waitingLimit {
            history.events([1]) { result in
                if case .failure(.busy) = result {
                    answers.withLock { $0.append(false) }
                } else {
                    answers.withLock { $0.append(true) }
                }
            }
        }
        #expect(answers.withLock { $0 } == [false])
        gate.withLock { $0 = true }
        gate.signal()
        history.stop()
        #expect(answers.withLock { $0.count } == HistoryReader.waitingLimit + 1)
        store.close()
    }
}

/// How many segments went, drop by drop.
final class Recorder: Sendable {
    let counts = Mutex<[Int]>([])
}
