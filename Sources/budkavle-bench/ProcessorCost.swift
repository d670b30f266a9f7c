import CLinux
import Glibc

/// What a piece of work costs the thread's own processor, so that others on the machine count little.
enum ProcessorCost {
    /// Nanoseconds of one run of `work`: the middle one of `batches` batches of `batch` runs each.
    ///
    /// - Parameter work: its result is added up, so that the compiler leaves nothing out.
    static func nanoseconds(batches: Int, batch: Int, of work: () throws -> Int) rethrows -> Double {
        var found: [Double] = []
        var seen = 0
        for _ in 0..<batches {
            let start = now
            for _ in 0..<batch { seen &+= try work() }
            found.append(Double(now - start) / Double(batch))
        }
        precondition(seen >= 0, "work counts what it does")
        return middle(found) ?? 0
    }

    /// The middle one of some values; nil if there are none.
    static func middle(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
