import BudkavleClient
import Foundation

/// Certificates that the relay must not accept, and what its log says of them.
extension Chapter {
    static var wrongCertificates: Chapter {
        Chapter(heading: Narrator.Heading(en: "Certificates that do not count", sv: "Certifikat som inte gäller")) {
            stage in
            let narrator = stage.narrator
            let other = try CertificateAuthority.create(in: stage.directory.path + "/other-pki")
            let holder = try CertificateHolder("pol-18-rlc/station")
            let forged = try other.issue(holder)
            narrator.say("Somebody makes a CA of his own and a certificate that says \(holder.uri).")
            try await refuse(forged, on: stage, because: "certificate")

            let stranger = try CertificateHolder("pol-18-rlc/okand")
            let unlisted = try stage.directory.authority.issue(stranger)
            narrator.say("The right CA signs \(stranger.uri), which the party's file does not list.")
            try await refuse(unlisted, on: stage, because: stranger.uri)

            let good = try await stage.client("pol-18-rlc", "station").ask("schema")
            narrator.check("the police's own certificate still counts", holds: !good.isEmpty)
        }
    }

    private static func refuse(_ issued: IssuedCertificate, on stage: Stage, because reason: String) async throws {
        let before = try stage.log().count
        let client = try RelayClient(
            stage.configuration(certificate: issued.certificateFile, key: issued.keyFile, attempts: 1))
        var code = "connected"
        do {
            _ = try await client.ask("schema")
        } catch {
            code = error.code.rawValue
        }
        await client.close()
        // One question later the daemon, which does one thing after the other, has written what it had to say.
        _ = try await stage.client("drift-18", "konsol").ask("sessions")
        let lines = try stage.log().dropFirst(before).split(separator: "\n")
        let line = lines.first { $0.contains("refused") }
        stage.narrator.check("it is refused", code, is: "certificate-refused")
        stage.narrator.check(
            "the server's log says why", holds: line?.contains(reason) ?? false,
            otherwise: "got \(line ?? "no line with 'refused'"), wanted one with '\(reason)'")
        if let line {
            // Without the time of day and the fields behind the sentence.
            let sentence = line.drop { $0 != " " }.components(separatedBy: " address=")[0]
            stage.narrator.say("  " + sentence.prefix(300))
        }
    }
}
