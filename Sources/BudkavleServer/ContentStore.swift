import CaseNotifications
import DequeModule
import Journal
import Relay

/// Where the stored content of open notifications is, and the most recent of it decoded and at hand.
///
/// Outside the relay's fold: it is rebuilt from a snapshot and the journal at every start and holds nothing that is not on disk
/// or on its way there. Places of notifications that the relay no longer holds are dropped; history finds them on disk.
struct ContentStore: Sendable {
    /// Bytes of content kept decoded in memory; the oldest goes first. A notification counts with its body.
    static let cacheLimitBytes = 64 * 1024 * 1024
    /// Places that are looked at, whether the relay still holds their notification, for each one that comes in.
    static let patrolPerText = 4

    private var locations: [NotificationID: TextLocation] = [:]
    /// Ids with a place, each once: the one in front is looked at next.
    private var patrolled: Deque<NotificationID> = []
    private var replayedSequence: UInt64?
    private var cached: [NotificationID: StoredContent] = [:]
    private var order: Deque<NotificationID> = []
    private var cachedBytes = 0

    /// Notes that the content of `id` is on disk at `location`.
    mutating func stored(_ id: NotificationID, at location: TextLocation) {
        if locations.updateValue(location, forKey: id) == nil { patrolled.append(id) }
    }

    /// Notes a text that was found while the journal is read into `relay`, and drops some of what that let go.
    mutating func replayed(_ id: NotificationID, at location: TextLocation, in relay: Relay) {
        // The texts of a request come before its records: only when records came since the last text does none wait for its own.
        if relay.sequence != replayedSequence { patrol(Self.patrolPerText, against: relay) }
        replayedSequence = relay.sequence
        stored(id, at: location)
    }

    /// Looks at so many places and drops those of notifications that `relay` no longer holds: a little at a time, so that no
    /// turn of the loop has to look through all.
    mutating func patrol(_ count: Int, against relay: Relay) {
        for _ in 0..<min(count, patrolled.count) {
            guard let id = patrolled.popFirst(), locations[id] != nil else { continue }
            if relay.contentState(of: id) == nil { drop(id) } else { patrolled.append(id) }
        }
    }

    /// Where to read it; `nil` before it is on disk, and for an unknown id.
    func location(of id: NotificationID) -> TextLocation? { locations[id] }

    /// Every known place, by id.
    var known: [(NotificationID, TextLocation)] { locations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// The oldest segment that holds content of a notification with which something still has to happen.
    func oldestSegment(neededBy relay: Relay) -> UInt64? {
        locations.lazy.filter { id, _ in
            relay.contentState(of: id) == .stored && relay.deliveries(of: id).contains { !$0.isFinished }
        }.map(\.value.segment).min()
    }

    /// Forgets one notification's content.
    mutating func drop(_ id: NotificationID) {
        locations[id] = nil
        if let gone = cached.removeValue(forKey: id) { cachedBytes -= gone.body.count }
    }

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
        // What was dropped before its turn leaves its id behind.
        if order.count > 2 * cached.count + 1_024 { order.removeAll { cached[$0] == nil } }
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
