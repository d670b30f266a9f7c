package import CaseNotifications
package import Journal
import Logging
import Relay

/// One collaboration's journal, opened as the daemon opens it, for measuring starts. Blocks; one thread.
package final class StoredCollaboration {
    private let recovered: Recovered
    private let journal: JournalWriter
    private let log: DaemonLog

    private init(_ recovered: Recovered, _ journal: JournalWriter, _ log: DaemonLog) {
        self.recovered = recovered
        self.journal = journal
        self.log = log
    }

    /// Reads the journal back, from its newest snapshot or from its first record.
    package static func open(
        _ collaboration: CollaborationID, in data: DataDirectory, keys: KeyRing, options: JournalOptions,
        from start: RecoveryStart
    ) throws -> StoredCollaboration {
        let log = DaemonLog(logger: Logger(label: "budkavle-bench"))
        let (recovered, journal) = try Recovered.open(
            collaboration, in: data, keys: keys, options: options, from: start, log: log)
        return StoredCollaboration(recovered, journal, log)
    }

    /// The last record.
    package var sequence: UInt64 { recovered.relay.sequence }
    /// The state's fingerprint, in hexadecimal.
    package var digest: String { recovered.relay.stateDigest.description }
    /// Records that were read one by one.
    package var replayed: UInt64 { journal.report.recordCount }

    /// Folds all closed segments a second time and writes a snapshot, as the daemon does in the background.
    package func fold() {
        journal.start(onCommit: { _ in }, onFailure: { _ in })
        let fold = SecondFold(
            collaboration: recovered.relay.collaboration, journal: journal, log: log,
            beside: SecondFold.Live(recovered, .wall))
        fold.round(through: .max)
        fold.stop()
    }

    /// Ends the writer.
    package func close() { journal.stop() }
}
