/// Where a relay listens.
public enum RelayEndpoint: Equatable, Sendable, CustomStringConvertible {
    /// Mutual TLS over TCP.
    case tls(host: String, port: Int)
    /// The Unix socket for local administration: no TLS, the kernel tells who we are.
    case unix(path: String)

    /// `unix:/run/budkavle/admin.sock`, `relay.example:61614`, `[::1]:61614`; nothing for any other form.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard path.hasPrefix("/"), path.utf8.count <= Self.socketPathLimitBytes else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self = .tls(host: host, port: port)
    }

    /// The longest path that fits into a Unix socket address.
    public static let socketPathLimitBytes = 107

    /// The form that `init` reads.
    public var description: String {
        switch self {
        case .tls(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// The files that prove who we are and whom we trust. PEM.
public struct RelayCredentials: Equatable, Sendable {
    /// The own certificate, with what leads to its authority behind it.
    public var certificateFile: String
    /// The key of the own certificate, unencrypted, mode 0600.
    public var keyFile: String
    /// The only authorities that count; the system's are not asked.
    public var authorityFiles: [String]
    /// Revocation lists; an authority that has one here is checked, failing closed.
    public var revocationFiles: [String]
    /// The name that the relay's certificate must carry instead of the host's.
    public var serverName: String?

    /// Names the files; they are read at each connection, so that a renewed certificate needs no restart.
    public init(
        certificateFile: String, keyFile: String, authorityFiles: [String], revocationFiles: [String] = [],
        serverName: String? = nil
    ) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.authorityFiles = authorityFiles
        self.revocationFiles = revocationFiles
        self.serverName = serverName
    }
}

/// How a lost connection is made again.
public struct ReconnectPolicy: Equatable, Sendable {
    /// The pause after the first failure; it doubles with each further one.
    public var firstPause: Duration = .milliseconds(200)
    /// The longest pause.
    public var longestPause: Duration = .seconds(30)
    /// A connection that lived so long starts the pauses anew.
    public var settledAfter: Duration = .seconds(10)
    /// Failed attempts before the *first* success that end the client; nothing means that it goes on trying.
    public var initialAttempts: Int?

    /// The default pauses: 0.1 to 0.2 s, then 0.2 to 0.4 s, and so on to 15 to 30 s.
    public init(initialAttempts: Int? = nil) {
        self.initialAttempts = initialAttempts
    }
}

/// Everything that a client needs to know before it starts.
public struct RelayConfiguration: Sendable {
    /// Where the relay listens.
    public var endpoint: RelayEndpoint
    /// Needed for TLS, unused on a Unix socket.
    public var credentials: RelayCredentials?
    /// The collaboration (county) to speak for, STOMP's `host`.
    public var collaboration: String
    /// How often and how fast to try again.
    public var reconnect = ReconnectPolicy()
    /// How long an answer may take, reconnections included.
    public var answerLimit: Duration = .seconds(10)
    /// The newest signed checkpoint of an earlier connection, see ``RelayClient/checkpoint``: the relay stops when its log does
    /// not continue it.
    public var checkpoint: String?
    /// Told about every change of the link, on the client's own thread: be quick and do not block.
    public var onLinkChange: (@Sendable (RelayLinkState) -> Void)?

    /// Makes a configuration with the default limits.
    public init(endpoint: RelayEndpoint, credentials: RelayCredentials?, collaboration: String) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.collaboration = collaboration
    }
}

/// What became of the link.
public enum RelayLinkState: Sendable {
    /// CONNECTED came: the relay knows us as this party and client.
    case connected(party: String, client: String)
    /// The link is down; the next attempt comes after the pause.
    case lost(RelayError, retryAfter: Duration)
    /// The client has ended; with an error when it gave up.
    case ended(RelayError?)
}
