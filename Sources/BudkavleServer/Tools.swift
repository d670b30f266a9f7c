package import CaseNotifications
import Foundation
import Journal
package import Routing

/// Why a tool of the daemon could not do its work: a sentence for the terminal and the status to exit with.
package struct ToolError: Error, CustomStringConvertible {
    package let description: String
    package let status: ExitStatus

    init(_ description: String, _ status: ExitStatus) {
        self.description = description
        self.status = status
    }

    /// An order to the store that was refused here; a daemon's refusal ends with the same status.
    package init(_ refusal: StoreRefusal) { self.init(refusal.description, refusal.status) }
}

extension ToolError {
    /// There are several collaborations and none was named, or there is none of that name.
    static func collaboration(_ name: String?, among all: [String]) -> ToolError {
        let list = all.joined(separator: ", ")
        guard let name else {
            return ToolError("there are several collaborations (\(list)): name one with --collaboration", .usage)
        }
        return ToolError("there is no collaboration '\(name)'; budkavled.yaml has \(list)", .usage)
    }
}

/// Master keys as files.
package enum MasterKeyFile {
    /// Writes a new master key: 32 random bytes, mode 0600. An existing file is never overwritten.
    package static func generate(at path: String) throws(ToolError) {
        do throws(JournalError) {
            try KeyRing.generate(at: path)
        } catch {
            throw ToolError(error.description, error.exitStatus)
        }
    }
}

/// What `explain` answers: who would get one event, by which rule, and who is refused and why. Nothing is sent.
package struct EventExplanation: Sendable {
    package let policy: Policy
    package let explanation: Explanation
    package let at: Timestamp

    /// Explains the event in `path` (`-` is standard input) by the policies in `directory`.
    ///
    /// - Parameters:
    ///   - time: RFC 3339; `nil` is now, in exercise mode the clock's start.
    ///   - collaboration: which one, if there are several; `nil` is the first.
    package static func make(
        directory: String, event path: String, at time: String?, collaboration: String?
    ) throws(ToolError) -> EventExplanation {
        let report = try ConfigurationReport.make(directory: directory)
        let found = report.policies.first { collaboration == nil || $0.collaboration.text == collaboration }
        guard let policy = found, report.errorCount == 0 else {
            let problems = report.diagnosticTexts.joined(separator: "\n")
            throw ToolError(
                problems.isEmpty ? "\(directory) has no such collaboration" : problems, .configuration)
        }
        var instant = policy.clock?.start ?? WallTime.now
        if let time {
            guard let given = Timestamp(rfc3339: time) else {
                throw ToolError("--at must be a time with zone, for example 2026-12-11T23:10:00+01:00", .usage)
            }
            instant = given
        }
        let data =
            path == "-"
            ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
        guard let data else { throw ToolError("\(path): cannot be read", .noInput) }
        do throws(Refusal) {
            let decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
            let notification = try decoder.decode(Array(data))
            return EventExplanation(
                policy: policy, explanation: policy.explain(notification, at: instant), at: instant)
        } catch {
            let place = error.pointer.isEmpty ? "" : "\(error.pointer): "
            throw ToolError("\(path): \(place)\(error.message) [\(error.code.rawValue)]", .data)
        }
    }
}
