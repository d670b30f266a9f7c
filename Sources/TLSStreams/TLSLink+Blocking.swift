import EventLoop
import Glibc
import Synchronization

/// Use without a loop: waiting in `poll(2)`, outside every lock that the other stream's thread needs.
extension TLSLink {
    /// How the waiting ended.
    enum Waited { case ready, timedOut }

    /// Goes on with opening, if nobody else does and nothing has to be waited for.
    func tryToOpen() {
        switch phase {
        case .connecting, .handshaking: break
        case .new, .open, .closed, .failed: return
        }
        _ = gate.withLockIfAvailable { _ in
            if EpollLoop.monotonicNow() >= deadline { fail(openingTimedOut) } else { _ = advance() }
        }
    }

    /// Waits until the connection is open.
    ///
    /// One thread does the work; the other waits for the gate, since it could sleep through bytes that the first consumed.
    func waitUntilOpen() throws(TLSError) {
        if case .open = phase { return }
        let failure: TLSError? = gate.withLock { _ in
            while true {
                switch advance() {
                case .done: return nil
                case .failed(let error): return error
                case .wouldBlock(let wait):
                    let left = deadline - EpollLoop.monotonicNow()
                    if left <= .zero || pause(for: wait, atMost: left) == .timedOut { fail(openingTimedOut) }
                }
            }
        }
        if let failure { throw failure }
    }

    func readWaiting(into buffer: UnsafeMutableRawBufferPointer) -> TLSRead {
        guard input.isActive else { return .failed(.notOpen) }
        do throws(TLSError) { try waitUntilOpen() } catch { return .failed(error) }
        while true {
            let outcome = receive(into: buffer)
            guard case .wouldBlock(let wait) = outcome else { return outcome }
            if pause(for: wait, atMost: input.waitLimit) == .timedOut { return outcome }
        }
    }

    /// Writes everything, as Foundation's blocking streams do for a socket that has room; a part only if `waitLimit` ran out.
    func writeWaiting(_ bytes: UnsafeRawBufferPointer) -> TLSWrite {
        guard output.isActive else { return .failed(.notOpen) }
        do throws(TLSError) { try waitUntilOpen() } catch { return .failed(error) }
        while true {
            let outcome = send(bytes)
            guard case .wouldBlock(let wait) = outcome else { return outcome }
            if pause(for: wait, atMost: output.waitLimit) == .timedOut { return outcome }
        }
    }

    /// Whether a write would find room now; looks, does not wait.
    func hasRoom() -> Bool {
        guard output.isActive else { return false }
        tryToOpen()
        guard case .open = phase else { return false }
        return pause(for: .writable, atMost: .zero) == .ready
    }

    /// Waits until the descriptor is ready (or hung up, or in error: the next call tells).
    func pause(for wait: TLSWait, atMost limit: Duration?) -> Waited {
        let events = wait == .readable ? POLLIN : POLLOUT
        let descriptor = connector?.descriptor ?? session.descriptor
        var poller = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let end = limit.map { EpollLoop.monotonicNow() + $0 }
        while true {
            var milliseconds: Int32 = -1
            if let end { milliseconds = (end - EpollLoop.monotonicNow()).wholeMilliseconds }
            let count = poll(&poller, 1, milliseconds)
            if count > 0 { return .ready }
            if count < 0, errno != EINTR { return .ready }
            if let end, EpollLoop.monotonicNow() >= end { return .timedOut }
        }
    }

    /// The last words of a connection without a loop: close_notify if the peer takes it in time.
    func sayGoodbyeWaiting() {
        let end = EpollLoop.monotonicNow() + TLSLimits.closeDeadline
        while case .wouldBlock(let wait) = session.sayGoodbye() {
            let left = end - EpollLoop.monotonicNow()
            if left <= .zero || pause(for: wait, atMost: left) == .timedOut { return }
        }
    }
}

extension Duration {
    /// Milliseconds rounded up, not negative, as `poll(2)` takes them.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1_000 else { return .max }
        return Int32(clamping: max(0, seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
