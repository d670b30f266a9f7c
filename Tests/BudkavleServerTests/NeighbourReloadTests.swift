import CaseNotifications
import EventLoop
import Foundation
import Journal
import Routing
import Settings
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer

/// What crosses between the collaborations of one daemon, wherever a configuration is judged: check, start and reload.
@Suite(.timeLimit(.minutes(10))) struct NeighbourReloadTests {
    private let site: ApprovalSite
    private let log = LogLines()

    /// Örebro and Värmland in one daemon.
    init() throws {
        site = try ApprovalSite()
        let varmland = ApprovalSite.county.deletingLastPathComponent().appending(path: "varmland")
        try FileManager.default.copyItem(at: varmland, to: URL(filePath: site.path + "/varmland"))
        try KeyRing.generate(at: site.path + "/key")
        let pki = TestCertificates.shared
        try list("[orebro, varmland]", tls: (pki.path("server.crt"), pki.path("server.key"), pki.path("ca.crt")))
    }

    private func list(_ collaborations: String, tls: (String, String, String)) throws {
        try """
        version: 1
        listen: {host: 127.0.0.1, port: 0}
        tls: {certificate: \(tls.0), key: \(tls.1), client-ca: [\(tls.2)]}
        journal: {directory: data, master-key: key}
        collaborations: \(collaborations)

        """.write(toFile: site.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
    }

    /// Takes away what Värmland lets the rules of Örebro tell, or gives it back.
    private func edit(_ old: String, _ new: String) throws {
        try site.edit("../varmland/rules.yaml", old, new)
    }

    private static let named = "neighbours:\n  - collaboration: orebro\n"
    private static let unnamed = "neighbours:\n  - collaboration: another\n"

    @Test func `check tells at Örebro's rule what Värmland does not name, in whatever order they are listed`() throws {
        #expect(ConfigurationReport.make(directory: site.path).isClean)
        try edit(Self.named, Self.unnamed)
        let report = ConfigurationReport.make(directory: site.path)
        #expect(!report.isClean && report.errorCount == 9 && report.diagnostics.count == 9, "\(report.diagnosticTexts)")
        for diagnostic in report.diagnostics {
            #expect(diagnostic.code.text == "BK3501" && diagnostic.location.file == site.directory + "/rules.yaml")
            #expect(diagnostic.sourceLine?.hasPrefix("  - id: ") == true, "\(diagnostic.text)")
            #expect(diagnostic.hint?.contains("'neighbours' in \(site.path)/varmland/rules.yaml: ") == true)
        }
        #expect(report.json.contains("BK3501"))
        let text = try String(contentsOfFile: site.path + "/budkavled.yaml", encoding: .utf8)
        try text.replacing("[orebro, varmland]", with: "[varmland, orebro]")
            .write(toFile: site.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        #expect(ConfigurationReport.make(directory: site.path).diagnostics == report.diagnostics)
        // Each alone has nobody to be compared with.
        try text.replacing("[orebro, varmland]", with: "[orebro]")
            .write(toFile: site.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        #expect(ConfigurationReport.make(directory: site.path).isClean)
    }

    @Test func `a daemon does not start with what one side alone names`() throws {
        try edit(Self.named, Self.unnamed)
        let daemon = try Daemon(configDirectory: site.path, log: log.log)
        let error = #expect(throws: StartError.self) { try daemon.start() }
        #expect(error?.status == .configuration)
        guard case .configuration(let found, let failed) = error else {
            Issue.record("\(error.map(\.description) ?? "")")
            return
        }
        #expect(Set(found.map(\.code.text)) == ["BK3501"] && failed.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: site.path + "/data"), "refused before anything is made")
    }

    @Test func `a reload that takes one side's entry away is refused, and what ran runs on`() async throws {
        // Examples would tell of the wider rule too.
        for county in ["orebro", "varmland"] {
            try "version: 1\nexamples: []\n".write(
                toFile: "\(site.path)/\(county)/tests.yaml", atomically: true, encoding: .utf8)
        }
        let daemon = try Daemon(configDirectory: site.path, log: log.log)
        let settings = try daemon.readSettings()
        let policies = try daemon.readPolicies(settings).map(\.policy)
        daemon.settings.withLock { $0 = settings }
        daemon.withState { state in
            state.policies = Dictionary(uniqueKeysWithValues: policies.map { ($0.collaboration, $0) })
        }
        try daemon.loop.start()
        defer { daemon.loop.stop() }
        let running = policies.map(\.digest)

        try edit(Self.named, Self.unnamed)
        let refused = await reload(daemon)
        #expect(!refused.isActivated && refused.policies.map(\.1) == running)
        #expect(refused.diagnostics.count == 9 && refused.diagnostics.allSatisfy { $0.contains("BK3501") })
        #expect(refused.reasons.isEmpty && refused.failedExamples.isEmpty)

        // Nor the other way round: the rule that goes further, with what the other side has named so far.
        try edit(Self.unnamed, Self.named)
        try site.edit(
            "rules.yaml", "to: {kinds: [social-services], named: yes, counties: [\"17\", \"20\"]}",
            "to: {kinds: [social-services, police], named: yes, counties: [\"17\", \"20\"]}")
        let wider = await reload(daemon)
        #expect(!wider.isActivated && wider.policies.map(\.1) == running)
        #expect(wider.diagnostics.count == 1 && wider.diagnostics[0].contains("'pol-17-lpo' of 'varmland'"))

        // With both sides' words it goes into force.
        try edit(
            Self.named,
            Self.named.replacing(
                "  - collaboration",
                with: "  - {collaboration: orebro, parties: [pol-17-lpo], told: [injury.observed]}\n  - collaboration"))
        let both = await reload(daemon)
        #expect(both.isActivated && both.hasChanged, "\(both.diagnostics) \(both.reasons)")
        #expect(both.policies.map(\.1) != running)
    }

    private func reload(_ daemon: Daemon) async -> ReloadOutcome {
        await withCheckedContinuation { continuation in
            daemon.reload(by: Daemon.signalActor) { continuation.resume(returning: $0) }
        }
    }
}
