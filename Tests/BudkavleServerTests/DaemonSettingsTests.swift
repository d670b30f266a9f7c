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
}
