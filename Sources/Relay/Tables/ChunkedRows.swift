import DequeModule

/// Numbered rows in chunks: growing never copies what is there, and a freed number is used again.
package struct ChunkedRows<Row: Sendable>: Sendable {
    private static var chunkRows: Int { 512 }
    private var chunks: ContiguousArray<ContiguousArray<Row>> = []
    private var freed = ChunkedQueue<UInt32>()
    /// Numbers given out so far, freed ones included.
    package private(set) var end: UInt32 = 0

    /// No rows.
    package init() {}

    /// Rows in use.
    package var count: Int { Int(end) - freed.count }

    /// Stores `row` and returns its number.
    package mutating func add(_ row: Row) -> UInt32 {
        if let number = freed.popFirst() {
            self[number] = row
            return number
        }
        if Int(end) % Self.chunkRows == 0 {
            var chunk = ContiguousArray<Row>()
            chunk.reserveCapacity(Self.chunkRows)
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(row)
        end += 1
        return end - 1
    }

    /// Gives the number back; whoever frees a row removes what points to it first.
    package mutating func free(_ number: UInt32) { freed.append(number) }

    /// The row with this number, in place.
    package subscript(number: UInt32) -> Row {
        get { chunks[Int(number) / Self.chunkRows][Int(number) % Self.chunkRows] }
        _modify { yield &chunks[Int(number) / Self.chunkRows][Int(number) % Self.chunkRows] }
    }
}

/// First in, first out, in chunks: neither end ever copies the whole.
package struct ChunkedQueue<Element: Sendable>: Sendable {
    private static var chunkElements: Int { 512 }
    private var chunks = Deque<ContiguousArray<Element>>()
    private var taken = 0
    /// Elements in the queue.
    package private(set) var count = 0

    /// An empty queue.
    package init() {}

    /// The oldest element.
    package var first: Element? { count == 0 ? nil : self[0] }

    /// The element `index` places behind the oldest.
    package subscript(index: Int) -> Element {
        get { chunks[(taken + index) / Self.chunkElements][(taken + index) % Self.chunkElements] }
        set { chunks[(taken + index) / Self.chunkElements][(taken + index) % Self.chunkElements] = newValue }
    }

    /// Adds at the end.
    package mutating func append(_ element: Element) {
        if (taken + count) % Self.chunkElements == 0, (taken + count) / Self.chunkElements == chunks.count {
            var chunk = ContiguousArray<Element>()
            chunk.reserveCapacity(Self.chunkElements)
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(element)
        count += 1
    }

    /// Takes the oldest.
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = self[0]
        count -= 1
        taken += 1
        if taken == Self.chunkElements {
            chunks.removeFirst()
            taken = 0
        }
        return element
    }
}
