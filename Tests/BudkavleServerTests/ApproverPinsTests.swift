import CaseNotifications
import Foundation
import Journal
import Routing
import Synchronization
import Testing

@testable import BudkavleServer

/// The keys of approvers as a data directory knows them.
@Suite(.timeLimit(.minutes(10))) struct ApproverPinsTests {
    private static let orebro = CollaborationID(unchecked: "orebro")
    private let scratch: StoreScratch

    /// A journal that was made and stopped.
    init() throws {
        scratch = try StoreScratch()
        try Self.makeJournal(scratch)
    }

    private static func makeJournal(_ scratch: StoreScratch) throws {
        let data = try scratch.data()
        let (_, journal) = try Recovered.open(
            orebro, in: data, keys: try scratch.ring(), options: JournalOptions(), log: LogLines().log)
        journal.stop()
        data.unlock()
    }

    private func pins() throws -> ApproverPins {
        try ApproverPins(Self.orebro, in: scratch.path + "/data", keys: try scratch.ring())
    }

    private var file: String { scratch.directory + "/audit/approvers" }

    /// Admits and pins; nil, or why not.
    private func refusal(_ policy: Policy, _ activation: ApproverPins.Activation) throws -> String? {
        let pins = try pins()
        do throws(StartError) {
            try pins.write(try pins.admit(policy, activation))
            return nil
        } catch {
            #expect(error.status == .configuration)
            return error.description
        }
    }

    @Test func `the first activation pins every key, and the same keys are admitted from then on`() throws {
        let policy = try ApprovalSite.production()
        let admission = try pins().admit(policy, .first)
        #expect(admission.isChanged && admission.changed == policy.approvers.map(\.party))
        #expect(
            FileManager.default.fileExists(atPath: file) == false, "nothing is written before it is known to be right")
        #expect(try refusal(policy, .first) == nil)
        let before = try Data(contentsOf: URL(filePath: file))
        #expect(try pins().admit(policy, .later).isChanged == false)
        #expect(try refusal(policy, .later) == nil)
        #expect(try Data(contentsOf: URL(filePath: file)) == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.directory + "/audit").contains("approvers.new")
                == false)
    }

    @Test func `another key is refused, and nothing else is pinned with it`() throws {
        #expect(try refusal(try ApprovalSite.production(), .first) == nil)
        let before = try Data(contentsOf: URL(filePath: file))
        let thief = ApproverSecret()
        let told = try #require(try refusal(try ApprovalSite.production(keys: ["soc-1880": thief]), .later))
        #expect(told.contains("approvals/soc-1880.yaml:4:6: error:") && told.contains("--next-key"), "\(told)")
        #expect(!told.contains(thief.secretText))
        #expect(try Data(contentsOf: URL(filePath: file)) == before)
    }

    @Test func `a key changes by the old key's signature alone, and does not change back`() throws {
        let old = try ApprovalSite.usualKey("soc-1880")
        let (second, third) = (ApproverSecret(), ApproverSecret())
        #expect(try refusal(try ApprovalSite.production(), .first) == nil)
        let skipping = try ApprovalSite.production(handOver: ["soc-1880": (second, third)])
        #expect(try refusal(skipping, .later) != nil, "a link of the chain is missing")
        let change = try ApprovalSite.production(handOver: ["soc-1880": (old, second)])
        #expect(try pins().admit(change, .later).changed.map(\.text) == ["soc-1880"])
        #expect(try refusal(change, .later) == nil)
        #expect(try refusal(change, .later) == nil, "the same file again")
        #expect(try refusal(try ApprovalSite.production(keys: ["soc-1880": second]), .later) == nil)
        #expect(try refusal(try ApprovalSite.production(), .later) != nil, "the old key is no more")
        #expect(try refusal(skipping, .later) == nil)
        #expect(try refusal(change, .later) != nil)
    }

    @Test func `approvals that are older than the last are refused, and others of the same time`() throws {
        #expect(try refusal(try ApprovalSite.production(), .first) == nil)
        let later = try ApprovalSite.production(signed: ["soc-1880": (1, "2026-11-22")])
        #expect(try pins().admit(later, .later).changed == [], "no key is new")
        #expect(try pins().admit(later, .later).isChanged)
        #expect(try refusal(later, .later) == nil)
        let before = try Data(contentsOf: URL(filePath: file))
        #expect(try refusal(later, .later) == nil, "the same file again")
        for (seconds, day) in [(0, "2026-11-22"), (0, "2026-11-23"), (1, "2026-11-23")] as [(Int64, String)] {
            let old = try ApprovalSite.production(signed: ["soc-1880": (seconds, day)])
            let told = try #require(try refusal(old, .later), "\(seconds) \(day)")
            #expect(told.contains("approvals/soc-1880.yaml:4:6: error:") && told.contains("does not come back"))
        }
        #expect(try Data(contentsOf: URL(filePath: file)) == before)
        #expect(try refusal(try ApprovalSite.production(signed: ["soc-1880": (2, "2026-11-23")]), .later) == nil)
        #expect(try refusal(later, .later) != nil)
    }

    @Test func `a key that hands over does so with a later statement`() throws {
        let (old, new) = (try ApprovalSite.usualKey("soc-1880"), ApproverSecret())
        let first = try ApprovalSite.production(signed: ["soc-1880": (5, "2026-11-22")])
        #expect(try refusal(first, .first) == nil)
        let early = try ApprovalSite.production(
            handOver: ["soc-1880": (old, new)], signed: ["soc-1880": (4, "2026-11-22")])
        #expect(try refusal(early, .later)?.contains("does not come back") == true)
        let late = try ApprovalSite.production(
            handOver: ["soc-1880": (old, new)], signed: ["soc-1880": (6, "2026-11-22")])
        #expect(try refusal(late, .later) == nil)
    }

    @Test func `missing pins are a refusal once something was active`() throws {
        let policy = try ApprovalSite.production()
        #expect(try refusal(policy, .later)?.contains("missing") == true)
        #expect(try refusal(policy, .first) == nil)
        try FileManager.default.removeItem(atPath: file)
        #expect(try refusal(policy, .later)?.contains("missing") == true)
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func `pins that were altered, cut or are of another journal are a refusal`() throws {
        let policy = try ApprovalSite.production()
        #expect(try refusal(policy, .first) == nil)
        let good = try Data(contentsOf: URL(filePath: file))
        for place in [0, 8, 40, good.count - 1] {
            var bad = good
            bad[place] ^= 1
            try bad.write(to: URL(filePath: file))
            #expect(try refusal(policy, .later)?.contains("altered") == true, "\(place)")
            #expect(try refusal(policy, .first)?.contains("altered") == true, "\(place)")
        }
        for count in [0, 8, 39, 40, good.count - 1] {
            try good.prefix(count).write(to: URL(filePath: file))
            #expect(try refusal(policy, .later)?.contains("altered") == true, "\(count)")
        }
        let other = try StoreScratch()
        try Self.makeJournal(other)
        let foreign = try ApproverPins(Self.orebro, in: other.path + "/data", keys: try other.ring())
        try foreign.write(try foreign.admit(policy, .first))
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.copyItem(atPath: other.directory + "/audit/approvers", toPath: file)
        #expect(try refusal(policy, .later)?.contains("another journal") == true)
        try good.write(to: URL(filePath: file))
        #expect(try refusal(policy, .later) == nil)
    }

    @Test func `an exercise pins nothing`() throws {
        let site = try ApprovalSite()
        let policy = try #require(try site.load().policy)
        #expect(try pins().admit(policy, .later).isChanged == false)
        #expect(try refusal(policy, .later) == nil)
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func `the registry pins all or nothing, and says whose keys are new`() throws {
        let log = LogLines()
        let registry = ApproverRegistry(
            [Self.orebro: ApproverRegistry.Entry(pins: try pins(), activation: .first)], log: log.log)
        let policy = try ApprovalSite.production()
        let judged = try registry.judge([policy])
        #expect(!FileManager.default.fileExists(atPath: file), "judging writes nothing")
        #expect(log.lines.withLock { $0 } == [])
        try registry.pin(judged)
        #expect(log.lines.withLock { $0 } == ["keys of approvers pinned"])
        try FileManager.default.removeItem(atPath: file)
        #expect(throws: StartError.self) { try registry.judge([policy]) }
    }

    @Test func `a companion file of another name has another key, and one byte too many is refused`() throws {
        let ring = try scratch.ring()
        let one = try CompanionFile("one", directory: scratch.directory, keys: ring)
        let two = try CompanionFile("two", directory: scratch.directory, keys: ring)
        #expect(try one.read() == .missing)
        try one.write([1, 2, 3])
        #expect(try one.read() == .bytes([1, 2, 3]))
        try FileManager.default.copyItem(atPath: one.path, toPath: two.path)
        #expect(try two.read() == .forged)
        let most = CompanionFile.mostBytes - 8 - 32
        try one.write([UInt8](repeating: 7, count: most))
        #expect(try one.read() == .bytes([UInt8](repeating: 7, count: most)))
        #expect(throws: JournalError.self) { try one.write([UInt8](repeating: 7, count: most + 1)) }
        #expect(try one.read() == .bytes([UInt8](repeating: 7, count: most)))
    }
}
