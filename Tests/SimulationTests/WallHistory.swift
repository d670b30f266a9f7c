import CaseNotifications
import Relay

/// What the wall clock of the relay's machine showed, and what that lets a relay forget. The judge's own reckoning.
struct WallHistory {
    /// What it showed between two jumps.
    private struct Span {
        var earliest: Timestamp
        var latest: Timestamp
    }

    private var spans: [Span] = []
    /// By source and id: in which span a draft was made.
    private var madeIn: [String: Int] = [:]
    /// The wall clock at the present start or, where that is earlier, the latest time that anything before it can carry; and
    /// the time since.
    private var certain: (wall: Timestamp, elapsed: Int64)?
    private var latestAlive: Timestamp?
    /// The latest time that could be believed so far.
    private(set) var credible = Timestamp.distantPast

    /// A life of the relay begins.
    mutating func started(at now: Timestamp, elapsed: Int64) {
        certain = (min(now, latestAlive ?? now), elapsed)
        passed(to: now, elapsed: elapsed)
    }

    /// The relay is about to do something.
    mutating func passed(to now: Timestamp, elapsed: Int64) {
        if spans.isEmpty { spans.append(Span(earliest: now, latest: now)) }
        spans[spans.count - 1].latest = max(spans[spans.count - 1].latest, now)
        latestAlive = max(latestAlive ?? now, now)
        guard let certain else { return }
        let most = certain.wall.milliseconds + (elapsed - certain.elapsed) + SimulatedTraits.jumpLimitMilliseconds
        credible = max(credible, min(now, Timestamp(milliseconds: most)))
    }

    /// Somebody has set the clock.
    mutating func jumped(from before: Timestamp, to now: Timestamp) {
        if !spans.isEmpty { spans[spans.count - 1].latest = max(spans[spans.count - 1].latest, before) }
        spans.append(Span(earliest: now, latest: now))
    }

    mutating func made(_ key: String) { if madeIn[key] == nil { madeIn[key] = max(0, spans.count - 1) } }

    private func spans(since draft: Draft) -> ArraySlice<Span> { spans[(madeIn[History.key(draft)] ?? 0)...] }

    /// Whether a draft was ever past its time by the relay's clock.
    func wasTooOld(_ draft: Draft) -> Bool {
        let end = draft.time.advanced(bySeconds: Relay.duplicateSeconds)
        return spans(since: draft).contains { $0.latest > end }
    }

    /// Whether a draft ever lay in the future of the relay's clock.
    func wasAhead(_ draft: Draft) -> Bool {
        let begin = draft.time.advanced(bySeconds: -Relay.clockToleranceSeconds)
        return spans(since: draft).contains { $0.earliest < begin }
    }

    /// Whether the relay may have forgotten what it accepted as this: an id says when that was.
    func mayForget(_ notification: String) -> Bool { isPast(Relay.duplicateSeconds, notification) }

    /// Whether so many seconds since an acceptance can be believed.
    func isPast(_ seconds: Int64, _ notification: String) -> Bool {
        guard let id = NotificationID(text: notification) else { return false }
        return id.time.advanced(bySeconds: seconds) <= credible
    }
}

extension History {
    /// Its content went because it was past its time: nobody may have been waiting for it.
    mutating func retired(_ notification: String) {
        if !clock.isPast(SimulatedTraits.retentionSeconds, notification) {
            violate("the content of \(notification) went before its time")
        }
        // What somebody had erased before may have lost its keys only now.
        let wasErased = erasedNotifications.contains(notification)
        erased(notification)
        guard !hasLosses, !wasErased, let draft = owners[notification].flatMap({ drafts[$0] }) else { return }
        for desk in SimulatedPolicy.recipients(of: draft.municipality) where !isHandedOver(notification, to: desk) {
            violate("the content of \(notification) went before \(desk) had it")
        }
    }
}
