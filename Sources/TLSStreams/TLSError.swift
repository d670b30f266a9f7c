public import Foundation

/// What went wrong with TLS, in words for the administrator who has to put it right.
///
/// `description` is one sentence: what, whose, and what to do. It holds names from certificates (cleaned), paths and
/// addresses, never keys or content.
public indirect enum TLSError: Error, Equatable, Sendable {
    /// A file of the configuration cannot be read.
    case fileNotReadable(path: String, reason: String)
    /// A file lacks what it was named for: a certificate, a key, a revocation list.
    case fileWithout(what: String, path: String)
    /// The private key needs a passphrase, which nobody could type.
    case keyEncrypted(path: String)
    /// Certificate and key are not a pair.
    case keyDoesNotMatch(certificate: String, key: String)
    /// A revocation list whose issuer is none of the authorities.
    case crlWithoutCA(path: String, issuer: String)
    /// A revocation list that its issuer did not sign.
    case crlNotSigned(path: String, issuer: String)
    /// A setting is missing, or OpenSSL does not take it.
    case setting(name: String, reason: String)
    /// The name cannot be looked up.
    case unknownHost(name: String, reason: String)
    /// No address of the host took the connection.
    case notConnected(host: String, reason: String)
    /// The address cannot be listened on.
    case notListening(address: String, reason: String)
    /// The peer's certificate is not accepted.
    case peerCertificate(CertificateProblem)
    /// The client has shown no certificate.
    case noCertificatePresented
    /// The peer has ended TLS with an alert (RFC 8446, 6.2); mostly it did not like our certificate.
    case refusedByPeer(alert: UInt8)
    /// The peer does not speak TLS; 0x43, 0x53 and 0x0A look like STOMP.
    case plaintextPeer(firstByte: UInt8?)
    /// No version or cipher in common.
    case nothingInCommon(detail: String)
    /// The peer went away before the handshake was done.
    case closedDuringHandshake
    /// The peer has broken TLS.
    case protocolViolation(detail: String)
    /// The connection ended without close_notify: bytes may be missing.
    case truncated
    /// The connection broke.
    case connectionLost(errno: Int32)
    /// Connection and handshake took too long.
    case handshakeTimedOut(after: Duration)
    /// The peer took no byte for too long.
    case writeStalled(after: Duration)
    /// Something that Foundation's streams offer and these do not.
    case unsupported(what: String)
    /// Used before `open` or after `close`.
    case notOpen
    /// The event loop could not take the descriptor.
    case loop(reason: String)
}

extension TLSError: CustomStringConvertible, LocalizedError {
    /// The same as `description`, for Foundation's `localizedDescription`.
    public var errorDescription: String? { description }

    /// One sentence: what, whose, and what to do.
    public var description: String {
        switch self {
        case .fileNotReadable(let path, let reason): "\(path): \(reason)"
        case .fileWithout(let what, let path): "\(path): there is no \(what) in this file (PEM is expected)"
        case .keyEncrypted(let path): "\(path): the key is encrypted; store it without passphrase, mode 0600"
        case .keyDoesNotMatch(let certificate, let key): "\(key): not the key of the certificate in \(certificate)"
        case .crlWithoutCA(let path, let issuer):
            "\(path): revocation list of \(issuer), which is not among the configured authorities"
        case .crlNotSigned(let path, let issuer): "\(path): not signed by \(issuer), whose name it carries"
        case .setting(let name, let reason): "\(name): \(reason)"
        case .unknownHost(let name, let reason): "host \(name) cannot be looked up: \(reason)"
        case .notConnected(let host, let reason): "no connection to \(host): \(reason)"
        case .notListening(let address, let reason): "cannot listen on \(address): \(reason)"
        case .peerCertificate(let problem): problem.description
        case .noCertificatePresented:
            "the client presented no certificate; give it one that an authority of tls.client-ca has issued"
        case .refusedByPeer(let alert): Self.describe(alert: alert)
        case .plaintextPeer(let byte):
            byte == 0x43 || byte == 0x53 || byte == 0x0A
                ? "the peer speaks STOMP without TLS; switch TLS on in its settings"
                : "the peer does not speak TLS; check its port and its TLS settings"
        case .nothingInCommon(let detail):
            "no TLS version or cipher in common (\(detail)); update the peer, or allow TLS 1.2 for it"
        case .closedDuringHandshake: "the peer closed the connection during the TLS handshake"
        case .protocolViolation(let detail): "the peer broke TLS: \(detail)"
        case .truncated: "the connection ended without close_notify; bytes may be missing"
        case .connectionLost(let number): "the connection broke: \(String(cString: strerror(number)))"
        case .handshakeTimedOut(let limit): "connection and TLS handshake were not done after \(limit)"
        case .writeStalled(let limit): "the peer took no byte for \(limit)"
        case .unsupported(let what): "\(what) is not supported by TLS streams; use schedule(on:) or blocking calls"
        case .notOpen: "the stream is not open"
        case .loop(let reason): reason
        }
    }

    private static func describe(alert: UInt8) -> String {
        switch alert {
        case 42: "the peer refused our certificate (bad_certificate)"
        case 43: "the peer refused our certificate: it is not for this use (unsupported_certificate)"
        case 44: "the peer refused our certificate: it is revoked (certificate_revoked)"
        case 45: "the peer refused our certificate: it has expired (certificate_expired); renew it"
        case 46: "the peer refused our certificate (certificate_unknown); its log says why"
        case 48: "the peer does not know the authority that issued our certificate (unknown_ca)"
        case 49: "the peer denied access (access_denied)"
        case 70: "the peer does not speak our TLS version (protocol_version)"
        case 40, 71: "the peer and we have no cipher in common (alert \(alert))"
        case 116: "the peer wants a certificate and we have shown none (certificate_required)"
        default: "the peer ended TLS with alert \(alert)"
        }
    }
}

/// Which end of the connection somebody is.
public enum TLSRole: Sendable, Hashable {
    /// The end that accepts connections.
    case server
    /// The end that makes them.
    case client

    var peer: TLSRole { self == .server ? .client : .server }

    /// The setting that names the authorities this end believes.
    var authoritiesSetting: String { self == .server ? "tls.client-ca" : "ca" }
}

/// Why a peer's certificate was refused: whose, and what to do about it.
public struct CertificateProblem: Equatable, Sendable {
    /// The reasons that have a remedy of their own; everything else is `other` in OpenSSL's words.
    public enum Reason: Equatable, Sendable {
        case expired(Date)
        case notYetValid(Date)
        case revoked
        case unknownIssuer
        case selfSigned
        case wrongPurpose
        case wrongName(expected: String)
        case crlMissing
        case crlExpired(Date?)
        case crlNotValid(String)
        case malformedName(String)
        case other(code: Int32, text: String)
    }

    /// Whose certificate it is.
    public let owner: TLSRole
    /// The certificate's name: its `urn:budkavle:` name without that prefix, else its common name.
    public let subject: String
    /// The common name of the authority that it names.
    public let issuer: String
    /// Serial number in hex.
    public let serial: String
    /// 0 is the peer's own certificate, 1 its issuer and so on.
    public let depth: Int
    /// What is wrong.
    public let reason: Reason

    /// Gathers a problem; see the properties.
    public init(owner: TLSRole, subject: String, issuer: String, serial: String, depth: Int, reason: Reason) {
        self.owner = owner
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.depth = depth
        self.reason = reason
    }
}

extension CertificateProblem: CustomStringConvertible {
    /// One sentence: what, whose, and what to do.
    public var description: String {
        let what = depth == 0 ? "\(owner == .client ? "client" : "server") certificate" : "authority certificate"
        return "\(what) of \(subject) (serial \(serial), depth \(depth)) \(remedy)"
    }

    private var remedy: String {
        let setting = owner.peer.authoritiesSetting
        return switch reason {
        case .expired(let date): "expired \(date.isoDay); renew it"
        case .notYetValid(let date): "is not valid before \(date.isoDay); check the clocks"
        case .revoked: "is revoked by \(issuer)"
        case .unknownIssuer: "was issued by \(issuer), which is not among the CAs of \(setting)"
        case .selfSigned: "leads to a self-signed certificate that is not among the CAs of \(setting)"
        case .wrongPurpose:
            "is not for TLS \(owner == .client ? "clients" : "servers") (extended key usage); issue one that is"
        case .wrongName(let expected): "does not carry the name \(expected); connect by a name that it carries"
        case .crlMissing: "cannot be checked: no revocation list of \(issuer) fits; put its current CRL in place"
        case .crlExpired(let date):
            "cannot be checked: the revocation list of \(issuer) ran out"
                + (date.map { " \($0.isoDay)" } ?? "") + "; put its current CRL in place"
        case .crlNotValid(let text): "cannot be checked: the revocation list of \(issuer): \(text)"
        case .malformedName(let text): "has a name that is refused: \(text)"
        case .other(_, let text): "is refused: \(text)"
        }
    }
}

extension Date {
    /// `2026-10-01`, in UTC.
    var isoDay: String { formatted(.iso8601.year().month().day()) }
}
