/// What each frame of a client does.
extension ServerSession {
    /// A rule of the session that a frame broke, thrown to where the ERROR is made.
    struct Fault: Error {
        var refusal: SessionRefusal

        init(_ message: String, _ details: String) { refusal = SessionRefusal(message: message, details: details) }
        init(_ refusal: SessionRefusal) { self.refusal = refusal }
    }

    mutating func handle(_ frame: Frame, at now: SessionInstant, _ effects: inout [SessionEffect]) {
        if phase == .awaitingConnect { return handleConnect(frame, at: now, &effects) }
        let receipt = frame.headers["receipt"]
        do throws(Fault) {
            switch frame.command {
            case .connect, .stomp:
                throw Fault(
                    "second CONNECT", "A connection is opened once. Open another connection for another session.")
            case .send: try handleSend(frame, receipt, &effects)
            case .ack, .nack: try handleAck(frame, receipt, &effects)
            case .subscribe: try handleSubscribe(frame, receipt, &effects)
            case .unsubscribe: try handleUnsubscribe(frame, receipt, &effects)
            case .begin: try handleBegin(frame, receipt, at: now, &effects)
            case .commit: try handleCommit(frame, receipt, at: now, &effects)
            case .abort: try handleAbort(frame, receipt, at: now, &effects)
            case .disconnect: handleDisconnect(receipt, at: now, &effects)
            case .connected, .message, .receipt, .error:
                throw Fault(SessionRefusal(.commandOfOtherSide(frame.command)))
            }
        } catch {
            fail(error.refusal, reason: .session, receipt: receipt, at: now, &effects)
        }
    }

    /// Hands a request out and queues its place. Without `receipt` nobody waits for the answer.
    mutating func handOut(
        _ action: Action, _ receipt: String?, kind: AnswerQueue.Kind = .plain, byteCount: Int = 0,
        _ effects: inout [SessionEffect]
    ) {
        var needsAnswer = receipt != nil
        if case .commit(let receipts) = kind { needsAnswer = needsAnswer || receipts.contains { $0 != nil } }
        let order = answers.append(
            .init(
                receipt: receipt, kind: kind, answer: needsAnswer ? nil : .done,
                byteCount: needsAnswer ? byteCount + (receipt?.utf8.count ?? 0) : 0))
        effects.append(.request(Request(order: order, receipt: receipt, action: action)))
        // Nobody waits for it, so it must not stay at the head.
        if !needsAnswer { popUnasked() }
    }

    /// A frame that is the session's own business: its RECEIPT waits only for its turn.
    mutating func answerOwn(
        _ receipt: String?, _ kind: AnswerQueue.Kind = .plain, _ answer: Answer = .done, at now: SessionInstant,
        _ effects: inout [SessionEffect]
    ) {
        answers.append(.init(receipt: receipt, kind: kind, answer: answer, byteCount: receipt?.utf8.count ?? 0))
        flushAnswers(at: now, &effects)
    }

    /// Frames that asked for nothing leave the queue when nothing is before them.
    private mutating func popUnasked() {
        if answers.count == 1 { _ = answers.popAnswered() }
    }

    // MARK: SEND

    private mutating func handleSend(
        _ frame: Frame, _ receipt: String?, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        let headers = frame.headers
        guard let destination = headers["destination"] else { throw Self.missing("destination", on: .send) }
        if headers.contains("message-id") {
            throw Fault(
                "message-id on SEND", "message-id is the server's to give. Leave it away; the event has its own id.")
        }
        if headers.contains("expires") || headers.contains("expiration") {
            throw Fault("expiry header on SEND", "How long an event counts is its own attribute expirytime. Set that.")
        }
        if receipt == nil, Destination.needsReceipt(destination) {
            throw Fault(
                "receipt is required here",
                "Without a receipt a sender cannot know what became of it. Add a receipt header.")
        }
        let replyTo = headers["reply-to"]
        if Destination.isQuestion(destination) { try checkReplyAddress(replyTo) }
        let contentType = headers["content-type"]
        let transaction = headers["transaction"]
        let taken = [receipt, replyTo, contentType, transaction].count { $0 != nil } + 1
        droppedSendHeaders += headers.count - taken
        let request = SendRequest(
            destination: destination, contentType: contentType, replyTo: replyTo, body: frame.body)
        if let transaction {
            return try add(.send(request), receipt, byteCount: frame.body.count, to: transaction)
        }
        handOut(.send(request), receipt, byteCount: frame.body.count, &effects)
    }

    /// The answer is seen by this connection only, so the address must be one of its own subscriptions.
    private func checkReplyAddress(_ replyTo: String?) throws(Fault) {
        guard let replyTo, Destination.isReplyAddress(replyTo),
            subscriptions.contains(where: { $0.destination == replyTo })
        else {
            throw Fault(
                "reply-to is no subscription of this connection",
                "SUBSCRIBE to /replies/<token> on this connection first, then send the question with reply-to set to it."
            )
        }
    }

    static func missing(_ header: String, on command: Command) -> Fault {
        Fault("\(command.rawValue) without \(header)", "\(command.rawValue) needs the header \(header). Add it.")
    }

    // MARK: ACK, NACK

    private mutating func handleAck(
        _ frame: Frame, _ receipt: String?, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        if frame.command == .nack, version == .v1_0 {
            throw Fault("NACK in STOMP 1.0", "NACK came with STOMP 1.1. Connect with accept-version 1.1 or 1.2.")
        }
        let numbers = try acknowledgedNumbers(frame)
        if let transaction = frame.headers["transaction"] {
            try add(frame.command == .ack ? .acknowledge(numbers) : .reject(numbers), receipt, to: transaction)
            inFlight.hold(numbers)
            return
        }
        let tags = removeInFlight(numbers)
        handOut(frame.command == .ack ? .acknowledge(tags) : .reject(tags), receipt, &effects)
    }

    /// Which messages the frame means: 1.2 says `id`, 1.1 `message-id` and `subscription`, 1.0 `message-id`.
    private func acknowledgedNumbers(_ frame: Frame) throws(Fault) -> [UInt64] {
        let name = version == .v1_2 ? "id" : "message-id"
        guard let text = frame.headers[name] else { throw Self.missing(name, on: frame.command) }
        var named: String?
        if version == .v1_1 {
            named = frame.headers["subscription"]
            if named == nil { throw Self.missing("subscription", on: frame.command) }
        }
        guard let number = messageNumber(text), let key = inFlight.subscription(of: number),
            let subscription = subscriptions.first(where: { $0.key == key }), named == nil || subscription.id == named
        else {
            throw Fault(
                "unknown ack id",
                "The id is not of a message in flight on this connection, or it was acknowledged before. Use the \(name)"
                    + " of the MESSAGE\(version == .v1_2 ? "'s ack header" : ""), once.")
        }
        guard subscription.mode == .client else { return [number] }
        return inFlight.numbers(through: number, in: subscription.messages)
    }

    /// Takes messages out of flight: their credit is back at once.
    mutating func removeInFlight(_ numbers: [UInt64]) -> [MessageTag] {
        var tags: [MessageTag] = []
        tags.reserveCapacity(numbers.count)
        for number in numbers {
            let key = inFlight.subscriptionEvenIfHeld(of: number)
            if let index = subscriptions.firstIndex(where: { $0.key == key }) {
                if let tag = inFlight.remove(number, from: &subscriptions[index].messages) { tags.append(tag) }
            } else {
                var gone = InFlightTable.List()
                if let tag = inFlight.remove(number, from: &gone) { tags.append(tag) }
            }
        }
        return tags
    }

    // MARK: DISCONNECT

    private mutating func handleDisconnect(
        _ receipt: String?, at now: SessionInstant, _ effects: inout [SessionEffect]
    ) {
        phase = .disconnecting
        answerOwn(receipt, .disconnect, at: now, &effects)
    }
}
