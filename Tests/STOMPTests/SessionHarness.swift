import STOMP
import Testing

/// A server session with a clock that stands where the test puts it.
struct SessionHarness {
    var session: ServerSession
    var now = SessionInstant(milliseconds: 1_000)
    /// Whether each request is answered with `.done` at once.
    var answersAtOnce = true
    var oldest = Version.v1_1
    var effects: [SessionEffect] = []
    private var replies = FrameDecoder(role: .client)

    /// - Parameter connected: the version of a CONNECT that was accepted already; nil: nothing came yet.
    init(_ connected: Version? = .v1_2, limits: SessionLimits = .standard, _ headers: String = "") throws {
        session = ServerSession(sessionID: "s0", server: "budkavle/1.0.0", limits: limits, openedAt: now)
        guard let connected else { return }
        oldest = connected
        feed("CONNECT\naccept-version:\(connected.text)\nhost:orebro\n\(headers)\n\0")
        try #require(session.version == connected)
        _ = frames()
        effects = []
    }

    mutating func feed(_ bytes: [UInt8]) {
        take(session.receive(bytes, at: now))
    }

    mutating func feed(_ text: String) { feed(Array(text.utf8)) }

    mutating func answer(_ order: OrderNumber, _ answer: Answer = .done) {
        take(session.answer(order, answer, at: now))
    }

    mutating func tick(after milliseconds: Int64) {
        now = now.advanced(byMilliseconds: milliseconds)
        take(session.tick(at: now))
    }

    private mutating func take(_ news: [SessionEffect]) {
        effects += news
        for effect in news {
            switch effect {
            case .connect: take(session.accept(party: "pol-18", client: "rlc", oldest: oldest, at: now))
            case .request(let request) where answersAtOnce && session.mayDecide(request.order):
                take(session.answer(request.order, .done, at: now))
            default: break
            }
        }
    }

    /// What went out since the last call, as bytes.
    mutating func bytes() -> [UInt8] {
        var out: [UInt8] = []
        session.drainOutput(into: &out, at: now)
        return out
    }

    /// What went out since the last call, decoded.
    mutating func frames() -> [Frame] {
        var found: [Frame] = []
        replies.version = session.version ?? .v1_2
        replies.append(bytes())
        do {
            while let decoded = try replies.next() {
                if case .frame(let frame) = decoded { found.append(frame) }
            }
        } catch { Issue.record("the session wrote no STOMP: \(error)") }
        return found
    }

    var requests: [Request] {
        effects.compactMap { if case .request(let request) = $0 { request } else { nil } }
    }

    var failures: [SessionFailure] {
        effects.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    var closes: [CloseReason] {
        effects.compactMap { if case .close(let reason) = $0 { reason } else { nil } }
    }

    /// Subscribes and gives the key.
    mutating func subscribe(_ id: String, _ destination: String = "/inbox", ack: String = "client-individual")
        throws -> SubscriptionKey
    {
        feed("SUBSCRIBE\nid:\(id)\ndestination:\(destination)\nack:\(ack)\n\n\0")
        guard case .subscribe(let request)? = requests.last?.action else {
            throw Missing(what: "a subscription, but got \(effects)")
        }
        return request.key
    }

    /// Delivers messages with these tags and gives the frames.
    mutating func deliver(_ tags: [MessageTag], to key: SubscriptionKey) throws -> [Frame] {
        for tag in tags {
            let isWritten = session.deliver(OutgoingMessage(contentType: "a/b", body: [1]), to: key, tag: tag)
            try #require(isWritten)
        }
        return frames()
    }
}

struct Missing: Error { var what: String }

/// A generator whose seed repeats the run (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
