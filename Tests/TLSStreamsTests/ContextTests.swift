import Foundation
import TLSStreams
import TestSupport
import Testing

/// Files that are wrong, each named.
struct ContextTests {
    private let pki = TestCertificates.shared

    private func failure(_ change: (inout TLSOptions) -> Void) -> TLSError? {
        var options = pki.options("server")
        change(&options)
        do throws(TLSError) {
            _ = try TLSContext(server: options)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a good configuration says whose certificate it is`() throws {
        let context = try TLSContext(server: pki.options("server"))
        #expect(context.ownCertificate?.commonName == "server.test")
        #expect(context.ownCertificate?.notAfter.timeIntervalSince1970 == 2_524_607_999)
    }

    @Test func `a key of another certificate does not match`() {
        #expect(
            failure { $0.keyFile = pki.path("client.key") }
                == .keyDoesNotMatch(certificate: pki.path("server.crt"), key: pki.path("client.key")))
    }

    @Test func `an encrypted key is refused without asking at the terminal`() {
        #expect(
            failure {
                $0.certificateFile = pki.path("client.crt")
                $0.keyFile = pki.path("encrypted.key")
            } == .keyEncrypted(path: pki.path("encrypted.key")))
    }

    @Test func `a missing file is named with the reason`() {
        let missing = pki.path("nobody.crt")
        let wanted = TLSError.fileNotReadable(path: missing, reason: "No such file or directory")
        #expect(failure { $0.certificateFile = missing } == wanted)
        #expect(failure { $0.keyFile = missing } == wanted)
        #expect(failure { $0.caFiles = [missing] } == wanted)
        #expect(failure { $0.crlFiles = [missing] } == wanted)
    }

    @Test func `a file of another kind is named with what it lacks`() {
        let key = pki.path("server.key")
        #expect(failure { $0.certificateFile = key } == .fileWithout(what: "certificate", path: key))
        #expect(failure { $0.caFiles = [key] } == .fileWithout(what: "certificate", path: key))
        #expect(failure { $0.crlFiles = [key] } == .fileWithout(what: "revocation list", path: key))
        let certificate = pki.path("server.crt")
        #expect(failure { $0.keyFile = certificate } == .fileWithout(what: "private key", path: certificate))
    }

    @Test func `a revocation list belongs to a configured authority`() {
        let list = pki.path("other.crl")
        #expect(
            failure { $0.crlFiles = [list] } == .crlWithoutCA(path: list, issuer: "Test authority other"))
    }

    @Test func `certificate, key and authorities belong together`() {
        for change in [{ $0.keyFile = nil }, { $0.certificateFile = nil }, { $0.caFiles = [] }]
            as [(inout TLSOptions) -> Void]
        {
            guard case .setting = failure(change) else {
                Issue.record("accepted, or another error: \(String(describing: failure(change)))")
                continue
            }
        }
    }

    @Test func `only what is allowed is spoken`() throws {
        let modern = try TLSContext(server: pki.options("server"))
        let lenient = try TLSContext(server: pki.options("server", minimumVersion: .v1_2))
        let client = try TLSContext(client: pki.options("client", minimumVersion: .v1_2))
        #expect(try SessionPair(client: client, server: modern).handshake().server == .done)
        #expect(try SessionPair(client: client, server: lenient).handshake().server == .done)
    }

    @Test func `connections keep their context when another takes its place`() throws {
        let old = try TLSContext(server: pki.options("server"))
        let new = try TLSContext(server: pki.options("server", crls: ["ca.crl"]))
        let client = try TLSContext(client: pki.options("revoked"))
        let before = try SessionPair(client: client, server: old)
        #expect(before.handshake().server == .done)
        let after = try SessionPair(client: client, server: new)
        guard case .failed = after.handshake().server else {
            Issue.record("the new context lets the revoked client in")
            return
        }
        var bytes: [UInt8] = [1, 2, 3]
        #expect(bytes.withUnsafeBytes { before.client.write($0) } == .bytes(3))
        #expect(bytes.withUnsafeMutableBytes { before.server.read(into: $0) } == .bytes(3))
        #expect(before.server.context === old)
    }

    /// The certificate that a server of this context accepted from a client.
    private func accepted(_ name: String, by server: TLSContext) throws -> PeerCertificate {
        let client = try TLSContext(client: pki.options(name))
        let pair = try SessionPair(client: client, server: server)
        #expect(pair.handshake().server == .done)
        return try #require(pair.server.peerCertificate)
    }

    @Test func `a live session's certificate is known as revoked by the lists of a later context`() throws {
        let before = try TLSContext(server: pki.options("server"))
        let after = try TLSContext(server: pki.options("server", crls: ["ca.crl"]))
        let revoked = try accepted("revoked", by: before)
        #expect(before.trusts(revoked))
        #expect(!after.trusts(revoked))
        #expect(after.trusts(try accepted("client", by: before)))
    }

    @Test func `a live session's certificate is not believed once its authority is taken away`() throws {
        let before = try TLSContext(server: pki.options("server"))
        var options = pki.options("server")
        let client = try accepted("client", by: before)
        options.caFiles = [pki.path("ca.crt"), pki.path("other.crt")]
        #expect(try TLSContext(server: options).trusts(client))
        options.caFiles = [pki.path("other.crt")]
        #expect(try !TLSContext(server: options).trusts(client))
    }
}
