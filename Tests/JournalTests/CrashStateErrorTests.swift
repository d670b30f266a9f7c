import Foundation
import Glibc
import Journal
import TestSupport
import Testing

/// A2 and A11 within the process: every call of a workload and of a recovery fails in every way, once and for ever.
struct CrashStateErrorTests {
    private struct Case: Sendable {
        var fault: ProbedDisk.Fault
        var isSticky: Bool

        /// Whether a call of this name fails in another way than in the other cases, or than the next call that can.
        func isOfItsOwn(_ name: String) -> Bool {
            switch fault {
            case .error: true
            case .halfway: name == "pwrite"
            case .short: name == "pwrite" || name == "pread"
            }
        }
    }

    private struct Figures {
        var runs = 0
        var met = 0
        var outcomes: [String: Int] = [:]
        var violations: [String] = []

        static func + (left: Figures, right: Figures) -> Figures {
            Figures(
                runs: left.runs + right.runs, met: left.met + right.met,
                outcomes: left.outcomes.merging(right.outcomes) { $0 + $1 },
                violations: left.violations + right.violations)
        }
    }

    private let scratch: Scratch
    private let ring: KeyRing
    private let both: KeyRing
    private let newest: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring(["v1", "v2"])
        both = try scratch.ring(["v1", "v2"], active: "v2")
        let second = KeyFileReference(id: "v2", path: "\(scratch.path)/v2-7.key")
        newest = try KeyRing.load([second], active: "v2")
    }

    /// `BUDKAVLE_LONG=1`: all; otherwise without those that are the likest to others.
    private static let cases: [Case] = {
        var cases = [EIO, ENOSPC, EROFS].flatMap { number in
            [false, true].map { Case(fault: .error(number), isSticky: $0) }
        }
        cases += [
            Case(fault: .error(EMFILE), isSticky: false), Case(fault: .halfway(EIO), isSticky: false),
            Case(fault: .short, isSticky: true),
        ]
        guard ProcessInfo.processInfo.environment["BUDKAVLE_LONG"] == "1" else { return cases }
        return cases + [
            Case(fault: .error(EMFILE), isSticky: true), Case(fault: .error(EDQUOT), isSticky: false),
            Case(fault: .error(EDQUOT), isSticky: true),
            Case(fault: .halfway(ENOSPC), isSticky: false), Case(fault: .halfway(ENOSPC), isSticky: true),
            Case(fault: .short, isSticky: false),
        ]
    }()

    /// Rotates once, has texts, several requests in a batch, and an orderly end.
    private static func work(_ driver: inout CrashDriver) throws {
        for lengths in [[9], [2_000, 31, 64], [9_001], [12_000]] { try driver.commit(lengths) }
        try driver.prepareAll()
        for lengths in [[30_001], [16, 17], [20_000]] { try driver.commit(lengths) }
    }

    /// What a start must cope with: two full segments, slabs of two starts, a torn tail.
    private func wornDisk() throws -> (disk: MemoryDisk, facts: CrashFacts) {
        let probe = ProbedDisk(MemoryDisk(seed: 5), keepsLog: true)
        var driver = try CrashDriver(probe, ring, random: 1)
        try Self.work(&driver)
        driver.close()
        driver = try CrashDriver(probe, ring, facts: driver.facts, random: 2)
        try driver.commit([100, 101])
        let before = probe.logCount
        try driver.commit([5_000])
        var torn: MemoryDisk?
        var states = CrashStates(of: probe, choosing: .everything, seed: 1)
        states.forEach { remains in
            if remains.point == before + 1, remains.choices.contains("torn(512)") { torn = remains.mounted(seed: 9) }
            return torn == nil
        }
        // The torn record counts as never reported.
        var facts = driver.facts
        facts.attempted.removeLast()
        facts.reportedAt.removeLast()
        facts.texts.removeAll { $0.reportedAt > before }
        return (try #require(torn), facts)
    }

    private static func name(_ error: any Error) -> String {
        guard let error = error as? JournalError else { return "untyped \(type(of: error))" }
        return Mirror(reflecting: error).children.first?.label ?? "\(error)"
    }

    /// One life with one fault; then the power goes and the disk is judged.
    private func run(
        _ disk: MemoryDisk, _ facts: CrashFacts, _ fault: Case, at call: Int, where place: String,
        _ work: (inout CrashDriver) throws -> Void
    ) -> Figures {
        var figures = Figures()
        figures.runs = 1
        let probe = ProbedDisk(disk, keepsLog: false)
        probe.plan(fault.fault, at: call, isSticky: fault.isSticky)
        var known = facts
        do {
            var driver = try CrashDriver(probe, ring, facts: facts, random: 77)
            if driver.core.report.lastRecord < facts.reportedAt.count {
                figures.violations.append("the start lost records")
            }
            known = driver.facts
            defer { driver.close() }
            do {
                try work(&driver)
                figures.outcomes["finished", default: 0] += 1
            } catch {
                figures.outcomes[Self.name(error), default: 0] += 1
                if error is ReportedAfterFailedSync {
                    figures.violations.append("a commit was reported after a failed sync")
                }
                let reported = driver.facts.reportedAt.count
                // After a failure that is final nothing may be reported any more; a full disk is not final.
                for _ in 0..<2 {
                    do {
                        try driver.commit([8])
                    } catch {}
                }
                if probe.hasFailedSync, driver.facts.reportedAt.count != reported {
                    figures.violations.append("records were reported after a failed sync")
                }
            }
            known = driver.facts
        } catch {
            figures.outcomes["start: " + Self.name(error), default: 0] += 1
        }
        if !probe.hits.isEmpty { figures.met = 1 }
        disk.crash()
        // `reportedAt` counts no log here: everything reported by now is demanded.
        known.reportedAt = known.reportedAt.map { _ in 0 }
        known.rotatedAt = known.rotatedAt.map { _ in 0 }
        var judge = CrashJudge(facts: known, rings: (both, newest))
        judge.recoveries = call % 3 == 1 ? 2 : 1
        if let verdict = judge.verdict(disk, at: .max, random: 99, readsTexts: call % 3 == 0) {
            figures.violations.append(verdict)
        }
        figures.violations = figures.violations.map { "\(place) \(fault) at call \(call) \(probe.hits): \($0)" }
        return figures
    }

    /// - Parameter calls: the names of all calls without a fault; those in `range` fail.
    private func loop(
        _ name: String, _ calls: [String], _ range: Range<Int>, disk: @escaping @Sendable () -> MemoryDisk,
        _ facts: CrashFacts,
        _ work: @escaping @Sendable (inout CrashDriver) throws -> Void
    ) async -> Figures {
        let lanes = 2
        return await withTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask {
                    var figures = Figures()
                    for call in stride(from: range.lowerBound + lane, to: range.upperBound, by: lanes) {
                        // Enough is known then.
                        if figures.violations.count > 20 { break }
                        for fault in Self.cases where fault.isOfItsOwn(calls[call]) {
                            figures = figures + run(disk(), facts, fault, at: call, where: name, work)
                        }
                    }
                    return figures
                }
            }
            return await group.reduce(into: Figures()) { $0 = $0 + $1 }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `every failing call of a first life ends in a typed outcome and loses nothing that was reported`() async throws
    {
        let probe = ProbedDisk(MemoryDisk(seed: 3), keepsLog: false)
        var driver = try CrashDriver(probe, ring, random: 77)
        try Self.work(&driver)
        let result = await loop(
            "life", probe.calls, 0..<probe.calls.count, disk: { MemoryDisk(seed: 3) }, CrashFacts(), Self.work)
        print(
            "A2 in process: \(probe.calls.count) calls, \(result.runs) runs, \(result.met) met their fault,"
                + " \(result.violations.count) violations (below 3/\(result.met)); outcomes \(result.outcomes)")
        #expect(result.violations.isEmpty, "\(result.violations.prefix(5).joined(separator: "\n"))")
        #expect(result.met > probe.calls.count * 4)
        #expect(result.outcomes.keys.allSatisfy { !$0.contains("untyped") })
    }

    @Test(.timeLimit(.minutes(10)))
    func `every failing call of a recovery loses nothing, and the next recovery finds all`() async throws {
        let (worn, facts) = try wornDisk()
        let probe = ProbedDisk(worn.clone(seed: 3), keepsLog: false)
        var driver = try CrashDriver(probe, ring, facts: facts, random: 77)
        let calls = probe.calls
        #expect(driver.core.report.tornTail != nil)
        driver.close()
        let result = await loop("recovery", calls, 0..<calls.count, disk: { worn.clone(seed: 3) }, facts, Self.work)
        print(
            "A11 in process: \(calls.count) calls, \(result.runs) runs, \(result.met) met their fault,"
                + " \(result.violations.count) violations (below 3/\(result.met)); outcomes \(result.outcomes)")
        #expect(result.violations.isEmpty, "\(result.violations.prefix(5).joined(separator: "\n"))")
        #expect(result.met > calls.count * 4)
    }

    @Test(.timeLimit(.minutes(10)))
    func `every failing call of erasing, rotating and taking a snapshot loses nothing, and nothing erased comes back`()
        async throws
    {
        let (worn, facts) = try wornDisk()
        let both = both
        let work: @Sendable (inout CrashDriver) throws -> Void = { driver in
            try driver.mark()
            try driver.erase([0, driver.facts.texts.count - 1])
            try driver.rotate(to: both)
            try driver.snapshot(random: 5)
            try driver.commit([9, 80])
        }
        let probe = ProbedDisk(worn.clone(seed: 3), keepsLog: false)
        var driver = try CrashDriver(probe, ring, facts: facts, random: 77)
        let start = probe.calls.count
        try work(&driver)
        let result = await loop(
            "maintenance", probe.calls, start..<probe.calls.count, disk: { worn.clone(seed: 3) }, facts, work)
        print(
            "A2 in process, maintenance: \(probe.calls.count - start) calls, \(result.runs) runs, \(result.met) met"
                + " their fault, \(result.violations.count) violations (below 3/\(result.met)); outcomes"
                + " \(result.outcomes)")
        #expect(result.violations.isEmpty, "\(result.violations.prefix(5).joined(separator: "\n"))")
        #expect(result.met > (probe.calls.count - start) * 4)
    }
}
