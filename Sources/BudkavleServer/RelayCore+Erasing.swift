import CaseNotifications
import Foundation
import Journal
import Relay
import STOMP

/// What an erasure is about, as the records say it.
struct ErasureFinds: Sendable {
    let target: ErasureTarget
    /// In order of acceptance.
    private(set) var notifications: [NotificationID] = []
    /// Everything under which a text of them is sealed.
    private(set) var slots: Set<UInt64> = []
    /// Records up to this one have been looked at.
    private(set) var through: UInt64 = 0
    /// What is accepted from now on is no part of it, unless it shares a slot with what is.
    var isClosed = false
    private var known: Set<NotificationID> = []

    init(_ target: ErasureTarget) { self.target = target }

    /// Looks at the records that have come since. Blocks; not on a loop.
    ///
    /// A record that is lost or unknown is passed over: what it names cannot be found by its means.
    mutating func look(_ access: JournalAccess, through last: UInt64) throws(JournalError) {
        guard through < last else { return }
        var found = self
        try RecordReader(access).scan(from: through + 1, through: last) { _, bytes in
            if let event = try? EventCodec.decode(bytes) { found.look(at: event.body) }
            return true
        }
        found.through = last
        self = found
    }

    /// Takes in one event.
    mutating func look(at body: EventBody) {
        switch body {
        case .accepted(let accepted):
            switch target {
            case .subject(let subject):
                guard accepted.subject == subject, !isClosed || slots.contains(accepted.caseSlot) else { return }
                slots.insert(accepted.caseSlot)
            case .notification(let id):
                guard accepted.notification == id else { return }
            }
            slots.insert(accepted.notificationSlot)
            if known.insert(accepted.notification).inserted { notifications.append(accepted.notification) }
        case .acknowledged(let delivery, _, _, let noteSlot):
            if let noteSlot, known.contains(delivery.notification) { slots.insert(noteSlot) }
        default: break
        }
    }
}

extension RelayCore {
    /// Erases: finds the slots, withdraws what waits, destroys the keys, and answers when they are gone from this disk.
    ///
    /// The event comes before the keys go, so that nothing new is sealed under them and nobody is promised what cannot be
    /// read. A crash in between leaves an event without its deed: whoever gave the order had no answer and gives it again.
    func erase(_ target: ErasureTarget, _ reason: StatedReason, by actor: Actor, _ done: @escaping StoreDone) {
        find(ErasureFinds(target), done) { core, finds in
            guard !finds.notifications.isEmpty else {
                return done(core, .failure(StoreRefusal(.unknown, "nothing of this id has content in this journal")))
            }
            guard core.withdraw(finds.notifications[...], reason, by: actor) else {
                return done(core, .failure(.unavailable))
            }
            core.whenDurable { core in
                // What was accepted or noted while the first look went on.
                let known = finds.notifications.count
                var rest = finds
                rest.isClosed = true
                core.find(rest, done) { core, finds in
                    guard core.withdraw(finds.notifications[known...], nil, by: actor) else {
                        return done(core, .failure(.unavailable))
                    }
                    core.destroy(finds, done)
                }
            }
        }
    }

    /// Reads records on a thread of its own; `then` comes back on the loop.
    private func find(
        _ finds: ErasureFinds, _ done: @escaping StoreDone,
        then: @escaping @Sendable (isolated RelayCore, ErasureFinds) -> Void
    ) {
        let (access, last) = (journal.access, durableSequence)
        Thread.detachNewThread { [self] in
            var found = finds
            do throws(JournalError) {
                try found.look(access, through: last)
                let result = found
                onLoop { then($0, result) }
            } catch {
                let refusal = StoreRefusal(error)
                onLoop { done($0, .failure(refusal)) }
            }
        }
    }

    /// Records the erasure, with its reason sealed beside it, and forgets what is at hand of the content.
    ///
    /// - Returns: false when there is no space; then nothing was decided.
    private func withdraw(
        _ notifications: ArraySlice<NotificationID>, _ reason: StatedReason?, by actor: Actor
    ) -> Bool {
        guard !notifications.isEmpty else { return true }
        var text: SealedText?
        if let reason {
            guard let sealed = seal(reason) else { return false }
            text = sealed
        }
        var rest = notifications
        while !rest.isEmpty {
            let part = rest.prefix(Maintenance.notificationLimit)
            rest = rest.dropFirst(part.count)
            let note = MaintenanceNote(
                kind: .erased, by: .client(actor.client), count: UInt64(part.count), notifications: Array(part))
            guard append(note, reason: text) else { return false }
            text = nil
        }
        for id in notifications { contents.drop(id) }
        return true
    }

    private func destroy(_ finds: ErasureFinds, _ done: @escaping StoreDone) {
        journal.erase(finds.slots.sorted().map { SlotID(rawValue: $0) }) { [self] result in
            onLoop { core in
                switch result {
                case .failure(let error): done(core, .failure(StoreRefusal(error)))
                case .success(let erasure):
                    for id in finds.notifications { core.contents.drop(id) }
                    core.log.write(
                        .erased(notifications: finds.notifications.count, slots: erasure.slots))
                    if let refusal = StoreRefusal(remainderOf: erasure) { return done(core, .failure(refusal)) }
                    done(core, .success(StoreAnswers.erasure(erasure, finds, at: core.clock.now)))
                }
            }
        }
    }
}

extension StoreRefusal {
    /// What to do about an erasure that could not reach everything; nil for a whole one.
    ///
    /// It is no success: whoever erases because the law says so must not read "done". What was destroyed is, and the event
    /// of it is written; the same order reaches the rest when it can be read.
    init?(remainderOf erasure: Erasure) {
        guard let first = erasure.unreadable.first else { return nil }
        let name = first.path.split(separator: "/").last.map(String.init) ?? first.path
        let more = erasure.unreadable.count - 1
        let slabs = more == 0 ? name : "\(name) and \(more) more"
        let left = erasure.unreadable.reduce(0) { $0 + $1.slots }
        // On the wire a message has 120 characters.
        self.init(
            .damaged,
            "\(slabs) unreadable, \(left) slots stay, \(erasure.slots) went; put it back from a key backup, then repeat"
        )
    }
}
