import CaseNotifications
import Foundation
import Journal
import STOMP
import Testing

@testable import BudkavleServer
@testable import Relay

/// What the relay forgets by time, and by which clock; and slots that a sweep leaves alone.
@Suite(.timeLimit(.minutes(10))) struct TrimClockTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    private func trims(_ relay: CoreRelay) throws -> [Timestamp] {
        try relay.events().compactMap { event in
            if case .trimmed = event.body { event.at } else { nil }
        }
    }

    @Test func `a clock that is too far ahead makes the relay forget nothing, and it asks again after an hour`() throws
    {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("n-1", case: 1)
        try relay.durable()
        try relay.onLoop { core in
            core.retention.isClockSteered = false
            let due = try #require(core.relay.nextDue)
            for late: Int64 in [0, 1] {
                let jumped = due.advanced(bySeconds: late)
                core.clock.set(to: jumped)
                core.doWhatIsDue()
                #expect(core.nextTrim(at: jumped) == jumped.advanced(bySeconds: 3_600))
            }
            #expect(core.nextTrim(at: due.advanced(bySeconds: -1)) == due)
        }
        #expect(try trims(relay).isEmpty)
        let again = try police.ask(CoreClient.concern("n-1", case: 1))
        #expect(again["status"] == "duplicate" && again["notification"] == id, "\(again)")
        try relay.stop()
    }

    @Test func `what is past its time by the certain clock is forgotten, and the event carries that time`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        let police = try relay.connect("pol-18-rlc", "station")
        _ = try police.report("n-1", case: 1)
        try relay.durable()
        let due = try relay.onLoop { core in
            let due = try #require(core.relay.nextDue)
            core.retention.isClockSteered = false
            core.retention.anchor(at: .distantFuture, newest: due, monotonic: MonotonicTime.milliseconds)
            core.clock.set(to: due.advanced(bySeconds: 1_000 * 86_400))
            core.doWhatIsDue()
            return due
        }
        let trimmed = try trims(relay)
        #expect(trimmed.count == 1)
        #expect(trimmed.allSatisfy { $0 >= due && $0 < due.advanced(bySeconds: 86_400) })
        try relay.stop()
    }

    @Test func `a later slot that is gone or cannot be read is left out, and the others go`() throws {
        var look = RetentionLook(horizon: Timestamp(milliseconds: 1_000))
        let id = NotificationID(high: 1, low: 1)
        let delivery = DeliveryID(notification: id, ordinal: 0)
        let leaf = LeafRandom(high: 1, low: 1)
        for slot: UInt64 in 10...13 {
            let act = HumanAct(party: 1, client: 2, person: 3, role: 4)
            let body = EventBody.acknowledged(delivery, act, .taken, noteSlot: slot)
            try look.take(Event(at: Timestamp(milliseconds: 900), leaf: leaf, body: body), number: slot) { $0 != 11 }
        }
        #expect(look.found[id]?.slots == [10, 12, 13])
    }
}
