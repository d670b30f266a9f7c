package import CaseNotifications
import Foundation
package import Routing
import Settings

/// What `explain` answers: who would get one event, by which rule, and who is refused and why. Nothing is sent.
package struct EventExplanation: Sendable {
    package let policy: Policy
    package let explanation: Explanation
    package let at: Timestamp
    private let notification: CaseNotification

    /// What every matcher of the type's rules says; with a party, of that one alone.
    package func steps(for party: PartyID? = nil) -> [RuleSteps] {
        policy.steps(of: notification, at: at, for: party)
    }

    /// The party of that name; a `ToolError` with the nearest one if the policy has none.
    package func party(named name: String) throws(ToolError) -> PartyID {
        if let party = policy.parties.first(where: { $0.id.text == name }) { return party.id }
        let hint = Suggestion.hint(for: name, among: policy.parties.map(\.id.text)).map { "; \($0)" } ?? ""
        throw ToolError("the policy has no party \(Diagnostic.quote(name))\(hint)", .usage)
    }

    fileprivate init(_ notification: CaseNotification, policy: Policy, at instant: Timestamp) {
        self.notification = notification
        self.policy = policy
        explanation = policy.explain(notification, at: instant)
        at = instant
    }

    /// Explains the event in `path` (`-` is standard input) by the policies in `directory`.
    ///
    /// - Parameters:
    ///   - time: RFC 3339; `nil` is now, in exercise mode the clock's start.
    ///   - collaboration: which one, if there are several; `nil` is the first.
    package static func make(
        directory: String, event path: String, at time: String?, collaboration: String?
    ) throws(ToolError) -> EventExplanation {
        let policies = try ExplainedPolicies.read(directory: directory, only: collaboration)
        guard let policy = policies.explainer(collaboration) else {
            throw ToolError("\(directory) has no such collaboration", .configuration)
        }
        var instant = policy.defaultInstant
        if let time {
            guard let given = Timestamp(rfc3339: time) else {
                throw ToolError("--at must be a time with zone, for example 2026-12-11T23:10:00+01:00", .usage)
            }
            instant = given
        }
        let data =
            path == "-"
            ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
        guard let data else {
            var isDirectory: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            let reason = isDirectory.boolValue ? "a directory" : isThere ? "permission denied" : "no such file"
            throw ToolError("\(path): cannot be read: \(reason)", .noInput)
        }
        do throws(Refusal) {
            return try policy.explain(Array(data), at: instant)
        } catch {
            let place = error.pointer.isEmpty ? "" : "\(error.pointer): "
            throw ToolError("\(path): \(place)\(error.message) [\(error.code.rawValue)]", .data)
        }
    }
}

/// The policies that explanations are made by.
package struct ExplainedPolicies: Sendable {
    /// One policy and what reads events for it.
    struct Explainer: Sendable {
        let policy: Policy
        /// The start of a simulated clock, else the time at which the policies were read.
        let defaultInstant: Timestamp
        private let decoder: NotificationDecoder

        init(_ policy: Policy, now: Timestamp) {
            self.policy = policy
            defaultInstant = policy.clock?.start ?? now
            decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        }

        /// Decodes `event` as the relay would, and explains what it would decide at `instant`.
        func explain(_ event: [UInt8], at instant: Timestamp) throws(Refusal) -> EventExplanation {
            EventExplanation(try decoder.decode(event), policy: policy, at: instant)
        }
    }

    private let explainers: [Explainer]

    /// Policies, and the time that holds where neither the event's line nor a simulated clock says one.
    package init(_ policies: [Policy], now: Timestamp) {
        explainers = policies.map { Explainer($0, now: now) }
    }

    /// Reads the policies in `directory`, which must be without errors; worked examples are not read. Blocks.
    ///
    /// - Parameter collaboration: only this one, if its directory is called like it; nil is the first.
    package static func read(directory: String, only collaboration: String?) throws(ToolError) -> ExplainedPolicies {
        let directories = try StoreSite.settings(directory).collaborations.map(\.directory)
        let named = collaboration.flatMap { name in directories.first { $0.hasSuffix("/" + name) } }
        guard let likely = named ?? directories.first else { return ExplainedPolicies([], now: WallTime.now) }
        let found = try read(directories: [likely])
        return found.explainer(collaboration) == nil ? try read(directories: directories) : found
    }

    /// Reads all policies in `directory`, which must be without errors; worked examples are not read. Blocks.
    package static func read(directory: String) throws(ToolError) -> ExplainedPolicies {
        try read(directories: try StoreSite.settings(directory).collaborations.map(\.directory))
    }

    private static func read(directories: [String]) throws(ToolError) -> ExplainedPolicies {
        var policies: [Policy] = []
        for directory in directories {
            let load: PolicyLoad
            do {
                load = try PolicyFiles.load(directory: directory, for: .decidingAlone)
            } catch {
                throw ToolError("\(error)", .configuration)
            }
            guard let policy = load.policy else {
                let errors = load.diagnostics.filter { $0.severity == .error }.map(\.text)
                throw ToolError(errors.joined(separator: "\n"), .configuration)
            }
            policies.append(policy)
        }
        return ExplainedPolicies(policies, now: WallTime.now)
    }

    /// What explains for a collaboration; `nil` is the first.
    func explainer(_ collaboration: String?) -> Explainer? {
        explainers.first { collaboration == nil || $0.policy.collaboration.text == collaboration }
    }
}
