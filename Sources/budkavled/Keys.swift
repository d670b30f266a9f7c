import ArgumentParser
import BudkavleServer

/// `budkavled keys`: master keys.
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Master keys of the journal.",
        subcommands: [Generate.self, List.self, Rotate.self, Retire.self])

    /// `budkavled keys generate FILE`.
    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a new master key: 32 random bytes, mode 0600. An existing file is never overwritten.")
        @Argument(help: "Where to write it.") var file: String

        func run() throws {
            try Terminal.unlessRefused { () throws(ToolError) in try MasterKeyFile.generate(at: file) }
        }
    }

    /// `budkavled keys list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Which master keys are at hand and what is wrapped under them. Reads only, beside a daemon too.")
        @OptionGroup var options: StoreOptions

        func run() throws {
            let site = try options.site()
            try options.show(try Terminal.unlessRefused { () throws(ToolError) in try site.listKeys() })
        }
    }

    /// `budkavled keys rotate`.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wrap everything under the master key that budkavled.yaml calls active.",
            discussion: """
                First: keys generate FILE; then in budkavled.yaml
                  journal: {master-keys: {active: v2, files: {v1: OLD, v2: NEW}}}
                A running daemon reads these lines again and goes on without a pause; data is not touched.
                """)
        @OptionGroup var options: StoreOptions

        func run() throws { try options.carryOut(.rotateKeys) }
    }

    /// `budkavled keys retire ID`.
    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make sure that a master key is needed no longer; exit 1 while it is.",
            discussion: "Then take it out of budkavled.yaml and destroy its file and every copy of it.")
        @Argument(help: "The key's id, as keys list shows it.") var id: String
        @OptionGroup var options: StoreOptions

        func run() throws { try options.carryOut(.retireKey(id)) }
    }
}
