/// The thread that reads and opens texts.
package final class TextReader: Sendable {
    /// One text to read.
    package struct Request: Sendable {
        let id: TextID
        let location: TextLocation

        /// Names the text and its place; the name is checked against what lies there.
        package init(id: TextID, location: TextLocation) {
            self.id = id
            self.location = location
        }
    }

    /// One result per request, in the order of the requests.
    package typealias Completion = @Sendable ([Result<[UInt8], JournalError>]) -> Void

    private struct State {
        var calls: [(requests: [Request], completion: Completion)] = []
        var waiting = 0
        var thread: OwnedThread?
        var isStopping = false
    }

    private let state: ConditionLock<State>

    init(makeOpener: @escaping @Sendable () -> TextOpener) {
        let state = ConditionLock(State())
        self.state = state
        let thread = OwnedThread(name: "journal-reader") {
            let opener = makeOpener()
            while let calls = Self.next(state) {
                for call in calls { call.completion(Self.read(call.requests, opener)) }
            }
            opener.close()
        }
        state.withLock { $0.thread = thread }
    }

    deinit { stop() }

    /// Reads texts; `completion` is called on the reader's thread, with one result per request in their order.
    ///
    /// - Precondition: at most `JournalLimits.maxWaitingReads` texts wait at one time. After `stop`, each result is `.stopped`.
    package func read(_ requests: [Request], completion: @escaping Completion) {
        let isAccepted = state.withLock { state in
            guard !state.isStopping else { return false }
            state.waiting += requests.count
            precondition(state.waiting <= JournalLimits.maxWaitingReads, "too many texts wait for the reader")
            state.calls.append((requests, completion))
            return true
        }
        if isAccepted {
            state.signal()
        } else {
            completion(requests.map { _ in .failure(.stopped) })
        }
    }

    /// Reads what waits, ends the thread and waits for it. Later calls do nothing.
    package func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        state.signal()
        guard let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    private static func next(
        _ state: ConditionLock<State>
    ) -> [(requests: [Request], completion: Completion)]? {
        state.wait { state in
            if state.calls.isEmpty { return state.isStopping ? .done(nil) : .untilSignal }
            defer { (state.calls, state.waiting) = ([], 0) }
            return .done(state.calls)
        }
    }

    /// In the order of the disk, so that the kernel's read-ahead helps; the results in the order of the requests.
    private static func read(_ requests: [Request], _ opener: TextOpener) -> [Result<[UInt8], JournalError>] {
        var results = [Result<[UInt8], JournalError>](repeating: .failure(.stopped), count: requests.count)
        let order = requests.indices.sorted { left, right in
            let (one, other) = (requests[left].location, requests[right].location)
            return (one.segment, one.batchOffset, one.textOffset) < (other.segment, other.batchOffset, other.textOffset)
        }
        for index in order {
            do throws(JournalError) {
                results[index] = .success(try opener.read(requests[index].id, at: requests[index].location))
            } catch {
                results[index] = .failure(error)
            }
        }
        return results
    }
}
