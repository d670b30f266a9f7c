import Foundation

/// The receiving end of systemd's notification protocol (`sd_notify(3)`), for one child.
final class ReadinessSocket {
    /// How the wait ended.
    enum Outcome {
        case ready
        /// The other descriptor hung up first.
        case ended
        case timedOut
    }

    /// What `NOTIFY_SOCKET` must say: an abstract address, which needs no file and no cleaning up.
    let name: String
    private let descriptor: Int32

    init() throws(DemoError) {
        let unique = "budkavle-ready-\(getpid())-\(UInt64.random(in: .min ... .max))"
        name = "@" + unique
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .spawn("socket", code: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(unique.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw .spawn("bind", code: code)
        }
    }

    deinit {
        close(descriptor)
    }

    /// Waits for `READY=1`, for a hang-up of `other`, or for `limit`.
    func wait(orFor other: Int32, limit: Duration) -> Outcome {
        let deadline = ContinuousClock.now.advanced(by: limit)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var entries = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: other, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, 2, Self.milliseconds(until: deadline))
            if count == 0 { return .timedOut }
            if count < 0 { continue }
            if entries[0].revents != 0 {
                let length = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                let text = String(decoding: buffer.prefix(max(0, length)), as: UTF8.self)
                if text.split(separator: "\n").contains("READY=1") { return .ready }
            } else if entries[1].revents != 0 {
                return .ended
            }
        }
    }

    /// For `poll`: -1 without a deadline, rounded up so that a wait does not end just before it.
    static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return 0 }
        return Int32(clamping: Int((left / .milliseconds(1)).rounded(.up)))
    }
}
