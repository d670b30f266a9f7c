import Foundation
import Routing
import Settings

/// The directory of a throw-away relay: `config/`, `data/`, `pki/`, `keys/` and `run/`.
package struct RelayDirectory: Sendable {
    /// The directory itself, absolute.
    package let path: String
    /// The CA in `pki/`.
    package let authority: CertificateAuthority
    /// Who has a certificate: every client and person of the policy.
    package let holders: [CertificateHolder]

    /// What the daemon's `--config` takes.
    package var configDirectory: String { path + "/config" }
    /// The journal.
    package var dataDirectory: String { path + "/data" }
    /// Where the daemon writes its port.
    package var portFile: String { path + "/run/port" }
    /// Standard error of the daemon.
    package var logFile: String { path + "/run/budkavled.log" }
    /// The administration socket; nil where the path would be too long for one.
    package var adminSocket: String? {
        let socket = path + "/run/admin.sock"
        return socket.utf8.count <= 107 ? socket : nil
    }

    /// Certificate and key of a client or person.
    package func files(of party: String, _ name: String) -> (certificate: String, key: String) {
        ("\(path)/pki/\(party)/\(name).crt", "\(path)/pki/\(party)/\(name).key")
    }

    /// The policy that this program ships: `config` above the executable, in the checkout it was built from, or in the current
    /// directory.
    package static func shippedConfiguration() throws(DemoError) -> String {
        var candidates: [String] = []
        if let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            var directory = URL(filePath: own)
            // .build/x86_64-unknown-linux-gnu/debug/budkavle lies four below the package.
            for _ in 0..<5 {
                directory.deleteLastPathComponent()
                candidates.append(directory.appending(path: "config").path)
            }
        }
        let source = URL(filePath: #filePath).resolvingSymlinksInPath()
        candidates.append(
            source.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "config").path)
        candidates.append(FileManager.default.currentDirectoryPath + "/config")
        for candidate in candidates where SafeFile.exists(candidate + "/orebro/collaboration.yaml") { return candidate }
        throw .noConfiguration(searched: candidates)
    }

    /// Makes everything that a relay needs: a copy of the policy in exercise mode with a simulated clock, a master key, a CA,
    /// and certificates for every client and person of the policy.
    ///
    /// - Parameters:
    ///   - path: is made; must be empty if it is there.
    ///   - policy: a collaboration's directory; its name stays.
    ///   - port: 0 lets the system choose.
    ///   - clock: the simulated time of the first start, as RFC 3339; nil leaves the policy's own clock.
    package static func make(
        at path: String, policyFrom policy: String, port: Int, clock: String?
    ) throws(DemoError) -> RelayDirectory {
        let files = FileManager.default
        if let there = try? files.contentsOfDirectory(atPath: path), !there.isEmpty { throw .directoryInUse(path) }
        let collaboration = URL(filePath: policy).lastPathComponent
        let copy = "\(path)/config/\(collaboration)"
        do throws(PKIError) {
            for name in ["config", "data", "keys", "run", "pki"] {
                try SafeFile.makeDirectory("\(path)/\(name)", mode: 0o700)
            }
        } catch {
            throw .certificates(error)
        }
        do {
            try files.copyItem(atPath: policy, toPath: copy)
        } catch {
            throw .file(copy, reason: error.localizedDescription)
        }
        if let clock { try rehearse(copy + "/collaboration.yaml", clock: clock) }
        let holders = try holders(inPolicy: copy)
        do throws(PKIError) {
            try makeMasterKey(path + "/keys/master.key")
            let authority = try CertificateAuthority.create(in: path + "/pki")
            _ = try authority.issue(holders)
            let made = RelayDirectory(path: path, authority: authority, holders: holders)
            try made.writeSettings(collaboration: collaboration, port: port)
            return made
        } catch {
            throw .certificates(error)
        }
    }

    /// Writes `budkavled.yaml` again with the port that the system chose, so that a restart is found where it was.
    package func pin(port: Int, collaboration: String = "orebro") throws(DemoError) {
        do throws(PKIError) {
            try writeSettings(collaboration: collaboration, port: port)
        } catch {
            throw .certificates(error)
        }
    }

    private func writeSettings(collaboration: String, port: Int) throws(PKIError) {
        var lines = [
            "version: 1",
            "listen: {host: 127.0.0.1, port: \(port), port-file: \(quoted(portFile))}",
            "tls:",
            "  certificate: \(quoted(authority.serverCertificateFile))",
            "  key: \(quoted(authority.serverKeyFile))",
            "  client-ca: [\(quoted(authority.certificateFile))]",
            "  crl: [\(quoted(authority.revocationFile))]",
            "  strict: yes",
            "journal: {directory: \(quoted(dataDirectory)), master-key: \(quoted(path + "/keys/master.key"))}",
            "log: {level: info, format: text}",
            "collaborations: [\(collaboration)]",
        ]
        if let adminSocket { lines.insert("admin-socket: \(quoted(adminSocket))", at: 2) }
        try SafeFile.write(lines.joined(separator: "\n") + "\n", to: configDirectory + "/budkavled.yaml", mode: 0o600)
    }

    /// A YAML scalar in double quotes.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    /// Puts a copied policy into exercise mode with a clock of its own.
    private static func rehearse(_ file: String, clock: String) throws(DemoError) {
        do throws(PKIError) {
            var lines = try SafeFile.read(file).split(separator: "\n", omittingEmptySubsequences: false).map(
                String.init)
            lines.removeAll { $0.hasPrefix("mode:") || $0.hasPrefix("clock:") }
            while lines.last?.isEmpty == true { lines.removeLast() }
            lines += ["mode: exercise", "clock: {start: \(clock), speed: 1}", ""]
            try SafeFile.write(lines.joined(separator: "\n"), to: file, mode: 0o600)
        } catch {
            throw .certificates(error)
        }
    }

    private static func makeMasterKey(_ file: String) throws(PKIError) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try SafeFile.write(bytes, to: file, mode: 0o600)
    }

    private static func holders(inPolicy directory: String) throws(DemoError) -> [CertificateHolder] {
        let load: PolicyLoad
        do {
            let texts = try SettingsFiles.read(directory: directory)
            let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: "/usr/share/zoneinfo")
            load = PolicyLoader.load(files: texts, zone: zone)
        } catch {
            throw .file(directory, reason: "\(error)")
        }
        guard let policy = load.policy else {
            throw .policy(directory: directory, errors: load.diagnostics.map(\.text))
        }
        var holders: [CertificateHolder] = []
        for party in policy.parties {
            let identities = party.clients.map(\.identity) + party.people.map(\.identity)
            for uri in identities.compactMap(\.uri) {
                // A URI of another form belongs to a certificate that some agency's own CA makes.
                if let holder = try? CertificateHolder(uri: uri) { holders.append(holder) }
            }
        }
        return holders
    }
}
