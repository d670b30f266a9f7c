import CaseNotifications
import Testing

@testable import Relay

/// What stays in memory: what is open, and little besides.
@Suite struct MemoryTests {
    @Test(arguments: [1_000, 20_000, 60_000, 120_000])
    func `a known submission takes at most 48 bytes, tables included`(count: Int) {
        var known = KnownSubmissions()
        var random = Seeded(5)
        for number in 0..<count {
            known.insert(
                SubmissionKey(bits: random.next()),
                KnownRow(
                    notification: NotificationID(high: UInt64(number), low: 1), sequence: UInt64(number),
                    digest: Fixture.policy),
                at: Fixture.friday)
        }
        let bytes = known.slices.reduce(0) { $0 + $1.table.memoryBytes }
        let each = Double(bytes) / Double(count)
        #expect(each <= 48, "\(each) bytes each of \(count)")
    }

    /// Plays notifications to their end: custody, taken by a person, receipts read.
    private static func play(_ fixture: inout Fixture, from first: Int, count: Int) {
        for number in first..<first + count {
            let id = fixture.accept(
                fixture.submission(id: "n-\(number)", subject: CaseID(county: 18, year: 2026, number: UInt64(number))))
            fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            if number % 10 == 9 {
                let last = fixture.relay.nextReceiptNumber
                fixture.run(.readReceipts(ReceiptTests.sender, through: last))
            }
            fixture.journal.removeAll()
            fixture.changes.removeAll()
        }
    }

    @Test func `20000 finished and read notifications leave as many rows as the limit, beside those of open ones`() {
        var fixture = Fixture(finishedLimit: 500)
        var open: [NotificationID] = []
        for number in 0..<100 {
            open.append(
                fixture.accept(
                    fixture.submission(
                        id: "open-\(number)", subject: CaseID(county: 19, year: 2026, number: UInt64(number)))))
        }
        Self.play(&fixture, from: 0, count: 20_000)
        let relay = fixture.relay
        #expect(relay.notifications.count == 600)
        #expect(relay.deliveries.count == 600)
        #expect(relay.acts.count == 500)
        // Three receipts of each, of open ones the first.
        #expect(relay.receiptRows.count == 1_600)
        #expect(relay.index.count == 600 && relay.cases.count == 600)
        #expect(relay.known.count == 20_100)
        #expect(relay.boxes.values.allSatisfy { $0.rows.count == 0 })
        #expect(open.allSatisfy { relay.notification($0) != nil })
        #expect(relay.notifications.end <= 601 && relay.receiptRows.end <= 1_700)
    }

    @Test func `a case that left memory takes a new slot, one that is in memory keeps its own`() {
        var fixture = Fixture(finishedLimit: 1)
        Self.play(&fixture, from: 0, count: 1)
        let subject = CaseID(county: 18, year: 2026, number: 0)
        #expect(fixture.relay.caseSlot(of: subject) == 8)
        Self.play(&fixture, from: 1, count: 1)
        #expect(fixture.relay.caseSlot(of: subject) == nil)
        var again = fixture.submission(id: "again", subject: subject)
        again.freshCaseSlot = 99
        _ = fixture.accept(again)
        #expect(fixture.relay.caseSlot(of: subject) == 99)
    }

    @Test func `a duplicate is known after its notification has left memory`() {
        var fixture = Fixture(finishedLimit: 1)
        Self.play(&fixture, from: 0, count: 5)
        let (id, sequence) = fixture.relay.record(source: party("pol-18-rlc"), id: "n-0")!
        #expect(fixture.relay.notification(id) == nil)
        #expect(fixture.run(.submit(fixture.submission(id: "n-0"))) == .duplicate(id, sequence: sequence))
        #expect(fixture.run(.submit(fixture.submission(id: "n-0", body: "other"))) == .refused(.conflict))
    }

    @Test func `receipts that nobody has read outlive their notification and are made from its record`() throws {
        var fixture = Fixture(finishedLimit: 1)
        var wanted: [NumberedReceipt] = []
        for number in 0..<4 {
            let id = fixture.accept(fixture.submission(id: "n-\(number)", client: "client-\(number % 2)"))
            fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
            let last = fixture.relay.nextReceiptNumber
            wanted += fixture.relay.receipts(for: ReceiptTests.sender, after: last - 2, limit: 9)
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
            wanted += fixture.relay.receipts(for: ReceiptTests.sender, after: last, limit: 9)
        }
        #expect(fixture.relay.notifications.count == 1 && wanted.count == 12)
        var desk = ReceiptDesk()
        desk.add(ReceiptTests.first, reader: ReceiptTests.sender, credit: 100, relay: fixture.relay)
        #expect(desk.next(relay: fixture.relay, durable: .max, limit: 100).isEmpty)
        let needs = desk.takeNeeds()
        #expect(needs.count == 3 && desk.takeNeeds().isEmpty)
        // The second cannot be read: its three receipts are skipped.
        for (place, record) in needs.enumerated() {
            let event = try EventCodec.decode(fixture.journal[Int(record) - 1])
            desk.supply(record: record, place == 1 ? nil : event)
        }
        let sent = desk.next(relay: fixture.relay, durable: .max, limit: 100).map(\.receipt)
        #expect(sent == Array(wanted[..<3] + wanted[6...]))
        #expect(desk.skippedCount == 3)
        for receipt in sent {
            let through = desk.acked(receipt.number, by: ReceiptTests.first)?.through
            fixture.run(.readReceipts(ReceiptTests.sender, through: through ?? 0))
        }
        #expect(fixture.relay.cursor(of: ReceiptTests.sender) == 12)
        #expect(fixture.relay.receiptRows.count == 3)
        #expect(fixture.relay.boxes.values.allSatisfy { $0.rows.count == 0 })
    }

    @Test func `a receipt stays until the slowest of its readers has it, and others' do not matter`() {
        var fixture = Fixture(finishedLimit: 1)
        let mine = ReceiptReader.client(party("pol-18-rlc"), client("client-1"))
        for number in 0..<6 {
            _ = fixture.accept(fixture.submission(id: "n-\(number)", client: "client-\(number % 2)"))
        }
        fixture.run(.readReceipts(mine, through: 2))
        #expect(fixture.relay.receipts(for: ReceiptTests.sender, after: 0, limit: 9).map(\.number) == [1, 3, 4, 5, 6])
        fixture.run(.readReceipts(ReceiptTests.sender, through: 5))
        #expect(fixture.relay.receipts(for: mine, after: 0, limit: 9).map(\.number) == [4, 6])
        #expect(fixture.relay.boxes.values.first?.firstNumber == 4)
        fixture.run(.readReceipts(mine, through: 6))
        #expect(fixture.relay.receipts(for: ReceiptTests.sender, after: 0, limit: 9).map(\.number) == [6])
        fixture.run(.readReceipts(ReceiptTests.sender, through: 6))
        #expect(fixture.relay.boxes.values.first?.rows.count == 0)
        #expect(fixture.relay.boxes.values.first?.lastNumber == 6)
    }

    @Test func `what is open again after it was finished does not leave`() {
        var fixture = Fixture(finishedLimit: 2)
        let id = fixture.accept(fixture.submission())
        fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.onCallStation))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
        Self.play(&fixture, from: 10, count: 20)
        #expect(fixture.relay.delivery(DeliveryID(notification: id, ordinal: 0))?.work == .handedOver)
        fixture.run(.custody(DeliveryID(notification: id, ordinal: 0), by: Fixture.board()))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board()))
        Self.play(&fixture, from: 40, count: 5)
        #expect(fixture.relay.notification(id) == nil)
        #expect(fixture.relay.notifications.count == 2)
    }

    @Test func `a sample is given up to its limit of rows and not one past it`() {
        var relay = Relay(collaboration: CollaborationID("orebro")!)
        // Three rows each: notification, delivery, receipt.
        SnapshotTests.fill(&relay, known: 0, open: Relay.sampleRowLimit / 3)
        let act = ActRow(next: .none, person: 0, role: 0, kind: .opened, fingerprint: 0, sequence: 0)
        for _ in 0..<Relay.sampleRowLimit % 3 { _ = relay.acts.add(act) }
        #expect(relay.sample()?.digest == relay.stateDigest && relay.sample()?.sequence == relay.sequence)
        _ = relay.acts.add(act)
        #expect(relay.sample() == nil)
    }
}

extension Relay {
    /// The number of the newest receipt of the sender.
    var nextReceiptNumber: UInt64 {
        names.number(of: .party(party("pol-18-rlc"))).flatMap { boxes[$0]?.lastNumber } ?? 0
    }
}
