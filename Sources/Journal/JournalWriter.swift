/// How the journal's space and slots stand.
package struct SpaceState: Sendable, Equatable {
    /// Bytes written and synced ahead, granted ones among them.
    package let preparedBytes: Int
    /// Bytes granted and not yet used.
    package let outstandingBytes: Int
    /// Whether the disk was full when space was prepared last: new notifications are about to get `unavailable`, or do.
    package let isFull: Bool
    /// Slots that can be taken.
    package let slotsReady: Int
}

/// A `JournalCore` with its thread: gathers what waits, writes and syncs it as one batch, reports, and gathers again.
///
/// Every call may come from any thread, none blocks but `open`, `start` and `stop`.
package final class JournalWriter: Sendable {
    /// How long a full disk is left alone before space is asked for again.
    package static let fullRetryInterval = Duration.milliseconds(250)

    private struct State {
        var core: JournalCore?
        var thread: OwnedThread?
        var waiting: [Pending] = []
        var schedule = CommitSchedule()
        var wantsSpace = true
        /// Not before this time is space asked for again.
        var retryAt: Duration?
        var isStopping = false
        var hasFailed = false
        /// Maintenance in the order in which it was asked for.
        var steps: [MaintenanceStep] = []
        /// Maintenance waits: something outside the thread reads files that it would change.
        var isHeld = false
    }

    /// What the start found.
    package let report: OpenReport
    /// Sight of the files for readers beside the writer. It may outlive the writer's thread.
    package let access: JournalAccess
    /// The Merkle log: proofs of what is in the journal. Any thread, also when the writer's has ended.
    package let archive: MerkleArchive
    /// Heads that were signed up to this time, milliseconds since 1970 UTC, may contradict the log: somebody has answered for
    /// it before this start. 0 for none.
    package let answeredMilliseconds: Int64
    private let state: ConditionLock<State>
    private let ledger: SpaceLedger
    private let slots: SlotPool
    private let clock: any JournalClock
    private let makeOpener: @Sendable () -> TextOpener
    let copier = BackupThread()

    private init(core: consuming JournalCore) {
        report = core.report
        access = core.access
        archive = core.archive
        answeredMilliseconds = core.answeredMilliseconds
        ledger = core.space
        slots = core.slots
        clock = core.clock
        let (keys, paths, disk) = (core.keys, core.paths, core.disk)
        makeOpener = { TextOpener(keys: keys, paths: paths, disk: disk) }
        state = ConditionLock(State(core: core))
    }

    deinit { stop() }

    /// Recovers `<data>/<collaboration>` on the calling thread, see `JournalCore.open`. The writer's thread does not run yet.
    package static func open(
        in data: DataDirectory, collaboration: String, keys: KeyRing, options: JournalOptions = .init(),
        disk: any Disk = PosixDisk(), random: any RandomSource = SystemRandom(),
        clock: any JournalClock = SystemJournalClock(), restore: ((inout SnapshotReader) -> Bool)? = nil,
        replay: (ReplayItem) -> Void
    ) throws(JournalError) -> JournalWriter {
        precondition(!collaboration.isEmpty && !collaboration.contains("/") && !collaboration.hasPrefix("."))
        return JournalWriter(
            core: try JournalCore.open(
                directory: data.path + "/" + collaboration, keys: keys, options: options, disk: disk, random: random,
                clock: clock, restore: restore, replay: replay))
    }

    /// Starts the thread. Once.
    ///
    /// - Parameters:
    ///   - onCommit: on the writer's thread, once per batch, when it is on disk. It must not block.
    ///   - onFailure: on the writer's thread, at most once. Nothing is committed after it; what waited is not answered. Space is
    ///     granted until it has returned, so that nobody takes the end for a full disk.
    package func start(
        onCommit: @escaping @Sendable (CommitReport) -> Void, onFailure: @escaping @Sendable (JournalError) -> Void
    ) {
        guard let core = state.withLock({ $0.core.take() }) else {
            preconditionFailure("the journal was started before")
        }
        ledger.onLow { [weak self] in self?.askForSpace() }
        let loop = WriterLoop(core: core, onCommit: onCommit, onFailure: onFailure)
        let state = state
        let clock = clock
        let thread = OwnedThread(name: "journal-writer") {
            var loop = loop
            loop.run(
                take: { Self.next(state, clock, hasMore: $0, markIsDue: $1) }, full: { Self.noteFull(state, clock) },
                failed: { state.withLock { $0.hasFailed = true } })
            Self.refuseSteps(state)
        }
        state.withLock { $0.thread = thread }
    }

    /// Grants space that is written and synced already; nil means `unavailable`.
    package func reserve(_ kind: ReservationClass, bytes: Int) -> SpaceGrant? { ledger.reserve(kind, bytes: bytes) }

    /// Takes back a grant that was not used.
    package func release(_ grant: SpaceGrant) { ledger.release(grant) }

    /// The next key slot; nil means `unavailable`. A slot that is not used is lost, which costs 32 bytes.
    package func takeSlot() -> SlotID? {
        let slot = slots.take()
        if slot == nil || slots.count % JournalLimits.slotsPerSlab == 0 { askForSpace() }
        return slot
    }

    /// Whether a text can be sealed under this slot: it was not erased, and its slab can be read. May read one slab (64 KiB).
    package func canSeal(under slot: SlotID) -> Bool { (try? access.keys.living([slot]))?.isEmpty == false }

    /// Hands a request over. Order of calls is order on disk.
    ///
    /// - Parameters:
    ///   - ticket: rises from call to call; `CommitReport.lastTicket` tells how far the disk is.
    ///   - grant: covers `request.footprint`; it is used up.
    ///   - urgency: `.within` rides with the next batch, or goes alone after that time.
    /// - Precondition: the grant is large enough. After a failure or `stop` the request is dropped unanswered.
    package func append(
        _ request: AppendRequest, ticket: UInt64, grant: SpaceGrant, urgency: CommitUrgency = .now
    ) {
        let pending = Pending(request: request, ticket: ticket, grant: grant)
        let clock = clock
        let wakes = state.withLock { state in
            guard !state.hasFailed, !state.isStopping else { return false }
            let isFirst = state.waiting.isEmpty
            let before = state.schedule.step(at: .zero)
            state.waiting.append(pending)
            state.schedule.arrive(urgency, at: clock.monotonic)
            return isFirst || before != .commit
        }
        if wakes { state.signal() }
    }

    /// Everything appended so far is committed without waiting for its delay.
    package func flush() {
        state.withLock { $0.schedule.flush() }
        state.signal()
    }

    /// Commits what waits, ends the thread and waits for it. Later calls do nothing.
    ///
    /// From the writer's own thread (a callback) it only says that the thread shall end.
    package func stop() {
        ledger.close()
        defer { copier.stop() }
        let (thread, idle) = state.withLock { state -> (OwnedThread?, JournalCore?) in
            state.isStopping = true
            return (state.thread.take(), state.core.take())
        }
        if var idle {
            idle.close()
            Self.refuseSteps(state)
        }
        state.signal()
        guard let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    /// For metrics and health.
    package var space: SpaceState {
        let figures = ledger.figures
        return SpaceState(
            preparedBytes: figures.prepared, outstandingBytes: figures.outstanding, isFull: figures.isFull,
            slotsReady: slots.count)
    }

    /// A reader with a thread of its own. It may outlive the writer's thread.
    package func makeReader() -> TextReader { TextReader(makeOpener: makeOpener) }

    /// Runs `work` on the writer's thread, between two batches and behind everything that was appended before.
    ///
    /// One piece at a time, in the order of the calls, and also under a load that never pauses. While a backup copies, all
    /// maintenance waits. The methods of `JournalCore` that it calls say which of their errors are final.
    ///
    /// - Parameters:
    ///   - work: must be bounded: commits wait for it.
    ///   - completion: once, on the writer's thread, or at once on the calling thread with `.stopped`, or with `.limit`
    ///     when `JournalLimits.maxWaitingMaintenance` pieces wait already. It must not block. Where the journal ended with it, not
    ///     before `onFailure` has returned.
    package func maintain<Value: Sendable>(
        _ work: @escaping @Sendable (inout JournalCore) throws(JournalError) -> Value,
        completion: @escaping @Sendable (Result<Value, JournalError>) -> Void
    ) {
        let step = MaintenanceStep(work, completion)
        let refusal: JournalError? = state.withLock { state in
            if state.hasFailed || state.isStopping { return .stopped }
            let limit = JournalLimits.maxWaitingMaintenance
            guard state.steps.count < limit else {
                return .limit(name: "waiting maintenance", value: limit + 1, limit: limit)
            }
            state.steps.append(step)
            return nil
        }
        if let refusal { step.refuse(refusal) } else { state.signal() }
    }

    /// Holds maintenance off, or lets it go on. What waits keeps its order.
    func hold(_ hold: MaintenanceHold) {
        state.withLock { $0.isHeld = hold == .on }
        state.signal()
    }

    /// Answers what nobody will run. No more is taken by then.
    private static func refuseSteps(_ state: ConditionLock<State>) {
        let steps = state.withLock { state in
            defer { state.steps = [] }
            return state.steps
        }
        for step in steps { step.refuse(.stopped) }
    }

    private func askForSpace() {
        let wakes = state.withLock { state in
            defer { state.wantsSpace = true }
            return !state.wantsSpace && state.waiting.isEmpty
        }
        if wakes { state.signal() }
    }
}

extension JournalWriter {
    /// Waits for something to do.
    private static func next(
        _ state: ConditionLock<State>, _ clock: any JournalClock, hasMore: Bool, markIsDue: Duration?
    ) -> WriterLoop.Work {
        if hasMore { state.withLock { $0.wantsSpace = true } }
        return state.wait { state in
            let now = clock.monotonic
            if state.retryAt.map({ $0 <= now }) ?? false { (state.retryAt, state.wantsSpace) = (nil, true) }
            let prepares = state.wantsSpace && state.retryAt == nil
            let step = state.schedule.step(at: now)
            let maintains = !state.steps.isEmpty && !state.isHeld && !state.isStopping
            // What was appended before maintenance was asked for is on disk before it runs.
            if step == .commit || ((state.isStopping || maintains) && !state.waiting.isEmpty) {
                state.schedule.taken()
                defer { state.waiting = [] }
                let then = maintains ? state.steps.removeFirst() : nil
                return .done(.commit(state.waiting, then: then, mayPrepare: state.retryAt == nil))
            }
            if state.isStopping { return .done(.end) }
            if maintains { return .done(.maintain(state.steps.removeFirst())) }
            if prepares {
                state.wantsSpace = false
                return .done(.prepare)
            }
            let mark = markIsDue.map { $0 - now }
            if let mark, mark <= .zero { return .done(.mark) }
            let retry = state.retryAt.map { $0 - now }
            let delay: Duration? = if case .later(let rest) = step { rest } else { nil }
            return [mark, retry, delay].compactMap { $0 }.min().map { .atMost($0) } ?? .untilSignal
        }
    }

    private static func noteFull(_ state: ConditionLock<State>, _ clock: any JournalClock) {
        state.withLock { $0.retryAt = clock.monotonic + fullRetryInterval }
    }
}
