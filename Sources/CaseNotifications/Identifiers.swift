/// A short name that stands in files, certificates and on the wire: `[a-z0-9][a-z0-9.-]{0,63}`.
///
/// The conforming types differ only in what they name, so that a desk cannot be passed where a party is asked for.
package protocol NameIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as it is written.
    var text: String { get }
    /// Takes `text` as it is; only `init(_:)` and readers of already checked bytes call this.
    init(unchecked text: String)
}

extension NameIdentifier {
    /// The name, or nil if `text` does not have the form `[a-z0-9][a-z0-9.-]{0,63}`.
    package init?(_ text: some StringProtocol) {
        guard NameGrammar.accepts(text.utf8) else { return nil }
        self.init(unchecked: String(text))
    }

    /// The name in `bytes`, or nil if they do not have the form `[a-z0-9][a-z0-9.-]{0,63}`.
    init?(utf8 bytes: some Collection<UInt8>) {
        guard NameGrammar.accepts(bytes) else { return nil }
        self.init(unchecked: String(decoding: bytes, as: UTF8.self))
    }

    /// By the bytes of the name, the same in every locale.
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    /// The name itself.
    package var description: String { text }
}

/// The grammar that all names share.
enum NameGrammar {
    /// The longest name, in bytes.
    static let longestBytes = 64

    /// Whether `bytes` are a name.
    static func accepts(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, isLowerOrDigit(first), bytes.count <= longestBytes else { return false }
        return bytes.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    static func isLowerOrDigit(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || isDigit(byte) }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// An agency, board or on-call service that signs, sends or receives: `pol-18-lpo-orebro`, `soc-1880`.
package struct PartyID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// A place within one party where notifications arrive and people work.
package struct DeskID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// One of a party's systems, as its certificate names it.
package struct ClientID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// A member of a party's staff: an opaque id, never a name.
package struct PersonID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// What the policy calls a rule.
package struct RuleID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// A county's collaboration, the unit of policy, keys, queues and reports: `orebro`.
package struct CollaborationID: NameIdentifier {
    /// The name as it is written.
    package let text: String
    /// Takes `text` as it is.
    package init(unchecked text: String) { self.text = text }
}

/// The type of an event in reverse-DNS form: `se.budkavle.police.report.registered.v1`.
///
/// Form: 2 to 16 parts of `[a-z0-9-]+` joined by dots, at most 128 bytes.
package struct EventType: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest type, in bytes.
    package static let longestBytes = 128
    /// The greatest number of parts between dots.
    package static let mostParts = 16

    /// The type as it is written.
    package let text: String

    /// The type, or nil if `text` has not its form.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard bytes.count <= Self.longestBytes else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (2...Self.mostParts).contains(parts.count) else { return nil }
        for part in parts {
            guard !part.isEmpty, part.allSatisfy({ NameGrammar.isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }) else {
                return nil
            }
        }
        self.text = String(text)
    }

    /// By the bytes of the type.
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    /// The type itself.
    package var description: String { text }
}
