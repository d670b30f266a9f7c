package import Foundation

/// Why the small CA did not do what it was asked to. Printing one gives the sentence for the terminal.
package enum PKIError: Error, Equatable, CustomStringConvertible {
    /// Not `<party>/<client>` nor `<party>/person:<id>`, each id `[a-z0-9][a-z0-9.-]{0,63}`.
    case invalidIdentity(String)
    /// Neither a DNS name nor an IP address.
    case invalidHost(String)
    /// Validity outside 1 to 7,300 days.
    case invalidDays(Int)
    /// A file that would have been overwritten.
    case exists(file: String)
    /// No `ca.crt` or no `ca.key` in the directory.
    case noAuthority(directory: String)
    /// A system call on a file failed.
    case file(String, code: Int32)
    /// A file that is there does not hold what its name says.
    case malformed(file: String, what: String)
    /// A key that is a symbolic link, not a plain file, or that others may read.
    case exposedKey(file: String, mode: UInt32)
    /// `ca.key` is not the key of `ca.crt`.
    case keyMismatch(directory: String)
    /// The certificate asked for would outlive the CA, whose validity ends then.
    case outlivesAuthority(Date)
    /// No certificate of this serial number was issued here.
    case unknownSerial(String)
    /// The certificate in the file was not issued by this CA.
    case notOurs(file: String)
    /// The serial number is on the revocation list already.
    case alreadyRevoked(serial: String)
    /// swift-certificates refused to encode something.
    case encoding(String)

    package var description: String {
        switch self {
        case .invalidIdentity(let text):
            "'\(printable(text))' names no client; write <party>/<client> or <party>/person:<id>, "
                + "each of a-z, 0-9, '.' and '-', at most 64 characters"
        case .invalidHost(let text):
            "'\(printable(text))' is neither a DNS name nor an IP address"
        case .invalidDays(let days):
            "a validity of \(days) days is outside 1 to \(CertificateAuthority.maximumDays)"
        case .exists(let file):
            "\(file) exists; nothing was changed. Move it away first, or choose another directory"
        case .noAuthority(let directory):
            "no CA in \(directory) (ca.crt and ca.key); make one with: budkavle pki init --dir \(directory)"
        case .file(let file, let code):
            "\(file): \(String(cString: strerror(code)))"
        case .malformed(let file, let what):
            "\(file): \(what)"
        case .exposedKey(let file, let mode):
            "\(file) must be a plain file that its owner alone can read, but its mode is "
                + "\(String(mode, radix: 8)); run: chmod 600 \(file), and think about who has read it"
        case .keyMismatch(let directory):
            "\(directory)/ca.key is not the key of \(directory)/ca.crt; put the two that belong together there"
        case .outlivesAuthority(let end):
            "the CA is valid until \(PKITime.text(end)) and a certificate may not outlive it; give fewer --days"
        case .unknownSerial(let serial):
            "no certificate with serial number '\(printable(serial))' was issued here; see issued.txt"
        case .notOurs(let file):
            "\(file) was not issued by this CA"
        case .alreadyRevoked(let serial):
            "\(serial) is revoked already; the revocation list was not changed"
        case .encoding(let what):
            "the certificate could not be written: \(what)"
        }
    }

    /// The sysexits number for the process that prints this error.
    package var exitCode: Int32 {
        switch self {
        case .invalidIdentity, .invalidHost, .invalidDays, .outlivesAuthority: EX_USAGE
        case .malformed, .keyMismatch, .notOurs, .unknownSerial, .alreadyRevoked: EX_DATAERR
        case .noAuthority: EX_NOINPUT
        case .exists: EX_CANTCREAT
        case .exposedKey: EX_NOPERM
        case .file: EX_IOERR
        case .encoding: EX_SOFTWARE
        }
    }

    /// Foreign text with control characters taken out, so that it cannot steer a terminal.
    private func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(80).filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }
}
