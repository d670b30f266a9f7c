package import CaseNotifications
package import Settings

/// A worked example of the policy, as `tests.yaml` describes it: an event, who gets it with what, and who is refused and why.
package struct Example: Sendable {
    /// One recipient that is expected; nil leaves a value open.
    package struct Recipient: Sendable {
        package var party: PartyID
        package var desk: DeskID?
        /// Whether an agent is expected: `.some(nil)` is none.
        package var agent: PartyID??
        package var rule: RuleID?
        package var effect: Effect?
        package var urgency: UrgencyClass?
        package var fields: Set<String>?
        package var attributes: Set<String>?
        package var isStrict: Bool?
        package var acknowledgeBy: Timestamp?
        /// Where `tests.yaml` says so.
        package var location: SourceLocation
    }

    /// One refusal that is expected.
    package struct ExpectedRefusal: Sendable {
        package let party: PartyID
        package let code: RefusalCode
        /// Where `tests.yaml` says so.
        package let location: SourceLocation
    }

    /// Its name.
    package let name: String
    /// When it is accepted.
    package let at: Timestamp
    /// What is sent.
    package let notification: CaseNotification
    /// The fields that `data` has; nil is all of the type.
    package let presentFields: Set<String>?
    /// The class that is expected.
    package let urgency: UrgencyClass?
    /// Exactly these parties get it.
    package let recipients: [Recipient]
    /// Each of these is refused.
    package let refused: [ExpectedRefusal]
    /// Each of these gets nothing.
    package let without: [PartyID]
    /// The whole is refused with this.
    package let refusal: RefusalCode?
    /// Where `tests.yaml` has it.
    package let place: Place

    /// Where `tests.yaml` has it.
    package var location: SourceLocation { place.location }
}

/// How a worked example came out.
package struct ExampleResult: Sendable, Equatable {
    /// Its name.
    package let name: String
    /// Where `tests.yaml` has it.
    package let place: Place
    /// What is otherwise than expected, one sentence each; empty if it passed.
    package let failures: [String]

    /// Where `tests.yaml` has it.
    package var location: SourceLocation { place.location }
    /// Whether it came out as expected.
    package var passed: Bool { failures.isEmpty }
}

extension Policy {
    /// Plays every worked example.
    package func runExamples() -> [ExampleResult] {
        examples.map { ExampleResult(name: $0.name, place: $0.place, failures: failures(of: $0)) }
    }

    private func failures(of example: Example) -> [String] {
        let decision = decide(example.notification, at: example.at)
        var failures: [String] = []
        func compare<Value: Equatable>(
            _ what: String, wanted: Value?, got: Value, _ text: (Value) -> String
        ) {
            guard let wanted, wanted != got else { return }
            failures.append("\(what): expected \(text(wanted)), got \(text(got))")
        }
        compare("urgency", wanted: example.urgency, got: decision.urgency) { $0.text }
        let wanted = example.recipients.map(\.party).sorted()
        let got = decision.grants.map(\.party)
        if wanted != got { failures.append("recipients: expected \(Self.list(wanted)), got \(Self.list(got))") }
        for recipient in example.recipients {
            guard let grant = decision.grants.first(where: { $0.party == recipient.party }) else { continue }
            let party = recipient.party.text
            compare("\(party): desk", wanted: recipient.desk, got: grant.desk) { $0.text }
            compare("\(party): agent", wanted: recipient.agent, got: grant.agent) { $0?.text ?? "none" }
            compare("\(party): rule", wanted: recipient.rule, got: grant.rule) { $0.text }
            compare("\(party): effect", wanted: recipient.effect, got: grant.effect) { $0.rawValue }
            compare("\(party): urgency", wanted: recipient.urgency, got: grant.urgency) { $0.text }
            let fields = Set(grant.fields).intersection(example.presentFields ?? Set(grant.fields))
            compare("\(party): fields", wanted: recipient.fields, got: fields) { Self.list($0.sorted()) }
            compare("\(party): attributes", wanted: recipient.attributes, got: Set(grant.attributes)) {
                Self.list($0.sorted())
            }
            compare("\(party): strict", wanted: recipient.isStrict, got: grant.isStrict) { $0 ? "yes" : "no" }
            if let deadline = recipient.acknowledgeBy {
                compare("\(party): acknowledge-by", wanted: .some(deadline), got: grant.acknowledgeBy) {
                    $0?.rfc3339 ?? "none"
                }
            }
        }
        for refused in example.refused {
            let code = decision.refusals.first { $0.party == refused.party }?.code
            guard code != refused.code else { continue }
            failures.append(
                "\(refused.party): expected refusal \(refused.code.rawValue), got \(code?.rawValue ?? "none")")
        }
        for party in Set(got).intersection(decision.refusals.map(\.party)).sorted() {
            failures.append("\(party): gets it and is refused at once")
        }
        for party in example.without where got.contains(party) { failures.append("\(party): expected nothing") }
        if example.refusal != decision.refusal?.code, example.refusal != nil || wanted.isEmpty == false {
            let code = decision.refusal?.code.rawValue ?? "none"
            failures.append("refusal: expected \(example.refusal?.rawValue ?? "none"), got \(code)")
        }
        return failures
    }

    private static func list(_ items: [some CustomStringConvertible]) -> String {
        "[" + items.map(\.description).joined(separator: ", ") + "]"
    }
}
