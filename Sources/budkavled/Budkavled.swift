import ArgumentParser
import BudkavleServer
import Foundation
import Logging
import Settings

/// The relay's daemon and its tools that work on files.
@main
struct Budkavled: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budkavled",
        abstract: "Secure relay for case notifications: the daemon and the tools for its files.",
        version: ServerVersion.number,
        subcommands: [
            Run.self, Check.self, Explain.self, Coverage.self, Diff.self, Simulate.self, Types.self, Schema.self,
            Approve.self, Keys.self, Journal.self, Erase.self, Audit.self, Backup.self, Restore.self,
        ])
}

/// `--config DIR`, shared by all.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "Configuration directory (budkavled.yaml and the policies).")
    var directory = "/etc/budkavle"
}

/// `budkavled run`: serves until SIGTERM.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until SIGTERM; SIGHUP reloads.")
    @OptionGroup var config: ConfigurationOption

    func run() throws {
        SignalWatch.block()
        let log = DaemonLog(logger: logger())
        do {
            let daemon = try Daemon(configDirectory: config.directory, log: log)
            try daemon.start()
            throw ExitCode(daemon.waitForEnd().rawValue)
        } catch let error as StartError {
            Terminal.complain("\(error)")
            throw ExitCode(error.status.rawValue)
        }
    }

    /// Level and format as the settings say; a mistake in them is told by the start itself.
    private func logger() -> Logger {
        let settings = try? DaemonSettings.read(directory: config.directory, log: DiagnosticLog())
        let format: LineLogHandler.Format? =
            switch settings?.logFormat {
            case "json": .json
            case "text": .text
            default: nil
            }
        let level = settings.flatMap { Logger.Level(rawValue: $0.logLevel) } ?? .info
        return Logger(label: "budkavled") { _ in LineLogHandler(format: format, level: level) }
    }
}

/// Talk goes to standard error, data to standard output.
enum Terminal {
    static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Does `work`; what it cannot do is told on standard error and ends the program with its status.
    static func unlessRefused<Result>(_ work: () throws(ToolError) -> Result) throws -> Result {
        do throws(ToolError) {
            return try work()
        } catch {
            complain(error.description)
            throw ExitCode(error.status.rawValue)
        }
    }
}
