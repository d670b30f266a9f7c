import ArgumentParser
import BudkavleClient
import Console

/// `budkavle watch`.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follows your desks: a line for each change, no content. Ctrl-C ends it.")

    @Option(help: "Only this desk; may be given several times. Default: all of yours.")
    var desk: [String] = []
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let relation = try Relation(connection, patience: .untilLimit, onLinkChange: LinkTalk.talker())
        try await relation.run {
            let desks = desk.isEmpty ? try InboxAnswer(try await relation.ask("inbox")).desks : desk
            var views: [RelaySubscription] = []
            for desk in desks { views.append(try await relation.client.subscribe(to: .watch(desk: desk))) }
            let surroundings = relation.surroundings
            try await withThrowingTaskGroup(of: Void.self) { group in
                for view in views {
                    group.addTask { try await Self.follow(view, surroundings) }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func follow(_ view: RelaySubscription, _ surroundings: Surroundings) async throws {
        var renderer = WatchRenderer(surroundings.presentation)
        for try await message in view {
            if surroundings.isJSON {
                try Output.put(try JSONText.line(message.body))
            } else {
                try Output.put(renderer.lines(try WatchAnswer(message.body)))
            }
        }
    }
}

/// `budkavle status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what became of one notification, party by party.",
        discussion: "Exit 0 when every recipient has acknowledged, else 1.")

    @Argument(help: "The relay's id, the sender's own event id, or the end of an id in your inbox.")
    var id: String
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let relation = try Relation(connection)
        let answer = try await relation.run { try await find(relation) }
        let status = try StatusAnswer(answer)
        try relation.show(answer) { _ in StatusRenderer(relation.surroundings.presentation).lines(status) }
        if !status.isComplete { throw CommandFailure(.negative) }
    }

    private func find(_ relation: Relation) async throws -> [UInt8] {
        var question = ReportBody()
        if NotificationText.isWhole(id) {
            question.add("notification", id.uppercased())
            return try await relation.ask("status", question)
        }
        var own = ReportBody()
        own.add("id", id)
        do {
            return try await relation.ask("status", own)
        } catch let unknown as RelayError where unknown.code == .unknown {
            do {
                question.add("notification", try await relation.resolve(id))
            } catch let failure as CommandFailure where failure.status == ExitStatus.usage.rawValue {
                throw failure
            } catch {
                // Somebody who sends has no inbox: what he named is unknown, and not what an inbox holds.
                throw unknown
            }
            return try await relation.ask("status", question)
        }
    }
}

/// `budkavle receipts`. It has no options of its own: `verify` has some of the same names.
struct ReceiptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipts", abstract: "Receipts that wait for your party, and offline proof of what they say.",
        subcommands: [ReceiptsListCommand.self, ReceiptsVerifyCommand.self],
        defaultSubcommand: ReceiptsListCommand.self)
}

/// `budkavle receipts [list]`.
struct ReceiptsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the receipts that wait for your party, and marks them as read.")

    @Flag(help: "Only for what this client sent.")
    var mine = false
    @Flag(help: "Do not mark them as read; at most \(keepLimit) are shown then.")
    var keep = false
    @Flag(help: "Go on waiting for new ones. Ctrl-C ends it.")
    var follow = false
    @OptionGroup var connection: ConnectionOptions

    /// The relay's limit of unacknowledged messages on a connection.
    static let keepLimit = 1_000

    func run() async throws {
        let relation = try Relation(
            connection, patience: follow ? .untilLimit : .firstAttempt, onLinkChange: LinkTalk.talker())
        try await relation.run {
            let receipts = try await relation.client.subscribe(
                to: mine ? .ownReceipts : .receipts, prefetch: keep ? Self.keepLimit : nil)
            guard let pending = receipts.pendingCount else {
                throw CommandFailure(.protocolFault, "budkavle: the relay does not say how many receipts wait")
            }
            let wanted = follow ? Int.max : keep ? min(pending, Self.keepLimit) : pending
            if wanted == 0, relation.surroundings.isTerminal { Output.tell(relation.text(.noReceipts)) }
            try await read(receipts, wanted, relation)
        }
    }

    private func read(_ receipts: RelaySubscription, _ wanted: Int, _ relation: Relation) async throws {
        let renderer = ReceiptRenderer(relation.surroundings.presentation)
        var iterator = receipts.makeAsyncIterator()
        var count = 0
        while count < wanted, let message = try await iterator.next() {
            try Output.put(
                relation.surroundings.isJSON ? try JSONText.line(message.body) : try renderer.line(message.body))
            if !keep { await relation.client.accept(message) }
            count += 1
        }
    }
}
