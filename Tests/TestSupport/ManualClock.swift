import Journal
import Synchronization

/// Time that stands still until a test moves it.
package final class ManualClock: JournalClock {
    private let elapsed = Mutex(Duration.zero)
    private let origin: Int64

    /// - Parameter wallMilliseconds: what the wall clock shows at the start.
    package init(wallMilliseconds: Int64 = 1_797_000_000_000) { origin = wallMilliseconds }

    package var monotonic: Duration { elapsed.withLock { $0 } }

    package var wallMilliseconds: Int64 {
        let (seconds, attoseconds) = monotonic.components
        return origin + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// Lets time go by.
    package func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}
