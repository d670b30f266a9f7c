import CaseNotifications

/// The whole state as bytes, in pieces.
///
/// A piece: version (1 byte), its number from 0 (LEB128), then items. An item: its tag (1 byte), then fields as in events
/// (`EventCodec`). Items come in the order of their tags' groups, and within a group in an order that depends on the
/// state alone: equal states have equal snapshots, however their rows lie. The last item holds the state's digest.
package enum RelaySnapshot {
    /// The longest piece.
    package static let pieceLimitBytes = 1 << 20
    /// The version of every piece. Readers refuse others.
    package static let version: UInt8 = 1
    /// The most receipts that may wait for readers, read ones between them included: far more than fit into memory.
    static let boxLimit: UInt64 = 1 << 25

    /// What an item is. Numbers are never used again for something else.
    enum Tag: UInt8 {
        /// What there is one of: position, policy, clock, losses, salt.
        case head = 1
        case name = 2
        case person = 3
        /// In the order of acceptance; deliveries, acts and receipts follow what they belong to.
        case notification = 4
        case delivery = 5
        case act = 6
        case receipt = 7
        case desk = 8
        case listed = 9
        case given = 10
        case finished = 11
        case box = 12
        case cursor = 13
        case detached = 14
        case slice = 15
        case known = 16
        /// The digest.
        case end = 17

        /// Items of a later group never come before those of an earlier one.
        var group: Int {
            switch self {
            case .head: 0
            case .name: 1
            case .person: 2
            case .notification, .delivery, .act, .receipt: 3
            case .desk, .listed, .given: 4
            case .finished: 5
            case .box, .cursor, .detached: 6
            case .slice, .known: 7
            case .end: 8
            }
        }
    }
}

/// Why bytes are no snapshot of this relay.
package enum SnapshotFault: Error, Equatable, Sendable {
    case unknownVersion(UInt8)
    /// This piece is not the next one.
    case outOfOrder(piece: UInt64)
    /// The item that ends at or before this byte of the piece says something that no writer writes.
    case badItem(piece: UInt64, offset: Int)
    case otherCollaboration
    /// There is no last item, or something stands behind it.
    case incomplete
    /// What was read is not the state that was written.
    case digestMismatch(stored: StateDigest, read: StateDigest)
}
