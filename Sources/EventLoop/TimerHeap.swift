/// Names one scheduled timer of one loop. Stale tokens (fired or cancelled) are recognised.
package struct TimerToken: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// Timers by deadline: a binary heap of slot numbers, each slot knowing its place, so that cancelling is O(log n) and
/// leaves nothing behind. Equal deadlines fire in the order in which they were scheduled.
struct TimerHeap {
    private struct Slot {
        var generation: UInt32 = 0
        var place: Int32 = -1
        var deadline: UInt64 = 0
        var order: UInt64 = 0
        var body: (() -> Void)?
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []
    private var heap: [Int32] = []
    private var order: UInt64 = 0

    var count: Int { heap.count }

    /// Monotonic nanoseconds of the next timer.
    var nextDeadline: UInt64? { heap.first.map { slots[Int($0)].deadline } }

    mutating func insert(deadline: UInt64, _ body: @escaping () -> Void) -> TimerToken {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = Int32(slots.count)
            slots.append(Slot())
        }
        order += 1
        slots[Int(slot)].deadline = deadline
        slots[Int(slot)].order = order
        slots[Int(slot)].body = body
        heap.append(slot)
        slots[Int(slot)].place = Int32(heap.count - 1)
        siftUp(heap.count - 1)
        return TimerToken(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Takes the timer out. False when it fired or was cancelled before.
    @discardableResult
    mutating func remove(_ token: TimerToken) -> Bool {
        let slot = Int(token.slot)
        guard slots.indices.contains(slot), slots[slot].generation == token.generation, slots[slot].place >= 0 else {
            return false
        }
        _ = take(at: Int(slots[slot].place))
        return true
    }

    /// The body of the earliest timer if it is due, taken out.
    mutating func popDue(at now: UInt64) -> (() -> Void)? {
        guard let first = nextDeadline, first <= now else { return nil }
        return take(at: 0)
    }

    private mutating func take(at place: Int) -> (() -> Void)? {
        let slot = heap[place]
        let last = heap.removeLast()
        if place < heap.count {
            heap[place] = last
            slots[Int(last)].place = Int32(place)
            siftDown(place)
            siftUp(Int(slots[Int(last)].place))
        }
        let body = slots[Int(slot)].body
        slots[Int(slot)].body = nil
        slots[Int(slot)].place = -1
        slots[Int(slot)].generation &+= 1
        free.append(slot)
        return body
    }

    private func isBefore(_ left: Int32, _ right: Int32) -> Bool {
        let (left, right) = (slots[Int(left)], slots[Int(right)])
        return (left.deadline, left.order) < (right.deadline, right.order)
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        slots[Int(heap[left])].place = Int32(left)
        slots[Int(heap[right])].place = Int32(right)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(heap[child], heap[parent]) else { return }
            exchange(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if isBefore(heap[child], heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return }
            exchange(parent, smallest)
            parent = smallest
        }
    }
}
