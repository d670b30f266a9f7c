/// What the writer's thread does, over and over: commit what waits, then prepare one step.
struct WriterLoop: Sendable {
    enum Work {
        /// Everything that waits; then one step of preparation, unless the disk was full a moment ago.
        case commit([Pending], mayPrepare: Bool)
        case prepare
        case end
    }

    private var core: JournalCore
    private let onCommit: @Sendable (CommitReport) -> Void
    private let onFailure: @Sendable (JournalError) -> Void

    init(
        core: JournalCore, onCommit: @escaping @Sendable (CommitReport) -> Void,
        onFailure: @escaping @Sendable (JournalError) -> Void
    ) {
        self.core = core
        self.onCommit = onCommit
        self.onFailure = onFailure
    }

    /// Runs until `take` says the end or a write fails. `take` is told whether there is more to prepare.
    mutating func run(take: (Bool) -> Work, full: () -> Void, failed: () -> Void) {
        var hasMore = false
        do throws(JournalError) {
            while true {
                switch take(hasMore) {
                case .commit(let requests, let mayPrepare):
                    try commit(requests)
                    // One bounded step between batches keeps space ahead of a load that never pauses.
                    hasMore = mayPrepare ? try prepare(full) : false
                case .prepare: hasMore = try prepare(full)
                case .end:
                    core.close()
                    return
                }
            }
        } catch {
            failed()
            core.close()
            onFailure(error)
        }
    }

    private mutating func commit(_ requests: [Pending]) throws(JournalError) {
        var rest = requests[...]
        while !rest.isEmpty {
            let report = try core.commit(rest)
            rest = rest.dropFirst(report.requestCount)
            onCommit(report)
        }
    }

    private mutating func prepare(_ full: () -> Void) throws(JournalError) -> Bool {
        switch try core.prepare() {
        case .idle: return false
        case .progressed: return true
        case .full:
            full()
            return false
        }
    }
}
