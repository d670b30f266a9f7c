import Synchronization

/// The slots that nobody has taken yet. Any thread; never blocks on anything but a short lock.
package final class SlotPool: Sendable {
    private struct State {
        var slabs: [UInt64] = []
        var next = 0
        /// Slots of these slabs that were erased before anybody took them.
        var withdrawn: Set<SlotID> = []
        /// The number behind the last slot that was ever taken; 0 when nobody knows.
        var mark: UInt64 = 0

        mutating func step() -> SlotID? {
            guard let slab = slabs.first else { return nil }
            let slot = SlotID(slab: slab, index: next)
            next += 1
            if next == JournalLimits.slotsPerSlab {
                slabs.removeFirst()
                next = 0
            }
            return slot
        }
    }

    private let state = Mutex(State())

    init() {}

    /// The next slot; nil when none is ready. A slot is given out once, ever: each start makes slabs of its own.
    package func take() -> SlotID? {
        state.withLock { state in
            while let slot = state.step() {
                if state.withdrawn.remove(slot) != nil { continue }
                state.mark = slot.rawValue + 1
                return slot
            }
            return nil
        }
    }

    /// How many slots are ready.
    package var count: Int {
        state.withLock { $0.slabs.count * JournalLimits.slotsPerSlab - $0.next - $0.withdrawn.count }
    }

    func add(_ slabs: [UInt64]) {
        state.withLock { $0.slabs.append(contentsOf: slabs) }
    }

    /// Every slot that a text on disk names is below this; 0 when nobody knows.
    ///
    /// Batches carry it, so that a start knows how far the slabs of the last one were used.
    var mark: UInt64 {
        get { state.withLock { $0.mark } }
        set { state.withLock { $0.mark = newValue } }
    }

    /// Whether slots of this slab are still to be given out.
    func isOpen(_ slab: UInt64) -> Bool { state.withLock { $0.slabs.contains(slab) } }

    /// Gives these slots to nobody any more.
    func withdraw(_ slots: some Sequence<SlotID>) {
        state.withLock { state in
            for slot in slots {
                guard let place = state.slabs.firstIndex(of: slot.slab), place > 0 || slot.index >= state.next,
                    slot.index < JournalLimits.slotsPerSlab
                else { continue }
                state.withdrawn.insert(slot)
            }
        }
    }
}
