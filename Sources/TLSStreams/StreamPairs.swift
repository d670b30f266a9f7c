import EventLoop
public import Foundation
import Glibc

extension Stream.PropertyKey {
    /// The peer's accepted certificate, a ``PeerCertificate``.
    public static let tlsPeerCertificate = Stream.PropertyKey(rawValue: "se.budkavle.tls.peer-certificate")
    /// The negotiated version, a `String`: `TLSv1.3`.
    public static let tlsVersion = Stream.PropertyKey(rawValue: "se.budkavle.tls.version")
    /// The negotiated cipher suite, a `String`: `TLS_AES_256_GCM_SHA384`.
    public static let tlsCipher = Stream.PropertyKey(rawValue: "se.budkavle.tls.cipher")
    /// The selected application protocol, a `String`; none when the peer offered none.
    public static let tlsApplicationProtocol = Stream.PropertyKey(rawValue: "se.budkavle.tls.application-protocol")
}

extension Stream {
    /// A pair of streams to a TLS server. Looks the name up, which blocks; connects when either is opened.
    ///
    /// - Parameter name: host name or IP address, which the server's certificate must carry.
    /// - Throws: `.unknownHost`; `.setting` when the name cannot be checked.
    public static func getStreamsToHost(
        withName name: String, port: Int, tls context: TLSContext
    ) throws(TLSError) -> (TLSInputStream, TLSOutputStream) {
        try getStreams(to: ResolvedHost(name: name, port: port), tls: context)
    }

    /// The same for a host that was looked up before: nothing here blocks.
    package static func getStreams(
        to host: ResolvedHost, tls context: TLSContext
    ) throws(TLSError) -> (TLSInputStream, TLSOutputStream) {
        let session = try TLSSession(context: context, side: .client(name: host.name))
        let link = TLSLink(
            session: session, connector: Connector(host: host), peerAddress: "\(host.name):\(host.port)",
            admission: nil)
        return (TLSInputStream(link: link), TLSOutputStream(link: link))
    }

    /// A pair of streams over a connected descriptor, which they own from now on (also when this throws).
    package static func getStreams(
        adopting descriptor: Int32, as side: TLSSide, tls context: TLSContext, peerAddress: String
    ) throws(TLSError) -> (TLSInputStream, TLSOutputStream) {
        try getStreams(adopting: descriptor, as: side, tls: context, peerAddress: peerAddress, admission: nil)
    }

    static func getStreams(
        adopting descriptor: Int32, as side: TLSSide, tls context: TLSContext, peerAddress: String,
        admission: AdmissionTicket?
    ) throws(TLSError) -> (TLSInputStream, TLSOutputStream) {
        let session: TLSSession
        do throws(TLSError) {
            guard StreamSocket.makeNonBlocking(descriptor) else { throw .connectionLost(errno: errno) }
            session = try TLSSession(context: context, side: side)
            try session.attach(descriptor)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        SocketTuning.apply(to: descriptor)
        let link = TLSLink(session: session, connector: nil, peerAddress: peerAddress, admission: admission)
        return (TLSInputStream(link: link), TLSOutputStream(link: link))
    }
}
