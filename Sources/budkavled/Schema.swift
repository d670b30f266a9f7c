import ArgumentParser
import BudkavleServer
import Console
import Routing

/// Which type of which policy.
struct TypeOptions: ParsableArguments {
    @OptionGroup var config: ConfigurationOption
    @Option(help: "Which collaboration, if there are several; default is the first.") var collaboration: String?
    @Argument(help: "An event type, whole or short: custody.released.") var type: String?

    /// The policy.
    func source() throws -> PolicySource {
        try Terminal.unlessRefused { () throws(ToolError) in
            let all = try PolicySource.all(in: config.directory)
            if collaboration == nil, let first = all.first { return first }
            return try PolicySource.one(in: config.directory, collaboration: collaboration)
        }
    }

    /// What `make` says; ends with 66 when there is no such type.
    func unlessUnknown<Value>(_ make: () throws(UnknownEventType) -> Value) throws -> Value {
        do throws(UnknownEventType) {
            return try make()
        } catch {
            Terminal.complain(error.description)
            throw ExitCode(BudkavleServer.ExitStatus.noInput.rawValue)
        }
    }
}

/// `budkavled schema [TYPE]`: what integrators check their events against.
struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema (2020-12) of an event type, or of all in one object by type.")
    @OptionGroup var options: TypeOptions

    func run() throws {
        let policy = try options.source().whole
        try Terminal.put(
            try options.unlessUnknown { () throws(UnknownEventType) in
                EventSchema.json(of: try UnknownEventType.find(options.type, in: policy), in: policy)
            })
    }
}

/// `budkavled types [TYPE]`: what may be sent, by whom and to whom.
struct Types: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "List the event types; of one its fields, who sends and who may get it by which rule, an example.")
    @OptionGroup var options: TypeOptions
    @Flag(help: "One JSON object on standard output.") var json = false

    func run() throws {
        let source = try options.source()
        let text = TypeCatalogueText(policy: source.whole, at: source.instant)
        let type = try options.unlessUnknown { () throws(UnknownEventType) in
            try UnknownEventType.find(options.type, in: source.whole)
        }
        if json { return try Terminal.put(text.json(of: type)) }
        try Terminal.put((type.flatMap(text.lines(of:)) ?? text.lines).joined(separator: "\n"))
    }
}
