internal import DequeModule

/// What our own client asks for at CONNECT, and what a connection may cost it.
package struct ClientOptions: Equatable, Sendable {
    /// The collaboration. In CONNECT nothing is escaped, so a CR or LF would be written as a space.
    package var host: String
    /// The last signed checkpoint that this client saw.
    package var checkpoint: String?
    /// Offered for both directions.
    package var heartBeatMilliseconds: Int64 = 10_000
    /// Tolerated beyond twice the agreed gap.
    package var heartBeatGraceMilliseconds: Int64 = 5_000
    /// From the start to CONNECTED.
    package var connectMilliseconds: Int64 = 10_000
    /// From the first byte of a frame to its last.
    package var frameMilliseconds: Int64 = 60_000
    /// One frame of the server's.
    package var frames = FrameLimits.standard
    /// Receipts asked for and not there yet; past it `.windowFull` is thrown.
    package var unansweredReceipts = 65_536

    /// The defaults for a collaboration.
    package init(host: String) { self.host = host }
}

/// Names a receipt that was asked for.
package typealias ReceiptNumber = UInt64

/// Whether to ask for a RECEIPT.
package enum ReceiptChoice: Equatable, Sendable {
    /// Ask; the answer comes as `.receipt`.
    case wanted
    /// Do not ask; a refusal ends the connection.
    case none
}

/// Why a frame could not be sent. Nothing was written.
package enum ClientFault: Error, Equatable, Sendable {
    /// Before CONNECTED, or after the end or `disconnect`.
    case notConnected
    /// Too many receipts are not there yet.
    case windowFull(limit: Int)
}

/// What CONNECTED said.
package struct ConnectedInfo: Equatable, Sendable {
    /// Always 1.2, the one version that we offer.
    package var version: Version
    /// The server's name for this session.
    package var session: String?
    /// Name and version of the server.
    package var server: String?
    /// The party that our certificate speaks for.
    package var party: String?
    /// This client's id in the party's file.
    package var client: String?
    /// The gaps agreed on.
    package var heartBeats: HeartBeats
}

/// A MESSAGE.
package struct IncomingMessage: Equatable, Sendable {
    /// The `destination` header.
    package var destination: String
    /// The `subscription` header.
    package var subscription: String
    /// The `message-id` header.
    package var messageID: String
    /// For `acknowledge` and `reject`. Nil on `auto` subscriptions.
    package var ack: String?
    /// All headers.
    package var headers: Headers
    /// The body's bytes.
    package var body: [UInt8]
}

/// What became of a frame that asked for a receipt.
package enum ReceiptOutcome: Equatable, Sendable {
    /// Processed; for SENDs: on disk. The headers hold `status`, `notification`, `position` and so on.
    case done(Headers)
    /// Refused by policy; the session goes on.
    case refused(code: String, path: String?, message: String)
}

/// An ERROR of the server's.
package struct ServerError: Error, Equatable, Sendable {
    /// One short sentence.
    package var message: String
    /// Why, for refusals.
    package var code: String?
    /// Where, for refusals: a JSON pointer.
    package var path: String?
    /// Which of our frames it answers.
    package var receipt: ReceiptNumber?
    /// The rule and what to change.
    package var details: String

    /// An error with these parts.
    package init(message: String, code: String?, path: String?, receipt: ReceiptNumber?, details: String) {
        self.message = message
        self.code = code
        self.path = path
        self.receipt = receipt
        self.details = details
    }
}

/// Why a client's connection is to be closed.
package enum ClientCloseReason: Equatable, Sendable {
    /// DISCONNECT was answered.
    case disconnected
    /// The server sent ERROR.
    case error
    /// The server closed without an ERROR.
    case peerClosed
    /// No CONNECTED, no whole frame, or no sign of life in time.
    case timeout
    /// What the server sent is no STOMP.
    case frameFault(FrameFault)
    /// What the server sent is against the rules of the session; the text says which.
    case protocolFault(String)
}

/// What a client session asks its caller to do, in order.
package enum ClientEffect: Equatable, Sendable {
    /// Frames may be sent now.
    case connected(ConnectedInfo)
    /// A message came.
    case message(IncomingMessage)
    /// A receipt came.
    case receipt(ReceiptNumber, ReceiptOutcome)
    /// An ERROR came; `.close` follows.
    case failed(ServerError)
    /// Write what is in the output and close. `pendingReceipts` are those whose outcome is not known.
    case close(ClientCloseReason)
}

/// Our own client's side of a connection: STOMP 1.2, `rejections:receipt`, a content-length on every body.
package struct ClientSession: Sendable {
    private enum Phase: Equatable {
        case connecting
        case connected
        case disconnecting(ReceiptNumber)
        case closed
    }

    private let options: ClientOptions
    private let openedAt: SessionInstant
    private var phase = Phase.connecting
    private var decoder: FrameDecoder
    private var beats: HeartBeatClock
    private var output: [UInt8] = []
    private var pending: Deque<ReceiptNumber> = []
    private var lastReceipt: ReceiptNumber = 0
    private var frameBegan: SessionInstant?
    private var frameCount: UInt64 = 0

    /// CONNECT is in the output then. `openedAt`: when the TLS handshake was done.
    package init(options: ClientOptions, openedAt: SessionInstant) {
        self.options = options
        self.openedAt = openedAt
        decoder = FrameDecoder(role: .client, limits: options.frames)
        beats = HeartBeatClock(at: openedAt)
        var headers: Headers = [
            "accept-version": "1.2", "host": options.host, "heart-beat": offer.header, "rejections": "receipt",
        ]
        if let checkpoint = options.checkpoint { headers.append("checkpoint", checkpoint) }
        FrameEncoder.encode(Frame(.connect, headers), version: .v1_2, into: &output)
    }

    private var offer: HeartBeatOffer {
        HeartBeatOffer(
            sendsMilliseconds: options.heartBeatMilliseconds, wantsMilliseconds: options.heartBeatMilliseconds)
    }

    /// Whether frames may be sent.
    package var isConnected: Bool { phase == .connected }

    /// Asked for and not answered, in the order of sending. After the end their outcome is unknown: send them again
    /// with the same event id.
    package var pendingReceipts: [ReceiptNumber] { Array(pending) }

    // MARK: Input

    /// Takes bytes of the server's.
    package mutating func receive(_ bytes: ArraySlice<UInt8>, at now: SessionInstant) -> [ClientEffect] {
        guard phase != .closed else { return [] }
        beats.noteRead(at: now)
        decoder.append(bytes)
        var effects: [ClientEffect] = []
        decoding: while phase != .closed {
            do throws(FrameFault) {
                switch try decoder.next() {
                case nil: break decoding
                case .heartBeat: continue
                case .frame(let frame): handle(frame, at: now, &effects)
                }
            } catch {
                effects += close(.frameFault(error))
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

    /// Takes bytes of the server's.
    package mutating func receive(_ bytes: [UInt8], at now: SessionInstant) -> [ClientEffect] {
        receive(bytes[...], at: now)
    }

    /// The server closed.
    package mutating func endOfInput(at now: SessionInstant) -> [ClientEffect] {
        phase == .closed ? [] : close(.peerClosed)
    }

    /// Heart-beats and deadlines. Call it at `nextDeadline`; earlier does no harm.
    package mutating func tick(at now: SessionInstant) -> [ClientEffect] {
        for deadline in [connectDeadline, frameDeadline, beats.silentAt] {
            if let deadline, now >= deadline, phase != .closed { return close(.timeout) }
        }
        if let beatAt = beats.beatAt, now >= beatAt, output.isEmpty, phase != .closed { output.append(Byte.lineFeed) }
        return []
    }

    /// When `tick` has something to do.
    package var nextDeadline: SessionInstant? {
        guard phase != .closed else { return nil }
        let beatAt = output.isEmpty ? beats.beatAt : nil
        return [connectDeadline, frameDeadline, beats.silentAt, beatAt].compactMap { $0 }.min()
    }

    private var connectDeadline: SessionInstant? {
        phase == .connecting ? openedAt.advanced(byMilliseconds: options.connectMilliseconds) : nil
    }

    private var frameDeadline: SessionInstant? {
        frameBegan?.advanced(byMilliseconds: options.frameMilliseconds)
    }

    private mutating func close(_ reason: ClientCloseReason) -> [ClientEffect] {
        phase = .closed
        return [.close(reason)]
    }

    private mutating func handle(_ frame: Frame, at now: SessionInstant, _ effects: inout [ClientEffect]) {
        switch frame.command {
        case .connected: effects += handleConnected(frame, at: now)
        case .error:
            let headers = frame.headers
            let receipt = headers["receipt-id"].flatMap(ReceiptNumber.init)
            if let receipt, let index = pending.firstIndex(of: receipt) { pending.remove(at: index) }
            effects.append(
                .failed(
                    ServerError(
                        message: headers["message"] ?? "", code: headers["code"], path: headers["path"],
                        receipt: receipt, details: String(decoding: frame.body, as: UTF8.self))))
            effects += close(.error)
        case _ where phase == .connecting:
            effects += close(.protocolFault("\(frame.command.rawValue) before CONNECTED"))
        case .message: effects += handleMessage(frame)
        case .receipt: effects += handleReceipt(frame)
        case .connect, .stomp, .send, .subscribe, .unsubscribe, .ack, .nack, .begin, .commit, .abort, .disconnect:
            effects += close(.frameFault(.commandOfOtherSide(frame.command)))
        }
    }

    private mutating func handleConnected(_ frame: Frame, at now: SessionInstant) -> [ClientEffect] {
        guard phase == .connecting else { return close(.protocolFault("second CONNECTED")) }
        guard frame.headers["version"] == Version.v1_2.text else {
            return close(.protocolFault("CONNECTED with a version that was not offered"))
        }
        guard let other = HeartBeatOffer(header: frame.headers["heart-beat"] ?? "0,0") else {
            return close(.protocolFault("CONNECTED with a heart-beat that is not two numbers"))
        }
        let agreed = HeartBeats(own: offer, other: other)
        beats.agree(agreed, graceMilliseconds: options.heartBeatGraceMilliseconds, at: now)
        phase = .connected
        let headers = frame.headers
        return [
            .connected(
                ConnectedInfo(
                    version: .v1_2, session: headers["session"], server: headers["server"], party: headers["party"],
                    client: headers["client"], heartBeats: agreed))
        ]
    }

    private mutating func handleMessage(_ frame: Frame) -> [ClientEffect] {
        let headers = frame.headers
        guard let destination = headers["destination"], let subscription = headers["subscription"],
            let messageID = headers["message-id"]
        else { return close(.protocolFault("MESSAGE without destination, subscription or message-id")) }
        return [
            .message(
                IncomingMessage(
                    destination: destination, subscription: subscription, messageID: messageID, ack: headers["ack"],
                    headers: headers, body: frame.body))
        ]
    }

    private mutating func handleReceipt(_ frame: Frame) -> [ClientEffect] {
        // Answers come in the order of the frames, but for those in transactions: nearly always it is the first.
        guard let number = frame.headers["receipt-id"].flatMap(ReceiptNumber.init),
            let index = pending.firstIndex(of: number)
        else { return close(.protocolFault("RECEIPT that nobody asked for")) }
        pending.remove(at: index)
        if phase == .disconnecting(number) { return close(.disconnected) }
        guard frame.headers["status"] == "refused" else { return [.receipt(number, .done(frame.headers))] }
        let outcome = ReceiptOutcome.refused(
            code: frame.headers["code"] ?? "", path: frame.headers["path"], message: frame.headers["message"] ?? "")
        return [.receipt(number, outcome)]
    }

    // MARK: Output

    /// Whether there are bytes to write.
    package var hasOutput: Bool { !output.isEmpty }

    /// Moves the output behind `buffer`. An empty `buffer` is swapped, not copied.
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

    /// Writes a frame and asks for a receipt where that is wanted.
    mutating func write(
        _ command: Command, _ headers: Headers, body: [UInt8] = [], _ choice: ReceiptChoice
    ) throws(ClientFault) -> ReceiptNumber? {
        guard phase == .connected else { throw .notConnected }
        var headers = headers
        var number: ReceiptNumber?
        if choice == .wanted {
            guard pending.count < options.unansweredReceipts else {
                throw .windowFull(limit: options.unansweredReceipts)
            }
            lastReceipt += 1
            number = lastReceipt
            pending.append(lastReceipt)
            headers.append("receipt", String(lastReceipt))
        }
        FrameEncoder.encode(Frame(command, headers, body: body), version: .v1_2, into: &output)
        return number
    }

    /// Sends DISCONNECT; its RECEIPT gives `.close(.disconnected)`, and by then all earlier frames are answered.
    package mutating func disconnect() throws(ClientFault) -> ReceiptNumber {
        guard let number = try write(.disconnect, [:], .wanted) else { throw .notConnected }
        phase = .disconnecting(number)
        return number
    }
}
