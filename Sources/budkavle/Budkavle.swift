import ArgumentParser
import BudkavleClient
import Console
import Foundation

/// The command line of on-call staff, senders and administrators.
struct Budkavle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budkavle",
        abstract: "Sends, reads and acknowledges case notifications through a Budkavle relay.",
        discussion: """
            Acute danger: ring 112. Budkavle is no alarm.
            Exit codes: 0 done, 1 negative answer, 3 nobody would get it, 64 usage, 65 wrong input, 66 input missing, \
            67 unknown party, 69 relay not reachable, 70 bug, 74 input/output, 75 not confirmed (safe to repeat), \
            76 protocol, 77 refused, 78 configuration, 130 interrupted.
            Environment: BUDKAVLE_PROFILE, BUDKAVLE_LANG, NO_COLOR, FORCE_COLOR, XDG_CONFIG_HOME, TZ.
            """,
        version: "1.0.0",
        subcommands: [
            SendCommand.self, InboxCommand.self, WatchCommand.self, ShowCommand.self, AcknowledgeCommand.self,
            StatusCommand.self, ReceiptsCommand.self, AdminCommand.self, AuthorityCommand.self, DemoCommand.self,
        ])
}

@main
enum Main {
    static func main() async {
        Output.holdStreams()
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let failure = unknownCommand(arguments) { end(failure) }
        do {
            var command = try Budkavle.parseAsRoot(arguments)
            if command is DemoCommand == false {
                // Ctrl-C answers at once: what was not confirmed is safe to repeat, the relay keeps the rest.
                signal(SIGINT) { _ in _exit(ExitStatus.interrupted.rawValue) }
            }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            end(failure)
        } catch {
            Budkavle.exit(withError: error)
        }
        exit(ExitStatus.done.rawValue)
    }

    /// ArgumentParser suggests options only; commands we suggest ourselves.
    static func unknownCommand(_ arguments: [String]) -> CommandFailure? {
        var command: any ParsableCommand.Type = Budkavle.self
        for word in arguments {
            if word.hasPrefix("-") { return nil }
            let children = command.configuration.subcommands
            if children.isEmpty { return nil }
            guard let child = children.first(where: { name(of: $0) == word }) else {
                if word == "help" { return nil }
                let hint = DidYouMean.suggestion(for: word, among: children.map(name(of:)))
                let question = hint.map { "; " + Message.didYouMean($0).text(Startup.language) } ?? ""
                let text = Message.unknownCommand(Sanitizer.line(word)).text(Startup.language)
                return CommandFailure(.usage, "budkavle: \(text)\(question)")
            }
            command = child
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? ""
    }

    private static func end(_ failure: CommandFailure) -> Never {
        if !failure.text.isEmpty { Output.tell(failure.text) }
        exit(failure.status)
    }
}

/// How a command ends other than well: an exit status, and what to say on stderr.
struct CommandFailure: Error {
    let status: Int32
    let text: String

    init(_ status: ExitStatus, _ text: String = "") {
        self.status = status.rawValue
        self.text = text
    }

    init(status: Int32, _ text: String) {
        self.status = status
        self.text = text
    }
}

/// What is known before options are.
enum Startup {
    static var language: Language {
        Language.chosen(flag: nil, profile: nil) { ProcessInfo.processInfo.environment[$0] }
    }
}
