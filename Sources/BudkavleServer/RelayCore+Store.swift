import CaseNotifications
import EventLoop
import Foundation
import Journal
import Relay
import STOMP

/// What an order to the store came to.
typealias StoreOutcome = Result<JSONValue, StoreRefusal>
/// Where the outcome goes: on the core's loop, once.
typealias StoreDone = @Sendable (isolated RelayCore, StoreOutcome) -> Void

extension RelayCore {
    /// `SEND /admin/keys`, `/erase`, `/backup`, `/salvage`: answered when it is done and its record on disk.
    func store(_ verb: AdministrationVerb, _ asked: JSONValue, _ client: ClientState, _ context: QuestionContext) {
        let order: StoreOrder
        do throws(SessionRefusal) {
            order = try StoreOrder.read(verb: verb, asked)
        } catch { return refuse(context, error) }
        carryOut(order, by: client.actor) { core, outcome in
            switch outcome {
            case .success(let answer): core.reply(context, answer)
            case .failure(let refusal): core.refuse(context, refusal.wire)
            }
        }
    }

    /// Does `work` when everything that was decided so far is on disk.
    func whenDurable(_ work: @escaping @Sendable (isolated RelayCore) -> Void) {
        enqueue(Waiting(ticket: 0, completion: .then(work)))
    }

    /// Carries out one order, one at a time; others are refused as busy meanwhile.
    func carryOut(_ order: StoreOrder, by actor: Actor, done: @escaping StoreDone) {
        guard !isMaintained else {
            return done(self, .failure(StoreRefusal(.busy, "another order to the store is under way; ask again later")))
        }
        isMaintained = true
        let finish: StoreDone = { core, outcome in
            core.isMaintained = false
            done(core, outcome)
        }
        switch order {
        case .listKeys:
            maintain({ (journal) throws(JournalError) in try journal.keyReport() }) { core, result in
                finish(core, result.map { StoreAnswers.keys($0, action: "list", at: core.clock.now) })
            }
        case .rotateKeys: rotateKeys(by: actor, finish)
        case .retireKey(let id): retireKey(id, by: actor, finish)
        case .erase(let target, let reason): erase(target, reason, by: actor, finish)
        case .backup(let journal, let keys): backup(journal: journal, keys: keys, by: actor, finish)
        case .salvage(let reason): salvage(reason, by: actor, finish)
        }
    }

    /// Lets the journal do `work` between two batches and goes on with what came of it on the loop.
    func maintain<Value: Sendable>(
        _ work: @escaping @Sendable (inout JournalCore) throws(JournalError) -> Value,
        then: @escaping @Sendable (isolated RelayCore, Result<Value, StoreRefusal>) -> Void
    ) {
        journal.maintain(work) { [self] result in onLoop { then($0, result.mapError { StoreRefusal($0) }) } }
    }

    /// Goes on with `work` on the loop, from any thread.
    nonisolated func onLoop(_ work: @escaping @Sendable (isolated RelayCore) -> Void) {
        loop.execute { [self] in
            // SAFETY: `execute` runs on the loop's thread, which is this actor's executor.
            self.assumeIsolated { work($0) }
        }
    }

    /// Records that something was done to the store. What has no room in the log was done all the same.
    func note(_ kind: Maintenance.Kind, by actor: Actor, what: String? = nil, count: UInt64 = 0) {
        let note = MaintenanceNote(kind: kind, by: .client(actor.client), what: what, count: count)
        _ = perform(.maintain(note), answers: { _ in [] })
    }

    /// A reason as a text under a slot of its own; nil when there is no slot.
    func seal(_ reason: StatedReason) -> SealedText? {
        journal.takeSlot().map { slot in
            SealedText(id: TextID(noteSlot: slot.rawValue), slots: [slot], bytes: Array(reason.sealedText.utf8))
        }
    }

    /// Records what is done to the store, with its reason sealed beside it.
    ///
    /// - Returns: false when there is no space; then nothing was decided.
    func append(_ note: MaintenanceNote, reason: SealedText?) -> Bool {
        var note = note
        note.reasonSlot = reason?.slots.first?.rawValue
        let events = relay.decide(.maintain(note), at: clock.now, random: &random).events
        let texts = reason.map { [$0] } ?? []
        return append(events, texts: texts, grant: nil, urgency: .now, then: Waiting(ticket: 0))
    }

    // MARK: salvage

    /// What stopped the answers is accepted: recorded first, then they go on.
    private func salvage(_ reason: StatedReason, by actor: Actor, _ done: @escaping StoreDone) {
        guard let found = checkpointStop else {
            return done(self, .failure(StoreRefusal(.unknown, "nothing stops the answers: there is nothing to accept")))
        }
        let note = MaintenanceNote(
            kind: .checkpointCleared, by: .client(actor.client), what: found.place.rawValue, count: found.size)
        guard let text = seal(reason), append(note, reason: text) else { return done(self, .failure(.unavailable)) }
        whenDurable { core in
            guard core.clearCheckpointStop(by: actor) else { return done(core, .failure(.unavailable)) }
            // Behind the step that takes the hold away.
            core.maintain({ (_: inout JournalCore) throws(JournalError) in () }) { core, result in
                done(core, result.map { StoreAnswers.cleared(found, at: core.clock.now) })
            }
        }
    }

    // MARK: keys

    private func rotateKeys(by actor: Actor, _ done: @escaping StoreDone) {
        guard let administration else { return done(self, .failure(.unavailable)) }
        administration.readKeysAgain(of: collaboration) { [self] found in
            onLoop { core in
                switch found {
                case .failure(let refusal): done(core, .failure(refusal))
                case .success(let ring):
                    core.maintain({ (journal) throws(JournalError) in try journal.rotateKeys(to: ring) }) {
                        core, result in
                        core.told(result, .rotated, "rotate", by: actor, done)
                    }
                }
            }
        }
    }

    private func retireKey(_ id: String, by actor: Actor, _ done: @escaping StoreDone) {
        maintain({ (journal) throws(JournalError) in try journal.retireMasterKey(id) }) { core, result in
            let told = result.mapError { refusal in
                refusal.code == .keyFile
                    ? StoreRefusal(.unknown, "no such master key is at hand; keys list shows them") : refusal
            }
            core.told(told, .retired, "retire", what: id, by: actor, done)
        }
    }

    private func told(
        _ result: Result<KeyReport, StoreRefusal>, _ kind: Maintenance.Kind, _ action: String, what: String? = nil,
        by actor: Actor, _ done: StoreDone
    ) {
        if case .success(let report) = result {
            let id = what ?? report.active
            log.write(kind == .rotated ? .keysRotated(master: id) : .keyRetired(master: id))
            note(kind, by: actor, what: id)
        }
        done(self, result.map { StoreAnswers.keys($0, action: action, at: clock.now) })
    }

    // MARK: backup

    private func backup(journal path: String?, keys: String?, by actor: Actor, _ done: @escaping StoreDone) {
        // The directory above is made on the way, by a thread that may wait for the disk.
        let targets = [path, keys].compactMap { $0 }
        let live = (journal.access.directory as NSString).deletingLastPathComponent
        Thread.detachNewThread { [self] in
            if let inside = targets.first(where: { Self.lies($0, within: live) }) {
                let what = "\(inside) lies in the data directory of the relay itself; name a directory elsewhere"
                return onLoop { done($0, .failure(StoreRefusal(.directory, what))) }
            }
            for target in targets { mkdir((target as NSString).deletingLastPathComponent, 0o700) }
            onLoop { $0.copy(BackupTargets(journal: path, keys: keys), journal: path, keys: keys, by: actor, done) }
        }
    }

    /// Whether a path leads into a directory, or to it, once links are followed as far as there is something of that name.
    private static func lies(_ path: String, within directory: String) -> Bool {
        func resolved(_ path: String) -> String {
            if let real = realpath(path, nil) {
                defer { free(real) }
                return String(cString: real)
            }
            let (parent, name) = (
                (path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent
            )
            return parent.isEmpty || parent == path ? path : resolved(parent) + "/" + name
        }
        return (resolved(path) + "/").hasPrefix(resolved(directory) + "/")
    }

    private func copy(
        _ targets: BackupTargets, journal path: String?, keys: String?, by actor: Actor, _ done: @escaping StoreDone
    ) {
        journal.backup(to: targets) { [self] result in
            onLoop { core in
                switch result {
                case .failure(let error): done(core, .failure(StoreRefusal(error)))
                case .success(let report):
                    core.log.write(.backedUp(record: report.lastRecord))
                    core.note(.backup, by: actor, what: keys == nil ? "journal" : "keys", count: report.lastRecord)
                    done(
                        core, .success(StoreAnswers.backup(report, journal: path, keys: keys, at: core.clock.now)))
                }
            }
        }
    }
}

extension StoreRefusal {
    /// No space, or nobody there to ask.
    static let unavailable = StoreRefusal(.unavailable, "not just now; nothing was done")
}
