import CaseNotifications
import EventLoop
import Foundation
import Journal
import Routing
import Synchronization
import Testing

@testable import BudkavleServer

/// When keys of approvers are pinned: by what goes into force, and at the administrator's word.
@Suite(.timeLimit(.minutes(10))) struct ReloadPinsTests {
    private static let orebro = CollaborationID(unchecked: "orebro")
    private let scratch: StoreScratch
    private let log = LogLines()

    /// A journal that was made and stopped.
    init() throws {
        scratch = try StoreScratch()
        let data = try scratch.data()
        let (_, journal) = try Recovered.open(
            Self.orebro, in: data, keys: try scratch.ring(), options: JournalOptions(), log: LogLines().log)
        journal.stop()
        data.unlock()
    }

    private var file: String { scratch.directory + "/audit/approvers" }
    private var again: String { scratch.directory + "/audit/approvers-again" }
    private var lines: [String] { log.lines.withLock { $0 } }

    private func pins() throws -> ApproverPins {
        try ApproverPins(Self.orebro, in: scratch.path + "/data", keys: try scratch.ring())
    }

    private func registry(_ activation: ApproverPins.Activation) throws -> ApproverRegistry {
        ApproverRegistry(
            [Self.orebro: ApproverRegistry.Entry(pins: try pins(), activation: activation)], log: log.log)
    }

    /// The file as it is; nil when there is none.
    private func pinned() -> Data? { FileManager.default.contents(atPath: file) }

    /// Why the reload number 1 of `policy` was refused; nil: it is prepared.
    private func refusal(_ daemon: Daemon, _ policy: Policy) -> StartError? {
        switch daemon.prepare(ReadAgain(context: nil, policies: [policy]), 1) {
        case .success: nil
        case .failure(let error): error
        }
    }

    @Test func `a reload that is refused leaves the pins untouched, and the running keys stay good`() throws {
        let running = try ApprovalSite.production()
        let registry = try registry(.first)
        try registry.pin(try registry.judge([running]))
        let before = try #require(pinned())
        let handOver = try ApprovalSite.production(
            handOver: ["soc-1880": (try ApprovalSite.usualKey("soc-1880"), ApproverSecret())])

        let daemon = try Daemon(configDirectory: scratch.path, log: log.log)
        try daemon.loop.start()
        defer { daemon.loop.stop() }
        daemon.approvers.withLock { $0 = registry }
        daemon.withState {
            $0.reloads = 1
            $0.policies = [Self.orebro: running, CollaborationID(unchecked: "dalarna"): running]
        }
        guard case .modes = refusal(daemon, handOver) else {
            Issue.record("a collaboration is missing")
            return
        }
        #expect(pinned() == before)

        daemon.withState {
            $0.policies = [Self.orebro: running]
            $0.reloads = 2
        }
        #expect(refusal(daemon, handOver)?.description.contains("overtaken") == true)
        #expect(pinned() == before)
        #expect(try registry.judge([running]).allSatisfy { !$0.admission.isChanged }, "a restart would go well")

        daemon.withState { $0.reloads = 1 }
        #expect(refusal(daemon, handOver) == nil)
        #expect(pinned() != before, "nothing refuses any more: now it is pinned")
        guard case .approvers = refusal(daemon, running) else {
            Issue.record("the old key is no more")
            return
        }
    }

    @Test func `a reload whose keys cannot be pinned is refused`() throws {
        let policy = try ApprovalSite.production()
        let daemon = try Daemon(configDirectory: scratch.path, log: log.log)
        try daemon.loop.start()
        defer { daemon.loop.stop() }
        let registry = try registry(.first)
        daemon.approvers.withLock { $0 = registry }
        daemon.withState { $0.policies = [Self.orebro: policy] }
        // A directory where the new file has to come: root writes anywhere else.
        try FileManager.default.createDirectory(atPath: file + ".new/x", withIntermediateDirectories: true)
        guard case .failure(.journal) = daemon.prepare(ReadAgain(context: nil, policies: [policy]), 0) else {
            Issue.record("it cannot be pinned")
            return
        }
        #expect(pinned() == nil && lines == [])
    }

    @Test func `missing pins of a journal that was active are made afresh at the administrator's word, once`() throws {
        let policy = try ApprovalSite.production()
        let told = #expect(throws: StartError.self) { try self.registry(.later).judge([policy]) }
        #expect(told?.description.contains(again) == true, "the message names the remedy")

        try "older than approvals\n".write(toFile: again, atomically: true, encoding: .utf8)
        let reason = try #require(try pins().again.reason())
        #expect(reason == "older than approvals")
        let registry = try self.registry(.again(reason: reason))
        try registry.pin(try registry.judge([policy]))
        #expect(
            lines == ["keys of approvers pinned", "keys of approvers were missing and are pinned afresh"])
        #expect(pinned() != nil)
        let recorded = registry.takePinnedAgain(policy.collaboration)
        #expect(recorded?.reason == reason && recorded?.parties == policy.approvers.count, "for the journal")
        #expect(registry.takePinnedAgain(policy.collaboration) == nil)
        #expect(try pins().again.reason() == nil, "it counts once")
        #expect(try registry.judge([policy]).allSatisfy { !$0.admission.isChanged })
        try FileManager.default.removeItem(atPath: file)
        #expect(throws: StartError.self) { try registry.judge([policy]) }
    }

    @Test func `the administrator's word changes no key that is pinned, and brings back none that was altered`() throws
    {
        let policy = try ApprovalSite.production()
        try pins().write(try pins().admit(policy, .first))
        let good = try #require(pinned())
        try "why".write(toFile: again, atomically: true, encoding: .utf8)
        let registry = try registry(.again(reason: "why"))
        let other = try ApprovalSite.production(keys: ["soc-1880": ApproverSecret()])
        #expect(throws: StartError.self) { try registry.judge([other]) }
        try Data(good.dropLast()).write(to: URL(filePath: file))
        #expect(throws: StartError.self) { try registry.judge([policy]) }
        try good.write(to: URL(filePath: file))
        try registry.pin(try registry.judge([policy]))
        #expect(pinned() == good && lines == [] && registry.takePinnedAgain(policy.collaboration) == nil)
        #expect(try pins().again.reason() == nil, "none waits for pins that are lost later")
    }

    @Test func `the reason is one line of printable text, at and one past its limit`() throws {
        let again = try pins().again
        #expect(try again.reason() == nil)
        let most = String(repeating: "a", count: ApproversAgain.mostBytes)
        for good in ["x", "ny nyckel för Örebro\n", most, most + "\n"] {
            try good.write(toFile: again.path, atomically: true, encoding: .utf8)
            #expect(try again.reason() == good.trimmingCharacters(in: .newlines))
        }
        let unprintable = ["two\nlines\n", "x\n\n", "a\u{1b}[0m", "a\r\n"]
        for bad in ["", "\n", "  \n", most + "a", most + "a\n"] + unprintable {
            try bad.write(toFile: again.path, atomically: true, encoding: .utf8)
            #expect(throws: StartError.self, "\(bad.debugDescription)") { try again.reason() }
        }
        try Data([0x61, 0xFF]).write(to: URL(filePath: again.path))
        #expect(throws: StartError.self) { try again.reason() }
        try FileManager.default.removeItem(atPath: again.path)
        #expect(throws: StartError.self, "it has gone already") { try again.remove() }
        try FileManager.default.createSymbolicLink(atPath: again.path, withDestinationPath: scratch.path + "/key")
        #expect(throws: StartError.self) { try again.reason() }
    }
}
