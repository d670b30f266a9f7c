/// The server's side of one connection: who may say what when. Knows nothing of policy, sockets or clocks.
///
/// Bytes come in by `receive`, requests go out as effects, answers come back by `answer`, and bytes go out by
/// `drainOutput`. RECEIPT and ERROR leave in the order of the frames that they answer; MESSAGEs are free of it. An ERROR
/// waits for all earlier answers; nothing behind the frame that caused it is handed out (protocol.md, Refusals).
package struct ServerSession: Sendable {
    enum Phase: Equatable {
        case awaitingConnect
        /// CONNECT is with the caller; nothing is decoded.
        case deciding(ConnectRequest)
        case connected
        /// DISCONNECT came; frames are ignored, earlier ones still answered.
        case disconnecting
        /// An ERROR waits for earlier answers, until `giveUp` at most where the other side is silent.
        case failing(giveUp: SessionInstant?)
        /// The ERROR is out; what comes is dropped.
        case lingering(until: SessionInstant)
        case closed
    }

    let sessionID: String
    let server: String
    let limits: SessionLimits
    let openedAt: SessionInstant
    var phase = Phase.awaitingConnect
    var decoder: FrameDecoder
    var beats: HeartBeatClock
    var answers = AnswerQueue()
    var rejections = RejectionStyle.error
    var subscriptions: [Subscription] = []
    var lastSubscription: UInt32 = 0
    var inFlight: InFlightTable
    var lastAutoMessage: UInt64 = 0
    var transactions: [Transaction] = []
    var output: [UInt8] = []
    /// When the frame began that is not finished yet.
    var frameBegan: SessionInstant?
    var frameCount: UInt64 = 0
    var missingHost = 0
    var droppedSendHeaders = 0

    /// What was agreed; nil before CONNECTED.
    package internal(set) var version: Version?

    /// - Parameters:
    ///   - sessionID: random, `[0-9A-Za-z._-]`, 1 to 64 characters; written into CONNECTED and into every message id.
    ///   - server: `budkavle/1.0.0`, for CONNECTED.
    ///   - openedAt: when the TLS handshake was done; CONNECT is due `connectMilliseconds` later.
    package init(sessionID: String, server: String, limits: SessionLimits = .standard, openedAt: SessionInstant) {
        precondition((1...64).contains(sessionID.utf8.count), "a session id has 1 to 64 characters")
        self.sessionID = sessionID
        self.server = server
        self.limits = limits
        self.openedAt = openedAt
        decoder = FrameDecoder(role: .server, limits: limits.frames)
        decoder.expectsConnect = true
        beats = HeartBeatClock(at: openedAt)
        inFlight = InFlightTable(capacity: limits.unacknowledged)
    }

    // MARK: Input

    /// Takes bytes. At most one buffer's worth should be read before `wantsInput` is asked again.
    package mutating func receive(_ bytes: ArraySlice<UInt8>, at now: SessionInstant) -> [SessionEffect] {
        beats.noteRead(at: now)
        switch phase {
        case .awaitingConnect, .connected:
            decoder.append(bytes)
            return decodeFrames(at: now)
        case .deciding:
            decoder.append(bytes)
            return []
        case .disconnecting, .failing, .lingering, .closed:
            return []
        }
    }

    /// Takes bytes.
    package mutating func receive(_ bytes: [UInt8], at now: SessionInstant) -> [SessionEffect] {
        receive(bytes[...], at: now)
    }

    /// False: stop reading from the socket, too much is unanswered. Ask again after answers.
    package var wantsInput: Bool {
        switch phase {
        case .deciding, .closed: false
        case .lingering, .failing, .disconnecting: true
        case .awaitingConnect, .connected:
            answers.count < limits.unansweredRequests && answers.byteCount < limits.unansweredBytes
        }
    }

    /// The other side closed. Open transactions are forgotten with the session.
    package mutating func endOfInput(at now: SessionInstant) -> [SessionEffect] {
        switch phase {
        case .closed: return []
        case .lingering, .failing: return close(.error)
        case .disconnecting: return close(.disconnected)
        case .awaitingConnect, .deciding, .connected: return close(.peerClosed)
        }
    }

    /// Heart-beats and deadlines. Call it at `nextDeadline`; earlier does no harm.
    package mutating func tick(at now: SessionInstant) -> [SessionEffect] {
        guard let deadline = nextDeadline, now >= deadline else { return [] }
        switch phase {
        case .awaitingConnect:
            return endForTime("no CONNECT in time", "CONNECT must come whole", limits.connectMilliseconds, at: now)
        case .connected:
            if let silentAt = beats.silentAt, now >= silentAt {
                let gap = beats.agreed.incomingMilliseconds
                return endForTime(
                    "no heart-beat", "Something must be sent at least every \(gap) ms; this side waited",
                    2 * gap + limits.heartBeatGraceMilliseconds, at: now)
            }
            if let frameDeadline, now >= frameDeadline {
                return endForTime("frame took too long", "A frame must come whole", limits.frameMilliseconds, at: now)
            }
            if let beatAt = beats.beatAt, now >= beatAt, output.isEmpty { output.append(Byte.lineFeed) }
            return []
        case .failing: return close(.timeout)
        case .lingering: return close(.error)
        case .deciding, .disconnecting, .closed: return []
        }
    }

    /// When `tick` has something to do. A heart-beat that waits in the output is not counted.
    package var nextDeadline: SessionInstant? {
        switch phase {
        case .awaitingConnect: openedAt.advanced(byMilliseconds: limits.connectMilliseconds)
        case .connected:
            [beats.silentAt, output.isEmpty ? beats.beatAt : nil, frameDeadline].compactMap { $0 }.min()
        case .failing(let giveUp): giveUp
        case .lingering(let until): until
        case .deciding, .disconnecting, .closed: nil
        }
    }

    private var frameDeadline: SessionInstant? {
        frameBegan?.advanced(byMilliseconds: limits.frameMilliseconds)
    }

    private mutating func endForTime(
        _ message: String, _ rule: String, _ milliseconds: Int64, at now: SessionInstant
    ) -> [SessionEffect] {
        let refusal = SessionRefusal(message: message, details: "\(rule) for \(milliseconds) ms at most.")
        var effects: [SessionEffect] = []
        fail(refusal, reason: .timeout, receipt: nil, at: now, &effects)
        if case .failing = phase {
            phase = .failing(giveUp: now.advanced(byMilliseconds: limits.lingerMilliseconds))
        }
        return effects
    }

    mutating func decodeFrames(at now: SessionInstant) -> [SessionEffect] {
        var effects: [SessionEffect] = []
        decoding: while phase == .awaitingConnect || phase == .connected {
            do throws(FrameFault) {
                switch try decoder.next() {
                case nil: break decoding
                case .heartBeat: continue
                case .frame(let frame): handle(frame, at: now, &effects)
                }
            } catch {
                fail(SessionRefusal(error), reason: .frame(error), receipt: decoder.receiptSoFar, at: now, &effects)
            }
        }
        if !decoder.isInsideFrame {
            frameBegan = nil
        } else if frameBegan == nil || frameCount != decoder.frameCount {
            frameBegan = now
        }
        frameCount = decoder.frameCount
        return effects
    }

    // MARK: Output

    /// Whether there are bytes to write.
    package var hasOutput: Bool { !output.isEmpty }

    /// How many bytes there are to write.
    package var outputCount: Int { output.count }

    /// Moves the output behind `buffer`: whole frames and heart-beats. An empty `buffer` is swapped, not copied.
    package mutating func drainOutput(into buffer: inout [UInt8], at now: SessionInstant) {
        guard !output.isEmpty else { return }
        beats.noteWrite(at: now)
        if buffer.isEmpty {
            swap(&buffer, &output)
        } else {
            buffer.append(contentsOf: output)
            output.removeAll(keepingCapacity: true)
        }
    }

    // MARK: Ending

    /// Ends the session from this side: ERROR behind all earlier answers, then `.close`.
    package mutating func end(with refusal: SessionRefusal, at now: SessionInstant) -> [SessionEffect] {
        var effects: [SessionEffect] = []
        switch phase {
        case .awaitingConnect, .deciding, .connected:
            fail(refusal, reason: .ended, receipt: nil, at: now, &effects)
        case .disconnecting, .failing, .lingering, .closed: break
        }
        return effects
    }

    /// When the connection is gone, whatever the reason: what was not acknowledged, in the order of delivery,
    /// acknowledgements in transactions that were not committed among them.
    package mutating func takeUnacknowledged() -> [MessageTag] {
        phase = .closed
        transactions = []
        subscriptions = []
        return inFlight.removeEverything()
    }

    /// What this client did that we let pass.
    package var quirks: QuirkCounts {
        QuirkCounts(
            colonsInValues: decoder.colonsInValues, missingHost: missingHost, droppedSendHeaders: droppedSendHeaders,
            strayNULs: decoder.strayNULs)
    }

    mutating func close(_ reason: CloseReason) -> [SessionEffect] {
        phase = .closed
        return [.close(reason)]
    }

    /// Queues an ERROR behind everything that was handed out.
    mutating func fail(
        _ refusal: SessionRefusal, reason: SessionFailure.Reason, receipt: String?, versions: String? = nil,
        at now: SessionInstant, _ effects: inout [SessionEffect]
    ) {
        answers.closeBehindNext()
        answers.append(.init(receipt: receipt, kind: .error(refusal, versions: versions), answer: .done))
        phase = .failing(giveUp: nil)
        effects.append(.failed(SessionFailure(reason: reason, refusal: refusal)))
        flushAnswers(at: now, &effects)
    }
}
