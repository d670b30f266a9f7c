import STOMP
import Testing

/// C16 to C26: CONNECT, versions, heart-beats, deadlines. More refusals are in Vectors/.
struct ConnectingTests {
    @Test(arguments: ["CONNECT", "STOMP"])
    func `C16 STOMP is CONNECT`(_ command: String) throws {
        var harness = try SessionHarness(nil)
        harness.feed("\(command)\naccept-version:1.2\nhost:orebro\n\n\0")
        #expect(harness.frames().map(\.command) == [.connected])
    }

    @Test(arguments: [
        ("1.2,1.1,1.0", Version.v1_1, Version.v1_2), ("1.0,1.1", .v1_1, .v1_1), ("1.0", .v1_0, .v1_0),
        ("1.1,1.0", .v1_0, .v1_1),
    ])
    func `C17 the highest common version is taken`(_ offer: String, _ oldest: Version, _ agreed: Version) throws {
        var harness = try SessionHarness(nil)
        harness.oldest = oldest
        harness.feed("CONNECT\naccept-version:\(offer)\nhost:orebro\n\n\0")
        #expect(harness.frames().first?.headers["version"] == agreed.text)
    }

    @Test func `C17 without accept-version it is 1_0, for clients that may`() throws {
        var harness = try SessionHarness(nil)
        harness.oldest = .v1_0
        harness.feed("CONNECT\n\n\0")
        #expect(harness.frames().first?.headers["version"] == "1.0")
        #expect(harness.session.version == .v1_0)
    }

    @Test func `C17 a refused version says which there are and what to set`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.0\n\n\0")
        let error = try #require(harness.frames().first)
        #expect(error.headers["version"] == "1.1,1.2")
        let body = String(decoding: error.body, as: UTF8.self)
        #expect(body.contains("Connection12") && body.contains("accept-version"))
        harness.tick(after: 2_000)
        #expect(harness.closes == [.error])
    }

    @Test func `C18 a missing host is handed to the caller and counted`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\n\n\0")
        guard case .connect(let request)? = harness.effects.first else { throw Missing(what: "connect") }
        #expect(request.host == nil)
        #expect(harness.session.quirks.missingHost == 1)
    }

    @Test func `C19 CONNECTED says what protocol md lists and nothing else`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\nhost:orebro\n\n\0")
        let text = String(decoding: harness.bytes(), as: UTF8.self)
        #expect(
            text == """
                CONNECTED\nversion:1.2\nsession:s0\nserver:budkavle/1.0.0\nheart-beat:10000,10000\nparty:pol-18
                client:rlc\n\n\0\n
                """)
    }

    @Test func `C20 login and passcode reach nobody`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\nhost:o\nlogin:who\npasscode:s3cret\ncheckpoint:c1\n\n\0")
        guard case .connect(let request)? = harness.effects.first else { throw Missing(what: "connect") }
        #expect(request.host == "o" && request.offers == [.v1_2] && request.heartBeat == .none)
        #expect(request.rejections == .error && request.checkpoint == "c1")
        #expect(!"\(harness.session)".contains("s3cret"))
    }

    @Test func `C21 frames behind CONNECT wait for the decision`() throws {
        var session = ServerSession(sessionID: "s", server: "b/1", openedAt: SessionInstant(milliseconds: 0))
        let now = SessionInstant(milliseconds: 5)
        let first = session.receive(Array("STOMP\naccept-version:1.2\n\n\0SEND\ndestination:/x\n\n\0".utf8), at: now)
        #expect(first.count == 1)
        #expect(!session.wantsInput)
        #expect(session.receive(Array("SEND\ndestination:/y\n\n\0".utf8), at: now).isEmpty)
        let second = session.accept(party: "p", client: "c", at: now)
        #expect(second.count == 3, "connected and two requests: \(second)")
    }

    @Test func `C21 a refused connection hands nothing out`() throws {
        var session = ServerSession(sessionID: "s", server: "b/1", openedAt: SessionInstant(milliseconds: 0))
        let now = SessionInstant(milliseconds: 5)
        _ = session.receive(Array("STOMP\naccept-version:1.2\n\n\0SEND\ndestination:/x\n\n\0".utf8), at: now)
        let effects = session.refuseConnection(SessionRefusal(message: "unknown host"), at: now)
        #expect(effects.count == 1, "\(effects)")
        #expect(session.hasOutput)
    }

    @Test func `C22 CONNECT is due after ten seconds and not before`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\n")
        harness.tick(after: 9_999)
        #expect(harness.effects.isEmpty)
        harness.tick(after: 1)
        #expect(harness.failures.map(\.reason) == [.timeout])
        #expect(harness.frames().map(\.command) == [.error])
    }

    @Test(arguments: [
        ("", 0, 0), ("heart-beat:0,0\n", 0, 0), ("heart-beat:5000,0\n", 10_000, 0),
        ("heart-beat:0,5000\n", 0, 10_000), ("heart-beat:60000,20000\n", 60_000, 20_000),
    ])
    func `C23 each direction takes the larger number, or none`(_ header: String, _ incoming: Int, _ outgoing: Int)
        throws
    {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\n\(header)\n\0")
        guard case .connected(_, let beats)? = harness.effects.last else { throw Missing(what: "connected") }
        #expect(beats.incomingMilliseconds == Int64(incoming) && beats.outgoingMilliseconds == Int64(outgoing))
    }

    @Test func `C24 silence is tolerated for twice the gap and five seconds`() throws {
        var harness = try SessionHarness(.v1_2, "heart-beat:10000,0\n")
        harness.tick(after: 24_999)
        #expect(harness.effects.isEmpty)
        harness.feed("\n")
        harness.tick(after: 24_999)
        #expect(harness.effects.isEmpty)
        harness.tick(after: 1)
        #expect(harness.failures.map(\.refusal.message) == ["no heart-beat"])
        #expect(harness.frames().last?.headers["message"] == "no heart-beat")
        harness.tick(after: 2_000)
        #expect(harness.closes == [.error])
    }

    @Test func `C24 any byte counts, also inside a frame`() throws {
        var harness = try SessionHarness(.v1_2, "heart-beat:10000,0\n")
        harness.feed("SEND\n")
        harness.tick(after: 20_000)
        harness.feed("d")
        harness.tick(after: 20_000)
        #expect(harness.effects.isEmpty)
    }

    @Test func `C24 a line feed goes out at 0_8 of the gap when nothing else did`() throws {
        var harness = try SessionHarness(.v1_2, "heart-beat:0,10000\n")
        #expect(harness.session.nextDeadline == harness.now.advanced(byMilliseconds: 8_000))
        harness.tick(after: 7_999)
        #expect(harness.bytes().isEmpty)
        harness.tick(after: 1)
        #expect(harness.bytes() == [10])
        harness.tick(after: 7_999)
        #expect(harness.bytes().isEmpty)
    }

    @Test func `C25 a subscriber without credit still gets heart-beats, between whole frames`() throws {
        var harness = try SessionHarness(.v1_2, "heart-beat:0,10000\n")
        harness.feed("SUBSCRIBE\nid:1\ndestination:/inbox\nack:client\nprefetch-count:1\n\n\0")
        guard case .subscribe(let request)? = harness.requests.last?.action else { throw Missing(what: "subscription") }
        _ = try harness.deliver([1], to: request.key)
        #expect(harness.session.credit(for: request.key) == 0)
        harness.tick(after: 8_000)
        #expect(harness.bytes() == [10])
    }

    @Test func `C26 without heart-beats there is no deadline and the caller is told`() throws {
        var harness = try SessionHarness(nil)
        harness.feed("CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0")
        #expect(
            harness.effects.last == .connected(version: .v1_2, heartBeats: HeartBeats(own: .none, other: .none)))
        #expect(harness.session.nextDeadline == nil)
    }

    @Test func `1_0 has no heart-beats`() throws {
        var harness = try SessionHarness(nil)
        harness.oldest = .v1_0
        harness.feed("CONNECT\nheart-beat:1000,1000\n\n\0")
        #expect(harness.frames().first?.headers["heart-beat"] == "0,0")
        #expect(harness.session.nextDeadline == nil)
    }

    @Test func `a frame may take sixty seconds and not longer`() throws {
        var harness = try SessionHarness()
        harness.feed("SEND\ndestination:/x\n\n\0SEND\n")
        harness.tick(after: 59_999)
        #expect(harness.failures.isEmpty)
        harness.feed("destination:/x\nreceipt:r\n")
        harness.tick(after: 1)
        #expect(harness.failures.map(\.refusal.message) == ["frame took too long"])
    }

    @Test func `the sixty seconds begin with each frame`() throws {
        var harness = try SessionHarness()
        harness.feed("SEND\n")
        harness.tick(after: 59_000)
        harness.feed("destination:/x\n\n\0SEND\n")
        harness.tick(after: 59_999)
        #expect(harness.failures.isEmpty)
        harness.tick(after: 1)
        #expect(harness.failures.count == 1)
    }
}
