/// What went wrong between a client and its relay.
///
/// The only error that this library throws. `code` is for programs, `message` for people (one sentence, never content),
/// `cause` is the error below it, where there is one.
public struct RelayError: Error, Sendable, CustomStringConvertible {
    /// The kinds of trouble that a program can tell apart.
    public enum Code: String, Sendable, CaseIterable {
        /// A file, an address or an option is wrong on this side; nothing was tried.
        case configuration
        /// No connection came about.
        case unreachable
        /// The relay refused the certificate.
        case certificateRefused = "certificate-refused"
        /// The relay's own certificate was refused here: it is not the relay that was meant, or one that pretends to be.
        case relayNotTrusted = "relay-not-trusted"
        /// The relay answered that this certificate's roles do not allow it; without a `refusal` its socket is not ours to use.
        case forbidden
        /// There is no such thing, or it is not this client's to see.
        case unknown
        /// The relay refused what was asked, by policy or form: see `refusal`.
        case refused
        /// No answer came in time. What was sent may be stored: send it again unchanged.
        case notConfirmed = "not-confirmed"
        /// The relay broke the protocol, or said that we did.
        case protocolFault = "protocol-fault"
        /// More is waiting than a named limit of this library allows.
        case overflow
        /// The client was closed, or the task cancelled.
        case closed
    }

    /// What kind of trouble it is.
    public let code: Code
    /// One sentence for people.
    public let message: String
    /// The relay's own answer, when there was one.
    public let refusal: RelayRefusal?
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, refusal: RelayRefusal? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.refusal = refusal
        self.cause = cause
    }

    /// Message, code and cause on one line; a cause that the message has in full already is not repeated.
    public var description: String {
        guard let cause, "\(cause)" != message else { return "\(message) [\(code.rawValue)]" }
        return "\(message) [\(code.rawValue)]: \(cause)"
    }

    /// The sysexits number that a command ends with (operations.md 4.1).
    package var exitStatus: Int32 {
        switch code {
        case .configuration: 78
        case .unreachable: 69
        case .certificateRefused, .relayNotTrusted, .forbidden: 77
        case .unknown: 1
        case .refused: refusal?.exitStatus ?? 77
        case .notConfirmed, .overflow: 75
        case .protocolFault: 76
        case .closed: 70
        }
    }
}

/// The relay's refusal of one frame.
public struct RelayRefusal: Equatable, Sendable {
    /// A code of protocol.md: `schema`, `no-rule`, `consent-missing`, …
    public let code: String
    /// A JSON pointer into what was sent, or empty.
    public let path: String
    /// A short sentence from the relay, never content.
    public let message: String

    /// Makes a refusal.
    public init(code: String, path: String = "", message: String = "") {
        self.code = code
        self.path = path
        self.message = message
    }

    /// 65 when the input is wrong, 75 when the relay cannot just now, 77 when a policy or right forbids it.
    package var exitStatus: Int32 {
        switch code {
        case "schema", "too-old", "too-large", "conflict": 65
        case "unavailable", "quota", "draining": 75
        case "unknown", "erased": 1
        default: 77
        }
    }

    /// The error that a question or command throws for this refusal.
    package var asError: RelayError {
        switch code {
        case "forbidden": RelayError(.forbidden, "the relay says that this certificate may not do that", refusal: self)
        case "unknown": RelayError(.unknown, "there is no such thing, or it is not yours to see", refusal: self)
        default: RelayError(.refused, message.isEmpty ? "the relay refused it" : message, refusal: self)
        }
    }
}
