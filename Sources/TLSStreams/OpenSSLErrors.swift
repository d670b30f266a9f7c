import COpenSSL
import Foundation

/// OpenSSL keeps errors in a queue per thread. Whoever calls OpenSSL clears it, calls, and reads it, in one synchronous
/// function; these are the first and the last step.
enum OpenSSLErrors {
    /// Forgets what earlier calls on this thread left behind.
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Every error of the queue, the cause first.
    static func takeAll() -> [OpenSSLFault] {
        var faults: [OpenSSLFault] = []
        while case let code = ERR_get_error(), code != 0 { faults.append(OpenSSLFault(code: code)) }
        return faults
    }

    /// The first error of the queue, which is the cause; the queue is empty afterwards.
    static func take() -> OpenSSLFault {
        let code = ERR_get_error()
        ERR_clear_error()
        return OpenSSLFault(code: code)
    }
}

/// One entry of OpenSSL's error queue.
struct OpenSSLFault {
    let code: UInt

    var library: Int32 { COpenSSL_ERR_GET_LIB(code) }
    var reason: Int32 { COpenSSL_ERR_GET_REASON(code) }
    var text: String {
        if code == 0 { return "no reason given" }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// The alert that the peer sent, if that was the error (OpenSSL counts them from 1,000).
    var alert: UInt8? {
        guard library == ERR_LIB_SSL, reason >= SSL_AD_REASON_OFFSET else { return nil }
        return UInt8(exactly: reason - SSL_AD_REASON_OFFSET)
    }

    /// What it means for a connection.
    func connectionError(duringHandshake: Bool) -> TLSError {
        if let alert { return .refusedByPeer(alert: alert) }
        guard library == ERR_LIB_SSL else { return .protocolViolation(detail: text) }
        switch reason {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return duringHandshake ? .closedDuringHandshake : .truncated
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .noCertificatePresented
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_WRONG_VERSION_NUMBER:
            return .plaintextPeer(firstByte: nil)
        case SSL_R_NO_SHARED_CIPHER, SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE,
            SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_WRONG_SSL_VERSION,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_VERSION_TOO_LOW:
            return .nothingInCommon(detail: text)
        default: return .protocolViolation(detail: text)
        }
    }
}
