import STOMP
import Testing

/// C27 to C33: subscriptions, messages, acknowledgements. More refusals are in Vectors/.
struct SubscriptionTests {
    private func tags(_ request: Request?) -> [MessageTag]? {
        switch request?.action {
        case .acknowledge(let tags), .reject(let tags), .unsubscribe(_, let tags): tags
        default: nil
        }
    }

    @Test func `C27 a subscription id is used once per connection, and again after UNSUBSCRIBE`() throws {
        var harness = try SessionHarness()
        let first = try harness.subscribe("1")
        harness.feed("UNSUBSCRIBE\nid:1\n\n\0")
        let second = try harness.subscribe("1")
        #expect(first != second)
        harness.feed("SUBSCRIBE\nid:1\ndestination:/x\n\n\0")
        #expect(harness.failures.map(\.refusal.message) == ["subscription id is in use"])
    }

    @Test func `C27 not yours and not there have one text`() throws {
        var harness = try SessionHarness()
        harness.answersAtOnce = false
        harness.feed("SUBSCRIBE\nid:1\ndestination:/inbox/x\nack:client\nreceipt:r\n\n\0")
        harness.answer(harness.requests[0].order, .refused(.unknownDestination))
        let error = try #require(harness.frames().last)
        #expect(error.command == .error && error.headers["message"] == "unknown destination")
        #expect(error.headers["receipt-id"] == "r")
    }

    @Test func `C28 MESSAGE has the headers of protocol md`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1", "/inbox")
        var message = OutgoingMessage(contentType: "application/cloudevents+json", body: Array("{}".utf8))
        message.destination = "/inbox/jour"
        message.notification = "01JD"
        message.urgency = "U1"
        message.priority = 9
        message.acknowledgeBy = 1_700_000_000_000
        message.deliveryCount = 2
        message.isRedelivered = true
        message.isDrill = true
        let isWritten = harness.session.deliver(message, to: key, tag: 7)
        #expect(isWritten)
        #expect(
            String(decoding: harness.bytes(), as: UTF8.self) == """
                MESSAGE\nmessage-id:s0-65536\nsubscription:1\ndestination:/inbox/jour\nack:s0-65536
                content-type:application/cloudevents+json\nnotification:01JD\nurgency:U1\npriority:9
                acknowledge-by:1700000000000\ndelivery-count:2\nredelivered:true\ndrill:true\ncontent-length:2\n\n{}\0\n
                """)
    }

    @Test func `C28 messages of an auto subscription have no ack and are never in flight`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1", "/watch/jour", ack: "auto")
        let frames = try harness.deliver([1, 2], to: key)
        #expect(frames.map { $0.headers["ack"] } == [nil, nil])
        #expect(Set(frames.map { $0.headers["message-id"] }).count == 2)
        #expect(harness.session.credit(for: key) == .max)
        harness.feed("ACK\nid:\(frames[0].headers["message-id"] ?? "")\n\n\0")
        #expect(harness.failures.map(\.refusal.message) == ["unknown ack id"])
        #expect(harness.session.takeUnacknowledged().isEmpty)
    }

    @Test func `C29 client takes all before it on its own subscription`() throws {
        var harness = try SessionHarness()
        let one = try harness.subscribe("1", ack: "client")
        let two = try harness.subscribe("2", "/receipts", ack: "client")
        let first = try harness.deliver([1, 2], to: one)
        _ = try harness.deliver([3], to: two)
        let later = try harness.deliver([4, 5], to: one)
        harness.feed("ACK\nid:\(later[0].headers["ack"] ?? "")\n\n\0")
        #expect(tags(harness.requests.last) == [1, 2, 4])
        #expect(harness.session.inFlightCount(of: one) == 1 && harness.session.inFlightCount(of: two) == 1)
        harness.feed("ACK\nid:\(first[0].headers["ack"] ?? "")\n\n\0")
        #expect(harness.failures.count == 1, "it was taken along before")
    }

    @Test func `C29 client-individual takes exactly one`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        let frames = try harness.deliver([1, 2, 3], to: key)
        harness.feed("ACK\nid:\(frames[1].headers["ack"] ?? "")\n\n\0NACK\nid:\(frames[2].headers["ack"] ?? "")\n\n\0")
        #expect(harness.requests.suffix(2).map(\.action) == [.acknowledge([2]), .reject([3])])
        #expect(harness.session.takeUnacknowledged() == [1])
    }

    @Test(arguments: ["s0-65536", "s1-65537", "s0.65536", "s065536", "S0-65537", "s0-065537", "", "s0-"])
    func `C30 a used, foreign or misspelt id is refused`(_ id: String) throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        let ack = try harness.deliver([1, 2], to: key)[0].headers["ack"]
        #expect(ack == "s0-65536")
        harness.feed("ACK\nid:s0-65536\n\n\0")
        #expect(harness.failures.isEmpty)
        harness.feed("ACK\nid:\(id)\nreceipt:r\n\n\0")
        #expect(harness.failures.map(\.refusal.message) == ["unknown ack id"])
        #expect(harness.frames().last?.headers["receipt-id"] == "r")
    }

    @Test func `C31 what was not acknowledged comes back in the order of delivery`() throws {
        var harness = try SessionHarness()
        let one = try harness.subscribe("1")
        let two = try harness.subscribe("2", "/receipts")
        let frames = try harness.deliver([11, 12], to: one) + harness.deliver([21], to: two)
        harness.feed("ACK\nid:\(frames[0].headers["ack"] ?? "")\n\n\0")
        _ = try harness.deliver([13], to: one)
        #expect(harness.session.endOfInput(at: harness.now) == [.close(.peerClosed)])
        #expect(harness.session.takeUnacknowledged() == [12, 21, 13])
    }

    @Test func `C32 UNSUBSCRIBE gives back what was in flight and stops the messages`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        _ = try harness.deliver([1, 2], to: key)
        harness.feed("UNSUBSCRIBE\nid:1\nreceipt:r\n\n\0")
        #expect(harness.requests.last?.action == .unsubscribe(key, returned: [1, 2]))
        let isWritten = harness.session.deliver(OutgoingMessage(contentType: "a/b", body: []), to: key, tag: 3)
        #expect(!isWritten)
        #expect(harness.frames().map(\.command) == [.receipt])
    }

    @Test func `C33 1_1 acknowledges by message-id and subscription`() throws {
        var harness = try SessionHarness(.v1_1)
        let key = try harness.subscribe("1")
        let frame = try harness.deliver([5], to: key)[0]
        #expect(frame.headers["ack"] == nil)
        let id = frame.headers["message-id"] ?? ""
        harness.feed("ACK\nmessage-id:\(id)\nsubscription:1\n\n\0")
        #expect(tags(harness.requests.last) == [5])
        let next = try harness.deliver([6], to: key)[0].headers["message-id"] ?? ""
        harness.feed("ACK\nmessage-id:\(next)\nsubscription:2\n\n\0")
        #expect(harness.failures.count == 1, "another subscription's")
    }

    @Test func `C33 1_0 acknowledges by message-id, and its subscription may have no id`() throws {
        var harness = try SessionHarness(.v1_0)
        harness.feed("SUBSCRIBE\ndestination:/inbox\nack:client\n\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "subscription") }
        let frame = try harness.deliver([5, 6], to: request.key)[1]
        #expect(frame.headers["subscription"] == nil)
        harness.feed("ACK\nmessage-id:\(frame.headers["message-id"] ?? "")\n\n\0UNSUBSCRIBE\ndestination:/inbox\n\n\0")
        #expect(harness.requests.suffix(2).map(tags) == [[5, 6], []])
    }

    @Test func `prefetch bounds what is in flight, at the limit and one past it`() throws {
        var harness = try SessionHarness()
        harness.feed("SUBSCRIBE\nid:1\ndestination:/inbox\nack:client-individual\nprefetch-count:2\n\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "subscription") }
        #expect(harness.session.credit(for: request.key) == 2)
        let frames = try harness.deliver([1, 2], to: request.key)
        let third = OutgoingMessage(contentType: "a/b", body: [])
        let isWritten = harness.session.deliver(third, to: request.key, tag: 3)
        #expect(!isWritten && !harness.session.hasOutput)
        harness.feed("ACK\nid:\(frames[0].headers["ack"] ?? "")\n\n\0")
        #expect(harness.session.credit(for: request.key) == 1)
    }

    @Test(arguments: [
        ("", 64), ("prefetch-count:5\n", 5), ("activemq.prefetchSize:7\n", 7), ("prefetch-count:5000\n", 1_000),
    ])
    func `prefetch has a default and a cap`(_ header: String, _ prefetch: Int) throws {
        var harness = try SessionHarness()
        harness.feed("SUBSCRIBE\nid:1\ndestination:/inbox\nack:client\n\(header)\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "subscription") }
        #expect(request.prefetch == prefetch)
    }

    @Test func `a connection has a thousand messages in flight and not one more`() throws {
        var harness = try SessionHarness()
        var keys: [SubscriptionKey] = []
        for id in ["1", "2"] {
            harness.feed("SUBSCRIBE\nid:\(id)\ndestination:/inbox/\(id)\nack:client\nprefetch-count:1000\n\n\0")
            guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "one") }
            keys.append(request.key)
        }
        _ = try harness.deliver(Array(1...600), to: keys[0])
        #expect(harness.session.credit(for: keys[1]) == 400)
        _ = try harness.deliver(Array(601...1_000), to: keys[1])
        let isWritten = harness.session.deliver(OutgoingMessage(contentType: "a/b", body: []), to: keys[1], tag: 1_001)
        #expect(!isWritten)
        #expect(harness.session.takeUnacknowledged() == Array(1...1_000))
    }

    @Test func `a connection has sixteen subscriptions and not one more`() throws {
        var harness = try SessionHarness()
        for id in 1...16 { _ = try harness.subscribe("\(id)", "/inbox/\(id)") }
        #expect(harness.failures.isEmpty)
        harness.feed("SUBSCRIBE\nid:17\ndestination:/x\n\n\0")
        #expect(harness.failures.map(\.refusal.message) == ["more than 16 subscriptions"])
    }

    @Test func `slots that are used again never take an old id`() throws {
        var harness = try SessionHarness()
        let key = try harness.subscribe("1")
        var seen: Set<String> = []
        for tag in MessageTag(1)...200 {
            let ack = try harness.deliver([tag], to: key)[0].headers["ack"] ?? ""
            #expect(seen.insert(ack).inserted)
            harness.feed("ACK\nid:\(ack)\n\n\0")
            #expect(tags(harness.requests.last) == [tag])
        }
    }
}
