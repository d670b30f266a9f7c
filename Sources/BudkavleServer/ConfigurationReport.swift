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
    /// Files that budkavled.yaml names and that were not read here.
    var unread: [String] = []

    var errorCount: Int { diagnostics.count { $0.severity == .error } }
    var failed: [ExampleResult] { examples.flatMap(\.results).filter { !$0.passed } }
    /// Whether it would be activated.
    package var isClean: Bool { errorCount == 0 && failed.isEmpty }

    /// Reads and checks what stands in `directory`, and the files that it names. Blocks.
    package static func make(directory: String) -> ConfigurationReport {
        var report = ConfigurationReport()
        let log = DiagnosticLog()
        do throws(SettingsFault) {
            let settings = try DaemonSettings.read(directory: directory, log: log)
            // What budkavled.yaml lists is read although there are mistakes elsewhere in it: all are told at once.
            let listed = settings?.collaborations ?? DaemonSettings.collaborations(directory: directory)
            let (each, between) = PolicyFiles.checkAll(listed)
            for (collaboration, found) in zip(listed, each) { report.add(found, of: collaboration) }
            report.diagnostics += between
            if let settings {
                var files = NamedFiles(settings, log: log)
                files.check(report.policies)
                report.unread = files.unread
            }
        } catch {
            log.add(error.diagnostic)
        }
        report.diagnostics = log.diagnostics + report.diagnostics
        return report
    }

    private mutating func add(
        _ found: Result<PolicyCheckResult, any Error>, of collaboration: DaemonSettings.Collaboration
    ) {
        let result: PolicyCheckResult
        do { result = try found.get() } catch {
            let place = SourceLocation(file: collaboration.directory, line: 1, column: 1)
            let fault = (error as? SettingsFault)?.diagnostic
            return diagnostics.append(fault ?? Diagnostic(code: .unreadable, location: place, message: "\(error)"))
        }
        diagnostics += result.diagnostics
        examples.append((collaboration.directory, result.examples))
        guard let policy = result.policy else { return }
        policies.append(policy)
        if policy.mode == .exercise, let line = result.approvals?.summary {
            approvals.append("\(policy.collaboration.text): \(line)")
        }
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
                results.isEmpty
                    ? "\(collaboration)/tests.yaml: no worked example was run"
                    : "\(collaboration)/tests.yaml: \(passed) worked examples passed, \(results.count - passed) failed")
            for result in results where !result.passed {
                lines.append("  x '\(result.name)'  \(result.location)")
                lines += result.failures.map { "      \($0)" }
            }
        }
        lines += approvals
        if !unread.isEmpty {
            lines.append("\(Self.count(unread.count, "file")) not read here: \(unread.joined(separator: ", "))")
        }
        let warnings = Self.count(diagnostics.count - errorCount, "warning")
        lines.append(
            "\(Self.count(errorCount, "error")), \(warnings), \(Self.count(failed.count, "failed example"))")
        return lines
    }

    private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

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
        object["unread"] = .array(unread.map { .string($0) })
        return JSONValue.object(object).text
    }
}
