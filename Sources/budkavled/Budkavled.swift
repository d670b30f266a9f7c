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

    static func main() {
        Terminal.holdStreams()
        if let word = CommandLine.arguments.dropFirst().first, let hint = suggestion(for: word) {
            Terminal.complain("budkavled: there is no command \(Diagnostic.quote(word)); \(hint)")
            exit(withError: ExitCode(BudkavleServer.ExitStatus.usage.rawValue))
        }
        main(nil)
    }

    /// ArgumentParser suggests options only; commands we suggest ourselves.
    private static func suggestion(for word: String) -> String? {
        let names = configuration.subcommands.map { String(describing: $0).lowercased() }
        guard !word.hasPrefix("-"), word != "help", !names.contains(word) else { return nil }
        return Suggestion.hint(for: word, among: names)
    }
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
    static func complain(_ text: String) { _ = say(text, to: STDERR_FILENO) }

    /// Writes one or more lines; what stopped it, or nil.
    private static func say(_ text: String, to descriptor: Int32) -> Int32? {
        WholeWrite.write(Array((text + "\n").utf8), to: descriptor)
    }

    /// Takes the place of standard streams that are closed, so that no file that is opened later gets their numbers: what is
    /// printed would go into it.
    static func holdStreams() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDWR)]
        where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", mode) }
    }

    /// Writes one or more lines of data.
    ///
    /// - Throws: 74 when standard output takes no more: what was to be kept is not.
    static func put(_ text: String) throws {
        guard let error = say(text, to: STDOUT_FILENO) else { return }
        complain("budkavled: standard output takes no more: \(String(cString: strerror(error)))")
        throw ExitCode(BudkavleServer.ExitStatus.inputOutput.rawValue)
    }

    /// Writes lines of data; none at all for none.
    static func put(_ lines: [String]) throws {
        if !lines.isEmpty { try put(lines.joined(separator: "\n")) }
    }

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
