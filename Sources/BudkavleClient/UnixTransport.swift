import EventLoop
import Glibc

/// A connection over the relay's Unix socket: no TLS, the kernel tells the relay who we are.
final class UnixTransport: Transport {
    private let path: String
    private let loop: EpollLoop
    private var descriptor: Int32 = -1
    private var watch: Watch?
    private var report: ((TransportEvent) -> Void)?
    private var queue = OutputQueue()
    private var isWaitingForSpace = false
    private var buffer = [UInt8](repeating: 0, count: transportReadBytes)

    init(path: String, loop: EpollLoop) {
        self.path = path
        self.loop = loop
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    func open(_ report: @escaping (TransportEvent) -> Void) {
        self.report = report
        descriptor = StreamSocket.make(family: AF_UNIX)
        guard descriptor >= 0 else { return fail("socket", errno) }
        guard connect() else { return fail("connect", errno) }
        do {
            watch = try loop.watch(descriptor, for: [.read]) { [weak self] readiness in self?.ready(readiness) }
        } catch {
            return finish(.failed(RelayError(.unreachable, "the loop cannot take the socket", cause: error)))
        }
        report(.opened)
    }

    func write(_ bytes: [UInt8]) {
        guard report != nil else { return }
        guard queue.count + bytes.count <= transportBufferLimitBytes else {
            return finish(.failed(RelayError(.overflow, "the relay takes our bytes too slowly")))
        }
        queue.append(bytes)
        flush()
    }

    func close() {
        flush()
        report = nil
        if let watch { loop.end(watch) }
        watch = nil
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// A local connect is done at once or not at all.
    private func connect() -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return false
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.write) { flush() }
        if !readiness.isDisjoint(with: [.read, .hangUp, .error]) { read() }
    }

    private func read() {
        for _ in 0..<transportReadsPerTurn {
            guard report != nil, descriptor >= 0 else { return }
            let count = buffer.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                report?(.received(Array(buffer[..<count])))
            } else if count == 0 {
                return finish(.ended)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                return fail("recv", errno)
            }
        }
    }

    private func flush() {
        while report != nil, descriptor >= 0, !queue.isEmpty {
            let count = queue.withUnsafeFront {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                queue.removeFirst(count)
            } else if errno == EAGAIN || errno == EINTR {
                // One that a signal interrupted goes on when the loop says that there is space, which is at once.
                return waitForSpace(true)
            } else {
                return fail("send", errno)
            }
        }
        waitForSpace(false)
    }

    private func waitForSpace(_ isWanted: Bool) {
        guard isWanted != isWaitingForSpace, let watch else { return }
        isWaitingForSpace = isWanted
        do { try loop.change(watch, to: isWanted ? [.read, .write] : [.read]) } catch {
            finish(.failed(RelayError(.unreachable, "the loop cannot watch the socket", cause: error)))
        }
    }

    private func fail(_ call: String, _ number: Int32) {
        let reason = String(cString: strerror(number))
        // A relay that is not there may come; a path that we may not use will not change by trying.
        guard number == EACCES || number == EPERM else {
            return finish(.failed(RelayError(.unreachable, "\(path): \(call): \(reason)")))
        }
        let text = "\(path): \(reason): only members of its group and the relay's own user may use this socket"
        finish(.failed(RelayError(.forbidden, text)))
    }

    private func finish(_ event: TransportEvent) {
        let report = report
        self.report = nil
        report?(event)
    }
}
