import CaseNotifications
import Journal
package import Relay

/// What a collaboration's journal gave at start.
struct Recovered {
    var relay: Relay
    /// The latest time that any event carries: a simulated clock never shows an earlier one again.
    var lastEventAt: Timestamp = .distantPast
    var contents: ContentStore
}

/// Why a journal cannot be served.
package enum RecoveryError: Error, CustomStringConvertible {
    case record(number: UInt64, EventCodecError)
    case sequence(expected: UInt64, found: UInt64)

    package var description: String {
        switch self {
        case .record(let number, let error):
            "record \(number) is sealed correctly but is not an event that this version knows: \(error)"
        case .sequence(let expected, let found):
            "the journal's next record is \(found), expected was \(expected)"
        }
    }
}

extension Recovered {
    /// Opens the journal of `collaboration` below `data` and folds all its events into a relay.
    static func open(
        _ collaboration: CollaborationID, in data: DataDirectory, keys: KeyRing, log: DaemonLog
    ) throws -> (Recovered, JournalWriter) {
        var recovered = Recovered(relay: Relay(collaboration: collaboration), contents: ContentStore())
        var problem: RecoveryError?
        let writer = try JournalWriter.open(in: data, collaboration: collaboration.text, keys: keys) { item in
            guard problem == nil else { return }
            switch item {
            case .text(let id, let location):
                if let notification = id.notification { recovered.contents.stored(notification, at: location) }
            case .record(let number, let bytes):
                guard number == recovered.relay.sequence + 1 else {
                    problem = .sequence(expected: recovered.relay.sequence + 1, found: number)
                    return
                }
                do throws(EventCodecError) {
                    let event = try EventCodec.decode(bytes)
                    recovered.lastEventAt = max(recovered.lastEventAt, event.at)
                    recovered.relay.apply(event)
                } catch {
                    problem = .record(number: number, error)
                }
            case .lost(let records, let segment):
                log.write(.journalDamage("records \(records) of segment \(segment) are lost"))
            }
        }
        if let problem {
            writer.stop()
            throw problem
        }
        if let torn = writer.report.tornTail {
            log.write(.tornTailCut(segment: UInt64(torn.segment), bytes: UInt64(torn.bytes)))
        }
        return (recovered, writer)
    }
}
