import EventLoop
import Foundation
import TLSStreams
import TestSupport
import Testing

/// Who is let in and who is not, and in which words: both ends of a session over a socket pair, one thread.
struct HandshakeTests {
    private let pki = TestCertificates.shared

    private func pair(
        client: TLSOptions? = nil, server: TLSOptions? = nil, name: String = "localhost"
    ) throws -> SessionPair {
        try SessionPair(
            client: TLSContext(client: client ?? pki.options("client")),
            server: TLSContext(server: server ?? pki.options("server")), name: name)
    }

    private func serverRefusal(
        client: TLSOptions, server: TLSOptions? = nil
    ) throws -> (problem: CertificateProblem?, text: String, client: TLSSession) {
        let pair = try pair(client: client, server: server)
        guard case .failed(let error) = pair.handshake().server else { return (nil, "accepted", pair.client) }
        guard case .peerCertificate(let problem) = error else { return (nil, error.description, pair.client) }
        return (problem, error.description, pair.client)
    }

    /// With TLS 1.3 the client has finished by then: the refusal is the answer to its first read.
    private func alert(at client: TLSSession) -> TLSRead {
        var bytes = [UInt8](repeating: 0, count: 16)
        return bytes.withUnsafeMutableBytes { client.read(into: $0) }
    }

    @Test func `a client and a server of one authority agree on TLS 1.3 and our protocol`() throws {
        let pair = try pair()
        let result = pair.handshake()
        #expect(result.client == .done && result.server == .done)
        #expect(pair.server.version == "TLSv1.3")
        #expect(pair.server.cipher == "TLS_AES_256_GCM_SHA384")
        #expect(pair.server.applicationProtocol == "budkavle/1")
        #expect(pair.client.applicationProtocol == "budkavle/1")
        let peer = try #require(pair.server.peerCertificate)
        #expect(peer.uris == ["urn:budkavle:pol-18-rlc:station-1"])
        #expect(peer.commonName == "client.test")
        #expect(peer.issuerCommonName == "Test authority ca")
        #expect(peer.serial == "1002")
        #expect(peer.sha256Fingerprint.count == 64)
        #expect(peer.sha256Fingerprint.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(peer.notAfter.timeIntervalSince1970 == 2_524_607_999)
        #expect(pair.client.peerCertificate?.uris == ["urn:budkavle:relay:orebro"])
    }

    @Test func `an address in the certificate is a name too`() throws {
        #expect(try pair(name: "127.0.0.1").handshake().client == .done)
    }

    @Test func `a client by another authority is refused, and both ends can say why`() throws {
        var client = pki.options("stranger")
        client.caFiles = [pki.path("ca.crt")]
        let refusal = try serverRefusal(client: client)
        #expect(
            refusal.problem
                == CertificateProblem(
                    owner: .client, subject: "pol-18-rlc:stranger", issuer: "Test authority other", serial: "2001",
                    depth: 0, reason: .unknownIssuer))
        #expect(refusal.text.contains("not among the CAs of tls.client-ca"))
        #expect(alert(at: refusal.client) == .failed(.refusedByPeer(alert: 48)))
    }

    @Test func `an expired certificate is refused with its date`() throws {
        let refusal = try serverRefusal(client: pki.options("expired"))
        #expect(
            refusal.text == "client certificate of pol-18-rlc:old (serial 1004, depth 0) expired 2026-10-01; renew it")
        #expect(alert(at: refusal.client) == .failed(.refusedByPeer(alert: 45)))
    }

    @Test func `a certificate of tomorrow is refused with its date`() throws {
        let refusal = try serverRefusal(client: pki.options("future"))
        #expect(refusal.text.hasSuffix("is not valid before 2048-01-01; check the clocks"))
    }

    @Test func `a certificate for servers does not make a client`() throws {
        let refusal = try serverRefusal(client: pki.options("server-only"))
        #expect(refusal.problem?.reason == .wrongPurpose)
        #expect(refusal.problem?.subject == "pol-18-rlc:wrong")
    }

    @Test func `a client without certificate is refused`() throws {
        let pair = try pair(client: pki.options(nil))
        #expect(pair.handshake().server == .failed(.noCertificatePresented))
        #expect(alert(at: pair.client) == .failed(.refusedByPeer(alert: 116)))
    }

    @Test func `our own certificate with a name that is not a plain URI is not loaded`() throws {
        #expect(
            throws: TLSError.setting(
                name: pki.path("odd-name.crt"),
                reason: "the certificate has a URI name with bytes that are not printable ASCII")
        ) { try TLSContext(client: pki.options("odd-name")) }
    }

    @Test func `a server by another name is refused by the client`() throws {
        let pair = try pair(name: "relay.example")
        guard case .failed(.peerCertificate(let problem)) = pair.handshake().client else {
            Issue.record("the client accepted the wrong name")
            return
        }
        #expect(problem.reason == .wrongName(expected: "relay.example"))
        #expect(problem.owner == .server)
        #expect(problem.description.contains("does not carry the name relay.example"))
    }

    @Test func `the configured server name replaces the host's`() throws {
        var options = pki.options("client")
        options.serverName = "localhost"
        #expect(try pair(client: options, name: "relay.example").handshake().client == .done)
    }

    @Test func `a client's certificate does not make a server`() throws {
        let pair = try pair(server: pki.options("client"))
        guard case .failed(.peerCertificate(let problem)) = pair.handshake().client else {
            Issue.record("the client accepted a client's certificate")
            return
        }
        #expect(problem.reason == .wrongPurpose)
    }

    // MARK: Revocation

    @Test func `a revoked certificate is refused once the list is configured`() throws {
        #expect(try serverRefusal(client: pki.options("revoked")).text == "accepted")
        let server = pki.options("server", crls: ["ca.crl"])
        let refusal = try serverRefusal(client: pki.options("revoked"), server: server)
        #expect(refusal.problem?.reason == .revoked)
        #expect(refusal.text.contains("is revoked by Test authority ca"))
        #expect(alert(at: refusal.client) == .failed(.refusedByPeer(alert: 44)))
        #expect(try serverRefusal(client: pki.options("client"), server: server).text == "accepted")
    }

    @Test func `a list that ran out lets nobody of its authority in`() throws {
        let server = pki.options("server", crls: ["ca-expired.crl"])
        let refusal = try serverRefusal(client: pki.options("client"), server: server)
        #expect(refusal.text.contains("the revocation list of Test authority ca ran out 2020-02-01"))
    }

    @Test func `an authority without a list is not held to one`() throws {
        let server = pki.options("server", authority: "both", crls: ["ca.crl"])
        var stranger = pki.options("stranger")
        stranger.caFiles = [pki.path("ca.crt")]
        #expect(try serverRefusal(client: stranger, server: server).text == "accepted")
        #expect(try serverRefusal(client: pki.options("revoked"), server: server).problem?.reason == .revoked)
    }

    // MARK: What is not TLS

    @Test(arguments: [UInt8(ascii: "C"), UInt8(ascii: "S"), 0x0A])
    func `STOMP in the clear is told by its first byte`(first: UInt8) throws {
        let sockets = SocketPair()
        let server = try TLSSession(context: TLSContext(server: pki.options("server")), side: .server)
        try server.attach(sockets.second)
        var bytes = [first] + Array("ONNECT\n".utf8)
        #expect(write(sockets.first, &bytes, bytes.count) == bytes.count)
        #expect(server.handshake() == .failed(.plaintextPeer(firstByte: first)))
        close(sockets.first)
        #expect(TLSError.plaintextPeer(firstByte: first).description.contains("STOMP without TLS"))
    }

    @Test func `other bytes that are not TLS are an error of their own`() throws {
        let sockets = SocketPair()
        let server = try TLSSession(context: TLSContext(server: pki.options("server")), side: .server)
        try server.attach(sockets.second)
        var bytes = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        #expect(write(sockets.first, &bytes, bytes.count) == bytes.count)
        #expect(server.handshake() == .failed(.plaintextPeer(firstByte: nil)))
        close(sockets.first)
    }

    @Test func `a peer that leaves during the handshake is no truncation`() throws {
        let sockets = SocketPair()
        let server = try TLSSession(context: TLSContext(server: pki.options("server")), side: .server)
        try server.attach(sockets.second)
        close(sockets.first)
        #expect(server.handshake() == .failed(.closedDuringHandshake))
    }
}
