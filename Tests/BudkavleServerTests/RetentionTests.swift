import CaseNotifications
import Foundation
import Journal
import Routing
import STOMP
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer
@testable import Relay

/// Content goes when its time is over, and not a millisecond before.
@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
    /// `config/orebro`: seven days, thirty days.
    let acknowledged: Int64 = 7 * 86_400
    let unacknowledged: Int64 = 30 * 86_400

    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    // MARK: Setting the scene

    func finish(_ ids: [String], _ relay: CoreRelay, cases: [Int]) throws -> [NotificationID] {
        let (police, station) = (
            try relay.connect("pol-18-rlc", "station"), try relay.connect("jour-1880", "jourdator")
        )
        try station.subscribe("/inbox/jour-1880")
        var sent: [NotificationID] = []
        for (id, subject) in zip(ids, cases) {
            sent.append(try #require(NotificationID(text: try police.report(id, case: subject))))
            try station.finish(try station.hear(.message))
        }
        try relay.durable()
        return sent
    }

    /// When the last act on a notification happened.
    func lastAct(_ id: NotificationID, _ relay: CoreRelay) throws -> Timestamp {
        let acts = try relay.events().filter { event in
            switch event.body {
            case .opened, .maintenance: false
            default: event.body.notifications.contains(id)
            }
        }
        return try #require(acts.last).at
    }

    /// One sweep, judged by this time.
    @discardableResult
    func sweep(_ relay: CoreRelay, at now: Timestamp, limit: Int = RetentionLook.heldLimit) throws
        -> RetentionSweep
    {
        let done = Outcome<RetentionSweep>()
        try relay.onLoop { core in core.sweep(at: now, limit: limit) { _, sweep in done.set(sweep) } }
        let sweep = try done.wait()
        #expect(sweep.fault == nil)
        return sweep
    }

    enum Read: Equatable { case readable, erased, other }

    /// What the journal's own keys make of a notification's content.
    func read(_ id: NotificationID, _ relay: CoreRelay) throws -> Read {
        let record = try #require(
            try relay.events().firstIndex { event in
                if case .accepted(let accepted) = event.body { accepted.notification == id } else { false }
            })
        let done = Outcome<Read>()
        try relay.onLoop { core in
            core.history.content(of: id, record: UInt64(record) + 1) { [reader = core.reader] found in
                guard case .success(let location?) = found else { return done.set(.other) }
                reader.read([TextReader.Request(id: TextID(id), location: location)]) { results in
                    switch results.first {
                    case .success: done.set(.readable)
                    case .failure(.textErased): done.set(.erased)
                    default: done.set(.other)
                    }
                }
            }
        }
        return try done.wait()
    }

    func erasures(_ relay: CoreRelay) throws -> [[NotificationID]] {
        try relay.maintenance().filter { $0.kind == .erased }.map(\.notifications)
    }

    // MARK: Limits

    @Test func `finished content stays up to the limit, goes a millisecond behind it, and its case stays`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["first", "second"], relay, cases: [1, 1])
        let limit = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged)
        #expect(try sweep(relay, at: limit).notifications == 0)
        #expect(try read(ids[0], relay) == .readable)

        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).notifications == 1)
        #expect(try read(ids[0], relay) == .erased)
        #expect(try read(ids[1], relay) == .readable, "another notification of the same case")
        #expect(try erasures(relay) == [[ids[0]]])
        let person = try relay.connect("jour-1880", "person:staff-71")
        #expect(try refusal(of: ids[0], person) == "erased")
        let event = try #require(try relay.events().last { if case .maintenance = $0.body { true } else { false } })
        guard case .maintenance(let done) = event.body else { return }
        #expect(done.by == .none && done.what != .none && done.reasonSlot == nil)
        #expect(log.lines.withLock { $0 }.contains { $0.contains("past its time") })
        // A third one of the case is sealed under keys of its own and can be read.
        let third = try finish(["third"], relay, cases: [1])
        #expect(try read(third[0], relay) == .readable)
        try relay.stop()
    }

    /// The code of the refusal that a question for the content is answered with.
    private func refusal(of id: NotificationID, _ person: CoreClient) throws -> String? {
        do {
            _ = try person.query("notification", #"{"notification":"\#(id.text)"}"#)
            return nil
        } catch CoreClient.Fault.refused(let frame) {
            return frame.headers["code"]
        }
    }

    @Test func `an open alert keeps its content up to its own limit, then is withdrawn and its sender told`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("open", case: 1)))
        try relay.durable()
        let deadline = try #require(try relay.onLoop { $0.relay.deliveries(of: id).first?.acknowledgeBy })
        #expect(deadline > id.time)
        let limit = deadline.advanced(bySeconds: unacknowledged)
        for early in [id.time.advanced(bySeconds: unacknowledged + 1), limit.advanced(bySeconds: -1), limit] {
            #expect(try sweep(relay, at: early).notifications == 0)
        }
        #expect(try relay.onLoop { $0.relay.deliveries(of: id).map(\.transport) } == [.waiting])
        #expect(try read(id, relay) == .readable)

        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).notifications == 1)
        #expect(try relay.onLoop { $0.relay.deliveries(of: id).map(\.transport) } == [.withdrawn])
        #expect(try read(id, relay) == .erased)
        try police.subscribe("/receipts")
        var told: [String] = []
        for _ in 0..<2 {
            let message = try police.hear(.message)
            told.append(message.headers["notification"] == id.text ? String(decoding: message.body, as: UTF8.self) : "")
        }
        #expect(told[0].contains("accepted") && told[1].contains("recalled"), "\(told)")
        #expect(told[1].contains("before-custody"))
        // People still have to acknowledge it, and a second sweep does nothing more.
        #expect(try relay.onLoop { $0.relay.deliveries(of: id).allSatisfy { !$0.isFinished } })
        #expect(try sweep(relay, at: limit.advanced(bySeconds: 86_400)).notifications == 0)
        #expect(try erasures(relay) == [[id]])
        try relay.stop()
    }

    @Test func `open content goes some time after its deadline, or after its acceptance where it has none`() {
        let times = ContentTimes(afterAcknowledgement: acknowledged, unacknowledged: unacknowledged)
        let accepted = Timestamp(milliseconds: 1_000_000)
        let id = NotificationID(high: UInt64(accepted.milliseconds) << 16, low: 1)
        #expect(id.time == accepted)
        for (deadline, from) in [
            (nil, accepted), (accepted.advanced(bySeconds: -60), accepted),
            (accepted.advanced(bySeconds: 900), accepted.advanced(bySeconds: 900)),
        ] as [(Timestamp?, Timestamp)] {
            let limit = from.advanced(bySeconds: unacknowledged)
            #expect(!times.isPast(open: id, deadline: deadline, at: limit.advanced(bySeconds: -1)))
            #expect(!times.isPast(open: id, deadline: deadline, at: limit))
            #expect(times.isPast(open: id, deadline: deadline, at: limit.advanced(bySeconds: 1)))
        }
    }

    @Test func `a note on an acknowledgement goes with the content that it is about`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let (police, station) = (
            try relay.connect("pol-18-rlc", "station"), try relay.connect("jour-1880", "jourdator")
        )
        try station.subscribe("/inbox/jour-1880")
        let id = try #require(NotificationID(text: try police.report("noted", case: 1)))
        try station.acknowledge(try station.hear(.message))
        let who = #""notification":"\#(id.text)","person":"staff-71","role":"socialjour""#
        _ = try station.ask(#"{\#(who),"outcome":"taken","note":"ringer upp"}"#, of: "/acknowledgements")
        try relay.durable()
        let slots = try relay.events().compactMap { event -> UInt64? in
            if case .acknowledged(_, _, _, let slot) = event.body { slot } else { nil }
        }
        let slot = SlotID(rawValue: try #require(slots.first))
        let isLiving = { try relay.onLoop { try RecordReader($0.journal.access).isLiving(slot) } }
        #expect(try isLiving())
        let past = try lastAct(id, relay).advanced(bySeconds: acknowledged + 1)
        #expect(try sweep(relay, at: past).slots == 2)
        #expect(try !isLiving())
        try relay.stop()
    }

    // MARK: Restarts

    @Test func `what was finished before a restart or lies before a snapshot is found as well`() throws {
        var relay = try CoreRelay(scratch, finishedLimit: 1, isFolding: false, log: log.log)
        let ids = try finish(["gone", "kept"], relay, cases: [1, 2])
        #expect(try relay.onLoop { $0.relay.notification(ids[0]) } == nil)
        let past = try lastAct(ids[1], relay).advanced(bySeconds: acknowledged + 1)
        let before = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged)
        #expect(try sweep(relay, at: before).notifications == 0)
        try relay.stop()

        // The first start after it closes its segment, and a snapshot covers it.
        relay = try CoreRelay(scratch, log: log.log)
        try relay.folded(through: 1)
        try relay.stop()
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        #expect(try relay.onLoop { $0.journal.report.restoredFrom } != nil)
        #expect(try sweep(relay, at: past).notifications == 2)
        #expect(try ids.map { try read($0, relay) } == [.erased, .erased])
        #expect(try erasures(relay) == [ids])
        try relay.stop()

        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        #expect(try ids.map { try read($0, relay) } == [.erased, .erased])
        #expect(try sweep(relay, at: past).notifications == 0, "it is known by the keys what is done")
        let person = try relay.connect("jour-1880", "person:staff-71")
        #expect(try refusal(of: ids[0], person) == "erased")
        try relay.stop()
    }

    @Test func `an event without its deed, as a crash leaves it, is made good by the next sweep`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["cut-short"], relay, cases: [1])
        let note = MaintenanceNote(kind: .erased, what: RelayCore.retentionCode, count: 1, notifications: ids)
        #expect(try relay.onLoop { $0.append(note, reason: nil) })
        try relay.durable()
        #expect(try read(ids[0], relay) == .readable)
        let past = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged + 1)
        #expect(try sweep(relay, at: past).notifications == 1)
        #expect(try read(ids[0], relay) == .erased)
        try relay.stop()
    }

    // MARK: Steps

    @Test func `a sweep that may hold few notifications looks again, and finds each of them once`() throws {
        let relay = try CoreRelay(scratch, finishedLimit: 1, isFolding: false, log: log.log)
        let ids = try finish(["a", "b", "c", "d", "e"], relay, cases: [1, 1, 2, 2, 3])
        let past = try lastAct(ids[4], relay).advanced(bySeconds: acknowledged + 1)
        #expect(try sweep(relay, at: past, limit: 2).notifications == 5)
        #expect(try erasures(relay) == [Array(ids[0..<2]), Array(ids[2..<4]), [ids[4]]])
        let cursor = try relay.onLoop { $0.retention.cursor }
        #expect(cursor > UInt64(try relay.events().count) - 5, "nothing is read again")
        try relay.stop()
    }

    @Test func `a look holds as many notifications as it may, and says where the rest begins`() throws {
        for (count, rest) in [(3, nil), (4, 4)] as [(UInt64, UInt64?)] {
            var look = RetentionLook(horizon: Timestamp(milliseconds: 1_000), limit: 3)
            for number in 1...count { try look.take(accepted(number, at: 999), number: number) { _ in true } }
            #expect(look.found.count == 3 && look.rest == rest && look.young == nil)
        }
        var look = RetentionLook(horizon: Timestamp(milliseconds: 1_000), limit: 3)
        try look.take(accepted(1, at: 999), number: 1) { _ in false }
        #expect(look.found.isEmpty, "its slot is gone")
        try look.take(accepted(2, at: 1_000), number: 2) { _ in true }
        #expect(look.found.isEmpty && look.young == 2)
    }

    func accepted(_ number: UInt64, at milliseconds: Int64) -> Event {
        Event(
            at: Timestamp(milliseconds: milliseconds), leaf: LeafRandom(high: 1, low: number),
            body: .accepted(
                Accepted(
                    notification: NotificationID(high: 1, low: number), sourceID: "s-\(number)", source: 1, client: 2,
                    type: 3, policy: 4, municipality: 5, subject: CaseID(county: 18, year: 2026, number: 1),
                    digest: Digest(sha256Of: []), caseSlot: 7, isNewCase: false, notificationSlot: 100 + number,
                    urgency: .u1, isDrill: false, isProtected: false, supersedes: nil, grants: [], refusals: [])))
    }

    @Test func `the relay sweeps by itself when it is time, and not while a contradiction stops its answers`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let ids = try finish(["by-itself"], relay, cases: [1])
        let past = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged + 120)
        try relay.onLoop { core in
            core.checkpointStop = CheckpointStop(place: .beyond, size: 9, known: 8)
            core.clock.set(to: past)
            core.doWhatIsDue()
            #expect(core.retention.due.map { $0 > past } == true)
            core.checkpointStop = nil
            core.clock.set(to: past.advanced(bySeconds: 2 * RelayCore.retentionSeconds.between))
            core.doWhatIsDue()
            #expect(core.retention.due == nil, "one is under way")
        }
        let end = ContinuousClock.now + .seconds(30)
        while try erasures(relay).isEmpty, ContinuousClock.now < end { try relay.maintained() }
        #expect(try erasures(relay) == [ids])
        try relay.stop()
    }
}
