import EventLoop
import Synchronization

/// How many connections a listener serves, and how patient it is with an address.
package struct ListenerLimits: Sendable {
    /// Accepted connections at one time; more are closed at once.
    package var connections = 12_000
    /// Connections at one time whose handshake is not done; accepting pauses when so many are.
    package var openHandshakes = 2_000
    /// Failed handshakes of one address (one /64 for IPv6) in `failureWindow`; then it is cut off at accept until the
    /// window ends. Successful handshakes are never counted, since a whole agency may come from one address.
    package var failuresPerAddress = 60
    /// See `failuresPerAddress`.
    package var failureWindow: Duration = .seconds(60)
    /// Addresses whose failures are remembered; with more the one that failed longest ago is forgotten.
    package var addresses = 4_096
    /// Connections accepted in one turn of the loop.
    package var acceptsPerTurn = 64
    /// Pause after the process ran out of descriptors or memory.
    package var exhaustionPause: Duration = .milliseconds(250)

    /// The limits of the daemon.
    package static let standard = ListenerLimits()

    /// Makes the standard limits, to be changed.
    package init() {}
}

/// Counts connections and failed handshakes. Time is an argument: monotonic.
struct AdmissionLedger: Sendable {
    enum Verdict: Equatable { case admitted, full, refusedAddress }

    private struct Failures {
        var count: Int
        var windowEnd: Duration
        var last: Duration
    }

    let limits: ListenerLimits
    private(set) var connections = 0
    private(set) var openHandshakes = 0
    private var isPaused = false
    private var failures: [String: Failures] = [:]

    init(limits: ListenerLimits) { self.limits = limits }

    var rememberedAddresses: Int { failures.count }

    /// Whether there is room for another handshake. If not, `handshakeEnded` will tell when there is.
    mutating func mayAcceptOrPauses() -> Bool {
        isPaused = openHandshakes >= limits.openHandshakes
        return !isPaused
    }

    mutating func admit(_ address: String, at now: Duration) -> Verdict {
        guard connections < limits.connections else { return .full }
        if let known = failures[address] {
            if known.windowEnd <= now {
                failures[address] = nil
            } else if known.count >= limits.failuresPerAddress {
                return .refusedAddress
            }
        }
        connections += 1
        openHandshakes += 1
        return .admitted
    }

    /// Returns whether accepting had paused and goes on now.
    mutating func handshakeEnded() -> Bool {
        openHandshakes -= 1
        guard isPaused else { return false }
        isPaused = false
        return true
    }

    mutating func connectionClosed() { connections -= 1 }

    /// Notes a failed handshake. Returns whether the address is cut off from now on.
    mutating func noteFailure(of address: String, at now: Duration) -> Bool {
        if var known = failures[address], known.windowEnd > now {
            known.count += 1
            known.last = now
            failures[address] = known
            return known.count == limits.failuresPerAddress
        }
        if failures[address] == nil, failures.count >= limits.addresses { forgetOne(at: now) }
        failures[address] = Failures(count: 1, windowEnd: now + limits.failureWindow, last: now)
        return limits.failuresPerAddress == 1
    }

    private mutating func forgetOne(at now: Duration) {
        failures = failures.filter { $0.value.windowEnd > now }
        guard failures.count >= limits.addresses else { return }
        if let oldest = failures.min(by: { ($0.value.last, $0.key) < ($1.value.last, $1.key) }) {
            failures[oldest.key] = nil
        }
    }
}

/// One accepted connection's place in the ledger: given back once, whatever happens to the connection.
final class AdmissionTicket: Sendable {
    private struct State {
        var isHandshakeOver = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let whenOpened: @Sendable (TLSError?, _ afterBytes: Bool) -> Void
    private let whenClosed: @Sendable () -> Void

    init(
        whenOpened: @escaping @Sendable (TLSError?, _ afterBytes: Bool) -> Void,
        whenClosed: @escaping @Sendable () -> Void
    ) {
        self.whenOpened = whenOpened
        self.whenClosed = whenClosed
    }

    /// The handshake has succeeded (`nil`), was given up by us (`nil`) or has failed.
    func handshakeEnded(with failure: TLSError?, afterBytes: Bool) {
        let isFirst = state.withLock { state in
            defer { state.isHandshakeOver = true }
            return !state.isHandshakeOver
        }
        if isFirst { whenOpened(failure, afterBytes) }
    }

    /// The descriptor is closed.
    func connectionClosed() {
        handshakeEnded(with: nil, afterBytes: false)
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { whenClosed() }
    }
}
