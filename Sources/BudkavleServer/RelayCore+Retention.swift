import CaseNotifications
import EventLoop
import Journal
import Relay
import Routing

/// Where the retention of content stands. Nothing of it is on disk: a start begins with the first record, and what was
/// destroyed is known by its keys.
struct RetentionState {
    /// No record before this one names a text that is still there.
    var cursor: UInt64 = 1
    /// When the next sweep begins; nil while one is under way, and before the start.
    var due: Timestamp?
    /// The time that was certain at the start, and what the monotonic clock showed then.
    private(set) var anchor: (relay: Timestamp, monotonic: Int64)?
    /// Whether the clock jumps only because somebody says so, as a simulated one does.
    var isClockSteered = false
    /// What happened to notifications while a sweep is under way; nil at other times.
    var touched: RetentionTouches?

    /// How far the machine's clock may be ahead of the certain time before it is no reason to erase: a day.
    static let jumpLimitMilliseconds: Int64 = 86_400_000

    /// Notes what is certain at the start: the time of the newest event, unless the clock is even behind it. A clock that is
    /// wrong from the start says nothing about how old content is.
    mutating func anchor(at now: Timestamp, newest: Timestamp, monotonic: Int64) {
        anchor = (newest == .distantPast ? now : min(now, newest), monotonic)
    }

    /// The time by which content may be judged: the clock's, or where that is too far ahead of the certain time and the time
    /// since the start together, only these. So what the relay does not know as past its time stays, but never for ever.
    func credible(_ now: Timestamp, monotonic: Int64) -> Timestamp {
        guard let anchor else { return .distantPast }
        let certain = anchor.relay.milliseconds + (monotonic - anchor.monotonic)
        let isAhead = now.milliseconds - certain > Self.jumpLimitMilliseconds
        return isAhead && !isClockSteered ? Timestamp(milliseconds: certain) : now
    }

    /// When the next sweep begins: where the clock was set back no later than a sweep that ends now would have it.
    mutating func nextDue(at now: Timestamp) -> Timestamp? {
        due = due.map { min($0, now.advanced(bySeconds: RelayCore.retentionSeconds.between)) }
        return due
    }
}

/// Notifications to which something happened while a sweep is under way: what its looks found of them may be out of date.
struct RetentionTouches {
    /// Notifications that are remembered, some 32 bytes each. Past it the sweep ends.
    static let limit = 65_536

    /// Notifications that were accepted since are too young for the sweep, and passed over.
    let horizon: Timestamp
    /// Whether there were more than are remembered.
    private(set) var isFull = false
    private var ids: Set<NotificationID> = []

    init(horizon: Timestamp) { self.horizon = horizon }

    /// Takes in events that have just been applied. What the store itself does, and so the sweep, is no act.
    mutating func take(_ events: [Event]) {
        for event in events {
            if case .maintenance = event.body { continue }
            for id in event.body.notifications where id.time < horizon && !ids.contains(id) {
                guard ids.count < Self.limit else {
                    isFull = true
                    continue
                }
                ids.insert(id)
            }
        }
    }

    func contains(_ id: NotificationID) -> Bool { ids.contains(id) }
}

/// One sweep through everything that may be past its time, look by look.
struct RetentionSweep: Sendable {
    static let batchLimit = 1_024

    /// Judged by this time from beginning to end.
    let now: Timestamp
    let times: RetentionSettings
    /// Notifications whose content goes in one step, at most ``batchLimit``.
    let batch: Int
    /// Where the next sweep begins.
    fileprivate(set) var cursor = UInt64.max
    fileprivate(set) var notifications = 0
    fileprivate(set) var slots = 0
    /// Notifications past their time of which something stays in a slab that cannot be read, unless it was destroyed earlier.
    fileprivate(set) var left = 0
    /// The file of such a slab.
    fileprivate(set) var unreadable: String?
    /// Why it ended early; what it had not done is left for the next one.
    fileprivate(set) var fault: HistoryError?

    init(now: Timestamp, times: RetentionSettings, batch: Int = batchLimit) {
        (self.now, self.times, self.batch) = (now, times, batch)
    }

    /// Leaves what cannot be read for the next sweep: its slab may be put back.
    fileprivate mutating func leave(_ texts: RetentionLook.Texts) {
        left += 1
        cursor = min(cursor, texts.record)
    }
}

extension RelayCore {
    typealias RetentionDone = @Sendable (isolated RelayCore, RetentionSweep) -> Void
    private typealias RetentionCount = @Sendable (isolated RelayCore, Set<NotificationID>) -> Void
    typealias DueTexts = [(id: NotificationID, texts: RetentionLook.Texts)]

    /// Seconds of the relay's clock between the end of a sweep and the next, and between the start and the first.
    static let retentionSeconds: (between: Int64, atFirst: Int64) = (3_600, 60)

    /// Lets the first sweep begin some time after the start.
    func awaitRetention() {
        let now = clock.now
        retention.isClockSteered = clock.isSimulated
        retention.anchor(at: now, newest: lastEventAtStart, monotonic: MonotonicTime.milliseconds)
        retention.due = now.advanced(bySeconds: Self.retentionSeconds.atFirst)
    }

    /// Lets the relay forget what is past its time. Not by a wall clock that is too far ahead either: the event carries the
    /// time by which it was decided, so that every replay forgets the same.
    func trimWhatIsDue() {
        let credible = retention.credible(clock.now, monotonic: MonotonicTime.milliseconds)
        for command in relay.due(at: credible) {
            let events = relay.decide(command, at: credible, random: &random).events
            _ = append(events, texts: [], grant: nil, urgency: .now, then: Waiting(ticket: 0))
        }
    }

    /// When to look again for what the relay may forget: what is past its time by a clock that is too far ahead waits an hour.
    func nextTrim(at now: Timestamp) -> Timestamp? {
        guard let due = relay.nextDue, due <= now,
            due > retention.credible(now, monotonic: MonotonicTime.milliseconds)
        else { return relay.nextDue }
        return now.advanced(bySeconds: Self.retentionSeconds.between)
    }

    /// Begins a sweep when it is time for one.
    ///
    /// Not while answers are stopped: somebody has to look at what there is. And not by a wall clock that is further ahead than
    /// the journal and the running time explain: what goes never comes back.
    func retainWhatIsDue() {
        let now = clock.now
        guard let due = retention.nextDue(at: now), due <= now else { return }
        guard checkpointStop == nil else {
            retention.due = now.advanced(bySeconds: Self.retentionSeconds.between)
            return
        }
        let credible = retention.credible(now, monotonic: MonotonicTime.milliseconds)
        if credible < now { log.write(.clockJumped(collaboration: collaboration)) }
        sweep(at: credible)
    }

    /// Destroys the content that is past its time, step by step: an event, and when that is on disk, the keys.
    ///
    /// A crash in between leaves an event without its deed; the next sweep finds the keys alive and does it again. Only the
    /// slots of the notification and of notes on it go: the slot of its case may stand for other content.
    ///
    /// - Parameter done: on the loop, when the sweep is through or had to end.
    func sweep(at now: Timestamp, limit: Int = RetentionLook.heldLimit, _ done: RetentionDone? = nil) {
        retention.due = nil
        let times = policy.retention
        retention.touched = RetentionTouches(horizon: times.horizon(at: now))
        // The look reads what is on disk: everything that was applied before has to be there.
        whenDurable { core in
            core.look(RetentionSweep(now: now, times: times), from: core.retention.cursor, limit) { core, sweep in
                core.retention.touched = nil
                if sweep.fault == nil { core.retention.cursor = sweep.cursor }
                core.retention.due = core.clock.now.advanced(bySeconds: Self.retentionSeconds.between)
                core.tell(sweep)
                done?(core, sweep)
                core.pumpSoon()
            }
        }
    }

    private func tell(_ sweep: RetentionSweep) {
        if sweep.notifications > 0 {
            log.write(
                .contentRetired(
                    collaboration: collaboration, notifications: sweep.notifications, slots: sweep.slots))
        }
        if sweep.left > 0 {
            let what = "up to \(sweep.left) in slabs that cannot be read, put them back from a key backup"
            log.write(
                .retentionLeft(
                    collaboration: collaboration, "\(what); the first is \(sweep.unreadable ?? "")"))
        }
        switch sweep.fault {
        case .journal(let error): log.write(.retentionLeft(collaboration: collaboration, "\(error)"))
        case .tooFar: log.write(.retentionLeft(collaboration: collaboration, "too much happened to old ones meanwhile"))
        case .busy, nil: break
        }
    }

    private func look(
        _ sweep: RetentionSweep, from first: UInt64, _ limit: Int, _ done: @escaping RetentionDone
    ) {
        let last = durableSequence
        let look = RetentionLook(horizon: sweep.times.horizon(at: sweep.now), limit: limit)
        sweeper.look(look, from: first, through: last) { [self] result in
            onLoop { core in
                var sweep = sweep
                switch result {
                case .failure(let error):
                    sweep.fault = error
                    done(core, sweep)
                case .success(let found):
                    // What is written from here on is for the next sweep.
                    sweep.cursor = min(sweep.cursor, found.young ?? last + 1)
                    sweep.unreadable = sweep.unreadable ?? found.unreadable
                    let due = core.due(in: found, &sweep)
                    core.retire(due[...], sweep) { core, sweep in
                        guard sweep.fault == nil, let rest = found.rest else { return done(core, sweep) }
                        core.look(sweep, from: rest, limit, done)
                    }
                }
            }
        }
    }

    /// Texts past their time in the order of their records; where the others begin is noted, and what cannot be read is left.
    private func due(in look: RetentionLook, _ sweep: inout RetentionSweep) -> DueTexts {
        var due: DueTexts = []
        for (id, texts) in look.found {
            if !isPast(id, texts, sweep) {
                sweep.cursor = min(sweep.cursor, texts.record)
            } else if texts.slots.isEmpty {
                sweep.leave(texts)
            } else {
                due.append((id, texts))
            }
        }
        return due.sorted { $0.texts.record < $1.texts.record }
    }

    /// Whether content is to go as things stand at this moment.
    ///
    /// Whether it is finished is known now, its last act from the look. When something happened in between, the two do not belong
    /// together, and it is for the next sweep; notifications younger than the horizon, whose touches nobody notes, likewise.
    private func isPast(_ id: NotificationID, _ texts: RetentionLook.Texts, _ sweep: RetentionSweep) -> Bool {
        let (times, now) = (sweep.times.content(of: texts.type.flatMap(relay.type)), sweep.now)
        let content = relay.contentState(of: id)
        // Somebody's order that a crash cut short.
        if content == .erased { return true }
        guard id.time < sweep.times.horizon(at: now), retention.touched?.contains(id) != true else { return false }
        switch content {
        case .erased: return true
        case .stored, .unreadable:
            let open = relay.deliveries(of: id).filter { !$0.isFinished }
            return open.isEmpty
                ? times.isPast(finished: texts.lastAct, at: now)
                : times.isPast(open: id, deadline: open.compactMap(\.acknowledgeBy).max(), at: now)
        // It has left memory: it is finished. Where records are lost, one that never came in is not there either, and has no
        // deadline.
        case nil:
            let mayBeOpen = relay.lostRecords > 0
            // Only a note is left: what it is about went before it.
            if texts.type == nil, !mayBeOpen { return true }
            return times.isPast(finished: texts.lastAct, at: now)
                && (!mayBeOpen || times.isPast(open: id, deadline: nil, at: now))
        }
    }

    /// Lets content go batch by batch, each judged again just before.
    func retire(_ due: DueTexts.SubSequence, _ sweep: RetentionSweep, _ done: @escaping RetentionDone) {
        guard !due.isEmpty else { return done(self, sweep) }
        var sweep = sweep
        guard retention.touched?.isFull != true else {
            sweep.fault = .tooFar
            return done(self, sweep)
        }
        var (rest, part) = (due, DueTexts())
        while part.isEmpty, !rest.isEmpty {
            for (id, texts) in rest.prefix(sweep.batch) {
                if isPast(id, texts, sweep) {
                    part.append((id, texts))
                } else {
                    sweep.cursor = min(sweep.cursor, texts.record)
                }
            }
            rest = rest.dropFirst(sweep.batch)
        }
        guard !part.isEmpty else { return done(self, sweep) }
        destroy(part, sweep) { [rest] core, sweep in
            guard sweep.fault == nil else { return done(core, sweep) }
            core.retire(rest, sweep, done)
        }
    }

    /// Records that the content of one batch goes, and when that is on disk, destroys its keys.
    private func destroy(_ part: DueTexts, _ sweep: RetentionSweep, _ done: @escaping RetentionDone) {
        var ids = part.map(\.id)[...]
        while !ids.isEmpty {
            let named = ids.prefix(Maintenance.notificationLimit)
            ids = ids.dropFirst(named.count)
            let note = MaintenanceNote(
                kind: .erased, what: Self.retentionCode, count: UInt64(named.count), notifications: Array(named))
            guard append(note, reason: nil) else {
                var sweep = sweep
                sweep.fault = .busy
                return done(self, sweep)
            }
        }
        for (id, _) in part { contents.drop(id) }
        let slots = part.flatMap(\.texts.slots).map { SlotID(rawValue: $0) }
        whenDurable { core in
            core.journal.erase(slots) { result in
                core.onLoop { core in
                    var sweep = sweep
                    switch result {
                    case .failure(let error):
                        sweep.fault = .journal(error)
                        done(core, sweep)
                    case .success(let erasure):
                        for (id, _) in part { core.contents.drop(id) }
                        sweep.slots += erasure.slots
                        sweep.unreadable = sweep.unreadable ?? erasure.unreadable.first?.path
                        core.settle(part, erasure, sweep, done)
                    }
                }
            }
        }
    }

    /// Counts what went. Where a slab could no longer be read when the keys were destroyed, what stays of it is looked for, and
    /// left.
    private func settle(
        _ part: DueTexts, _ erasure: Erasure, _ sweep: RetentionSweep, _ done: @escaping RetentionDone
    ) {
        let count: RetentionCount = { core, remaining in
            var sweep = sweep
            for (id, texts) in part {
                if texts.isUnread || remaining.contains(id) {
                    sweep.leave(texts)
                } else {
                    sweep.notifications += 1
                }
            }
            done(core, sweep)
        }
        guard !erasure.unreadable.isEmpty else { return count(self, []) }
        sweeper.remaining(of: part) { [self] result in
            onLoop { core in
                switch result {
                case .failure(let error):
                    var sweep = sweep
                    sweep.fault = error
                    done(core, sweep)
                case .success(let remaining): count(core, remaining)
                }
            }
        }
    }

    /// What an erasure by time has as its code.
    static let retentionCode = "retention"
}
