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

/// What binds a submission: 64 bits of SHA-256 over the collaboration's salt, the source, a zero byte and the sender's id.
///
/// The salt (the random bytes of the journal's first event) is never told, so nobody can look for ids that collide; by
/// chance, among ten million submissions, two do once in 300,000 times, and then the second is refused as a conflict.
struct SubmissionKey: TableKey {
    private let high: UInt32
    private let low: UInt32

    /// The key of `id` as `source` numbers its notifications.
    init(source: PartyID, id: String, salt: LeafRandom) {
        var writer = ByteWriter(bytes: [])
        writer.word(salt.high)
        writer.word(salt.low)
        writer.bytes += source.text.utf8
        writer.byte(0)
        writer.bytes += id.utf8
        let digest = Digest(sha256Of: writer.bytes).bytes
        self.init(bits: UInt64(UInt32(bigEndian: digest, at: 0)) << 32 | UInt64(UInt32(bigEndian: digest, at: 4)))
    }

    init(bits: UInt64) {
        high = UInt32(truncatingIfNeeded: bits >> 32)
        low = UInt32(truncatingIfNeeded: bits)
    }

    var spread: UInt64 { UInt64(high) << 32 | UInt64(low) }
}

/// The answer to an accepted submission in 32 bytes: the id, the record number (48 bits), 80 bits of the body's digest.
struct KnownRow: Sendable, Equatable {
    /// As words of 32 bits, so that rows with their keys lie without gaps.
    private let id: (UInt32, UInt32, UInt32, UInt32)
    private let sequenceLow: UInt32
    /// The upper 16 bits of the record number, then 16 bits of the digest.
    private let sequenceHighAndDigest: UInt32
    private let digest: (UInt32, UInt32)

    init(notification: NotificationID, sequence: UInt64, digest: Digest) {
        let bytes = digest.bytes
        self.init(
            notification: notification, sequence: sequence, digestHead: UInt16(bytes[8]) << 8 | UInt16(bytes[9]),
            digestTail: UInt64(UInt32(bigEndian: bytes, at: 0)) << 32 | UInt64(UInt32(bigEndian: bytes, at: 4)))
    }

    init(notification: NotificationID, sequence: UInt64, digestHead: UInt16, digestTail: UInt64) {
        id = (
            UInt32(truncatingIfNeeded: notification.high >> 32), UInt32(truncatingIfNeeded: notification.high),
            UInt32(truncatingIfNeeded: notification.low >> 32), UInt32(truncatingIfNeeded: notification.low)
        )
        sequenceLow = UInt32(truncatingIfNeeded: sequence)
        sequenceHighAndDigest = UInt32(truncatingIfNeeded: sequence >> 32) << 16 | UInt32(digestHead)
        digest = (UInt32(truncatingIfNeeded: digestTail >> 32), UInt32(truncatingIfNeeded: digestTail))
    }

    var notification: NotificationID {
        NotificationID(high: UInt64(id.0) << 32 | UInt64(id.1), low: UInt64(id.2) << 32 | UInt64(id.3))
    }

    var sequence: UInt64 { UInt64(sequenceHighAndDigest >> 16) << 32 | UInt64(sequenceLow) }
    var digestHead: UInt16 { UInt16(truncatingIfNeeded: sequenceHighAndDigest) }
    var digestTail: UInt64 { UInt64(digest.0) << 32 | UInt64(digest.1) }

    /// Whether the stored body had this digest, as far as it is kept.
    func has(_ other: Digest) -> Bool {
        self == KnownRow(notification: notification, sequence: sequence, digest: other)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.sequenceLow == right.sequenceLow
            && left.sequenceHighAndDigest == right.sequenceHighAndDigest && left.digest == right.digest
    }
}

extension DeliveryID: TableKey {}
extension NotificationID: TableKey {}
extension CaseID: TableKey {}

extension UInt32 {
    init(bigEndian bytes: [UInt8], at index: Int) {
        self = bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
