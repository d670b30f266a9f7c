import CaseNotifications
import Testing

@testable import Relay

/// Receipts about notifications that are so old that the segment of their acceptance may be gone.
@Suite struct LateReceiptTests {
    /// Played to its end, all its receipts read.
    private static func finish(_ fixture: inout Fixture, _ name: String) -> NotificationID {
        let id = fixture.accept(fixture.submission(id: name))
        fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
        read(&fixture)
        return id
    }

    private static func read(_ fixture: inout Fixture) {
        fixture.run(.readReceipts(ReceiptTests.sender, through: fixture.relay.nextReceiptNumber))
    }

    /// What the sender has not read, of which the acceptance need not be read from disk, and of which it has to be.
    private static func unread(_ fixture: Fixture) -> (atHand: [NotificationID], fromDisk: Int) {
        var (ids, fromDisk): ([NotificationID], Int) = ([], 0)
        var last = fixture.relay.cursor(of: ReceiptTests.sender)
        while let next = fixture.relay.nextReceipt(for: ReceiptTests.sender, after: last) {
            if let receipt = next.atHand?.receipt { ids.append(receipt.notification) } else { fromDisk += 1 }
            last = next.number
        }
        return (ids, fromDisk)
    }

    private static func isThere(_ id: NotificationID, _ fixture: Fixture) -> Bool {
        fixture.relay.notification(id) != nil
    }

    @Test func `a late receipt keeps its notification in memory until it was read`() throws {
        var fixture = Fixture(finishedLimit: 2)
        let old = Self.finish(&fixture, "old")
        #expect(fixture.relay.oldestUnreadAcceptance == nil, "nothing keeps the segment of its acceptance")
        fixture.wait(seconds: Relay.lateReceiptSeconds)
        fixture.run(Fixture.open(old, by: Fixture.onCall()))
        for number in 0..<5 {
            let id = fixture.accept(fixture.submission(id: "n-\(number)", source: "reg-18-akm"))
            fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            #expect(Self.isThere(old, fixture))
            #expect(fixture.relay.notifications.count == 2)
        }
        #expect(Self.unread(fixture) == ([old], 0))
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
        let restored = try Relay.restored(from: fixture.relay.pieces, finishedLimit: 2)
        #expect(restored.stateDigest == fixture.relay.stateDigest)
        Self.read(&fixture)
        for number in 5..<7 { _ = Self.finish(&fixture, "n-\(number)") }
        #expect(!Self.isThere(old, fixture))
        #expect(fixture.relay.notifications.count == 2)
    }

    @Test(arguments: [Int64(-1), 0])
    func `a receipt is late from the limit on`(more: Int64) {
        var fixture = Fixture(finishedLimit: 1)
        let old = Self.finish(&fixture, "old")
        fixture.wait(seconds: Relay.lateReceiptSeconds + more)
        fixture.run(Fixture.open(old, by: Fixture.onCall()))
        let next = fixture.accept(fixture.submission(id: "n-1", source: "reg-18-akm"))
        fixture.run(.custody(DeliveryID(notification: next, ordinal: 0), by: Fixture.onCallStation))
        fixture.run(Fixture.acknowledge(next, .taken, by: Fixture.onCall()))
        #expect(Self.isThere(old, fixture) == (more == 0))
        #expect(Self.isThere(next, fixture) == (more != 0))
        #expect(Self.unread(fixture) == (more == 0 ? ([old], 0) : ([], 1)))
    }

    @Test func `when all that is kept has late receipts, no more than the limit stays, and the first goes`() {
        var fixture = Fixture(finishedLimit: 3)
        let old = (0..<4).map { number in
            let id = fixture.accept(fixture.submission(id: "old-\(number)"))
            fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
            return id
        }
        Self.read(&fixture)
        fixture.wait(seconds: Relay.lateReceiptSeconds)
        for (place, id) in old.enumerated() {
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            #expect(old.prefix(place + 1).filter { Self.isThere($0, fixture) }.count == min(place + 1, 3))
        }
        #expect(old.map { Self.isThere($0, fixture) } == [false, true, true, true])
        #expect(Self.unread(fixture) == (Array(old[1...]), 1))
        #expect(fixture.relay.finished.count == 3)
    }

    @Test func `a late receipt that waited too long keeps nothing any more`() {
        var fixture = Fixture(finishedLimit: 1)
        let old = Self.finish(&fixture, "old")
        fixture.wait(seconds: Relay.lateReceiptSeconds)
        fixture.run(Fixture.open(old, by: Fixture.onCall()))
        fixture.wait(seconds: Relay.receiptSeconds)
        fixture.run(.trim)
        #expect(Self.unread(fixture) == ([], 0))
        _ = Self.finish(&fixture, "n-1")
        #expect(!Self.isThere(old, fixture))
    }
}
