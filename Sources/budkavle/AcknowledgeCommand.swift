import ArgumentParser
import BudkavleClient
import Console
import Foundation

/// `budkavle ack`.
struct AcknowledgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Says what you do about one notification; the sender sees the outcome.",
        discussion: "At a terminal the outcome is asked for when it is not given.")

    @Argument(help: "Id, or the end of one that is unique in your inbox.")
    var id: String
    @Option(help: "taken, already-known, handed-over, not-ours or recused.", transform: Self.outcome)
    var outcome: Acknowledgement.Outcome?
    @Option(help: "Role or desk that takes over (handed-over).")
    var to: String?
    @Option(help: "The notification or claim by which it was known (already-known).")
    var earlier: String?
    @Option(help: "Whose it is instead, four digits (not-ours).")
    var municipality: String?
    @Option(help: "File with a note for your own party; - for stdin. Never on the command line.", completion: .file())
    var noteFile: String?
    @OptionGroup var connection: ConnectionOptions

    private static func outcome(_ text: String) throws -> Acknowledgement.Outcome {
        if let outcome = Acknowledgement.Outcome(rawValue: text) { return outcome }
        let words = Acknowledgement.Outcome.allCases.map(\.rawValue)
        let hint = DidYouMean.suggestion(for: text, among: words).map { "; did you mean '\($0)'?" } ?? ""
        throw ValidationError("--outcome must be one of \(words.joined(separator: ", "))\(hint)")
    }

    func validate() throws {
        switch outcome {
        case .handedOver where to == nil: throw ValidationError("handed-over needs --to ROLE")
        case .alreadyKnown where earlier == nil: throw ValidationError("already-known needs --earlier ID")
        default: break
        }
        if to != nil, let outcome, outcome != .handedOver { throw ValidationError("--to goes with handed-over") }
        if earlier != nil, let outcome, outcome != .alreadyKnown {
            throw ValidationError("--earlier goes with already-known")
        }
        if municipality != nil, let outcome, outcome != .notOurs {
            throw ValidationError("--municipality goes with not-ours")
        }
    }

    func run() async throws {
        let relation = try Relation(connection, patience: .untilLimit, onLinkChange: LinkTalk.talker())
        let note = try noteFile.map { (name) throws(CommandFailure) in try Input.bytes(of: name, relation.surroundings)
        }
        if let note, String(validating: note, as: UTF8.self) == nil {
            throw CommandFailure(.inputInvalid, relation.text(.inputInvalid("UTF-8")))
        }
        let outcome = try outcome ?? askForOutcome(relation)
        if outcome == .alreadyKnown && earlier == nil {
            throw CommandFailure(.usage, "budkavle: already-known needs --earlier ID")
        }
        try await relation.run {
            let notification = try await relation.resolve(id)
            var acknowledgement = Acknowledgement(notification: notification, outcome: outcome)
            acknowledgement.taker = to
            acknowledgement.earlier = earlier
            acknowledgement.municipality = municipality
            acknowledgement.note = note.map { String(decoding: $0, as: UTF8.self) }
            try report(try await relation.client.acknowledge(acknowledgement), notification, outcome, relation)
        }
    }

    private func report(
        _ answer: SendAnswer, _ notification: String, _ outcome: Acknowledgement.Outcome, _ relation: Relation
    ) throws {
        var report = ReportObject(schema: "budkavle.ack/1")
        report.add("notification", notification)
        report.add("outcome", outcome.rawValue)
        let short = String(notification.suffix(ShortIDs.shortest))
        switch answer {
        case .accepted(let acceptance), .duplicate(let acceptance):
            let isNew = if case .accepted = answer { true } else { false }
            report.add("status", isNew ? "accepted" : "duplicate")
            report.add("position", acceptance.position)
            try report.put(relation.surroundings) {
                $0.isTerminal
                    ? $0.text(
                        isNew
                            ? .acknowledgedNow(id: short, outcome: outcome.rawValue) : .alreadyAcknowledged(id: short))
                    : "\(notification)\t\(isNew ? "accepted" : "duplicate")\t\(outcome.rawValue)"
            }
        case .refused(let refusal):
            report.add("status", "refused")
            report.add("code", refusal.code)
            report.add("path", refusal.path)
            if relation.surroundings.isJSON { try Output.put(report.line) }
            throw CommandFailure(
                status: refusal.exitStatus,
                relation.text(.sentRefused(code: Sanitizer.line(refusal.code), path: Sanitizer.line(refusal.path))))
        }
    }

    /// Two keystrokes at a terminal; elsewhere the flag is needed.
    private func askForOutcome(_ relation: Relation) throws(CommandFailure) -> Acknowledgement.Outcome {
        guard isatty(STDIN_FILENO) == 1, noteFile != "-" else {
            throw CommandFailure(
                .usage, "budkavle: --outcome taken|already-known|handed-over|not-ours|recused is needed")
        }
        FileHandle.standardError.write(Data(relation.text(.outcomePrompt).utf8))
        switch readLine()?.lowercased() {
        case "t": return .taken
        case "k": return .alreadyKnown
        case "n": return .notOurs
        case "r", "j": return .recused
        default: throw CommandFailure(.interrupted, relation.text(.interrupted))
        }
    }
}
