/// Why a frame is refused, as the other side gets to read it. Never an echo of what it sent.
package struct SessionRefusal: Error, Equatable, Sendable {
    /// The `code` header: `no-rule`, `too-large` and so on. Nil for plain protocol faults.
    package var code: String?
    /// The `path` header: a JSON pointer.
    package var path: String?
    /// The `message` header: one short sentence.
    package let message: String
    /// The body of ERROR: the rule, and what to change.
    package var details: String

    /// The longest `message`, in Unicode scalars.
    package static let longestMessage = 120

    /// - Parameter message: `:`, `\` and control characters become spaces, what is past 120 characters is cut off, so
    ///   that the peers which do not unescape read it right.
    package init(code: String? = nil, path: String? = nil, message: String, details: String = "") {
        self.code = code
        self.path = path
        var plain = String.UnicodeScalarView()
        for scalar in message.unicodeScalars.prefix(Self.longestMessage) {
            let isPlain = scalar.value >= 0x20 && scalar != ":" && scalar != "\\" && scalar.value != 0x7F
            plain.append(isPlain ? scalar : " ")
        }
        self.message = String(plain)
        self.details = details
    }

    /// The one text for "not yours" and "does not exist": nobody learns by trying what there is.
    package static let unknownDestination = SessionRefusal(
        message: "unknown destination",
        details: "There is no such destination for this client. Check its spelling and what your party's file lists.")

    init(_ fault: FrameFault) {
        let code: String? = if case .bodyTooLong = fault { "too-large" } else { nil }
        self.init(code: code, message: fault.message, details: fault.details)
    }
}

/// What to log when an ERROR is on its way. Names a rule, never content.
package struct SessionFailure: Equatable, Sendable {
    /// What kind of end this is.
    package enum Reason: Equatable, Sendable {
        /// The bytes were no frame, or past a limit.
        case frame(FrameFault)
        /// A frame against the rules of the session.
        case session
        /// No common version.
        case version
        /// A deadline passed: CONNECT, one frame, or heart-beats.
        case timeout
        /// The caller refused a frame.
        case refused
        /// The caller ended the session.
        case ended
    }

    /// What kind of end this is.
    package var reason: Reason
    /// What the other side is told.
    package var refusal: SessionRefusal

    /// A failure with these parts.
    package init(reason: Reason, refusal: SessionRefusal) {
        self.reason = reason
        self.refusal = refusal
    }
}
