import CaseNotifications
import Routing
import Settings

/// What `check` found.
package struct ConfigurationReport: Sendable {
    var diagnostics: [Diagnostic] = []
    var examples: [(collaboration: String, results: [ExampleResult])] = []
    var policies: [Policy] = []
    /// A line for each exercise that nobody has approved anything of.
    var approvals: [String] = []

    var errorCount: Int { diagnostics.count { $0.severity == .error } }
    var failed: [ExampleResult] { examples.flatMap(\.results).filter { !$0.passed } }
    /// Whether it would be activated.
    package var isClean: Bool { errorCount == 0 && failed.isEmpty }

    /// Reads and checks what stands in `directory`. Blocks.
    package static func make(directory: String) throws(ToolError) -> ConfigurationReport {
        var report = ConfigurationReport()
        let log = DiagnosticLog()
        do {
            let settings = try DaemonSettings.read(directory: directory, log: log)
            report.diagnostics = log.diagnostics
            for collaboration in settings?.collaborations ?? [] {
                let result = try PolicyFiles.check(directory: collaboration.directory)
                report.diagnostics += result.diagnostics
                report.examples.append((collaboration.directory, result.examples))
                if let policy = result.policy { report.policies.append(policy) }
                if let policy = result.policy, policy.mode == .exercise, let line = result.approvals?.summary {
                    report.approvals.append("\(policy.collaboration.text): \(line)")
                }
            }
        } catch {
            throw ToolError("\(error)", .configuration)
        }
        return report
    }

    /// Every diagnostic as text with its place, GNU style.
    package var diagnosticTexts: [String] { diagnostics.map(\.text) }

    /// What there is and how many mistakes, a line each.
    package var summary: [String] {
        var lines = policies.map { policy in
            "\(policy.collaboration.text): \(policy.parties.count) parties, \(policy.catalogue.types.count) types, "
                + "policy \(policy.digest.hex.prefix(12))…"
        }
        for (collaboration, results) in examples {
            let passed = results.count { $0.passed }
            lines.append(
                "\(collaboration)/tests.yaml: \(passed) worked examples passed, \(results.count - passed) failed")
            for result in results where !result.passed {
                lines.append("  x '\(result.name)'  \(result.location)")
                lines += result.failures.map { "      \($0)" }
            }
        }
        lines += approvals
        let warnings = diagnostics.count - errorCount
        lines.append("\(errorCount) errors, \(warnings) warnings, \(failed.count) failed examples")
        return lines
    }

    /// One object, `budkavle.check/1`.
    package var json: String {
        var object = JSONObject()
        object["schema"] = "budkavle.check/1"
        object["clean"] = .bool(isClean)
        object["diagnostics"] = .array(diagnostics.compactMap { try? JSONValue(parsing: Array($0.json.utf8)) })
        object["examples"] = .array(
            examples.flatMap(\.results).map { result in
                [
                    "name": .string(result.name), "passed": .bool(result.passed),
                    "failures": .array(result.failures.map { .string($0) }),
                ]
            })
        object["approvals"] = .array(approvals.map { .string($0) })
        return JSONValue.object(object).text
    }
}
