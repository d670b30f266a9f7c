import ArgumentParser
import Console
import Demo
import Foundation

/// `budkavle pki`.
struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki", abstract: "A small certificate authority (P-256) for pilots and tests.",
        subcommands: [Init.self, Issue.self, Revoke.self])

    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Makes an authority, its revocation list and the relay's certificate.")
        @Option(help: "Where; it is made when it does not exist.", completion: .directory)
        var dir = "pki"
        @Option(help: "Host name or address of the relay; may be given several times.")
        var host: [String] = []
        @Option(help: "Days that the authority is valid.")
        var days = 3_650
        @OptionGroup var appearance: AppearanceOptions

        func run() throws {
            try AuthorityCommand.reporting {
                let authority =
                    host.isEmpty
                    ? try CertificateAuthority.create(in: dir, days: days)
                    : try CertificateAuthority.create(in: dir, hosts: host, days: days)
                var report = ReportObject(schema: "budkavle.pki/1")
                report.add("authority", authority.certificateFile)
                report.add("revocations", authority.revocationFile)
                report.add("servercertificate", authority.serverCertificateFile)
                report.add("serverkey", authority.serverKeyFile)
                let lines = [
                    authority.certificateFile, authority.revocationFile, authority.serverCertificateFile,
                    authority.serverKeyFile,
                ]
                try report.put(Surroundings(appearance, profileLanguage: nil)) { _ in lines.joined(separator: "\n") }
            }
        }
    }

    struct Issue: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "issue", abstract: "Issues certificate and key for one client or person.")
        @Argument(help: "<party>/<client> or <party>/person:<id>.")
        var identity: String
        @Option(help: "The authority's directory.", completion: .directory)
        var dir = "pki"
        @Option(help: "Days of validity.")
        var days = 397
        @OptionGroup var appearance: AppearanceOptions

        func run() throws {
            try AuthorityCommand.reporting {
                let authority = try CertificateAuthority(openedAt: dir)
                let issued = try authority.issue(try CertificateHolder(identity), days: days)
                var report = ReportObject(schema: "budkavle.pki/1")
                report.add("certificate", issued.certificateFile)
                report.add("key", issued.keyFile)
                report.add("serial", issued.serial)
                report.add("fingerprint", issued.fingerprint)
                report.add("notafter", ISO8601DateFormatter().string(from: issued.notAfter))
                try report.put(Surroundings(appearance, profileLanguage: nil)) { _ in
                    [issued.certificateFile, issued.keyFile, issued.serial, issued.fingerprint].joined(separator: "\n")
                }
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Revokes a certificate, or signs the revocation list anew.",
            discussion: "Give the list to the relay and reload it: budkavle admin reload.")
        @Argument(help: "Serial number in hex, or the certificate's file; nothing to sign the list anew.")
        var certificate: String?
        @Option(help: "The authority's directory.", completion: .directory)
        var dir = "pki"
        @OptionGroup var appearance: AppearanceOptions

        func run() throws {
            try AuthorityCommand.reporting {
                let authority = try CertificateAuthority(openedAt: dir)
                let result = try authority.revoke(certificate)
                var report = ReportObject(schema: "budkavle.pki/1")
                report.add("revocations", result.file)
                report.add("serial", result.serial)
                report.add("number", result.number)
                report.add("count", result.revokedCount)
                try report.put(Surroundings(appearance, profileLanguage: nil)) { _ in
                    ([result.file] + (result.serial.map { [$0] } ?? [])).joined(separator: "\n")
                }
            }
        }
    }

    private static func reporting(_ work: () throws -> Void) throws {
        do { try work() } catch let error as PKIError {
            throw CommandFailure(status: error.exitCode, "budkavle: \(Sanitizer.line(error.description, limit: 500))")
        }
    }
}

/// `budkavle demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Plays a Friday night on a real relay on this machine, with made-up people.",
        discussion: "Exit 0 only when everything that it shows was checked and held.")

    @Flag(help: "Keep the relay running afterwards.")
    var serve = false
    @Option(help: "Where its files go; without it a temporary directory that is removed.", completion: .directory)
    var dir: String?
    @Option(help: "The relay's port; 0 picks a free one.")
    var port = 0
    @OptionGroup var appearance: AppearanceOptions

    func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port must be 0 to 65535") }
    }

    func run() async throws {
        let surroundings = Surroundings(appearance, profileLanguage: nil)
        let isColoured =
            switch surroundings.presentation.layout {
            case .piped: false
            case .terminal(_, let isColoured): isColoured
            }
        let options = DemoOptions(
            directory: dir, port: port, isServing: serve, language: surroundings.language.rawValue,
            isColoured: isColoured)
        let status = await Demonstration.run(options) { line in try? Output.put(line) }
        if status != 0 { throw CommandFailure(status: status, "") }
    }
}
