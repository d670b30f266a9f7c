/// When the next commit starts. There is no timer for what is urgent: it goes as soon as the writer is free.
struct CommitSchedule {
    enum Step: Equatable {
        /// Nothing waits.
        case idle
        /// Everything that waits may wait this much longer.
        case later(Duration)
        /// Everything that waits goes now, what could wait longer with it.
        case commit
    }

    private var isUrgent = false
    private var latest: Duration?

    /// - Parameter now: monotonic time; read only for `.within`.
    mutating func arrive(_ urgency: CommitUrgency, at now: @autoclosure () -> Duration) {
        switch urgency {
        case .now: isUrgent = true
        case .within(let delay):
            let end = now() + delay
            latest = min(latest ?? end, end)
        }
    }

    /// What waits goes now; nothing happens when nothing does.
    mutating func flush() {
        if latest != nil { isUrgent = true }
    }

    func step(at now: @autoclosure () -> Duration) -> Step {
        if isUrgent { return .commit }
        guard let latest else { return .idle }
        let rest = latest - now()
        return rest <= .zero ? .commit : .later(rest)
    }

    /// Everything that waited was taken.
    mutating func taken() { self = CommitSchedule() }
}
