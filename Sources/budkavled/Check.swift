import ArgumentParser
import BudkavleServer

/// `budkavled check`: everything that can be known without starting, all mistakes at once.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate the configuration and run the policies' worked examples. Exit 0 or 78.")
    @OptionGroup var config: ConfigurationOption
    @Flag(help: "One JSON object on standard output.") var json = false

    func run() throws {
        let report = ConfigurationReport.make(directory: config.directory)
        if json {
            try Terminal.put(report.json)
        } else {
            for text in report.diagnosticTexts { Terminal.complain(text + "\n") }
            try Terminal.put(report.summary)
        }
        if !report.isClean { throw ExitCode(ExitStatus.configuration.rawValue) }
    }
}
