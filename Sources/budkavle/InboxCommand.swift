import ArgumentParser
import BudkavleClient
import Console

/// `budkavle inbox`.
struct InboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox", abstract: "Lists what waits at your desks, most urgent first. No content.")

    @Option(help: "Only this desk.")
    var desk: String?
    @Option(help: "At most so many, 1 to 500.")
    var limit: Int = 200
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if !(1...500).contains(limit) { throw ValidationError("--limit must be 1 to 500") }
    }

    func run() async throws {
        let relation = try Relation(connection)
        var question = ReportBody()
        question.add("desk", desk)
        question.add("limit", limit)
        try await relation.run {
            let answer = try await relation.ask("inbox", question)
            try relation.show(answer) { InboxRenderer(relation.surroundings.presentation).lines(try InboxAnswer($0)) }
        }
    }
}

/// `budkavle show`: the one command with content.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Opens one notification: the sender sees 'opened', then its content is shown.",
        discussion: "Content goes to a terminal only, never to a pager or file, unless --unsafe-plain is given.")

    @Argument(help: "Id, or the end of one that is unique in your inbox.")
    var id: String
    @Flag(help: "Write content also where stdout is no terminal. Guard what becomes of it.")
    var unsafePlain = false
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let relation = try Relation(connection)
        // Before anything is asked: what is not shown must not count as opened.
        guard relation.surroundings.isTerminal || unsafePlain else {
            throw CommandFailure(.usage, relation.text(.contentNeedsTerminal))
        }
        try await relation.run {
            var question = ReportBody()
            question.add("notification", try await relation.resolve(id))
            let answer = try await relation.ask("notification", question)
            try relation.show(answer) {
                ShowRenderer(relation.surroundings.presentation).lines(try NotificationAnswer($0))
            }
        }
    }
}

extension Relation {
    /// The full id for what somebody typed: itself, or the one item of the inbox whose id ends so.
    func resolve(_ typed: String) async throws -> String {
        let wanted = typed.uppercased()
        if wanted.isEmpty { throw CommandFailure(.usage, "budkavle: the id is empty") }
        if wanted.utf8.count == NotificationText.lengthBytes { return wanted }
        var question = ReportBody()
        question.add("limit", 500)
        let inbox = try InboxAnswer(try await ask("inbox", question))
        switch inbox.resolve(wanted) {
        case .one(let item): return item.notification
        case .none: throw CommandFailure(.negative, text(.unknownID(Sanitizer.line(typed))))
        case .several(let count):
            throw CommandFailure(.usage, text(.ambiguousID(Sanitizer.line(typed), count: count)))
        }
    }
}

/// The form of the relay's ids.
enum NotificationText {
    static let lengthBytes = 26

    static func isWhole(_ text: String) -> Bool {
        text.utf8.count == lengthBytes
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
    }
}
