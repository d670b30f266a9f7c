import COpenSSL
import Glibc

/// Certificates, authorities and settings of one end, read once from files; swapped whole on reload.
///
/// Connections keep the context that they were made with. Nothing outside reaches in: OpenSSL's own configuration file
/// and the system's trust store are not read. Making one ignores `SIGPIPE` for the process, since OpenSSL writes with
/// plain `write(2)`; the daemon and the client do so first thing anyway.
public final class TLSContext: Sendable {
    /// The one protocol name we offer and select (RFC 7301). A peer that offers none is served too.
    package static let applicationProtocol = "budkavle/1"
    /// In wire form: a length and the name.
    static let applicationProtocolBytes: [UInt8] = [10] + Array("budkavle/1".utf8)

    /// Which end connections of this context are.
    public let role: TLSRole
    /// What it was made from.
    public let options: TLSOptions
    /// Our own certificate, so that somebody can warn before it expires.
    public let ownCertificate: PeerCertificate?
    /// DER names of the authorities that have a revocation list: their certificates are checked failing closed.
    let issuersWithCRL: Set<[UInt8]>
    private let revoked: Set<RevokedCertificate>
    private let authorityKeys: Set<[UInt8]>
    // SAFETY: `SSL_CTX` is changed in `init` only; afterwards OpenSSL counts references and locks by itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// A server's context: clients must present a certificate that one of `options.caFiles` has issued for clients.
    ///
    /// Reads files: not on an event loop.
    /// - Throws: what is wrong with which file or setting.
    public convenience init(server options: TLSOptions) throws(TLSError) {
        guard options.certificateFile != nil, options.keyFile != nil else {
            throw .setting(name: "tls.certificate", reason: "a server needs a certificate and its key")
        }
        try self.init(role: .server, options: options)
    }

    /// A client's context: the server's certificate must come from `options.caFiles` and carry the host's name.
    ///
    /// Reads files: not on an event loop.
    /// - Throws: what is wrong with which file or setting.
    public convenience init(client options: TLSOptions) throws(TLSError) {
        try self.init(role: .client, options: options)
    }

    private init(role: TLSRole, options: TLSOptions) throws(TLSError) {
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            throw .setting(name: "tls.certificate", reason: "certificate and key go together; one of them is missing")
        }
        guard !options.caFiles.isEmpty else {
            throw .setting(name: "tls.\(role.authoritiesSetting)", reason: "no authorities: nobody could be believed")
        }
        OpenSSLLibrary.prepare()
        let method = role == .server ? TLS_server_method() : TLS_client_method()
        guard let context = SSL_CTX_new(method) else {
            throw .setting(name: "tls", reason: OpenSSLErrors.take().text)
        }
        do throws(TLSError) {
            try ContextSettings(context: context, role: role, options: options).apply()
            let files = ContextFiles(context: context)
            ownCertificate = try files.loadIdentity(options)
            try files.loadAuthorities(options.caFiles)
            issuersWithCRL = try files.loadRevocationLists(options.crlFiles)
            revoked = files.revoked
            authorityKeys = files.authorityKeys
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        self.role = role
        self.options = options
        pointer = context
    }

    deinit { SSL_CTX_free(pointer) }

    /// Whether a peer whose chain another context accepted would still be believed: the authority at its end is among this
    /// context's, and no revocation list names it or one of those who signed it. For sessions opened before a reload.
    package func trusts(_ certificate: PeerCertificate) -> Bool {
        guard let authority = certificate.signers.last, authorityKeys.contains(authority.keyDigest) else {
            return false
        }
        let own = RevokedCertificate(issuer: certificate.issuerCommonName, serial: certificate.serial)
        return revoked.isDisjoint(with: certificate.signers.map(\.name) + [own])
    }
}

/// What is done once per process.
enum OpenSSLLibrary {
    private static let isPrepared: Bool = {
        // The first initialisation decides: no openssl.cnf, no engines, whatever OPENSSL_CONF says.
        let isReady =
            OPENSSL_init_crypto(COpenSSL_INIT_NO_LOAD_CONFIG(), nil) == 1
            && OPENSSL_init_ssl(COpenSSL_INIT_NO_LOAD_CONFIG(), nil) == 1
        signal(SIGPIPE, SIG_IGN)
        return isReady
    }()

    /// Index under which an `SSL` keeps its ``TLSSession``.
    static let sessionIndex: Int32 = COpenSSL_SSL_get_ex_new_index()

    static func prepare() { precondition(isPrepared, "OpenSSL cannot be initialised") }
}

/// Settings that hold for every connection: design.md section 3, `reference/reliability.md` 5.1.
struct ContextSettings {
    let context: OpaquePointer
    let role: TLSRole
    let options: TLSOptions

    func apply() throws(TLSError) {
        OpenSSLErrors.clear()
        try setProtocol()
        SSL_CTX_set_options(
            context,
            COpenSSL_OP_NO_TICKET() | COpenSSL_OP_NO_COMPRESSION() | COpenSSL_OP_NO_RENEGOTIATION()
                | COpenSSL_OP_CIPHER_SERVER_PREFERENCE())
        _ = COpenSSL_CTX_turn_session_cache_off(context)
        try require(SSL_CTX_set_num_tickets(context, 0), "tickets")
        try require(SSL_CTX_set_max_early_data(context, 0), "early data")
        _ = COpenSSL_CTX_set_mode(context, COpenSSL_mode_wanted())
        _ = COpenSSL_CTX_set_max_cert_list(context, TLSLimits.certificateListBytes)
        try require(SSL_CTX_set_block_padding(context, TLSLimits.recordPaddingBytes), "padding")
        COpenSSL_CTX_set_read_ahead(context, 1)
        SSL_CTX_set_default_read_buffer_len(context, TLSLimits.readAheadBytes)
        // Without this OpenSSL would ask at the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        setVerification()
        try setApplicationProtocol()
    }

    private func require(_ result: Int32, _ what: String) throws(TLSError) {
        guard result == 1 else {
            throw .setting(name: "tls", reason: "OpenSSL does not take the \(what): \(OpenSSLErrors.take().text)")
        }
    }

    private func setProtocol() throws(TLSError) {
        SSL_CTX_set_security_level(context, 2)
        let minimum = options.minimumVersion == .v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION
        try require(Int32(COpenSSL_CTX_set_min_proto_version(context, minimum)), "lowest version")
        try require(Int32(COpenSSL_CTX_set_max_proto_version(context, TLS1_3_VERSION)), "highest version")
        try require(
            SSL_CTX_set_ciphersuites(
                context, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"), "cipher suites")
        try require(
            SSL_CTX_set_cipher_list(
                context,
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
                    + "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
            "ciphers of TLS 1.2")
        try require(Int32(COpenSSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")), "groups")
    }

    private func setVerification() {
        let mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        SSL_CTX_set_verify(context, mode, judgeCertificate)
        SSL_CTX_set_verify_depth(context, TLSLimits.chainDepth)
        let parameters = SSL_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_purpose(
            parameters, role == .server ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER)
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(COpenSSL_host_flags()))
        var flags: UInt = 0
        if options.strict { flags |= COpenSSL_V_FLAG_X509_STRICT() }
        if !options.crlFiles.isEmpty { flags |= COpenSSL_V_FLAG_CRL_CHECK() | COpenSSL_V_FLAG_CRL_CHECK_ALL() }
        X509_VERIFY_PARAM_set_flags(parameters, flags)
    }

    private func setApplicationProtocol() throws(TLSError) {
        switch role {
        case .client:
            // Here, against OpenSSL's habit, 0 is success.
            let bytes = TLSContext.applicationProtocolBytes
            let result = SSL_CTX_set_alpn_protos(context, bytes, UInt32(bytes.count))
            try require(result == 0 ? 1 : 0, "application protocol")
        case .server:
            SSL_CTX_set_alpn_select_cb(context, selectApplicationProtocol, nil)
        }
    }
}

/// Selects `budkavle/1` where it is offered; a client that offers only others goes on without (never a failure).
private let selectApplicationProtocol: SSL_CTX_alpn_select_cb_func = { _, chosen, chosenLength, offered, length, _ in
    guard let offered, let chosen, let chosenLength else { return SSL_TLSEXT_ERR_NOACK }
    let ours = TLSContext.applicationProtocolBytes
    var place = 0
    while place < Int(length) {
        let end = place + 1 + Int(offered[place])
        guard end <= Int(length) else { return SSL_TLSEXT_ERR_NOACK }
        if UnsafeBufferPointer(start: offered + place, count: end - place).elementsEqual(ours) {
            chosen.pointee = offered + place + 1
            chosenLength.pointee = offered[place]
            return SSL_TLSEXT_ERR_OK
        }
        place = end
    }
    return SSL_TLSEXT_ERR_NOACK
}
