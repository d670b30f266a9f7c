import CLinux
import Glibc

/// Tells the service manager how the daemon is: one datagram a state to the socket named in `NOTIFY_SOCKET`.
///
/// Source: sd_notify(3). Without the variable every call does nothing. Errors are ignored: the manager is an observer.
package struct ServiceNotifier: Sendable {
    private let address: [UInt8]?

    /// Reads `NOTIFY_SOCKET` (a path, or `@name` for an abstract socket) from the environment.
    package init() {
        guard let value = getenv("NOTIFY_SOCKET") else {
            address = nil
            return
        }
        var bytes = Array(String(cString: value).utf8)
        guard (2...107).contains(bytes.count), bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else {
            address = nil
            return
        }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        address = bytes
    }

    /// Sends `state`, for example `READY=1\nSTATUS=31 parties`. No case data may be in it.
    package func send(_ state: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = Array(state.utf8).withUnsafeBytes {
                    sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), generic, length)
                }
            }
        }
    }

    /// Half of the watchdog interval in milliseconds, when the manager asked this process for signs of life.
    package static var watchdogInterval: Int64? {
        guard let text = getenv("WATCHDOG_USEC"), let microseconds = Int64(String(cString: text)), microseconds > 0
        else { return nil }
        if let pid = getenv("WATCHDOG_PID"), Int32(String(cString: pid)) != getpid() { return nil }
        return max(1, microseconds / 2000)
    }
}
