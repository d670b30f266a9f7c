import ArgumentParser
import BudkavleServer
import Console
import Foundation

/// Options of every command that works on a collaboration's store.
struct StoreOptions: ParsableArguments {
    @OptionGroup var config: ConfigurationOption
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Flag(help: "One JSON object on standard output.") var json = false
    @Option(help: "How long an order to a running daemon may take, in seconds.") var timeout = 3_600

    func validate() throws {
        if !(1...86_400).contains(timeout) { throw ValidationError("--timeout must be 1 to 86400 seconds") }
    }

    /// Where the store is, and who holds it.
    func site() throws -> StoreSite {
        try Terminal.unlessRefused { () throws(ToolError) in
            try StoreSite.find(configDirectory: config.directory, collaboration: collaboration)
        }
    }

    /// Prints an answer: as JSON when that is wanted, else in words.
    func show(_ answer: [UInt8]) throws {
        let lines: [String]
        do {
            let language = Language.chosen(flag: nil, profile: nil) { ProcessInfo.processInfo.environment[$0] }
            lines = json ? [try JSONText.line(answer)] : try StoreRenderer(language).lines(answer)
        } catch {
            Terminal.complain("budkavled: \(error)")
            throw ExitCode(BudkavleServer.ExitStatus.protocolFault.rawValue)
        }
        try Terminal.put(lines)
    }

    /// Shows the answer of a look at the store; what did not hold ends with 1.
    func show(_ found: StoreFinding) throws {
        try show(found.answer)
        if !found.isSound { throw ExitCode(BudkavleServer.ExitStatus.negative.rawValue) }
    }

    /// Carries out an order: by the daemon that holds the directory, else here.
    func carryOut(_ order: StoreOrder) throws {
        try show(try StoreRelation(options: self, site: try site()).carryOut(order))
    }
}

/// Why, and who answers for it.
struct ReasonOptions: ParsableArguments {
    @Option(help: "Why; stored sealed. - reads it from standard input, so that it stands in no process list.")
    var reason: String
    @Option(help: "Who answers for it.") var by: String?

    func stated() throws -> StatedReason { try Self.stated(reason, by: by) }

    static func stated(_ reason: String, by: String?) throws -> StatedReason {
        var text = reason
        if reason == "-" {
            let data = FileHandle.standardInput.readDataToEndOfFile()
            text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard let stated = StatedReason(text, by: by) else {
            Terminal.complain(
                "--reason needs 1 to \(StatedReason.textLimitBytes) bytes, --by 1 to \(StatedReason.nameLimitBytes)")
            throw ExitCode(BudkavleServer.ExitStatus.usage.rawValue)
        }
        return stated
    }
}
