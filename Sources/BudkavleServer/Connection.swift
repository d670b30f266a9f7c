import CaseNotifications
import EventLoop
import Routing
import STOMP

/// Number of a connection, never used twice in a process.
struct ConnectionID: Hashable, Comparable, Sendable {
    let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Who a connection speaks for, once its certificate (or local user) has been judged.
struct Peer: Sendable, Equatable {
    let identity: ClientGrant
    /// `TLSv1.3`, `TLSv1.2` or `unix`.
    let transport: String
    let openedAt: Timestamp
}

/// Decides who may have a session, and to which collaboration's core it belongs.
protocol Admission: Sendable {
    /// Judges `identity` for a CONNECT that names `host`. On the loop.
    func admit(_ identity: ChannelIdentity, host: String?, address: String) -> Result<(RelayCore, Peer), SessionRefusal>
    /// The connection is gone. On the loop.
    func ended(_ connection: ConnectionID)
}

/// One client's session: bytes from its channel through STOMP to the relay's core, and back.
///
/// Isolation: an actor on its loop. epoll callbacks and the core, which lives on the same loop, enter it without a hop.
actor Connection: LoopParticipant {
    /// Bytes that wait for a slow reader before no further message is rendered for it.
    static let outgoingLimitBytes = 1024 * 1024
    /// How long a closed session waits for its peer to close too (protocol.md, Refusals).
    static let lingerLimit = Duration.seconds(2)

    nonisolated let id: ConnectionID
    nonisolated let sessionID: String
    private nonisolated let loop: EpollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let channel: any ByteChannel
    private let admission: any Admission
    private let log: DaemonLog
    private let scratch: ReadBuffer
    private var session: ServerSession
    private var core: RelayCore?
    private var peer: Peer?
    private var effects: [SessionEffect] = []
    private var isProcessing = false
    private var output: [UInt8] = []
    private var sent = 0
    private var isBlocked = false
    private var isFlushing = false
    private var isReadPaused = false
    private var timer: TimerToken?
    private var timerAt: SessionInstant?
    private var isClosing = false
    private var closeReason = ""
    private var isLingering = false
    private var isClosed = false

    init(
        id: ConnectionID, sessionID: String, channel: any ByteChannel, loop: EpollLoop, admission: any Admission,
        limits: SessionLimits, log: DaemonLog, scratch: ReadBuffer
    ) {
        self.id = id
        self.sessionID = sessionID
        self.channel = channel
        self.loop = loop
        self.admission = admission
        self.log = log
        self.scratch = scratch
        session = ServerSession(
            sessionID: sessionID, server: ServerVersion.token, limits: limits, openedAt: Self.instant)
    }

    /// Starts the handshake. On the loop.
    func open() {
        channel.open { [self] event in
            // SAFETY: channels call back on the loop's thread, which is this actor's executor.
            self.assumeIsolated { $0.handle(event) }
        }
    }

    private static var instant: SessionInstant { SessionInstant(milliseconds: MonotonicTime.milliseconds) }

    // MARK: Input

    private func handle(_ event: ChannelEvent) {
        guard !isClosed else { return }
        switch event {
        case .opened: setTimer()
        case .readable: read()
        case .writable:
            isBlocked = false
            if !isLingering { flush() }
        case .ended: read()
        case .failed(let reason):
            if peer == nil { log.write(.handshakeRefused(address: channel.address, reason: reason)) }
            finish(reason)
        }
    }

    private func read() {
        guard !isClosed else { return }
        if isLingering { return drop() }
        for _ in 0..<ReadBuffer.readsPerTurn {
            guard session.wantsInput, hasRoom else {
                isReadPaused = true
                break
            }
            let transfer = scratch.bytes.withUnsafeMutableBytes { channel.receive(into: $0) }
            switch transfer {
            case .bytes(let count):
                process(session.receive(scratch.bytes[0..<count], at: Self.instant))
                if isClosed { return }
                continue
            case .wouldBlock: break
            case .end: process(session.endOfInput(at: Self.instant))
            case .failed(let reason): finish(reason)
            }
            break
        }
        guard !isClosed else { return }
        flush()
        setTimer()
    }

    // MARK: Effects of the session

    private func process(_ new: [SessionEffect]) {
        effects.append(contentsOf: new)
        guard !isProcessing else { return }
        isProcessing = true
        var next = 0
        while next < effects.count {
            let effect = effects[next]
            next += 1
            perform(effect)
        }
        effects.removeAll(keepingCapacity: true)
        isProcessing = false
    }

    private func perform(_ effect: SessionEffect) {
        switch effect {
        case .connect(let request): connect(request)
        case .connected(_, let heartBeats):
            guard heartBeats.incomingMilliseconds == 0, let peer else { return }
            channel.keepAlive()
            log.write(.sessionWithoutHeartBeat(session: sessionID, party: peer.identity.party))
        case .request(let request):
            guard let core else { return }
            let mayDecide = session.mayDecide(request.order)
            // SAFETY: the core's executor is the loop on which this connection runs.
            core.assumeIsolated { mayDecide ? $0.handle(request, from: id) : $0.forget(request, from: id) }
        case .returned(let tags):
            // SAFETY: as above.
            core?.assumeIsolated { $0.giveBack(tags, from: id) }
        case .failed(let failure):
            log.write(.sessionClosed(session: sessionID, reason: failure.refusal.message))
        case .close(let reason):
            isClosing = true
            closeReason = "\(reason)"
            flush()
        }
    }

    private func connect(_ request: ConnectRequest) {
        guard let identity = channel.identity else { return finish("no identity") }
        switch admission.admit(identity, host: request.host, address: channel.address) {
        case .failure(let refusal): process(session.refuseConnection(refusal, at: Self.instant))
        case .success(let (core, peer)):
            self.core = core
            self.peer = peer
            // SAFETY: the core's executor is the loop on which this connection runs.
            core.assumeIsolated { core in
                core.open(self, peer: peer)
                if let checkpoint = request.checkpoint { core.judge(checkpoint: checkpoint, session: sessionID) }
            }
            log.write(
                .sessionOpened(session: sessionID, party: peer.identity.party, client: peer.identity.logName))
            let oldest: Version = peer.identity.allows10 ? .v1_0 : .v1_1
            process(
                session.accept(
                    party: peer.identity.party.text, client: peer.identity.client.text, oldest: oldest,
                    at: Self.instant))
        }
    }

    // MARK: What the core asks for (on the loop)

    /// Answers a request; bytes leave in the order of the frames.
    func answer(_ order: OrderNumber, _ answer: STOMP.Answer) {
        guard !isClosed else { return }
        process(session.answer(order, answer, at: Self.instant))
        flushSoon()
    }

    /// Whether a request that had to wait may still be decided.
    func mayDecide(_ order: OrderNumber) -> Bool { session.mayDecide(order) }

    /// Hands a message to a subscription. `false`: no credit, or the subscription is gone, and nothing was written.
    func deliver(_ message: OutgoingMessage, to key: SubscriptionKey, tag: MessageTag) -> Bool {
        guard !isClosed, !isClosing else { return false }
        let isWritten = session.deliver(message, to: key, tag: tag)
        if isWritten { flushSoon() }
        return isWritten
    }

    /// Whether another message may be rendered for this client now: less than ``outgoingLimitBytes`` wait for it.
    var hasRoom: Bool { output.count - sent + session.outputCount < Self.outgoingLimitBytes }

    /// Ends the session with an ERROR after everything that was answered.
    func end(_ refusal: SessionRefusal) {
        guard !isClosed else { return }
        process(session.end(with: refusal, at: Self.instant))
        flushSoon()
        setTimer()
    }

    /// The STOMP version that was agreed, for the list of sessions; empty before CONNECTED.
    var stompVersion: String { session.version?.text ?? "" }

    /// Who is at the other end, for a new judgement of a live session.
    var identity: ChannelIdentity? { channel.identity }

    // MARK: Output

    private func flushSoon() {
        guard !isFlushing else { return }
        isFlushing = true
        loop.takeTurn(self)
    }

    nonisolated func takeTurn() {
        // SAFETY: the loop calls its participants on its own thread, which is this actor's executor.
        assumeIsolated {
            $0.isFlushing = false
            $0.flush()
            $0.setTimer()
        }
    }

    private func flush() {
        guard !isClosed, !isLingering else { return }
        while !isBlocked {
            if sent == output.count {
                output.removeAll(keepingCapacity: output.capacity <= Self.outgoingLimitBytes)
                sent = 0
                guard session.hasOutput else { break }
                session.drainOutput(into: &output, at: Self.instant)
            }
            let transfer = output.withUnsafeBytes { channel.send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            switch transfer {
            case .bytes(let count): sent += count
            case .wouldBlock: isBlocked = true
            case .end: return finish("closed while writing")
            case .failed(let reason): return finish(reason)
            }
        }
        if isClosing, !isBlocked { return linger() }
        resumeReading()
        if let core, !isBlocked {
            // SAFETY: the core's executor is the loop on which this connection runs.
            core.assumeIsolated { $0.hasRoom(id) }
        }
    }

    /// Reads on where input had to wait for answers to be given or read.
    private func resumeReading() {
        guard isReadPaused, session.wantsInput, hasRoom else { return }
        isReadPaused = false
        loop.execute { [self] in
            // SAFETY: `execute` runs on the loop's thread.
            self.assumeIsolated { $0.read() }
        }
    }

    // MARK: Time and end

    /// Everything is written: says goodbye, then reads and drops until the peer has closed too, for at most 2 s, so that
    /// what is on its way is not lost to a reset.
    private func linger() {
        guard !isLingering else { return }
        isLingering = true
        leave()
        channel.closeOutput()
        _ = loop.schedule(after: Self.lingerLimit) { [weak self] in
            // SAFETY: timers run on the loop's thread, which is this actor's executor.
            self?.assumeIsolated { $0.finish($0.closeReason) }
        }
        drop()
    }

    private func drop() {
        for _ in 0..<ReadBuffer.readsPerTurn {
            switch scratch.bytes.withUnsafeMutableBytes({ channel.receive(into: $0) }) {
            case .bytes: continue
            case .wouldBlock: return
            case .end, .failed: return finish(closeReason)
            }
        }
    }

    /// The core lets go of this client: what it had in flight is redelivered.
    private func leave() {
        guard let core else { return }
        let unacknowledged = session.takeUnacknowledged()
        // SAFETY: the core's executor is the loop on which this connection runs.
        core.assumeIsolated { $0.close(id, unacknowledged: unacknowledged) }
        self.core = nil
    }

    private func setTimer() {
        guard !isClosed, !isLingering, let deadline = session.nextDeadline else { return }
        if let timerAt, timer != nil, timerAt <= deadline { return }
        if let timer { loop.cancel(timer) }
        timerAt = deadline
        let wait = max(0, deadline.milliseconds - MonotonicTime.milliseconds)
        timer = loop.schedule(after: .milliseconds(wait)) { [weak self] in
            // SAFETY: timers run on the loop's thread, which is this actor's executor.
            self?.assumeIsolated { $0.tick() }
        }
    }

    private func tick() {
        timer = nil
        timerAt = nil
        guard !isClosed, !isLingering else { return }
        process(session.tick(at: Self.instant))
        flush()
        setTimer()
    }

    private func finish(_ reason: String) {
        guard !isClosed else { return }
        isClosed = true
        if let timer { loop.cancel(timer) }
        channel.close()
        leave()
        if peer != nil { log.write(.sessionClosed(session: sessionID, reason: reason)) }
        admission.ended(id)
    }
}
