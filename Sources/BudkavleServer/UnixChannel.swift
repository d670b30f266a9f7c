import CLinux
import EventLoop
import Glibc

/// A connection's bytes over the administration socket. The kernel says who is at the other end.
// SAFETY: everything in it is touched only on the thread of the loop on which it was made.
final class UnixChannel: ByteChannel, @unchecked Sendable {
    private let descriptor: Int32
    private let loop: EpollLoop
    private var handler: ((ChannelEvent) -> Void)?
    private var watch: Watch?
    private var isClosed = false
    private var wantsSpace = false
    private(set) var identity: ChannelIdentity?
    let address = "unix"

    /// Takes over `descriptor`, which is non-blocking.
    init(adopting descriptor: Int32, loop: EpollLoop) {
        self.descriptor = descriptor
        self.loop = loop
        identity = Self.peer(of: descriptor)
    }

    func open(_ handler: @escaping (ChannelEvent) -> Void) {
        self.handler = handler
        do {
            watch = try loop.watch(descriptor, for: [.read]) { [weak self] readiness in self?.ready(readiness) }
            handler(identity == nil ? .failed("the kernel does not say who is at the other end") : .opened)
        } catch {
            handler(.failed("\(error)"))
        }
    }

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.write), wantsSpace {
            wantsSpace = false
            rewatch()
            handler?(.writable)
        }
        if !isClosed, !readiness.isDisjoint(with: [.read, .hangUp, .error]) { handler?(.readable) }
    }

    private func rewatch() {
        guard let watch else { return }
        do {
            try loop.change(watch, to: wantsSpace ? [.read, .write] : [.read])
        } catch {
            handler?(.failed("\(error)"))
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> ChannelTransfer {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed("read failed with errno \(errno)")
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> ChannelTransfer {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
        if count >= 0 { return .bytes(count) }
        guard errno == EAGAIN || errno == EINTR else { return .failed("write failed with errno \(errno)") }
        wantsSpace = true
        rewatch()
        return .wouldBlock
    }

    func keepAlive() {}

    func closeOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        handler = nil
        if let watch { loop.end(watch) }
        Glibc.close(descriptor)
    }

    private static let mostGroups = 1024

    private static func peer(of descriptor: Int32) -> ChannelIdentity? {
        var credentials = CLinux_ucred()
        guard CLinux_peer_credentials(descriptor, &credentials) == 0 else { return nil }
        var groups = [gid_t](repeating: 0, count: mostGroups)
        var count = UInt32(groups.count)
        let supplementary = CLinux_peer_groups(descriptor, &groups, &count) == 0 ? Array(groups.prefix(Int(count))) : []
        return .local(user: credentials.uid, groups: [credentials.gid] + supplementary)
    }
}
