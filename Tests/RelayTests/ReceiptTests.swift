import CaseNotifications
import Testing

@testable import Relay

@Suite struct ReceiptTests {
    static let sender = ReceiptReader.party(PartyID("pol-18-rlc")!)
    static let mine = ReceiptReader.client(PartyID("pol-18-rlc")!, ClientID("client-b")!)
    static let first = SubscriberID(rawValue: 1)
    static let second = SubscriberID(rawValue: 2)

    /// A relay with receipts 1, 2, 3 of `client-a` and 4 of `client-b`.
    private static func four() -> Fixture {
        var fixture = Fixture()
        for number in 0..<4 {
            _ = fixture.accept(fixture.submission(id: "n-\(number)", client: number == 3 ? "client-b" : "client-a"))
        }
        return fixture
    }

    @Test func `a client reads its own, the party all of them, others none`() {
        let fixture = Self.four()
        #expect(fixture.relay.receipts(for: Self.sender, after: 0, limit: 9).map(\.number) == [1, 2, 3, 4])
        #expect(fixture.relay.receipts(for: Self.sender, after: 2, limit: 1).map(\.number) == [3])
        #expect(fixture.relay.receipts(for: Self.mine, after: 0, limit: 9).map(\.number) == [4])
        #expect(fixture.relay.receipts(for: .party(party("soc-1880")), after: 0, limit: 9).isEmpty)
        #expect(fixture.relay.receipts(for: Self.sender, after: .max, limit: 9).isEmpty)
    }

    @Test func `a cursor moves forward only, never beyond what there is, and each reader has its own`() {
        var fixture = Self.four()
        guard case .done = fixture.run(.readReceipts(Self.sender, through: 3)) else {
            Issue.record("refused")
            return
        }
        #expect(fixture.relay.cursor(of: Self.sender) == 3)
        #expect(fixture.relay.cursor(of: Self.mine) == 0)
        for through in [3, 2, 5] as [UInt64] {
            #expect(fixture.run(.readReceipts(Self.sender, through: through)) == .nothing)
        }
        fixture.run(.readReceipts(Self.mine, through: 4))
        #expect(fixture.relay.cursor(of: Self.mine) == 4)
    }

    @Test func `nothing is sent before its event is durable`() {
        let fixture = Self.four()
        var receipts = ReceiptDesk()
        receipts.add(Self.first, reader: Self.sender, credit: 10, relay: fixture.relay)
        let second = fixture.relay.receiptSequence(party("pol-18-rlc"), 2)!
        #expect(receipts.next(relay: fixture.relay, durable: second, limit: 10).map(\.receipt.number) == [1, 2])
        #expect(receipts.next(relay: fixture.relay, durable: second, limit: 10).isEmpty)
        #expect(
            receipts.next(relay: fixture.relay, durable: fixture.relay.sequence, limit: 10).map(\.receipt.number)
                == [3, 4])
    }

    @Test func `the cursor follows the first one that is still missing`() {
        let fixture = Self.four()
        var receipts = ReceiptDesk()
        receipts.add(Self.first, reader: Self.sender, credit: 4, relay: fixture.relay)
        _ = receipts.next(relay: fixture.relay, durable: fixture.relay.sequence, limit: 10)
        #expect(receipts.acked(2, by: Self.first) == ReceiptAck(reader: Self.sender, through: nil))
        #expect(receipts.acked(1, by: Self.first) == ReceiptAck(reader: Self.sender, through: 2))
        #expect(receipts.acked(1, by: Self.first) == nil)
        #expect(receipts.acked(4, by: Self.first) == ReceiptAck(reader: Self.sender, through: nil))
        #expect(receipts.acked(3, by: Self.first) == ReceiptAck(reader: Self.sender, through: 4))
    }

    @Test func `readers of one party compete within their credit, and what one loses the other gets again`() {
        let fixture = Self.four()
        var receipts = ReceiptDesk()
        receipts.add(Self.first, reader: Self.sender, credit: 1, relay: fixture.relay)
        receipts.add(Self.second, reader: Self.sender, credit: 2, relay: fixture.relay)
        let sent = receipts.next(relay: fixture.relay, durable: .max, limit: 10)
        #expect(sent.map(\.receipt.number) == [1, 2, 3])
        #expect(sent.map(\.subscriber) == [Self.first, Self.second, Self.second])
        receipts.remove(Self.second)
        receipts.add(Self.second, reader: Self.sender, credit: 9, relay: fixture.relay)
        let again = receipts.next(relay: fixture.relay, durable: .max, limit: 10)
        #expect(again.map(\.receipt.number) == [2, 3, 4])
        #expect(again.map(\.isRedelivered) == [true, true, false])
        #expect(receipts.returned(3, by: Self.second) == true)
        #expect(receipts.next(relay: fixture.relay, durable: .max, limit: 10).map(\.receipt.number) == [3])
        #expect(receipts.acked(2, by: Self.second) == ReceiptAck(reader: Self.sender, through: nil))
    }

    @Test func `a new receipt wakes its readers, and a subscription goes on behind its cursor`() {
        var fixture = Self.four()
        var receipts = ReceiptDesk()
        fixture.run(.readReceipts(Self.mine, through: 4))
        receipts.add(Self.first, reader: Self.mine, credit: 5, relay: fixture.relay)
        #expect(receipts.next(relay: fixture.relay, durable: .max, limit: 10).isEmpty)
        _ = fixture.drainChanges()
        _ = fixture.accept(fixture.submission(id: "n-9", client: "client-b"))
        _ = fixture.accept(fixture.submission(id: "n-10", client: "client-a"))
        for change in fixture.drainChanges() { receipts.handle(change) }
        let sent = receipts.next(relay: fixture.relay, durable: .max, limit: 10)
        #expect(sent.map(\.receipt.receipt.id) == ["n-9"])
        #expect(receipts.acked(5, by: Self.first)?.through == 5)
    }

    @Test func `a notification's trail is its own receipts in order, found by the sender's id too`() {
        var fixture = Self.four()
        let id = fixture.relay.notification(source: party("pol-18-rlc"), id: "n-1")!
        _ = fixture.accept(fixture.submission(id: "n-9"))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
        #expect(fixture.relay.trail(of: id).map(\.event) == [.accepted, .acknowledged])
        #expect(fixture.relay.trail(of: id).allSatisfy { $0.notification == id })
        #expect(fixture.relay.notification(source: party("pol-18-rlc"), id: "n-99") == nil)
        #expect(fixture.relay.trail(of: NotificationID(high: 1, low: 1)).isEmpty)
    }

    @Test func `receipts cause no receipts`() {
        var fixture = Self.four()
        _ = fixture.drainChanges()
        fixture.run(.readReceipts(Self.sender, through: 4))
        #expect(fixture.drainChanges().isEmpty)
        #expect(fixture.relay.nextReceipt(for: Self.sender, after: 0) == nil)
    }
}
