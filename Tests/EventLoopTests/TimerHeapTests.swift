import Testing

@testable import EventLoop

struct TimerHeapTests {
    /// What a heap fires when asked at `now`, by the names that the bodies report.
    private final class Log { var fired: [Int] = [] }

    @Test func `timers fire by deadline and equal ones in the order of scheduling`() {
        var heap = TimerHeap()
        let log = Log()
        for (name, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 30)] {
            _ = heap.insert(deadline: UInt64(deadline)) { log.fired.append(name) }
        }
        while let body = heap.popDue(at: 29) { body() }
        #expect(log.fired == [2, 4, 3])
        while let body = heap.popDue(at: 30) { body() }
        #expect(log.fired == [2, 4, 3, 1, 5])
        #expect(heap.count == 0)
    }

    @Test func `a cancelled timer leaves nothing behind and its token names no later timer`() {
        var heap = TimerHeap()
        let log = Log()
        let first = heap.insert(deadline: 5) { log.fired.append(1) }
        var wasThere = heap.remove(first)
        #expect(wasThere)
        #expect(heap.nextDeadline == nil)
        let second = heap.insert(deadline: 6) { log.fired.append(2) }
        wasThere = heap.remove(first)
        #expect(!wasThere, "the slot is reused, the token is not")
        #expect(second.slot == first.slot)
        heap.popDue(at: 6)?()
        #expect(log.fired == [2])
        wasThere = heap.remove(second)
        #expect(!wasThere, "it has fired")
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func `any mix of scheduling and cancelling fires in order`(seed: UInt64) {
        var state = seed
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var heap = TimerHeap()
        let log = Log()
        var alive: [(token: TimerToken, deadline: UInt64, name: Int)] = []
        for name in 0..<500 {
            let deadline = next(200)
            alive.append((heap.insert(deadline: deadline) { log.fired.append(name) }, deadline, name))
            if next(3) == 0 {
                let victim = alive.remove(at: Int(next(UInt64(alive.count))))
                let wasThere = heap.remove(victim.token)
                #expect(wasThere)
            }
        }
        while let body = heap.popDue(at: 200) { body() }
        let wanted = alive.sorted { ($0.deadline, $0.name) < ($1.deadline, $1.name) }.map(\.name)
        #expect(log.fired == wanted, "seed \(seed)")
    }
}
