import CLinux
import Glibc

/// A lock round some state, and a condition to wait for it to change.
///
/// SAFETY: `state` is touched only between lock and unlock of `mutex`.
package final class ConditionLock<State>: @unchecked Sendable {
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Wakes whoever waits.
    package func signal() { pthread_cond_broadcast(condition) }

    /// Calls `body` under the lock, again and again, until it gives a result. Between calls it waits for a signal, or for
    /// the time that `body` asked for, whichever comes first.
    package func wait<Result>(_ body: (inout State) -> Waiting<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .done(let result): return result
            case .untilSignal: pthread_cond_wait(condition, mutex)
            case .atMost(let duration):
                var end = timespec()
                clock_gettime(CLOCK_MONOTONIC, &end)
                let (seconds, attoseconds) = max(duration, .zero).components
                let nanoseconds = Int64(end.tv_nsec) + attoseconds / 1_000_000_000
                end.tv_sec += Int(seconds + nanoseconds / 1_000_000_000)
                end.tv_nsec = Int(nanoseconds % 1_000_000_000)
                pthread_cond_timedwait(condition, mutex, &end)
            }
        }
    }
}

/// What a look at the state says about waiting.
package enum Waiting<Result> {
    case done(Result)
    case untilSignal
    case atMost(Duration)
}

/// A thread that runs one function and is joined once.
///
/// SAFETY: `thread` and `isJoined` are touched by the one owner's `join`, which its own lock makes happen once.
package final class OwnedThread: @unchecked Sendable {
    private let thread: pthread_t

    private final class Box {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameter name: at most 15 characters, for `top -H`.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        var made = pthread_t()
        let box = Unmanaged.passRetained(Box(name, body))
        let result = pthread_create(
            &made, nil,
            { raw in
                guard let raw else { return nil }
                let box = Unmanaged<Box>.fromOpaque(raw).takeRetainedValue()
                _ = CLinux_name_this_thread(box.name)
                box.body()
                return nil
            }, box.toOpaque())
        precondition(result == 0, "no thread could be made: error \(result)")
        thread = made
    }

    /// Whether the caller is this thread.
    package var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Waits for its end. Called once, never by itself.
    package func join() { pthread_join(thread, nil) }

    /// Lets it end by itself.
    package func detach() { pthread_detach(thread) }
}
