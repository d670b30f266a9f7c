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
            the next reload on. Where there is no terminal to ask on, nothing is signed without --yes.
            """)
    @OptionGroup var config: ConfigurationOption
    @Option(help: "The party that approves.") var party: String?
    @Option(help: "The approver's secret key.") var key: String?
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Option(help: "Only this part, by its id; may be given again.") var part: [String] = []
    @Option(help: "Hand over to this secret key: it signs everything from now on.") var nextKey: String?
    @Option(help: "Make a key here, with mode 0600, and show its public half.") var newKey: String?
    @Flag(help: "Show everything that the party has to approve, and how it stands.") var list = false
    @Flag(help: "Do not ask.") var yes = false

    func validate() throws {
        if newKey != nil {
            guard party == nil, key == nil, nextKey == nil, !list, part.isEmpty else {
                throw ValidationError("--new-key stands alone")
            }
        } else if party == nil || (key == nil) != list {
            throw ValidationError("name --party, and --key or --list")
        } else if list && (nextKey != nil || !part.isEmpty) {
            throw ValidationError("--list signs nothing")
        }
    }

    func run() throws {
        if let newKey {
            let made = try Terminal.unlessRefused { () throws(ToolError) in try ApproverKeyFile.generate(at: newKey) }
            return print("\(made)")
        }
        guard let party else { return }
        let desk = try Terminal.unlessRefused { () throws(ToolError) in
            try ApprovalDesk.open(configDirectory: config.directory, collaboration: collaboration, party: party)
        }
        guard let key else { return show(desk) }
        try sign(desk, key)
    }

    private func show(_ desk: ApprovalDesk) {
        for item in desk.items { Self.text(of: item).forEach { print($0) } }
        for part in desk.outdated { print("\(Sanitizer.line(part))  approved, and not there any more") }
        print("\(desk.items.count) parts, \(desk.items.count { $0.isPending }) not approved")
    }

    private func sign(_ desk: ApprovalDesk, _ path: String) throws {
        let secret = try Terminal.unlessRefused { () throws(ToolError) in try ApproverKeyFile.read(path) }
        let next = try nextKey.map { path in
            try Terminal.unlessRefused { () throws(ToolError) in try ApproverKeyFile.read(path) }
        }
        let pending = try Terminal.unlessRefused { () throws(ToolError) in
            try desk.check(secret)
            return try desk.pending(part)
        }
        guard !pending.isEmpty || next != nil else { return print("nothing to approve") }
        for item in pending { Self.text(of: item).forEach { print($0) } }
        if let next {
            print(
                "From now on the approvals of \(desk.party) count under the key \(ApproverKeyFile.publicText(of: next))."
            )
        }
        try confirm("Approve \(pending.count) parts for \(desk.party) in \(desk.collaboration)?")
        try Terminal.unlessRefused { () throws(ToolError) in
            try desk.approve(pending, by: secret, handingOverTo: next)
        }
        print("\(desk.path): \(pending.count) parts approved; they count from the next reload on")
    }

    /// Asks on the terminal; without one nothing is done unless `--yes` was said.
    private func confirm(_ question: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            Terminal.complain("there is no terminal to ask on, so nothing was signed; --yes signs without asking")
            throw ExitCode(BudkavleServer.ExitStatus.usage.rawValue)
        }
        FileHandle.standardError.write(Data("\(question) Type yes: ".utf8))
        guard readLine()?.trimmingCharacters(in: .whitespaces) == "yes" else {
            Terminal.complain("nothing was signed")
            throw ExitCode(BudkavleServer.ExitStatus.negative.rawValue)
        }
    }

    /// Longer than any line of a form: what is approved is never shown cut.
    private static let longestLine = 100_000

    /// A part as the approver reads it. Names in it come from files of others, so nothing in it steers a terminal.
    private static func text(of item: ApprovalDesk.Item) -> [String] {
        var lines: [String] = []
        switch item.state {
        case .approved(let day): lines.append("\(item.part.id)  approved on \(day.text)")
        case .new: lines.append("\(item.part.id)  never approved")
        case .changed(let day, let changes):
            lines.append("\(item.part.id)  changed since it was approved on \(day.text)")
            lines += changes.map { "  ! \($0)" }
        }
        lines += item.part.words.map { "    \($0)" }
        return lines.map { Sanitizer.line($0, limit: longestLine) }
    }
}
