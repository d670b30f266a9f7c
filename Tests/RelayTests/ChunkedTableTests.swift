import Testing

@testable import Relay

@Suite struct ChunkedTableTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a table answers like a Dictionary through any mix of changes`(seed: UInt64) {
        var random = Seeded(seed)
        var table = ChunkedTable<UInt64, Int>()
        var model: [UInt64: Int] = [:]
        for step in 0..<40_000 {
            let key = random.next() % 6_000
            if random.next() % 3 == 0 {
                table[key] = nil
                model[key] = nil
            } else {
                table[key] = step
                model[key] = step
            }
            #expect(table[key] == model[key], "seed \(seed)")
        }
        #expect(table.count == model.count)
        for key in 0..<6_000 as Range<UInt64> { #expect(table[key] == model[key], "seed \(seed), key \(key)") }
    }

    /// A key whose hash says nothing.
    private struct Same: TableKey {
        var number: Int
        func hash(into hasher: inout Hasher) {}
    }

    @Test func `keys that all hash alike are still told apart`() {
        var table = ChunkedTable<Same, Int>()
        let count = ChunkedTable<Same, Int>.chunkCapacity + 1
        for number in 0..<count { table[Same(number: number)] = number }
        #expect(table.count == count)
        for number in stride(from: 0, to: count, by: 2) { table[Same(number: number)] = nil }
        for number in 0..<count { #expect(table[Same(number: number)] == (number % 2 == 0 ? nil : number)) }
    }

    @Test func `a chunk splits at its capacity and one past it`() {
        var table = ChunkedTable<UInt64, UInt64>()
        let capacity = UInt64(ChunkedTable<UInt64, UInt64>.chunkCapacity)
        for key in 0..<capacity { table[key] = key }
        #expect((0..<capacity).allSatisfy { table[$0] == $0 })
        table[capacity] = capacity
        #expect((0...capacity).allSatisfy { table[$0] == $0 })
    }

    @Test func `a copy is not changed by what happens to the original`() {
        var table = ChunkedTable<UInt64, Int>()
        for key in 0..<2_000 as Range<UInt64> { table[key] = 1 }
        let copy = table
        for key in 0..<2_000 as Range<UInt64> { table[key] = key % 2 == 0 ? nil : 2 }
        #expect((0..<2_000).allSatisfy { copy[$0] == 1 })
        #expect(copy.count == 2_000 && table.count == 1_000)
    }

    @Test func `rows keep their numbers and freed numbers are used again`() {
        var rows = ChunkedRows<Int>()
        let numbers = (0..<1_500).map { rows.add($0) }
        #expect(numbers == (0..<1_500).map { UInt32($0) })
        rows.free(3)
        rows.free(700)
        #expect(rows.count == 1_498)
        #expect(rows.add(-1) == 3)
        #expect(rows.add(-2) == 700)
        #expect(rows.add(-3) == 1_500)
        #expect(rows[3] == -1 && rows[699] == 699 && rows[700] == -2)
    }

    @Test func `a queue gives back what went in, across chunks`() {
        var queue = ChunkedQueue<Int>()
        var expected = 0
        for number in 0..<3_000 {
            queue.append(number)
            if number % 3 == 0 {
                #expect(queue.popFirst() == expected)
                expected += 1
            }
        }
        #expect(queue.first == expected)
        #expect((0..<queue.count).allSatisfy { queue[$0] == expected + $0 })
        while let number = queue.popFirst() {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == 3_000 && queue.isEmptyNow)
    }

    @Test func `rows are as small as the design asks`() {
        #expect(MemoryLayout<DeliveryRow>.stride <= 64)
        #expect(MemoryLayout<NotificationRow>.stride <= 128)
        #expect(MemoryLayout<ReceiptRow>.stride <= 32)
        #expect(MemoryLayout<SubmissionKey>.size + MemoryLayout<KnownRow>.size <= 40)
        #expect(MemoryLayout<Dispatch.Entry>.size + MemoryLayout<DeliveryID>.stride <= 80)
    }
}

extension ChunkedQueue {
    fileprivate var isEmptyNow: Bool { count == 0 && first == nil }
}

/// Placed by their hash.
extension UInt64: TableKey {}
