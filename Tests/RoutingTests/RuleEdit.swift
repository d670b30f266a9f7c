import CaseNotifications
import Testing

@testable import Routing

/// What a test does to one rule of every type of a shipped policy, all in one reading: as each of its rules is for one type, a
/// change that touched another rule's cells would show in cells of a type whose changed rule does not mean them.
enum RuleEdit: CaseIterable, Sendable {
    case takenAway, lessFields, onlyNamed, everyMunicipality, fewerSenders

    /// How many rules of `config/orebro` there are at least that it can be done to, one of each type.
    var leastRules: Int {
        switch self {
        case .takenAway: 28
        case .lessFields: 20
        case .onlyNamed: 18
        case .everyMunicipality: 12
        case .fewerSenders: 12
        }
    }

    /// The text of `rules.yaml` with one rule of each type changed, and these rules as they were.
    func applied(to text: String, of policy: Policy) -> (text: String, rules: [EventType: Rule]) {
        var rules: [EventType: Rule] = [:]
        var blocks = text.split(separator: "  - id: ", omittingEmptySubsequences: false).map(
            String.init)
        for place in blocks.indices.dropFirst() {
            guard
                let id = blocks[place].split(whereSeparator: \.isWhitespace).first.flatMap({
                    RuleID(String($0))
                }),
                let rule = policy.rule(id), rule.kind != .never, rule.types.count == 1,
                let type = rule.types.first,
                rules[type] == nil, let changed = changed(blocks[place])
            else { continue }
            rules[type] = rule
            blocks[place] = changed
        }
        // What was taken away leaves no id behind.
        return (blocks.filter { !$0.isEmpty }.joined(separator: "  - id: "), rules)
    }

    /// A rule's text changed; nil where this cannot be done to it.
    private func changed(_ block: String) -> String? {
        var lines = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func line(_ key: String) -> Int? { lines.firstIndex { $0.hasPrefix("    \(key): ") } }
        switch self {
        case .takenAway: return ""
        case .lessFields:
            guard line("strict") == nil, let place = line("fields"),
                let end = lines[place].firstIndex(of: "]"),
                let comma = lines[place].lastIndex(of: ",")
            else { return nil }
            lines[place].removeSubrange(comma..<end)
        case .onlyNamed:
            guard let place = line("to"), !lines[place].contains("named:"),
                !lines[place].contains("roles:"),
                let end = lines[place].lastIndex(of: "}")
            else { return nil }
            lines[place].insert(contentsOf: ", named: yes", at: end)
        case .everyMunicipality:
            guard let place = line("to"), let range = lines[place].firstRange(of: ", where: municipality")
            else {
                return nil
            }
            lines[place].removeSubrange(range)
        case .fewerSenders:
            guard let place = line("from"), let start = lines[place].firstRange(of: "kinds: ["),
                let comma = lines[place][start.upperBound...].firstRange(of: ", "),
                let end = lines[place].firstIndex(of: "]"), comma.lowerBound < end
            else { return nil }
            lines[place].removeSubrange(start.upperBound..<comma.upperBound)
        }
        return lines.joined(separator: "\n")
    }
}
