import Foundation
import Journal
import TestSupport
import Testing

/// The whole relay on one seed.
///
/// `BUDKAVLE_SEED=N` repeats one run, `BUDKAVLE_SEEDS=N` says how many there are (200 without it).
@Suite struct RelaySimulationTests {
    static let lanes = 4
    static let steps = 400

    /// The master keys, made once.
    private static let ring: Result<KeyRing, any Error> = Result {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "budkavle-simulation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "v1.key").path
        try KeyRing.generate(at: path, random: SeededRandom(seed: 7))
        return try KeyRing.load([KeyFileReference(id: "v1", path: path)], active: "v1")
    }

    private static func seeds(lane: Int) -> [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["BUDKAVLE_SEED"].flatMap(UInt64.init) { return lane == 0 ? [one] : [] }
        let count = environment["BUDKAVLE_SEEDS"].flatMap(Int.init) ?? 200
        return stride(from: lane + 1, through: count, by: lanes).map(UInt64.init)
    }

    @Test(arguments: 0..<lanes)
    func `what was receipted is delivered, in order, to whom a rule names, and nothing twice unmarked`(lane: Int) throws
    {
        var figures: [String: Int] = [:]
        var crashes = 0
        for seed in Self.seeds(lane: lane) {
            var world = try SimulatedWorld(seed: seed, ring: Self.ring.get())
            try world.run(steps: Self.steps)
            #expect(
                world.history.violations.isEmpty,
                "BUDKAVLE_SEED=\(seed) repeats this: \(world.history.violations.joined(separator: "; "))")
            figures.merge(world.history.figures) { $0 + $1 }
            crashes += world.crashes
        }
        guard !Self.seeds(lane: lane).isEmpty, ProcessInfo.processInfo.environment["BUDKAVLE_SEED"] == nil else {
            return
        }
        // A simulation in which little happens shows little.
        for name in ["accepted", "arrivals", "confirmed", "redelivered", "duplicates", "conflicts", "receipts"] {
            #expect(figures[name, default: 0] > 10, "\(name): \(figures)")
        }
        #expect(crashes > 10)
    }

    @Test(arguments: [Flaw.answersBeforeCommit, .forgetsRedelivery])
    func `the judge notices a relay that is built wrongly`(flaw: Flaw) throws {
        var caught = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            var world = try SimulatedWorld(seed: seed, ring: Self.ring.get(), flaw: flaw)
            // A relay that has told too much may also find itself in a state that it cannot leave.
            do {
                try world.run(steps: Self.steps)
                if !world.history.violations.isEmpty { caught += 1 }
            } catch {
                caught += 1
            }
        }
        #expect(caught > 0)
    }

    @Test func `one seed gives one history`() throws {
        var histories: [[String: Int]] = []
        for _ in 0..<2 {
            var world = try SimulatedWorld(seed: 11, ring: Self.ring.get())
            try world.run(steps: Self.steps)
            histories.append(world.history.figures)
        }
        #expect(histories[0] == histories[1])
    }
}
