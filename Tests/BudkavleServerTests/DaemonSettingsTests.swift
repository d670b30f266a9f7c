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
        #expect(settings?.store.history == nil)
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
}
