import Synchronization

/// How the journal's prepared space stands. Any thread; never blocks on anything but a short lock.
///
/// Space is the written and synced part of segment files that no batch fills yet. Requests fill segments in order, and the
/// one that does not fit begins the next segment; what it leaves behind is less than the largest request. So everything
/// granted fits when it is at most the space of the first k segments less (k - 1) times the largest grant, for any k.
package final class SpaceLedger: Sendable {
    private struct State {
        var remaining: [Int] = []
        var outstanding = 0
        var largest = 0
        /// The largest grant that was asked for, also in vain.
        var largestAsked = 0
        var isFull = false
        /// The reserve file was given away: what is prepared now is for progress alone.
        var isSpent = false
        var isClosed = false
        var wake: (@Sendable () -> Void)?

        func capacity(largest: Int) -> Int {
            var sum = 0
            var best = 0
            for (index, bytes) in remaining.enumerated() {
                sum += bytes
                best = max(best, sum - index * largest)
            }
            return best
        }
    }

    /// Segments that are prepared at most besides the bytes that should be ahead.
    static let mostSegmentsMore = 4

    private let options: JournalOptions
    private let state = Mutex(State())

    init(options: JournalOptions) { self.options = options }

    /// Grants space, or says no at once.
    ///
    /// A notification leaves `progressReserveBytes` to `.progress`.
    package func reserve(_ kind: ReservationClass, bytes: Int) -> SpaceGrant? {
        guard bytes > 0, bytes <= options.segmentBytes - SegmentHeader.bytes else { return nil }
        let (grant, wake): (SpaceGrant?, (@Sendable () -> Void)?) = state.withLock { state in
            let kept = kind == .notification ? options.progressReserveBytes : 0
            let largest = max(state.largest, bytes)
            state.largestAsked = max(state.largestAsked, bytes)
            let capacity = state.capacity(largest: largest)
            guard !state.isClosed, !(state.isSpent && kind == .notification),
                state.outstanding + bytes + kept <= capacity
            else { return (nil, state.wake) }
            state.largest = largest
            state.outstanding += bytes
            let isLow = state.outstanding + options.aheadBytes / 2 > capacity
            return (SpaceGrant(bytes: bytes), isLow ? state.wake : nil)
        }
        wake?()
        return grant
    }

    /// Takes back a grant that was not used.
    package func release(_ grant: SpaceGrant) {
        state.withLock { $0.outstanding -= grant.bytes }
    }

    /// Bytes ready in segments; bytes granted and not yet written; whether the disk was full when space was prepared last.
    package var figures: (prepared: Int, outstanding: Int, isFull: Bool) {
        state.withLock { ($0.remaining.reduce(0, +), $0.outstanding, $0.isFull) }
    }

    /// Whether there is less ahead than there should be.
    var wantsMore: Bool {
        state.withLock { state in
            let wanted =
                state.outstanding + options.progressReserveBytes + max(options.aheadBytes, state.largestAsked)
            // For requests almost as large as a segment no number of segments is ever enough.
            let most = wanted + Self.mostSegmentsMore * options.segmentBytes
            return state.capacity(largest: state.largestAsked) < wanted && state.remaining.reduce(0, +) < most
        }
    }

    /// Whether less than this part of the reserve for progress is left.
    func progressIsBelow(partOf divisor: Int) -> Bool {
        state.withLock { state in
            state.capacity(largest: state.largestAsked)
                < state.outstanding + options.progressReserveBytes / divisor
        }
    }

    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

    /// New notifications get nothing while the reserve file is spent.
    func setSpent(_ isSpent: Bool) {
        state.withLock {
            $0.isSpent = isSpent
            if isSpent { $0.isFull = true }
        }
    }

    /// Called when space runs low; the writer's thread then prepares more.
    func onLow(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    /// From now on nothing is granted.
    func close() {
        state.withLock {
            $0.isClosed = true
            $0.wake = nil
        }
    }

    func update(remaining: [Int], releasing bytes: Int = 0) {
        state.withLock {
            $0.remaining = remaining
            $0.outstanding -= bytes
        }
    }
}
