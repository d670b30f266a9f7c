import CaseNotifications
import DequeModule
import Journal

/// Where the stored content of notifications is, and the most recent of it decoded and at hand.
///
/// Outside the relay's fold: it is rebuilt from the journal at every start and holds nothing that is not on disk or on its way there.
struct ContentStore {
    /// Bytes of content kept decoded in memory; the oldest goes first. A notification counts with its body.
    static let cacheLimitBytes = 64 * 1024 * 1024

    private var locations: [NotificationID: TextLocation] = [:]
    private var cached: [NotificationID: StoredContent] = [:]
    private var order: Deque<NotificationID> = []
    private var cachedBytes = 0

    /// Notes that the content of `id` is on disk at `location`.
    mutating func stored(_ id: NotificationID, at location: TextLocation) { locations[id] = location }

    /// Where to read it; `nil` before it is on disk, and for an unknown id.
    func location(of id: NotificationID) -> TextLocation? { locations[id] }

    /// The decoded content, if it is at hand.
    func cached(_ id: NotificationID) -> StoredContent? { cached[id] }

    /// Keeps `content` at hand, and lets the oldest go past ``cacheLimitBytes``.
    mutating func keep(_ content: StoredContent, as id: NotificationID) {
        guard cached.updateValue(content, forKey: id) == nil else { return }
        order.append(id)
        cachedBytes += content.body.count
        while cachedBytes > Self.cacheLimitBytes, order.count > 1, let oldest = order.popFirst() {
            if let gone = cached.removeValue(forKey: oldest) { cachedBytes -= gone.body.count }
        }
    }
}

extension TextID {
    /// Content is stored under the notification's own id.
    init(_ id: NotificationID) { self.init(high: id.high, low: id.low) }

    /// A note on an acknowledgement is stored under its slot. Ids of notifications carry a time in their upper half, so none is like it.
    init(noteSlot: UInt64) { self.init(high: 0, low: noteSlot) }

    /// The notification whose content this is, or `nil` for a note.
    var notification: NotificationID? { high == 0 ? nil : NotificationID(high: high, low: low) }
}
