import EventLoop
import Foundation
import Glibc
import STOMP

/// A small relay on a Unix socket: real descriptors, the server's own session, answers from a closure.
///
/// Made, used and ended on its loop; what the tests read crosses in closures.
final class SocketRelay: @unchecked Sendable {
    // SAFETY: everything that changes is touched on `loop`'s thread only.
    private let loop: EpollLoop
    let path: String
    private let listener: Int32
    private var acceptWatch: Watch?
    private var connections: [Int32: (session: ServerSession, watch: Watch, keys: [String: SubscriptionKey])] = [:]
    private let answer: @Sendable (Request, Int) -> Answer?
    private var connectionCount = 0
    /// Called on the loop for every request.
    private let onRequest: @Sendable (Request) -> Void

    init(
        loop: EpollLoop, onRequest: @escaping @Sendable (Request) -> Void = { _ in },
        answer: @escaping @Sendable (_ request: Request, _ connection: Int) -> Answer?
    ) throws {
        self.loop = loop
        self.onRequest = onRequest
        self.answer = answer
        path = "/tmp/budkavle-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 16) == 0, StreamSocket.makeNonBlocking(listener) else {
            throw POSIXError(.EIO)
        }
        loop.execute { [self] in
            acceptWatch = try? loop.watch(listener, for: [.read]) { [weak self] _ in self?.accept() }
        }
    }

    /// Cuts every connection without a word.
    func cut() {
        loop.execute { [self] in
            for descriptor in Array(connections.keys) { drop(descriptor) }
        }
    }

    /// Delivers on every subscription of that destination.
    func deliver(_ body: String, on destination: String, tag: MessageTag) {
        loop.execute { [self] in
            for descriptor in Array(connections.keys) {
                guard let key = connections[descriptor]?.keys[destination] else { continue }
                let message = OutgoingMessage(contentType: "application/json", body: Array(body.utf8))
                _ = connections[descriptor]?.session.deliver(message, to: key, tag: tag)
                flush(descriptor)
            }
        }
    }

    func end() {
        loop.execute { [self] in
            if let acceptWatch { loop.end(acceptWatch) }
            close(listener)
            unlink(path)
            for descriptor in Array(connections.keys) { drop(descriptor) }
        }
    }

    private func accept() {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = StreamSocket.accept(on: listener, address: &address, length: &length)
        guard descriptor >= 0 else { return }
        guard let watch = try? loop.watch(descriptor, for: [.read], { [weak self] _ in self?.read(descriptor) }) else {
            return
        }
        connectionCount += 1
        // Nobody here beats: a test that waits long for a processor loses no link by it.
        var limits = SessionLimits.standard
        limits.heartBeatMilliseconds = 0
        let session = ServerSession(
            sessionID: "c\(connectionCount)", server: "budkavle/1.0.0", limits: limits, openedAt: Self.now)
        connections[descriptor] = (session, watch, [:])
    }

    private func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count <= 0 {
            if count == 0 || errno != EAGAIN { drop(descriptor) }
            return
        }
        var effects = connections[descriptor]?.session.receive(buffer[..<count], at: Self.now) ?? []
        while !effects.isEmpty {
            var more: [SessionEffect] = []
            for effect in effects { more += handle(effect, descriptor) }
            effects = more
        }
        flush(descriptor)
    }

    private func handle(_ effect: SessionEffect, _ descriptor: Int32) -> [SessionEffect] {
        switch effect {
        case .connect:
            return connections[descriptor]?.session.accept(party: "operator", client: "admin", at: Self.now) ?? []
        case .request(let request):
            onRequest(request)
            if case .subscribe(let subscribe) = request.action {
                connections[descriptor]?.keys[subscribe.destination] = subscribe.key
            }
            guard let answer = answer(request, connectionCount) else { return [] }
            let more = connections[descriptor]?.session.answer(request.order, answer, at: Self.now) ?? []
            if case .send(let send) = request.action, let replyTo = send.replyTo, case .receipt = answer,
                let key = connections[descriptor]?.keys[replyTo]
            {
                let body = Array("{\"asked\":\"\(send.destination)\"}".utf8)
                _ = connections[descriptor]?.session.deliver(
                    OutgoingMessage(contentType: "application/json", body: body), to: key, tag: 0)
            }
            return more
        case .close:
            flush(descriptor)
            drop(descriptor)
            return []
        case .connected, .returned, .failed: return []
        }
    }

    private func flush(_ descriptor: Int32) {
        var output: [UInt8] = []
        connections[descriptor]?.session.drainOutput(into: &output, at: Self.now)
        var rest = output[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    private func drop(_ descriptor: Int32) {
        guard let connection = connections.removeValue(forKey: descriptor) else { return }
        loop.end(connection.watch)
        close(descriptor)
    }

    private static var now: SessionInstant {
        let time = EpollLoop.monotonicNow().components
        return SessionInstant(milliseconds: time.seconds * 1_000 + time.attoseconds / 1_000_000_000_000_000)
    }
}
