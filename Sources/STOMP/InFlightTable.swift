/// The messages of one connection that nobody acknowledged yet. Slots are used again; a serial number in the id tells
/// the uses apart. Each subscription's messages form a list in the order of delivery, for cumulative ACKs.
struct InFlightTable: Sendable {
    /// The messages of one subscription, oldest first.
    struct List: Sendable {
        fileprivate var first: Int32 = -1
        fileprivate var last: Int32 = -1
        fileprivate(set) var count = 0
    }

    private struct Slot {
        /// 0: free.
        var serial: UInt64 = 0
        var tag: MessageTag = 0
        var subscription = SubscriptionKey(rawValue: 0)
        var previous: Int32 = -1
        var next: Int32 = -1
        var isHeld = false
        /// Its subscription is gone, only a transaction keeps it.
        var isDetached = false
    }

    private let capacity: Int
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var lastSerial: UInt64 = 0
    private(set) var count = 0

    init(capacity: Int) {
        precondition(capacity <= 65_536, "a slot number has 16 bits")
        self.capacity = capacity
    }

    var isFull: Bool { count >= capacity }

    /// Takes a message in and gives its number, which is never used again. The table must not be full.
    mutating func insert(_ tag: MessageTag, of subscription: SubscriptionKey, in list: inout List) -> UInt64 {
        let index: Int32
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = Int32(slots.count)
            slots.append(Slot())
        }
        lastSerial += 1
        slots[Int(index)] = Slot(serial: lastSerial, tag: tag, subscription: subscription, previous: list.last)
        if list.last >= 0 { slots[Int(list.last)].next = index } else { list.first = index }
        list.last = index
        list.count += 1
        count += 1
        return lastSerial << 16 | UInt64(index)
    }

    /// The subscription of a message that is in flight and not held by a transaction.
    func subscription(of number: UInt64) -> SubscriptionKey? {
        guard let index = index(of: number), !slots[index].isHeld else { return nil }
        return slots[index].subscription
    }

    /// The subscription of a message that is in flight, whether or not a transaction holds it.
    func subscriptionEvenIfHeld(of number: UInt64) -> SubscriptionKey? {
        index(of: number).map { slots[$0].subscription }
    }

    /// The numbers up to `number` in its list, oldest first, without those that a transaction holds.
    func numbers(through number: UInt64, in list: List) -> [UInt64] {
        var found: [UInt64] = []
        var index = list.first
        while index >= 0 {
            let slot = slots[Int(index)]
            let current = slot.serial << 16 | UInt64(index)
            if !slot.isHeld { found.append(current) }
            if current == number { break }
            index = slot.next
        }
        return found
    }

    /// Keeps messages for a transaction: they cannot be acknowledged a second time.
    mutating func hold(_ numbers: [UInt64]) {
        for number in numbers { if let index = index(of: number) { slots[index].isHeld = true } }
    }

    /// Gives back what a transaction held. Those whose subscription is gone leave, and their tags are returned.
    mutating func release(_ numbers: [UInt64]) -> [MessageTag] {
        var returned: [MessageTag] = []
        for number in numbers {
            guard let index = index(of: number) else { continue }
            slots[index].isHeld = false
            if slots[index].isDetached {
                returned.append(slots[index].tag)
                free(index)
            }
        }
        return returned
    }

    /// Takes one message out, and out of its list unless it is detached.
    mutating func remove(_ number: UInt64, from list: inout List) -> MessageTag? {
        guard let index = index(of: number) else { return nil }
        let slot = slots[index]
        if !slot.isDetached { unlink(index, from: &list) }
        free(index)
        return slot.tag
    }

    /// Takes a whole subscription out: gives the tags, oldest first. What transactions hold stays, detached.
    mutating func removeAll(in list: inout List) -> [MessageTag] {
        var returned: [MessageTag] = []
        var index = list.first
        while index >= 0 {
            let slot = slots[Int(index)]
            if slot.isHeld {
                slots[Int(index)].isDetached = true
            } else {
                returned.append(slot.tag)
                free(Int(index))
            }
            index = slot.next
        }
        list = List()
        return returned
    }

    /// Everything, in the order of delivery, held or not; the table is empty then.
    mutating func removeEverything() -> [MessageTag] {
        let tags = slots.filter { $0.serial > 0 }.sorted { $0.serial < $1.serial }.map(\.tag)
        slots = []
        freeSlots = []
        count = 0
        return tags
    }

    private func index(of number: UInt64) -> Int? {
        let index = Int(number & 0xFFFF)
        guard number >> 16 > 0, index < slots.count, slots[index].serial == number >> 16 else { return nil }
        return index
    }

    private mutating func unlink(_ index: Int, from list: inout List) {
        let slot = slots[index]
        if slot.previous >= 0 { slots[Int(slot.previous)].next = slot.next } else { list.first = slot.next }
        if slot.next >= 0 { slots[Int(slot.next)].previous = slot.previous } else { list.last = slot.previous }
        list.count -= 1
    }

    private mutating func free(_ index: Int) {
        slots[index] = Slot()
        freeSlots.append(Int32(index))
        count -= 1
    }
}
