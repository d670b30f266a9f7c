import CaseNotifications
import Foundation
import Journal
import STOMP
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer
@testable import Relay

/// What goes by time where a slab cannot be read: the rest, and what lies in it when it is back.
extension RetentionTests {
    enum SlabDamage: CaseIterable {
        case rotten, missing
        /// A directory in its place: it opens, and reading fails as on a bad sector.
        case unreadable

        func strike(_ slab: URL) throws {
            let bytes = try Data(contentsOf: slab)
            try FileManager.default.removeItem(at: slab)
            switch self {
            case .rotten:
                var rotten = bytes
                rotten[5_000] ^= 1
                try rotten.write(to: slab)
            case .missing: break
            case .unreadable: try FileManager.default.createDirectory(at: slab, withIntermediateDirectories: false)
            }
        }
    }

    /// A slab's file and what was in it.
    struct SlabCopy {
        let url: URL
        let bytes: Data

        func putBack() throws {
            try? FileManager.default.removeItem(at: url)
            try bytes.write(to: url)
        }
    }

    /// Three finished notifications: two in a slab that is no longer in memory, one in the slab of a later start.
    private func acrossSlabs() throws -> (relay: CoreRelay, ids: [NotificationID], slab: SlabCopy) {
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        var ids = try finish(["a", "b"], relay, cases: [1, 2])
        try relay.stop()
        let name = try #require(scratch.names("keys").first { $0.hasPrefix("slab-") })
        let url = URL(filePath: scratch.directory + "/keys/" + name)
        let slab = SlabCopy(url: url, bytes: try Data(contentsOf: url))
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        ids += try finish(["c"], relay, cases: [3])
        try relay.stop()
        #expect(scratch.names("keys").contains(name), "texts lie in it")
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        return (relay, ids, slab)
    }

    /// What the log said of slabs that cannot be read, since the last time it was asked.
    private func told() -> [String] {
        log.lines.withLock { lines in
            defer { lines = [] }
            return lines.filter { $0.contains("slabs that cannot be read") }
        }
    }

    private func isErased(_ id: NotificationID, _ relay: CoreRelay) throws -> Bool {
        try relay.onLoop { $0.relay.contentState(of: id) == .erased }
    }

    @Test(arguments: SlabDamage.allCases)
    func `content beside a slab that cannot be read goes by time, and what lies in it when it was put back`(
        damage: SlabDamage
    ) throws {
        let (relay, ids, slab) = try acrossSlabs()
        let past = try lastAct(ids[2], relay).advanced(bySeconds: acknowledged + 1)
        try damage.strike(slab.url)
        for round in 1...2 {
            let swept = try sweep(relay, at: past)
            #expect(swept.notifications == (round == 1 ? 1 : 0) && swept.slots == (round == 1 ? 1 : 0))
            #expect(swept.left == 2)
            #expect(try erasures(relay) == [[ids[2]]], "of what stays nobody says that it went")
            #expect(try ids.map { try isErased($0, relay) } == [false, false, true])
            let told = told()
            #expect(told.count == 1)
            #expect(told.allSatisfy { $0.contains(": up to 2 in slabs") && $0.contains(slab.url.path) }, "\(told)")
        }
        #expect(try read(ids[2], relay) == .erased)

        try slab.putBack()
        #expect(try ids.map { try read($0, relay) } == [.readable, .readable, .erased])
        let swept = try sweep(relay, at: past)
        #expect(swept.notifications == 2 && swept.slots == 2 && swept.left == 0)
        #expect(try erasures(relay) == [[ids[2]], [ids[0], ids[1]]])
        #expect(try ids.map { try read($0, relay) } == [.erased, .erased, .erased])
        #expect(told().isEmpty)
        #expect(try sweep(relay, at: past).notifications == 0)
        try relay.stop()
    }

    @Test func `what cannot be read and is not past its time yet is not said to be left, and goes by time`() throws {
        let (relay, ids, slab) = try acrossSlabs()
        try SlabDamage.missing.strike(slab.url)
        let limit = try lastAct(ids[0], relay).advanced(bySeconds: acknowledged)
        let early = try sweep(relay, at: limit)
        #expect(early.notifications == 0 && early.left == 0)
        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).left == 1)
        #expect(told().count == 1)
        try slab.putBack()
        #expect(try sweep(relay, at: Timestamp(milliseconds: limit.milliseconds + 1)).notifications == 1)
        #expect(try ids.map { try read($0, relay) } == [.erased, .readable, .readable])
        try relay.stop()
    }

    @Test(arguments: SlabDamage.allCases)
    func `a slab that cannot be read any more when the keys go is not counted, and the next sweep begins with it`(
        damage: SlabDamage
    ) throws {
        let (relay, ids, slab) = try acrossSlabs()
        let past = try lastAct(ids[2], relay).advanced(bySeconds: acknowledged + 1)
        // Only some of what is used in it, or it would go whole: what a look found while it could be read.
        let due = Array(try texts(ids, relay)[1...])
        let cut = RetentionSweep(now: past, times: times)
        try damage.strike(slab.url)
        let done = Outcome<RetentionSweep>()
        try relay.onLoop { core in core.retire(due[...], cut) { _, sweep in done.set(sweep) } }
        let swept = try done.wait()
        #expect(swept.fault == nil)
        #expect(swept.notifications == 1 && swept.slots == 1 && swept.left == 1)
        #expect(swept.cursor == due[0].texts.record && swept.unreadable == slab.url.path)
        #expect(try read(ids[2], relay) == .erased)

        // From the sweep's end on, as the relay goes on by itself.
        try relay.onLoop { $0.retention.cursor = swept.cursor }
        #expect(try sweep(relay, at: past).left == 1)
        #expect(told().count == 1)
        try slab.putBack()
        #expect(try sweep(relay, at: past).notifications == 1)
        #expect(try ids.map { try read($0, relay) } == [.readable, .erased, .erased])
        try relay.stop()
    }

    @Test func `a note that can be read goes, and its notification counts when nothing of it stays`() throws {
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        var station = try relay.connect("jour-1880", "jourdator")
        let police = try relay.connect("pol-18-rlc", "station")
        try station.subscribe("/inbox/jour-1880")
        let id = try #require(NotificationID(text: try police.report("noted", case: 1)))
        try station.acknowledge(try station.hear(.message))
        try relay.stop()
        let name = try #require(scratch.names("keys").first { $0.hasPrefix("slab-") })
        let url = URL(filePath: scratch.directory + "/keys/" + name)
        let slab = SlabCopy(url: url, bytes: try Data(contentsOf: url))

        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        station = try relay.connect("jour-1880", "jourdator")
        let who = #""notification":"\#(id.text)","person":"staff-71","role":"socialjour""#
        _ = try station.ask(#"{\#(who),"outcome":"taken","note":"ringer upp"}"#, of: "/acknowledgements")
        try relay.stop()
        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        try SlabDamage.missing.strike(slab.url)
        let past = try lastAct(id, relay).advanced(bySeconds: acknowledged + 1)
        for slots in [1, 0] {
            let swept = try sweep(relay, at: past)
            #expect(swept.notifications == 0 && swept.slots == slots && swept.left == 1)
            #expect(try erasures(relay) == [[id]], "said once, when the note goes")
        }
        try slab.putBack()
        #expect(try read(id, relay) == .readable)
        let swept = try sweep(relay, at: past)
        #expect(swept.notifications == 1 && swept.slots == 1 && swept.left == 0)
        #expect(try read(id, relay) == .erased)
        try relay.stop()
    }

    @Test func `a look holds what cannot be read, with its type and what can be read of it`() throws {
        var look = RetentionLook(horizon: Timestamp(milliseconds: 1_000))
        let id = NotificationID(high: 1, low: 1)
        try look.take(accepted(1, at: 900), number: 1) { _ in nil }
        let act = HumanAct(party: 1, client: 2, person: 3, role: 4)
        let (delivery, leaf) = (DeliveryID(notification: id, ordinal: 0), LeafRandom(high: 1, low: 1))
        let body = EventBody.acknowledged(delivery, act, .taken, noteSlot: 7)
        try look.take(Event(at: Timestamp(milliseconds: 950), leaf: leaf, body: body), number: 2) { _ in true }
        #expect(
            look.found[id]
                == RetentionLook.Texts(
                    record: 1, type: 3, lastAct: Timestamp(milliseconds: 950), slots: [7], isUnread: true))
        try look.take(accepted(2, at: 1_000), number: 3) { _ in nil }
        #expect(look.found.count == 1 && look.young == 3)
    }
}
