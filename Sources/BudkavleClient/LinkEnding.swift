import STOMP

// Losing a connection, giving up, running out of time.
extension Link {
    /// The connection is gone, another one comes after a pause.
    mutating func lose(_ error: RelayError, at now: SessionInstant) -> [LinkEffect] {
        if isLeaving { return end(with: nil) }
        if let since = connectedAt, now >= since.advanced(byMilliseconds: policy.settledAfter.wholeMilliseconds) {
            backoff.reset()
        }
        forgetConnection()
        lastTrouble = error
        let pause = backoff.pauseMilliseconds(random: &random)
        if !hasEverConnected, let attempts = policy.initialAttempts, backoff.failures >= attempts {
            return end(with: error)
        }
        phase = .pausing(until: now.advanced(byMilliseconds: pause))
        return failUnrepeatable() + [.state(.lost(error, retryAfter: .milliseconds(pause)))]
    }

    /// Nothing more will come: everything that waits is answered with the error.
    mutating func end(with error: RelayError?) -> [LinkEffect] {
        if case .ended = phase { return [] }
        phase = .ended(error)
        forgetConnection()
        var result: [LinkEffect] = []
        for number in operations.keys.sorted() {
            let wasSent = operations[number]?.wasSent ?? false
            result.append(.answered(number, .failure(wasSent ? Self.unconfirmed(error) : Self.closed(error))))
        }
        operations = [:]
        waitingQuestions = []
        for number in subscriptions.keys.sorted() { result.append(.finished(number, error)) }
        subscriptions = [:]
        earliestDeadline = nil
        farewellEnds = nil
        return result + [.state(.ended(error))]
    }

    private mutating func forgetConnection() {
        connectedAt = nil
        awaited = [:]
        waitingQuestions = []
        questionsUnderWay = 0
        for number in operations.keys {
            operations[number]?.isUnderWay = false
            operations[number]?.isConfirmed = false
            operations[number]?.reply = nil
        }
    }

    private mutating func failUnrepeatable() -> [LinkEffect] {
        var result: [LinkEffect] = []
        for number in operations.keys.sorted() {
            guard let operation = operations[number], operation.wasSent, operation.request.repetition == .never else {
                continue
            }
            operations[number] = nil
            result.append(.answered(number, .failure(Self.unconfirmed(lastTrouble))))
        }
        return result
    }

    mutating func noteDeadline(_ deadline: SessionInstant?) {
        guard let deadline else { return }
        earliestDeadline = earliestDeadline.map { min($0, deadline) } ?? deadline
    }

    mutating func expire(at now: SessionInstant) -> [LinkEffect] {
        earliestDeadline = nil
        var result: [LinkEffect] = []
        for number in operations.keys.sorted() {
            guard let operation = operations[number], let deadline = operation.request.deadline else { continue }
            if deadline > now {
                noteDeadline(deadline)
                continue
            }
            operations[number] = nil
            let error = operation.wasSent ? Self.unconfirmed(lastTrouble) : noConnection
            result.append(.answered(number, .failure(error)))
            result += release(number, operation)
        }
        for number in subscriptions.keys.sorted() {
            guard let subscription = subscriptions[number], !subscription.isConfirmed,
                let deadline = subscription.deadline
            else { continue }
            if deadline > now {
                noteDeadline(deadline)
                continue
            }
            unsubscribe(number)
            result.append(.finished(number, noConnection))
        }
        return result
    }

    private var noConnection: RelayError {
        lastTrouble ?? RelayError(.unreachable, "the relay did not answer in time")
    }

    private static func unconfirmed(_ cause: RelayError?) -> RelayError {
        RelayError(.notConfirmed, "no answer came; what was sent may be stored, send it again unchanged", cause: cause)
    }
}
