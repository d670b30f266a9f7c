package import CaseNotifications
package import Routing

/// What every matcher of every rule said, with a tick or a cross each, as text for people and as JSON.
package struct TraceText {
    private let rules: [RuleSteps]

    /// The text of `rules`, as `Policy.steps` gives them.
    package init(_ rules: [RuleSteps]) { self.rules = rules }

    /// For people, a line for each matcher.
    package var lines: [String] {
        var lines: [String] = []
        for rule in rules {
            lines.append("rule \(rule.rule.text) (\(rule.kind.rawValue))" + Self.place("\(rule.location)"))
            lines += rule.steps.map { "  " + Self.line($0) }
            for party in rule.parties {
                lines.append("  " + party.party.text)
                lines += party.steps.map { "    " + Self.line($0) }
            }
        }
        return lines
    }

    /// Why one party does not get it by each rule: the first matcher of each that says no, a line for each rule.
    package func lines(about party: PartyID) -> [String] {
        rules.map { rule in
            let own = rule.parties.first { $0.party == party }?.steps ?? []
            let head = "rule \(rule.rule.text) (\(rule.kind.rawValue)): "
            // That the rule is not for this party says more than what else it lacks.
            let order = own.prefix(1) + rule.steps + own.dropFirst()
            guard let first = order.first(where: { !$0.holds }) else {
                let end = rule.kind == .never ? "stops or redacts it" : "lets it through"
                return head + end + Self.place("\(rule.location)")
            }
            return head + "\(first.matcher.rawValue): " + Self.words(first.finding) + Self.place(of: first)
        }
    }

    /// For machines: an array with an object for each rule.
    package var json: JSONValue {
        .array(
            rules.map { rule in
                [
                    "rule": .string(rule.rule.text), "effect": .string(rule.kind.rawValue),
                    "place": .string("\(rule.location)"), "matches": .bool(rule.matches),
                    "steps": .array(rule.steps.map(Self.json)),
                    "parties": .array(
                        rule.parties.map {
                            ["party": .string($0.party.text), "steps": .array($0.steps.map(Self.json))]
                        }),
                ]
            })
    }

    private static func json(_ step: RuleStep) -> JSONValue {
        var object = JSONObject()
        object["matcher"] = .string(step.matcher.rawValue)
        object["holds"] = .bool(step.holds)
        object["finding"] = .string(words(step.finding))
        if let location = step.location { object["place"] = .string("\(location)") }
        return .object(object)
    }

    private static let nameWidth = RuleStep.Matcher.allCases.reduce(0) { max($0, $1.rawValue.count) }

    private static func line(_ step: RuleStep) -> String {
        let name = DisplayWidth.padded(step.matcher.rawValue, to: nameWidth)
        return "\(step.holds ? "✓" : "✗") \(name)  \(words(step.finding))" + place(of: step)
    }

    private static func place(_ place: String) -> String { "  (\(place))" }

    private static func place(of step: RuleStep) -> String { step.location.map { place("\($0)") } ?? "" }

    private static func words(_ finding: RuleStep.Finding) -> String {
        switch finding {
        case .demandsNothing: "nothing is demanded"
        case .met(let names): names.isEmpty ? "holds" : names.joined(separator: ", ")
        case .unmet(let key): "'\(key)' does not hold"
        case .notInForce: "the rule is not in force at that time"
        case .notMeant(let fault): words(fault)
        case .notApproved(let parties): "approval is missing of \(parties.map(\.text).joined(separator: ", "))"
        case .reason(let kind): ExplanationText.words(kind)
        }
    }

    private static func words(_ fault: SelectorFault) -> String {
        switch fault {
        case .itself: "nobody sends to itself"
        case .merged: "another party has taken over its work"
        case .onCallDesk: "an on-call desk gets what its boards get, by no rule of its own"
        case .kind: "the rule is for other kinds of party"
        case .party: "the rule names other parties"
        case .county: "the rule is for other counties"
        case .noDesk: "it has no desk that takes this type"
        case .municipality: "it does not serve the event's municipality"
        case .group: "it is in no group of the event's municipality"
        case .notNamed: "the rule is for those whom the sender names"
        case .word: "the audience names it with another word than the rule's"
        }
    }
}
