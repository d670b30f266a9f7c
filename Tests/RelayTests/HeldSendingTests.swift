import CaseNotifications
import Testing

@testable import Relay

/// A sending that waits, for content or for a slow reader, is worth something only while its subscriber holds it.
struct HeldSendingTests {
    private static let first = DispatchTests.first
    private static let second = DispatchTests.second
    private static let delivery = DispatchTests.id(1)

    /// A delivery in flight at `first`, which stands at the desks `a` and `b`.
    private static func sent() throws -> (dispatch: Dispatch, sending: Sending) {
        var dispatch = Dispatch()
        dispatch.add(first, desks: [desk("a"), desk("b")], credit: 1)
        dispatch.enqueue(DispatchTests.ticket(1, desk: "a"))
        let sending = try #require(dispatch.next(at: DispatchTests.now, limit: 10).first)
        #expect(dispatch.holds(sending))
        return (dispatch, sending)
    }

    private static func next(_ dispatch: inout Dispatch) -> [Sending] {
        dispatch.next(at: DispatchTests.now, limit: 10)
    }

    @Test(arguments: [
        [], [Change.desk(desk("a"), delivery)], [.withdrawn(DispatchTests.id(2))],
        [.returned(DispatchTests.id(2), readyAt: DispatchTests.now)],
    ])
    func `what changes nothing for a sending leaves it held`(_ changes: [Change]) throws {
        var (dispatch, sending) = try Self.sent()
        for change in changes { dispatch.handle(change) }
        #expect(dispatch.holds(sending))
    }

    @Test(arguments: [
        Change.custody(delivery), .setAside(delivery), .withdrawn(delivery),
        .returned(delivery, readyAt: DispatchTests.now), .queued(DispatchTests.ticket(1, desk: "b")),
    ])
    func `what takes a delivery off its subscription ends its sending, and the credit is back once`(
        _ change: Change
    ) throws {
        var (dispatch, sending) = try Self.sent()
        dispatch.handle(change)
        #expect(!dispatch.holds(sending))
        dispatch.handle(.withdrawn(Self.delivery))
        for order in [2, 3] as [UInt64] { dispatch.enqueue(DispatchTests.ticket(order, case: order, desk: "a")) }
        #expect(Self.next(&dispatch).map(\.ticket.order) == [2])
    }

    @Test func `a confirmation and the end of a subscription end a sending`() throws {
        var (dispatch, sending) = try Self.sent()
        dispatch.acked(Self.delivery, by: Self.first)
        #expect(!dispatch.holds(sending))
        (dispatch, sending) = try Self.sent()
        dispatch.remove(Self.first)
        #expect(!dispatch.holds(sending))
    }

    @Test func `a delivery that went to another desk of the same subscriber is held by its new sending alone`() throws {
        var (dispatch, old) = try Self.sent()
        dispatch.handle(.withdrawn(Self.delivery))
        dispatch.handle(.queued(DispatchTests.ticket(1, desk: "b")))
        let new = try #require(Self.next(&dispatch).first)
        #expect(new.ticket.desk == desk("b") && new.subscriber == old.subscriber)
        #expect(!dispatch.holds(old) && dispatch.holds(new))
    }

    @Test func `a delivery that came back to its desk with the same ticket is held by its newest sending`() throws {
        var (dispatch, sending) = try Self.sent()
        for _ in 0..<3 {
            let old = sending
            dispatch.handle(.withdrawn(Self.delivery))
            dispatch.handle(.queued(DispatchTests.ticket(1, desk: "b")))
            dispatch.handle(.withdrawn(Self.delivery))
            dispatch.handle(.queued(old.ticket))
            sending = try #require(Self.next(&dispatch).first)
            #expect(sending.ticket == old.ticket && sending.subscriber == old.subscriber)
            #expect(!dispatch.holds(old) && dispatch.holds(sending))
        }
        #expect(dispatch.inFlight(of: Self.first) == [Self.delivery] && dispatch.inFlightCount == 1)
    }

    @Test func `a delivery that another subscriber got meanwhile is not held by the first one's sending`() throws {
        var (dispatch, old) = try Self.sent()
        dispatch.remove(Self.first)
        dispatch.add(Self.second, desks: [desk("a")], credit: 1)
        let new = try #require(Self.next(&dispatch).first)
        #expect(new.subscriber == Self.second && new.ticket.isRedelivered)
        #expect(!dispatch.holds(old) && dispatch.holds(new))
    }

    @Test func `what was given back and went out again is held by its new sending alone`() throws {
        var (dispatch, old) = try Self.sent()
        dispatch.returned(Self.delivery, by: Self.first, readyAt: DispatchTests.now)
        #expect(!dispatch.holds(old))
        let new = try #require(Self.next(&dispatch).first)
        #expect(!dispatch.holds(old) && dispatch.holds(new))
    }
}
