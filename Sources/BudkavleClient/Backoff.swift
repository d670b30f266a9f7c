/// The pauses between attempts: doubling, with a ceiling, and half of each drawn at random so that many clients of one
/// relay do not come back in step.
struct Backoff: Sendable {
    private let firstMilliseconds: Int64
    private let longestMilliseconds: Int64
    private(set) var failures = 0

    init(_ policy: ReconnectPolicy) {
        firstMilliseconds = max(1, policy.firstPause.wholeMilliseconds)
        longestMilliseconds = max(firstMilliseconds, policy.longestPause.wholeMilliseconds)
    }

    /// Counts one failure and draws the pause after it: at least half of the step, at most all of it.
    mutating func pauseMilliseconds(random: inout some RandomNumberGenerator) -> Int64 {
        var step = firstMilliseconds
        for _ in 0..<min(failures, 62) where step < longestMilliseconds { step *= 2 }
        step = min(step, longestMilliseconds)
        failures += 1
        return Int64.random(in: (step + 1) / 2...step, using: &random)
    }

    mutating func reset() { failures = 0 }
}

extension Duration {
    /// Rounded up, so that a deadline is never early.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        if overflow { return seconds < 0 ? .min / 4 : .max / 4 }
        return product + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
