/// A piece of maintenance that waits for the writer's thread, and whom to tell.
struct MaintenanceStep: Sendable {
    /// Runs it; whoever asked is told by calling what it returns.
    let run: @Sendable (inout JournalCore) -> @Sendable () -> Void
    /// Tells that it will not run.
    let refuse: @Sendable (JournalError) -> Void

    init<Value: Sendable>(
        _ work: @escaping @Sendable (inout JournalCore) throws(JournalError) -> Value,
        _ completion: @escaping @Sendable (Result<Value, JournalError>) -> Void
    ) {
        run = { core in
            let result: Result<Value, JournalError>
            do throws(JournalError) {
                result = .success(try work(&core))
            } catch {
                result = .failure(error)
            }
            return { completion(result) }
        }
        refuse = { completion(.failure($0)) }
    }
}

/// Whether maintenance waits.
enum MaintenanceHold {
    case on
    case off
}

extension JournalCore {
    /// Runs file operations of one piece of maintenance.
    ///
    /// - Parameter body: takes back what it did when it throws an error that is passing.
    /// - Throws: `.noRoom`, or `.io` for want of descriptors: nothing has changed, and the journal goes on. `.stopped` after an
    ///   earlier failure. Any other failed call, and any failed sync, is final: the journal stops with that error.
    mutating func maintaining<Value>(
        _ body: (inout JournalCore) throws(DiskError) -> Value
    ) throws(JournalError) -> Value {
        guard failure == nil else { throw .stopped }
        do throws(DiskError) {
            return try body(&self)
        } catch {
            guard error.isPassing else { throw fail(JournalError(error)) }
            throw error.isFull ? .noRoom(path: error.path) : JournalError(error)
        }
    }

    /// Runs the part of maintenance behind which there is no way back: every failed call is final.
    mutating func irrevocably(_ body: (inout JournalCore) throws(DiskError) -> Void) throws(JournalError) {
        guard failure == nil else { throw .stopped }
        do throws(DiskError) {
            try body(&self)
        } catch {
            throw fail(JournalError(error))
        }
    }
}
