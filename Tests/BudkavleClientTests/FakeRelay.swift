import STOMP

@testable import BudkavleClient

/// A link and a relay made of the server's own session, in memory, on a clock that only the test moves.
final class LinkBench {
    /// What the relay does with a request; nothing means that it does not answer.
    var answer: (Request) -> Answer? = { _ in .receipt(["status": "accepted"]) }
    /// What becomes of an attempt to connect; nothing means that it succeeds.
    var refuseToOpen: (UInt64) -> RelayError? = { _ in nil }
    /// What the relay says to CONNECT; nothing means that it accepts.
    var refuseConnection: SessionRefusal?

    private(set) var link: Link
    private(set) var now = SessionInstant(milliseconds: 1_000_000)
    private(set) var session: ServerSession?
    private(set) var connection: UInt64 = 0
    private(set) var requests: [Request] = []
    private(set) var answers: [OperationNumber: Result<LinkAnswer, RelayError>] = [:]
    private(set) var messages: [RelayMessage] = []
    private(set) var subscribed: [SubscriptionNumber] = []
    private(set) var finished: [SubscriptionNumber: RelayError?] = [:]
    private(set) var states: [String] = []
    private(set) var pauses: [Duration] = []
    private(set) var openings: [SessionInstant] = []
    private(set) var acknowledged: [MessageTag] = []

    init(policy: ReconnectPolicy = ReconnectPolicy(), limits: LinkLimits = LinkLimits(), seed: UInt64 = 7) {
        link = Link(options: ClientOptions(host: "orebro"), policy: policy, limits: limits, seed: seed)
    }

    // MARK: The shell's part

    func send(_ body: String, within milliseconds: Int64? = nil) -> OperationNumber {
        submit(
            .send(destination: "/notifications", contentType: "application/cloudevents+json", body: Array(body.utf8)),
            .always, within: milliseconds)
    }

    func ask(_ name: String, within milliseconds: Int64? = nil) -> OperationNumber {
        submit(
            .question(destination: "/queries/\(name)", contentType: "application/json", body: Array("{}".utf8)),
            .always, within: milliseconds)
    }

    func submit(
        _ work: LinkRequest.Work, _ repetition: LinkRequest.Repetition, within milliseconds: Int64? = nil
    ) -> OperationNumber {
        let deadline = milliseconds.map { now.advanced(byMilliseconds: $0) }
        let (number, effects) = link.submit(
            LinkRequest(work: work, repetition: repetition, deadline: deadline), at: now)
        carryOut(effects)
        return number
    }

    func subscribe(_ destination: RelayDestination, within milliseconds: Int64? = nil) -> SubscriptionNumber {
        let deadline = milliseconds.map { now.advanced(byMilliseconds: $0) }
        let (number, effects) = link.subscribe(to: destination, prefetch: nil, deadline: deadline, at: now)
        carryOut(effects)
        return number
    }

    func settle(_ message: RelayMessage, as settlement: Settlement) {
        link.settle(message.ticket, as: settlement)
        pump()
    }

    func leave() { carryOut(link.leave(at: now)) }

    func withdraw(_ number: OperationNumber) { carryOut(link.withdraw(number)) }

    /// Moves the clock to the link's next deadline and lets it act.
    func passToDeadline() {
        guard let next = link.nextDeadline else { return }
        pass(milliseconds: max(0, next.milliseconds - now.milliseconds))
    }

    /// Moves the clock; the relay's session does not tick, unless `isRelayAlive`.
    func pass(milliseconds: Int64, isRelayAlive: Bool = false) {
        now = now.advanced(byMilliseconds: milliseconds)
        if isRelayAlive, var session {
            self.session = nil
            _ = session.tick(at: now)
            self.session = session
            pump()
        }
        carryOut(link.tick(at: now))
    }

    /// The line goes dead.
    func cut() {
        let number = connection
        session = nil
        carryOut(link.failed(number, with: RelayError(.unreachable, "cut"), at: now))
    }

    /// The relay ends the session with an ERROR.
    func end(with refusal: SessionRefusal) {
        guard var session else { return }
        self.session = nil
        _ = session.end(with: refusal, at: now)
        self.session = session
        pump()
    }

    /// The relay delivers a message on its first subscription of that destination.
    func deliver(_ body: String, on destination: String, tag: MessageTag) -> Bool {
        guard var session, let key = keys[destination] else { return false }
        self.session = nil
        let wasDelivered = session.deliver(
            OutgoingMessage(contentType: "application/json", body: Array(body.utf8)), to: key, tag: tag)
        self.session = session
        pump()
        return wasDelivered
    }

    /// Answers a request that was left unanswered.
    func answerLate(_ request: Request, _ answer: Answer) {
        guard var session else { return }
        self.session = nil
        _ = session.answer(request.order, answer, at: now)
        self.session = session
        pump()
    }

    /// The bodies of the SENDs that reached the relay, in order.
    var sentBodies: [String] {
        requests.compactMap {
            guard case .send(let send) = $0.action else { return nil }
            return String(decoding: send.body, as: UTF8.self)
        }
    }

    private var keys: [String: SubscriptionKey] = [:]

    // MARK: The wire

    private func carryOut(_ effects: [LinkEffect]) {
        for effect in effects {
            switch effect {
            case .open(let number): open(number)
            case .close(let number): if number == connection { session = nil }
            case .answered(let number, let result): answers[number] = result
            case .message(_, let message): messages.append(message)
            case .subscribed(let number, _): subscribed.append(number)
            case .finished(let number, let error): finished[number] = error
            case .state(.connected(let party, let client)): states.append("connected \(party) \(client)")
            case .state(.lost(_, let pause)):
                states.append("lost")
                pauses.append(pause)
            case .state(.ended(let error)): states.append("ended \(error?.code.rawValue ?? "well")")
            }
        }
        pump()
    }

    private func open(_ number: UInt64) {
        connection = number
        openings.append(now)
        if let error = refuseToOpen(number) {
            carryOut(link.failed(number, with: error, at: now))
            return
        }
        keys = [:]
        session = ServerSession(sessionID: "s\(number)", server: "budkavle/1.0.0", openedAt: now)
        carryOut(link.opened(number, at: now))
    }

    private func pump() {
        var bytes: [UInt8] = []
        link.drainOutput(into: &bytes, at: now)
        if !bytes.isEmpty, var session {
            self.session = nil
            var effects = session.receive(bytes, at: now)
            self.session = session
            while !effects.isEmpty { effects = handle(effects) }
        }
        guard var session, session.hasOutput else { return }
        var output: [UInt8] = []
        session.drainOutput(into: &output, at: now)
        self.session = session
        carryOut(link.received(output, on: connection, at: now))
    }

    private func handle(_ effects: [SessionEffect]) -> [SessionEffect] {
        var more: [SessionEffect] = []
        for effect in effects {
            guard var session else { return [] }
            self.session = nil
            switch effect {
            case .connect:
                if let refuseConnection {
                    more += session.refuseConnection(refuseConnection, at: now)
                } else {
                    more += session.accept(party: "soc-1880", client: "klient-1", at: now)
                }
            case .request(let request):
                requests.append(request)
                switch request.action {
                case .subscribe(let subscribe): keys[subscribe.destination] = subscribe.key
                case .acknowledge(let tags): acknowledged += tags
                case .send, .unsubscribe, .reject, .commit: break
                }
                if case .subscribe(let subscribe) = request.action, subscribe.destination.hasPrefix("/replies/") {
                    more += session.answer(request.order, .done, at: now)
                } else if let answer = answer(request) {
                    more += session.answer(request.order, answer, at: now)
                    if case .send(let send) = request.action, let replyTo = send.replyTo, let key = keys[replyTo],
                        case .receipt = answer
                    {
                        let body = Array("{\"to\":\"\(send.destination)\"}".utf8)
                        _ = session.deliver(
                            OutgoingMessage(contentType: "application/json", body: body), to: key, tag: 0)
                    }
                }
            case .connected, .returned, .failed, .close: break
            }
            self.session = session
        }
        return more
    }
}
