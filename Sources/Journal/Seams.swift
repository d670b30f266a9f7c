import CLinux
import Glibc

/// Where keys, salts and identifiers come from.
package protocol RandomSource: Sendable {
    /// Fills the buffer; never fails.
    func fill(_ bytes: UnsafeMutableRawBufferPointer)
}

/// The kernel's generator, asked each time: it is seeded anew when a virtual machine is cloned.
package struct SystemRandom: RandomSource {
    /// There is nothing to set.
    package init() {}

    package func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < bytes.count {
            let count = getrandom(bytes.baseAddress.map { $0 + done } ?? nil, bytes.count - done, 0)
            if count < 0 {
                precondition(errno == EINTR, "getrandom failed with error \(errno)")
                continue
            }
            done += count
        }
    }
}

extension RandomSource {
    func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            fill(UnsafeMutableRawBufferPointer(buffer))
            done = count
        }
    }

    func word() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }
}

/// The journal's two clocks.
package protocol JournalClock: Sendable {
    /// Counts while the machine runs; for the delay of commits.
    var monotonic: Duration { get }
    /// Milliseconds since 1970 UTC; written into headers for people to read.
    var wallMilliseconds: Int64 { get }
}

/// The machine's clocks.
package struct SystemJournalClock: JournalClock {
    /// There is nothing to set.
    package init() {}

    package var monotonic: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    package var wallMilliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
