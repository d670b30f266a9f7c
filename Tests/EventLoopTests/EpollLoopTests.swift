import EventLoop
import Glibc
import Synchronization
import TestSupport
import Testing

struct EpollLoopTests {
    private func pipePair() -> (reading: Int32, writing: Int32) {
        var descriptors: [Int32] = [-1, -1]
        precondition(pipe(&descriptors) == 0)
        return (descriptors[0], descriptors[1])
    }

    @Test func `bodies run on the loop in the order in which they were handed over`() throws {
        let thread = try LoopThread()
        let seen = Mutex<[Int]>([])
        let loop = thread.loop
        for number in 0..<1_000 {
            loop.execute {
                #expect(loop.isOnLoop)
                seen.withLock { $0.append(number) }
            }
        }
        thread.stop()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
        #expect(!loop.isOnLoop)
    }

    @Test func `stopping runs what is queued, and what comes later is dropped`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let count = Mutex(0)
        loop.execute { loop.execute { count.withLock { $0 += 1 } } }
        thread.stop()
        loop.execute { count.withLock { $0 += 100 } }
        thread.stop()
        #expect(count.withLock { $0 } == 1)
        #expect(throws: EventLoopError.notStartable) { try loop.start() }
    }

    @Test func `many threads hand over at once and nothing is lost`() throws {
        let thread = try LoopThread()
        let total = Mutex(0)
        let done = (0..<4).map { _ in Outcome<Bool>() }
        let helpers = try (0..<4).map { _ in try LoopThread(name: "helper") }
        for (helper, outcome) in zip(helpers, done) {
            helper.loop.execute {
                for _ in 0..<5_000 { thread.loop.execute { total.withLock { $0 += 1 } } }
                outcome.set(true)
            }
        }
        for outcome in done { _ = try outcome.wait() }
        for helper in helpers { helper.stop() }
        thread.stop()
        #expect(total.withLock { $0 } == 20_000)
    }

    @Test func `a descriptor's handler hears of bytes and of the end`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let (reading, writing) = pipePair()
        let (bytes, end) = (Outcome<Bool>(), Outcome<Bool>())
        try thread.run {
            _ = try loop.watch(reading, for: .read) { readiness in
                var byte: UInt8 = 0
                if readiness.contains(.read), read(reading, &byte, 1) == 1 { return bytes.set(byte == 7) }
                if readiness.contains(.hangUp) { end.set(true) }
            }
        }
        var byte: UInt8 = 7
        #expect(write(writing, &byte, 1) == 1)
        #expect(try bytes.wait())
        close(writing)
        #expect(try end.wait())
        thread.stop()
        close(reading)
    }

    @Test func `a descriptor is watched once at a time`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let (reading, writing) = pipePair()
        try thread.run {
            let watch = try loop.watch(reading, for: .read) { _ in }
            #expect(throws: EventLoopError.alreadyWatched(descriptor: reading)) {
                _ = try loop.watch(reading, for: .read) { _ in }
            }
            loop.end(watch)
            loop.end(watch)
            _ = try loop.watch(reading, for: .read) { _ in }
        }
        thread.stop()
        close(reading)
        close(writing)
    }

    @Test func `a descriptor that epoll cannot take is a typed error`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let file = open("/etc/passwd", O_RDONLY)
        try thread.run {
            #expect(throws: EventLoopError.system(call: "epoll_ctl", errno: EPERM)) {
                _ = try loop.watch(file, for: .read) { _ in }
            }
        }
        thread.stop()
        close(file)
    }

    /// Two descriptors are ready in one turn. The first handler ends and closes the second, and opens a new one that gets
    /// its number; the event that the kernel has already reported must not reach the new one's handler.
    @Test func `an event for a closed number does not reach the next owner of that number`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let (first, second, third) = (pipePair(), pipePair(), pipePair())
        let stale = Mutex<[String]>([])
        let done = Outcome<Bool>()
        try thread.run {
            let watches = Mutex<[Int32: Watch]>([:])
            @Sendable func reuse(_ other: Int32) {
                guard let watch = watches.withLock({ $0[other] }) else { return }
                watches.withLock { $0 = [:] }
                loop.end(watch)
                // The number of `other` now names a pipe with nothing to read.
                precondition(dup2(third.reading, other) == other)
                do {
                    _ = try loop.watch(other, for: .read) { _ in stale.withLock { $0.append("stale event") } }
                } catch {
                    stale.withLock { $0.append("\(error)") }
                }
                loop.execute { loop.execute { done.set(true) } }
            }
            let one = try loop.watch(first.reading, for: [.read, .edgeTriggered]) { _ in reuse(second.reading) }
            let two = try loop.watch(second.reading, for: [.read, .edgeTriggered]) { _ in reuse(first.reading) }
            watches.withLock { $0 = [first.reading: one, second.reading: two] }
            var byte: UInt8 = 1
            precondition(write(first.writing, &byte, 1) == 1 && write(second.writing, &byte, 1) == 1)
        }
        #expect(try done.wait())
        thread.stop()
        #expect(stale.withLock { $0 } == [])
        for pair in [first, second, third] {
            close(pair.reading)
            close(pair.writing)
        }
    }

    @Test func `timers fire in order, a cancelled one never, and one may schedule another`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let fired = Mutex<[String]>([])
        let done = Outcome<Bool>()
        try thread.run {
            let begin = loop.now
            _ = loop.schedule(after: .milliseconds(2)) {
                fired.withLock { $0.append("second") }
                #expect(loop.now - begin >= .milliseconds(2), "a timer fires late, never early")
                _ = loop.schedule(after: .zero) {
                    fired.withLock { $0.append("third") }
                    done.set(true)
                }
            }
            let cancelled = loop.schedule(after: .milliseconds(1)) { fired.withLock { $0.append("cancelled") } }
            _ = loop.schedule(after: .milliseconds(-5)) { fired.withLock { $0.append("first") } }
            _ = loop.schedule(after: .seconds(Int64.max)) { fired.withLock { $0.append("never") } }
            loop.cancel(cancelled)
            loop.cancel(cancelled)
        }
        #expect(try done.wait())
        thread.stop()
        #expect(fired.withLock { $0 } == ["first", "second", "third"])
    }

    private final class Participant: LoopParticipant {
        let loop: EpollLoop
        let done: Outcome<Int>
        var turns = 0
        init(loop: EpollLoop, done: Outcome<Int>) {
            self.loop = loop
            self.done = done
        }
        func takeTurn() {
            turns += 1
            if turns == 3 { done.set(turns) } else { loop.takeTurn(self) }
        }
    }

    @Test func `a participant gets one turn for each time it asks`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let done = Outcome<Int>()
        try thread.run { loop.takeTurn(Participant(loop: loop, done: done)) }
        #expect(try done.wait() == 3)
        thread.stop()
    }
}

/// An actor that lives on a loop, as connections do.
private actor Counter {
    private let loop: EpollLoop
    private var count = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(loop: EpollLoop) { self.loop = loop }

    func increment() -> (count: Int, isOnLoop: Bool) {
        count += 1
        return (count, loop.isOnLoop)
    }

    func incrementTwiceWithAPauseBetween() async -> Bool {
        count += 1
        await Task.yield()
        count += 1
        return loop.isOnLoop
    }
}

struct EpollLoopExecutorTests {
    @Test func `an actor on a loop runs on its thread, also after an await`() async throws {
        let thread = try LoopThread()
        let counter = Counter(loop: thread.loop)
        let first = await counter.increment()
        #expect(first.count == 1 && first.isOnLoop)
        #expect(await counter.incrementTwiceWithAPauseBetween())
        #expect(await counter.increment().count == 4)
        thread.stop()
    }

    @Test func `a handler on the loop enters the actor without a task`() async throws {
        let thread = try LoopThread()
        let counter = Counter(loop: thread.loop)
        let result = Outcome<Int>()
        thread.loop.execute {
            // SAFETY: bodies run on the loop, which is the actor's executor; checkIsolated() traps otherwise.
            counter.assumeIsolated { result.set($0.increment().count) }
        }
        #expect(try result.wait() == 1)
        thread.stop()
    }

    @Test func `isolation is told from outside and inside`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        #expect(loop.isIsolatingCurrentContext() == false)
        #expect(try thread.run { loop.isIsolatingCurrentContext() } == true)
        let other = try LoopThread(name: "other")
        #expect(try other.run { loop.isIsolatingCurrentContext() } == false)
        other.stop()
        thread.stop()
    }
}
