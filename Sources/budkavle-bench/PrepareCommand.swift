import ArgumentParser
import Foundation

/// `budkavle-bench prepare`: everything for a relay that can be measured, and the command lines.
struct PrepareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Write policy, certificates and body templates to measure a relay with; prints the commands.")

    @Argument(help: "Directory; must be empty or not there yet.")
    var directory: String

    @Option(help: "Port that the relay listens on (1...65535).")
    var port = 61_614

    @Option(name: .customLong("body-bytes"), help: "Size of a notification.")
    var bodyBytes = 1024

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
        try LoadCommand.check(bodyBytes: bodyBytes)
    }

    func run() throws {
        try Terminal.reporting {
            let made = try BenchDirectory.make(at: directory, port: port, bodyBytes: bodyBytes)
            print("# the relay")
            print(made.daemonCommand)
            for fanOut in FanOut.allCases.reversed() {
                print("\n# stompload, fan-out \(fanOut.rawValue)")
                print(made.stomploadCommand(fanOut, port: port))
            }
            print("\n# the same with this program")
            print("budkavle-bench load --host 127.0.0.1 --port \(port) --dir \(made.path) --fan-out 3")
        }
    }
}
