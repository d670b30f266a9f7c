import ArgumentParser
import BudkavleServer
import Console
import Foundation
import Routing

/// `budkavled approve`: an approver signs what his party lets others read, and what it lets its own people read.
struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show in plain words what a policy opens, and sign it for one party.",
        discussion: """
            --new-key FILE makes the approver's key, which stays with the approver and never lies in the configuration. \
            --list shows what there is to approve. Approvals go into approvals/<party>.yaml of the collaboration and count from \
            the next reload on; --withdraw takes one back, and an older file does not bring it back. Beside the key KEY.signed \
            says when it signed last. Where there is no terminal to ask on, nothing is signed without --yes.
            """)
    @OptionGroup var config: ConfigurationOption
    @Option(help: "The party that approves.") var party: String?
    @Option(help: "The approver's secret key.") var key: String?
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Option(help: "Only this part, by its id; may be given again.") var part: [String] = []
    @Option(help: "Take the approval of this part back; may be given again.") var withdraw: [String] = []
    @Option(help: "Hand over to this secret key: it signs everything from now on.") var nextKey: String?
    @Option(help: "Make a key here, with mode 0600, and show its public half.") var newKey: String?
    @Flag(help: "Show everything that the party has to approve, and how it stands.") var list = false
    @Flag(help: "Do not ask.") var yes = false
    @Option(help: "sv or en.") var lang: String?

    private var language: Language {
        Language.chosen(flag: lang, profile: nil) { ProcessInfo.processInfo.environment[$0] }
    }

    func validate() throws {
        if let lang, Language(locale: lang) == nil { throw ValidationError("--lang must be sv or en") }
        if newKey != nil {
            guard party == nil, key == nil, nextKey == nil, !list, part.isEmpty, withdraw.isEmpty else {
                throw ValidationError("--new-key stands alone")
            }
        } else if party == nil || (key == nil) != list {
            throw ValidationError("name --party, and --key or --list")
        } else if list && (nextKey != nil || !part.isEmpty || !withdraw.isEmpty) {
            throw ValidationError("--list signs nothing")
        }
    }

    func run() throws {
        if let newKey {
            let made = try Terminal.unlessRefused { () throws(ToolError) in try ApproverKeyFile.generate(at: newKey) }
            return try Terminal.put("\(made)")
        }
        guard let party else { return }
        let desk = try Terminal.unlessRefused { () throws(ToolError) in
            try ApprovalDesk.open(configDirectory: config.directory, collaboration: collaboration, party: party)
        }
        guard let key else { return try show(desk) }
        try sign(desk, key)
    }

    private func show(_ desk: ApprovalDesk) throws {
        for item in desk.items { try Terminal.put(text(of: item)) }
        for part in desk.outdated { try Terminal.put("\(Sanitizer.line(part))  \(say(.notThere))") }
        if let key = desk.key { try Terminal.put(say(.underKey("\(key)"))) }
        try Terminal.put(say(.total(parts: desk.items.count, pending: desk.items.count { $0.isPending })))
    }

    private func sign(_ found: ApprovalDesk, _ path: String) throws {
        var desk = found
        let secret = try Terminal.unlessRefused { () throws(ToolError) in
            let secret = try ApproverKeyFile.read(path)
            try found.check(secret)
            return secret
        }
        let next = try nextKey.map { path in
            try Terminal.unlessRefused { () throws(ToolError) in try ApproverKeyFile.read(path) }
        }
        var memory = try Terminal.unlessRefused { () throws(ToolError) in try ApproverMemory(besides: path) }
        if let last = memory.last(desk), let signed = desk.signed, desk.forget(ifSignedBefore: last) {
            try Terminal.put(say(.notTheLast(signed: "\(signed)", last: "\(last)")))
        }
        let (pending, withdrawn) = try Terminal.unlessRefused { () throws(ToolError) in
            let withdrawn = try desk.approved(withdraw)
            // Who takes something back approves nothing by the way.
            return (part.isEmpty && !withdrawn.isEmpty ? [] : try desk.pending(part), withdrawn)
        }
        guard !pending.isEmpty || !withdrawn.isEmpty || next != nil else { return try Terminal.put(say(.nothing)) }
        for item in pending { try Terminal.put(text(of: item)) }
        for part in withdrawn { try Terminal.put(say(.takenBack(Sanitizer.line(part)))) }
        if let signed = desk.signed {
            try Terminal.put(say(.stays(parts: desk.kept(besides: pending, without: withdrawn), signed: "\(signed)")))
        }
        if let next {
            try Terminal.put(say(.handsOver(party: "\(desk.party)", key: ApproverKeyFile.publicText(of: next))))
        }
        try confirm(
            .asks(
                approve: pending.count, takeBack: withdrawn.count, party: "\(desk.party)",
                collaboration: "\(desk.collaboration)"))
        try Terminal.unlessRefused { () throws(ToolError) in
            let time = try desk.approve(pending, withdrawing: withdrawn, by: secret, handingOverTo: next)
            try memory.remember(desk, time)
            guard let nextKey else { return }
            var memory = try ApproverMemory(besides: nextKey)
            try memory.remember(desk, time)
        }
        try Terminal.put(say(.done(path: desk.path, approved: pending.count, takenBack: withdrawn.count)))
    }

    /// Asks on the terminal; without one nothing is done unless `--yes` was said.
    private func confirm(_ question: ApprovalText) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            Terminal.complain(say(.noTerminal))
            throw ExitCode(BudkavleServer.ExitStatus.usage.rawValue)
        }
        FileHandle.standardError.write(Data(say(question).utf8))
        guard readLine()?.trimmingCharacters(in: .whitespaces) == ApprovalText.agreement(language) else {
            Terminal.complain(say(.notSigned))
            throw ExitCode(BudkavleServer.ExitStatus.negative.rawValue)
        }
    }

    /// Longer than any line of a form: what is approved is never shown cut.
    private static let longestLine = 100_000

    private func say(_ text: ApprovalText) -> String { text.text(language) }

    /// A part as the approver reads it. Names in it come from files of others, so nothing in it steers a terminal.
    private func text(of item: ApprovalDesk.Item) -> [String] {
        var lines: [String] = []
        switch item.state {
        case .approved(let day): lines.append("\(item.part.id)  \(say(.approved(on: day.text)))")
        case .new: lines.append("\(item.part.id)  \(say(.new))")
        case .changed(let day, let changes):
            lines.append("\(item.part.id)  \(say(.changed(since: day.text)))")
            lines += changes.map { "  ! \($0.text(language))" }
        }
        lines += item.part.words.map { "    \($0.text(language))" }
        if !item.others.isEmpty { lines.append("    " + say(.lacksOthers(item.others.map { "\($0)" }))) }
        return lines.map { Sanitizer.line($0, limit: Self.longestLine) }
    }
}
