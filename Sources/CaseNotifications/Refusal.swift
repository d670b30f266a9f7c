/// Whether a collaboration is real or played.
package enum Mode: String, CaseIterable, Sendable {
    /// Real cases; test numbers are refused as personnummer.
    case production
    /// Played cases; only published test numbers are accepted as personnummer.
    case exercise
}

/// Why something that a party submitted is not accepted: the codes of protocol.md, "Refusals".
package enum RefusalCode: String, CaseIterable, Sendable {
    case schema
    case noRule = "no-rule"
    case neverRule = "never-rule"
    case noAgreement = "no-agreement"
    case agreementExpired = "agreement-expired"
    case affirmationMissing = "affirmation-missing"
    case consentMissing = "consent-missing"
    case protected
    case classified
    case wrongSource = "wrong-source"
    case conflict
    case tooOld = "too-old"
    case tooLarge = "too-large"
    case quota
    case unavailable
}

/// The answer to a submission that is not accepted. It never contains anything of what was submitted.
package struct Refusal: Error, Equatable, Sendable {
    /// What kind of refusal it is.
    package let code: RefusalCode
    /// A JSON pointer (RFC 6901) to the place, made of known names and array indices only; empty for the whole.
    package let pointer: String
    /// One sentence for the sender: no content, no colon and no backslash, so that it fits any STOMP header.
    package let message: String

    /// A refusal.
    package init(code: RefusalCode, pointer: String, message: String) {
        assert(!message.contains { $0 == ":" || $0 == "\\" || $0.isNewline }, "a message must fit a STOMP header")
        self.code = code
        self.pointer = pointer
        self.message = message
    }
}
