import CaseNotifications
package import Routing
import Settings

/// Two policies of one collaboration to be compared, as their files say them, approvals aside.
package struct PolicyPair: Sendable {
    /// The word for the policy that the journal has as active.
    package static let running = "running"

    package let old: Policy
    package let new: Policy

    /// Reads both sides, one pair per collaboration. Blocks.
    ///
    /// - Parameter configDirectory: whose journal `running` means.
    /// - Throws: 78 for files with errors, 66 where one side has no such collaboration, 64 where it is not clear which, 65 for
    ///   different counties.
    package static func read(
        old: String, new: String, configDirectory: String, collaboration: String?
    ) throws(ToolError) -> [PolicyPair] {
        var newer = try PolicySource.all(in: new).map(\.whole)
        if let collaboration { newer = newer.filter { $0.collaboration.text == collaboration } }
        let older =
            old == running
            ? try newer.map { policy throws(ToolError) in
                try self.running(configDirectory, collaboration: policy.collaboration.text)
            }
            : try PolicySource.all(in: old).map(\.whole)
        if let one = older.first, let other = newer.first, older.count == 1, newer.count == 1 {
            try checkCounties(one, old, other, new)
        }
        var pairs: [PolicyPair] = []
        for policy in newer {
            guard let other = older.first(where: { $0.collaboration == policy.collaboration }) else {
                throw ToolError("\(old) has no collaboration '\(policy.collaboration.text)'", .noInput)
            }
            try checkCounties(other, old, policy, new)
            pairs.append(PolicyPair(old: other, new: policy))
        }
        let missing = older.first { other in !newer.contains { $0.collaboration == other.collaboration } }
        if collaboration == nil, let missing {
            throw ToolError("\(new) has no collaboration '\(missing.collaboration.text)'", .noInput)
        }
        guard !pairs.isEmpty else {
            throw ToolError("\(new) has no collaboration '\(collaboration ?? "")'", .noInput)
        }
        return pairs
    }

    /// Refuses to compare policies of different counties: no municipality is in both, and so nothing would be the same.
    static func checkCounties(
        _ old: Policy, _ oldDirectory: String, _ new: Policy, _ newDirectory: String
    ) throws(ToolError) {
        guard old.county != new.county else { return }
        throw ToolError(
            "\(oldDirectory) is '\(old.collaboration.text)' of county \(old.county), \(newDirectory) is"
                + " '\(new.collaboration.text)' of county \(new.county): compare policies of one county", .data)
    }

    /// The policy that the journal has as active, from its text there.
    static func running(_ configDirectory: String, collaboration: String) throws(ToolError) -> Policy {
        let site = try StoreSite.find(configDirectory: configDirectory, collaboration: collaboration)
        guard let text = try JournalReplay(site, from: .distantFuture).policyText else {
            throw ToolError("the journal of '\(collaboration)' has no text of an active policy any more", .noInput)
        }
        do {
            let zone = try PolicyFiles.zoneTransitions()
            if let policy = PolicyText.policy(text, zone: zone) { return policy }
        } catch { throw ToolError("\(error)", .configuration) }
        throw ToolError("the text of the active policy of '\(collaboration)' is none that this program reads", .data)
    }
}
