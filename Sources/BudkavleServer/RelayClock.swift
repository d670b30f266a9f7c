package import CaseNotifications
import Glibc

/// Where a collaboration's "now" comes from: the wall clock, or in exercise mode a simulated one.
///
/// Simulated now = recorded time + speed x running time. The running time is monotonic and starts again with every start of the
/// process; the recorded time is journaled, so that a restart goes on from the last one. TLS and the journal never use it.
/// Source: design.md section 5.
package struct RelayClock: Sendable {
    private enum Source: Sendable {
        case wall
        case simulated(recorded: Timestamp, anchor: Int64, speed: Double)
    }
    private var source: Source

    /// The wall clock of the machine.
    package static let wall = RelayClock(source: .wall)

    private init(source: Source) { self.source = source }

    /// A simulated clock that shows `start` now and runs `speed` simulated seconds in a second.
    package init(startingAt start: Timestamp, speed: Double) {
        source = .simulated(recorded: start, anchor: MonotonicTime.milliseconds, speed: speed)
    }

    /// The time of this collaboration. Reads the wall clock (real) or the monotonic clock (simulated).
    package var now: Timestamp {
        switch source {
        case .wall:
            return WallTime.now
        case .simulated(let recorded, let anchor, let speed):
            let running = Double(MonotonicTime.milliseconds - anchor) * speed
            return Timestamp(milliseconds: recorded.milliseconds + Int64(running))
        }
    }

    /// Whether time is simulated, and so may be advanced.
    package var isSimulated: Bool {
        if case .simulated = source { return true }
        return false
    }

    /// How long to wait, in milliseconds of the monotonic clock, until `instant` is reached; `nil` when the clock stands still.
    package func milliseconds(until instant: Timestamp) -> Int64? {
        let left = instant.milliseconds - now.milliseconds
        guard left > 0 else { return 0 }
        switch source {
        case .wall: return left
        case .simulated(_, _, let speed): return speed > 0 ? Int64((Double(left) / speed).rounded(.up)) : nil
        }
    }

    /// Sets a simulated clock to `time`; it runs on from there. No effect on the wall clock.
    package mutating func set(to time: Timestamp) {
        guard case .simulated(_, _, let speed) = source else { return }
        source = .simulated(recorded: time, anchor: MonotonicTime.milliseconds, speed: speed)
    }
}

/// The wall clock: it jumps when an administrator or NTP sets it. For what goes to disk and for deadlines between people.
package enum WallTime {
    /// Reads `CLOCK_REALTIME`.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// The monotonic clock: it never jumps and stands still in suspend. For timeouts inside a connection.
package enum MonotonicTime {
    /// Reads `CLOCK_MONOTONIC`.
    package static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
