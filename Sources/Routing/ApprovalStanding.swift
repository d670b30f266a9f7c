package import CaseNotifications
import Settings

/// Whether approvals are asked for.
package enum ApprovalDemand: Sendable {
    /// In production mode what is not approved is inactive; in an exercise everything is active.
    case byMode
    /// Everything is active. For the tool that makes approvals, and for looking at rules as such; never for a daemon.
    case waived
}

/// A part and the parties whose approval of it is missing, sorted.
package struct MissingApproval: Sendable {
    /// The part.
    package let part: ApprovalPart
    /// Never empty.
    package let parties: [PartyID]
    /// Of an on-call desk's acting for a board that approved just that: who reads there, which the board has not approved.
    package let readers: [String]
}

/// One party's approval of one part.
package struct Approval: Hashable, Sendable {
    /// What was approved.
    package let form: ApprovalForm
    /// The day on which it was, as its maker says.
    package let day: CivilDay

    /// An approval.
    package init(form: ApprovalForm, day: CivilDay) {
        self.form = form
        self.day = day
    }
}

extension ApprovalStatement {
    /// Everything that a party has approved, by part, as it is to be signed.
    package init(
        collaboration: CollaborationID, party: PartyID, time: Timestamp, approvals: [String: Approval]
    ) {
        self.init(
            collaboration: collaboration, party: party, time: time,
            entries: approvals.map { part, approval in
                Entry(part: part, digest: approval.form.digest, day: Int32(clamping: approval.day.number))
            })
    }
}

/// What of a policy is approved by whom.
package struct ApprovalStanding: Sendable {
    /// Everything that needs approvals, sorted by id.
    package let parts: [ApprovalPart]
    /// What lacks some, sorted by id.
    package let missing: [MissingApproval]
    /// Keys of all parties that have a file of approvals, sorted by party.
    package let approvers: [Approver]
    /// What each party has approved, by part; its signature was verified.
    package let approved: [PartyID: [String: Approval]]

    /// Compares what there is with what was approved.
    init(parts: [ApprovalPart], files: [ApprovalsFile]) {
        var approved: [PartyID: [String: Approval]] = [:]
        var approvers: [Approver] = []
        for file in files {
            guard let approver = file.approver else { continue }
            approvers.append(approver)
            approved[approver.party] = Dictionary(file.entries.map { ($0.part.value, $0.approval) }) { first, _ in first
            }
        }
        self.parts = parts
        self.approved = approved
        self.approvers = approvers.sorted { $0.party < $1.party }
        let lacking = parts.map { part in part.approvers.filter { approved[$0]?[part.id]?.form != part.form } }
        // A board for which a desk may not act yet has nothing there: who works there for the others stays.
        let unread = Self.unread(parts, lacking)
        let unserved = Set(zip(parts, lacking).lazy.filter { $0.agency != nil && !$1.isEmpty }.map(\.0.id))
            .union(unread.keys)
        missing = zip(parts, lacking).compactMap { part, lacking in
            if let agency = part.agency, let readers = unread[part.id] {
                return MissingApproval(part: part, parties: [agency.board], readers: readers)
            }
            let parties = lacking.filter { board in
                part.reader.map { !unserved.contains("agent:\($0)/\(board)") } ?? true
            }
            return parties.isEmpty ? nil : MissingApproval(part: part, parties: parties, readers: [])
        }
    }

    /// By on-call desk and board, both of which have approved that it acts for the board, what the board leaves nobody to read
    /// its data by: all desks, all clients or all people that the desk's party has approved. It is not served then; a board
    /// that lacks one of several is, and that one is inactive.
    private static func unread(_ parts: [ApprovalPart], _ lacking: [[PartyID]]) -> [String: [String]] {
        var readers: [Substring: [Substring: [(id: String, lacking: [PartyID])]]] = [:]
        for (part, lacking) in zip(parts, lacking) {
            // What the desk's own party has not approved is inactive for everybody.
            guard let party = part.reader, !lacking.contains(where: { $0.text == party }) else { continue }
            readers[party, default: [:]][part.kind, default: []].append((part.id, lacking))
        }
        var unread: [String: [String]] = [:]
        for (part, lacking) in zip(parts, lacking) where lacking.isEmpty {
            guard let agency = part.agency else { continue }
            for all in (readers[agency.desk] ?? [:]).values {
                let unsigned = all.filter { $0.lacking.contains(agency.board) }
                guard unsigned.count == all.count else { continue }
                unread[part.id, default: []] += unsigned.map(\.id)
            }
        }
        return unread.mapValues { $0.sorted() }
    }

    /// A line for an exercise without any approvals; nil when there are some, or nothing to approve.
    package var summary: String? {
        guard approvers.isEmpty, !missing.isEmpty else { return nil }
        let parties = Set(missing.flatMap(\.parties)).count
        return "no approvals: \(missing.count) parts of \(parties) parties; in production mode they would be inactive"
    }

    /// Says what is missing and what has changed since it was approved.
    func report(files: [ApprovalsFile], parties: [Party], mode: Mode, to log: DiagnosticLog) {
        let known = Dictionary(parts.map { ($0.id, $0) }) { first, _ in first }
        for file in files { file.compare(with: known, mode: mode, log: log) }
        // A party without a file has said nothing: in production that is one error and not a warning per part. A file with
        // an empty list is a word, too: everything is withdrawn.
        let silent = Set(parties.map(\.id)).subtracting(files.compactMap(\.party))
        if mode == .production {
            for party in parties where silent.contains(party.id) {
                log.error(
                    .nothingApproved, at: Place(party.location, length: party.id.text.utf8.count),
                    "'\(party.id)' has approved nothing, and production mode demands it",
                    hint: "budkavled approve --party \(party.id) --key FILE")
            }
        } else if approvers.isEmpty {
            return
        }
        // Of a file that could not be read its mistakes are told, once.
        let broken = Set(log.diagnostics.lazy.filter { $0.severity == .error }.map(\.location.file))
        let unread = Set(
            parties.map(\.id).filter { party in broken.contains { $0.hasSuffix("approvals/\(party).yaml") } })
        for entry in missing {
            let lacking = entry.parties.filter { party in
                (approved[party]?[entry.part.id] == nil || !entry.readers.isEmpty) && !unread.contains(party)
                    && (mode == .exercise || !silent.contains(party))
            }
            guard !lacking.isEmpty else { continue }
            let effect = mode == .production ? "is inactive" : "would be inactive in production mode"
            let readers = entry.readers.isEmpty ? "" : " for \(entry.readers.joined(separator: ", "))"
            log.warning(
                .approvalMissing, at: Place(entry.part.location),
                "\(entry.part.id) \(effect): approval of \(Policy.list(lacking)) missing\(readers)",
                hint: "budkavled approve --party \(lacking[0]) --key FILE")
        }
    }
}
