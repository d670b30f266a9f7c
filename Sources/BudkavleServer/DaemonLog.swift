package import CaseNotifications
package import Logging

/// Everything the daemon ever writes into its log: a closed list, so that no name, case or content can slip in as free text.
///
/// Fields are ids, counts, codes and texts made by our own code. Source: reliability.md 5.4.
package enum DaemonEvent: Sendable {
    case listening(address: String, port: Int)
    case adminListening
    case ready(parties: Int, sequence: UInt64, policy: String)
    case policyActivated(collaboration: CollaborationID, digest: String, by: String)
    case reloadRefused(errors: Int, first: String)
    case reloaded
    /// Everything that was read is what is in force.
    case reloadUnchanged
    case handshakeRefused(address: String, reason: String)
    case identityRefused(address: String, reason: String, fingerprint: String)
    case sessionOpened(session: String, party: PartyID, client: String)
    case sessionClosed(session: String, reason: String)
    case sessionWithoutHeartBeat(session: String, party: PartyID)
    case refused(session: String, party: PartyID, code: RefusalCode)
    case setAside(delivery: String, desk: DeskID)
    case deskNotServed(delivery: String, desk: DeskID)
    /// The policy in force gives its party no right to a delivery that waits.
    case deliveryHeld(delivery: String, code: RefusalCode)
    /// All that waited was looked at after a reload or at midnight.
    case rightsReviewed(collaboration: CollaborationID, held: Int, released: Int, moved: Int)
    /// So many days, and every `may` that rests on the agreement stops; none: it has.
    case agreementEnding(
        collaboration: CollaborationID, agreement: String, parties: [PartyID], end: Timestamp, days: Int)
    case tornTailCut(segment: UInt64, bytes: UInt64)
    case overwritingAllocates
    /// Keys of approvers that are new, or that the old ones handed over to.
    case approversPinned(collaboration: CollaborationID, parties: [PartyID])
    /// Pins were missing, and the administrator had the keys of the configuration pinned: his own line says why.
    case approversPinnedAgain(collaboration: CollaborationID, reason: String)
    case journalDamage(String)
    case overrideAccepted(codes: String)
    case journalFailed(String)
    /// A client holds a head with our signature that our log does not continue.
    case checkpointContradicts(session: String, CheckpointStop)
    /// A client's checkpoint was passed over; how many so far.
    case checkpointIgnored(session: String, reason: IgnoredCheckpoint, count: UInt64)
    case checkpointCleared(by: String)
    case storageFull
    case storageAvailable
    case draining
    case stopped
    case administration(verb: String, by: String, allowed: Bool)
    case erased(notifications: Int, slots: Int)
    /// Content went because its time was over.
    case contentRetired(collaboration: CollaborationID, notifications: Int, slots: Int)
    case retentionLeft(collaboration: CollaborationID, String)
    case clockJumped(collaboration: CollaborationID)
    case keysRotated(master: String)
    case keyRetired(master: String)
    case backedUp(record: UInt64)
    case secondFoldDiffers(collaboration: CollaborationID, sequence: UInt64)
    case secondFoldFailed(collaboration: CollaborationID, String)
    case snapshotWritten(collaboration: CollaborationID, segment: UInt64, sequence: UInt64)
    case segmentsDropped(collaboration: CollaborationID, count: Int, through: UInt64)
    case historyNotRead(collaboration: CollaborationID, String)
    case contentNotRead(notification: NotificationID, String)
    case contentUnreadable(notification: NotificationID)
    /// Receipts whose record is lost were passed over; how many since the start.
    case receiptsSkipped(collaboration: CollaborationID, count: Int)

    var level: Logger.Level {
        switch self {
        case .handshakeRefused, .identityRefused, .sessionWithoutHeartBeat, .setAside, .deskNotServed, .deliveryHeld,
            .rightsReviewed, .agreementEnding, .tornTailCut,
            .overwritingAllocates, .approversPinnedAgain, .clockJumped:
            .warning
        case .reloadRefused, .journalDamage, .overrideAccepted, .storageFull, .secondFoldFailed, .retentionLeft,
            .historyNotRead, .contentNotRead, .contentUnreadable, .receiptsSkipped:
            .error
        case .journalFailed, .checkpointContradicts, .secondFoldDiffers: .critical
        case .checkpointIgnored, .checkpointCleared: .warning
        case .approversPinned, .refused, .sessionOpened, .sessionClosed, .listening, .adminListening, .ready,
            .policyActivated, .reloaded, .reloadUnchanged,
            .storageAvailable, .draining, .stopped, .administration, .erased, .contentRetired, .keysRotated,
            .keyRetired, .backedUp, .snapshotWritten, .segmentsDropped:
            .info
        }
    }

    var line: (message: String, fields: [(String, String)]) {
        switch self {
        case .listening(let address, let port): ("listening", [("address", address), ("port", "\(port)")])
        case .adminListening: ("administration socket open", [])
        case .ready(let parties, let sequence, let policy):
            ("ready", [("parties", "\(parties)"), ("sequence", "\(sequence)"), ("policy", policy)])
        case .policyActivated(let collaboration, let digest, let by):
            ("policy activated", [("collaboration", collaboration.text), ("policy", digest), ("by", by)])
        case .reloadRefused(let errors, let first):
            ("reload refused, the running policy goes on", [("errors", "\(errors)"), ("first", first)])
        case .reloaded: ("reloaded", [])
        case .reloadUnchanged: ("reloaded, the policy is the one in force already", [])
        case .handshakeRefused(let address, let reason):
            ("TLS handshake refused: \(reason)", [("address", address)])
        case .identityRefused(let address, let reason, let fingerprint):
            ("client certificate refused: \(reason)", [("address", address), ("fingerprint", fingerprint)])
        case .sessionOpened(let session, let party, let client):
            ("session opened", [("session", session), ("party.id", party.text), ("client.id", client)])
        case .sessionClosed(let session, let reason): ("session closed: \(reason)", [("session", session)])
        case .sessionWithoutHeartBeat(let session, let party):
            ("client offers no heart-beat, TCP keep-alive is on", [("session", session), ("party.id", party.text)])
        case .refused(let session, let party, let code):
            ("notification refused", [("session", session), ("party.id", party.text), ("code", code.rawValue)])
        case .setAside(let delivery, let desk):
            ("delivery set aside after its last attempt", [("delivery.id", delivery), ("desk.id", desk.text)])
        case .deskNotServed(let delivery, let desk):
            (
                "the policy gives this desk to another party, the delivery waits",
                [("delivery.id", delivery), ("desk.id", desk.text)]
            )
        case .deliveryHeld(let delivery, let code):
            (
                "the policy in force gives no right to this delivery, it is held",
                [("delivery.id", delivery), ("code", code.rawValue)]
            )
        case .rightsReviewed(let collaboration, let held, let released, let moved):
            (
                "deliveries judged by the policy in force",
                [
                    ("collaboration", collaboration.text), ("held", "\(held)"), ("released", "\(released)"),
                    ("moved", "\(moved)"),
                ]
            )
        case .agreementEnding(let collaboration, let agreement, let parties, let end, let days):
            (
                days == 0
                    ? "an agreement has ended: what it alone allowed stops, duties go on"
                    : "an agreement ends in less than \(days) days: what it alone allows stops then",
                [("collaboration", collaboration.text), ("agreement", agreement), ("end", end.rfc3339)]
                    + (parties.isEmpty ? [] : [("party.ids", parties.map(\.text).joined(separator: " "))])
            )
        case .overwritingAllocates:
            ("overwriting takes new blocks on this file system: a full disk ends with status 74; use ext4 or xfs", [])
        case .tornTailCut(let segment, let bytes):
            ("torn tail copied to quarantine and cut", [("segment", "\(segment)"), ("bytes", "\(bytes)")])
        case .overrideAccepted(let codes):
            ("the start went on behind what an override accepted", [("findings", codes)])
        case .journalDamage(let what): ("journal damage set aside: \(what)", [])
        case .journalFailed(let what): ("journal failed, stopping with status 74: \(what)", [])
        case .checkpointContradicts(let session, let stop):
            (
                "a client holds a signed checkpoint \(stop.place): nothing is answered until somebody answers for it",
                [("session", session), ("checkpoint.size", "\(stop.size)"), ("log.size", "\(stop.known)")]
            )
        case .checkpointIgnored(let session, let reason, let count):
            (
                "a checkpoint in CONNECT was passed over: \(reason.rawValue)",
                [("session", session), ("ignored", "\(count)")]
            )
        case .checkpointCleared(let by): ("answers go on in spite of a client's checkpoint", [("by", by)])
        case .storageFull: ("no space for new notifications, delivery goes on", [])
        case .storageAvailable: ("space for new notifications again", [])
        case .secondFoldDiffers(let collaboration, let sequence):
            (
                "the second fold differs from the live state: no snapshot is written and nothing dropped until a restart",
                [("collaboration", collaboration.text), ("sequence", "\(sequence)")]
            )
        case .secondFoldFailed(let collaboration, let what):
            ("second fold left for its next round: \(what)", [("collaboration", collaboration.text)])
        case .snapshotWritten(let collaboration, let segment, let sequence):
            (
                "snapshot written",
                [("collaboration", collaboration.text), ("segment", "\(segment)"), ("sequence", "\(sequence)")]
            )
        case .segmentsDropped(let collaboration, let count, let through):
            (
                "segments dropped",
                [("collaboration", collaboration.text), ("count", "\(count)"), ("through", "\(through)")]
            )
        case .historyNotRead(let collaboration, let what):
            ("history cannot be read now: \(what)", [("collaboration", collaboration.text)])
        case .contentNotRead(let notification, let what):
            ("content cannot be read now, it is tried again: \(what)", [("notification.id", notification.text)])
        case .contentUnreadable(let notification):
            ("content is lost, its deliveries are set aside", [("notification.id", notification.text)])
        case .receiptsSkipped(let collaboration, let count):
            (
                "receipts were passed over, the records that they are made of are lost",
                [("collaboration", collaboration.text), ("skipped", "\(count)")]
            )
        case .approversPinned(let collaboration, let parties):
            (
                "keys of approvers pinned",
                [
                    ("collaboration", collaboration.text),
                    ("parties", parties.map(\.text).joined(separator: " ")),
                ]
            )
        case .approversPinnedAgain(let collaboration, let reason):
            (
                "keys of approvers were missing and are pinned afresh",
                [("collaboration", collaboration.text), ("reason", reason)]
            )
        case .draining: ("draining", [])
        case .stopped: ("stopped", [])
        case .administration(let verb, let by, let allowed):
            ("administration", [("verb", verb), ("by", by), ("allowed", allowed ? "yes" : "no")])
        case .erased(let notifications, let slots):
            ("erased for ever", [("notifications", "\(notifications)"), ("slots", "\(slots)")])
        case .contentRetired(let collaboration, let notifications, let slots):
            (
                "content past its time erased for ever",
                [
                    ("collaboration", collaboration.text), ("notifications", "\(notifications)"),
                    ("slots", "\(slots)"),
                ]
            )
        case .retentionLeft(let collaboration, let what):
            ("content past its time is left for the next round: \(what)", [("collaboration", collaboration.text)])
        case .clockJumped(let collaboration):
            (
                "the clock is over a day ahead of the newest event at the start and the time since: content goes by those,"
                    + " later; look at the clock: a restart after new events believes it",
                [("collaboration", collaboration.text)]
            )
        case .keysRotated(let master): ("keys sealed under another master key", [("key.id", master)])
        case .keyRetired(let master): ("master key needed no longer", [("key.id", master)])
        case .backedUp(let record): ("backed up", [("record", "\(record)")])
        }
    }
}

/// The daemon's log: one short sentence plus metadata for each event.
package struct DaemonLog: Sendable {
    private let logger: Logger

    /// - Parameter logger: where lines go; the executable chooses handler and level.
    package init(logger: Logger) { self.logger = logger }

    /// Writes `event`. Any thread.
    package func write(_ event: DaemonEvent) {
        let (message, fields) = event.line
        let metadata = Logger.Metadata(fields.map { ($0.0, .string($0.1)) }, uniquingKeysWith: { first, _ in first })
        logger.log(level: event.level, "\(message)", metadata: metadata)
    }
}
