import ArgumentParser
import CaseNotifications
import Foundation
import Routing
import Settings

/// `budkavle-bench decide`: what a routing decision costs, and what rules cost that are for other types.
struct DecideCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide", abstract: "Measure decisions: the worked examples of a policy, and then more rules.",
        discussion: """
            The bar: the median over the worked examples is less than 20 microseconds, and 1,000 rules of other types do not
            make a decision dearer. Times are of the thread's own processor, so that others on the machine count little.
            """)

    @Option(help: "Directory of the policy.")
    var config = "config/orebro"

    @Option(help: "How often each example is decided in one batch.")
    var batch = 200

    @Option(help: "Batches per example; the middle one counts.")
    var batches = 15

    /// The dearest median that passes, in nanoseconds.
    private static let barNanoseconds = 20_000.0
    /// The dearest ratio that passes: what is above is more than the noise of such a measurement.
    private static let barRatio = 1.25

    /// So many of the decisions above the bar are named.
    private static let mostNamed = 10

    func validate() throws {
        guard batch > 0, batches > 0 else { throw ValidationError("numbers must be positive") }
    }

    func run() throws {
        try Terminal.reporting {
            let files = try read()
            let policy = try load(files)
            let costs = policy.examples.map { Cost(example: $0, nanoseconds: cost(of: $0, policy)) }
            guard let middle = ProcessorCost.middle(costs.map(\.nanoseconds)), let dearest = costs.max(by: <) else {
                throw BenchError.noResult("\(config)/tests.yaml has no worked examples to decide")
            }
            print("\(costs.count) worked examples, \(policy.rules.count) rules, \(policy.parties.count) parties")
            print("median \(Self.text(middle)), dearest \(Self.text(dearest.nanoseconds)): \(dearest.example.name)")
            let dear = costs.filter { $0.nanoseconds >= Self.barNanoseconds }.sorted(by: >)
            for cost in dear.prefix(Self.mostNamed) { print("  \(Self.text(cost.nanoseconds)): \(cost.example.name)") }
            if dear.count > Self.mostNamed { print("  and \(dear.count - Self.mostNamed) more") }
            let isCheap = middle < Self.barNanoseconds
            let isFlat = try measureOtherRules(files, policy)
            if !isCheap { Terminal.complain("a decision costs more than \(Self.text(Self.barNanoseconds))") }
            if !isFlat { Terminal.complain("rules of other types make decisions dearer") }
            if !isCheap || !isFlat { throw ExitCode(1) }
        }
    }

    // MARK: Rules of other types

    /// Decides the examples of one type among 10, 100 and 1,000 more rules of the other types.
    private func measureOtherRules(_ files: [String: String], _ policy: Policy) throws -> Bool {
        let byType = Dictionary(grouping: policy.examples, by: \.notification.type)
        guard let (type, examples) = byType.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) }) else {
            return true
        }
        let others = policy.catalogue.types.keys.filter { $0 != type }.sorted()
        guard let rules = files.keys.first(where: { $0.hasSuffix("rules.yaml") }), !others.isEmpty else { return true }
        let alone = sum(examples, policy)
        print("\(examples.count) examples of \(type.shortName):")
        print("  + 0 rules of other types: \(Self.text(alone / Double(examples.count)))")
        var isFlat = true
        for count in [10, 100, 1_000] {
            var more = files
            more[rules, default: ""] += (0..<count).map { Self.rule($0, type: others[$0 % others.count]) }.joined()
            let enlarged = try load(more)
            guard enlarged.rules.count == policy.rules.count + count else {
                throw BenchError.noResult("the rules were not added")
            }
            let cost = sum(examples, enlarged)
            let ratio = String(format: "%.2f", cost / alone)
            print("  + \(count) rules of other types: \(Self.text(cost / Double(examples.count))), ratio \(ratio)")
            isFlat = isFlat && cost / alone <= Self.barRatio
        }
        return isFlat
    }

    private static func rule(_ number: Int, type: EventType) -> String {
        """

          - id: bench-\(number)
            effect: never
            types: [\(type.shortName)]
            from: {parties: ["*"]}
            to: {parties: ["*"]}
            when: {all: [child-present, imminent, honour]}

        """
    }

    // MARK: Measuring

    private struct Cost: Comparable {
        let example: Example
        let nanoseconds: Double

        static func < (left: Cost, right: Cost) -> Bool { left.nanoseconds < right.nanoseconds }

        static func == (left: Cost, right: Cost) -> Bool { left.nanoseconds == right.nanoseconds }
    }

    private func sum(_ examples: [Example], _ policy: Policy) -> Double {
        examples.reduce(0) { $0 + cost(of: $1, policy) }
    }

    /// Nanoseconds of one decision.
    private func cost(of example: Example, _ policy: Policy) -> Double {
        ProcessorCost.nanoseconds(batches: batches, batch: batch) {
            let decision = policy.decide(example.notification, at: example.at)
            return decision.grants.count + decision.refusals.count
        }
    }

    private static func text(_ nanoseconds: Double) -> String { String(format: "%.1f µs", nanoseconds / 1_000) }

    // MARK: Reading

    private func read() throws -> [String: String] {
        do {
            return try SettingsFiles.read(directory: config)
        } catch {
            throw BenchError.file(config, reason: "\(error)")
        }
    }

    private func load(_ files: [String: String]) throws -> Policy {
        let load = PolicyLoader.load(files: files, zone: try Self.zone())
        guard let policy = load.policy else {
            throw BenchError.noResult(load.diagnostics.map(\.text).joined(separator: "\n"))
        }
        return policy
    }

    /// The zone of all policies.
    static func zone() throws -> ZoneTransitions {
        do {
            return try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        } catch {
            throw BenchError.file(ZoneFile.systemDirectory, reason: "\(error)")
        }
    }
}
