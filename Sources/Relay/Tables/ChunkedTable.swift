/// What a key of a `ChunkedTable` is placed by.
package protocol TableKey: Hashable, Sendable {
    /// 64 bits that differ evenly between keys. Without an own one: `hashValue`, which differs from process to process.
    var spread: UInt64 { get }
}

extension TableKey {
    /// The hash: nobody can choose keys that collide, and no order by it may reach a result.
    package var spread: UInt64 { UInt64(bitPattern: Int64(hashValue)) }
}

/// A hash table whose longest pause is one small chunk, however large it is.
///
/// A `Dictionary` copies everything when it doubles; with ten million notifications that would stop every session for
/// a second. Here the entries lie in chunks of at most `chunkCapacity`; a full chunk splits in two, and what doubles
/// is a directory of four bytes a chunk (extendible hashing). Keys that agree in all `maximumDepth` directory bits
/// share one chunk that grows: slow, but right. Chunks never merge again.
///
/// Copies share their chunks until one of them writes. Entries are read in the order of their keys' `spread`: of use for
/// a result only where the key has one of its own.
///
/// A chunk's entries lie in as much memory as they need, give or take `growth` of them, and slots take two bytes: what an
/// entry costs beside itself stays below 8 bytes at every size (`memoryBytes` and its test).
package struct ChunkedTable<Key: TableKey, Value: Sendable>: Sendable {
    /// Entries in a chunk before it splits.
    package static var chunkCapacity: Int { 384 }
    /// Directory bits at most; beyond them a chunk grows instead of splitting.
    package static var maximumDepth: Int { 22 }
    /// Entries by which a chunk's memory grows.
    private static var growth: Int { 16 }

    private struct Entry: Sendable {
        var key: Key
        var value: Value

        var spread: UInt64 { key.spread }
    }

    private struct Chunk: Sendable {
        var depth: Int
        /// Dense; an entry's place is written into `slots`.
        var entries: ContiguousArray<Entry> = []
        /// Index into `entries` plus one, 0 for an empty slot; linear probing; the count is a power of two.
        /// Two bytes suffice: a chunk grows past `chunkCapacity` only when 2^22 of them do not tell the keys apart.
        var slots: ContiguousArray<UInt16>

        init(depth: Int, slotCount: Int) {
            self.depth = depth
            slots = ContiguousArray(repeating: 0, count: slotCount)
        }

        var mask: Int { slots.count - 1 }

        func slot(of key: Key, spread: UInt64) -> Int? {
            var slot = Int(truncatingIfNeeded: spread) & mask
            while slots[slot] != 0 {
                if entries[Int(slots[slot]) - 1].key == key { return slot }
                slot = (slot + 1) & mask
            }
            return nil
        }

        mutating func add(_ entry: Entry) {
            if (entries.count + 1) * 4 > slots.count * 3 { grow() }
            if entries.count == entries.capacity { entries.reserveCapacity(entries.count + ChunkedTable.growth) }
            entries.append(entry)
            place(entries.count - 1)
        }

        private mutating func place(_ index: Int) {
            var slot = Int(truncatingIfNeeded: entries[index].spread) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt16(index + 1)
        }

        private mutating func grow() {
            slots = ContiguousArray(repeating: 0, count: slots.count * 2)
            for index in entries.indices { place(index) }
        }

        mutating func remove(slot: Int) -> Entry {
            let index = Int(slots[slot]) - 1
            closeGap(at: slot)
            let last = entries.count - 1
            if index != last {
                let moved = entries[last]
                if let itsSlot = self.slot(of: moved.key, spread: moved.spread) { slots[itsSlot] = UInt16(index + 1) }
                entries.swapAt(index, last)
            }
            return entries.removeLast()
        }

        /// Moves later entries of the probe run back, so that no search stops early.
        private mutating func closeGap(at slot: Int) {
            var gap = slot
            var next = (gap + 1) & mask
            while slots[next] != 0 {
                let home = Int(truncatingIfNeeded: entries[Int(slots[next]) - 1].spread) & mask
                if (next - home) & mask >= (next - gap) & mask {
                    slots[gap] = slots[next]
                    gap = next
                }
                next = (next + 1) & mask
            }
            slots[gap] = 0
        }
    }

    private var depth = 0
    private var directory: ContiguousArray<UInt32> = [0]
    private var chunks: ContiguousArray<Chunk> = [Chunk(depth: 0, slotCount: 64)]
    /// How many entries there are.
    package private(set) var count = 0

    /// An empty table.
    package init() {}

    private func chunkNumber(_ spread: UInt64) -> Int {
        depth == 0 ? 0 : Int(directory[Int(spread >> UInt64(64 - depth))])
    }

    /// The value under `key`; setting nil removes it.
    package subscript(key: Key) -> Value? {
        get {
            let spread = key.spread
            let number = chunkNumber(spread)
            guard let slot = chunks[number].slot(of: key, spread: spread) else { return nil }
            return chunks[number].entries[Int(chunks[number].slots[slot]) - 1].value
        }
        set {
            if let newValue { set(key, newValue) } else { remove(key) }
        }
    }

    private mutating func set(_ key: Key, _ value: Value) {
        let spread = key.spread
        var number = chunkNumber(spread)
        if let slot = chunks[number].slot(of: key, spread: spread) {
            chunks[number].entries[Int(chunks[number].slots[slot]) - 1].value = value
            return
        }
        while chunks[number].entries.count >= Self.chunkCapacity, chunks[number].depth < Self.maximumDepth {
            split(number, spread: spread)
            number = chunkNumber(spread)
        }
        chunks[number].add(Entry(key: key, value: value))
        count += 1
    }

    @discardableResult
    private mutating func remove(_ key: Key) -> Value? {
        let spread = key.spread
        let number = chunkNumber(spread)
        guard let slot = chunks[number].slot(of: key, spread: spread) else { return nil }
        count -= 1
        return chunks[number].remove(slot: slot).value
    }

    private mutating func split(_ number: Int, spread: UInt64) {
        if chunks[number].depth == depth {
            var doubled = ContiguousArray<UInt32>()
            doubled.reserveCapacity(directory.count * 2)
            for entry in directory {
                doubled.append(entry)
                doubled.append(entry)
            }
            directory = doubled
            depth += 1
        }
        let local = chunks[number].depth + 1
        var low = Chunk(depth: local, slotCount: 512)
        var high = Chunk(depth: local, slotCount: 512)
        let ones = chunks[number].entries.reduce(0) { $0 + Int($1.spread >> UInt64(64 - local) & 1) }
        low.entries.reserveCapacity(chunks[number].entries.count - ones)
        high.entries.reserveCapacity(ones)
        for entry in chunks[number].entries {
            if entry.spread >> UInt64(64 - local) & 1 == 0 { low.add(entry) } else { high.add(entry) }
        }
        chunks[number] = low
        chunks.append(high)
        let prefix = local == 1 ? 0 : Int(spread >> UInt64(64 - (local - 1)))
        let span = 1 << (depth - local)
        let start = (prefix * 2 + 1) * span
        for index in start..<start + span { directory[index] = UInt32(chunks.count - 1) }
    }

    /// The entries of the chunk at `place` of the directory, in the order of `spread`, and the place of the next chunk.
    /// Nil behind the last.
    func chunk(at place: Int) -> (entries: [(key: Key, value: Value)], next: Int)? {
        guard place < directory.count else { return nil }
        let number = directory[place]
        var next = place + 1
        while next < directory.count, directory[next] == number { next += 1 }
        let entries = chunks[Int(number)].entries.sorted { $0.spread < $1.spread }
        return (entries.map { ($0.key, $0.value) }, next)
    }

    /// Bytes that the table has allocated, headers of its arrays included.
    package var memoryBytes: Int {
        let header = 32
        let parts = chunks.reduce(0) {
            $0 + $1.entries.capacity * MemoryLayout<Entry>.stride + $1.slots.capacity * 2 + 2 * header
        }
        return parts + directory.capacity * 4 + chunks.capacity * MemoryLayout<Chunk>.stride + 2 * header
    }
}
