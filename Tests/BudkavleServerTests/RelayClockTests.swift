import CaseNotifications
import Testing

@testable import BudkavleServer

@Suite struct RelayClockTests {
    private static let start = Timestamp(rfc3339: "2026-12-11T23:00:00+01:00") ?? .distantPast

    @Test func `a simulated clock that stands still shows its start and never says how long to wait`() {
        let clock = RelayClock(startingAt: Self.start, speed: 0)
        #expect(clock.now == Self.start)
        #expect(clock.isSimulated)
        #expect(clock.milliseconds(until: Self.start.advanced(bySeconds: 1)) == nil)
        #expect(clock.milliseconds(until: Self.start) == 0)
    }

    @Test func `setting it forward moves it, and it runs on from there`() {
        var clock = RelayClock(startingAt: Self.start, speed: 0)
        let later = Self.start.advanced(bySeconds: 900)
        clock.set(to: later)
        #expect(clock.now == later)
    }

    @Test func `waiting is counted in real time`() {
        let clock = RelayClock(startingAt: Self.start, speed: 1_000_000)
        let wait = clock.milliseconds(until: Self.start.advanced(bySeconds: 1_000_000))
        #expect((0...1_000).contains(wait ?? -1))
    }

    @Test func `the wall clock is never set`() {
        var clock = RelayClock.wall
        clock.set(to: Self.start)
        #expect(!clock.isSimulated)
        #expect(clock.now > Timestamp(rfc3339: "2025-01-01T00:00:00Z") ?? .distantFuture || clock.now < Self.start)
    }
}
