/// What one run does.
struct LoadPlan: Sendable {
    /// Connections that send.
    var producers: Int
    /// Notifications of one producer that wait for their RECEIPT at most.
    var window: Int
    var fanOut: FanOut
    /// Notifications per second; nil is as fast as the window allows.
    var rate: Double?
    /// Connections that receive, spread over the three desks.
    var consumers: Int
    /// MESSAGEs in flight per consumer.
    var prefetch: Int
    /// Measured time.
    var seconds: Double
    /// Time before, which is not measured.
    var warmUp: Double
    var bodyBytes: Int
    var host: String
    var port: Int
    /// Whose CPU time and memory are measured.
    var serverProcess: Int32?
}

/// Limits of a run's phases. Every one ends at its limit whatever happens.
enum LoadLimits {
    /// All connections must be ready then.
    static let connectNanoseconds: UInt64 = 30_000_000_000
    /// Nothing accepted and nothing delivered for so long ends a phase.
    static let idleNanoseconds: UInt64 = 10_000_000_000
    /// For what is still under way when the load ends.
    static let drainNanoseconds: UInt64 = 60_000_000_000
    /// A moment more, to see late second copies.
    static let lateNanoseconds: UInt64 = 300_000_000
    /// For the answers to DISCONNECT, which show that all ACKs were read.
    static let farewellNanoseconds: UInt64 = 10_000_000_000
    /// Refusals after which the load ends: something is wrong then.
    static let mostRefusals = 1_000
}

/// What came of a run.
struct LoadResult: Sendable {
    var plan: LoadPlan
    /// Measured time that passed, in seconds.
    var seconds = 0.0
    var sent = 0
    var accepted = 0
    var acceptedPerSecond = 0.0
    var deliveredPerSecond = 0.0
    var accept = Latency()
    var endToEnd = Latency()
    /// Accepted, and not at every desk that it was for.
    var lost = 0
    /// A second copy at a desk without `redelivered:true`, or with another id of the relay's.
    var doubled = 0
    var redelivered = 0
    /// RECEIPTs that say refused, and ERRORs.
    var refused = 0
    /// Lost connections, receipts nobody asked for, messages at a wrong desk, no progress.
    var errors = 0
    /// Sent and neither accepted nor refused.
    var unanswered = 0
    /// With a rate: due in the measured time and never sent, since every window was full.
    var unsent = 0
    /// Of earlier runs.
    var foreign = 0
    var firstProblem: String?
    var drainSeconds = 0.0
    /// The relay's CPU time in the measured time.
    var serverCPUSeconds: Double?
    var serverResidentBytes: Int?
    /// This process's.
    var generatorCPUSeconds = 0.0

    var isClean: Bool { lost == 0 && doubled == 0 && refused == 0 && errors == 0 && unanswered == 0 && accepted > 0 }
    /// CPU time of the relay per thousand accepted notifications.
    var serverMillisecondsPerThousand: Double? {
        guard let serverCPUSeconds, acceptedPerSecond > 0, seconds > 0 else { return nil }
        return serverCPUSeconds * 1_000_000 / (acceptedPerSecond * seconds)
    }
}

/// Percentiles in milliseconds.
struct Latency: Sendable {
    var p50 = 0.0
    var p90 = 0.0
    var p99 = 0.0
    var max = 0.0
    var count = 0
}
