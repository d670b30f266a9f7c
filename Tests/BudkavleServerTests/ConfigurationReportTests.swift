import CaseNotifications
import Foundation
import Glibc
import Journal
import Routing
import Settings
import TestSupport
import Testing

@testable import BudkavleServer

/// What `check` reads beside the policies, and what is told where another user's files lie in the way.
@Suite struct ConfigurationReportTests {
    private static let package = ApprovalSite.county.deletingLastPathComponent().deletingLastPathComponent()

    /// Writes budkavled.yaml of a site whose files are all as they must be, changed by `change`.
    private func site(_ change: (String) -> String = { $0 }) throws -> ApprovalSite {
        let site = try ApprovalSite()
        let pki = TestCertificates.shared
        try KeyRing.generate(at: site.path + "/key")
        let text = """
            version: 1
            listen: {host: 127.0.0.1, port: 0}
            tls: {certificate: \(pki.path("server.crt")), key: \(pki.path("server.key")), client-ca: [\(pki.path("ca.crt"))],
              crl: [\(pki.path("ca.crl"))]}
            journal: {directory: data, master-key: key}
            collaborations: [orebro]

            """
        try change(text).write(toFile: site.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        return site
    }

    private func errors(_ report: ConfigurationReport, _ site: ApprovalSite) -> [String] {
        report.diagnostics.filter { $0.severity == .error }.map {
            "\($0.location): \($0.message)".replacing(site.path + "/", with: "").replacing(
                TestCertificates.shared.directory + "/", with: "")
        }
    }

    @Test func `the shipped configuration is clean, and what it names of a service is said to be unread`() throws {
        try #require(ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] == nil)
        let config = Self.package.path + "/config"
        let report = ConfigurationReport.make(directory: config)
        #expect(report.isClean && report.diagnostics.isEmpty, "\(report.diagnosticTexts)")
        let files = ["server.crt", "ca.crt", "crl.pem"].map { "\(config)/tls/\($0)" }
        #expect(report.unread == ["credential:tls-key"] + files + ["credential:journal-kek"])
        #expect(report.summary.last == "0 errors, 0 warnings, 0 failed examples")
        #expect(report.summary.contains { $0.hasPrefix("5 files not read here: credential:tls-key, ") })
    }

    @Test func `TLS files and keys that are as they must be are read, and nothing is left unread`() throws {
        let site = try site()
        let report = ConfigurationReport.make(directory: site.path)
        #expect(report.isClean && report.unread.isEmpty, "\(report.diagnosticTexts) \(report.unread)")
    }

    @Test func `every TLS file and key that is missing is told at the place that names it`() throws {
        let site = try site {
            $0.replacing(TestCertificates.shared.directory + "/", with: "none/")
                .replacing("key: key", with: "key: nokey")
        }
        let report = ConfigurationReport.make(directory: site.path)
        #expect(!report.isClean)
        #expect(
            errors(report, site) == [
                "budkavled.yaml:3:20: none/server.crt: No such file or directory",
                "budkavled.yaml:3:42: none/server.key: No such file or directory",
                "budkavled.yaml:3:71: none/ca.crt: No such file or directory",
                "budkavled.yaml:4:9: none/ca.crl: No such file or directory",
                "budkavled.yaml:5:40: nokey: cannot be opened: No such file or directory; check path and owner",
            ])
    }

    @Test(arguments: [
        ("server.key", "client.key", "not the key of the certificate"), ("ca.crt", "client.key", "no certificate"),
        ("ca.crl", "other.crl", "not among the configured authorities"),
    ])
    func `TLS files that do not fit each other are told`(file: String, other: String, message: String) throws {
        let site = try site { $0.replacing("/\(file)", with: "/\(other)") }
        let found = errors(ConfigurationReport.make(directory: site.path), site)
        #expect(found.count == 1 && found[0].hasPrefix("budkavled.yaml:") && found[0].contains(message), "\(found)")
        #expect(found.first?.hasPrefix("budkavled.yaml:1:1") == false, "it has its place")
    }

    @Test func `a master key that others may read, or of 31 bytes, is told`() throws {
        let site = try site()
        #expect(chmod(site.path + "/key", 0o640) == 0)
        #expect(errors(ConfigurationReport.make(directory: site.path), site).first?.contains("chmod 0600") == true)
        #expect(chmod(site.path + "/key", 0o600) == 0)
        let bytes = try #require(FileManager.default.contents(atPath: site.path + "/key"))
        try bytes.dropLast().write(to: URL(filePath: site.path + "/key"))
        #expect(chmod(site.path + "/key", 0o600) == 0)
        #expect(errors(ConfigurationReport.make(directory: site.path), site).first?.contains("31 bytes") == true)
    }

    @Test func `one credential that is not here does not hide a file that is missing`() throws {
        let site = try site {
            $0.replacing(TestCertificates.shared.path("server.key"), with: "\"credential:tls-key\"")
                .replacing("/ca.crl", with: "/no.crl")
        }
        let report = ConfigurationReport.make(directory: site.path)
        #expect(report.unread == ["credential:tls-key"])
        #expect(errors(report, site).map { $0.suffix(33) } == ["no.crl: No such file or directory"])
    }

    @Test func `an approver's key that is not the pinned one is told before a reload would refuse it`() throws {
        let site = try site()
        let id = CollaborationID(unchecked: "orebro")
        let ring = try KeyRing.load([KeyFileReference(id: "v1", path: site.path + "/key")], active: "v1")
        let data = try DataDirectory(path: site.path + "/data")
        let (_, journal) = try Recovered.open(id, in: data, keys: ring, options: JournalOptions(), log: LogLines().log)
        journal.stop()
        data.unlock()
        let pins = try ApproverPins(id, in: site.path + "/data", keys: ring)
        let policy = try ApprovalSite.production()
        try pins.write(try pins.admit(policy, .first))
        let settings = try StoreSite.settings(site.path)
        func found(_ policy: Policy) -> [String] {
            let log = DiagnosticLog()
            var files = NamedFiles(settings, log: log)
            files.check([policy])
            return log.diagnostics.map(\.message)
        }
        #expect(found(policy).isEmpty)
        let other = found(try ApprovalSite.production(keys: ["soc-1880": ApproverSecret()]))
        #expect(other.count == 1 && other[0].contains("not the key that is pinned for 'soc-1880'"), "\(other)")
    }

    @Test func `a file that is not UTF-8 is told at its place with all other mistakes, and in JSON too`() throws {
        let site = try site()
        let latin = site.directory + "/parties/soc-1880.yaml"
        var bytes = try #require(FileManager.default.contents(atPath: latin))
        let line = bytes.count { $0 == 0x0A } + 1
        bytes.append(contentsOf: Array("# \u{E5}".unicodeScalars.map { UInt8($0.value) }))
        try bytes.write(to: URL(filePath: latin))
        try site.edit("parties/soc-1881.yaml", "kind: social-services", "kind: polis")
        let report = ConfigurationReport.make(directory: site.path)
        let found = errors(report, site)
        #expect(found.contains("orebro/parties/soc-1880.yaml:\(line):3: not UTF-8 from here on"), "\(found)")
        #expect(found.contains { $0.hasPrefix("orebro/parties/soc-1881.yaml:") }, "\(found)")
        #expect(report.json.contains("BK1002"))
        #expect(report.summary.contains { $0.hasSuffix("/tests.yaml: no worked example was run") })

        let missing = ConfigurationReport.make(directory: site.path + "/none")
        #expect(missing.json.contains("there is no such file") && !missing.isClean)
        #expect(missing.summary.last == "1 error, 0 warnings, 0 failed examples")
        let file = ConfigurationReport.make(directory: site.path + "/budkavled.yaml")
        #expect(file.diagnosticTexts.first?.contains("the directory that it lies in is wanted") == true)
    }

    @Test func `a party whose file ends in yml is warned of, and is no party`() throws {
        let site = try site()
        for (directory, name) in [("parties", "soc-1863.yml"), ("approvals", "soc-1880.YML")] {
            let directory = "\(site.directory)/\(directory)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "version: 1\n".write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
        }
        let report = ConfigurationReport.make(directory: site.path)
        #expect(report.isClean && report.policies.count == 1, "a warning stops nothing: \(report.diagnosticTexts)")
        let told = report.diagnostics.filter { $0.code.text == "BK1015" }
        #expect(
            told.map { "\($0.location)" } == [
                "\(site.directory)/approvals/soc-1880.YML:1:1", "\(site.directory)/parties/soc-1863.yml:1:1",
            ])
        #expect(told.allSatisfy { $0.severity == .warning && $0.hint?.contains("rename it to .yaml") == true })
        #expect(report.summary.last == "0 errors, 2 warnings, 0 failed examples")
    }

    @Test func `mistakes in budkavled.yaml hide none of the policies that it lists`() throws {
        let site = try site { $0.replacing("port: 0", with: "port: 70000").replacing("journal:", with: "jornal:") }
        try site.edit("parties/soc-1881.yaml", "kind: social-services", "kind: polis")
        let found = errors(ConfigurationReport.make(directory: site.path), site)
        for file in ["budkavled.yaml:2:", "budkavled.yaml:5:", "orebro/parties/soc-1881.yaml:"] {
            #expect(found.contains { $0.hasPrefix(file) }, "\(file) in \(found)")
        }
        // Without a list that can be read there is nothing more to read.
        let none = try self.site { $0.replacing("collaborations: [orebro]", with: "collaborations: {orebro: 1}") }
        #expect(errors(ConfigurationReport.make(directory: none.path), none).allSatisfy { $0.hasPrefix("budkavled") })
    }

    // MARK: Another user

    /// Runs `work` on a thread of its own that has another user's rights on files; root has them all otherwise.
    private func asAnotherUser(_ work: @escaping @Sendable () -> String) async -> String {
        typealias Change = @convention(c) @Sendable (UInt32) -> Int32
        let change = dlsym(nil, "setfsuid").map { unsafeBitCast($0, to: Change.self) }
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // Of this thread alone (setfsuid(2)); without the right to it nothing changes, and chmod has done it.
                _ = change?(65_534)
                continuation.resume(returning: work())
            }
        }
    }

    @Test func `a store that another user's rights hide is refused with 77, and not told as missing`() async throws {
        let site = try site()
        let data = site.path + "/data"
        let segments = data + "/orebro/segments"
        try FileManager.default.createDirectory(atPath: segments, withIntermediateDirectories: true)
        let path = site.path
        // Another user reads the configuration and may not read the store.
        for readable in [path, data, data + "/orebro"] { #expect(chmod(readable, 0o755) == 0) }
        #expect(chmod(path + "/budkavled.yaml", 0o644) == 0)
        let find: @Sendable () -> String = {
            do throws(ToolError) {
                return try StoreSite.find(configDirectory: path, collaboration: nil).collaboration
            } catch { return "\(error.status.rawValue) \(error.description)" }
        }
        #expect(find() == "orebro")
        for hidden in [data, data + "/orebro"] {
            #expect(chmod(hidden, geteuid() == 0 ? 0o700 : 0) == 0)
            let told = await asAnotherUser(find)
            #expect(
                told == "77 \(hidden): Permission denied: \(hidden) belongs to user \(geteuid()): run this as that user"
            )
            #expect(chmod(hidden, 0o755) == 0)
        }
        try FileManager.default.removeItem(atPath: data)
        #expect(find() == "66 \(data): there is no journal yet; the first start makes it")
    }
}
