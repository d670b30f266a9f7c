import CaseNotifications

/// Verifies receipts offline, years later, with nothing but the relay's public keys.
///
/// It shows that the relay's log, as the relay signed it, holds a record at the receipt's position with the receipt's leaf, and
/// nothing before that can have been changed since. What the record says stands with the relay: it names all recipients.
public struct ReceiptVerifier: Sendable {
    private let keys: [HeadKey]

    /// What one receipt came to.
    public struct Verdict: Sendable, Equatable {
        /// `<collaboration>.<number>`; nothing when it is no receipt at all.
        public let position: String?
        /// What it speaks of: `accepted`, `delivered` and so on.
        public let event: String?
        /// The size of the log that its checkpoint covers.
        public let logSize: UInt64?
        /// Why it does not verify, as a code; nothing when it does.
        public let fault: String?
        /// Whether it verifies.
        public var isValid: Bool { fault == nil }
    }

    /// Takes the text of a key file: what `budkavled keys list` prints, one key per line, `#` for remarks.
    ///
    /// - Throws: `.configuration` naming the first line that is no key, or when there is none.
    public init(keyFile text: String) throws(RelayError) {
        switch HeadKey.keys(in: text) {
        case .success(let keys) where keys.isEmpty: throw RelayError(.configuration, "the key file holds no key")
        case .success(let keys): self.keys = keys
        case .failure(let fault):
            throw RelayError(
                .configuration,
                "line \(fault.line) of the key file is none of budkavle-head-key/1 <journal> <serial> <key>")
        }
    }

    /// Judges one receipt: a CloudEvent of type `se.budkavle.relay.receipt.v1` in JSON.
    public func verify(_ receipt: [UInt8]) -> Verdict {
        guard let receipt = try? Receipt(json: receipt) else {
            return Verdict(position: nil, event: nil, logSize: nil, fault: "no-receipt")
        }
        return Verdict(
            position: receipt.position, event: receipt.event.text, logSize: receipt.proof?.checkpoint.size,
            fault: receipt.fault(keys: keys)?.rawValue)
    }
}
