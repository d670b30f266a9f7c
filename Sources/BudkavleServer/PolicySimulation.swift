import CaseNotifications
import Foundation
import Relay
package import Routing

/// What `simulate` answers: notifications decided again, by the running policy and by a candidate, each at its own time.
package struct PolicySimulation: Sendable {
    /// Where the notifications come from.
    package enum Source: Sendable {
        /// The journal: acceptances of so many days before the latest.
        case journal(days: Int)
        /// A file of CloudEvents, one a line; `-` is standard input.
        case events(String)
    }

    /// The most days that a replay goes back.
    package static let dayLimits = 1...3_650

    /// What is otherwise.
    package let report: SimulationReport
    /// The running policy.
    package let running: Policy
    /// The candidate.
    package let candidate: Policy
    /// Of those that were rebuilt: the content was erased.
    package private(set) var erased = 0
    /// Notifications of a type that the running policy does not have, or whose content is not there and whose recorded
    /// recipients no envelope gives: not compared.
    package private(set) var unexplained = 0
    /// Notifications that were accepted under another policy than the running one.
    package private(set) var underOtherPolicies = 0
    /// Acceptances that could not be read whole.
    package private(set) var unreadable = 0

    /// What was assumed of those that were rebuilt, a sentence each.
    package var assumptions: [String] { report.rebuilt > 0 ? RebuiltEnvelope.assumptions : [] }

    /// Decides everything twice. Blocks; reads only, beside a running daemon too.
    ///
    /// - Throws: 78 for policies with errors, 64 for the collaboration, 66 for what is not there, 65 for a line that is no event
    ///   and for different counties.
    package static func run(
        configDirectory: String, candidate directory: String, collaboration: String?, source: Source
    ) throws(ToolError) -> PolicySimulation {
        let running = try PolicySource.one(in: configDirectory, collaboration: collaboration)
        let candidates = try PolicySource.all(in: directory)
        let named = candidates.first { $0.policy.collaboration == running.policy.collaboration }
        if let found = named ?? (candidates.count == 1 ? candidates.first : nil) {
            try PolicyPair.checkCounties(running.policy, running.directory, found.whole, directory)
        }
        guard let candidate = named else {
            throw ToolError("\(directory) has no collaboration '\(running.policy.collaboration.text)'", .noInput)
        }
        switch source {
        case .journal(let days):
            let site = try StoreSite.find(
                configDirectory: configDirectory, collaboration: running.policy.collaboration.text)
            return PolicySimulation(
                running: running.policy, candidate: candidate.whole, journal: try JournalReplay(site), days: days)
        case .events(let path):
            let data =
                path == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
            guard let data else { throw ToolError("\(path): cannot be read", .noInput) }
            return try PolicySimulation(
                running: running.policy, candidate: candidate.whole, events: Array(data), path: path)
        }
    }

    /// Replays acceptances: by the envelope where the content is still there, else by what is recorded.
    init(running: Policy, candidate: Policy, journal: JournalReplay, days: Int) {
        self.running = running
        self.candidate = candidate
        var report = SimulationReport(running: running, candidate: candidate)
        let latest = journal.accepted.map(\.facts.at).max() ?? .distantPast
        let earliest = latest.advanced(bySeconds: -Int64(days) * 86_400)
        let isCut = journal.leftOutThrough.map { $0 >= earliest } ?? false
        unreadable = journal.unresolved + (isCut ? journal.leftOut : 0)
        var envelopes = StoredEnvelopes(journal.site, policy: running)
        for accepted in journal.accepted where accepted.facts.at >= earliest {
            let facts = accepted.facts
            let name = facts.notification.text
            let found = envelopes.envelope(of: facts.notification, at: accepted.content)
            if case .envelope(let envelope) = found {
                report.compare(envelope, at: facts.at, called: name)
            } else if let rebuilt = RebuiltEnvelope(facts, policy: running) {
                if case .erased = found { erased += 1 }
                report.compare(rebuilt.notification, at: facts.at, called: name, by: .rebuilt)
            } else {
                unexplained += 1
                continue
            }
            if facts.policy != running.digest { underOtherPolicies += 1 }
        }
        envelopes.close()
        self.report = report
    }

    /// Decides events from a file, each at the time that it says.
    init(running: Policy, candidate: Policy, events: [UInt8], path: String) throws(ToolError) {
        self.running = running
        self.candidate = candidate
        var report = SimulationReport(running: running, candidate: candidate)
        let decoder = NotificationDecoder(catalogue: running.catalogue, mode: running.mode)
        for (place, line) in events.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D }) else { continue }
            do throws(Refusal) {
                let notification = try decoder.decode(Array(line))
                report.compare(notification, at: notification.time, called: "line \(place + 1)")
            } catch {
                throw ToolError(
                    "\(path):\(place + 1): \(error.pointer): \(error.message) [\(error.code.rawValue)]", .data)
            }
        }
        self.report = report
    }
}
