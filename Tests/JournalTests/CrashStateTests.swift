import Foundation
import Journal
import TestSupport
import Testing

/// A3: legal crash states of recorded workloads. `BUDKAVLE_LONG=1` makes 100,000 instead of 5,000, `BUDKAVLE_STATES=N` so
/// many.
struct CrashStateTests {
    private struct Fingerprint: Hashable, Sendable {
        var disk: Int
        var committed: Int
    }

    private let ring: KeyRing
    /// From the rotation on; and the new key alone.
    private let both: KeyRing
    private let newest: KeyRing
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring(["v1", "v2"])
        both = try scratch.ring(["v1", "v2"], active: "v2")
        let second = KeyFileReference(id: "v2", path: "\(scratch.path)/v2-7.key")
        newest = try KeyRing.load([second], active: "v2")
    }

    private static let wanted: Int = {
        let environment = ProcessInfo.processInfo.environment
        if let states = environment["BUDKAVLE_STATES"].flatMap(Int.init) { return states }
        return environment["BUDKAVLE_LONG"] == "1" ? 100_000 : 5_000
    }()
    /// Distinct states that one workload has at little cost, and workloads at most.
    private static let perVariant = 8_000
    private static let variants: UInt64 = 40

    /// Four lives: small and large records, texts, several requests in a batch, full segments, watermarks, erasures, a
    /// rotation of the master key, snapshots and segments that go, orderly and hard ends. Each variant has other bytes, and
    /// its first records other lengths.
    private func workload(variant: UInt64 = 0) throws -> (disk: ProbedDisk, facts: CrashFacts) {
        let disk = ProbedDisk(MemoryDisk(seed: 1 + variant), keepsLog: true)
        let seed = variant * 100
        let more = Int(variant) * 97
        var driver = try CrashDriver(disk, ring, random: seed + 1)
        for lengths in [[9 + more], [100], [2_000 + more, 31, 64], [513], [9_001]] { try driver.commit(lengths) }
        try driver.mark()
        for lengths in [[20_000], [700, 8]] { try driver.commit(lengths) }
        try driver.erase([1, 2])
        try driver.prepareAll()
        for lengths in [[12_000], [15, 16, 17], [30_001], [4_096]] { try driver.commit(lengths) }
        try driver.finish()
        driver = try CrashDriver(disk, ring, facts: driver.facts, random: seed + 2)
        for lengths in [[40], [18_000, 5_001], [33_001], [11]] { try driver.commit(lengths) }
        try driver.snapshot(random: seed + 21)
        try driver.rotate(to: both)
        try driver.commit([902])
        driver.close()
        for life in 3...4 as ClosedRange<UInt64> {
            driver = try CrashDriver(disk, both, facts: driver.facts, random: seed + life)
            for lengths in [[41], [28_001], [33_001], [12]] { try driver.commit(lengths) }
            try driver.mark()
            try driver.snapshot(random: seed + life)
            try driver.erase([driver.facts.texts.count - 1])
            try driver.commit([7, 1_200])
        }
        return (disk, driver.facts)
    }

    /// Judges distinct states until there are `wanted`, on as many threads as there are lanes.
    private func judge(
        _ disk: ProbedDisk, _ facts: CrashFacts, rings: (before: KeyRing, after: KeyRing),
        syncing: CrashStates.Syncing = .honest, wanted: Int
    ) async -> (generated: Int, distinct: Int, violations: [String]) {
        let lanes = 2
        let results = await withTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask {
                    // A few states are made by both lanes.
                    Self.lane(
                        lane, of: lanes, disk, CrashJudge(facts: facts, rings: rings), syncing,
                        wanted / lanes + wanted / 8)
                }
            }
            return await group.reduce(into: [(Int, Set<Fingerprint>, [String])]()) { $0.append($1) }
        }
        return (
            results.reduce(0) { $0 + $1.0 }, results.reduce(into: Set()) { $0.formUnion($1.1) }.count,
            results.flatMap(\.2)
        )
    }

    /// The states behind every `lanes`-th call.
    private static func lane(
        _ lane: Int, of lanes: Int, _ disk: ProbedDisk, _ judge: CrashJudge, _ syncing: CrashStates.Syncing,
        _ wanted: Int
    ) -> (Int, Set<Fingerprint>, [String]) {
        var seen: Set<Fingerprint> = []
        var generated = 0
        var violations: [String] = []
        for round in 0..<400 as Range<UInt64> where seen.count < wanted {
            // Spread over the whole log: later rounds make a few states at each place.
            var states = CrashStates(
                of: disk, syncing: syncing, choosing: round == 0 ? .everything : .random(6), seed: round)
            states.forEach(share: (lane, lanes)) { remains in
                generated += 1
                let mark = Fingerprint(disk: remains.fingerprint, committed: judge.facts.committed(at: remains.point))
                guard seen.insert(mark).inserted else { return true }
                let verdict = judge.verdict(
                    remains.mounted(seed: round), at: remains.point, random: round &* 977 &+ UInt64(seen.count),
                    readsTexts: seen.count % 4 == 0)
                if let verdict { violations.append("\(verdict); \(remains.choices)") }
                return (round == 0 || seen.count < wanted) && violations.count < 50
            }
            if violations.count >= 50 { break }
        }
        return (generated, seen, violations)
    }

    @Test(.timeLimit(.minutes(60)))
    func `no legal crash state loses a committed record or invents one`() async throws {
        var (changes, generated, distinct, violations) = (0, 0, 0, [String]())
        for variant in 0..<Self.variants where distinct < Self.wanted && violations.isEmpty {
            let (disk, facts) = try workload(variant: variant)
            let wanted = min(Self.wanted - distinct, Self.perVariant)
            let result = await judge(disk, facts, rings: (both, newest), wanted: wanted)
            changes += disk.logCount
            generated += result.generated
            distinct += result.distinct
            violations += result.violations
        }
        print(
            "A3 crash states: \(changes) changes of the disk, \(generated) states, \(distinct)"
                + " distinct, \(violations.count) violations (below 3/\(distinct))")
        #expect(violations.isEmpty, "\(violations.prefix(3).joined(separator: "\n"))")
        #expect(distinct >= Self.wanted)
    }

    @Test(arguments: [CrashStates.Syncing.ignoresFiles, .ignoresDirectories])
    func `the judge notices a disk whose sync does nothing`(syncing: CrashStates.Syncing) async throws {
        let (disk, facts) = try workload()
        let result = await judge(disk, facts, rings: (both, newest), syncing: syncing, wanted: 400)
        print("A3 negative control, \(syncing): \(result.violations.count) violations in \(result.distinct) states")
        #expect(!result.violations.isEmpty)
    }
}
