package import CaseNotifications
package import Settings

/// What a candidate policy would have done otherwise with notifications, told by party, type and rule: no content, no case.
package struct SimulationReport: Sendable {
    /// What is otherwise for a party.
    package enum Kind: Int, Sendable, Hashable, Comparable {
        /// A duty that it would get no more.
        case dutyLost
        /// It would get it and did not.
        case gains
        /// It would get more fields or attributes of it.
        case widened
        /// It would get it no more.
        case loses
        /// It would get fewer fields or attributes of it.
        case narrowed

        /// The gravest first.
        package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a notification is decided by.
    package enum Basis: Sendable {
        /// Its own envelope.
        case envelope
        /// One that was made up from what is recorded of it.
        case rebuilt
    }

    /// One kind of difference and how often it comes.
    package struct Row: Sendable, Hashable {
        /// What is otherwise.
        package let kind: Kind
        /// For whom.
        package let party: PartyID
        /// Of which type.
        package let type: EventType
        /// By which rule: the candidate's, or the running policy's for what is lost.
        package let rule: RuleID
        /// Fields and attributes (`@name`) that are more or fewer, sorted; empty for a whole notification.
        package let fields: [String]
        /// Where the rule stands.
        package let location: SourceLocation?
        /// Whether the candidate has no such rule.
        package let isRuleGone: Bool
    }

    /// Notifications that were compared.
    package private(set) var compared = 0
    /// Those of them whose envelope was rebuilt.
    package private(set) var rebuilt = 0
    /// Those of them that go to the same parties with the same fields.
    package private(set) var same = 0
    /// The earliest and the latest of them.
    package private(set) var times: ClosedRange<Timestamp>?
    /// Differences: how often, how often of those by a rebuilt envelope, and the first few notifications that show each.
    package private(set) var differences: [Row: (count: Int, rebuilt: Int, shown: [String])] = [:]
    /// So many notifications are named for each difference.
    package static let shownNotifications = 3

    private let running: Policy
    private let candidate: Policy

    /// Nothing is compared yet.
    package init(running: Policy, candidate: Policy) {
        self.running = running
        self.candidate = candidate
    }

    /// Differences, the gravest first.
    package var rows: [Row] {
        differences.keys.sorted {
            ($0.kind.rawValue, $0.party.text, $0.type.text, $0.rule.text, $0.fields.joined())
                < ($1.kind.rawValue, $1.party.text, $1.type.text, $1.rule.text, $1.fields.joined())
        }
    }

    /// Notifications of which a duty would be lost for somebody, counted by party.
    package var dutiesLost: Int { differences.filter { $0.key.kind == .dutyLost }.map(\.value.count).reduce(0, +) }
    /// Parties that would see more, sorted.
    package var widened: [PartyID] {
        Set(differences.keys.filter { $0.kind == .gains || $0.kind == .widened }.map(\.party)).sorted()
    }

    /// Decides one notification by both policies at an instant and keeps what is otherwise.
    ///
    /// - Parameter name: what it is called in the report: a notification's id, or a line's number.
    package mutating func compare(
        _ notification: CaseNotification, at instant: Timestamp, called name: String, by basis: Basis = .envelope
    ) {
        let before = running.decide(notification, at: instant)
        let after = candidate.decide(notification, at: instant)
        compared += 1
        if basis == .rebuilt { rebuilt += 1 }
        times = times.map { min($0.lowerBound, instant)...max($0.upperBound, instant) } ?? instant...instant
        let rows = rows(from: before, to: after, type: notification.type)
        if rows.isEmpty { same += 1 }
        for row in rows {
            var entry = differences[row] ?? (0, 0, [])
            entry.count += 1
            if basis == .rebuilt { entry.rebuilt += 1 }
            if entry.shown.count < Self.shownNotifications { entry.shown.append(name) }
            differences[row] = entry
        }
    }

    private func rows(from before: Decision, to after: Decision, type: EventType) -> Set<Row> {
        var rows: Set<Row> = []
        func add(_ kind: Kind, _ grant: Grant, _ fields: Set<String> = [], by policy: Policy) {
            rows.insert(
                Row(
                    kind: kind, party: grant.party, type: type, rule: grant.rule, fields: fields.sorted(),
                    location: policy.rule(grant.rule)?.location, isRuleGone: candidate.rule(grant.rule) == nil))
        }
        for grant in after.grants {
            guard let known = before.grants.first(where: { $0.party == grant.party }) else {
                add(.gains, grant, by: candidate)
                continue
            }
            let more = Self.names(grant).subtracting(Self.names(known))
            let fewer = Self.names(known).subtracting(Self.names(grant))
            if !more.isEmpty { add(.widened, grant, more, by: candidate) }
            if !fewer.isEmpty { add(.narrowed, grant, fewer, by: candidate) }
        }
        for grant in before.grants where !after.grants.contains(where: { $0.party == grant.party }) {
            add(grant.effect == .duty ? .dutyLost : .loses, grant, by: running)
        }
        return rows
    }

    private static func names(_ grant: Grant) -> Set<String> { Set(grant.fields + grant.attributes.map { "@" + $0 }) }
}
