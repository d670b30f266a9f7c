import Glibc
package import TLSStreams

/// A client's and a server's session over a socket pair, driven by one thread.
package struct SessionPair {
    /// The end that connects.
    package let client: TLSSession
    /// The end that accepts.
    package let server: TLSSession

    /// Makes both ends; the client expects `name`.
    package init(client clientContext: TLSContext, server serverContext: TLSContext, name: String = "localhost") throws
    {
        let sockets = SocketPair()
        for descriptor in [sockets.first, sockets.second] {
            let flags = fcntl(descriptor, F_GETFL)
            _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        }
        client = try TLSSession(context: clientContext, side: .client(name: name))
        server = try TLSSession(context: serverContext, side: .server)
        try client.attach(sockets.first)
        try server.attach(sockets.second)
    }

    /// Goes on until both ends are done or have failed, at most a hundred rounds.
    package func handshake() -> (client: TLSProgress, server: TLSProgress) {
        var result = (client: client.handshake(), server: server.handshake())
        for _ in 0..<100 {
            if case .wouldBlock = result.client { result.client = client.handshake() }
            if case .wouldBlock = result.server { result.server = server.handshake() }
        }
        return result
    }
}
