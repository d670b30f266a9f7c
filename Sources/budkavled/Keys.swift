import ArgumentParser
import BudkavleServer

/// `budkavled keys`: master keys.
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Master keys of the journal.", subcommands: [Generate.self])

    /// `budkavled keys generate FILE`.
    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a new master key: 32 random bytes, mode 0600. An existing file is never overwritten.")
        @Argument(help: "Where to write it.") var file: String

        func run() throws {
            try Terminal.unlessRefused { () throws(ToolError) in try MasterKeyFile.generate(at: file) }
        }
    }
}
