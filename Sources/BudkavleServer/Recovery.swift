import CaseNotifications
import Journal
package import Relay

/// What a collaboration's journal gave at start.
struct Recovered {
    var relay: Relay
    /// The latest time that any event carries: a simulated clock never shows an earlier one again.
    var lastEventAt: Timestamp = .distantPast
    var contents: ContentStore
    /// Which records are lost, or do not fit because of that.
    fileprivate(set) var lost: KnownLosses
    /// Records that are whole and do not fit, because what they speak of is among the lost ones.
    fileprivate var misfits: (count: Int, first: [(number: UInt64, kind: EventCodec.KindName)]) = (0, [])

    /// Misfits that the log names; more are counted only.
    static let namedMisfits = 1_000

    init(relay: Relay, lastEventAt: Timestamp = .distantPast, contents: ContentStore) {
        self.relay = relay
        self.lastEventAt = lastEventAt
        self.contents = contents
        lost = KnownLosses(number: relay.lostRecords, through: .max)
    }
}

/// Where a start begins to read.
package enum RecoveryStart: Sendable {
    /// At the newest snapshot that can be used, else at the first record.
    case snapshots
    /// At the first record: for measuring and comparing.
    case records
}

/// Why a journal cannot be served.
package enum RecoveryError: Error, CustomStringConvertible {
    case record(ReplayFault)
    case sequence(expected: UInt64, found: UInt64)

    package var description: String {
        switch self {
        case .record(.notAnEvent(let number, let error)):
            "record \(number) is sealed correctly but is not an event that this version knows: \(error)"
        case .record(.doesNotFit(let number, let kind)):
            "record \(number), \(kind), does not fit what is before it although nothing is lost"
        case .sequence(let expected, let found):
            "the journal's next record is \(found), expected was \(expected)"
        }
    }
}

extension Recovered {
    /// Opens the journal of `collaboration` below `data` and folds its events into a relay, from a snapshot on.
    ///
    /// What is damaged is set aside and named in the log, and the rest is served.
    static func open(
        _ collaboration: CollaborationID, in data: DataDirectory, keys: KeyRing, options: JournalOptions = .init(),
        from start: RecoveryStart = .snapshots, log: DaemonLog
    ) throws -> (Recovered, JournalWriter) {
        var recovered = Recovered(relay: Relay(collaboration: collaboration), contents: ContentStore())
        recovered.lost = KnownLosses(number: 0, through: 0)
        var problem: RecoveryError?
        var changes: [Change] = []
        var options = options
        options.damage = .setAside
        let takesSnapshots = start == .snapshots
        let writer = try JournalWriter.open(
            in: data, collaboration: collaboration.text, keys: keys, options: options,
            restore: { reader in
                guard takesSnapshots, let found = Recovered.restore(from: &reader, collaboration: collaboration) else {
                    return false
                }
                recovered = found
                recovered.lost = KnownLosses(number: found.relay.lostRecords, through: found.relay.sequence)
                return true
            },
            replay: { item in
                guard problem == nil else { return }
                do throws(RecoveryError) {
                    try recovered.take(item, &changes)
                } catch { problem = error }
            })
        if let problem {
            writer.stop()
            throw problem
        }
        if writer.report.overwriting == .allocates { log.write(.overwritingAllocates) }
        if let torn = writer.report.tornTail {
            log.write(.tornTailCut(segment: UInt64(torn.segment), bytes: UInt64(torn.bytes)))
        }
        for finding in writer.report.damage { log.write(.journalDamage("\(finding)")) }
        recovered.tellMisfits(log)
        return (recovered, writer)
    }

    private func tellMisfits(_ log: DaemonLog) {
        for (number, kind) in misfits.first {
            let what = "record \(number), \(kind), is whole but speaks of what is lost; it is kept and not served"
            log.write(.journalDamage(what))
        }
        let rest = misfits.count - misfits.first.count
        if rest > 0 { log.write(.journalDamage("\(rest) more records speak of what is lost")) }
    }

    private mutating func take(_ item: ReplayItem, _ changes: inout [Change]) throws(RecoveryError) {
        switch item {
        case .text(let id, let location):
            if let notification = id.notification { contents.replayed(notification, at: location, in: relay) }
        case .record(let number, let bytes):
            guard number == relay.sequence + 1 else {
                throw .sequence(expected: relay.sequence + 1, found: number)
            }
            lastEventAt = max(lastEventAt, EventCodec.time(of: bytes) ?? .distantPast)
            changes.removeAll(keepingCapacity: true)
            do throws(ReplayFault) {
                try relay.replay(bytes, into: &changes)
            } catch {
                // Behind lost records some do not fit; without any it is our own mistake, or records were put together.
                guard case .doesNotFit(let number, let kind) = error, relay.lostRecords > 0 else {
                    throw .record(error)
                }
                misfits.count += 1
                if misfits.count <= Self.namedMisfits { misfits.first.append((number, kind)) }
                relay.skip(records: 1)
                lost.add(number..<(number + 1))
            }
        case .lost(let records, _):
            relay.skip(records: UInt64(records.count))
            lost.add(records)
        }
    }
}
