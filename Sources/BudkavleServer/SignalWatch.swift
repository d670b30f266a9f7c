import CLinux
import EventLoop
import Glibc

/// Signals as events of the loop, by a signalfd. Every other thread must have them blocked, so call ``block()`` first in `main`.
package enum SignalWatch {
    package enum Signal: Sendable { case terminate, reload }

    private static func set() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, signal) }
        return signals
    }

    /// Blocks the signals for this thread and all that it starts.
    package static func block() {
        var signals = set()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Calls `handler` on the loop for every SIGTERM, SIGINT and SIGHUP. On the loop.
    static func start(on loop: EpollLoop, _ handler: @escaping (Signal) -> Void) throws(EventLoopError) {
        var signals = set()
        let descriptor = signalfd(-1, &signals, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
        guard descriptor >= 0 else { throw .system(call: "signalfd", errno: errno) }
        _ = try loop.watch(descriptor, for: [.read]) { _ in
            var info = signalfd_siginfo()
            while read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size {
                handler(Int32(info.ssi_signo) == SIGHUP ? .reload : .terminate)
            }
        }
    }
}
