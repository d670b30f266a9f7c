import CaseNotifications
import Glibc
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
/// alone, in any order of crashes. What lies in a slab that cannot be read can be neither judged done nor destroyed: it is held
/// too, so that it goes when the slab is back.
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
        /// Those that can be destroyed.
        fileprivate(set) var slots: [UInt64]
        /// Whether there may be another one in a slab that cannot be read.
        fileprivate(set) var isUnread: Bool

        init(record: UInt64, type: NameNumber?, lastAct: Timestamp, slots: [UInt64], isUnread: Bool = false) {
            (self.record, self.type, self.lastAct, self.slots) = (record, type, lastAct, slots)
            self.isUnread = isUnread
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
    /// The file of a slab that cannot be read; nil when each could be.
    fileprivate(set) var unreadable: String?

    init(horizon: Timestamp, limit: Int = RetentionLook.heldLimit) {
        self.horizon = horizon
        self.limit = limit
    }

    /// Takes in the next record.
    ///
    /// - Parameter isLiving: whether a slot was not destroyed yet; nil when its slab cannot be read.
    mutating func take(
        _ event: Event, number: UInt64, isLiving: (UInt64) throws(JournalError) -> Bool?
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
        _ isLiving: (UInt64) throws(JournalError) -> Bool?
    ) throws(JournalError) {
        if found[id] != nil {
            switch try isLiving(slot) {
            case true?: found[id]?.slots.append(slot)
            case false?: break
            case nil: found[id]?.isUnread = true
            }
            return
        }
        guard at < horizon else {
            if young == nil { young = number }
            return
        }
        guard rest == nil else { return }
        let isLiving = try isLiving(slot)
        guard isLiving != false else { return }
        guard found.count < limit else {
            rest = number
            return
        }
        found[id] = Texts(
            record: number, type: type, lastAct: at, slots: isLiving == nil ? [] : [slot], isUnread: isLiving == nil)
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
            var slots = SlotLook(reader)
            var fault: JournalError?
            try reader.scan(from: first, through: last) { number, bytes in
                guard !isStopping, let event = try? EventCodec.decode(bytes) else { return !isStopping }
                do throws(JournalError) {
                    try found.take(event, number: number) { (slot) throws(JournalError) in try slots.isLiving(slot) }
                } catch { fault = error }
                return fault == nil
            }
            if let fault { throw fault }
            found.unreadable = slots.unreadable
            return isStopping ? .failure(.busy) : .success(found)
        }
    }

    /// Those of the notifications of which a slot is still there after an erasure, or may be, in a slab that cannot be read.
    func remaining(
        of erased: RelayCore.DueTexts,
        completion: @escaping @Sendable (Result<Set<NotificationID>, HistoryError>) -> Void
    ) {
        ask(completion) { reader throws(JournalError) in
            var slots = SlotLook(reader)
            var remaining: Set<NotificationID> = []
            for (id, texts) in erased {
                for slot in texts.slots where try slots.isLiving(slot) != false { remaining.insert(id) }
            }
            return .success(remaining)
        }
    }
}

/// Which slots are still there. A slab that cannot be read is asked for once: on a bad sector that may take seconds.
private struct SlotLook {
    private let reader: RecordReader
    private var slabs: Set<UInt64> = []
    /// The file of the first of them.
    private(set) var unreadable: String?

    init(_ reader: RecordReader) { self.reader = reader }

    /// Whether a slot was not destroyed yet; nil when its slab is damaged, missing or on a bad sector. May block.
    ///
    /// - Throws: `.io` for want of descriptors or memory: that says nothing about a slab.
    mutating func isLiving(_ slot: UInt64) throws(JournalError) -> Bool? {
        let slot = SlotID(rawValue: slot)
        guard !slabs.contains(slot.slab) else { return nil }
        do throws(JournalError) {
            return try reader.isLiving(slot)
        } catch {
            switch error {
            case .io(_, _, EMFILE), .io(_, _, ENFILE), .io(_, _, ENOMEM): throw error
            case .keysDamaged(let path), .readOnly(let path), .io(_, let path, _):
                slabs.insert(slot.slab)
                unreadable = unreadable ?? path
                return nil
            default: throw error
            }
        }
    }
}
