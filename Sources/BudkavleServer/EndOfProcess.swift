import CLinux
import Glibc
import Synchronization

/// One thread waits, another says once how it ended.
final class EndOfProcess: Sendable {
    private let descriptor: Int32
    private let status: Mutex<ExitStatus> = Mutex(.ok)

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        precondition(descriptor >= 0, "no descriptor for an eventfd")
    }

    deinit { close(descriptor) }

    /// The first call decides.
    func signal(_ status: ExitStatus) {
        self.status.withLock { $0 = status }
        eventfd_write(descriptor, 1)
    }

    /// Blocks; not on a loop.
    func wait() -> ExitStatus {
        var value: eventfd_t = 0
        while eventfd_read(descriptor, &value) != 0, errno == EINTR {}
        return status.withLock { $0 }
    }
}
