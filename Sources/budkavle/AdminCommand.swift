import ArgumentParser
import BudkavleClient
import Console

/// `budkavle admin`.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Sessions, queues, policy and store of a relay. Every call is audited there.",
        discussion: "Without --host and profile it uses \(Relation.systemSocket), where there is one.",
        subcommands: [
            Sessions.self, Queues.self, DeadLetters.self, Requeue.self, Reload.self, Drain.self, Undrain.self,
            Clock.self, Disconnect.self, Keys.self, Erase.self, Backup.self, Salvage.self,
        ])

    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "sessions", abstract: "Who is connected.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let relation = try Relation(connection, prefersSystemSocket: true)
            try await relation.run {
                try relation.show(try await relation.ask("sessions")) {
                    AdminRenderer(relation.surroundings.presentation).lines(try SessionsAnswer($0))
                }
            }
        }
    }

    struct Queues: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "queues", abstract: "How much waits where. Protected deliveries count in the total only.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let relation = try Relation(connection, prefersSystemSocket: true)
            try await relation.run {
                try relation.show(try await relation.ask("queues")) {
                    AdminRenderer(relation.surroundings.presentation).lines(try QueuesAnswer($0))
                }
            }
        }
    }

    struct Reload: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reload", abstract: "Reads policy, certificates and revocation lists again.",
            discussion: "A policy with an error is refused, the old one holds: exit 78.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let relation = try Relation(connection, prefersSystemSocket: true)
            let answer = try await relation.run { try await relation.client.administer("reload") }
            let reload = try ReloadAnswer(answer)
            try relation.show(answer) { _ in AdminRenderer(relation.surroundings.presentation).lines(reload) }
            if !reload.isActivated { throw CommandFailure(.configuration) }
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Takes no new notifications; delivering and acknowledging go on.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws { try await AdminCommand.drain("drain", connection) }
    }

    struct Undrain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undrain", abstract: "Takes new notifications again.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws { try await AdminCommand.drain("undrain", connection) }
    }

    struct Clock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clock", abstract: "The relay's clock; in exercise mode it can be advanced.",
            subcommands: [Read.self, Advance.self], defaultSubcommand: Read.self)

        struct Read: AsyncParsableCommand {
            static let configuration = CommandConfiguration(commandName: "read", abstract: "Shows it.")
            @OptionGroup var connection: ConnectionOptions

            func run() async throws { try await AdminCommand.clock(ReportBody(), connection) }
        }

        struct Advance: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "advance", abstract: "Moves a simulated clock forward.")
            @Argument(help: "How far: 30s, 15m, 2h or 1d; up to 365d.")
            var by: ClockStep
            @OptionGroup var connection: ConnectionOptions

            func run() async throws {
                var body = ReportBody()
                body.add("advance", by.seconds)
                try await AdminCommand.clock(body, connection)
            }
        }
    }

    struct Disconnect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disconnect", abstract: "Cuts sessions; well-made clients come back.",
            discussion: "Exit 1 when there was none to cut.")
        @Option(help: "Only this session.")
        var session: String?
        @Option(help: "Every session of this party.")
        var party: String?
        @Option(help: "Only this client of the party.")
        var client: String?
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            if (session == nil) == (party == nil) { throw ValidationError("name --session or --party") }
            if client != nil && party == nil { throw ValidationError("--client goes with --party") }
        }

        func run() async throws {
            let relation = try Relation(connection, prefersSystemSocket: true)
            var body = ReportBody()
            body.add("session", session)
            body.add("party", party)
            body.add("client", client)
            let answer = try await relation.run { try await relation.client.administer("disconnect", body.bytes) }
            let cut = try DisconnectAnswer(answer)
            try relation.show(answer) { _ in AdminRenderer(relation.surroundings.presentation).lines(cut) }
            if cut.count == 0 { throw CommandFailure(.negative) }
        }
    }

    private static func drain(_ verb: String, _ connection: ConnectionOptions) async throws {
        let relation = try Relation(connection, prefersSystemSocket: true)
        try await relation.run {
            try relation.show(try await relation.client.administer(verb)) {
                AdminRenderer(relation.surroundings.presentation).lines(try DrainAnswer($0))
            }
        }
    }

    private static func clock(_ body: ReportBody, _ connection: ConnectionOptions) async throws {
        let relation = try Relation(connection, prefersSystemSocket: true)
        try await relation.run {
            try relation.show(try await relation.client.administer("clock", body.bytes)) {
                AdminRenderer(relation.surroundings.presentation).lines(try ClockAnswer($0))
            }
        }
    }
}

/// `15m` and the like.
struct ClockStep: ExpressibleByArgument {
    let seconds: Int

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()), count > 0,
            count <= 31_536_000 / unit
        else { return nil }
        seconds = count * unit
    }
}
