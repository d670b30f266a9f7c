import CaseNotifications
import Journal
import Relay
import Routing

extension RetentionSettings {
    /// What was written later than this cannot be past its time, whatever became of it.
    func horizon(at now: Timestamp) -> Timestamp { now.advanced(bySeconds: -shortestSeconds) }
}

extension ContentTimes {
    /// Whether the content of a notification with nothing open, finished by an act of that time, is past its time.
    func isPast(finished lastAct: Timestamp, at now: Timestamp) -> Bool {
        lastAct.advanced(bySeconds: afterAcknowledgement) < now
    }

    /// Whether the content of a notification that somebody still has to deal with is past its time.
    ///
    /// - Parameter deadline: the last time by which somebody has to acknowledge it; nil for none.
    func isPast(open id: NotificationID, deadline: Timestamp?, at now: Timestamp) -> Bool {
        max(id.time, deadline ?? id.time).advanced(bySeconds: unacknowledged) < now
    }
}

/// What one look through the journal found of content that may be past its time.
///
/// A look begins with the first record that may name such content and goes on to the last record on disk, since any later one
/// may be the act that counts. It holds at most so many notifications; of what comes behind them it only notes where it begins,
/// and the next look of the sweep goes on there. Slots that were destroyed are passed over: what is done is known by the keys
/// alone, in any order of crashes.
struct RetentionLook: Sendable {
    /// Notifications that one look holds, some 150 bytes each.
    static let heldLimit = 65_536

    /// Texts of one notification that are still there.
    struct Texts: Sendable, Equatable {
        /// The first record that names one of them.
        let record: UInt64
        /// What was sent; nil where only a note is still there.
        let type: NameNumber?
        /// The last act that may have finished the notification. Opening is none.
        private(set) var lastAct: Timestamp
        fileprivate(set) var slots: [UInt64]

        init(record: UInt64, type: NameNumber?, lastAct: Timestamp, slots: [UInt64]) {
            (self.record, self.type, self.lastAct, self.slots) = (record, type, lastAct, slots)
        }

        /// An act that a clock set back dates before another one does not make the notification older.
        fileprivate mutating func act(at time: Timestamp) { lastAct = max(lastAct, time) }
    }

    /// What was written later is too young.
    let horizon: Timestamp
    private let limit: Int
    private(set) var found: [NotificationID: Texts] = [:]
    /// Where the next look has to begin: nil when nothing was left out.
    private(set) var rest: UInt64?
    /// The first record that names a text and is too young; nil when there is none.
    private(set) var young: UInt64?

    init(horizon: Timestamp, limit: Int = RetentionLook.heldLimit) {
        self.horizon = horizon
        self.limit = limit
    }

    /// Takes in the next record.
    ///
    /// - Parameter isLiving: whether a slot was not destroyed yet. A slot whose slab cannot be read counts as destroyed.
    mutating func take(
        _ event: Event, number: UInt64, isLiving: (UInt64) throws(JournalError) -> Bool
    ) throws(JournalError) {
        switch event.body {
        case .accepted(let accepted):
            try hold(
                accepted.notification, accepted.type, accepted.notificationSlot, event.at, number, isLiving)
        case .acknowledged(let delivery, _, _, let noteSlot):
            found[delivery.notification]?.act(at: event.at)
            if let noteSlot { try hold(delivery.notification, nil, noteSlot, event.at, number, isLiving) }
        // What was read or erased was finished before, or is as open as it was.
        case .opened, .maintenance: break
        default: for id in event.body.notifications { found[id]?.act(at: event.at) }
        }
    }

    private mutating func hold(
        _ id: NotificationID, _ type: NameNumber?, _ slot: UInt64, _ at: Timestamp, _ number: UInt64,
        _ isLiving: (UInt64) throws(JournalError) -> Bool
    ) throws(JournalError) {
        if found[id] != nil {
            if try isLiving(slot) { found[id]?.slots.append(slot) }
            return
        }
        guard at < horizon else {
            if young == nil { young = number }
            return
        }
        guard rest == nil, try isLiving(slot) else { return }
        guard found.count < limit else {
            rest = number
            return
        }
        found[id] = Texts(record: number, type: type, lastAct: at, slots: [slot])
    }
}

extension HistoryReader {
    /// Looks through the records of a range for content that may be past its time.
    func look(
        _ look: RetentionLook, from first: UInt64, through last: UInt64,
        completion: @escaping @Sendable (Result<RetentionLook, HistoryError>) -> Void
    ) {
        ask(completion) { [self] reader throws(JournalError) in
            var found = look
            var fault: JournalError?
            try reader.scan(from: first, through: last) { number, bytes in
                guard !isStopping, let event = try? EventCodec.decode(bytes) else { return !isStopping }
                do throws(JournalError) {
                    try found.take(event, number: number, isLiving: reader.isLiving)
                } catch { fault = error }
                return fault == nil
            }
            if let fault { throw fault }
            return isStopping ? .failure(.busy) : .success(found)
        }
    }
}

extension RecordReader {
    /// Whether a slot was not destroyed yet. May block. What lies in a slab that is damaged is as good as destroyed, and
    /// cannot be destroyed either.
    fileprivate func isLiving(_ slot: UInt64) throws(JournalError) -> Bool {
        do throws(JournalError) {
            return try isLiving(SlotID(rawValue: slot))
        } catch {
            if case .keysDamaged = error { return false }
            throw error
        }
    }
}
