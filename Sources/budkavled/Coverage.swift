import ArgumentParser
import BudkavleServer
import Console
import Routing

/// `budkavled coverage`: is there somebody for every municipality and urgent type round the clock? Offline, reads files only.
struct Coverage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Say per municipality and urgent type whether somebody answers round the clock. Exit 0 or 1.",
        discussion: """
            Exit 1 means a U1 gap that no board has signed (coverage-gap in its party file); in production mode such a
            policy is not activated. U2 is shown for information.
            """)
    @OptionGroup var config: ConfigurationOption
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Option(help: "How many weeks.") var weeks = CoverageRequest.defaultWeeks
    @Option(name: .customLong("from"), help: "The first day (2026-12-11); default is now, or the clock's start.")
    var start: String?
    @Flag(help: "One JSON object on standard output.") var json = false

    func validate() throws {
        if !CoverageRequest.weekLimits.contains(weeks) { throw ValidationError("--weeks must be 1 to 52") }
        if let start, CivilDay(start) == nil { throw ValidationError("--from must be a date such as 2026-12-11") }
    }

    func run() throws {
        let source = try Terminal.unlessRefused { () throws(ToolError) in
            try PolicySource.one(in: config.directory, collaboration: collaboration)
        }
        let policy = source.policy
        let instant = start.flatMap { CivilDay($0) }.map { $0.instant(zone: policy.zone) } ?? source.instant
        let report = policy.coverage(CoverageRequest(from: instant, weeks: weeks))
        let text = CoverageText(policy: policy, report: report)
        try Terminal.put(json ? text.json : text.lines.joined(separator: "\n"))
        if !report.blocking.isEmpty { throw ExitCode(BudkavleServer.ExitStatus.negative.rawValue) }
    }
}
