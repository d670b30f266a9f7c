import EventLoop
import Foundation
import Synchronization

/// What one of the two streams of a connection knows about itself. Only the thread that uses that stream touches it.
final class StreamHalf {
    weak var stream: Stream?
    weak var delegate: (any StreamDelegate)?
    var loop: EpollLoop?
    var isOpened = false
    var isClosed = false
    var hasEnded = false
    var lastWouldBlock = false
    var localError: TLSError?
    var waitLimit: Duration?
    /// Whether there may be something to do without a new edge from epoll.
    var mayTry = false
    /// What the last "would block" waited for.
    var waitsFor: TLSWait
    /// Foundation tells of bytes or space once, until the stream was used.
    var isSignalled = false
    var isOpenTold = false
    var isEndTold = false

    init(waitsFor: TLSWait) { self.waitsFor = waitsFor }

    var isActive: Bool { isOpened && !isClosed }
}

/// What the two streams of a connection share: the session, how far opening has come, and the registration with a loop.
///
/// Scheduled, everything happens on the loop's thread. Unscheduled, one thread may use the input while another uses the
/// output: `phase` and the session have locks, `gate` lets one thread do the handshake while the other waits, and each
/// half belongs to its thread. Scheduling and closing are in `TLSLink+Loop.swift`, waiting in `TLSLink+Blocking.swift`.
final class TLSLink: LoopParticipant {
    enum Phase: Sendable {
        case new, connecting, handshaking, open, closed
        case failed(TLSError)
    }

    let session: TLSSession
    let peerAddress: String
    let input = StreamHalf(waitsFor: .readable)
    let output = StreamHalf(waitsFor: .writable)
    let phaseLock = Mutex(Phase.new)
    /// Held by whoever opens the connection in blocking use.
    let gate = Mutex(())
    /// How many of the two streams are done with closing.
    let closedHalves = Mutex(0)
    var connector: Connector?
    var deadline: Duration = .zero
    let admission: AdmissionTicket?

    // The loop's registration.
    var watch: (loop: EpollLoop, watch: Watch)?
    var deadlineTimer: TimerToken?
    var stallTimer: TimerToken?
    var isTurnRequested = false
    var isTelling = false
    var isGoodbyePending = false
    var lingering: Lingering?

    init(session: TLSSession, connector: Connector?, peerAddress: String, admission: AdmissionTicket?) {
        self.session = session
        self.connector = connector
        self.peerAddress = peerAddress
        self.admission = admission
    }

    deinit {
        connector?.abandon()
        admission?.connectionClosed()
        guard let watch else { return }
        let session = session
        // The number must not be reused before the loop has forgotten it.
        if watch.loop.isOnLoop {
            watch.loop.end(watch.watch)
            session.close()
        } else {
            let (loop, watch) = watch
            loop.execute {
                loop.end(watch)
                session.close()
            }
        }
    }

    var phase: Phase { phaseLock.withLock { $0 } }
    var loop: EpollLoop? { input.loop ?? output.loop }
    var failure: TLSError? {
        if case .failed(let error) = phase { return error }
        return nil
    }

    func setPhase(_ new: Phase) {
        phaseLock.withLock { phase in
            if case .closed = phase { return }
            phase = new
        }
    }

    // MARK: Opening

    /// `open` of either stream. The first one starts connection and handshake.
    func open(_ half: StreamHalf) {
        guard !half.isOpened, !half.isClosed else { return }
        half.isOpened = true
        let isFirst = phaseLock.withLock { phase in
            guard case .new = phase else { return false }
            // Under the lock: the other stream's thread may go on with the handshake as soon as it sees the phase.
            deadline = EpollLoop.monotonicNow() + session.context.options.handshakeDeadline
            phase = connector == nil ? .handshaking : .connecting
            return true
        }
        if loop != nil {
            attachToLoop()
            requestTurn()
        } else if isFirst {
            tryToOpen()
        }
    }

    /// Goes on with connecting and the handshake as far as that needs no waiting.
    ///
    /// Only under `gate`, or on the loop.
    func advance() -> TLSProgress {
        while true {
            switch phase {
            case .new, .closed: return .failed(.notOpen)
            case .failed(let error): return .failed(error)
            case .open: return .done
            case .connecting:
                guard let step = connector?.advance() else { return fail(.notOpen) }
                switch step {
                case .waits: return .wouldBlock(.writable)
                case .failed(let error): return fail(error)
                case .connected(let descriptor):
                    connector = nil
                    do throws(TLSError) {
                        try session.attach(descriptor)
                    } catch {
                        return fail(error)
                    }
                    setPhase(.handshaking)
                }
            case .handshaking:
                switch session.handshake() {
                case .wouldBlock(let wait): return .wouldBlock(wait)
                case .failed(let error): return fail(error)
                case .done:
                    input.mayTry = true
                    output.mayTry = true
                    setPhase(.open)
                    admission?.handshakeEnded(with: nil, afterBytes: true)
                    return .done
                }
            }
        }
    }

    /// Notes the first failure of the connection, which both streams tell.
    @discardableResult
    func fail(_ error: TLSError) -> TLSProgress {
        let wasOpening = phaseLock.withLock { phase -> Bool in
            switch phase {
            case .failed, .closed: return false
            case .open:
                phase = .failed(error)
                return false
            case .new, .connecting, .handshaking:
                phase = .failed(error)
                return true
            }
        }
        session.fail(with: error)
        if wasOpening { admission?.handshakeEnded(with: error, afterBytes: session.hasHeardPeer) }
        return .failed(failure ?? error)
    }

    /// The error for a deadline that passed while opening.
    var openingTimedOut: TLSError {
        let limit = session.context.options.handshakeDeadline
        if case .connecting = phase { return .notConnected(host: peerAddress, reason: "no answer within \(limit)") }
        return .handshakeTimedOut(after: limit)
    }

    // MARK: What a stream says about itself

    func status(of half: StreamHalf) -> Stream.Status {
        if half.isClosed { return .closed }
        guard half.isOpened else { return .notOpen }
        if loop == nil { tryToOpen() }
        switch phase {
        case .new, .connecting, .handshaking: return .opening
        case .failed: return .error
        case .closed: return .closed
        case .open: return half.hasEnded ? .atEnd : .open
        }
    }

    func error(of half: StreamHalf) -> (any Error)? {
        if let failure { return failure }
        if let error = half.localError { return error }
        return half.lastWouldBlock ? POSIXError(.EAGAIN) : nil
    }

    func property(_ key: Stream.PropertyKey) -> AnyObject? {
        switch key {
        case .tlsPeerCertificate: session.peerCertificate.map { $0 as AnyObject }
        case .tlsVersion: session.version.map { $0 as AnyObject }
        case .tlsCipher: session.cipher.map { $0 as AnyObject }
        case .tlsApplicationProtocol: session.applicationProtocol.map { $0 as AnyObject }
        default: nil
        }
    }

    // MARK: Reading and writing without waiting

    /// One read, with the bookkeeping that events need.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> TLSRead {
        guard input.isActive else { return .failed(.notOpen) }
        guard case .open = phase else { return opening() }
        let outcome = session.read(into: buffer)
        input.isSignalled = false
        input.lastWouldBlock = false
        switch outcome {
        case .bytes: break
        case .wouldBlock(let wait):
            input.mayTry = false
            input.waitsFor = wait
            input.lastWouldBlock = true
            return outcome
        case .end: input.hasEnded = true
        case .failed(let error): fail(error)
        }
        if input.loop != nil { requestTurn() }
        return outcome
    }

    /// One write, with the bookkeeping that events need.
    func send(_ bytes: UnsafeRawBufferPointer) -> TLSWrite {
        guard output.isActive else { return .failed(.notOpen) }
        guard case .open = phase else {
            switch opening() {
            case .failed(let error): return .failed(error)
            default: return .wouldBlock(.readable)
            }
        }
        let outcome = session.write(bytes)
        output.isSignalled = false
        output.lastWouldBlock = false
        switch outcome {
        case .bytes:
            noteProgress()
            if output.loop != nil { requestTurn() }
        case .wouldBlock(let wait):
            output.mayTry = false
            output.waitsFor = wait
            output.lastWouldBlock = true
            noteStall()
        case .failed(let error):
            fail(error)
            if output.loop != nil { requestTurn() }
        }
        return outcome
    }

    private func opening() -> TLSRead {
        if let failure { return .failed(failure) }
        if case .closed = phase { return .failed(.notOpen) }
        return .wouldBlock(.readable)
    }
}
