import CaseNotifications
import Journal
import Relay
import STOMP
import TestSupport

/// A case that is being erased, as the daemon's `ErasureFinds` has it: one look at the records, an event that says what goes,
/// another look for what has come meanwhile and shares a key, and then the keys.
struct CaseErasure {
    enum Step {
        case first, withdraw, again, destroy, done
    }

    let subject: CaseID
    var step = Step.first
    /// What was found and is not withdrawn yet.
    var found: [NotificationID] = []
    var withdrawn: [NotificationID] = []
    var slots: Set<UInt64> = []
    private var through: UInt64 = 0

    init(_ subject: CaseID) { self.subject = subject }

    mutating func look(_ access: JournalAccess, through last: UInt64) throws(JournalError) {
        let isClosed = step == .again
        guard through < last else { return }
        var (next, slots) = (found, slots)
        try RecordReader(access).scan(from: through + 1, through: last) { _, bytes in
            guard case .accepted(let accepted)? = (try? EventCodec.decode(bytes))?.body, accepted.subject == subject,
                !isClosed || slots.contains(accepted.caseSlot)
            else { return true }
            slots.formUnion([accepted.caseSlot, accepted.notificationSlot])
            next.append(accepted.notification)
            return true
        }
        (found, self.slots, through) = (next, slots, last)
    }
}

/// Erasing, by order and by time.
extension SimulatedNode {
    /// Erases one notification: first the record that says so, then its key slot.
    ///
    /// - Returns: whether its keys are gone.
    mutating func erase(_ id: NotificationID, at now: SessionInstant, time: Timestamp) throws(NodeStopped) -> Bool {
        guard let slot = slots[id] else { return false }
        try run(.maintain(MaintenanceNote(kind: .erased, count: 1, notifications: [id])), time)
        try commit(at: now, time: time)
        slots[id] = nil
        return try destroy([slot])
    }

    /// Something that can be erased.
    func erasable(_ random: inout SeededGenerator) -> NotificationID? {
        slots.keys.sorted { ($0.high, $0.low) < ($1.high, $1.low) }.randomElement(using: &random)
    }

    /// Something that waits for a slow reader.
    var firstHeld: NotificationID? {
        for number in connections.keys.sorted() {
            if let held = connections[number]?.held.last { return held.sending.ticket.delivery.notification }
        }
        return nil
    }

    /// The next step of the erasure of a case; other things happen between two.
    ///
    /// - Parameter withdrawn: what goes; set before anything is done.
    mutating func goOnErasing(
        _ subject: CaseID, at now: SessionInstant, time: Timestamp, withdrawn: inout [NotificationID]
    ) throws(NodeStopped) {
        var erasure = erasure ?? CaseErasure(subject)
        switch erasure.step {
        case .first, .again:
            do throws(JournalError) {
                try erasure.look(core.access, through: durable)
            } catch { throw NodeStopped(error) }
            let isFirst = erasure.step == .first
            erasure.step = isFirst ? (erasure.found.isEmpty ? .done : .withdraw) : .destroy
        case .withdraw:
            withdrawn = erasure.found
            try withdraw(&erasure, time)
            try commit(at: now, time: time)
            erasure.step = .again
        case .destroy:
            if flaw != .erasesUnsaid {
                withdrawn = erasure.found
                try withdraw(&erasure, time)
            }
            try commit(at: now, time: time)
            if try destroy(erasure.slots.sorted()) { erasure.step = .done }
        case .done: break
        }
        self.erasure = erasure
    }

    private mutating func withdraw(_ erasure: inout CaseErasure, _ time: Timestamp) throws(NodeStopped) {
        let ids = erasure.found
        erasure.found = []
        erasure.withdrawn += ids
        guard !ids.isEmpty else { return }
        for id in ids { slots[id] = nil }
        let note = MaintenanceNote(kind: .erased, count: UInt64(ids.count), notifications: ids)
        try run(.maintain(note), time)
    }

    /// Destroys slots. False without space, or where a slab has rotted: then the record stands, and they go when it is tried again.
    private mutating func destroy(_ slots: [UInt64]) throws(NodeStopped) -> Bool {
        guard flaw != .keepsErasedKeys else { return true }
        do throws(JournalError) {
            return try core.erase(slots: slots.map { SlotID(rawValue: $0) }).unreadable.isEmpty
        } catch {
            if case .noRoom = error { return false }
            throw NodeStopped(error)
        }
    }

    // MARK: Time

    /// The time by which content may be judged, as the daemon's `RetentionState` has it: the clock's, or where that is too far
    /// ahead of what was certain at the start and the time since, only these.
    func credible(_ time: Timestamp, _ now: SessionInstant) -> Timestamp {
        let certain = anchor.time.milliseconds + (now.milliseconds - anchor.monotonic)
        let isAhead = time.milliseconds - certain > SimulatedTraits.jumpLimitMilliseconds
        return isAhead && flaw != .trustsClock ? Timestamp(milliseconds: certain) : time
    }

    /// Destroys content of finished notifications that is past its time, as the daemon's sweep does: only what nobody waits for.
    ///
    /// - Parameter retired: what goes; set before anything is done.
    mutating func retain(
        at now: SessionInstant, time: Timestamp, retired: inout [NotificationID]
    ) throws(NodeStopped) {
        try commit(at: now, time: time)
        let end = credible(time, now).advanced(bySeconds: -SimulatedTraits.retentionSeconds)
        var lastActs: [NotificationID: Timestamp] = [:]
        let reader = RecordReader(core.access)
        do throws(JournalError) {
            try reader.scan(from: 1, through: durable) { _, bytes in
                guard let event = try? EventCodec.decode(bytes) else { return true }
                switch event.body {
                case .accepted(let accepted): lastActs[accepted.notification] = event.at
                case .opened, .maintenance: break
                default: for id in event.body.notifications { lastActs[id] = lastActs[id].map { max($0, event.at) } }
                }
                return true
            }
        } catch { throw NodeStopped(error) }
        let due = lastActs.filter { id, lastAct in
            guard lastAct < end, let slot = slots[id], isFinished(id) else { return false }
            return (try? reader.isLiving(SlotID(rawValue: slot))) == true
        }.keys.sorted().prefix(64)
        guard !due.isEmpty else { return }
        retired = Array(due)
        let gone = due.compactMap { slots.removeValue(forKey: $0) }
        try run(.maintain(MaintenanceNote(kind: .erased, count: UInt64(due.count), notifications: Array(due))), time)
        try commit(at: now, time: time)
        _ = try destroy(gone)
    }

    /// What is not in memory is finished, where nothing is lost.
    private func isFinished(_ id: NotificationID) -> Bool {
        guard let content = relay.contentState(of: id) else { return relay.lostRecords == 0 }
        return content != .erased
            && relay.deliveries(of: id).allSatisfy {
                $0.acknowledgeBy == nil && ($0.transport == .custody || $0.transport == .withdrawn)
            }
    }

    // MARK: What is left

    /// Connections on which a notification may still be under way.
    func connectionsHolding(_ id: NotificationID) -> Set<Int> {
        Set(
            connections.filter { _, connection in
                connection.tags.values.contains { entry in
                    if case .delivery(let delivery) = entry.tagged { delivery.notification == id } else { false }
                }
            }.keys)
    }

    /// Whether content can be opened that is to be gone for good.
    func opens(_ id: NotificationID) -> Bool {
        guard let location = texts[id] else { return false }
        return (try? core.read(TextID(high: id.high, low: id.low), at: location)) != nil
    }

    // MARK: The end

    static let draining = SessionRefusal(
        code: "draining", message: "the relay is stopping, connect again",
        details: "Frames without a RECEIPT were not accepted. Send them again with the same id.")

    /// The end as on SIGTERM: sessions end behind their answers, what was decided is written and answered, and the watermark
    /// says how far the journal goes.
    mutating func end(at now: SessionInstant, time: Timestamp) throws {
        for number in connections.keys.sorted() where connections[number]?.isClosed == false {
            let effects = connections[number]?.session.end(with: Self.draining, at: now) ?? []
            try handle(effects, on: number, now, time)
        }
        // What is due is decided behind a commit, and written with the next.
        while flaw != .endsAtOnce, !queue.isEmpty || !held.isEmpty { try commit(at: now, time: time) }
        guard held.isEmpty, queue.isEmpty else {
            throw SimulatedFold.Mistake(description: "a clean end left something unwritten or unanswered")
        }
        for number in connections.keys.sorted() { close(number) }
        if flaw == .endsWithoutMark { return core.close() }
        do throws(JournalError) { try core.finish() } catch { throw NodeStopped(error) }
    }

    /// Gives receipts the records that they were said to wait for.
    mutating func supplyRecords() throws(NodeStopped) {
        guard !wantedRecords.isEmpty else { return }
        do throws(JournalError) {
            let reader = RecordReader(core.access)
            for record in wantedRecords {
                let bytes = flaw == .forgetsHistory ? nil : try reader.record(record)
                receiptDesk.supply(record: record, bytes.flatMap { try? EventCodec.decode($0) })
                count("history read")
            }
        } catch { throw NodeStopped(error) }
        wantedRecords = []
    }
}
