/// The versions of TLS that this program speaks.
public enum TLSVersion: Sendable, Hashable {
    /// TLS 1.2, with ECDHE and AEAD ciphers only.
    case v1_2
    /// TLS 1.3.
    case v1_3
}

/// What an administrator decides about TLS. All files are PEM and are read once, by ``TLSContext``.
public struct TLSOptions: Sendable {
    /// Our certificate, followed by intermediates. A server needs one.
    public var certificateFile: String?
    /// Its private key, not encrypted.
    public var keyFile: String?
    /// The authorities we believe: only these, never the system's.
    public var caFiles: [String]
    /// Revocation lists. A CA that has one here is checked failing closed; the others are not checked.
    public var crlFiles: [String]
    /// TLS 1.3 unless 1.2 is allowed here.
    public var minimumVersion: TLSVersion
    /// RFC 5280's rules for chains to the letter (`X509_V_FLAG_X509_STRICT`). Old authorities may need `false`.
    public var strict: Bool
    /// Client: the name that the server's certificate must carry, where it is not the host's.
    public var serverName: String?
    /// From `open` until connection and handshake must be done.
    public var handshakeDeadline: Duration
    /// How long a scheduled output may be unable to get rid of a single byte before the connection fails.
    public var writeDeadline: Duration

    /// Gathers options; see the properties.
    public init(
        certificateFile: String? = nil, keyFile: String? = nil, caFiles: [String] = [], crlFiles: [String] = [],
        minimumVersion: TLSVersion = .v1_3, strict: Bool = true, serverName: String? = nil,
        handshakeDeadline: Duration = .seconds(10), writeDeadline: Duration = .seconds(60)
    ) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.caFiles = caFiles
        self.crlFiles = crlFiles
        self.minimumVersion = minimumVersion
        self.strict = strict
        self.serverName = serverName
        self.handshakeDeadline = handshakeDeadline
        self.writeDeadline = writeDeadline
    }
}

/// Fixed limits of this module.
package enum TLSLimits {
    /// Bytes of a peer's certificate list (`SSL_CTX_set_max_cert_list`): bounds memory before login.
    package static let certificateListBytes = 32 * 1024
    /// Intermediates between a peer's certificate and its authority.
    package static let chainDepth: Int32 = 3
    /// Records are padded to multiples of this, so that sizes tell less.
    package static let recordPaddingBytes = 1_024
    /// What one `read(2)` may take: several records at once, released when empty.
    package static let readAheadBytes = 64 * 1024
    /// URI names looked at in one certificate; one with more is refused.
    package static let uris = 16
    /// Bytes of one URI name.
    package static let uriBytes = 512
    /// Characters of a foreign common name that are shown.
    package static let shownNameCharacters = 64
    /// How long a close waits for the peer to take our close_notify.
    package static let closeDeadline: Duration = .seconds(2)
    /// How long a refused peer's bytes are read and dropped, so that it gets our alert and not a reset.
    package static let lingerDeadline: Duration = .seconds(1)
    /// How many of them.
    package static let lingerBytes = 64 * 1024
    /// Addresses of one host that are tried.
    package static let addressesTried = 8
}
