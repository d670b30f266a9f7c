import CLinux
import EventLoop
import Glibc

/// Wakes the loop at intended send times: a timerfd, since the loop's own timers are accurate to a millisecond only.
final class PaceClock {
    private let descriptor: Int32
    private let loop: EpollLoop
    private var watch: Watch?

    /// On the loop.
    init(loop: EpollLoop, _ wake: @escaping () -> Void) throws {
        self.loop = loop
        descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(O_CLOEXEC | O_NONBLOCK))
        guard descriptor >= 0 else { throw BenchError.system(call: "timerfd_create", code: errno) }
        watch = try loop.watch(descriptor, for: .read) { [descriptor] _ in
            var expirations: UInt64 = 0
            _ = read(descriptor, &expirations, 8)
            wake()
        }
    }

    deinit {
        close(descriptor)
    }

    /// Wakes once at this time of `CLOCK_MONOTONIC`, at once if it is past.
    func set(_ nanoseconds: UInt64) {
        var setting = itimerspec()
        setting.it_value.tv_sec = time_t(nanoseconds / 1_000_000_000)
        setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    /// No more wake-ups.
    func stop() {
        if let watch { loop.end(watch) }
        watch = nil
    }
}
