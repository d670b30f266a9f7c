import Glibc
import Synchronization

/// The data directory, held by this process alone.
///
/// `flock` on `lock` tells processes of one machine apart; copies of the directory are another matter (design, section 4).
package final class DataDirectory: Sendable {
    /// Its path as it was given.
    package let path: String
    private let descriptor: Mutex<Int32?>

    /// Makes the directory (mode 0700) when it is not there, and takes the lock.
    ///
    /// - Throws: `.locked` when another process, or another object in this one, has it; `.readOnly`; `.io`.
    package init(path: String) throws(JournalError) {
        self.path = path
        let disk = PosixDisk()
        try JournalError.wrapping { () throws(DiskError) in try disk.makeDirectory(path) }
        let lock = path + "/lock"
        let file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw JournalError(DiskError(operation: "open", path: lock, errno: errno)) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(file)
            guard number == EWOULDBLOCK else {
                throw JournalError(DiskError(operation: "flock", path: lock, errno: number))
            }
            throw .locked(path: path)
        }
        descriptor = Mutex(file)
    }

    deinit { unlock() }

    /// Gives the lock back. Every journal in the directory must have been stopped.
    package func unlock() {
        descriptor.withLock { descriptor in
            if let file = descriptor { close(file) }
            descriptor = nil
        }
    }
}
