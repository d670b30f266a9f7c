import Journal
import Relay

extension RelayCore {
    /// Records what the start found in the journal: lost records, once, and the override that let it go on.
    ///
    /// Without room for the event it is recorded at the next start; the log has named it by then.
    func recordWhatTheStartFound() {
        recordLosses()
        guard let override = journal.report.acceptedOverride else { return }
        let codes = Set(override.findings.map { "\($0.kind)" }).sorted().joined(separator: " ")
        let lost = override.findings.map(\.records).first { !$0.isEmpty }
        let note = MaintenanceNote(
            kind: .override, what: String(codes.prefix(Self.codesLimit)), count: UInt64(override.findings.count),
            lost: lost.map { LostRecords(first: $0.lowerBound, count: UInt64($0.count)) })
        let by = String(override.by.prefix(StatedReason.nameLimitBytes / 4))
        guard let reason = StatedReason(override.reason, by: by), let text = seal(reason), append(note, reason: text)
        else { return }
        log.write(.overrideAccepted(codes: codes))
        // The override goes only when the event is on disk: a start in between records it again.
        whenDurable { core in
            core.maintain({ (journal: inout JournalCore) throws(JournalError) in try journal.retireOverride() }) {
                _, _ in
                // A failure of the disk ends the daemon by itself; otherwise the override is retired by the next start.
            }
        }
    }

    /// Records that the keys of approvers were pinned afresh, of how many parties and why. Without room only the log has it.
    func record(_ again: ApproverRegistry.PinnedAgain) {
        guard let reason = StatedReason(again.reason, by: nil), let text = seal(reason) else { return }
        let note = MaintenanceNote(kind: .override, what: "approvers-again", count: UInt64(again.parties))
        _ = append(note, reason: text)
    }

    /// Records that old segments went. Without room for the event only the log says so.
    func noteDropped(segments: Int) {
        _ = append(MaintenanceNote(kind: .retired, what: "segments", count: UInt64(segments)), reason: nil)
    }

    /// Finding codes of an override's event, in characters.
    private static let codesLimit = 120

    private func recordLosses() {
        let count = relay.unreportedLost
        guard count > 0 else { return }
        let ranges = journal.report.damage.map(\.records).filter { !$0.isEmpty }
        // One range names itself; of several the event has the number and the log the places.
        let lost = ranges.count == 1 ? ranges.first : nil
        _ = append(
            MaintenanceNote(
                kind: .lost, what: "damage", count: count,
                lost: lost.map { LostRecords(first: $0.lowerBound, count: UInt64($0.count)) }),
            reason: nil)
    }
}
