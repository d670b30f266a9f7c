package import CaseNotifications

/// One party's copy of a notification.
package struct DeliveryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The notification.
    package let notification: NotificationID
    /// The place of the party's grant in the decision, from 0.
    package let ordinal: UInt16

    /// The delivery at this place of the notification's decision.
    package init(notification: NotificationID, ordinal: UInt16) {
        self.notification = notification
        self.ordinal = ordinal
    }

    /// The id that `text` (`<ULID>.<ordinal>`, no leading zeros) writes, or nil.
    package init?(text: some StringProtocol) {
        guard let dot = text.firstIndex(of: "."), let notification = NotificationID(text: text[..<dot]) else {
            return nil
        }
        let digits = text[text.index(after: dot)...]
        guard let ordinal = UInt16(String(digits)), String(ordinal) == digits else { return nil }
        self.init(notification: notification, ordinal: ordinal)
    }

    /// `<ULID>.<ordinal>`: fit for `message-id` and `ack`.
    package var text: String { "\(notification.text).\(ordinal)" }

    /// By notification, then by ordinal.
    package static func < (left: Self, right: Self) -> Bool {
        (left.notification, left.ordinal) < (right.notification, right.ordinal)
    }

    /// `<ULID>.<ordinal>`.
    package var description: String { text }
}

/// What binds a submission: the first 96 bits of SHA-256 over source, a zero byte and the sender's id.
///
/// A collision with another party's submission would need 2^96 trials; one made on purpose between own ids (2^48) only
/// makes the sender's own second notification a conflict.
package struct SubmissionKey: Hashable, Sendable {
    let first: UInt32
    let second: UInt32
    let third: UInt32

    /// The key of `id` as `source` numbers its notifications.
    package init(source: PartyID, id: String) {
        var bytes = Array(source.text.utf8)
        bytes.append(0)
        bytes += id.utf8
        let digest = Digest(sha256Of: bytes).bytes
        first = UInt32(bigEndian: digest, at: 0)
        second = UInt32(bigEndian: digest, at: 4)
        third = UInt32(bigEndian: digest, at: 8)
    }
}

/// The answer to an accepted submission: the id, the record number (48 bits) and 112 bits of the body's digest, in 36 bytes.
struct KnownRow: Sendable, Equatable {
    private let id: (UInt32, UInt32, UInt32, UInt32)
    private let sequenceLow: UInt32
    /// The upper 16 bits of the record number, then 16 bits of the digest.
    private let sequenceHighAndDigest: UInt32
    private let digest: (UInt32, UInt32, UInt32)

    init(notification: NotificationID, sequence: UInt64, digest: Digest) {
        id = (
            UInt32(truncatingIfNeeded: notification.high >> 32), UInt32(truncatingIfNeeded: notification.high),
            UInt32(truncatingIfNeeded: notification.low >> 32), UInt32(truncatingIfNeeded: notification.low)
        )
        let bytes = digest.bytes
        sequenceLow = UInt32(truncatingIfNeeded: sequence)
        sequenceHighAndDigest =
            UInt32(truncatingIfNeeded: sequence >> 32) << 16 | UInt32(bytes[12]) << 8 | UInt32(bytes[13])
        self.digest = (
            UInt32(bigEndian: bytes, at: 0), UInt32(bigEndian: bytes, at: 4), UInt32(bigEndian: bytes, at: 8)
        )
    }

    var notification: NotificationID {
        NotificationID(high: UInt64(id.0) << 32 | UInt64(id.1), low: UInt64(id.2) << 32 | UInt64(id.3))
    }

    var sequence: UInt64 { UInt64(sequenceHighAndDigest >> 16) << 32 | UInt64(sequenceLow) }

    /// Whether the stored body had this digest, as far as it is kept.
    func has(_ other: Digest) -> Bool {
        self == KnownRow(notification: notification, sequence: sequence, digest: other)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.sequenceLow == right.sequenceLow
            && left.sequenceHighAndDigest == right.sequenceHighAndDigest && left.digest == right.digest
    }
}

extension UInt32 {
    init(bigEndian bytes: [UInt8], at index: Int) {
        self = bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
