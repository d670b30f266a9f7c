/// A thread that does one piece of work after the other. It is made when the first piece comes.
final class WorkThread: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var thread: OwnedThread?
        var isStopping = false
    }

    private let name: String
    private let limit: Int
    private let state = ConditionLock(State())

    /// - Parameters:
    ///   - name: at most 15 characters.
    ///   - limit: pieces that may wait.
    init(name: String, limit: Int) {
        self.name = name
        self.limit = limit
    }

    deinit { stop() }

    /// Does the work on the thread; false when too much waits or the thread was stopped.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        let (state, name) = (state, name)
        let isTaken = state.withLock { inner in
            guard !inner.isStopping, inner.waiting.count < limit else { return false }
            inner.waiting.append(work)
            if inner.thread == nil {
                inner.thread = OwnedThread(name: name) {
                    while let work = Self.next(state) { for piece in work { piece() } }
                }
            }
            return true
        }
        if isTaken { state.signal() }
        return isTaken
    }

    /// Does what waits, ends the thread and waits for it.
    func stop() {
        let thread = state.withLock { inner in
            inner.isStopping = true
            return inner.thread.take()
        }
        state.signal()
        guard let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    private static func next(_ state: ConditionLock<State>) -> [@Sendable () -> Void]? {
        state.wait { inner in
            if inner.waiting.isEmpty { return inner.isStopping ? .done(nil) : .untilSignal }
            defer { inner.waiting = [] }
            return .done(inner.waiting)
        }
    }
}
