import Crypto
package import Foundation
import SwiftASN1
import X509

/// A small CA for pilots and tests in one directory (P-256, ECDSA with SHA-256).
///
/// Layout: `ca.crt`, `ca.key` (0600), `crl.pem`, `server.crt`, `server.key` (0600), `issued.txt`, `revoked.txt`, and for each
/// client `<party>/<client>.crt` and `.key` (0600). Every file is replaced whole; a lock on `ca.key` keeps two processes apart.
/// The key lies on the disk unencrypted: an agency with a CA of its own should use that one.
package struct CertificateAuthority: Sendable {
    /// Longest validity that can be asked for, in days.
    package static let maximumDays = 7300
    /// Validity of the CA itself if nothing else is said, in days.
    package static let defaultAuthorityDays = 3650
    /// Validity of a server or client certificate if nothing else is said, in days.
    package static let defaultDays = 397
    /// After so many days a revocation list must have been signed anew, else the relay lets nobody in.
    package static let revocationListDays = 365

    /// The directory as it was given, without a slash at the end.
    package let directory: String

    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey
    private let keyIdentifier: ArraySlice<UInt8>

    /// The CA's certificate: what both sides trust.
    package var certificateFile: String { directory + "/ca.crt" }
    /// The revocation list.
    package var revocationFile: String { directory + "/crl.pem" }
    /// The relay's certificate.
    package var serverCertificateFile: String { directory + "/server.crt" }
    /// The relay's key.
    package var serverKeyFile: String { directory + "/server.key" }

    /// Makes a CA, its first (empty) revocation list and a certificate for the relay.
    ///
    /// - Parameters:
    ///   - directory: is made if it is missing.
    ///   - hosts: DNS names and IP addresses under which clients reach the relay, at least one.
    ///   - days: validity of the CA.
    ///   - leafDays: validity of the relay's certificate.
    ///   - now: validity starts five minutes before.
    /// - Throws: `.exists` if there is a CA already; nothing is changed then.
    package static func create(
        in directory: String, hosts: [String] = ["localhost", "127.0.0.1", "::1"], days: Int = defaultAuthorityDays,
        leafDays: Int = defaultDays, at now: Date = Date()
    ) throws(PKIError) -> CertificateAuthority {
        let directory = trimmed(directory)
        for name in ["ca.crt", "ca.key"] where SafeFile.exists("\(directory)/\(name)") {
            throw .exists(file: "\(directory)/\(name)")
        }
        // All arguments are looked at before anything is written.
        for host in hosts { _ = try CertificateContents.generalName(host: host) }
        guard !hosts.isEmpty else { throw .invalidHost("") }
        let validity = try period(days: days, at: now)
        let leafValidity = try period(days: leafDays, at: now)
        guard leafValidity.upperBound <= validity.upperBound else { throw .outlivesAuthority(validity.upperBound) }
        try SafeFile.makeDirectory(directory, mode: 0o755)
        let key = P256.Signing.PrivateKey()
        let certificate = try CertificateContents.authority(key: key, validity: validity)
        try SafeFile.write(key.pemRepresentation + "\n", to: directory + "/ca.key", mode: 0o600)
        try SafeFile.write(try pem(certificate), to: directory + "/ca.crt", mode: 0o644)
        let authority = try CertificateAuthority(openedAt: directory)
        _ = try authority.revoke(nil, at: now)
        _ = try authority.issueServer(hosts: hosts, days: leafDays, at: now)
        return authority
    }

    /// Opens the CA that `create` made in `directory`.
    package init(openedAt directory: String) throws(PKIError) {
        let directory = Self.trimmed(directory)
        let certificateFile = directory + "/ca.crt"
        let keyFile = directory + "/ca.key"
        guard SafeFile.exists(certificateFile), SafeFile.exists(keyFile) else {
            throw .noAuthority(directory: directory)
        }
        let certificate = try Self.readCertificate(certificateFile)
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: try SafeFile.readKey(keyFile)) else {
            // Once more for the reason: a file that cannot be read says so itself, the rest is not a key.
            _ = try SafeFile.readKey(keyFile)
            throw .malformed(file: keyFile, what: "not a P-256 key in PEM (PKCS#8)")
        }
        guard Certificate.PublicKey(key.publicKey) == certificate.publicKey else {
            throw .keyMismatch(directory: directory)
        }
        guard let extensionValue = try? certificate.extensions.subjectKeyIdentifier else {
            throw .malformed(
                file: certificateFile, what: "no subject key identifier; was it made by budkavle pki init?")
        }
        self.directory = directory
        self.certificate = certificate
        self.key = key
        keyIdentifier = extensionValue.keyIdentifier
    }

    /// Makes a key and a certificate for one client or person, in `<party>/<client>.key` and `.crt`.
    ///
    /// - Throws: `.exists` if either file is there: a key is never overwritten.
    package func issue(
        _ identity: CertificateHolder, days: Int = defaultDays, at now: Date = Date()
    ) throws(PKIError) -> IssuedCertificate {
        try issue([identity], days: days, at: now)[0]
    }

    /// As `issue` for one, with one write of the CA's own list for all of them.
    ///
    /// - Returns: the certificates in the order of `identities`.
    package func issue(
        _ identities: [CertificateHolder], days: Int = defaultDays, at now: Date = Date()
    ) throws(PKIError) -> [IssuedCertificate] {
        let validity = try leafPeriod(days: days, at: now)
        return try locked { () throws(PKIError) in
            for identity in identities {
                for file in Self.files(for: identity, in: directory) where SafeFile.exists(file) {
                    throw .exists(file: file)
                }
            }
            var made: [(Certificate, P256.Signing.PrivateKey)] = []
            var state = try CertificateState.load(directory: directory)
            for identity in identities {
                let (certificate, key) = try make(.client(identity), validity: validity)
                state.issued.append(Self.line(certificate, bearer: identity.uri))
                made.append((certificate, key))
            }
            // The list first: a certificate out there that the CA does not know of could not be revoked by its number.
            try state.saveIssued()
            var results: [IssuedCertificate] = []
            for (identity, (certificate, key)) in zip(identities, made) {
                try SafeFile.makeDirectory("\(directory)/\(identity.party)", mode: 0o755)
                let files = Self.files(for: identity, in: directory)
                results.append(try Self.write(certificate, key, to: files))
            }
            return results
        }
    }

    /// Makes a new key and certificate for the relay and replaces `server.key` and `server.crt`.
    package func issueServer(
        hosts: [String], days: Int = defaultDays, at now: Date = Date()
    ) throws(PKIError) -> IssuedCertificate {
        let validity = try leafPeriod(days: days, at: now)
        guard let commonName = hosts.first else { throw .invalidHost("") }
        var names: [GeneralName] = []
        for host in hosts { names.append(try CertificateContents.generalName(host: host)) }
        return try locked { () throws(PKIError) in
            let (certificate, key) = try make(
                .server(hosts: names, commonName: String(commonName.prefix(64))), validity: validity)
            var state = try CertificateState.load(directory: directory)
            state.issued.append(Self.line(certificate, bearer: hosts.joined(separator: ",")))
            try state.saveIssued()
            return try Self.write(certificate, key, to: [serverCertificateFile, serverKeyFile])
        }
    }

    /// Puts a certificate on the revocation list and signs the list anew; the relay reads it at its next reload.
    ///
    /// - Parameter what: a serial number in hexadecimal, or a certificate file; nil signs the list as it is for another
    ///   `revocationListDays`.
    /// - Throws: `.unknownSerial`, `.notOurs`, `.alreadyRevoked`; the list is unchanged then.
    package func revoke(_ what: String?, at now: Date = Date()) throws(PKIError) -> RevocationResult {
        try locked { () throws(PKIError) in
            var state = try CertificateState.load(directory: directory)
            var serial: String?
            if let what {
                let found = try self.serial(what, in: state)
                guard !state.revoked.contains(where: { $0.serial == found }) else {
                    throw .alreadyRevoked(serial: found)
                }
                state.revoked.append(CertificateState.Revoked(serial: found, at: PKITime.wholeSeconds(now)))
                serial = found
            }
            state.listNumber += 1
            let list = RevocationList(
                issuer: certificate.subject, issuerKeyIdentifier: keyIdentifier, number: state.listNumber,
                thisUpdate: now.addingTimeInterval(-CertificateContents.backdatedBy),
                nextUpdate: min(
                    now.addingTimeInterval(Double(Self.revocationListDays) * 86400), certificate.notValidAfter),
                entries: state.revoked.map {
                    RevocationList.Entry(serial: CertificateState.bytes(ofSerial: $0.serial) ?? [], revokedAt: $0.at)
                })
            let text = try list.signed(with: key)
            // The state before the list: after a crash between the two, signing again gives the right list.
            try state.saveRevoked()
            try SafeFile.write(text, to: revocationFile, mode: 0o644)
            return RevocationResult(
                serial: serial, revokedCount: state.revoked.count, number: state.listNumber, file: revocationFile)
        }
    }

    private func serial(_ what: String, in state: CertificateState) throws(PKIError) -> String {
        if let bytes = CertificateState.bytes(ofSerial: what), !SafeFile.exists(what) {
            let serial = CertificateState.text(ofSerial: bytes)
            guard state.issued.contains(where: { $0.serial == serial }) else { throw .unknownSerial(what) }
            return serial
        }
        guard SafeFile.exists(what) else { throw .unknownSerial(what) }
        let theirs = try Self.readCertificate(what)
        guard theirs.issuer == certificate.subject, theirs.subject != certificate.subject,
            certificate.publicKey.isValidSignature(theirs.signature, for: theirs)
        else { throw .notOurs(file: what) }
        return CertificateState.text(ofSerial: theirs.serialNumber.bytes)
    }

    private func make(
        _ purpose: CertificateContents.Purpose, validity: Range<Date>
    ) throws(PKIError) -> (Certificate, P256.Signing.PrivateKey) {
        let key = P256.Signing.PrivateKey()
        let made = try CertificateContents.end(
            purpose, key: key.publicKey, validity: validity, issuer: certificate, issuerKey: self.key,
            issuerKeyIdentifier: keyIdentifier)
        return (made, key)
    }

    /// Holds an exclusive lock on `ca.key` meanwhile, so that two processes do not lose each other's lines.
    private func locked<Result>(_ body: () throws(PKIError) -> Result) throws(PKIError) -> Result {
        let file = directory + "/ca.key"
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .file(file, code: errno) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .file(file, code: errno) }
        }
        return try body()
    }

    private func leafPeriod(days: Int, at now: Date) throws(PKIError) -> Range<Date> {
        let validity = try Self.period(days: days, at: now)
        guard validity.upperBound <= certificate.notValidAfter else {
            throw .outlivesAuthority(certificate.notValidAfter)
        }
        return validity
    }

    private static func period(days: Int, at now: Date) throws(PKIError) -> Range<Date> {
        guard (1...maximumDays).contains(days) else { throw .invalidDays(days) }
        let start = PKITime.wholeSeconds(now)
        return start.addingTimeInterval(
            -CertificateContents.backdatedBy)..<start.addingTimeInterval(Double(days) * 86400)
    }

    private static func files(for identity: CertificateHolder, in directory: String) -> [String] {
        ["crt", "key"].map { "\(directory)/\(identity.party)/\(identity.name).\($0)" }
    }

    private static func line(_ certificate: Certificate, bearer: String) -> CertificateState.Issued {
        CertificateState.Issued(
            serial: CertificateState.text(ofSerial: certificate.serialNumber.bytes),
            notAfter: certificate.notValidAfter,
            bearer: bearer)
    }

    /// Key first, so that a certificate file means that both are there.
    private static func write(
        _ certificate: Certificate, _ key: P256.Signing.PrivateKey, to files: [String]
    ) throws(PKIError) -> IssuedCertificate {
        try SafeFile.write(key.pemRepresentation + "\n", to: files[1], mode: 0o600)
        let document = try pem(certificate)
        try SafeFile.write(document, to: files[0], mode: 0o644)
        return IssuedCertificate(
            certificateFile: files[0], keyFile: files[1],
            serial: CertificateState.text(ofSerial: certificate.serialNumber.bytes),
            fingerprint: fingerprint(pem: document), notAfter: certificate.notValidAfter)
    }

    private static func pem(_ certificate: Certificate) throws(PKIError) -> String {
        do {
            return try certificate.serializeAsPEM().pemString + "\n"
        } catch {
            throw .encoding("\(error)")
        }
    }

    private static func fingerprint(pem: String) -> String {
        let bytes = (try? PEMDocument(pemString: pem))?.derBytes ?? []
        return SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
    }

    private static func readCertificate(_ file: String) throws(PKIError) -> Certificate {
        let text = try SafeFile.read(file)
        guard let certificate = try? Certificate(pemEncoded: text) else {
            throw .malformed(file: file, what: "not a certificate in PEM")
        }
        return certificate
    }

    private static func trimmed(_ directory: String) -> String {
        var path = directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}

/// What `issue` made.
package struct IssuedCertificate: Equatable, Sendable {
    /// PEM, readable by all.
    package let certificateFile: String
    /// PEM (PKCS#8), mode 0600.
    package let keyFile: String
    /// Lower-case hexadecimal.
    package let serial: String
    /// SHA-256 over the DER form, lower-case hexadecimal: what a party's file pins.
    package let fingerprint: String
    /// Last instant of its validity.
    package let notAfter: Date
}

/// What `revoke` did.
package struct RevocationResult: Equatable, Sendable {
    /// The certificate that was revoked; nil if the list was only signed anew.
    package let serial: String?
    /// How many certificates the list holds.
    package let revokedCount: Int
    /// The list's number.
    package let number: Int
    /// The list.
    package let file: String
}
