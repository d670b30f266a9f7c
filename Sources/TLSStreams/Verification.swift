import COpenSSL
import Foundation

/// OpenSSL's verify callback. It runs inside `SSL_do_handshake`, so under the lock of the session that it belongs to.
///
/// It overrules OpenSSL in one case only: an authority without a revocation list is not held to one (design.md 3). For
/// every other fault it notes who and why in the session, while the certificate is still at hand, and refuses.
let judgeCertificate: SSL_verify_cb = { isAccepted, store in
    guard let store else { return 0 }
    guard isAccepted != 1 else { return 1 }
    guard let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let context = SSL_get_ex_data(OpaquePointer(ssl), OpenSSLLibrary.sessionIndex)
    else { return 0 }
    let session = Unmanaged<TLSSession>.fromOpaque(context).takeUnretainedValue()
    let fault = StoreFault(store: store)
    if fault.code == X509_V_ERR_UNABLE_TO_GET_CRL, !session.context.issuersWithCRL.contains(fault.issuerBytes) {
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    }
    session.noteWhileVerifying(fault.problem(owner: session.context.role.peer, serverName: session.expectedName))
    return 0
}

/// What a verification that failed says about itself.
struct StoreFault {
    let store: OpaquePointer

    var code: Int32 { X509_STORE_CTX_get_error(store) }

    var issuerBytes: [UInt8] {
        guard let certificate = X509_STORE_CTX_get_current_cert(store) else { return [] }
        return CertificateReader(certificate: certificate).issuerBytes
    }

    func problem(owner: TLSRole, serverName: String?) -> CertificateProblem {
        guard let certificate = X509_STORE_CTX_get_current_cert(store) ?? X509_STORE_CTX_get0_cert(store) else {
            return CertificateProblem(
                owner: owner, subject: "?", issuer: "?", serial: "?", depth: 0,
                reason: reason(notBefore: .distantPast, notAfter: .distantPast, serverName: serverName))
        }
        let reader = CertificateReader(certificate: certificate)
        return CertificateProblem(
            owner: owner, subject: reader.displayName, issuer: reader.issuerName, serial: reader.serial,
            depth: Int(X509_STORE_CTX_get_error_depth(store)),
            reason: reason(notBefore: reader.notBefore, notAfter: reader.notAfter, serverName: serverName))
    }

    private func reason(notBefore: Date, notAfter: Date, serverName: String?) -> CertificateProblem.Reason {
        let text = String(cString: X509_verify_cert_error_string(Int(code)))
        return switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED: .expired(notAfter)
        case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid(notBefore)
        case X509_V_ERR_CERT_REVOKED: .revoked
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE:
            .unknownIssuer
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
        case X509_V_ERR_INVALID_PURPOSE: .wrongPurpose
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongName(expected: serverName ?? "?")
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_DIFFERENT_CRL_SCOPE:
            .crlMissing
        case X509_V_ERR_CRL_HAS_EXPIRED:
            .crlExpired(
                X509_STORE_CTX_get0_current_crl(store).flatMap { Date(asn1: X509_CRL_get0_nextUpdate($0)) })
        case X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_SIGNATURE_FAILURE,
            X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,
            X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
            .crlNotValid(text)
        default: .other(code: code, text: text)
        }
    }
}
