import STOMP
import Testing

/// Our client against our server, in memory, and against servers that err.
struct ClientSessionTests {
    private struct Pair {
        var client: ClientSession
        var server: SessionHarness
        var effects: [ClientEffect] = []

        init() throws {
            server = try SessionHarness(nil)
            client = ClientSession(options: ClientOptions(host: "orebro"), openedAt: server.now)
            turn()
        }

        /// Carries bytes both ways, one by one, until there are no more.
        mutating func turn() {
            while client.hasOutput || server.session.hasOutput {
                var bytes: [UInt8] = []
                client.drainOutput(into: &bytes, at: server.now)
                for byte in bytes { server.feed([byte]) }
                for byte in server.bytes() { effects += client.receive([byte], at: server.now) }
            }
        }
    }

    private func client(_ answer: String) -> [ClientEffect] {
        let now = SessionInstant(milliseconds: 0)
        var client = ClientSession(options: ClientOptions(host: "o"), openedAt: now)
        return client.receive(Array(answer.utf8), at: now)
    }

    private let connected = "CONNECTED\nversion:1.2\n\n\0"

    @Test func `client and server talk a whole session through`() throws {
        var pair = try Pair()
        guard case .connected(let info)? = pair.effects.first else { throw Missing(what: "connected") }
        #expect(info.party == "pol-18" && info.client == "rlc" && info.session == "s0")
        #expect(info.heartBeats.incomingMilliseconds == 10_000 && info.heartBeats.outgoingMilliseconds == 10_000)
        let subscribed = try pair.client.subscribe(to: "/inbox", id: "in", ack: .clientIndividual, prefetch: 3)
        let sent = try pair.client.send(to: "/notifications", contentType: "a/b", body: [0, 1, 0])
        pair.turn()
        #expect(
            pair.effects.dropFirst() == [
                .receipt(subscribed ?? 0, .done(["receipt-id": "1"])), .receipt(sent ?? 0, .done(["receipt-id": "2"])),
            ])
        guard case .subscribe(let request)? = pair.server.requests.first?.action else { throw Missing(what: "one") }
        #expect(request.prefetch == 3)
        let isWritten = pair.server.session.deliver(
            OutgoingMessage(contentType: "a/b", body: [0, 10, 0]), to: request.key, tag: 9)
        #expect(isWritten)
        pair.turn()
        guard case .message(let message)? = pair.effects.last else { throw Missing(what: "a message") }
        #expect(message.body == [0, 10, 0] && message.subscription == "in" && message.destination == "/inbox")
        _ = try pair.client.acknowledge(message.ack ?? "")
        pair.turn()
        #expect(pair.server.requests.last?.action == .acknowledge([9]))
        _ = try pair.client.disconnect()
        pair.turn()
        #expect(pair.effects.last == .close(.disconnected) && pair.server.closes == [.disconnected])
        #expect(pair.client.pendingReceipts.isEmpty)
    }

    @Test func `a refusal reaches the client as a receipt and the session goes on`() throws {
        var pair = try Pair()
        pair.server.answersAtOnce = false
        let number = try pair.client.send(to: "/notifications", contentType: "a/b", body: [1]) ?? 0
        pair.turn()
        let refusal = SessionRefusal(code: "schema", path: "/data/a\\b:c", message: "wrong")
        pair.server.answer(pair.server.requests[0].order, .refused(refusal))
        pair.turn()
        #expect(
            pair.effects.last
                == .receipt(number, .refused(code: "schema", path: "/data/a\\b:c", message: "wrong")))
        #expect(pair.client.isConnected)
    }

    @Test func `transactions go through as one`() throws {
        var pair = try Pair()
        _ = try pair.client.begin("t", receipt: .none)
        let send = try pair.client.send(
            to: "/notifications", contentType: "a/b", body: [1], transaction: "t")
        let commit = try pair.client.commit("t")
        pair.turn()
        #expect(pair.server.requests.count == 1)
        let numbers = pair.effects.compactMap { if case .receipt(let number, _) = $0 { number } else { nil } }
        #expect(numbers == [send, commit])
    }

    @Test func `an ERROR names the frame and ends the session, the rest is pending`() throws {
        var pair = try Pair()
        let first = try pair.client.send(to: "/x", contentType: "a/b", body: [1])
        let second = try pair.client.send(to: "/x", contentType: "a/b", body: [2])
        let text = "ERROR\nreceipt-id:\(first ?? 0)\nmessage:no\ncode:quota\n\nwhy\0"
        let effects = pair.client.receive(Array(text.utf8), at: pair.server.now)
        let error = ServerError(message: "no", code: "quota", path: nil, receipt: first, details: "why")
        #expect(effects == [.failed(error), .close(.error)])
        #expect(pair.client.pendingReceipts == [second])
        #expect(throws: ClientFault.notConnected) { try pair.client.disconnect() }
    }

    @Test(arguments: [
        ("MESSAGE\ndestination:/x\nsubscription:1\nmessage-id:1\n\n\0", "MESSAGE before CONNECTED"),
        ("CONNECTED\nversion:1.1\n\n\0", "CONNECTED with a version that was not offered"),
        ("CONNECTED\nversion:1.2\nheart-beat:x\n\n\0", "CONNECTED with a heart-beat that is not two numbers"),
        ("CONNECTED\nversion:1.2\n\n\0CONNECTED\nversion:1.2\n\n\0", "second CONNECTED"),
        ("CONNECTED\nversion:1.2\n\n\0RECEIPT\nreceipt-id:5\n\n\0", "RECEIPT that nobody asked for"),
        (
            "CONNECTED\nversion:1.2\n\n\0MESSAGE\ndestination:/x\nmessage-id:1\n\n\0",
            "MESSAGE without destination, subscription or message-id"
        ),
    ])
    func `a server against the rules is left`(_ bytes: String, _ fault: String) {
        #expect(client(bytes).last == .close(.protocolFault(fault)))
    }

    @Test func `limits hold for what servers send too`() {
        #expect(client(connected + "SEND\n").last == .close(.frameFault(.commandOfOtherSide(.send))))
        let long = connected + "MESSAGE\ncontent-length:262145\n\n"
        #expect(client(long).last == .close(.frameFault(.bodyTooLong(limit: 262_144))))
        let headers = connected + "MESSAGE\n" + String(repeating: "a:b\n", count: 65)
        #expect(client(headers).last == .close(.frameFault(.tooManyHeaders(limit: 64))))
    }

    @Test func `the window is full at its limit`() throws {
        var options = ClientOptions(host: "o")
        options.unansweredReceipts = 1
        var client = ClientSession(options: options, openedAt: SessionInstant(milliseconds: 0))
        #expect(throws: ClientFault.notConnected) { try client.begin("t") }
        _ = client.receive(Array(connected.utf8), at: SessionInstant(milliseconds: 0))
        _ = try client.begin("t")
        #expect(throws: ClientFault.windowFull(limit: 1)) { try client.commit("t") }
        #expect(try client.commit("t", receipt: .none) == nil)
    }

    @Test func `a client beats and notices silence`() {
        var now = SessionInstant(milliseconds: 0)
        var client = ClientSession(options: ClientOptions(host: "o"), openedAt: now)
        var bytes: [UInt8] = []
        client.drainOutput(into: &bytes, at: now)
        #expect(client.nextDeadline == SessionInstant(milliseconds: 10_000))
        _ = client.receive(Array("CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0".utf8), at: now)
        now = now.advanced(byMilliseconds: 8_000)
        #expect(client.nextDeadline == now)
        #expect(client.tick(at: now).isEmpty && client.hasOutput)
        #expect(client.tick(at: SessionInstant(milliseconds: 24_999)).isEmpty)
        #expect(client.tick(at: SessionInstant(milliseconds: 25_000)) == [.close(.timeout)])
    }

    @Test func `a server that never says CONNECTED is left after ten seconds`() {
        let start = SessionInstant(milliseconds: 0)
        var client = ClientSession(options: ClientOptions(host: "o"), openedAt: start)
        #expect(client.tick(at: SessionInstant(milliseconds: 9_999)).isEmpty)
        #expect(client.tick(at: SessionInstant(milliseconds: 10_000)) == [.close(.timeout)])
    }
}
