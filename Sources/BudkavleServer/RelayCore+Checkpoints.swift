import CaseNotifications
import Journal
import Relay
import STOMP

/// A head with our signature that our log does not continue: the log was cut, rolled back, or lives twice.
package struct CheckpointStop: Sendable, Equatable {
    /// Where the checkpoint lies.
    package enum Place: String, Sendable, CustomStringConvertible {
        /// It knows records that our log has not.
        case beyond
        /// It knows another log of the same size.
        case beside

        /// For a sentence.
        package var description: String {
            switch self {
            case .beyond: "beyond our log"
            case .beside: "beside our log"
            }
        }
    }

    /// Where the checkpoint lies.
    package let place: Place
    /// Records that the checkpoint knows.
    package let size: UInt64
    /// Records that our log held when it was judged.
    package let known: UInt64
}

/// Why a checkpoint was passed over.
package enum IgnoredCheckpoint: String, Sendable {
    case malformed = "it is not of the form <head>.<signature>"
    case otherJournal = "it names another journal"
    case wrongSignature = "no key of this journal signed it"
    case answeredFor = "somebody has answered for what was signed up to then"
    case unverifiable = "lost records make its root unknown"
}

extension RelayCore {
    /// Judges what a client gave as its last checkpoint in CONNECT. Never delays CONNECTED.
    func judge(checkpoint text: String, session: String) {
        guard let checkpoint = Checkpoint(text) else { return ignore(.malformed, session) }
        let archive = journal.archive
        let keys = archive.headKeys.map { ($0.serial, $0.publicKey) }
        if let fault = checkpoint.fault(journal: archive.journalBytes, keys: keys) { return ignore(fault, session) }
        guard checkpoint.madeAt > answeredFor else { return ignore(.answeredFor, session) }
        let known = archive.size
        guard checkpoint.size <= known else {
            return stop(CheckpointStop(place: .beyond, size: checkpoint.size, known: known), session)
        }
        archive.root(at: checkpoint.size) { [self] root in
            onLoop { core in
                guard let root else { return core.ignore(.unverifiable, session) }
                guard root.bytes != checkpoint.root.bytes else { return }
                core.stop(CheckpointStop(place: .beside, size: checkpoint.size, known: known), session)
            }
        }
    }

    private func ignore(_ reason: IgnoredCheckpoint, _ session: String) {
        ignoredCheckpoints += 1
        log.write(.checkpointIgnored(session: session, reason: reason, count: ignoredCheckpoints))
    }

    /// Nothing more is answered; the next start needs an override too. The hold names the place and the sizes.
    private func stop(_ found: CheckpointStop, _ session: String) {
        log.write(.checkpointContradicts(session: session, found))
        guard checkpointStop == nil else { return }
        checkpointStop = found
        let note = "checkpoint \(found.place.rawValue) our log: \(found.size) records known, \(found.known) here"
        maintain({ (journal) throws(JournalError) in try journal.placeCheckpointHold(note: note) }) { core, result in
            if case .failure(let refusal) = result { core.log.write(.journalDamage("no hold: \(refusal.description)")) }
        }
        let record = MaintenanceNote(kind: .checkpointStop, what: found.place.rawValue, count: found.size)
        _ = perform(.maintain(record), answers: { _ in [] })
    }

    /// Somebody answers for it: everything goes on. False when nothing had stopped.
    func clearCheckpointStop(by actor: Actor) -> Bool {
        guard checkpointStop != nil else { return false }
        checkpointStop = nil
        log.write(.checkpointCleared(by: actor.client.text))
        answeredFor = max(answeredFor, Timestamp(milliseconds: SystemJournalClock().wallMilliseconds))
        maintain({ (journal) throws(JournalError) in try journal.removeCheckpointHold() }) { core, result in
            if case .failure(let refusal) = result { core.log.write(.journalDamage("hold: \(refusal.description)")) }
        }
        pumpSoon()
        return true
    }

    /// What is allowed while nothing is answered: administration, and the subscription that its answers come to.
    static func isAdministration(_ request: Request) -> Bool {
        switch request.action {
        case .send(let send): if case .administration = Destination(send.destination) { true } else { false }
        case .subscribe(let subscribe): if case .replies = Destination(subscribe.destination) { true } else { false }
        default: false
        }
    }

    /// Refuses a request while nothing is answered. Messages that it acknowledged come again.
    func turnAway(_ request: Request, at place: RequestPlace) {
        forget(request, from: place.connection)
        if case .unsubscribe(let key, _) = request.action {
            if let subscription = clients[place.connection]?.subscriptions.removeValue(forKey: key) {
                clients[place.connection]?.credit -= subscription.credit
                drop(subscription)
            }
            return answer(place, .done)
        }
        answer(place, .refused(.unavailable))
    }
}
