/// A version of the protocol that this module speaks.
package enum Version: UInt8, Comparable, CaseIterable, Sendable {
    /// STOMP 1.0: no escapes, no heart-beats, no NACK. Only for clients whose party allows it.
    case v1_0
    /// STOMP 1.1.
    case v1_1
    /// STOMP 1.2.
    case v1_2

    /// As in `accept-version` and `version`: `1.2`.
    package var text: String {
        switch self {
        case .v1_0: "1.0"
        case .v1_1: "1.1"
        case .v1_2: "1.2"
        }
    }

    /// Reads `1.0`, `1.1` or `1.2`; anything else is no version of ours.
    package init?(text: some StringProtocol) {
        guard let version = Version.allCases.first(where: { $0.text == text }) else { return nil }
        self = version
    }

    /// Older is smaller.
    package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
}

/// The first line of a frame. Case matters on the wire (STOMP 1.2, Augmented BNF).
package enum Command: String, CaseIterable, Sendable {
    /// Opens a session; an old spelling of `stomp` and its equal.
    case connect = "CONNECT"
    /// Opens a session.
    case stomp = "STOMP"
    /// The server's answer to `connect`.
    case connected = "CONNECTED"
    /// A message to a destination.
    case send = "SEND"
    /// Asks for messages of a destination.
    case subscribe = "SUBSCRIBE"
    /// Ends a subscription.
    case unsubscribe = "UNSUBSCRIBE"
    /// Takes custody of a message.
    case ack = "ACK"
    /// Gives a message back.
    case nack = "NACK"
    /// Opens a transaction.
    case begin = "BEGIN"
    /// Makes a transaction happen as one.
    case commit = "COMMIT"
    /// Forgets a transaction.
    case abort = "ABORT"
    /// Ends a session in good order.
    case disconnect = "DISCONNECT"
    /// A message for a subscription.
    case message = "MESSAGE"
    /// The answer to a frame that asked for one.
    case receipt = "RECEIPT"
    /// Says what was wrong; the connection ends behind it.
    case error = "ERROR"

    /// Whether servers send it.
    package var isFromServer: Bool {
        switch self {
        case .connected, .message, .receipt, .error: true
        default: false
        }
    }

    /// STOMP 1.2, Body: only these three may have one.
    package var mayHaveBody: Bool {
        switch self {
        case .send, .message, .error: true
        default: false
        }
    }

    /// STOMP 1.2, Value Encoding: these are never escaped, so that 1.0 peers can read them.
    package var isUnescaped: Bool {
        switch self {
        case .connect, .stomp, .connected: true
        default: false
        }
    }

    /// Length of the longest command, `UNSUBSCRIBE`.
    static let longestByteCount = 11

    init?(bytes: ArraySlice<UInt8>) {
        guard let command = Command.allCases.first(where: { bytes.elementsEqual($0.rawValue.utf8) }) else {
            return nil
        }
        self = command
    }
}

/// One frame: command, headers, body. `content-length` is framing and not among the headers.
package struct Frame: Equatable, Sendable {
    /// The first line.
    package var command: Command
    /// Unescaped, in the order of the wire, without `content-length`.
    package var headers: Headers
    /// The body's bytes, NULs among them.
    package var body: [UInt8]

    /// A frame of these parts.
    package init(_ command: Command, _ headers: Headers = [:], body: [UInt8] = []) {
        self.command = command
        self.headers = headers
        self.body = body
    }
}
