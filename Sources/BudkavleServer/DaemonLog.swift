package import CaseNotifications
package import Logging

/// Everything the daemon ever writes into its log: a closed list, so that no name, case or content can slip in as free text.
///
/// Fields are ids, counts, codes and texts made by our own code. Source: reliability.md 5.4.
package enum DaemonEvent: Sendable {
    case listening(address: String, port: Int)
    case adminListening
    case ready(parties: Int, sequence: UInt64, policy: String)
    case policyActivated(collaboration: CollaborationID, digest: String)
    case reloadRefused(errors: Int, first: String)
    case reloaded
    case handshakeRefused(address: String, reason: String)
    case identityRefused(address: String, reason: String, fingerprint: String)
    case sessionOpened(session: String, party: PartyID, client: String)
    case sessionClosed(session: String, reason: String)
    case sessionWithoutHeartBeat(session: String, party: PartyID)
    case refused(session: String, party: PartyID, code: RefusalCode)
    case setAside(delivery: String, desk: DeskID)
    case deskNotServed(delivery: String, desk: DeskID)
    case tornTailCut(segment: UInt64, bytes: UInt64)
    case journalDamage(String)
    case journalFailed(String)
    case storageFull
    case storageAvailable
    case draining
    case stopped
    case administration(verb: String, by: String, allowed: Bool)

    var level: Logger.Level {
        switch self {
        case .handshakeRefused, .identityRefused, .sessionWithoutHeartBeat, .setAside, .deskNotServed, .tornTailCut:
            .warning
        case .reloadRefused, .journalDamage, .storageFull: .error
        case .journalFailed: .critical
        case .refused, .sessionOpened, .sessionClosed, .listening, .adminListening, .ready, .policyActivated, .reloaded,
            .storageAvailable, .draining, .stopped, .administration:
            .info
        }
    }

    var line: (message: String, fields: [(String, String)]) {
        switch self {
        case .listening(let address, let port): ("listening", [("address", address), ("port", "\(port)")])
        case .adminListening: ("administration socket open", [])
        case .ready(let parties, let sequence, let policy):
            ("ready", [("parties", "\(parties)"), ("sequence", "\(sequence)"), ("policy", policy)])
        case .policyActivated(let collaboration, let digest):
            ("policy activated", [("collaboration", collaboration.text), ("policy", digest)])
        case .reloadRefused(let errors, let first):
            ("reload refused, the running policy goes on", [("errors", "\(errors)"), ("first", first)])
        case .reloaded: ("reloaded", [])
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
        case .tornTailCut(let segment, let bytes):
            ("torn tail copied to quarantine and cut", [("segment", "\(segment)"), ("bytes", "\(bytes)")])
        case .journalDamage(let what): ("journal damage set aside: \(what)", [])
        case .journalFailed(let what): ("journal failed, stopping with status 74: \(what)", [])
        case .storageFull: ("no space for new notifications, delivery goes on", [])
        case .storageAvailable: ("space for new notifications again", [])
        case .draining: ("draining", [])
        case .stopped: ("stopped", [])
        case .administration(let verb, let by, let allowed):
            ("administration", [("verb", verb), ("by", by), ("allowed", allowed ? "yes" : "no")])
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
