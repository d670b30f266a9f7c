import COpenSSL
import Glibc

/// Reads certificates, keys and revocation lists into a context, and says which file is wrong.
final class ContextFiles {
    let context: OpaquePointer
    /// Key and name of each authority, to check who signed a revocation list. Owned by us.
    private var authorities: [(name: [UInt8], certificate: OpaquePointer)] = []

    /// Digests of the authorities' keys.
    var authorityKeys: Set<[UInt8]> {
        Set(authorities.map { CertificateReader(certificate: $0.certificate).keyDigest })
    }

    /// What the revocation lists name.
    private(set) var revoked: Set<RevokedCertificate> = []

    init(context: OpaquePointer) { self.context = context }

    deinit {
        for authority in authorities { X509_free(authority.certificate) }
    }

    /// Our certificate with its intermediates and our key.
    func loadIdentity(_ options: TLSOptions) throws(TLSError) -> PeerCertificate? {
        guard let certificate = options.certificateFile, let key = options.keyFile else { return nil }
        try checkReadable(certificate)
        try checkReadable(key)
        OpenSSLErrors.clear()
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            let fault = OpenSSLErrors.take()
            guard fault.library == ERR_LIB_PEM else {
                throw .setting(name: certificate, reason: "OpenSSL refuses the certificate: \(fault.text)")
            }
            throw .fileWithout(what: "certificate", path: certificate)
        }
        OpenSSLErrors.clear()
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            let faults = OpenSSLErrors.takeAll()
            if faults.contains(where: { $0.library == ERR_LIB_X509 && $0.reason == X509_R_KEY_VALUES_MISMATCH })
                || faults.contains(where: { $0.library == ERR_LIB_X509 && $0.reason == X509_R_KEY_TYPE_MISMATCH })
            {
                throw .keyDoesNotMatch(certificate: certificate, key: key)
            }
            if faults.contains(where: { $0.library == ERR_LIB_PEM && $0.reason == PEM_R_BAD_PASSWORD_READ }) {
                throw .keyEncrypted(path: key)
            }
            throw .fileWithout(what: "private key", path: key)
        }
        OpenSSLErrors.clear()
        guard SSL_CTX_check_private_key(context) == 1 else {
            OpenSSLErrors.clear()
            throw .keyDoesNotMatch(certificate: certificate, key: key)
        }
        guard let own = SSL_CTX_get0_certificate(context) else {
            throw .fileWithout(what: "certificate", path: certificate)
        }
        do {
            return try CertificateReader(certificate: own).peerCertificate()
        } catch {
            throw .setting(name: certificate, reason: "the certificate has \(error.text)")
        }
    }

    /// The authorities, which are also named to clients so that they can choose a certificate.
    func loadAuthorities(_ paths: [String]) throws(TLSError) {
        let store = SSL_CTX_get_cert_store(context)
        for path in paths {
            var count = 0
            try readAll(path) { file in
                PEM_read_bio_X509(file, nil, nil, nil)
            } each: { certificate in
                X509_STORE_add_cert(store, certificate)
                SSL_CTX_add_client_CA(context, certificate)
                authorities.append((CertificateReader(certificate: certificate).subjectBytes, certificate))
                count += 1
            }
            guard count > 0 else { throw .fileWithout(what: "certificate", path: path) }
        }
        OpenSSLErrors.clear()
    }

    /// The revocation lists; each must carry the name and the signature of one of the authorities.
    ///
    /// - Returns: DER names of the authorities that have one.
    func loadRevocationLists(_ paths: [String]) throws(TLSError) -> Set<[UInt8]> {
        let store = SSL_CTX_get_cert_store(context)
        var issuers: Set<[UInt8]> = []
        for path in paths {
            var count = 0
            var problem: TLSError?
            try readAll(path) { file in
                PEM_read_bio_X509_CRL(file, nil, nil, nil)
            } each: { list in
                defer { X509_CRL_free(list) }
                count += 1
                let name = X509_CRL_get_issuer(list)
                let bytes = CertificateReader.bytes(of: name)
                let shown = CertificateReader.commonName(of: name)
                let candidates = authorities.filter { $0.name == bytes }
                guard !candidates.isEmpty else {
                    problem = problem ?? .crlWithoutCA(path: path, issuer: shown)
                    return
                }
                guard candidates.contains(where: { X509_CRL_verify(list, X509_get0_pubkey($0.certificate)) == 1 })
                else {
                    problem = problem ?? .crlNotSigned(path: path, issuer: shown)
                    return
                }
                X509_STORE_add_crl(store, list)
                remember(list, issuer: shown)
                issuers.insert(bytes)
            }
            OpenSSLErrors.clear()
            if let problem { throw problem }
            guard count > 0 else { throw .fileWithout(what: "revocation list", path: path) }
        }
        return issuers
    }

    private func remember(_ list: OpaquePointer, issuer: String) {
        let entries = X509_CRL_get_REVOKED(list)
        for index in 0..<max(0, OPENSSL_sk_num(entries)) {
            guard let entry = OPENSSL_sk_value(entries, index) else { continue }
            let serial = CertificateReader.hex(of: X509_REVOKED_get0_serialNumber(OpaquePointer(entry)))
            revoked.insert(RevokedCertificate(issuer: issuer, serial: serial))
        }
    }

    private func checkReadable(_ path: String) throws(TLSError) {
        guard access(path, R_OK) == 0 else {
            throw .fileNotReadable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Calls `each` with every PEM object of one kind in a file.
    private func readAll(
        _ path: String, next: (OpaquePointer) -> OpaquePointer?, each: (OpaquePointer) -> Void
    ) throws(TLSError) {
        try checkReadable(path)
        OpenSSLErrors.clear()
        guard let file = BIO_new_file(path, "r") else {
            throw .fileNotReadable(path: path, reason: OpenSSLErrors.take().text)
        }
        defer { BIO_free(file) }
        while let object = next(file) { each(object) }
        // The end of the file is PEM_R_NO_START_LINE; anything else is a damaged object.
        let fault = OpenSSLErrors.take()
        guard fault.code == 0 || (fault.library == ERR_LIB_PEM && fault.reason == PEM_R_NO_START_LINE) else {
            throw .fileWithout(what: "undamaged PEM object (\(fault.text))", path: path)
        }
    }
}

/// A certificate that a revocation list names.
struct RevokedCertificate: Hashable, Sendable {
    let issuer: String
    let serial: String
}
