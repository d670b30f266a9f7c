import Journal
import Synchronization

/// Time that stands still until a test moves it.
package final class ManualClock: JournalClock {
    private let elapsed = Mutex(Duration.zero)
    /// By how much the wall clock was set forward, in milliseconds; less than 0 for back.
    private let shift = Mutex(Int64(0))
    private let origin: Int64

    /// - Parameter wallMilliseconds: what the wall clock shows at the start.
    package init(wallMilliseconds: Int64 = 1_797_000_000_000) { origin = wallMilliseconds }

    package var monotonic: Duration { elapsed.withLock { $0 } }

    package var wallMilliseconds: Int64 {
        let (seconds, attoseconds) = monotonic.components
        return origin + shift.withLock { $0 } + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// Somebody sets the wall clock; the monotonic one does not notice.
    package func setWall(forwardBy milliseconds: Int64) { shift.withLock { $0 += milliseconds } }

    /// Lets time go by.
    package func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}
