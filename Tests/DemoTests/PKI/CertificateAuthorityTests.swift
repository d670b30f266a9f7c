import Foundation
import Testing

@testable import Demo

/// What the CA writes, judged by the `openssl` command.
struct CertificateAuthorityTests {
    let scratch: ScratchDirectory
    let authority: CertificateAuthority

    init() throws {
        scratch = try ScratchDirectory()
        authority = try CertificateAuthority.create(in: scratch.path + "/pki")
    }

    var directory: String { scratch.path + "/pki" }

    @Test func `a new CA has its certificate, its key, a revocation list and a server certificate`() throws {
        for (file, mode) in [
            ("ca.crt", 0o644), ("ca.key", 0o600), ("crl.pem", 0o644), ("server.crt", 0o644), ("server.key", 0o600),
        ] {
            #expect(try scratch.mode("pki/" + file) == mode, "\(file)")
        }
        let text = try OpenSSLCommand.run("x509", "-in", authority.certificateFile, "-noout", "-text").text
        #expect(text.contains("prime256v1"))
        #expect(text.contains("ecdsa-with-SHA256"))
        #expect(text.contains("CA:TRUE, pathlen:0"))
        #expect(text.contains("Certificate Sign, CRL Sign"))
    }

    @Test func `a client certificate passes the strict chain check with the revocation list`() throws {
        let issued = try authority.issue(CertificateHolder("pol-18-rlc/station"))
        #expect(issued.certificateFile == directory + "/pol-18-rlc/station.crt")
        #expect(issued.keyFile == directory + "/pol-18-rlc/station.key")
        #expect(try scratch.mode("pki/pol-18-rlc/station.key") == 0o600)
        let outcome = try OpenSSLCommand.run(
            "verify", "-x509_strict", "-purpose", "sslclient", "-crl_check", "-CAfile", authority.certificateFile,
            "-CRLfile", authority.revocationFile, issued.certificateFile)
        #expect(outcome.status == 0, "\(outcome.text)")
        let text = try OpenSSLCommand.run("x509", "-in", issued.certificateFile, "-noout", "-text").text
        #expect(text.contains("URI:urn:budkavle:pol-18-rlc:station\n"))
        #expect(text.contains("TLS Web Client Authentication"))
        #expect(!text.contains("TLS Web Server Authentication"))
        #expect(text.contains("CA:FALSE"))
        #expect(text.contains("X509v3 Authority Key Identifier"))
        #expect(text.contains("X509v3 Subject Key Identifier"))
        #expect(text.contains("Digital Signature"))
        let print = try OpenSSLCommand.run(
            "x509", "-in", issued.certificateFile, "-noout", "-serial", "-fingerprint", "-sha256"
        )
        .text.lowercased().replacingOccurrences(of: ":", with: "")
        #expect(print.contains("serial=\(issued.serial)"))
        #expect(print.contains("fingerprint=\(issued.fingerprint)"))
    }

    @Test func `a person's certificate names the person in its URI`() throws {
        let issued = try authority.issue(CertificateHolder("soc-1880/person:staff-17"))
        #expect(issued.certificateFile == directory + "/soc-1880/staff-17.crt")
        let text = try OpenSSLCommand.run("x509", "-in", issued.certificateFile, "-noout", "-ext", "subjectAltName")
            .text
        #expect(text.contains("URI:urn:budkavle:soc-1880:person:staff-17\n"))
    }

    @Test func `the key is PKCS 8 in PEM and belongs to its certificate`() throws {
        let issued = try authority.issue(CertificateHolder("pol-18-rlc/station"))
        #expect(try scratch.text("pki/pol-18-rlc/station.key").hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let fromKey = try OpenSSLCommand.run("pkey", "-in", issued.keyFile, "-pubout").text
        let fromCertificate = try OpenSSLCommand.run("x509", "-in", issued.certificateFile, "-noout", "-pubkey").text
        #expect(fromKey == fromCertificate)
    }

    @Test func `the server certificate holds for localhost and both loopback addresses, and for no other name`() throws
    {
        for (flag, name, good) in [
            ("-verify_hostname", "localhost", true), ("-verify_ip", "127.0.0.1", true), ("-verify_ip", "::1", true),
            ("-verify_hostname", "example.org", false), ("-verify_ip", "127.0.0.2", false),
        ] {
            let outcome = try OpenSSLCommand.run(
                "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", authority.certificateFile, flag, name,
                authority.serverCertificateFile)
            #expect((outcome.status == 0) == good, "\(name): \(outcome.text)")
        }
    }

    @Test func `another server certificate replaces the first`() throws {
        let before = try scratch.text("pki/server.crt")
        _ = try authority.issueServer(hosts: ["relay.example.se", "192.0.2.7"], days: 30)
        #expect(try scratch.text("pki/server.crt") != before)
        let text = try OpenSSLCommand.run(
            "x509", "-in", authority.serverCertificateFile, "-noout", "-ext", "subjectAltName")
        #expect(text.text.contains("DNS:relay.example.se, IP Address:192.0.2.7"))
        #expect(authority.serverKeyFile == directory + "/server.key")
    }

    @Test func `an empty revocation list verifies and holds nothing`() throws {
        let outcome = try OpenSSLCommand.run(
            "crl", "-in", authority.revocationFile, "-verify", "-CAfile", authority.certificateFile, "-noout", "-text")
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("verify OK"))
        #expect(outcome.text.contains("No Revoked Certificates"))
        #expect(outcome.text.contains("X509v3 CRL Number: \n                1\n"), "\(outcome.text)")
    }

    @Test(arguments: [true, false])
    func `a revoked certificate is refused, its neighbour is not`(bySerial: Bool) throws {
        let first = try authority.issue(CertificateHolder("pol-18-rlc/one"))
        let second = try authority.issue(CertificateHolder("pol-18-rlc/two"))
        let result = try authority.revoke(bySerial ? first.serial.uppercased() : first.certificateFile)
        #expect(
            result
                == RevocationResult(
                    serial: first.serial, revokedCount: 1, number: 2, file: directory + "/crl.pem"))
        let list = try OpenSSLCommand.run(
            "crl", "-in", authority.revocationFile, "-verify", "-CAfile", authority.certificateFile, "-noout", "-text")
        #expect(list.text.contains("verify OK"))
        #expect(list.text.contains("Serial Number: \(first.serial.uppercased())"))
        for (issued, good) in [(first, false), (second, true)] {
            let outcome = try OpenSSLCommand.run(
                "verify", "-x509_strict", "-crl_check", "-CAfile", authority.certificateFile, "-CRLfile",
                authority.revocationFile, issued.certificateFile)
            #expect((outcome.status == 0) == good, "\(outcome.text)")
            if !good { #expect(outcome.text.contains("certificate revoked")) }
        }
    }

    @Test func `revoking without a certificate signs the same list anew under the next number`() throws {
        let issued = try authority.issue(CertificateHolder("pol-18-rlc/one"))
        _ = try authority.revoke(issued.serial)
        let later = Date().addingTimeInterval(86400 * 300)
        let result = try authority.revoke(nil, at: later)
        #expect(result.number == 3)
        #expect(result.revokedCount == 1)
        let text = try OpenSSLCommand.run("crl", "-in", authority.revocationFile, "-noout", "-nextupdate").text
        let year = Calendar(identifier: .gregorian).component(.year, from: later.addingTimeInterval(86400 * 365))
        #expect(text.contains("\(year) GMT"))
    }

    @Test func `what cannot be revoked leaves the list alone`() throws {
        let issued = try authority.issue(CertificateHolder("pol-18-rlc/one"))
        _ = try authority.revoke(issued.serial)
        let other = try CertificateAuthority.create(in: scratch.path + "/other")
        let foreign = try other.issue(CertificateHolder("pol-18-rlc/one"))
        let before = try scratch.contents()
        #expect(throws: PKIError.alreadyRevoked(serial: issued.serial)) { try authority.revoke(issued.certificateFile) }
        #expect(throws: PKIError.unknownSerial("0badc0de")) { try authority.revoke("0badc0de") }
        #expect(throws: PKIError.unknownSerial("nobody")) { try authority.revoke("nobody") }
        #expect(throws: PKIError.notOurs(file: foreign.certificateFile)) {
            try authority.revoke(foreign.certificateFile)
        }
        #expect(throws: PKIError.notOurs(file: authority.certificateFile)) {
            try authority.revoke(authority.certificateFile)
        }
        #expect(throws: PKIError.malformed(file: issued.keyFile, what: "not a certificate in PEM")) {
            try authority.revoke(issued.keyFile)
        }
        #expect(try scratch.contents() == before)
    }

    @Test func `nothing is overwritten`() throws {
        _ = try authority.issue(CertificateHolder("pol-18-rlc/one"))
        let before = try scratch.contents()
        #expect(throws: PKIError.exists(file: directory + "/ca.crt")) { try CertificateAuthority.create(in: directory) }
        #expect(throws: PKIError.exists(file: directory + "/pol-18-rlc/one.crt")) {
            try authority.issue([CertificateHolder("pol-18-rlc/two"), CertificateHolder("pol-18-rlc/one")])
        }
        #expect(try scratch.contents() == before)
    }

    @Test func `a wrong argument to create writes nothing`() throws {
        let path = scratch.path + "/wrong"
        #expect(throws: PKIError.invalidHost("under_score")) {
            try CertificateAuthority.create(in: path, hosts: ["localhost", "under_score"])
        }
        #expect(throws: PKIError.invalidHost("")) { try CertificateAuthority.create(in: path, hosts: []) }
        #expect(throws: PKIError.invalidDays(0)) { try CertificateAuthority.create(in: path, days: 0) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [
        ("localhost", true), ("relay.orebro.example", true), ("10.0.0.1", true), ("fe80::1", true), ("1.2.3", false),
        ("-a.se", false), ("a..se", false), ("a b", false), (String(repeating: "a", count: 63) + ".se", true),
        (String(repeating: "a", count: 64) + ".se", false),
    ])
    func `host names are DNS names or addresses`(host: String, good: Bool) {
        #expect(((try? CertificateContents.generalName(host: host)) != nil) == good)
    }

    @Test func `the longest validity is allowed, one day more and none are not`() throws {
        let now = Date()
        let long = try CertificateAuthority.create(
            in: scratch.path + "/long", days: CertificateAuthority.maximumDays, leafDays: 1, at: now)
        _ = try long.issue(CertificateHolder("a/b"), days: CertificateAuthority.maximumDays, at: now)
        for days in [0, -1, CertificateAuthority.maximumDays + 1] {
            #expect(throws: PKIError.invalidDays(days)) {
                try long.issue(CertificateHolder("a/c"), days: days, at: now)
            }
        }
    }

    @Test func `a certificate ends on the day asked for, and never after its CA`() throws {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let short = try CertificateAuthority.create(in: scratch.path + "/short", days: 30, leafDays: 30, at: now)
        let issued = try short.issue(CertificateHolder("a/b"), days: 30, at: now)
        #expect(issued.notAfter == now.addingTimeInterval(30 * 86400))
        #expect(throws: PKIError.outlivesAuthority(now.addingTimeInterval(30 * 86400))) {
            try short.issue(CertificateHolder("a/c"), days: 31, at: now)
        }
    }

    @Test func `dates from 2050 on are written as RFC 5280 demands`() throws {
        let now = try #require(PKITime.date("2049-06-01T00:00:00Z"))
        let late = try CertificateAuthority.create(in: scratch.path + "/late", days: 800, leafDays: 397, at: now)
        let text = try OpenSSLCommand.run("asn1parse", "-in", late.revocationFile).text
        #expect(text.contains("UTCTIME"))
        #expect(
            text.contains("GENERALIZEDTIME   :20500531235500Z") || text.contains("GENERALIZEDTIME   :20500601000000Z"))
        let check = try OpenSSLCommand.run(
            "crl", "-in", late.revocationFile, "-verify", "-CAfile", late.certificateFile)
        #expect(check.text.contains("verify OK"))
    }

    @Test func `a key that others can read, or that is a link, is not used`() throws {
        let key = directory + "/ca.key"
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        #expect(throws: PKIError.exposedKey(file: key, mode: 0o640)) { try CertificateAuthority(openedAt: directory) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        _ = try CertificateAuthority(openedAt: directory + "//")
        try FileManager.default.moveItem(atPath: key, toPath: key + ".real")
        try FileManager.default.createSymbolicLink(atPath: key, withDestinationPath: key + ".real")
        #expect(throws: PKIError.self) { try CertificateAuthority(openedAt: directory) }
    }

    @Test func `a directory without a CA, with half of one or with another's key says so`() throws {
        let other = try CertificateAuthority.create(in: scratch.path + "/other")
        let empty = scratch.path + "/none"
        #expect(throws: PKIError.noAuthority(directory: empty)) { try CertificateAuthority(openedAt: empty) }
        let key = directory + "/ca.key"
        try FileManager.default.removeItem(atPath: key)
        #expect(throws: PKIError.noAuthority(directory: directory)) { try CertificateAuthority(openedAt: directory) }
        try FileManager.default.copyItem(atPath: other.directory + "/ca.key", toPath: key)
        #expect(throws: PKIError.keyMismatch(directory: directory)) { try CertificateAuthority(openedAt: directory) }
        try "no key".write(toFile: key, atomically: false, encoding: .utf8)
        #expect(throws: PKIError.malformed(file: key, what: "not a P-256 key in PEM (PKCS#8)")) {
            try CertificateAuthority(openedAt: directory)
        }
    }

    @Test func `a damaged list of revoked certificates stops the CA instead of pardoning somebody`() throws {
        let issued = try authority.issue(CertificateHolder("pol-18-rlc/one"))
        _ = try authority.revoke(issued.serial)
        let file = directory + "/revoked.txt"
        for (text, what) in [
            ("", "the first line is not 'number <n>'"), ("number x\n", "the first line is not 'number <n>'"),
            ("number 2\nzz 2026-01-01T00:00:00Z\n", "line 2 is not '<serial> <time>'"),
            ("number 2\n\(issued.serial)\n", "line 2 is not '<serial> <time>'"),
        ] {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            #expect(throws: PKIError.malformed(file: file, what: what)) { try authority.revoke(nil) }
        }
    }

    @Test func `two at once lose nothing`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...8 {
                group.addTask { [directory] in
                    let own = try CertificateAuthority(openedAt: directory)
                    let issued = try own.issue(CertificateHolder("pol-18-rlc/client-\(number)"))
                    _ = try own.revoke(issued.serial)
                }
            }
            try await group.waitForAll()
        }
        let state = try CertificateState.load(directory: directory)
        #expect(state.issued.count == 9)
        #expect(state.revoked.count == 8)
        #expect(state.listNumber == 9)
    }
}
