import ArgumentParser
import BudkavleServer
import Console
import Routing

/// `budkavled simulate --candidate DIR`: what a candidate would have done otherwise. Reads only, beside a daemon too.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Decide again what was sent, by a candidate. Exit 0 same, 2 different, 3 widened or a duty lost.",
        discussion: """
            The journal gives each notification: its content is opened with the master key, for its envelope alone. Where
            the content was erased or has gone, the envelope is rebuilt from who got it by which rule, and the answer says
            how often, and what was assumed. --events takes whole events instead. Answers name types, parties, rules and
            notification ids only.
            """)
    @OptionGroup var config: ConfigurationOption
    @Option(help: "The candidate: a configuration directory, or the directory of one policy.") var candidate: String
    @Option(help: "How far back in the journal, in days: 30d.") var replay = "30d"
    @Option(help: "A file of CloudEvents JSON, one a line, instead of the journal; - for standard input.")
    var events: String?
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Flag(help: "One JSON object on standard output.") var json = false

    private var days: Int? {
        guard replay.hasSuffix("d"), let days = Int(replay.dropLast()), PolicySimulation.dayLimits.contains(days) else {
            return nil
        }
        return days
    }

    func validate() throws {
        if days == nil { throw ValidationError("--replay must be 1d to 3650d") }
    }

    func run() throws {
        let source: PolicySimulation.Source = events.map { .events($0) } ?? .journal(days: days ?? 30)
        let found = try Terminal.unlessRefused { () throws(ToolError) in
            try PolicySimulation.run(
                configDirectory: config.directory, candidate: candidate, collaboration: collaboration, source: source)
        }
        var notes: [String] = []
        if found.report.rebuilt > 0 {
            let other = found.report.rebuilt - found.erased
            notes.append(
                "\(found.report.rebuilt) rebuilt from who got them by which rule: \(found.erased) erased, \(other) gone or not"
                    + " readable")
        }
        notes += found.assumptions.map { "assumed in those, " + $0 }
        if found.unexplained > 0 {
            notes.append(
                "\(found.unexplained) were not compared: the running policy does not have their type, or their content is not"
                    + " there and no envelope gives the recipients that are recorded")
        }
        if found.underOtherPolicies > 0 {
            notes.append("\(found.underOtherPolicies) were accepted under another policy than the running one")
        }
        if found.unreadable > 0 { notes.append("\(found.unreadable) could not be read") }
        let text = SimulationText(found.report, running: found.running, candidate: found.candidate, notes: notes)
        try Terminal.put(json ? text.json : text.lines.joined(separator: "\n"))
        if events != nil, found.report.compared == 0 {
            Terminal.complain("nothing was compared: no event came from --events")
            throw ExitCode(BudkavleServer.ExitStatus.noInput.rawValue)
        }
        if found.report.dutiesLost > 0 || !found.report.widened.isEmpty {
            throw ExitCode(BudkavleServer.ExitStatus.widened.rawValue)
        }
        if found.report.same < found.report.compared {
            throw ExitCode(BudkavleServer.ExitStatus.different.rawValue)
        }
    }
}
