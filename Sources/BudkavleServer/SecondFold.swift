import CaseNotifications
import Journal
import Relay
import Synchronization

/// What the live relay's state was after a record, for the second fold to compare.
struct FoldSample: Sendable {
    var sequence: UInt64
    var digest: StateDigest
}

/// Folds closed segments a second time, on a thread of its own, from what is on disk: compares with the live state, writes
/// snapshots, copies leaves, heads and audit records to `audit/`, and lets old segments go.
///
/// Between two rounds it holds no state: each begins with the newest snapshot, which so is read and checked again every time.
/// It never stops the service: what it cannot do is logged, and left for the next round. Source: design.md section 4.
final class SecondFold: Sendable {
    /// How often, and for how long records stay.
    struct Options: Sendable {
        /// Time between the beginnings of two rounds.
        var interval = Duration.seconds(60)
        /// Age at which a closed segment may go.
        var history = DaemonSettings.Store().history
    }

    /// What the relay that serves beside the fold knew at its start.
    struct Live: Sendable {
        /// Records that it counts as lost: while it serves there are never others.
        let lost: KnownLosses
        /// By which its clock is judged.
        let retention: RetentionState

        init(_ recovered: Recovered, _ clock: RelayClock) {
            lost = recovered.lost
            var retention = RetentionState()
            retention.isClockSteered = clock.isSimulated
            retention.anchor(at: clock.now, newest: recovered.lastEventAt, monotonic: MonotonicTime.milliseconds)
            self.retention = retention
        }
    }

    /// Samples that wait for the fold; the oldest goes first.
    static let sampleLimit = 64
    /// Time between two samples: one takes the loop some milliseconds.
    static let sampleMilliseconds: Int64 = 60_000

    struct State {
        /// Segments up to this one are closed.
        var closed: UInt64 = 0
        var samples: [FoldSample] = []
        var folded: UInt64?
        var earliestRound: Duration?
        var isStopping = false
        /// The maintenance that was asked for is done.
        var isAnswered = false
        /// The two folds differed once: nothing is written or dropped until somebody has looked.
        var differs = false
        var times: [SegmentTimes] = []
        var thread: OwnedThread?
        /// Is told how many segments went.
        var onDrop: (@Sendable (Int) -> Void)?
    }

    let collaboration: CollaborationID
    let journal: JournalWriter
    let log: DaemonLog
    let options: Options
    let live: Live?
    let state = ConditionLock(State())

    /// - Parameter live: nil where nobody serves beside it: then what is lost is not compared, and the clock is believed.
    init(
        collaboration: CollaborationID, journal: JournalWriter, log: DaemonLog, options: Options = Options(),
        beside live: Live? = nil
    ) {
        self.collaboration = collaboration
        self.journal = journal
        self.log = log
        self.options = options
        self.live = live
    }

    /// Starts the thread. Once; the journal's writer runs already.
    ///
    /// - Parameter onDrop: is told on this thread how many segments went, each time that some do.
    func start(onDrop: @escaping @Sendable (Int) -> Void) {
        state.withLock { $0.onDrop = onDrop }
        let thread = OwnedThread(name: "second-fold") { [self] in
            // What earlier starts closed.
            if let segment = try? journal.access.lastClosedSegment() { closed(through: segment) }
            while let goal = next() { round(through: goal) }
        }
        state.withLock { $0.thread = thread }
    }

    /// Segments up to this one are closed. Any thread.
    func closed(through segment: UInt64) {
        state.withLock { $0.closed = max($0.closed, segment) }
        state.signal()
    }

    /// What the live state is after a record. Any thread; samples come in order.
    func compare(with sample: FoldSample) {
        state.withLock { state in
            state.samples.append(sample)
            if state.samples.count > Self.sampleLimit { state.samples.removeFirst() }
        }
    }

    /// When the events of each closed segment happened, as far as it is known.
    var times: [SegmentTimes] { state.withLock { $0.times } }

    /// Ends the round at its next step and waits for the thread. What a round had not finished is as before it.
    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        state.signal()
        thread?.join()
    }

    /// What was written before this is old enough to go. A clock that jumped ahead makes nothing older.
    func horizon(at now: Timestamp, _ monotonic: Int64) -> Timestamp {
        let credible = live?.retention.credible(now, monotonic: monotonic) ?? now
        return credible.advanced(bySeconds: -options.history.components.seconds)
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    private func next() -> UInt64? {
        let clock = SystemJournalClock()
        return state.wait { state in
            if state.isStopping { return .done(nil) }
            guard !state.differs, state.closed > state.folded ?? 0 else { return .untilSignal }
            let now = clock.monotonic
            if let earliest = state.earliestRound, earliest > now { return .atMost(earliest - now) }
            state.earliestRound = now + options.interval
            return .done(state.closed)
        }
    }

    /// Does maintenance on the writer's thread and waits for it. Nil when the fold is to stop.
    func maintain<Value: Sendable>(
        _ work: @escaping @Sendable (inout JournalCore) throws(JournalError) -> Value
    ) throws(JournalError) -> Value? {
        let outcome = Mutex<Result<Value, JournalError>?>(nil)
        state.withLock { $0.isAnswered = false }
        journal.maintain(work) { [self] result in
            outcome.withLock { $0 = result }
            state.withLock { $0.isAnswered = true }
            state.signal()
        }
        // A backup may hold maintenance back for long: a stop does not wait for it.
        let isAnswered = state.wait { state in
            state.isAnswered || state.isStopping ? .done(state.isAnswered) : .untilSignal
        }
        guard isAnswered else { return nil }
        return try outcome.withLock { $0 }?.get()
    }
}
