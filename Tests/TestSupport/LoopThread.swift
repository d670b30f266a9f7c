package import EventLoop
import Foundation
import Synchronization

/// A running loop for a test, stopped by `stop()`.
package struct LoopThread: Sendable {
    /// The loop.
    package let loop: EpollLoop

    /// Makes and starts a loop.
    package init(name: String = "test") throws {
        loop = try EpollLoop(name: name)
        try loop.start()
    }

    /// Runs `body` on the loop and returns what it returns.
    @discardableResult
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let box = Outcome<Swift.Result<Result, any Error>>()
        loop.execute { box.set(Swift.Result { try body() }) }
        return try box.wait().get()
    }

    /// Ends the loop.
    package func stop() { loop.stop() }
}

/// A value that one thread sets once and another waits for.
package final class Outcome<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    /// Nothing set yet.
    package init() {}

    /// Sets the value; the second time nothing happens.
    package func set(_ new: Value) {
        let isFirst = value.withLock { value in
            guard value == nil else { return false }
            value = new
            return true
        }
        if isFirst { semaphore.signal() }
    }

    /// Waits for the value, at most a minute: then the test is wrong.
    package func wait() throws -> Value {
        guard semaphore.wait(timeout: .now() + 60) == .success, let result = value.withLock({ $0 }) else {
            throw NothingCame()
        }
        semaphore.signal()
        return result
    }

    /// Nobody set the value within a minute.
    package struct NothingCame: Error {}
}
