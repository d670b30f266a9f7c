package import CaseNotifications
import Foundation
package import Routing
import Settings

/// A policy that a tool reads from files.
package struct PolicySource: Sendable {
    /// The policy with what is approved; where too little is approved to activate it, as if all were.
    package let policy: Policy
    /// The policy as its files say it, approvals aside.
    package let whole: Policy
    /// Where its files lie.
    package let directory: String

    /// The policies of a configuration directory (with budkavled.yaml), or the one whose files lie in `directory`. Blocks.
    package static func all(in directory: String) throws(ToolError) -> [PolicySource] {
        guard !FileManager.default.fileExists(atPath: directory + "/collaboration.yaml") else {
            return [try read(directory)]
        }
        var sources: [PolicySource] = []
        for collaboration in try StoreSite.settings(directory).collaborations {
            sources.append(try read(collaboration.directory))
        }
        return sources
    }

    /// One of them: the named, or the only one.
    package static func one(in directory: String, collaboration: String?) throws(ToolError) -> PolicySource {
        let all = try all(in: directory)
        let found =
            all.count == 1 && collaboration == nil
            ? all.first : all.first { $0.policy.collaboration.text == collaboration }
        guard let found else {
            throw ToolError.collaboration(collaboration, among: all.map(\.policy.collaboration.text))
        }
        return found
    }

    private static func read(_ directory: String) throws(ToolError) -> PolicySource {
        let load: PolicyLoad
        do {
            load = try PolicyFiles.load(directory: directory)
        } catch {
            throw ToolError("\(error)", .configuration)
        }
        guard let whole = load.whole else {
            let errors = load.diagnostics.filter { $0.severity == .error }.map(\.text)
            throw ToolError(errors.joined(separator: "\n"), .configuration)
        }
        return PolicySource(policy: load.policy ?? whole, whole: whole, directory: directory)
    }

    /// The start of the simulated clock, else now.
    package var instant: Timestamp { policy.clock?.start ?? WallTime.now }
}
