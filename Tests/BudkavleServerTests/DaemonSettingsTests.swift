import Foundation
import Settings
import TLSStreams
import Testing

@testable import BudkavleServer

@Suite struct DaemonSettingsTests {
    private static let good = """
        version: 1
        listen: {host: 127.0.0.1, port: 0, port-file: run/port}
        admin-socket: run/admin.sock
        tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt], crl: [/x/crl.pem], strict: yes}
        journal: {directory: data, master-key: "credential:kek"}
        log: {level: warning, format: json}
        collaborations: [orebro]
        """

    private func read(_ text: String) throws -> (DaemonSettings?, [Diagnostic]) {
        let directory = NSTemporaryDirectory() + "budkavle-settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try text.write(toFile: directory + "/budkavled.yaml", atomically: true, encoding: .utf8)
        let log = DiagnosticLog()
        let settings = try DaemonSettings.read(directory: directory, log: log)
        return (settings, log.diagnostics)
    }

    @Test func `paths are relative to the file, but for absolute ones and credentials`() throws {
        let (settings, diagnostics) = try read(Self.good)
        #expect(diagnostics.isEmpty)
        let found = try #require(settings)
        #expect(found.tls.certificateFile == found.directory + "/a.crt")
        #expect(found.tls.crlFiles == ["/x/crl.pem"])
        #expect(found.keys.files.map(\.path) == ["credential:kek"])
        #expect(found.dataDirectory == found.directory + "/data")
        #expect(found.collaborations.map(\.directory) == [found.directory + "/orebro"])
        #expect(found.listen.port == 0)
        #expect((found.logLevel, found.logFormat) == ("warning", "json"))
    }

    @Test func `every mistake is told at once, with its line`() throws {
        let broken = Self.good.replacingOccurrences(of: "port: 0", with: "port: 65536")
            .replacingOccurrences(of: "certificate:", with: "certifcate:")
            .replacingOccurrences(of: "level: warning", with: "level: loud")
        let (settings, diagnostics) = try read(broken)
        #expect(settings == nil)
        #expect(Set(diagnostics.map(\.location.line)) == [2, 4, 6])
    }

    @Test func `a port at the limit is taken`() throws {
        let (settings, _) = try read(Self.good.replacingOccurrences(of: "port: 0", with: "port: 65535"))
        #expect(settings?.listen.port == 65535)
    }

    @Test func `the store's settings have defaults`() throws {
        let (settings, _) = try read(Self.good)
        #expect(settings?.store == DaemonSettings.Store())
        #expect(settings?.store.segmentBytes == 64 << 20)
        #expect(settings?.store.history == .seconds(90 * 86_400))
        #expect(SecondFold.Options().history == settings?.store.history)
        #expect(settings?.store.reserveBytes == 64 << 20)
    }

    @Test(
        arguments: [
            ("segment-size: 4MiB", true), ("segment-size: 1GiB", true), ("segment-size: 4194303", false),
            ("segment-size: 1073741825", false), ("history: 90d", true), ("history: 3650d", true),
            ("history: 89d", false), ("history: 3650d1ms", false), ("reserve: 16MiB", true), ("reserve: 16GiB", true),
            ("reserve: 16777215", false), ("reserve: 17179869185", false), ("retention: 90d", false),
        ])
    func `the store's settings are taken at their limits and refused one past them`(line: String, isTaken: Bool) throws
    {
        let text = Self.good.replacingOccurrences(of: "directory: data,", with: "directory: data, \(line),")
        let (settings, diagnostics) = try read(text)
        #expect((settings != nil) == isTaken, "\(diagnostics.map(\.text))")
        #expect(isTaken || diagnostics.map(\.location.line) == [5], "\(diagnostics.map(\.text))")
    }

    @Test func `several master keys are read with the one that wraps`() throws {
        let text = Self.good.replacingOccurrences(
            of: "master-key: \"credential:kek\"", with: "master-keys: {active: v2, files: {v1: a.key, v2: /x/b.key}}")
        let (settings, diagnostics) = try read(text)
        let found = try #require(settings, "\(diagnostics.map(\.text))")
        #expect(found.keys.activeID == "v2")
        #expect(found.keys.files.map(\.id) == ["v1", "v2"])
        #expect(found.keys.files.map(\.path) == [found.directory + "/a.key", "/x/b.key"])
    }

    // MARK: Collaborations

    private func collaborations(_ list: String) -> String {
        Self.good.replacingOccurrences(of: "[orebro]", with: list)
    }

    @Test func `a collaboration has the master keys of the journal, or its own`() throws {
        let (settings, diagnostics) = try read(
            collaborations(
                """

                  - orebro
                  - {id: dalarna, master-key: /x/dalarna.key}
                  - {id: varmland, master-keys: {active: v2, files: {v1: one.key, v2: "credential:two"}}}
                  - {id: uppsala}
                """))
        let found = try #require(settings, "\(diagnostics.map(\.text))")
        #expect(
            found.collaborations.map(\.directory)
                == ["orebro", "dalarna", "varmland", "uppsala"].map { "\(found.directory)/\($0)" })
        for name in ["orebro", "uppsala", "not-listed"] {
            #expect(found.keys(of: name).files.map(\.path) == ["credential:kek"], "\(name)")
        }
        let single = found.keys(of: "dalarna")
        #expect(single.activeID == "v1" && single.files.map(\.id) == ["v1"])
        #expect(single.files.map(\.path) == ["/x/dalarna.key"])
        let several = found.keys(of: "varmland")
        #expect(several.activeID == "v2" && several.files.map(\.id) == ["v1", "v2"])
        #expect(several.files.map(\.path) == [found.directory + "/one.key", "credential:two"])
    }

    @Test(
        arguments: [
            ("{id: dalarna, master-kye: k}", "master-kye"), ("{master-key: k}", "has no 'id'"),
            ("{id: dalarna, master-key: k, master-keys: {active: v2, files: {v2: l}}}", "both"),
            ("{id: dalarna, master-key: [k]}", "'master-key' must be"),
            ("{id: dalarna, master-keys: {files: {v2: l}}}", "has no 'active'"),
            ("{id: dalarna, master-keys: {active: v2}}", "has no 'files'"),
            ("{id: dalarna, master-keys: {active: v2, files: {}}}", "names no file"),
            ("{id: dalarna, master-keys: {active: v2, files: {v2: [l]}}}", "the file of 'v2'"),
            ("{id: dalarna, master-keys: {active: v2, files: {v2: l}, more: x}}", "more"),
            ("[dalarna]", "collaboration"),
            ("{id: orebro, master-key: k}", "'orebro' twice"), ("orebro", "'orebro' twice"),
        ])
    func `a collaboration whose keys are not plain to see is refused, and gets no others instead`(
        entry: String, told: String
    ) throws {
        let (settings, diagnostics) = try read(collaborations("[orebro, \(entry)]"))
        #expect(settings == nil)
        #expect(diagnostics.allSatisfy { $0.location.line == 7 })
        #expect(diagnostics.contains { $0.message.contains(told) }, "\(diagnostics.map(\.text))")
    }

    @Test func `the journal names its master key in one way`() throws {
        for keys in [
            "master-key: k, master-keys: {active: v2, files: {v2: l}}", "master-keys: {active: v1, files: {}}",
        ] {
            let text = Self.good.replacingOccurrences(of: "master-key: \"credential:kek\"", with: keys)
            let (settings, diagnostics) = try read(text)
            #expect(settings == nil && diagnostics.map(\.location.line) == [5], "\(diagnostics.map(\.text))")
        }
        let (none, diagnostics) = try read(
            Self.good.replacingOccurrences(of: ", master-key: \"credential:kek\"", with: ""))
        #expect(none == nil)
        #expect(diagnostics.map(\.message) == ["'journal' has neither 'master-key' nor 'master-keys'"])
    }
}
