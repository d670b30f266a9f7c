import CaseNotifications
import Relay
import TestSupport
import Testing

@testable import BudkavleServer

/// That the relay forgets in time with nobody doing anything: one timer wakes it.
@Suite(.timeLimit(.minutes(10))) struct TrimTimerTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    private func trims(_ relay: CoreRelay) throws -> [Timestamp] {
        try relay.events().compactMap { event in
            if case .trimmed = event.body { event.at } else { nil }
        }
    }

    /// Asks again until the timer has made the relay forget, for 20 s at most.
    private func wait(for relay: CoreRelay) throws {
        let end = ContinuousClock.now + .seconds(20)
        while try trims(relay).isEmpty { try #require(ContinuousClock.now < end, "the timer never came") }
    }

    /// Leaves the timer nothing but what the relay may forget.
    private static func quieten(_ core: isolated RelayCore) {
        core.retention.due = nil
        core.agreements.due = nil
        core.rights.reviewedDay = .distantPast ..< .distantFuture
    }

    @Test func `when its time comes by a clock that is believed, a timer makes the relay forget once`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        _ = try relay.connect("pol-18-rlc", "station").report("n-1", case: 1)
        try relay.durable()
        let due = try relay.onLoop { core in
            Self.quieten(core)
            let due = try #require(core.relay.nextDue)
            core.clock = RelayClock(startingAt: due.advanced(bySeconds: -3_600), speed: 36_000)
            core.pumpSoon()
            return due
        }
        try wait(for: relay)
        let trimmed = try trims(relay)
        #expect(trimmed.count == 1 && trimmed.allSatisfy { $0 >= due })
        try relay.stop()
    }

    /// The clock is 1,000 days ahead, and an hour of it passes in 36 ms; the certain time is 200 ms from the moment.
    @Test func `under a clock that is too far ahead the timer comes each hour until the time is certain`() throws {
        let relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        _ = try relay.connect("pol-18-rlc", "station").report("n-1", case: 1)
        try relay.durable()
        let due = try relay.onLoop { core in
            Self.quieten(core)
            let due = try #require(core.relay.nextDue)
            core.clock = RelayClock(startingAt: due.advanced(bySeconds: 1_000 * 86_400), speed: 100_000)
            core.retention.isClockSteered = false
            core.retention.anchor(
                at: .distantFuture, newest: Timestamp(milliseconds: due.milliseconds - 200),
                monotonic: MonotonicTime.milliseconds)
            core.doWhatIsDue()
            core.pumpSoon()
            return due
        }
        try wait(for: relay)
        let trimmed = try trims(relay)
        #expect(trimmed.count == 1)
        // Ten seconds after the start the record of the clock would have woken it as well.
        #expect(trimmed.allSatisfy { $0 >= due && $0 < due.advanced(bySeconds: 8) })
        try relay.stop()
    }

    @Test func `a receipt is late long before the segment of its acceptance may go`() {
        let limit = DaemonSettings.Store.historyLimits.lowerBound
        #expect(.seconds(Relay.lateReceiptSeconds) + .seconds(30 * 86_400) <= limit)
    }
}
