import COpenSSL
import Glibc
import Synchronization

/// What a session waits for when it would block.
package enum TLSWait: Equatable, Sendable {
    case readable
    case writable
}

/// How a read ended. "Would block" is an answer of its own here, which Foundation's `read` cannot give.
package enum TLSRead: Equatable, Sendable {
    /// So many bytes, at least one unless the buffer was empty.
    case bytes(Int)
    /// Nothing for now.
    case wouldBlock(TLSWait)
    /// The peer's close_notify: there will be no more.
    case end
    /// The connection has failed, for good.
    case failed(TLSError)
}

/// How a write ended.
package enum TLSWrite: Equatable, Sendable {
    /// So many bytes are encrypted and handed to the kernel.
    case bytes(Int)
    /// None for now. The next write must begin with the same bytes (they may lie elsewhere and be followed by more).
    case wouldBlock(TLSWait)
    /// The connection has failed, for good.
    case failed(TLSError)
}

/// How far a handshake, or the sending of close_notify, has come.
package enum TLSProgress: Equatable, Sendable {
    case done
    case wouldBlock(TLSWait)
    case failed(TLSError)
}

/// Which end a session is, and whom a client expects.
package enum TLSSide: Equatable, Sendable {
    case server
    /// The name or IP address that the server's certificate must carry.
    case client(name: String)
}

/// One TLS connection over one non-blocking descriptor, which it owns: typed answers, no waiting, no callbacks.
///
/// Any thread: a lock is held round each call into OpenSSL, and the thread's error queue is cleared and read inside it.
// SAFETY: `lock` guards `ssl` and every `var`. `descriptor` only changes before the handshake and in `close`.
package final class TLSSession: @unchecked Sendable {
    private enum Phase { case handshaking, established, closed }

    /// Settings and certificates; a reload does not change them for this connection.
    package let context: TLSContext
    /// What a client checks in the server's certificate.
    let expectedName: String?
    private let lock = Mutex(())
    private let ssl: OpaquePointer
    private var descriptorNumber: Int32 = -1
    private var phase = Phase.handshaking
    private var failure: TLSError?
    private var hasEnded = false
    private var hasSaidGoodbye = false
    private var isFirstByteChecked = false
    private var problem: CertificateProblem?
    private var peer: PeerCertificate?

    /// A session without a descriptor yet.
    ///
    /// - Throws: `.setting` when the name to expect cannot be one.
    package init(context: TLSContext, side: TLSSide) throws(TLSError) {
        precondition((side == .server) == (context.role == .server), "a session has the role of its context")
        guard let ssl = SSL_new(context.pointer) else {
            throw .setting(name: "tls", reason: OpenSSLErrors.take().text)
        }
        self.context = context
        self.ssl = ssl
        switch side {
        case .server:
            expectedName = nil
            SSL_set_accept_state(ssl)
        case .client(let host):
            let name = context.options.serverName ?? host
            expectedName = name
            SSL_set_connect_state(ssl)
            guard Self.expect(name, of: ssl) else {
                SSL_free(ssl)
                throw .setting(name: "server name", reason: "\(CertificateReader.cleaned(name)) is not a host name")
            }
        }
        SSL_set_ex_data(ssl, OpenSSLLibrary.sessionIndex, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        SSL_free(ssl)
        if descriptorNumber >= 0 { Glibc.close(descriptorNumber) }
    }

    private static func expect(_ name: String, of ssl: OpaquePointer) -> Bool {
        OpenSSLErrors.clear()
        // An address is compared with the certificate's addresses, and is no name for SNI (RFC 6066, 3).
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 { return true }
        OpenSSLErrors.clear()
        return SSL_set1_host(ssl, name) == 1 && COpenSSL_set_tlsext_host_name(ssl, name) == 1
    }

    /// The descriptor, -1 before `attach` and after `close`.
    package var descriptor: Int32 { lock.withLock { _ in descriptorNumber } }

    /// Takes over a connected, non-blocking descriptor.
    package func attach(_ descriptor: Int32) throws(TLSError) {
        let fault: TLSError? = lock.withLock { _ in
            precondition(phase == .handshaking && descriptorNumber < 0, "a session has one descriptor")
            OpenSSLErrors.clear()
            guard SSL_set_fd(ssl, descriptor) == 1 else {
                return .protocolViolation(detail: OpenSSLErrors.take().text)
            }
            descriptorNumber = descriptor
            return nil
        }
        if let fault { throw fault }
    }

    /// Goes on with the handshake as far as the descriptor allows. `.done` again when it was done before.
    package func handshake() -> TLSProgress {
        lock.withLock { _ in
            if let failure { return .failed(failure) }
            switch phase {
            case .established: return .done
            case .closed: return .failed(.notOpen)
            case .handshaking: break
            }
            guard descriptorNumber >= 0 else { return .failed(.notOpen) }
            if context.role == .server, !isFirstByteChecked, let early = checkFirstByte() { return early }
            OpenSSLErrors.clear()
            let result = SSL_do_handshake(ssl)
            let number = errno
            if result == 1 { return establish() }
            switch reasonForFailure(result, errno: number) {
            case .waits(let wait): return .wouldBlock(wait)
            case .ended: return fail(.closedDuringHandshake)
            case .failed(let error): return fail(error)
            }
        }
    }

    /// Reads decrypted bytes: as many as are at hand without waiting, up to the buffer's size.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TLSRead {
        lock.withLock { _ in
            if let early = cannotRead() { return early }
            guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
            var total = 0
            repeat {
                OpenSSLErrors.clear()
                var count = 0
                let result = SSL_read_ex(ssl, base + total, buffer.count - total, &count)
                guard result != 1 else {
                    total += count
                    continue
                }
                let outcome = readOutcome(result, errno: errno)
                // A failure or end behind these bytes is remembered and told by the next read.
                return total > 0 ? .bytes(total) : outcome
            } while total < buffer.count && SSL_has_pending(ssl) == 1
            return .bytes(total)
        }
    }

    /// Decrypts one record ahead without taking it: after `.bytes` a read gets at least one byte at once.
    package func peek() -> TLSRead {
        lock.withLock { _ in
            if let early = cannotRead() { return early }
            OpenSSLErrors.clear()
            var byte: UInt8 = 0
            var count = 0
            let result = SSL_peek_ex(ssl, &byte, 1, &count)
            guard result != 1 else { return .bytes(max(1, Int(SSL_pending(ssl)))) }
            return readOutcome(result, errno: errno)
        }
    }

    /// Encrypts and sends: as much as the kernel takes, in records of up to 16 KiB.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TLSWrite {
        lock.withLock { _ in
            if let failure { return .failed(failure) }
            guard phase == .established, !hasSaidGoodbye else { return .failed(.notOpen) }
            guard let base = bytes.baseAddress, bytes.count > 0 else { return .bytes(0) }
            var total = 0
            repeat {
                OpenSSLErrors.clear()
                var count = 0
                let result = SSL_write_ex(ssl, base + total, bytes.count - total, &count)
                guard result != 1 else {
                    total += count
                    continue
                }
                switch reasonForFailure(result, errno: errno) {
                case .waits(let wait): return total > 0 ? .bytes(total) : .wouldBlock(wait)
                case .ended: failure = .truncated
                case .failed(let error): failure = error
                }
                return total > 0 ? .bytes(total) : .failed(failure ?? .notOpen)
            } while total < bytes.count
            return .bytes(total)
        }
    }

    /// Sends close_notify: we write no more; the peer may go on.
    package func sayGoodbye() -> TLSProgress {
        lock.withLock { _ in
            if let failure { return .failed(failure) }
            guard phase == .established else { return .failed(.notOpen) }
            hasSaidGoodbye = true
            OpenSSLErrors.clear()
            let result = SSL_shutdown(ssl)
            let number = errno
            // 0: ours is sent and the peer's has not come, which is all that is wanted.
            if result >= 0 { return .done }
            switch reasonForFailure(result, errno: number) {
            case .waits(let wait): return .wouldBlock(wait)
            case .ended: return .done
            case .failed(let error): return .failed(error)
            }
        }
    }

    /// Makes the connection fail from now on, for a reason that OpenSSL does not know (a deadline).
    package func fail(with error: TLSError) {
        lock.withLock { _ in
            if failure == nil { failure = error }
        }
    }

    /// Closes the descriptor. Nobody may be waiting for it.
    package func close() {
        lock.withLock { _ in
            guard phase != .closed else { return }
            phase = .closed
            if descriptorNumber >= 0 { Glibc.close(descriptorNumber) }
            descriptorNumber = -1
        }
    }

    /// Whether a server has got a byte from its peer at all.
    var hasHeardPeer: Bool { lock.withLock { _ in isFirstByteChecked || context.role == .client } }

    /// The verified certificate of the peer, once the handshake is done.
    package var peerCertificate: PeerCertificate? { lock.withLock { _ in peer } }

    /// `TLSv1.3`, once the handshake is done.
    package var version: String? {
        lock.withLock { _ in phase == .established ? SSL_get_version(ssl).map { String(cString: $0) } : nil }
    }

    /// OpenSSL's name of the cipher suite, once the handshake is done.
    package var cipher: String? {
        lock.withLock { _ in
            guard phase == .established, let cipher = SSL_get_current_cipher(ssl) else { return nil }
            return SSL_CIPHER_get_name(cipher).map { String(cString: $0) }
        }
    }

    /// The selected application protocol (ALPN), nil when none was.
    package var applicationProtocol: String? {
        lock.withLock { _ in
            var bytes: UnsafePointer<UInt8>?
            var length: UInt32 = 0
            SSL_get0_alpn_selected(ssl, &bytes, &length)
            guard let bytes, length > 0 else { return nil }
            return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(length)), as: UTF8.self)
        }
    }

    /// Called by the verify callback, inside `handshake` and so under the lock. The first problem is the cause.
    func noteWhileVerifying(_ problem: CertificateProblem) {
        if self.problem == nil { self.problem = problem }
    }
}

// Everything below is called with the lock held.
extension TLSSession {
    private enum Reason {
        case waits(TLSWait)
        case ended
        case failed(TLSError)
    }

    private func reasonForFailure(_ result: Int32, errno number: Int32) -> Reason {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .waits(.readable)
        case SSL_ERROR_WANT_WRITE: return .waits(.writable)
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL:
            OpenSSLErrors.clear()
            let isDone = phase == .established
            if number == 0 { return .failed(isDone ? .truncated : .closedDuringHandshake) }
            return .failed(.connectionLost(errno: number))
        default:
            let fault = OpenSSLErrors.take()
            if let problem { return .failed(.peerCertificate(problem)) }
            return .failed(fault.connectionError(duringHandshake: phase == .handshaking))
        }
    }

    private func fail(_ error: TLSError) -> TLSProgress {
        failure = error
        return .failed(error)
    }

    private func cannotRead() -> TLSRead? {
        if let failure { return .failed(failure) }
        if hasEnded { return .end }
        return phase == .established ? nil : .failed(.notOpen)
    }

    private func readOutcome(_ result: Int32, errno number: Int32) -> TLSRead {
        switch reasonForFailure(result, errno: number) {
        case .waits(let wait): return .wouldBlock(wait)
        case .ended:
            hasEnded = true
            return .end
        case .failed(let error):
            failure = error
            return .failed(error)
        }
    }

    /// STOMP in the clear is told from TLS by its first byte (`C`, `S` or LF), before OpenSSL sees it.
    private func checkFirstByte() -> TLSProgress? {
        var byte: UInt8 = 0
        let count = recv(descriptorNumber, &byte, 1, Int32(MSG_PEEK))
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else { return fail(.connectionLost(errno: errno)) }
            return .wouldBlock(.readable)
        }
        guard count == 1 else { return fail(.closedDuringHandshake) }
        isFirstByteChecked = true
        return [0x43, 0x53, 0x0A].contains(byte) ? fail(.plaintextPeer(firstByte: byte)) : nil
    }

    private func establish() -> TLSProgress {
        // The verify result of a session without certificate is "OK": look at the certificate itself.
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return fail(.noCertificatePresented) }
        let reader = CertificateReader(certificate: certificate)
        guard SSL_get_verify_result(ssl) == X509_V_OK else {
            return fail(.protocolViolation(detail: "certificate not verified"))
        }
        do {
            peer = try reader.peerCertificate(signers: signers)
        } catch {
            return fail(
                .peerCertificate(
                    CertificateProblem(
                        owner: context.role.peer, subject: reader.displayName, issuer: reader.issuerName,
                        serial: reader.serial, depth: 0, reason: .malformedName(error.text))))
        }
        phase = .established
        return .done
    }

    /// Who signed the peer's certificate, up to the authority that was believed.
    private var signers: [Signer] {
        let chain = SSL_get0_verified_chain(ssl)
        return (0..<max(0, OPENSSL_sk_num(chain))).dropFirst().compactMap { index in
            OPENSSL_sk_value(chain, index).map { CertificateReader(certificate: OpaquePointer($0)).signer }
        }
    }
}
