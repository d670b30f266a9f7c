package import EventLoop
import Foundation
import Glibc
import Synchronization

/// What a listener could not do, for the log. Each is told once per change, not once per connection.
package enum ListenerProblem: Equatable, Sendable, CustomStringConvertible {
    /// So many connections are open; others are closed at once until one ends.
    case full(connections: Int)
    /// The address has failed so many handshakes that it is cut off for a while.
    case addressCutOff(address: String, failures: Int)
    /// The kernel has no descriptors or memory for another connection.
    case exhausted(errno: Int32)
    /// A connection was lost between accept and use.
    case notUsable(TLSError)

    package var description: String {
        switch self {
        case .full(let connections): "\(connections) connections are open, the limit; new ones are closed at once"
        case .addressCutOff(let address, let failures):
            "\(address) failed \(failures) TLS handshakes within a minute and is cut off until the minute is over"
        case .exhausted(let number):
            "no connection can be accepted: \(String(cString: strerror(number))); raise LimitNOFILE= or close some"
        case .notUsable(let error): "an accepted connection could not be used: \(error)"
        }
    }
}

/// Accepts TLS connections on a loop.
// SAFETY: every `var` is touched on the loop's thread only, between `start` and `stop`; tickets that end on another
// thread come back by `execute`.
package final class TLSListener: @unchecked Sendable {
    /// The port listened on, also when 0 was asked for.
    package let port: Int
    /// Called on the loop with what somebody should log.
    package var onProblem: (ListenerProblem) -> Void = { _ in }

    private let descriptor: Int32
    private let context: @Sendable () -> TLSContext
    private let limits: ListenerLimits
    private let ledger: Ledger
    private var accept: ((TLSInputStream, TLSOutputStream, String) -> Void)?
    private var registration: (loop: EpollLoop, watch: Watch)?
    private var pause: TimerToken?
    private var isFullTold = false
    private var isExhaustionTold = false

    /// Shared with the tickets of connections, which may outlive the listener and end on another thread.
    final class Ledger: Sendable {
        let state: Mutex<AdmissionLedger>
        init(limits: ListenerLimits) { state = Mutex(AdmissionLedger(limits: limits)) }
    }

    /// Binds and listens; nothing is accepted before `start`. Looks the host up, so not on a loop.
    ///
    /// - Parameters:
    ///   - host: an address or name of this machine; the first address found is used.
    ///   - port: 0 for any free one.
    ///   - context: asked for every connection, so that a reload takes effect with the next one.
    /// - Throws: `.notListening`, `.unknownHost`.
    package init(
        host: String, port: Int, limits: ListenerLimits = .standard, context: @escaping @Sendable () -> TLSContext
    ) throws(TLSError) {
        let addresses = try SocketAddress.lookUp(host, port: port, passive: .toListen)
        guard let address = addresses.first else { throw .unknownHost(name: host, reason: "it has no address") }
        func failure() -> TLSError {
            .notListening(address: "\(host):\(port)", reason: String(cString: strerror(errno)))
        }
        descriptor = StreamSocket.make(family: address.family)
        guard descriptor >= 0 else { throw failure() }
        let fresh = descriptor
        SocketTuning.set(fresh, SOL_SOCKET, SO_REUSEADDR, 1)
        guard address.withSocketAddress({ bind(fresh, $0, $1) }) == 0, listen(fresh, SOMAXCONN) == 0 else {
            defer { close(fresh) }
            throw failure()
        }
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fresh, $0, &length) }
        }
        guard result == 0 else {
            defer { close(fresh) }
            throw failure()
        }
        self.port = withUnsafePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { SocketAddress($0, length: length).port }
        }
        self.context = context
        self.limits = limits
        ledger = Ledger(limits: limits)
    }

    deinit {
        // Ended watches are the rule; a listener that was never stopped leaves with its loop.
        if let registration, registration.loop.isOnLoop { registration.loop.end(registration.watch) }
        close(descriptor)
    }

    /// Connections that are open now, handshakes in progress included.
    package var connectionCount: Int { ledger.state.withLock { $0.connections } }

    /// Begins to accept. `accept` is called on the loop with a pair that is neither scheduled nor open, and the address.
    ///
    /// - Precondition: on the loop, not started before.
    package func start(
        on loop: EpollLoop, _ accept: @escaping (TLSInputStream, TLSOutputStream, String) -> Void
    ) throws(TLSError) {
        precondition(registration == nil, "a listener is started once")
        self.accept = accept
        do {
            let watch = try loop.watch(descriptor, for: .read) { [weak self] _ in self?.acceptSome() }
            registration = (loop, watch)
        } catch {
            throw .loop(reason: error.description)
        }
    }

    /// Accepts no more. Connections live on. On the loop.
    package func stop() {
        guard let registration else { return }
        registration.loop.end(registration.watch)
        if let pause { registration.loop.cancel(pause) }
        pause = nil
        self.registration = nil
        accept = nil
        // Those in the backlog get a reset now, not a timeout.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func acceptSome() {
        for _ in 0..<limits.acceptsPerTurn {
            guard registration != nil else { return }
            guard ledger.state.withLock({ $0.mayAcceptOrPauses() }) else { return changeInterest(to: []) }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let connection = StreamSocket.accept(on: descriptor, address: &storage, length: &length)
            guard connection >= 0 else {
                let number = errno
                switch number {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pauseForExhaustion(number)
                // The connection was gone before we took it (accept(2), "Error handling").
                default: continue
                }
            }
            isExhaustionTold = false
            let address = withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { SocketAddress($0, length: length) }
            }
            take(connection, from: address)
        }
    }

    private func take(_ connection: Int32, from address: SocketAddress) {
        let key = address.countedBy
        switch ledger.state.withLock({ $0.admit(key, at: EpollLoop.monotonicNow()) }) {
        case .refusedAddress: close(connection)
        case .full:
            close(connection)
            if !isFullTold { onProblem(.full(connections: limits.connections)) }
            isFullTold = true
        case .admitted:
            isFullTold = false
            let ticket = ticket(for: key)
            do {
                let (input, output) = try Stream.getStreams(
                    adopting: connection, as: .server, tls: context(), peerAddress: address.host, admission: ticket)
                accept?(input, output, address.host)
            } catch {
                ticket.connectionClosed()
                onProblem(.notUsable(error))
            }
        }
    }

    private func ticket(for address: String) -> AdmissionTicket {
        let (ledger, limits, loop) = (ledger, limits, registration?.loop)
        return AdmissionTicket(
            whenOpened: { [weak self] failure, afterBytes in
                let (isCutOff, mustResume) = ledger.state.withLock { ledger -> (Bool, Bool) in
                    let mustResume = ledger.handshakeEnded()
                    // A port scan or a load balancer's probe says nothing at all, and costs nothing.
                    guard let failure, failure != .closedDuringHandshake || afterBytes else {
                        return (false, mustResume)
                    }
                    return (ledger.noteFailure(of: address, at: EpollLoop.monotonicNow()), mustResume)
                }
                guard isCutOff || mustResume else { return }
                loop?.execute { [weak self] in
                    if isCutOff {
                        self?.onProblem(.addressCutOff(address: address, failures: limits.failuresPerAddress))
                    }
                    if mustResume { self?.changeInterest(to: .read) }
                }
            },
            whenClosed: { ledger.state.withLock { $0.connectionClosed() } })
    }

    private func changeInterest(to interest: Readiness) {
        guard let registration else { return }
        // Fails only for a descriptor that is not in epoll, and ours is until `stop`.
        try? registration.loop.change(registration.watch, to: interest)
    }

    /// Out of descriptors: the backlog would be reported for ever, so look away for a while.
    private func pauseForExhaustion(_ number: Int32) {
        guard let registration, pause == nil else { return }
        if !isExhaustionTold { onProblem(.exhausted(errno: number)) }
        isExhaustionTold = true
        changeInterest(to: [])
        pause = registration.loop.schedule(after: limits.exhaustionPause) { [weak self] in
            self?.pause = nil
            self?.changeInterest(to: .read)
        }
    }
}
