import CaseNotifications
import DequeModule
import EventLoop
import Journal
import Relay
import Routing
import STOMP

/// Where one collaboration's notifications are decided, written and handed on.
///
/// A command is decided on the newest state and its events are applied at once; what follows from them (answers, messages, receipts) waits
/// in `waiting` until the batch is on disk. Source: design.md sections 1 and 2.
/// Isolation: an actor on loop 0; connections of that loop enter it without a hop.
actor RelayCore: LoopParticipant {
    /// Deliveries and receipts handed out in one turn of the loop. High, so that consumers keep up with producers: what
    /// goes out is bounded by the credit that consumers give and by what their connections take.
    static let sendingsPerTurn = 8_192
    /// How long an ACK record may wait for another record to ride with.
    static let acknowledgementDelay = Duration.milliseconds(5)

    nonisolated let loop: EpollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let collaboration: CollaborationID
    let log: DaemonLog
    let journal: JournalWriter
    let reader: TextReader
    let history: HistoryReader
    let secondFold: SecondFold
    /// Reads for the retention of content, so that questions never wait behind a sweep.
    let sweeper: HistoryReader
    var retention = RetentionState()
    /// The latest time that an event had at the start.
    let lastEventAtStart: Timestamp

    var policy: Policy
    var decoder: NotificationDecoder
    var relay: Relay
    var dispatch = Dispatch()
    var receiptDesk = ReceiptDesk()
    var contents: ContentStore
    var clock: RelayClock
    var random = SystemRandomNumberGenerator()
    var clients: [ConnectionID: ClientState] = [:]
    var subscribers: [SubscriberID: (ConnectionID, SubscriptionKey)] = [:]
    var watchers: [DeskID: [SubscriberID]] = [:]
    var isDraining = false
    var isUnavailable = false
    /// Why nothing is answered; nil while all is well.
    var checkpointStop: CheckpointStop?
    /// Checkpoints in CONNECT that were passed over: unknown, malformed, or of another journal.
    var ignoredCheckpoints: UInt64 = 0
    /// Heads that were signed up to this time may contradict the log: somebody has answered for it.
    var answeredFor: Timestamp
    /// The newest signed head of the journal as the wire shows it: every answer that leaves is covered by it.
    var wireHead: WireHead?
    /// Receipts whose proofs are being read, by subscriber: later ones wait behind them, so that order is kept.
    var provings: [SubscriberID: Int] = [:]
    /// Whether an order to the store is being carried out.
    var isMaintained = false
    weak var administration: (any Administering)?

    private var nextSubscriber: UInt64 = 1
    private var nextTicket: UInt64 = 1
    private(set) var durableSequence: UInt64
    private var waiting: Deque<Waiting> = []
    private var gathered: [[UInt8]] = []
    private var gatheredChanges: [Change] = []
    private var gatheredEvents: [Event] = []
    private var gatheredBytes = 0
    private var gatheredSpace: SpaceGrant?
    private var isTurnTaken = false
    private var wake: TimerToken?
    var reads: [NotificationID: [ContentUse]] = [:]
    /// What is being read for a subscriber in a case: later ones of that case wait behind it, so that order is kept.
    var readingCases: [ReadingCase: NotificationID] = [:]
    var isReading = false
    /// Deliveries that an older policy decided.
    var rights = RightsState()
    /// Agreements that end.
    var agreements = AgreementWatch()
    /// Contents whose place is being looked for on disk.
    var soughtContents: Set<NotificationID> = []
    private var lastSegment: UInt64 = 0
    private var sampledAt: Int64?
    private var changes: [Change] = []
    /// Skipped receipts that the log has told of.
    var toldSkippedReceipts = 0

    /// A core over a replayed relay. `journal` is not started yet; call ``start()`` on the loop.
    init(
        loop: EpollLoop, policy: Policy, recovered: Recovered, journal: JournalWriter, clock: RelayClock,
        log: DaemonLog, folding: SecondFold.Options = .init()
    ) {
        self.loop = loop
        self.policy = policy
        self.journal = journal
        self.clock = clock
        self.log = log
        collaboration = policy.collaboration
        decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        relay = recovered.relay
        lastEventAtStart = recovered.lastEventAt
        contents = recovered.contents
        durableSequence = recovered.relay.sequence
        reader = journal.makeReader()
        answeredFor = Timestamp(milliseconds: journal.answeredMilliseconds)
        let secondFold = SecondFold(
            collaboration: policy.collaboration, journal: journal, log: log, options: folding,
            beside: SecondFold.Live(recovered, clock))
        self.secondFold = secondFold
        history = HistoryReader(journal.access, times: { secondFold.times })
        sweeper = HistoryReader(journal.access, times: { [] })
        wireHead = journal.archive.latest.map { WireHead($0) }
        dispatch.restore(from: recovered.relay)
    }

    /// Starts the journal's writer and records the policy that is in force.
    func start() {
        journal.start(
            onCommit: { [self] report in
                onLoop { $0.committed(report) }
            },
            onFailure: { [log] error in
                log.write(.journalFailed("\(error)"))
                ExitStatus.inputOutput.leaveAtOnce()
            })
        secondFold.start { [weak self] count in self?.onLoop { $0.noteDropped(segments: count) } }
        if relay.activePolicy != policy.digest { record(policy: policy, by: nil) }
        recordClock()
        recordWhatTheStartFound()
        awaitRetention()
        beginReview()
        watchAgreements()
    }

    // MARK: Deciding and writing

    /// Decides `command`, applies what follows and hands it to the journal. The answer says nothing about the disk yet.
    ///
    /// - Returns: `nil` when there is no space, and then nothing was decided.
    func perform(
        _ command: RelayCommand, urgency: CommitUrgency = .now, answers: (RelayAnswer) -> [PendingAnswer],
        completion: Completion? = nil
    ) -> RelayAnswer? {
        let verdict = relay.decide(command, at: clock.now, random: &random)
        let waiting = Waiting(ticket: 0, answers: answers(verdict.answer), completion: completion)
        return append(verdict.events, texts: [], grant: nil, urgency: urgency, then: waiting) ? verdict.answer : nil
    }

    /// Applies `events` and appends them in one batch with `texts`.
    ///
    /// - Parameter grant: space granted before the decision, or `nil` to ask for it now from the reserve for progress.
    /// - Returns: `false` when there is no space; then nothing was applied, and the grant is released.
    func append(
        _ events: [Event], texts: [SealedText], grant: SpaceGrant?, urgency: CommitUrgency, then following: Waiting
    ) -> Bool {
        guard !events.isEmpty else {
            if let grant { journal.release(grant) }
            enqueue(following)
            return true
        }
        gather()
        let records = events.map { EventCodec.encode($0) }
        guard let request = try? AppendRequest(records: records, texts: texts) else {
            if let grant { journal.release(grant) }
            return false
        }
        guard let space = space(for: request, granted: grant) else { return false }
        changes.removeAll(keepingCapacity: true)
        for event in events { relay.apply(event, into: &changes) }
        retention.touched?.take(events)
        let ticket = takeTicket()
        journal.append(request, ticket: ticket, grant: space, urgency: urgency)
        waiting.append(
            Waiting(
                ticket: ticket, changes: changes, events: watchers.isEmpty ? [] : events, answers: following.answers,
                completion: following.completion))
        return true
    }

    private func space(for request: AppendRequest, granted: SpaceGrant?) -> SpaceGrant? {
        if let granted {
            if granted.bytes >= request.footprint { return granted }
            journal.release(granted)
            return journal.reserve(.notification, bytes: request.footprint)
        }
        return journal.reserve(.progress, bytes: request.footprint)
    }

    private func takeTicket() -> UInt64 {
        defer { nextTicket += 1 }
        return nextTicket
    }

    /// Something without events of its own: it leaves when everything that is under way has left.
    func enqueue(_ following: Waiting) {
        guard !following.answers.isEmpty || following.completion != nil else { return }
        gather()
        if let last = waiting.last {
            waiting.append(
                Waiting(ticket: last.ticket, answers: following.answers, completion: following.completion))
        } else {
            finish(following)
        }
    }

    /// Decides a station's ACK or NACK, applies it at once and lets its records ride with the next batch.
    func gather(_ command: RelayCommand) -> Gathering {
        let events = relay.decide(command, at: clock.now, random: &random).events
        guard !events.isEmpty else { return .nothing }
        let records = events.map { EventCodec.encode($0) }
        if gathered.count + records.count > JournalLimits.maxRecordsPerRequest { gather() }
        guard growGatheredSpace(by: records) else { return .noSpace }
        changes.removeAll(keepingCapacity: true)
        for event in events { relay.apply(event, into: &changes) }
        retention.touched?.take(events)
        gathered.append(contentsOf: records)
        gatheredChanges.append(contentsOf: changes)
        if !watchers.isEmpty { gatheredEvents.append(contentsOf: events) }
        pumpSoon()
        return .gathered
    }

    /// Space for what is gathered is granted before it is applied, as for everything else.
    private func growGatheredSpace(by records: [[UInt8]]) -> Bool {
        gatheredBytes += records.reduce(0) { $0 + $1.count }
        let needed = AppendRequest.footprint(
            recordBytes: gatheredBytes, recordCount: gathered.count + records.count, textBytes: [])
        let more = needed - (gatheredSpace?.bytes ?? 0)
        guard more > 0 else { return true }
        // A few records more than asked for, so that not every one of them has to ask.
        guard let bigger = journal.reserve(.progress, bytes: needed * 2) ?? journal.reserve(.progress, bytes: needed)
        else {
            gatheredBytes -= records.reduce(0) { $0 + $1.count }
            return false
        }
        if let old = gatheredSpace { journal.release(old) }
        gatheredSpace = bigger
        return true
    }

    /// Hands gathered records to the journal: order of application is order on disk.
    func gather(urgency: CommitUrgency = .within(RelayCore.acknowledgementDelay)) {
        guard !gathered.isEmpty, let space = gatheredSpace else { return }
        guard let request = try? AppendRequest(records: gathered) else {
            preconditionFailure("gathered records are kept within the limits of one request")
        }
        let ticket = takeTicket()
        journal.append(request, ticket: ticket, grant: space, urgency: urgency)
        waiting.append(Waiting(ticket: ticket, changes: gatheredChanges, events: gatheredEvents))
        gathered.removeAll(keepingCapacity: true)
        gatheredChanges.removeAll(keepingCapacity: true)
        gatheredEvents.removeAll(keepingCapacity: true)
        gatheredSpace = nil
        gatheredBytes = 0
    }

    // MARK: After the disk

    private func committed(_ report: CommitReport) {
        for text in report.texts {
            if let id = text.id.notification { contents.stored(id, at: text.location) }
        }
        contents.patrol(ContentStore.patrolPerText * (report.texts.count + 1), against: relay)
        durableSequence = report.firstRecord + UInt64(report.recordCount) - 1
        noteSegment(report.segment)
        wireHead = WireHead(report.signedHead)
        while let first = waiting.first, first.ticket <= report.lastTicket {
            waiting.removeFirst()
            finish(first)
        }
        pumpSoon()
    }

    /// When a segment was closed, the second fold may read it, and now and then gets a sample of the state to compare with.
    private func noteSegment(_ segment: UInt64) {
        guard segment > lastSegment else { return }
        if lastSegment > 0 {
            secondFold.closed(through: segment - 1)
            let now = MonotonicTime.milliseconds
            if now - (sampledAt ?? .min / 2) >= SecondFold.sampleMilliseconds, let sample = relay.sample() {
                sampledAt = now
                secondFold.compare(with: FoldSample(sequence: sample.sequence, digest: sample.digest))
            }
        }
        lastSegment = segment
    }

    private func finish(_ done: Waiting) {
        for pending in done.answers { answer(signed(pending)) }
        for change in done.changes {
            dispatch.handle(change)
            receiptDesk.handle(change)
            if case .setAside(let delivery) = change { noteSetAside(delivery) }
        }
        if !done.events.isEmpty { tellWatchers(of: done.events, done.changes) }
        switch done.completion {
        case .show(let delivery, let context): show(delivery, context)
        case .reply(let context, let bytes): deliverReply(context, bytes)
        case .list(let desk, let subscriber): sendList(of: desk, to: subscriber)
        case .then(let work): work(self)
        case nil: break
        }
    }

    private func noteSetAside(_ delivery: DeliveryID) {
        guard let facts = relay.delivery(delivery) else { return }
        log.write(.setAside(delivery: delivery.text, desk: facts.desk))
    }

    /// Answers one frame of one client, if that is still there.
    func answer(_ pending: PendingAnswer) {
        guard let client = clients[pending.connection] else { return }
        // SAFETY: connections of this core live on its loop.
        client.connection.assumeIsolated { $0.answer(pending.order, pending.answer) }
    }

    // MARK: Handing out

    /// Lets the loop call ``takeTurn()`` once in its next turn.
    func pumpSoon() {
        guard !isTurnTaken else { return }
        isTurnTaken = true
        loop.takeTurn(self)
    }

    nonisolated func takeTurn() {
        // SAFETY: the loop calls its participants on its own thread, which is this actor's executor.
        assumeIsolated {
            $0.isTurnTaken = false
            $0.gather()
            $0.pump()
        }
    }

    private func pump() {
        let now = clock.now
        // Nothing leaves until somebody has answered for the log that a client contradicts.
        guard checkpointStop == nil else { return setWake(after: now) }
        let sendings = dispatch.next(at: now, limit: Self.sendingsPerTurn)
        for sending in sendings { send(sending) }
        let receipts = receiptDesk.next(relay: relay, durable: durableSequence, limit: Self.sendingsPerTurn)
        for receipt in receipts { send(receipt) }
        noteSkippedReceipts()
        goOnReviewing()
        startReceiptReads()
        startReads()
        if sendings.count == Self.sendingsPerTurn || receipts.count == Self.sendingsPerTurn { pumpSoon() }
        setWake(after: now)
    }

    private func setWake(after now: Timestamp) {
        if let wake { loop.cancel(wake) }
        wake = nil
        let own = [retention.nextDue(at: now), agreements.due, rights.due]
        let times = own + [dispatch.nextWake(after: now), nextTrim(at: now)]
        guard let due = times.compactMap(\.self).min(), let wait = clock.milliseconds(until: due) else { return }
        wake = loop.schedule(after: .milliseconds(max(1, wait))) { [weak self] in
            // SAFETY: timers run on the loop's thread, which is this actor's executor.
            self?.assumeIsolated {
                $0.doWhatIsDue()
                $0.pump()
            }
        }
    }

    /// Decides what the relay has to do by the clock.
    func doWhatIsDue() {
        trimWhatIsDue()
        retainWhatIsDue()
        tellOfAgreements()
        reviewWhatIsDue()
    }

    // MARK: Subscribers

    /// A number for a new subscription, never used twice.
    func takeSubscriber(_ connection: ConnectionID, _ key: SubscriptionKey) -> SubscriberID {
        let subscriber = SubscriberID(rawValue: nextSubscriber)
        nextSubscriber += 1
        subscribers[subscriber] = (connection, key)
        return subscriber
    }

    /// Whether everything that was decided is on disk and answered.
    var isIdle: Bool { waiting.isEmpty && gathered.isEmpty }

    /// Everything that waits goes to disk now.
    func flush() {
        gather(urgency: .now)
        journal.flush()
    }
}
