import CaseNotifications
import Testing

@testable import Relay

/// Which records receipts that nobody has read are still made from.
@Suite struct UnreadReceiptTests {
    @Test(arguments: [1, Relay.finishedLimit])
    func `the oldest acceptance of an unread receipt counts, whether its notification is in memory or has left it`(
        finishedLimit: Int
    ) throws {
        var fixture = Fixture(finishedLimit: finishedLimit)
        #expect(fixture.relay.oldestUnreadAcceptance == nil)
        var accepted: [UInt64] = []
        var last: [UInt64] = []
        for number in 0..<3 {
            let id = fixture.accept(fixture.submission(id: "n-\(number)"))
            accepted.append(try #require(fixture.relay.notification(id)?.sequence))
            fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            last.append(fixture.relay.nextReceiptNumber)
        }
        #expect(fixture.relay.notifications.count == min(3, finishedLimit))
        #expect(fixture.relay.oldestUnreadAcceptance == accepted[0])
        for number in 0..<3 {
            // All but the last of one notification.
            fixture.run(.readReceipts(ReceiptTests.sender, through: last[number] - 1))
            #expect(fixture.relay.oldestUnreadAcceptance == accepted[number])
            fixture.run(.readReceipts(ReceiptTests.sender, through: last[number]))
            #expect(fixture.relay.oldestUnreadAcceptance == accepted.dropFirst(number + 1).first)
        }
    }
}
