import COpenSSL
public import Foundation

/// What a certificate says about its holder. From a peer it is only handed out after the chain was accepted.
public struct PeerCertificate: Equatable, Sendable {
    /// Every URI among the subject's alternative names, byte for byte, in the certificate's order.
    public let uris: [String]
    /// SHA-256 over the whole certificate: 64 lower-case hex digits.
    public let sha256Fingerprint: String
    /// The serial number in upper-case hex.
    public let serial: String
    /// Valid from.
    public let notBefore: Date
    /// Valid until.
    public let notAfter: Date
    /// The subject's common name for display: control characters replaced, cut at 64 characters, never an identity.
    public let commonName: String
    /// The issuer's, likewise.
    public let issuerCommonName: String
    /// Who signed it, from its issuer to the authority that was believed; empty for our own.
    let signers: [Signer]
}

/// A certificate of an accepted chain, behind the holder's.
struct Signer: Equatable, Sendable {
    /// What a revocation list would name.
    let name: RevokedCertificate
    /// SHA-256 over its public key: an authority whose certificate was renewed is still the same.
    let keyDigest: [UInt8]
}

/// Why a name inside a certificate is refused: bytes that OpenSSL, Swift and a person would read differently.
enum NameFault: Error {
    case tooManyURIs
    case notPrintableASCII
    case tooLong

    var text: String {
        switch self {
        case .tooManyURIs: "more than \(TLSLimits.uris) URI names"
        case .notPrintableASCII: "a URI name with bytes that are not printable ASCII"
        case .tooLong: "a URI name of more than \(TLSLimits.uriBytes) bytes"
        }
    }
}

/// Reads fields of an `X509`, which stays the caller's.
struct CertificateReader {
    let certificate: OpaquePointer

    func peerCertificate(signers: [Signer] = []) throws(NameFault) -> PeerCertificate {
        PeerCertificate(
            uris: try uris(), sha256Fingerprint: fingerprint, serial: serial, notBefore: notBefore, notAfter: notAfter,
            commonName: commonName(of: X509_get_subject_name(certificate)), issuerCommonName: issuerName,
            signers: signers)
    }

    /// This certificate as one that signed others.
    var signer: Signer {
        Signer(name: RevokedCertificate(issuer: issuerName, serial: serial), keyDigest: keyDigest)
    }

    /// SHA-256 over the public key.
    var keyDigest: [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard X509_pubkey_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return [] }
        return Array(digest.prefix(Int(length)))
    }

    /// All URI names. NUL, control characters, spaces and bytes above 0x7E are refused: RFC 5280, 4.2.1.6 wants IA5String
    /// and RFC 3986 leaves them no place.
    func uris() throws(NameFault) -> [String] {
        guard let names = COpenSSL_subject_alternative_names(certificate) else { return [] }
        defer { GENERAL_NAMES_free(names) }
        var uris: [String] = []
        for index in 0..<COpenSSL_general_name_count(names) {
            var length: Int32 = 0
            guard let bytes = COpenSSL_general_name_uri(names, index, &length) else { continue }
            let uri = UnsafeBufferPointer(start: bytes, count: Int(length))
            guard uris.count < TLSLimits.uris else { throw .tooManyURIs }
            guard uri.count <= TLSLimits.uriBytes else { throw .tooLong }
            guard uri.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .notPrintableASCII }
            uris.append(String(decoding: uri, as: UTF8.self))
        }
        return uris
    }

    /// For messages: the `urn:budkavle:` name, which is no person's name, else the common name.
    var displayName: String {
        let prefix = "urn:budkavle:"
        if let uri = (try? uris())?.first(where: { $0.hasPrefix(prefix) }) {
            return String(uri.dropFirst(prefix.count))
        }
        return commonName(of: X509_get_subject_name(certificate))
    }

    var issuerName: String { commonName(of: X509_get_issuer_name(certificate)) }

    var serial: String { Self.hex(of: X509_get0_serialNumber(certificate)) }

    /// A serial number in upper-case hex.
    static func hex(of serial: UnsafePointer<ASN1_INTEGER>?) -> String {
        guard let number = ASN1_INTEGER_to_BN(serial, nil) else { return "?" }
        defer { BN_free(number) }
        guard let text = BN_bn2hex(number) else { return "?" }
        defer { CRYPTO_free(text, "", 0) }
        return String(cString: text)
    }

    var notBefore: Date { Date(asn1: X509_get0_notBefore(certificate)) ?? .distantPast }
    var notAfter: Date { Date(asn1: X509_get0_notAfter(certificate)) ?? .distantPast }

    /// DER of the issuer's name, which tells authorities apart.
    var issuerBytes: [UInt8] { Self.bytes(of: X509_get_issuer_name(certificate)) }
    var subjectBytes: [UInt8] { Self.bytes(of: X509_get_subject_name(certificate)) }

    static func bytes(of name: OpaquePointer?) -> [UInt8] {
        let length = i2d_X509_NAME(name, nil)
        guard length > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            var cursor = buffer.baseAddress
            count = Int(max(0, i2d_X509_NAME(name, &cursor)))
        }
    }

    private var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.prefix(Int(length)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }

    func commonName(of name: OpaquePointer?) -> String { Self.commonName(of: name) }

    /// The last common name of a distinguished name, cleaned for display; `(no common name)` without one.
    static func commonName(of name: OpaquePointer?) -> String {
        let index = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(name, index),
            let data = X509_NAME_ENTRY_get_data(entry)
        else { return "(no common name)" }
        var text: UnsafeMutablePointer<UInt8>?
        let length = ASN1_STRING_to_UTF8(&text, data)
        guard length >= 0, let text else { return "(unreadable common name)" }
        defer { CRYPTO_free(text, "", 0) }
        let raw = String(decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
        return cleaned(raw)
    }

    /// Foreign text for one line of a log: no control or format characters, at most 64 characters.
    static func cleaned(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(TLSLimits.shownNameCharacters) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result.unicodeScalars.append("?")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Date {
    /// The time of a certificate or revocation list (RFC 5280, 4.1.2.5), nil when it is none.
    init?(asn1 time: UnsafePointer<ASN1_TIME>?) {
        guard let time else { return nil }
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        self.init(timeIntervalSince1970: TimeInterval(timegm(&parts)))
    }
}
