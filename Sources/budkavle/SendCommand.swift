import ArgumentParser
import BudkavleClient
import Console
import Synchronization

/// `budkavle send`.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Sends one notification, or asks who would get it.",
        discussion: "Lost links are made again and the same bytes sent again, so the relay never takes it twice.")

    @Argument(help: "File with one CloudEvents JSON object; - for stdin.", completion: .file())
    var file: String
    @Flag(help: "Send nothing: show who would get what. Exit 3 when nobody would.")
    var dryRun = false
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let relation = try Relation(
            connection, patience: dryRun ? .firstAttempt : .untilLimit, onLinkChange: LinkTalk.talker())
        let event = try Input.bytes(of: file, relation.surroundings)
        let draft: EventDraft
        do { draft = try EventDraft(event) } catch {
            throw CommandFailure(
                .inputInvalid, relation.text(.inputInvalid(error.pointer.isEmpty ? "/" : error.pointer)))
        }
        if dryRun { try await plan(event, relation) } else { try await send(event, draft, relation) }
    }

    private func plan(_ event: [UInt8], _ relation: Relation) async throws {
        let (answer, schema) = try await relation.run {
            let answer = try await relation.client.ask("plan", event, contentType: "application/cloudevents+json")
            return (answer, try? await relation.client.ask("schema"))
        }
        let plan = try PlanAnswer(answer)
        try relation.show(answer) { _ in PlanRenderer(relation.surroundings.presentation).lines(plan) }
        // A party that the sender names and that no policy knows is a slip of the keyboard: say so.
        if let schema, let known = try? SchemaAnswer(schema) {
            for party in plan.refused.map(\.party) where !known.parties.contains(party) {
                var text = relation.text(.unknownParty(Sanitizer.line(party)))
                if let hint = DidYouMean.suggestion(for: party, among: known.parties) {
                    text += "; " + relation.text(.didYouMean(Sanitizer.line(hint)))
                }
                Output.tell(text)
            }
        }
        if !plan.isAccepted || plan.recipients.isEmpty { throw CommandFailure(.wouldBeRefused) }
    }

    private func send(_ event: [UInt8], _ draft: EventDraft, _ relation: Relation) async throws {
        let answer: SendAnswer
        do {
            answer = try await relation.run { try await relation.client.send(event) }
        } catch let failure as CommandFailure where failure.status == ExitStatus.notConfirmed.rawValue {
            throw CommandFailure(.notConfirmed, "\(failure.text)\n\(relation.text(.notConfirmed(id: draft.id)))")
        }
        var report = ReportObject(schema: "budkavle.send/1")
        switch answer {
        case .accepted(let acceptance), .duplicate(let acceptance):
            let notification = acceptance.notification ?? ""
            let isNew = if case .accepted = answer { true } else { false }
            report.add("status", isNew ? "accepted" : "duplicate")
            report.add("id", draft.id)
            report.add("notification", acceptance.notification)
            report.add("position", acceptance.position)
            try report.put(relation.surroundings) {
                $0.isTerminal
                    ? $0.text(
                        isNew ? .accepted(notification: notification) : .acceptedBefore(notification: notification))
                    : "\(notification)\t\(isNew ? "accepted" : "duplicate")\t\(acceptance.position ?? "")"
            }
        case .refused(let refusal):
            report.add("status", "refused")
            report.add("id", draft.id)
            report.add("code", refusal.code)
            report.add("path", refusal.path)
            if relation.surroundings.isJSON { try Output.put(report.line) }
            throw CommandFailure(
                status: refusal.exitStatus,
                relation.text(.sentRefused(code: Sanitizer.line(refusal.code), path: Sanitizer.line(refusal.path)))
                    + (refusal.message.isEmpty ? "" : "\n  \(Sanitizer.line(refusal.message))"))
        }
    }
}

extension ReportObject {
    /// Prints the object for `--json`, else what `line` makes for a person or a pipe.
    func put(_ surroundings: Surroundings, _ line: (Surroundings) -> String) throws(CommandFailure) {
        try Output.put(surroundings.isJSON ? self.line : line(surroundings))
    }
}

/// Says on stderr what becomes of the link, for commands that outlive it.
enum LinkTalk {
    /// A new talker; it remembers when the link was lost.
    static func talker() -> @Sendable (RelayLinkState, Surroundings) -> Void {
        let lostAt = LossTime()
        return { state, surroundings in
            switch state {
            case .lost(let error, let pause):
                lostAt.begin()
                let seconds = Int((pause + .milliseconds(999)).components.seconds)
                Output.tell(
                    "\(surroundings.text(.linkLost)) (\(Sanitizer.line(error.message))); "
                        + surroundings.text(.retrying(seconds: seconds)))
            case .connected:
                if let seconds = lostAt.end() { Output.tell(surroundings.text(.linkRestored(seconds: seconds))) }
            case .ended: break
            }
        }
    }

    private final class LossTime: Sendable {
        private let since = Mutex<ContinuousClock.Instant?>(nil)

        /// Notes the beginning of a loss, unless one goes on.
        func begin() { since.withLock { $0 = $0 ?? .now } }

        /// How long the loss took, if there was one.
        func end() -> Int? {
            since.withLock { since in
                defer { since = nil }
                return since.map { Int(($0.duration(to: .now) + .milliseconds(500)).components.seconds) }
            }
        }
    }
}
