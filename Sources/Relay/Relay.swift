package import CaseNotifications

/// What `decide` may choose. It is no part of the fold: events carry what was chosen.
package struct RelaySettings: Sendable, Equatable {
    /// Returns after which a delivery is set aside, 1...200.
    package var attempts: Int
    /// Seconds until the first redelivery; each further one waits twice as long.
    package var firstBackoffSeconds: Int64
    /// The longest wait.
    package var lastBackoffSeconds: Int64

    /// Settings. What is out of range is moved to its nearest end.
    package init(attempts: Int = 8, firstBackoffSeconds: Int64 = 1, lastBackoffSeconds: Int64 = 300) {
        self.attempts = min(max(attempts, 1), 200)
        self.firstBackoffSeconds = min(max(firstBackoffSeconds, 0), 86_400)
        self.lastBackoffSeconds = min(max(lastBackoffSeconds, self.firstBackoffSeconds), 86_400)
    }

    /// Eight attempts, from one second to five minutes apart.
    package static let standard = RelaySettings()

    /// How long the delivery waits after its `returns`th return.
    func backoffSeconds(returns: Int) -> Int64 {
        let doublings = min(max(returns - 1, 0), 20)
        return min(firstBackoffSeconds << Int64(doublings), lastBackoffSeconds)
    }
}

/// One collaboration's deliveries, receipts and people's answers: a value that is the fold of its events.
///
/// `decide` looks and says what should happen, `apply` makes it so; nothing applied is taken back. The number of events
/// applied is the record number of the last one in the journal, and `<collaboration>.<record number>` is its position.
///
/// In memory: what is open, and the ``finishedLimit`` notifications that were finished last (128 B per notification, 64 B
/// per delivery, 32 B per receipt, each plus its share of a table); receipts that somebody still has to read (36 B); and
/// at most 48 B per submission of the last 30 days. All other history is on disk. When rows leave is part of the fold. All
/// tables grow by small chunks. Names are held once and meant by their number.
package struct Relay: Sendable {
    /// How long a submission is known, and how old the `time` of a new one may be.
    package static let duplicateSeconds: Int64 = 30 * 86_400
    /// How far ahead the `time` of a new submission may be: an hour, as with the wrong summer time.
    package static let clockToleranceSeconds: Int64 = 3_600
    /// How long a receipt waits for a first reader.
    package static let receiptSeconds: Int64 = 90 * 86_400
    /// How long after the acceptance a receipt is late: what it is made from may be gone from disk, and then it is made from
    /// memory alone. Segments stay for 90 days at least; within them every fold has come to know of earlier receipts.
    package static let lateReceiptSeconds: Int64 = 60 * 86_400
    /// Receipts per party that one `.trimmed` drops at most.
    package static let trimLimit = 256
    /// Finished notifications that stay in memory: those that were finished last, and in place of some of them those with a
    /// late receipt that nobody has read.
    package static let finishedLimit = 4_096
    /// The most parties that one notification goes to, and the most that are reported as refused.
    package static let partyLimit = 256
    /// The most events of one transaction: what one request to the journal may hold.
    package static let transactionEventLimit = 1_024
    /// The longest role, municipality or verb, in bytes.
    package static let textLimitBytes = Names.textLimitBytes

    /// The collaboration that positions are named after.
    package let collaboration: CollaborationID
    let settings: RelaySettings
    let finishedLimit: Int
    /// The record number of the last event applied; 0 before the first.
    package internal(set) var sequence: UInt64 = 0
    /// The policy that was activated last.
    package internal(set) var activePolicy: Digest?
    /// What the last clock record says; nil without a simulated clock.
    package internal(set) var simulatedNow: Timestamp?
    /// Whether the last record about it says that new notifications are stored.
    package internal(set) var isAvailable = true

    /// Records that were lost or did not fit: `skip` was told of them.
    package internal(set) var lostRecords: UInt64 = 0
    /// How many lost records `.maintenance(.lost)` events have told of.
    var reportedLost: UInt64 = 0
    /// Random bytes of the first event: what keeps submission keys from being guessed.
    var salt: LeafRandom?

    var names = Names()
    var known = KnownSubmissions()
    var index = ChunkedTable<NotificationID, UInt32>()
    var cases = ChunkedTable<CaseID, CaseRow>()
    var notifications = ChunkedRows<NotificationRow>()
    var deliveries = ChunkedRows<DeliveryRow>()
    var acts = ChunkedRows<ActRow>()
    var receiptRows = ChunkedRows<ReceiptRow>()
    /// Sender's ids that `InlineText` has no room for, by notification row.
    var longIDs: [UInt32: String] = [:]
    var desks: [NameNumber: DeskRow] = [:]
    var boxes: [NameNumber: ReceiptBox] = [:]
    /// Rows with nothing open in the order in which they came to that; one that is open again is passed over.
    var finished = ChunkedQueue<UInt32>()
    /// Whether any notification has left memory.
    package internal(set) var hasReleased = false
    var openDeliveries = 0
    var protectedOpen = 0

    /// An empty relay.
    ///
    /// - Parameter finishedLimit: part of the fold, so the same for all that read one journal.
    package init(
        collaboration: CollaborationID, settings: RelaySettings = .standard, finishedLimit: Int = Relay.finishedLimit
    ) {
        self.collaboration = collaboration
        self.settings = settings
        self.finishedLimit = finishedLimit
    }

    /// The position of a record: `<collaboration>.<sequence>`.
    package func position(_ sequence: UInt64) -> String { "\(collaboration.text).\(sequence)" }

    /// What the relay knows about a submission.
    package enum Known: Equatable, Sendable {
        /// The same body was accepted: the stored answer.
        case same(NotificationID, sequence: UInt64)
        /// Another body was accepted under this id.
        case other
    }

    /// Whether this was submitted before; ask before routing.
    package func known(source: PartyID, id: String, digest: Digest) -> Known? {
        guard let row = knownRow(source: source, id: id) else { return nil }
        return row.has(digest) ? .same(row.notification, sequence: row.sequence) : .other
    }

    /// The relay's id of what `source` submitted under its own id, and the record of its acceptance, as long as
    /// duplicates are known.
    package func record(source: PartyID, id: String) -> (notification: NotificationID, sequence: UInt64)? {
        knownRow(source: source, id: id).map { ($0.notification, $0.sequence) }
    }

    private func knownRow(source: PartyID, id: String) -> KnownRow? {
        guard let salt else { return nil }
        return known[SubmissionKey(source: source, id: id, salt: salt)]
    }

    /// The slot of a case's keys, if a notification of it is in memory and they were not erased.
    package func caseSlot(of subject: CaseID) -> UInt64? { cases[subject]?.slot }

    /// How many lost records no `.maintenance(.lost)` event has told of yet.
    package var unreportedLost: UInt64 { lostRecords - min(reportedLost, lostRecords) }

    /// The next time at which `due` has something.
    package var nextDue: Timestamp? {
        var next: Timestamp?
        func consider(_ time: Timestamp?) {
            if let time { next = min(next ?? time, time) }
        }
        consider(known.nextForgetting)
        for box in boxes.values {
            // The oldest row of a box is never an empty one.
            consider(box.rows.first.map { receiptRows[$0].at.advanced(bySeconds: Self.receiptSeconds) })
        }
        return next
    }

    /// What has to be done now without anybody asking.
    package func due(at now: Timestamp) -> [Command] {
        guard let nextDue, nextDue <= now else { return [] }
        return [.trim]
    }

    func sourceID(of row: UInt32) -> String { longIDs[row] ?? notifications[row].sourceID.text }

    func acceptedAt(_ row: UInt32) -> Timestamp { notifications[row].id.time }

    func deliveryID(_ row: UInt32) -> DeliveryID {
        DeliveryID(notification: notifications[deliveries[row].notification].id, ordinal: deliveries[row].ordinal)
    }

    /// The row of a delivery, or nil if the relay does not know it.
    func row(of delivery: DeliveryID) -> UInt32? {
        guard let notification = index[delivery.notification] else { return nil }
        var row = notifications[notification].firstDelivery
        while row != .none {
            if deliveries[row].ordinal == delivery.ordinal { return row }
            row = deliveries[row].nextOfNotification
        }
        return nil
    }

    /// The rows of a notification's deliveries in the order of their ordinals.
    func deliveryRows(of notification: NotificationID) -> [UInt32] {
        guard let number = index[notification] else { return [] }
        var rows: [UInt32] = []
        var row = notifications[number].firstDelivery
        while row != .none {
            rows.append(row)
            row = deliveries[row].nextOfNotification
        }
        return rows
    }
}
