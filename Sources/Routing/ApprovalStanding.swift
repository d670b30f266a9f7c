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
        missing = parts.compactMap { part in
            let parties = part.approvers.filter { approved[$0]?[part.id]?.form != part.form }
            return parties.isEmpty ? nil : MissingApproval(part: part, parties: parties)
        }
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
        for entry in missing {
            let lacking = entry.parties.filter { party in
                approved[party]?[entry.part.id] == nil && (mode == .exercise || !silent.contains(party))
            }
            guard !lacking.isEmpty else { continue }
            let effect = mode == .production ? "is inactive" : "would be inactive in production mode"
            log.warning(
                .approvalMissing, at: Place(entry.part.location),
                "\(entry.part.id) \(effect): approval of \(Policy.list(lacking)) missing",
                hint: "budkavled approve --party \(lacking[0]) --key FILE")
        }
    }
}
