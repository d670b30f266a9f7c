import ArgumentParser
import BudkavleServer

/// `budkavled check`: everything that can be known without starting, all mistakes at once.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate the configuration and run the policies' worked examples. Exit 0 or 78.")
    @OptionGroup var config: ConfigurationOption
    @Flag(help: "One JSON object on standard output.") var json = false

    func run() throws {
        let report = try Terminal.unlessRefused { () throws(ToolError) in
            try ConfigurationReport.make(directory: config.directory)
        }
        if json {
            print(report.json)
        } else {
            for text in report.diagnosticTexts { Terminal.complain(text + "\n") }
            for line in report.summary { print(line) }
        }
        if !report.isClean { throw ExitCode(ExitStatus.configuration.rawValue) }
    }
}
