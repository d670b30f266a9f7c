/// What the writer's thread does, over and over: commit what waits, then one piece of maintenance, then prepare one step.
struct WriterLoop: Sendable {
    enum Work {
        /// Everything that waits; then the maintenance, if any, and one step of preparation, unless the disk was full a
        /// moment ago.
        case commit([Pending], then: MaintenanceStep?, mayPrepare: Bool)
        case maintain(MaintenanceStep)
        case prepare
        /// What was committed a second ago or longer is written down in the watermark.
        case mark
        case end
    }

    private var core: JournalCore
    private let onCommit: @Sendable (CommitReport) -> Void
    private let onFailure: @Sendable (JournalError) -> Void
    /// Tells whoever asked for maintenance with which the journal ended.
    private var tellLast: (@Sendable () -> Void)?

    init(
        core: JournalCore, onCommit: @escaping @Sendable (CommitReport) -> Void,
        onFailure: @escaping @Sendable (JournalError) -> Void
    ) {
        self.core = core
        self.onCommit = onCommit
        self.onFailure = onFailure
    }

    /// Runs until `take` says the end or a write fails. `take` is told whether there is more to prepare, and when the
    /// watermark is due.
    mutating func run(take: (Bool, Duration?) -> Work, full: () -> Void, failed: () -> Void) {
        var hasMore = false
        do throws(JournalError) {
            while true {
                switch take(hasMore, core.markIsDue) {
                case .commit(let requests, let step, let mayPrepare):
                    try commit(requests)
                    try core.mark()
                    if let step { try maintain(step) }
                    // One bounded step between batches keeps space ahead of a load that never pauses.
                    hasMore = mayPrepare ? try prepare(full) : false
                case .maintain(let step):
                    try maintain(step)
                    // It may have used up what was ready.
                    hasMore = true
                case .prepare: hasMore = try prepare(full)
                case .mark: try core.mark()
                case .end:
                    try core.finish()
                    return
                }
            }
        } catch {
            failed()
            // Before `close`, which grants no more space: that would be taken for a full disk.
            onFailure(error)
            core.close()
            tellLast?()
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

    /// What went wrong is told to whoever asked; only what is final for the journal ends the loop.
    ///
    /// After a failed write or sync nobody knows what is on disk, so `onFailure` comes first: a process that ends there tells
    /// nobody that the maintenance failed, or was done.
    private mutating func maintain(_ step: MaintenanceStep) throws(JournalError) {
        let tell = step.run(&core)
        if let failure = core.failure {
            tellLast = tell
            throw failure
        }
        tell()
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
