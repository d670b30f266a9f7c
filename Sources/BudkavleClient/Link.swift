import STOMP

/// The client's side of a lasting relation with a relay, over connections that come and go.
///
/// A value without clock, socket or thread. It opens connections, waits between attempts, subscribes again, and sends
/// again unchanged what was not answered; so the (source, id) of a notification is the same at each attempt, and the
/// relay's `duplicate` is as good as `accepted`. The shell calls `tick` at `nextDeadline`, and after every call writes
/// what `drainOutput` gives.
struct Link: Sendable {
    enum Phase {
        case resting
        case opening
        case speaking(ClientSession)
        case pausing(until: SessionInstant)
        case ended(RelayError?)
    }

    struct Operation {
        var request: LinkRequest
        /// Whether any connection has carried it: then it may be on the relay's disk.
        var wasSent = false
        /// Whether this connection carries it.
        var isUnderWay = false
        /// RECEIPT has come, for a question.
        var isConfirmed = false
        var reply: [UInt8]?
    }

    struct Subscription {
        var destination: RelayDestination
        var prefetch: Int?
        var isConfirmed = false
        /// When the caller stops waiting for the first confirmation.
        var deadline: SessionInstant?
    }

    enum Awaited {
        case operation(OperationNumber)
        case subscription(SubscriptionNumber)
    }

    /// What CONNECT says; the checkpoint in it is the newest that was seen.
    var options: ClientOptions
    let policy: ReconnectPolicy
    let limits: LinkLimits
    var phase = Phase.resting
    var connection: UInt64 = 0
    var hasEverConnected = false
    var connectedAt: SessionInstant?
    var backoff: Backoff
    var random: SeededRandom
    var operations: [OperationNumber: Operation] = [:]
    /// Questions that wait for a free reply destination, in order.
    var waitingQuestions: [OperationNumber] = []
    var questionsUnderWay = 0
    var subscriptions: [SubscriptionNumber: Subscription] = [:]
    var awaited: [ReceiptNumber: Awaited] = [:]
    var nextOperation: OperationNumber = 1
    var nextSubscription: SubscriptionNumber = 1
    /// At or before the first deadline of an operation or an unconfirmed subscription.
    var earliestDeadline: SessionInstant?
    var lastTrouble: RelayError?
    var serverError: ServerError?
    var isLeaving = false
    /// When goodbye is no longer waited for.
    var farewellEnds: SessionInstant?

    init(options: ClientOptions, policy: ReconnectPolicy, limits: LinkLimits = LinkLimits(), seed: UInt64) {
        self.options = options
        self.policy = policy
        self.limits = limits
        backoff = Backoff(policy)
        random = SeededRandom(seed: seed)
    }

    // MARK: What the shell asks

    /// Opens the first connection. Harmless twice.
    mutating func start(at now: SessionInstant) -> [LinkEffect] {
        guard case .resting = phase else { return [] }
        return openConnection()
    }

    /// Takes a request; its answer comes as `.answered` with the number that is returned.
    mutating func submit(
        _ request: LinkRequest, at now: SessionInstant
    ) -> (OperationNumber, [LinkEffect]) {
        let number = nextOperation
        nextOperation += 1
        if case .ended(let error) = phase { return (number, [.answered(number, .failure(Self.closed(error)))]) }
        guard operations.count < limits.operations else {
            let error = RelayError(.overflow, "\(limits.operations) requests wait for an answer; send fewer at once")
            return (number, [.answered(number, .failure(error))])
        }
        operations[number] = Operation(request: request)
        noteDeadline(request.deadline)
        return (number, start(at: now) + carry(number))
    }

    /// Forgets a request; nothing is answered. What was sent may still take effect.
    mutating func withdraw(_ number: OperationNumber) -> [LinkEffect] {
        guard let operation = operations.removeValue(forKey: number) else { return [] }
        return release(number, operation)
    }

    /// Subscribes now and after every reconnection, until `unsubscribe`.
    mutating func subscribe(
        to destination: RelayDestination, prefetch: Int?, deadline: SessionInstant?, at now: SessionInstant
    ) -> (SubscriptionNumber, [LinkEffect]) {
        let number = nextSubscription
        nextSubscription += 1
        if case .ended(let error) = phase { return (number, [.finished(number, Self.closed(error))]) }
        guard subscriptions.count < limits.subscriptions else {
            let error = RelayError(.overflow, "a client may have \(limits.subscriptions) subscriptions at once")
            return (number, [.finished(number, error)])
        }
        subscriptions[number] = Subscription(destination: destination, prefetch: prefetch, deadline: deadline)
        noteDeadline(deadline)
        var effects = start(at: now)
        if case .speaking(var session) = phase, session.isConnected {
            effects += establish(number, in: &session)
            phase = .speaking(session)
        }
        return (number, effects)
    }

    /// Ends a subscription; what is in flight on it is redelivered to others.
    mutating func unsubscribe(_ number: SubscriptionNumber) {
        guard subscriptions.removeValue(forKey: number) != nil else { return }
        guard case .speaking(var session) = phase, session.isConnected else { return }
        _ = try? session.unsubscribe(id: Self.subscriptionID(number), receipt: .none)
        phase = .speaking(session)
    }

    /// Answers a message. On another connection than the message's it does nothing: the relay redelivers there.
    mutating func settle(_ ticket: MessageTicket, as settlement: Settlement) {
        guard let acknowledgement = ticket.acknowledgement, ticket.connection == connection,
            case .speaking(var session) = phase, session.isConnected
        else { return }
        switch settlement {
        case .taken: _ = try? session.acknowledge(acknowledgement, receipt: .none)
        case .returned: _ = try? session.reject(acknowledgement, receipt: .none)
        }
        phase = .speaking(session)
    }

    /// Says goodbye: DISCONNECT, whose RECEIPT means that everything before it was processed. Then `.state(.ended)`,
    /// after `farewellMilliseconds` at the latest.
    mutating func leave(at now: SessionInstant) -> [LinkEffect] {
        if isLeaving { return [] }
        isLeaving = true
        farewellEnds = now.advanced(byMilliseconds: limits.farewellMilliseconds)
        if case .speaking(var session) = phase, session.isConnected {
            defer { phase = .speaking(session) }
            if (try? session.disconnect()) != nil { return [] }
        }
        return end(with: nil)
    }

    // MARK: What happens

    /// The transport is open.
    mutating func opened(_ number: UInt64, at now: SessionInstant) -> [LinkEffect] {
        guard number == connection, case .opening = phase else { return [] }
        phase = .speaking(ClientSession(options: options, openedAt: now))
        return []
    }

    /// Bytes came.
    mutating func received(_ bytes: [UInt8], on number: UInt64, at now: SessionInstant) -> [LinkEffect] {
        guard number == connection, case .speaking(var session) = phase else { return [] }
        phase = .resting  // so that the session is not copied while it changes
        let effects = session.receive(bytes, at: now)
        phase = .speaking(session)
        return digest(effects, at: now)
    }

    /// The relay closed in good order.
    mutating func inputEnded(on number: UInt64, at now: SessionInstant) -> [LinkEffect] {
        guard number == connection, case .speaking(var session) = phase else { return [] }
        let effects = session.endOfInput(at: now)
        phase = .speaking(session)
        return digest(effects, at: now)
    }

    /// The transport did not open, or broke.
    mutating func failed(
        _ number: UInt64, with error: RelayError, at now: SessionInstant
    ) -> [LinkEffect] {
        guard number == connection else { return [] }
        switch phase {
        case .opening, .speaking: break
        case .resting, .pausing, .ended: return []
        }
        switch error.code {
        case .configuration, .certificateRefused, .relayNotTrusted, .forbidden:
            return [.close(connection: number)] + end(with: error)
        case .unreachable, .unknown, .refused, .notConfirmed, .protocolFault, .overflow, .closed:
            return [.close(connection: number)] + lose(error, at: now)
        }
    }

    /// Time has passed.
    mutating func tick(at now: SessionInstant) -> [LinkEffect] {
        var effects: [LinkEffect] = []
        switch phase {
        case .pausing(let until) where until <= now: effects += openConnection()
        case .speaking(var session):
            let happened = session.tick(at: now)
            phase = .speaking(session)
            effects += digest(happened, at: now)
        case .pausing, .resting, .opening, .ended: break
        }
        if let earliest = earliestDeadline, earliest <= now { effects += expire(at: now) }
        if let farewellEnds, farewellEnds <= now { effects += [.close(connection: connection)] + end(with: nil) }
        return effects
    }

    /// When `tick` wants to be called; early is fine.
    var nextDeadline: SessionInstant? {
        let own: SessionInstant?
        switch phase {
        case .pausing(let until): own = until
        case .speaking(let session): own = session.nextDeadline
        case .resting, .opening, .ended: own = nil
        }
        return [own, earliestDeadline, farewellEnds].compactMap { $0 }.min()
    }

    /// Whether there is something to write on the present connection.
    var hasOutput: Bool {
        if case .speaking(let session) = phase { session.hasOutput } else { false }
    }

    /// Moves what is to be written behind `buffer`.
    mutating func drainOutput(into buffer: inout [UInt8], at now: SessionInstant) {
        guard case .speaking(var session) = phase else { return }
        phase = .resting
        session.drainOutput(into: &buffer, at: now)
        phase = .speaking(session)
    }

    static func subscriptionID(_ number: SubscriptionNumber) -> String { "s\(number)" }
    static func questionID(_ number: OperationNumber) -> String { "q\(number)" }

    static func closed(_ cause: RelayError?) -> RelayError {
        cause ?? RelayError(.closed, "the client was closed")
    }
}

/// What a reader does with a message.
enum Settlement: Sendable {
    /// ACK.
    case taken
    /// NACK.
    case returned
}
