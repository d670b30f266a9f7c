package import CaseNotifications
import Foundation
import Glibc
package import Routing
import Settings

/// What one party has approved of one collaboration's policy and what it has not, and the file that says so.
package struct ApprovalDesk: Sendable {
    /// One part that the party approves or not.
    package struct Item: Sendable {
        /// How it stands.
        package enum State: Sendable, Equatable {
            /// It is approved as it is.
            case approved(on: CivilDay)
            /// It was approved, and is otherwise now: what has changed, a short sentence each.
            case changed(since: CivilDay, [Labels])
            /// It was never approved.
            case new
        }

        /// The part.
        package let part: ApprovalPart
        /// How it stands.
        package let state: State
        /// Other parties whose approval of it is missing, sorted.
        package let others: [PartyID]

        /// Whether it wants an approval.
        package var isPending: Bool {
            if case .approved = state { false } else { true }
        }
    }

    /// The party.
    package let party: PartyID
    /// The collaboration.
    package let collaboration: CollaborationID
    /// Everything that the party has to approve, sorted.
    package private(set) var items: [Item]
    /// Approvals of what is not there any more, or not this party's to approve, sorted.
    package private(set) var outdated: [String]
    /// `approvals/<party>.yaml` of the collaboration's directory.
    package let path: String
    /// When the file was signed last; nil if there is none.
    package var signed: Timestamp? { approver?.stamp.time }
    /// The key under which the party's approvals count; nil if there is no file.
    package var key: ApproverKey? { approver?.current }
    private let approver: Approver?
    private var approvals: [String: Approval]
    /// No file is signed before this again.
    private var last: Timestamp?
    private let now: Timestamp
    private let today: CivilDay

    /// Reads a configuration. What approvals are missing is no mistake here; everything else is.
    ///
    /// - Parameter name: which collaboration; nil where there is only one.
    package static func open(
        configDirectory: String, collaboration name: String?, party: String
    ) throws(ToolError) -> ApprovalDesk {
        var found: [(directory: String, load: PolicyLoad, policy: Policy)] = []
        var problems: [String] = []
        for collaboration in try StoreSite.settings(configDirectory).collaborations {
            let load: PolicyLoad
            do {
                load = try PolicyFiles.load(directory: collaboration.directory)
            } catch {
                throw ToolError("\(error)", .configuration)
            }
            if let policy = load.whole {
                found.append((collaboration.directory, load, policy))
            } else {
                problems += load.diagnostics.filter { $0.severity == .error }.map(\.text)
            }
        }
        let all = found.map(\.policy.collaboration.text)
        let chosen = found.count == 1 && name == nil ? found.first : found.first { $0.2.collaboration.text == name }
        guard let (directory, load, policy) = chosen, let standing = load.approvals else {
            if !problems.isEmpty { throw ToolError(problems.joined(separator: "\n"), .configuration) }
            throw ToolError.collaboration(name, among: all)
        }
        guard let id = PartyID(party), policy.party(id) != nil else {
            throw ToolError("'\(party)' is no party of \(policy.collaboration)", .usage)
        }
        let path = "\(directory)/approvals/\(id).yaml"
        let mistakes = load.diagnostics.filter { $0.severity == .error && $0.location.file == path }
        guard mistakes.isEmpty else {
            throw ToolError(mistakes.map(\.text).joined(separator: "\n"), .configuration)
        }
        return ApprovalDesk(party: id, policy: policy, standing: standing, path: path)
    }

    private init(party: PartyID, policy: Policy, standing: ApprovalStanding, path: String) {
        let approvals = standing.approved[party] ?? [:]
        let own = standing.parts.filter { $0.approvers.contains(party) }
        self.party = party
        collaboration = policy.collaboration
        self.path = path
        self.approvals = approvals
        approver = standing.approvers.first { $0.party == party }
        last = approver?.stamp.time
        now = WallTime.now
        today = CivilDay(policy.civilTime(now).day)
        let missing = Dictionary(standing.missing.map { ($0.part.id, $0.parties) }) { first, _ in first }
        items = own.map { part in
            let others = (missing[part.id] ?? []).filter { $0 != party }
            guard let approval = approvals[part.id] else { return Item(part: part, state: .new, others: others) }
            let changes = part.form.changes(since: approval.form)
            let isSame = part.form == approval.form
            return Item(
                part: part, state: isSame ? .approved(on: approval.day) : .changed(since: approval.day, changes),
                others: others)
        }
        outdated = Set(approvals.keys).subtracting(own.map(\.id)).sorted()
    }

    /// Takes nothing from the file that is there if the approver has signed another since.
    ///
    /// - Parameter time: when the approver's key signed last, as the approver's own memory says.
    /// - Returns: whether it is such a file.
    package mutating func forget(ifSignedBefore time: Timestamp) -> Bool {
        guard let signed, signed < time else { return false }
        last = time
        approvals = [:]
        outdated = []
        items = items.map { Item(part: $0.part, state: .new, others: $0.others) }
        return true
    }

    /// How many approvals a signature keeps besides those of these items and without these parts.
    package func kept(besides approved: [Item], without withdrawn: [String]) -> Int {
        let known = Set(items.map(\.part.id)).subtracting(withdrawn).subtracting(approved.map(\.part.id))
        return known.count { approvals[$0] != nil }
    }

    /// The items of these ids; all that want an approval when none is given.
    package func pending(_ ids: [String]) throws(ToolError) -> [Item] {
        for id in ids where !items.contains(where: { $0.part.id == id }) {
            throw ToolError("'\(id)' is nothing that \(party) has to approve; --list shows what is", .usage)
        }
        return items.filter { $0.isPending && (ids.isEmpty || ids.contains($0.part.id)) }
    }

    /// Refuses a key that is not the one by which the party's approvals count.
    package func check(_ secret: ApproverSecret) throws(ToolError) {
        guard let approver, approver.current != secret.publicKey else { return }
        throw ToolError(
            "\(path): the approvals of \(party) count under the key \(approver.current), not under this one,"
                + " \(secret.publicKey); to change keys: --key OLD --next-key NEW", .refused)
    }

    /// The ids of what is approved in these parts, for taking it back.
    package func approved(_ ids: [String]) throws(ToolError) -> [String] {
        for id in ids where approvals[id] == nil {
            throw ToolError("\(party) has not approved '\(id)'; --list shows what it has", .usage)
        }
        return ids
    }

    /// Signs items, keeps every other approval that still is one, and replaces the file. On disk when this returns.
    ///
    /// The whole file is signed anew, at a time behind that of the last one, so that the relay takes no earlier one again.
    ///
    /// - Parameter withdrawn: parts that are approved no longer.
    /// - Parameter next: the key to hand over to: everything is signed by it from now on.
    /// - Returns: when it was signed.
    @discardableResult package func approve(
        _ approved: [Item], withdrawing withdrawn: [String] = [], by secret: ApproverSecret,
        handingOverTo next: ApproverSecret?
    ) throws(ToolError) -> Timestamp {
        try check(secret)
        let known = Set(items.map(\.part.id)).subtracting(withdrawn)
        var kept = approvals.filter { known.contains($0.key) }
        if next != nil {
            // What the old key approved in a form of other days the new one does not say again.
            let current = Set(items.filter { !$0.isPending }.map(\.part.id))
            kept = kept.filter { current.contains($0.key) }
        }
        for item in approved { kept[item.part.id] = Approval(form: item.part.form, day: today) }
        var key = approver?.key ?? secret.publicKey
        var nextKey = approver?.handOver
        if let next {
            key = secret.publicKey
            let change = ApproverKeyChange(to: next.publicKey, collaboration: collaboration, party: party)
            nextKey = KeyHandOver(key: next.publicKey, signature: secret.signature(of: change))
        }
        let time = max(now, last?.advanced(bySeconds: 1) ?? .distantPast)
        let text = ApprovalsText(
            collaboration: collaboration, party: party, key: key, next: nextKey, time: time, approvals: kept,
            signer: next ?? secret
        ).text
        let directory = (path as NSString).deletingLastPathComponent
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
            throw ToolError("\(directory): \(String(cString: strerror(errno)))", .cannotCreate)
        }
        do throws(DurableFile.Failure) {
            try DurableFile.replace(path, Array(text.utf8), mode: 0o644)
        } catch {
            throw ToolError("\(path): \(error.reason)", .cannotCreate)
        }
        return time
    }
}
