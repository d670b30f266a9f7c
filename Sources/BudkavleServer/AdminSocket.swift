import CLinux
import EventLoop
import Glibc

/// The Unix socket for local administration: the same protocol, and the kernel says who calls.
// SAFETY: touched only on the loop's thread.
final class AdminSocket: @unchecked Sendable {
    /// Pause after the process ran out of descriptors or memory.
    private static let exhaustionPause = Duration.milliseconds(250)

    private let descriptor: Int32
    private let path: String
    private var watch: Watch?
    private var loop: EpollLoop?
    /// Members of this group are administrators; `nil` if the system has no such group, then only root and the daemon's own user are.
    let groupID: UInt32?

    /// Makes the socket at `path`, mode 0660, group `group` if there is one. An old one is replaced.
    init(path: String, group: String) throws {
        guard path.utf8.count < 108 else { throw StartError.listening("admin-socket: the path is over 107 bytes") }
        groupID = getgrnam(group).map { $0.pointee.gr_gid }
        self.path = path
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw StartError.listening("admin-socket: errno \(errno)") }
        unlink(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let old = umask(0o117)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        umask(old)
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            let reason = errno
            close(descriptor)
            throw StartError.listening("admin-socket \(path) cannot be opened: errno \(reason)")
        }
        if let groupID { _ = chown(path, uid_t.max, groupID) }
    }

    func start(on loop: EpollLoop, _ accept: @escaping (UnixChannel) -> Void) throws(EventLoopError) {
        self.loop = loop
        watch = try loop.watch(descriptor, for: [.read]) { [weak self, descriptor] _ in
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            while case let client = CLinux_accept(descriptor, &address, &length), client >= 0 {
                accept(UnixChannel(adopting: client, loop: loop))
            }
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { self?.pauseForExhaustion() }
        }
    }

    /// Out of descriptors: the backlog would be reported for ever, so look away for a while.
    private func pauseForExhaustion() {
        guard let loop, let watch, (try? loop.change(watch, to: [])) != nil else { return }
        _ = loop.schedule(after: Self.exhaustionPause) { [weak self] in
            guard let self, let watch = self.watch else { return }
            // Fails only for a descriptor that is not in epoll, and ours is until `stop`.
            try? loop.change(watch, to: [.read])
        }
    }

    func stop() {
        if let watch { loop?.end(watch) }
        watch = nil
        close(descriptor)
        unlink(path)
    }
}
