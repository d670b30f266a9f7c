import STOMP

// The life of one connection within a link.
extension Link {
    mutating func openConnection() -> [LinkEffect] {
        connection += 1
        phase = .opening
        serverError = nil
        return [.open(connection: connection)]
    }

    mutating func digest(_ effects: [ClientEffect], at now: SessionInstant) -> [LinkEffect] {
        var result: [LinkEffect] = []
        for effect in effects {
            switch effect {
            case .connected(let info): result += connected(info, at: now)
            case .message(let message): result += take(message)
            case .receipt(let number, let outcome): result += take(outcome, for: number)
            case .failed(let error): result += take(error)
            case .close(let reason): result += closed(reason, at: now)
            }
        }
        return result
    }

    private mutating func connected(_ info: ConnectedInfo, at now: SessionInstant) -> [LinkEffect] {
        guard case .speaking(var session) = phase else { return [] }
        hasEverConnected = true
        connectedAt = now
        lastTrouble = nil
        var result: [LinkEffect] = [.state(.connected(party: info.party ?? "", client: info.client ?? ""))]
        for number in subscriptions.keys.sorted() { result += establish(number, in: &session) }
        phase = .speaking(session)
        // The order of the calls is the order on the wire, at every attempt.
        for number in operations.keys.sorted() { result += carry(number) }
        return result
    }

    mutating func establish(_ number: SubscriptionNumber, in session: inout ClientSession) -> [LinkEffect] {
        guard session.isConnected, let subscription = subscriptions[number] else { return [] }
        do {
            let receipt = try session.subscribe(
                to: subscription.destination.path, id: Self.subscriptionID(number),
                ack: subscription.destination.wantsAcknowledgement ? .clientIndividual : .auto,
                prefetch: subscription.prefetch, receipt: .wanted)
            if let receipt { awaited[receipt] = .subscription(number) }
            return []
        } catch {
            subscriptions[number] = nil
            return [.finished(number, Self.unsendable(error))]
        }
    }

    /// Puts one request on the connection, if there is one and the request is not there already.
    mutating func carry(_ number: OperationNumber) -> [LinkEffect] {
        guard case .speaking(var session) = phase, session.isConnected, !isLeaving,
            var operation = operations[number], !operation.isUnderWay
        else { return [] }
        do {
            let receipt: ReceiptNumber?
            switch operation.request.work {
            case .send(let destination, let contentType, let body):
                phase = .resting  // so that the session is not copied while it changes
                defer { phase = .speaking(session) }
                receipt = try session.send(
                    to: destination, contentType: contentType, body: body, receipt: .wanted)
            case .question(let destination, let contentType, let body):
                guard questionsUnderWay < limits.questions else {
                    if !waitingQuestions.contains(number) { waitingQuestions.append(number) }
                    return []
                }
                defer { phase = .speaking(session) }
                let id = Self.questionID(number)
                _ = try session.subscribe(to: "/replies/\(id)", id: id, ack: .auto, receipt: .none)
                receipt = try session.send(
                    to: destination, contentType: contentType, replyTo: "/replies/\(id)", body: body,
                    receipt: .wanted)
                questionsUnderWay += 1
            }
            if let receipt { awaited[receipt] = .operation(number) }
            operation.isUnderWay = true
            operation.wasSent = true
            operations[number] = operation
            return []
        } catch {
            operations[number] = nil
            return [.answered(number, .failure(Self.unsendable(error)))]
        }
    }

    private mutating func take(_ message: IncomingMessage) -> [LinkEffect] {
        if message.subscription.hasPrefix("q"), let number = OperationNumber(message.subscription.dropFirst()) {
            guard var operation = operations[number] else { return [] }
            operation.reply = message.body
            operations[number] = operation
            return finishQuestion(number)
        }
        guard message.subscription.hasPrefix("s"),
            let number = SubscriptionNumber(message.subscription.dropFirst()), subscriptions[number] != nil
        else { return [] }
        let relayed = RelayMessage(
            body: message.body, destination: message.destination, notification: message.headers["notification"],
            urgency: message.headers["urgency"], isRedelivered: message.headers["redelivered"] == "true",
            isDrill: message.headers["drill"] == "true",
            ticket: MessageTicket(connection: connection, acknowledgement: message.ack))
        return [.message(number, relayed)]
    }

    private mutating func take(_ outcome: ReceiptOutcome, for receipt: ReceiptNumber) -> [LinkEffect] {
        switch awaited.removeValue(forKey: receipt) {
        case nil: return []
        case .subscription(let number):
            guard let subscription = subscriptions[number] else { return [] }
            switch outcome {
            case .done(let headers):
                if subscription.isConfirmed { return [] }
                subscriptions[number]?.isConfirmed = true
                return [.subscribed(number, headers)]
            case .refused(let code, let path, let message):
                subscriptions[number] = nil
                return [.finished(number, Self.refusal(code, path, message).asError)]
            }
        case .operation(let number):
            guard var operation = operations[number] else { return [] }
            switch (outcome, operation.request.work) {
            case (.done(let headers), .send):
                operations[number] = nil
                if let head = headers["head"], let signature = headers["signature"] {
                    remember(checkpoint: "\(head).\(signature)")
                }
                return [.answered(number, .success(.receipt(headers)))]
            case (.done, .question):
                operation.isConfirmed = true
                operations[number] = operation
                return finishQuestion(number)
            case (.refused(let code, let path, let message), _):
                operations[number] = nil
                let refusal = Self.refusal(code, path, message)
                return [.answered(number, .success(.refused(refusal)))] + release(number, operation)
            }
        }
    }

    private mutating func finishQuestion(_ number: OperationNumber) -> [LinkEffect] {
        guard let operation = operations[number], operation.isConfirmed, let reply = operation.reply else { return [] }
        operations[number] = nil
        return [.answered(number, .success(.reply(reply)))] + release(number, operation)
    }

    /// Gives back the reply destination of a question that has ended, and lets the next one have it.
    mutating func release(_ number: OperationNumber, _ operation: Operation) -> [LinkEffect] {
        guard case .question = operation.request.work else { return [] }
        guard operation.isUnderWay else {
            waitingQuestions.removeAll { $0 == number }
            return []
        }
        questionsUnderWay -= 1
        if case .speaking(var session) = phase, session.isConnected {
            _ = try? session.unsubscribe(id: Self.questionID(number), receipt: .none)
            phase = .speaking(session)
        }
        if waitingQuestions.isEmpty { return [] }
        return carry(waitingQuestions.removeFirst())
    }

    /// ERROR: the frame that it names is answered by it and not sent again; the rest is, on the next connection.
    private mutating func take(_ error: ServerError) -> [LinkEffect] {
        serverError = error
        guard let receipt = error.receipt, let target = awaited.removeValue(forKey: receipt) else { return [] }
        let refusal = Self.refusal(error.code ?? "", error.path, error.message)
        switch target {
        case .subscription(let number):
            guard subscriptions.removeValue(forKey: number) != nil else { return [] }
            return [.finished(number, refusal.asError)]
        case .operation(let number):
            guard let operation = operations.removeValue(forKey: number) else { return [] }
            if case .question = operation.request.work, operation.isUnderWay { questionsUnderWay -= 1 }
            return [.answered(number, .success(.refused(refusal)))]
        }
    }

    private mutating func closed(_ reason: ClientCloseReason, at now: SessionInstant) -> [LinkEffect] {
        let number = connection
        let wasConnected: Bool
        if case .speaking(let session) = phase { wasConnected = session.isConnected } else { wasConnected = false }
        let close = LinkEffect.close(connection: number)
        if isLeaving { return [close] + end(with: nil) }
        switch reason {
        case .disconnected: return [close] + end(with: nil)
        case .error:
            let error = serverError.map(Self.trouble) ?? RelayError(.protocolFault, "the relay sent ERROR")
            if Self.isFinal(serverError, wasConnected: wasConnected || connectedAt != nil) {
                return [close] + end(with: error)
            }
            return [close] + lose(error, at: now)
        case .peerClosed: return [close] + lose(RelayError(.unreachable, "the relay closed the connection"), at: now)
        case .timeout: return [close] + lose(RelayError(.unreachable, "the relay was silent for too long"), at: now)
        case .protocolFault(let fault): return [close] + distrust(fault, cause: nil, at: now)
        case .frameFault(let fault): return [close] + distrust(fault.message, cause: fault, at: now)
        }
    }

    /// What came was no STOMP of a relay. Before the first CONNECTED it is the wrong address, later an accident.
    private mutating func distrust(
        _ fault: String, cause: FrameFault?, at now: SessionInstant
    ) -> [LinkEffect] {
        let error = RelayError(.protocolFault, "what answers is not a STOMP 1.2 relay: \(fault)", cause: cause)
        return hasEverConnected ? lose(error, at: now) : end(with: error)
    }

    /// Whether there is no use in coming back.
    private static func isFinal(_ error: ServerError?, wasConnected: Bool) -> Bool {
        switch error?.code {
        case "unauthorized", "revoked": true
        case "draining", "unavailable", "quota", "limit": false
        default: !wasConnected
        }
    }

    private static func trouble(_ error: ServerError) -> RelayError {
        let refusal = refusal(error.code ?? "", error.path, error.message)
        switch error.code {
        case "unauthorized", "revoked":
            return RelayError(
                .certificateRefused, "the relay refused the certificate: \(error.message)", refusal: refusal)
        case "draining", "unavailable", "quota", "limit":
            return RelayError(.unreachable, "the relay cannot serve us now: \(error.message)", refusal: refusal)
        default:
            return RelayError(.protocolFault, "the relay ended the session: \(error.message)", refusal: refusal)
        }
    }

    static func refusal(_ code: String, _ path: String?, _ message: String) -> RelayRefusal {
        // A refusal without a code is the one text for "not yours" and "does not exist".
        RelayRefusal(code: code.isEmpty ? "unknown" : code, path: path ?? "", message: message)
    }

    private static func unsendable(_ fault: ClientFault) -> RelayError {
        RelayError(.refused, "this cannot be sent: \(fault)", refusal: RelayRefusal(code: "schema"), cause: fault)
    }
}
