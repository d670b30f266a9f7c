import CaseNotifications
import Testing

@testable import Relay

/// Back-offs when the wall clock is set back: none is longer than if it had begun at that moment.
@Suite struct BackoffTests {
    static let settings = RelaySettings(attempts: 200, firstBackoffSeconds: 2, lastBackoffSeconds: 10)
    static let now = Fixture.friday
    static let earlier = now.advanced(bySeconds: -7_200)
    static let station = SubscriberID(rawValue: 1)

    private static func before(_ time: Timestamp) -> Timestamp { Timestamp(milliseconds: time.milliseconds - 1) }

    /// Demands that nothing goes before this moment, and this delivery then.
    private static func expect(_ delivery: DeliveryID, at time: Timestamp, from dispatch: Dispatch) {
        var dispatch = dispatch
        #expect(dispatch.next(at: earlier, limit: 9).isEmpty)
        #expect(dispatch.nextWake(after: earlier) == time)
        #expect(dispatch.next(at: before(time), limit: 9).isEmpty)
        #expect(dispatch.next(at: time, limit: 9).map(\.ticket.delivery) == [delivery])
    }

    @Test(arguments: zip(1...6, [2, 4, 8, 10, 10, 10] as [Int64]))
    func `a clock that is set back leaves a back-off as long as it would be from then on`(returns: Int, seconds: Int64)
    {
        var dispatch = Dispatch(settings: Self.settings)
        dispatch.add(Self.station, desks: [desk("d")], credit: 1)
        dispatch.enqueue(DispatchTests.ticket(1))
        var now = Self.now
        for count in 1...returns {
            #expect(dispatch.next(at: now, limit: 9).count == 1)
            let readyAt = now.advanced(bySeconds: Self.settings.backoffSeconds(returns: count))
            dispatch.returned(DispatchTests.id(1), by: Self.station, readyAt: readyAt)
            if count < returns { now = readyAt }
        }
        // Without a jump it waits for its time.
        #expect(dispatch.next(at: now, limit: 9).isEmpty)
        #expect(dispatch.nextWake(after: now) == now.advanced(bySeconds: seconds))
        Self.expect(DispatchTests.id(1), at: Self.earlier.advanced(bySeconds: seconds), from: dispatch)
    }

    @Test func `what is left of a back-off when the clock is set back a little is not made longer`() {
        var dispatch = Dispatch(settings: Self.settings)
        dispatch.add(Self.station, desks: [desk("d")], credit: 1)
        dispatch.enqueue(DispatchTests.ticket(1))
        _ = dispatch.next(at: Self.now, limit: 9)
        let readyAt = Self.now.advanced(bySeconds: 2)
        dispatch.returned(DispatchTests.id(1), by: Self.station, readyAt: readyAt)
        let almost = Self.before(readyAt)
        #expect(dispatch.next(at: almost, limit: 9).isEmpty)
        #expect(dispatch.next(at: Self.now, limit: 9).isEmpty)
        #expect(dispatch.nextWake(after: Self.now) == readyAt)
    }

    @Test func `what waits for its calendar goes on waiting for it`() {
        var dispatch = Dispatch(settings: Self.settings)
        let monday = Self.now.advanced(bySeconds: 2 * 86_400)
        dispatch.add(Self.station, desks: [desk("d")], credit: 1)
        dispatch.enqueue(DispatchTests.ticket(1, .u4, readyAt: monday))
        #expect(dispatch.next(at: Self.now, limit: 9).isEmpty)
        Self.expect(DispatchTests.id(1), at: monday, from: dispatch)
    }

    @Test(arguments: [Int64(0), 1])
    func `a return that is on disk only when the clock was set back waits no longer than the longest back-off`(
        more: Int64
    ) {
        var dispatch = Dispatch(settings: Self.settings)
        dispatch.add(Self.station, desks: [desk("d")], credit: 1)
        dispatch.enqueue(DispatchTests.ticket(1))
        #expect(dispatch.next(at: Self.now, limit: 9).count == 1)
        let longest = Self.settings.lastBackoffSeconds
        let earlier = Self.now.advanced(bySeconds: 2 - longest - more)
        #expect(dispatch.next(at: earlier, limit: 9).isEmpty)
        // It was decided when the clock was not set back yet.
        let readyAt = Self.now.advanced(bySeconds: Self.settings.backoffSeconds(returns: 1))
        dispatch.handle(.returned(DispatchTests.id(1), readyAt: readyAt))
        #expect(dispatch.next(at: earlier, limit: 9).isEmpty)
        let wait: Int64 = more == 0 ? longest : 2
        #expect(dispatch.nextWake(after: earlier) == earlier.advanced(bySeconds: wait))
    }

    @Test func `a start after the clock was set back has no longer back-offs either`() {
        var fixture = Fixture(settings: Self.settings)
        let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        let delivery = DeliveryID(notification: id, ordinal: 0)
        fixture.wait(seconds: 3_600)
        for _ in 0..<2 { fixture.run(.giveBack(delivery, by: TransportTests.station)) }
        var dispatch = Dispatch(settings: Self.settings)
        dispatch.restore(from: fixture.relay)
        dispatch.add(Self.station, desks: [desk("soc-1880")], credit: 1)
        Self.expect(delivery, at: Self.earlier.advanced(bySeconds: 4), from: dispatch)
    }

    @Test func `a confirmation that could not be written brings its delivery again after a moment, whatever the clock`()
    {
        var dispatch = Dispatch(settings: Self.settings)
        dispatch.add(Self.station, desks: [desk("d")], credit: 1)
        #expect(dispatch.next(at: Self.now, limit: 9).isEmpty)
        let soon = Self.now.advanced(bySeconds: 5)
        dispatch.retry(DispatchTests.ticket(1), readyAt: soon)
        var undisturbed = dispatch
        #expect(undisturbed.next(at: Self.before(soon), limit: 9).isEmpty)
        #expect(undisturbed.next(at: soon, limit: 9).count == 1)
        Self.expect(DispatchTests.id(1), at: Self.earlier.advanced(bySeconds: 2), from: dispatch)
    }

    @Test func `what is requeued or handed to another desk goes at once, also when the clock was set back since`() {
        for isRequeued in [true, false] {
            var fixture = Fixture(settings: RelaySettings(attempts: 1))
            let id = fixture.accept(fixture.submission())
            let delivery = DeliveryID(notification: id, ordinal: 0)
            fixture.wait(seconds: 3_600)
            if isRequeued {
                fixture.run(.giveBack(delivery, by: Fixture.onCallStation))
                fixture.run(.requeue(delivery, by: Fixture.onCallStation))
            } else {
                fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
            }
            var live = Dispatch()
            for change in fixture.drainChanges() { live.handle(change) }
            var restarted = Dispatch()
            restarted.restore(from: fixture.relay)
            for var dispatch in [live, restarted] {
                dispatch.add(Self.station, desks: [desk("jour-1880"), desk("soc-1880")], credit: 1)
                #expect(dispatch.next(at: Self.earlier, limit: 9).map(\.ticket.delivery) == [delivery])
            }
        }
    }
}
