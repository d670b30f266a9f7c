import CLinux
import Glibc
import Synchronization

/// One thread that waits in epoll for descriptors, timers and hand-overs, and the executor of the actors that live on it.
///
/// The thread keeps the loop alive from `start()` to `stop()`. Nothing that runs on it may block. A turn is: events,
/// timers that are due, everything handed over so far, participants. `execute` and actor jobs run in the order in which
/// they came; the waiting thread is woken by one eventfd write, however many hand-overs follow while it wakes up. What is
/// handed over has no limit here: whoever hands over bounds his own work.
package final class EpollLoop: SerialExecutor {
    /// Events fetched from the kernel in one turn; more wait for the next.
    package static let eventsPerTurn = 256
    /// Turns in which a loop that is stopping still runs what its own work queues.
    package static let turnsWhileStopping = 1_000

    private enum Work: Sendable {
        case body(@Sendable () -> Void)
        case job(UnownedJob)
    }

    private enum Phase { case made, running, stopping, stopped }

    private struct Shared: Sendable {
        var queue: [Work] = []
        var isSleeping = false
        var phase = Phase.made
        var thread: pthread_t?
    }

    /// What only the loop's thread touches.
    private struct Local {
        var watches = WatchTable()
        var timers = TimerHeap()
        var participants: [any LoopParticipant] = []
        var batch: [Work] = []
        var now: UInt64 = 0
    }

    /// The name of the thread; its first 15 bytes show in `top -H`.
    package let name: String
    private let epollDescriptor: Int32
    private let wakeDescriptor: Int32
    private let shared = Mutex(Shared())
    /// `pthread_self()` of the thread while it runs, else 0.
    private let threadNumber = Atomic<UInt>(0)
    // SAFETY: only the loop's thread reads or writes it (checked by `precondition(isOnLoop)` at each entry), and before
    // that thread starts nobody does.
    nonisolated(unsafe) private var local = Local()

    /// Makes a loop that does not run yet.
    ///
    /// - Throws: `.system` when there are no descriptors left.
    package init(name: String) throws(EventLoopError) {
        self.name = name
        epollDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epollDescriptor >= 0 else { throw .system(call: "epoll_create1", errno: errno) }
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else {
            let number = errno
            close(epollDescriptor)
            throw .system(call: "eventfd", errno: number)
        }
        var event = epoll_event(
            events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeUserData))
        guard epoll_ctl(epollDescriptor, EPOLL_CTL_ADD, wakeDescriptor, &event) == 0 else {
            let number = errno
            close(epollDescriptor)
            close(wakeDescriptor)
            throw .system(call: "epoll_ctl", errno: number)
        }
    }

    deinit {
        close(wakeDescriptor)
        close(epollDescriptor)
    }

    /// User data of the eventfd: a descriptor of -1, which no watch has.
    private static let wakeUserData = UInt64.max

    // MARK: Any thread

    /// Nanoseconds of `CLOCK_MONOTONIC`: it does not jump, and stands still while the machine is suspended.
    static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The monotonic clock that all timers use, read now.
    package static func monotonicNow() -> Duration { .nanoseconds(Int64(monotonicNanoseconds())) }

    /// Starts the thread. It blocks all signals but those of its own mistakes, so that others get them.
    ///
    /// - Throws: `.notStartable` the second time, `.system` when no thread can be made.
    package func start() throws(EventLoopError) {
        let failure: EventLoopError? = shared.withLock { shared in
            guard shared.phase == .made else { return .notStartable }
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self)
            let result = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<EpollLoop>.fromOpaque(context).takeRetainedValue().run()
                    return nil
                }, context.toOpaque())
            guard result == 0 else {
                context.release()
                return .system(call: "pthread_create", errno: result)
            }
            shared.thread = thread
            shared.phase = .running
            return nil
        }
        if let failure { throw failure }
    }

    /// Runs what is queued, ends the thread and waits for its end. Watches and timers that are left are dropped.
    ///
    /// Harmless when the loop does not run; a second caller does not wait. Not from the loop itself.
    package func stop() {
        precondition(!isOnLoop, "a loop cannot wait for its own end")
        let (thread, mustWake) = shared.withLock { shared -> (pthread_t?, Bool) in
            guard shared.phase == .running else {
                if shared.phase == .made { shared.phase = .stopped }
                return (nil, false)
            }
            shared.phase = .stopping
            defer {
                shared.thread = nil
                shared.isSleeping = false
            }
            return (shared.thread, shared.isSleeping)
        }
        if mustWake { wake() }
        if let thread { pthread_join(thread, nil) }
    }

    /// Whether the caller runs on this loop's thread.
    package var isOnLoop: Bool { threadNumber.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Runs `body` on the loop, after everything that was handed over before it. Dropped once the loop has ended.
    package func execute(_ body: @escaping @Sendable () -> Void) { hand(over: .body(body)) }

    package func enqueue(_ job: consuming ExecutorJob) { hand(over: .job(UnownedJob(job))) }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func isIsolatingCurrentContext() -> Bool? { isOnLoop }

    package func checkIsolated() { precondition(isOnLoop, "not on the event loop \(name)") }

    private func hand(over work: Work) {
        let mustWake = shared.withLock { shared -> Bool in
            guard shared.phase != .stopped else { return false }
            shared.queue.append(work)
            defer { shared.isSleeping = false }
            return shared.isSleeping
        }
        if mustWake { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full, so the loop is as awake as it can be; EINTR does not happen.
        _ = write(wakeDescriptor, &one, 8)
    }

    // MARK: On the loop

    /// Monotonic time, read once per turn: see ``monotonicNow()``.
    package var now: Duration {
        checkIsolated()
        return .nanoseconds(Int64(local.now))
    }

    /// Calls `handler` on the loop whenever the descriptor is ready for something in `interest`, hung up or in error.
    ///
    /// - Precondition: on the loop. `end` comes before the descriptor is closed.
    /// - Throws: `.alreadyWatched`; `.system` when epoll refuses the descriptor.
    package func watch(
        _ descriptor: Int32, for interest: Readiness, _ handler: @escaping (Readiness) -> Void
    ) throws(EventLoopError) -> Watch {
        checkIsolated()
        precondition(descriptor >= 0, "no descriptor to watch")
        guard let watch = local.watches.insert(descriptor, handler) else {
            throw .alreadyWatched(descriptor: descriptor)
        }
        var event = epoll_event(events: interest.epollEvents, data: epoll_data_t(u64: watch.userData))
        guard epoll_ctl(epollDescriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            let number = errno
            _ = local.watches.remove(watch)
            throw .system(call: "epoll_ctl", errno: number)
        }
        return watch
    }

    /// Wants to hear of something else from now on. Nothing happens for a watch that has ended.
    ///
    /// - Precondition: on the loop.
    package func change(_ watch: Watch, to interest: Readiness) throws(EventLoopError) {
        checkIsolated()
        guard local.watches.handler(of: watch) != nil else { return }
        var event = epoll_event(events: interest.epollEvents, data: epoll_data_t(u64: watch.userData))
        guard epoll_ctl(epollDescriptor, EPOLL_CTL_MOD, watch.descriptor, &event) == 0 else {
            throw .system(call: "epoll_ctl", errno: errno)
        }
    }

    /// Ends a watch: its handler is not called again, not even for events of this turn. Harmless the second time.
    ///
    /// - Precondition: on the loop.
    package func end(_ watch: Watch) {
        checkIsolated()
        guard local.watches.remove(watch) != nil else { return }
        // Fails only for a descriptor that is closed, which epoll has forgotten by itself.
        _ = epoll_ctl(epollDescriptor, EPOLL_CTL_DEL, watch.descriptor, nil)
    }

    /// Runs `body` once, `delay` after the start of this turn or up to a millisecond later.
    ///
    /// - Precondition: on the loop.
    package func schedule(after delay: Duration, _ body: @escaping () -> Void) -> TimerToken {
        checkIsolated()
        let (seconds, attoseconds) = delay.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds = overflow ? Int64.max / 2 : max(0, min(product, .max / 2) + attoseconds / 1_000_000_000)
        return local.timers.insert(deadline: local.now &+ UInt64(nanoseconds), body)
    }

    /// Drops a timer. Harmless after it fired.
    ///
    /// - Precondition: on the loop.
    package func cancel(_ token: TimerToken) {
        checkIsolated()
        local.timers.remove(token)
    }

    /// Calls `participant.takeTurn()` once, in the loop's next turn: other descriptors are served in between.
    ///
    /// - Precondition: on the loop.
    package func takeTurn(_ participant: any LoopParticipant) {
        checkIsolated()
        local.participants.append(participant)
    }

    // MARK: The thread

    private func run() {
        threadNumber.store(UInt(pthread_self()), ordering: .relaxed)
        prepareThread()
        local.now = Self.monotonicNanoseconds()
        let room = Self.eventsPerTurn
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: room)
        defer { events.deallocate() }
        var turnsLeft = Self.turnsWhileStopping
        var isRunning = true
        while isRunning {
            let (phase, hasWork) = shared.withLock { shared -> (Phase, Bool) in
                let hasWork = !shared.queue.isEmpty || !local.participants.isEmpty
                shared.isSleeping = !hasWork && shared.phase == .running
                return (shared.phase, hasWork)
            }
            if phase == .stopping {
                turnsLeft -= 1
                if !hasWork || turnsLeft == 0 { isRunning = false }
            }
            let count = epoll_wait(
                epollDescriptor, events, Int32(room), hasWork || phase == .stopping ? 0 : waitingMilliseconds())
            local.now = Self.monotonicNanoseconds()
            // EINTR (a debugger, a stop signal) is an empty turn; anything else is our own mistake.
            precondition(count >= 0 || errno == EINTR, "epoll_wait failed: \(errno)")
            for index in 0..<max(0, Int(count)) { dispatch(events[index]) }
            while let body = local.timers.popDue(at: local.now) { body() }
            runHandedOver()
            runParticipants()
        }
        finish()
    }

    private func dispatch(_ event: epoll_event) {
        guard event.data.u64 != Self.wakeUserData else {
            var counter: UInt64 = 0
            _ = read(wakeDescriptor, &counter, 8)
            return
        }
        // A watch that ended earlier in this turn has no handler, and a number that was reused has another generation.
        guard let handler = local.watches.handler(of: Watch(userData: event.data.u64)) else { return }
        handler(Readiness(epollEvents: event.events))
    }

    private func runHandedOver() {
        var batch = local.batch
        local.batch = []
        shared.withLock { shared in
            shared.isSleeping = false
            swap(&batch, &shared.queue)
        }
        let executor = asUnownedSerialExecutor()
        for work in batch {
            switch work {
            case .body(let body): body()
            case .job(let job): job.runSynchronously(on: executor)
            }
        }
        batch.removeAll(keepingCapacity: true)
        local.batch = batch
    }

    private func runParticipants() {
        guard !local.participants.isEmpty else { return }
        var participants: [any LoopParticipant] = []
        swap(&participants, &local.participants)
        for participant in participants { participant.takeTurn() }
    }

    /// Rounded up, so that a timer never fires early and a turn is not spun.
    private func waitingMilliseconds() -> Int32 {
        guard let deadline = local.timers.nextDeadline else { return -1 }
        let now = Self.monotonicNanoseconds()
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }

    private func finish() {
        let rest = shared.withLock { shared -> [Work] in
            shared.phase = .stopped
            defer { shared.queue = [] }
            return shared.queue
        }
        _ = rest
        // What handlers and timers hold is let go here, on the thread that they belong to.
        let handlers = local.watches.removeAll()
        _ = handlers
        local = Local()
        threadNumber.store(0, ordering: .relaxed)
    }

    private func prepareThread() {
        _ = CLinux_name_this_thread(String(decoding: name.utf8.prefix(15), as: UTF8.self))
        var signals = sigset_t()
        sigfillset(&signals)
        for own in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&signals, own) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
