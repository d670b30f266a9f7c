import ArgumentParser
import BudkavleClient
import Console
import Foundation

/// The orders of `budkavle admin` to the relay's store. `budkavled` gives the same on the machine itself, also without a daemon.
extension AdminCommand {
    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters", abstract: "Deliveries that were set aside after their last attempt.")
        @Option(help: "At most so many, 1 to 500.") var limit: Int?
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            var body = ReportBody()
            body.add("limit", limit)
            try await AdminCommand.order("dead-letters", body, connection)
        }
    }

    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "requeue", abstract: "Gives what was set aside to stations again.")
        @Argument(help: "The delivery, as dead-letters lists it.") var delivery: String?
        @Option(help: "All of this desk.") var desk: String?
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            if (delivery == nil) == (desk == nil) { throw ValidationError("name a delivery or --desk") }
        }

        func run() async throws {
            var body = ReportBody()
            body.add("delivery", delivery)
            body.add("desk", desk)
            try await AdminCommand.order("requeue", body, connection)
        }
    }

    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keys", abstract: "Master keys of the relay's journal.",
            subcommands: [List.self, Rotate.self, Retire.self], defaultSubcommand: List.self)

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "list", abstract: "Which are at hand and what is sealed under them.")
            @OptionGroup var connection: ConnectionOptions

            func run() async throws { try await AdminCommand.keys("list", nil, connection) }
        }

        struct Rotate: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "rotate", abstract: "Seals everything under the key that budkavled.yaml calls active.")
            @OptionGroup var connection: ConnectionOptions

            func run() async throws { try await AdminCommand.keys("rotate", nil, connection) }
        }

        struct Retire: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "retire", abstract: "Makes sure that a key is needed no longer; exit 1 while it is.")
            @Argument(help: "Its id.") var id: String
            @OptionGroup var connection: ConnectionOptions

            func run() async throws { try await AdminCommand.keys("retire", id, connection) }
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "erase", abstract: "Makes a case's or a notification's content unreadable for ever.")
        @Option(name: .customLong("case"), help: "The case.") var subject: String?
        @Option(help: "One notification, by the relay's id.") var notification: String?
        @OptionGroup var why: WhyOptions
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            if (subject == nil) == (notification == nil) { throw ValidationError("name --case or --notification") }
        }

        func run() async throws {
            var body = ReportBody()
            body.add("case", subject)
            body.add("notification", notification)
            try why.add(to: &body)
            try await AdminCommand.order("erase", body, connection)
        }
    }

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Copies the journal, or its keys, to new directories of the relay's machine.")
        @Option(help: "For the journal: an absolute path there.") var journal: String?
        @Option(help: "For the key set: an absolute path there.") var keys: String?
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            if journal == nil && keys == nil { throw ValidationError("name --journal, --keys or both") }
        }

        func run() async throws {
            var body = ReportBody()
            body.add("journal", journal)
            body.add("keys", keys)
            try await AdminCommand.order("backup", body, connection)
        }
    }

    struct Salvage: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "salvage", abstract: "Accepts what stopped the relay's answers, and lets them go on.")
        @Flag(help: "Needed: it is accepted, and audited.") var accept = false
        @OptionGroup var why: WhyOptions
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            if !accept { throw ValidationError("--accept is needed; read first what budkavled journal salvage says") }
        }

        func run() async throws {
            var body = ReportBody()
            body.add("accept", true)
            try why.add(to: &body)
            try await AdminCommand.order("salvage", body, connection)
        }
    }

    private static func keys(_ action: String, _ id: String?, _ connection: ConnectionOptions) async throws {
        var body = ReportBody()
        body.add("action", action)
        body.add("id", id)
        try await order("keys", body, connection)
    }

    private static func order(_ verb: String, _ body: ReportBody, _ connection: ConnectionOptions) async throws {
        let relation = try Relation(connection, prefersSystemSocket: true)
        try await relation.run {
            try relation.show(try await relation.client.administer(verb, body.bytes)) {
                try StoreRenderer(relation.surroundings.language).lines($0)
            }
        }
    }
}

/// Why, and who answers for it.
struct WhyOptions: ParsableArguments {
    @Option(help: "Why; stored sealed. - reads it from standard input, so that it stands in no process list.")
    var reason: String
    @Option(help: "Who answers for it.") var by: String?

    func add(to body: inout ReportBody) throws {
        var text = reason
        if reason == "-" {
            let data = FileHandle.standardInput.readDataToEndOfFile()
            text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        body.add("reason", text)
        body.add("by", by)
    }
}
