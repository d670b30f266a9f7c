import CaseNotifications
import EventLoop
import Foundation
import Journal
import Routing
import STOMP
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer
@testable import Relay

/// What happens to notifications, and to the clock, while content waits to go.
extension RetentionTests {
    private static let toReception = Act.handedOver(
        to: HandOverTarget(
            party: PartyID(unchecked: "soc-1880"), desk: DeskID(unchecked: "soc-1880-mottagning"), role: nil))

    /// A person at the on-call desk says what becomes of a notification.
    private static func acknowledge(_ id: NotificationID, _ act: Act, _ core: isolated RelayCore) throws {
        let facts = try #require(core.relay.deliveries(of: id).first)
        let person = PersonID(unchecked: "staff-72")
        let actor = Actor(
            party: facts.agent ?? facts.party, client: ClientID(unchecked: "jourdator"), person: person,
            role: "socialjour", desks: [facts.desk])
        let before = core.relay.sequence
        _ = core.perform(
            .acknowledge(
                Acknowledgement(
                    notification: id, actor: actor, person: person, role: "socialjour", act: act, at: nil)),
            answers: { _ in [] })
        try #require(core.relay.sequence > before, "it was not refused")
    }

    /// What a look finds of these, as the journal is now.
    func texts(_ ids: [NotificationID], _ relay: CoreRelay) throws -> RelayCore.DueTexts {
        let events = try relay.events()
        return try ids.map { id in
            for (place, event) in events.enumerated() {
                guard case .accepted(let accepted) = event.body, accepted.notification == id else { continue }
                let texts = RetentionLook.Texts(
                    record: UInt64(place) + 1, type: accepted.type, lastAct: try lastAct(id, relay),
                    slots: [accepted.notificationSlot])
                return (id, texts)
            }
            throw CoreClient.Fault.silence
        }
    }

    var times: RetentionSettings {
        RetentionSettings(
            content: ContentTimes(afterAcknowledgement: acknowledged, unacknowledged: unacknowledged))
    }

    // MARK: Acts

    @Test func `an alert that somebody takes as a sweep begins or reads keeps its content from then on`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let (police, station) = (
            try relay.connect("pol-18-rlc", "station"), try relay.connect("jour-1880", "jourdator")
        )
        try station.subscribe("/inbox/jour-1880")
        let ids = try (1...2).map { number in
            let id = try #require(NotificationID(text: try police.report("late-\(number)", case: number)))
            try station.acknowledge(try station.hear(.message))
            return id
        }
        try relay.durable()
        let now = ids[1].time.advanced(bySeconds: 10 * 86_400)
        let done = Outcome<RetentionSweep>()
        try relay.onLoop { core in
            core.clock.set(to: now)
            // One act is applied and not on disk yet when the sweep begins, the other comes while it reads.
            try Self.acknowledge(ids[0], .taken, core)
            core.sweep(at: now) { _, sweep in done.set(sweep) }
            try Self.acknowledge(ids[1], .taken, core)
        }
        let swept = try done.wait()
        #expect(swept.fault == nil && swept.notifications == 0)
        #expect(try ids.map { try read($0, relay) } == [.readable, .readable])
        #expect(try relay.onLoop { $0.retention.touched == nil && $0.retention.due != nil })

        #expect(try sweep(relay, at: try lastAct(ids[0], relay).advanced(bySeconds: acknowledged)).notifications == 0)
        #expect(
            try sweep(relay, at: try lastAct(ids[1], relay).advanced(bySeconds: acknowledged + 1)).notifications == 2)
        try relay.stop()
    }

    @Test func `one that is handed over before its batch keeps its content, and the batches behind it go`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["a", "b", "c"], relay, cases: [1, 2, 3])
        let due = try texts(ids, relay)
        let past = try lastAct(ids[2], relay).advanced(bySeconds: acknowledged + 1)
        let sweep = RetentionSweep(now: past, times: times, batch: 1)
        let done = Outcome<RetentionSweep>()
        try relay.onLoop { core in
            core.retire(due[...], sweep) { _, sweep in done.set(sweep) }
            try Self.acknowledge(ids[1], Self.toReception, core)
        }
        let swept = try done.wait()
        #expect(swept.fault == nil && swept.notifications == 2)
        #expect(swept.cursor == due[1].texts.record, "the next sweep begins with it")
        #expect(try ids.map { try read($0, relay) } == [.erased, .readable, .erased])
        #expect(try erasures(relay) == [[ids[0]], [ids[2]]])
        try relay.stop()
    }

    @Test func `a sweep during which more happens than can be remembered ends and leaves the rest`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["kept"], relay, cases: [1])
        let due = try texts(ids, relay)
        let past = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged + 1)
        let (sweep, horizon) = (RetentionSweep(now: past, times: times), times.horizon(at: past))
        for (count, isFull) in [(RetentionTouches.limit, false), (RetentionTouches.limit + 1, true)] {
            let done = Outcome<RetentionSweep>()
            try relay.onLoop { core in
                var touched = RetentionTouches(horizon: horizon)
                touched.take((1...count).map { touch(NotificationID(high: 1, low: UInt64($0))) })
                #expect(touched.isFull == isFull)
                core.retention.touched = touched
                core.retire(isFull ? due[...] : [], sweep) { _, sweep in done.set(sweep) }
                core.retention.touched = nil
            }
            #expect(try done.wait().fault == (isFull ? .tooFar : nil))
        }
        #expect(try read(ids[0], relay) == .readable)
        try relay.stop()
    }

    @Test func `what is too young, seen before or done to the store itself takes no room among what was touched`() {
        var touched = RetentionTouches(horizon: Timestamp(milliseconds: 2))
        let (old, young) = (NotificationID(high: 1 << 16, low: 1), NotificationID(high: 2 << 16, low: 1))
        touched.take([touch(young), touch(old)])
        #expect(touched.contains(old) && !touched.contains(young))
        var full = RetentionTouches(horizon: Timestamp(milliseconds: 2))
        full.take((1...RetentionTouches.limit).map { touch(NotificationID(high: 1, low: UInt64($0))) })
        full.take([touch(young), touch(NotificationID(high: 1, low: 1))])
        #expect(!full.isFull)
        full.take([touch(old)])
        #expect(full.isFull && !full.contains(old))
    }

    private func touch(_ id: NotificationID, at milliseconds: Int64 = 1) -> Event {
        Event(at: Timestamp(milliseconds: milliseconds), leaf: LeafRandom(high: 1, low: 1), body: .unreadable(id))
    }

    @Test func `an act that a clock set back dates earlier makes nothing older`() throws {
        var look = RetentionLook(horizon: Timestamp(milliseconds: 1_000))
        try look.take(accepted(1, at: 900), number: 1) { _ in true }
        let id = NotificationID(high: 1, low: 1)
        for (at, last) in [(950, 950), (10, 950), (951, 951)] as [(Int64, Int64)] {
            try look.take(touch(id, at: at), number: 2) { _ in true }
            #expect(look.found[id]?.lastAct == Timestamp(milliseconds: last))
        }
    }

    // MARK: Clocks

    @Test func `a clock that is ahead is believed up to a day, and beyond that the running time counts`() {
        let limit = RetentionState.jumpLimitMilliseconds
        var state = RetentionState()
        #expect(state.credible(.distantFuture, monotonic: 0) == .distantPast, "before the start nothing is due")
        func credible(_ now: Int64) -> Int64 {
            state.credible(Timestamp(milliseconds: now), monotonic: 130).milliseconds
        }
        state.anchor(at: Timestamp(milliseconds: 9 * limit), newest: Timestamp(milliseconds: 5_000), monotonic: 100)
        #expect(credible(5_030 + limit) == 5_030 + limit)
        #expect(credible(5_031 + limit) == 5_030, "from the start on too")
        #expect(credible(1) == 1, "set back, nothing is due too early")
        state.isClockSteered = true
        #expect(credible(5_031 + limit) == 5_031 + limit)

        state.isClockSteered = false
        state.anchor(at: Timestamp(milliseconds: 4_000), newest: Timestamp(milliseconds: 5_000), monotonic: 100)
        #expect(credible(4_031 + limit) == 4_030, "the clock is behind the newest event")
        state.anchor(at: Timestamp(milliseconds: 4_000), newest: .distantPast, monotonic: 100)
        #expect(credible(4_030 + limit) == 4_030 + limit, "a journal that begins")
    }

    @Test func `when the clock is set back, the next sweep is an hour away and not further`() {
        var state = RetentionState()
        #expect(state.nextDue(at: Timestamp(milliseconds: 0)) == nil)
        let hour = RelayCore.retentionSeconds.between * 1_000
        state.due = Timestamp(milliseconds: 10 * hour)
        #expect(state.nextDue(at: Timestamp(milliseconds: 9 * hour))?.milliseconds == 10 * hour)
        #expect(state.nextDue(at: Timestamp(milliseconds: 9 * hour - 1))?.milliseconds == 10 * hour - 1)
        #expect(state.due?.milliseconds == 10 * hour - 1)
    }

    @Test func `a start with a clock a year ahead destroys nothing, and what the running time makes old goes`() throws {
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["kept"], relay, cases: [1])
        let newest = try #require(try relay.events().map(\.at).max())
        try relay.stop()

        relay = try CoreRelay(scratch, isFolding: false, aheadSeconds: 365 * 86_400, log: log.log)
        let wrong = try relay.onLoop { core in
            // As on a machine's own clock.
            core.retention.isClockSteered = false
            return core.clock.now
        }
        #expect(try relay.onLoop { $0.retention.anchor?.relay } == newest)
        for daysRunning in [0, 7, 8] as [Int64] {
            try relay.onLoop { core in
                core.retention.anchor(
                    at: wrong, newest: core.lastEventAtStart,
                    monotonic: MonotonicTime.milliseconds - daysRunning * 86_400_000 + (daysRunning == 7 ? 60_000 : 0))
                core.retention.due = core.clock.now
                core.doWhatIsDue()
                #expect(core.retention.due == nil, "one is under way")
            }
            let end = ContinuousClock.now + .seconds(30)
            while try relay.onLoop({ $0.retention.due == nil }), ContinuousClock.now < end { try relay.maintained() }
            #expect(try erasures(relay) == (daysRunning < 8 ? [] : [ids]))
            #expect(try read(ids[0], relay) == (daysRunning < 8 ? .readable : .erased))
        }
        #expect(log.lines.withLock { $0 }.filter { $0.contains("over a day ahead of the newest event") }.count == 3)
        try relay.stop()
    }
}
