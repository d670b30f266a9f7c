import Foundation
import Journal
import TestSupport
import Testing

/// A0: the whole relay on one seed, all faults mixed, the second fold and starts from its snapshots among them.
///
/// `BUDKAVLE_SEED=N` repeats one run, `BUDKAVLE_SEEDS=N` says how many there are (1,000 without it), and both together how
/// many from which on: a long run goes in pieces. Seeds that found something stand in `seeds.txt` and come first, each in the
/// world with the first faults only, where most of them found it, and in the one with all; `BUDKAVLE_FAULTS=first` repeats a
/// run of the former.
@Suite struct RelaySimulationTests {
    private struct Figures: Sendable {
        var seeds = 0
        var simulated = Duration.zero
        var faults: [String: Int] = [:]
        var seen: [String: Int] = [:]
        var violations: [String] = []

        static func + (left: Figures, right: Figures) -> Figures {
            Figures(
                seeds: left.seeds + right.seeds, simulated: left.simulated + right.simulated,
                faults: left.faults.merging(right.faults) { $0 + $1 },
                seen: left.seen.merging(right.seen) { $0 + $1 }, violations: left.violations + right.violations)
        }
    }

    static let lanes = 2
    private static let environment = ProcessInfo.processInfo.environment

    /// Most worlds are short: faults meet early ones as often, and there are more of them. One in ten is long, and so is
    /// one in ten that rots: only in a long one there is something old.
    private static func steps(_ seed: UInt64) -> Int { seed % 10 == 0 || seed % 10 == 3 ? 400 : 110 }

    /// The master keys, made once.
    private static let rings: Result<SimulatedWorld.Rings, any Error> = Result {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "budkavle-simulation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var references: [KeyFileReference] = []
        for (seed, id) in ["v1", "v2"].enumerated() {
            let path = directory.appending(path: "\(id).key").path
            try KeyRing.generate(at: path, random: SeededRandom(seed: 7 + UInt64(seed)))
            references.append(KeyFileReference(id: id, path: path))
        }
        return SimulatedWorld.Rings(
            first: try KeyRing.load(references, active: "v1"), second: try KeyRing.load(references, active: "v2"))
    }

    /// The seeds that found something once.
    private static let known: [UInt64] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "seeds.txt")
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: " ").first.flatMap { UInt64($0) } }
    }()

    /// One run.
    private struct Draw {
        let seed: UInt64
        var faults = SimulatedTraits.Faults.all
        /// How to repeat it.
        var name: String { "BUDKAVLE_SEED=\(seed)" + (faults == .all ? "" : " BUDKAVLE_FAULTS=\(faults)") }
    }

    private static let seeds: [Draw] = {
        let count = environment["BUDKAVLE_SEEDS"].flatMap(UInt64.init)
        let faults = environment["BUDKAVLE_FAULTS"].flatMap(SimulatedTraits.Faults.init) ?? .all
        if let first = environment["BUDKAVLE_SEED"].flatMap(UInt64.init) {
            return (first..<first + (count ?? 1)).map { Draw(seed: $0, faults: faults) }
        }
        let old = known.flatMap { seed in SimulatedTraits.Faults.allCases.map { Draw(seed: seed, faults: $0) } }
        return old + (1...(count ?? 1_000)).map { Draw(seed: $0, faults: faults) }
    }()

    private static func run(lane: Int, rings: SimulatedWorld.Rings) -> Figures {
        var figures = Figures()
        for place in stride(from: lane, to: seeds.count, by: lanes) {
            let draw = seeds[place]
            figures.seeds += 1
            do {
                var world = try SimulatedWorld(seed: draw.seed, rings: rings, faults: draw.faults)
                do {
                    try world.run(steps: steps(draw.seed))
                } catch {
                    world.violate("\(error)")
                }
                figures.violations += world.history.violations.prefix(3).map { "\(draw.name): \($0)" }
                figures.simulated += world.simulated
                figures.faults.merge(world.faults) { $0 + $1 }
                figures.seen.merge(world.history.figures) { $0 + $1 }
            } catch {
                figures.violations.append("\(draw.name): \(error)")
            }
        }
        return figures
    }

    @Test(.timeLimit(.minutes(600)))
    func `what was receipted is delivered, in order, to whom a rule names, and nothing twice unmarked`() async throws {
        let rings = try Self.rings.get()
        let clock = ContinuousClock()
        let start = clock.now
        let figures = await withTaskGroup { group in
            for lane in 0..<Self.lanes { group.addTask { Self.run(lane: lane, rings: rings) } }
            return await group.reduce(into: Figures()) { $0 = $0 + $1 }
        }
        let real = clock.now - start
        let faults = figures.faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let hours = (figures.simulated / .seconds(3_600) * 10).rounded() / 10
        print(
            "A0 simulation: \(figures.seeds) seeds, \(hours) simulated hours in \((real / .seconds(1)).rounded()) s,"
                + " \(Int(figures.simulated / real)) times real time; faults: \(faults); \(figures.violations.count)"
                + " violations (below 3/\(figures.seeds))")
        #expect(figures.violations.isEmpty, "\(figures.violations.prefix(10).joined(separator: "\n"))")
        guard figures.seeds > 200 else { return }
        // A simulation in which little happens shows little.
        for name in [
            "accepted", "arrivals", "confirmed", "redelivered", "duplicates", "conflicts", "receipts", "mistimed",
        ] {
            #expect(figures.seen[name, default: 0] > 10, "\(name): \(figures.seen)")
        }
        for name in [
            "power cut", "killed process", "cut start", "full disk", "clock jump", "key rotation", "erasure",
            "rotten bit, segments", "rotten bit, slabs", "rotten bit, watermark", "rotten bit, archive", "lost link",
            "failed disk call planned", "snapshot", "start from a snapshot",
            "segments let go", "clean end", "weeks forward", "weeks back", "retired", "case erasure", "held sending",
            "erasure of what waits", "stale sending", "history read",
        ] { #expect(figures.faults[name, default: 0] > 10, "\(name): \(figures.faults)") }
        #expect(figures.simulated / real >= 100)
    }

    @Test(arguments: Flaw.allCases.filter { $0 != .none })
    func `the judge notices a relay that is built wrongly`(flaw: Flaw) throws {
        for seed in 1...240 as ClosedRange<UInt64> {
            var world = try SimulatedWorld(seed: seed, rings: Self.rings.get(), flaw: flaw)
            // A relay that has told too much may also find itself in a state that it cannot leave.
            do {
                try world.run(steps: 400)
            } catch {
                world.violate("\(error)")
            }
            guard let first = world.history.violations.first else { continue }
            print("A0 negative control, \(flaw): found with seed \(seed), \(first)")
            return
        }
        Issue.record("\(flaw) was not found with 60 seeds")
    }

    @Test func `one seed gives one history`() throws {
        var histories: [[String: Int]] = []
        for _ in 0..<2 {
            var world = try SimulatedWorld(seed: 11, rings: Self.rings.get())
            try world.run(steps: 400)
            histories.append(world.history.figures.merging(world.faults) { $0 + $1 })
        }
        #expect(histories[0] == histories[1])
    }
}
