import STOMP
import Testing

/// C34 to C40: receipts, errors, DISCONNECT, transactions, refusals. More refusals are in Vectors/.
struct AnswerTests {
    private let refusal = SessionRefusal(code: "no-rule", path: "/type", message: "no rule: sends\\this")

    private func send(_ receipt: String, _ more: String = "") -> String {
        "SEND\ndestination:/notifications\nreceipt:\(receipt)\n\(more)\nx\0"
    }

    private func manual(_ headers: String = "") throws -> SessionHarness {
        var harness = try SessionHarness(.v1_2, headers)
        harness.answersAtOnce = false
        return harness
    }

    private func receipts(_ frames: [Frame]) -> [String?] {
        frames.filter { $0.command == .receipt }.map { $0.headers["receipt-id"] }
    }

    @Test func `C34 receipts leave in the order of the frames, whenever the answers come`() throws {
        var harness = try manual()
        harness.feed(send("a") + send("b") + "SEND\ndestination:/x\n\n\0" + send("c"))
        #expect(harness.frames().isEmpty, "no receipt before the answer")
        let orders = harness.requests.map(\.order)
        harness.answer(orders[3])
        harness.answer(orders[1], .receipt(["status": "accepted", "notification": "01J"]))
        #expect(harness.frames().isEmpty)
        harness.answer(orders[0])
        harness.answer(orders[0])
        let frames = harness.frames()
        #expect(receipts(frames) == ["a", "b", "c"])
        #expect(frames[1].headers == ["receipt-id": "b", "status": "accepted", "notification": "01J"])
    }

    @Test func `C34 every frame but CONNECT gives one receipt`() throws {
        var harness = try SessionHarness()
        harness.feed("SUBSCRIBE\nid:1\ndestination:/inbox\nack:client\nreceipt:s\n\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "one") }
        let acks = try harness.deliver([1, 2], to: request.key).compactMap { $0.headers["ack"] }
        harness.feed("ACK\nid:\(acks[0])\nreceipt:a\n\n\0NACK\nid:\(acks[1])\nreceipt:n\n\n\0")
        harness.feed("BEGIN\ntransaction:t\nreceipt:b\n\n\0COMMIT\ntransaction:t\nreceipt:c\n\n\0")
        harness.feed("BEGIN\ntransaction:t\n\n\0ABORT\ntransaction:t\nreceipt:o\n\n\0")
        harness.feed("UNSUBSCRIBE\nid:1\nreceipt:u\n\n\0DISCONNECT\nreceipt:d\n\n\0")
        #expect(receipts(harness.frames()) == ["a", "n", "b", "c", "o", "u", "d"])
    }

    @Test func `C35 ERROR echoes the receipt, is typed and measured, and the end follows`() throws {
        var harness = try SessionHarness()
        harness.feed("SEND\ndestination:/x\nreceipt:r1\nmessage-id:secret-payload\n\nsecret-payload\0")
        let text = String(decoding: harness.bytes(), as: UTF8.self)
        #expect(
            text.hasPrefix("ERROR\nreceipt-id:r1\nmessage:message-id on SEND\ncontent-type:text/plain\ncontent-length:")
        )
        #expect(!text.contains("secret-payload"))
        harness.tick(after: 2_000)
        #expect(harness.closes == [.error])
    }

    @Test func `C35 a fault inside a frame echoes the receipt that was read by then`() throws {
        var harness = try SessionHarness()
        harness.feed("SEND\nreceipt:r1\ncontent-length:999999\n\n")
        let error = try #require(harness.frames().last)
        #expect(error.headers["receipt-id"] == "r1" && error.headers["code"] == "too-large")
    }

    @Test func `C36 behind an ERROR what comes is dropped for two seconds and not longer`() throws {
        var harness = try SessionHarness()
        harness.feed("NONSENSE\n\n\0")
        harness.feed(send("late"))
        #expect(harness.requests.isEmpty && harness.session.wantsInput)
        harness.tick(after: 1_999)
        #expect(harness.closes.isEmpty)
        harness.tick(after: 1)
        #expect(harness.closes == [.error])
    }

    @Test func `C37 DISCONNECT is answered last and frames behind it are ignored`() throws {
        var harness = try manual()
        harness.feed(send("a") + "DISCONNECT\nreceipt:d\n\n\0" + send("late"))
        #expect(harness.requests.count == 1 && harness.closes.isEmpty)
        harness.answer(harness.requests[0].order)
        #expect(receipts(harness.frames()) == ["a", "d"])
        #expect(harness.closes == [.disconnected])
    }

    @Test func `C37 DISCONNECT without receipt and a bare end are fine`() throws {
        var harness = try SessionHarness()
        harness.feed("DISCONNECT\n\n\0")
        #expect(harness.closes == [.disconnected] && !harness.session.hasOutput)
        var other = try SessionHarness()
        #expect(other.session.endOfInput(at: other.now) == [.close(.peerClosed)])
        #expect(other.session.endOfInput(at: other.now).isEmpty)
    }

    @Test func `C38 a transaction is one list at COMMIT and nothing before`() throws {
        var harness = try manual()
        harness.answersAtOnce = true
        let key = try harness.subscribe("1", ack: "client")
        let acks = try harness.deliver([1, 2, 3], to: key).compactMap { $0.headers["ack"] }
        harness.answersAtOnce = false
        harness.effects = []
        harness.feed("BEGIN\ntransaction:t\n\n\0" + send("a", "transaction:t\n"))
        harness.feed("ACK\nid:\(acks[1])\ntransaction:t\n\n\0NACK\nid:\(acks[2])\ntransaction:t\n\n\0")
        #expect(harness.requests.isEmpty)
        #expect(harness.session.inFlightCount(of: key) == 3)
        harness.feed("COMMIT\ntransaction:t\nreceipt:c\n\n\0")
        let body = SendRequest(destination: "/notifications", body: [120])
        #expect(
            harness.requests.map(\.action) == [
                .commit([
                    TransactionItem(receipt: "a", action: .send(body)),
                    TransactionItem(receipt: nil, action: .acknowledge([1, 2])),
                    TransactionItem(receipt: nil, action: .reject([3])),
                ])
            ])
        #expect(harness.session.inFlightCount(of: key) == 0)
    }

    @Test func `C38 a message in a transaction is not acknowledged twice`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        let ack = try harness.deliver([1], to: key)[0].headers["ack"] ?? ""
        harness.feed("BEGIN\ntransaction:t\n\n\0ACK\nid:\(ack)\ntransaction:t\n\n\0ACK\nid:\(ack)\n\n\0")
        #expect(harness.failures.map(\.refusal.message) == ["unknown ack id"])
        #expect(harness.session.takeUnacknowledged() == [1], "the end is an ABORT")
    }

    @Test func `C38 ABORT makes its acknowledgements undone, also when the subscription is gone`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        let acks = try harness.deliver([1, 2], to: key).compactMap { $0.headers["ack"] }
        let ack = "ACK\nid:\(acks[0])\ntransaction:t\nreceipt:a\n\n\0"
        harness.feed("BEGIN\ntransaction:t\n\n\0\(ack)ABORT\ntransaction:t\nreceipt:o\n\n\0")
        let frames = harness.frames()
        #expect(receipts(frames) == ["a", "o"] && frames[0].headers["status"] == "aborted")
        harness.feed("BEGIN\ntransaction:t\n\n\0\(ack)UNSUBSCRIBE\nid:1\n\n\0")
        #expect(harness.requests.last?.action == .unsubscribe(key, returned: [2]))
        harness.feed("ABORT\ntransaction:t\n\n\0")
        #expect(harness.effects.last == .returned([1]))
        #expect(harness.failures.isEmpty && harness.session.takeUnacknowledged().isEmpty)
    }

    @Test func `C38 open transactions, their frames and bytes have limits`() throws {
        var limits = SessionLimits()
        limits.openTransactions = 2
        limits.transactionFrames = 2
        limits.transactionBytes = 2
        let begin = "BEGIN\ntransaction:1\n\n\0BEGIN\ntransaction:2\n\n\0"
        var harness = try SessionHarness(.v1_2, limits: limits)
        harness.feed(begin + send("a", "transaction:1\n") + send("b", "transaction:1\n"))
        #expect(harness.failures.isEmpty)
        var third = harness
        third.feed("BEGIN\ntransaction:3\n\n\0")
        #expect(third.failures.map(\.refusal.message) == ["more than 2 open transactions"])
        var frame = harness
        frame.feed(send("c", "transaction:1\n"))
        #expect(frame.failures.map(\.refusal.message) == ["more than 2 frames in a transaction"])
        harness.feed(send("c", "transaction:2\n"))
        #expect(harness.failures.map(\.refusal.message) == ["more than 2 bytes in transactions"])
    }

    @Test func `C39 the receipts of a transaction come when COMMIT is answered`() throws {
        var harness = try manual()
        harness.feed("BEGIN\ntransaction:t\nreceipt:b\n\n\0" + send("a", "transaction:t\n") + send("x"))
        harness.feed("COMMIT\ntransaction:t\nreceipt:c\n\n\0")
        #expect(receipts(harness.frames()) == ["b"])
        harness.answer(harness.requests[0].order)
        #expect(receipts(harness.frames()) == ["x"])
        harness.answer(harness.requests[1].order, .committed([["status": "accepted"]]))
        let frames = harness.frames()
        #expect(receipts(frames) == ["a", "c"] && frames[0].headers["status"] == "accepted")
    }

    @Test func `C39 one refusal refuses the whole transaction`() throws {
        var harness = try manual("rejections:receipt\n")
        harness.feed("BEGIN\ntransaction:t\n\n\0" + send("a", "transaction:t\n") + "COMMIT\ntransaction:t\n\n\0")
        harness.answer(harness.requests[0].order, .refused(refusal))
        let frames = harness.frames()
        #expect(receipts(frames) == ["a"] && frames[0].headers["status"] == "refused" && harness.closes.isEmpty)
    }

    @Test func `C40 ERROR waits for the receipts before it and nothing behind it counts`() throws {
        var harness = try manual()
        harness.feed(send("a") + send("b") + send("c"))
        let orders = harness.requests.map(\.order)
        harness.answer(orders[1], .refused(refusal))
        #expect(harness.session.mayDecide(orders[0]) && !harness.session.mayDecide(orders[2]))
        harness.answer(orders[2])
        harness.feed(send("d"))
        #expect(harness.requests.count == 3 && !harness.session.hasOutput)
        harness.answer(orders[0])
        let frames = harness.frames()
        #expect(frames.map(\.command) == [.receipt, .error])
        #expect(frames[1].headers["receipt-id"] == "b" && frames[1].headers["code"] == "no-rule")
        #expect(frames[1].headers["path"] == "/type" && frames[1].headers["message"] == "no rule  sends this")
        harness.tick(after: 2_000)
        #expect(harness.closes == [.error])
    }

    @Test func `C40 with rejections receipt the session goes on`() throws {
        var harness = try manual("rejections:receipt\n")
        harness.feed(send("a") + send("b"))
        harness.answer(harness.requests[0].order, .refused(refusal))
        harness.answer(harness.requests[1].order)
        let frames = harness.frames()
        #expect(
            frames[0].headers == [
                "receipt-id": "a", "status": "refused", "code": "no-rule", "path": "/type",
                "message": "no rule  sends this",
            ])
        #expect(receipts(frames) == ["a", "b"] && harness.failures.isEmpty)
    }

    @Test func `C40 a frame without receipt is refused by ERROR all the same`() throws {
        var harness = try manual("rejections:receipt\n")
        harness.feed("SUBSCRIBE\nid:1\ndestination:/nowhere\n\n\0" + send("b"))
        harness.answer(harness.requests[0].order, .refused(.unknownDestination))
        #expect(!harness.session.mayDecide(harness.requests[1].order))
        #expect(harness.frames().map(\.command) == [.error])
    }

    @Test func `a refused SUBSCRIBE leaves no subscription behind`() throws {
        var harness = try manual("rejections:receipt\n")
        harness.feed("SUBSCRIBE\nid:1\ndestination:/nowhere\nreceipt:r\n\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "one") }
        harness.answer(harness.requests[0].order, .refused(.unknownDestination))
        #expect(harness.session.credit(for: request.key) == 0)
        _ = try harness.subscribe("1")
        #expect(harness.failures.isEmpty)
    }

    @Test func `what is unanswered is bounded by count and bytes`() throws {
        var limits = SessionLimits()
        limits.unansweredRequests = 2
        limits.unansweredBytes = 5
        var harness = try SessionHarness(.v1_2, limits: limits)
        harness.answersAtOnce = false
        harness.feed(send("a"))
        #expect(harness.session.wantsInput)
        var other = harness
        harness.feed(send("b"))
        #expect(!harness.session.wantsInput)
        harness.answer(harness.requests[0].order)
        #expect(harness.session.wantsInput)
        other.feed("SEND\ndestination:/x\nreceipt:b\n\nyy\0")
        #expect(!other.session.wantsInput, "2 and 3 bytes")
    }

    @Test func `headers that SEND does not take are dropped and counted`() throws {
        var harness = try SessionHarness()
        harness.feed(send("a", "content-type:a/b\ncontent-length:1\nx-trace:1\npersistent:true\n"))
        #expect(
            harness.requests[0].action
                == .send(SendRequest(destination: "/notifications", contentType: "a/b", body: [120])))
        #expect(harness.session.quirks.droppedSendHeaders == 2)
    }

    @Test func `an end from our side waits for the answers before it`() throws {
        var harness = try manual()
        harness.feed(send("a"))
        let effects = harness.session.end(with: SessionRefusal(message: "shutting down"), at: harness.now)
        #expect(effects.count == 1 && !harness.session.hasOutput)
        harness.answer(harness.requests[0].order)
        #expect(harness.frames().map(\.command) == [.receipt, .error])
    }

    @Test func `a silent peer with unanswered frames is cut all the same`() throws {
        var harness = try manual("heart-beat:10000,0\n")
        harness.feed(send("a"))
        harness.tick(after: 25_000)
        harness.tick(after: 2_000)
        #expect(harness.closes == [.timeout])
    }
}
