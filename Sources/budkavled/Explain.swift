import ArgumentParser
import BudkavleServer
import Console

/// `budkavled explain`: who would get one event, by which rule, and who is refused and why. Offline, nothing is sent.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say for one event who gets what by which rule, and who is refused and why.")
    @OptionGroup var config: ConfigurationOption
    @Argument(help: "A CloudEvents JSON file, or - for standard input.") var event: String
    @Option(help: "The time of acceptance (RFC 3339); default is now, in exercise mode the clock's start.")
    var at: String?
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Flag(help: "One JSON object on standard output.") var json = false

    func run() throws {
        let found = try Terminal.unlessRefused { () throws(ToolError) in
            try EventExplanation.make(
                directory: config.directory, event: event, at: at, collaboration: collaboration)
        }
        let text = ExplanationText(policy: found.policy, explanation: found.explanation, at: found.at)
        print(json ? text.json : text.lines.joined(separator: "\n"))
    }
}
