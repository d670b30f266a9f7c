import CaseNotifications
import DequeModule
import Journal
import Relay

/// Why history gave no answer.
enum HistoryError: Error, Sendable, Equatable {
    /// Too many questions wait, or the reader has ended.
    case busy
    /// The disk did not give what was asked for.
    case journal(JournalError)
    /// The answer lies further back than one question may look.
    case tooFar
}

/// The thread that answers from the journal what is no longer in memory.
///
/// Questions are answered one after the other, in their order, and never on a loop. At most ``waitingLimit`` wait: whoever asks
/// past it is told so at once. Completions run on this thread.
final class HistoryReader: Sendable {
    /// Questions that wait.
    static let waitingLimit = 256
    /// Records that one question about a notification may look at.
    static let scanLimit: UInt64 = 4_000_000
    /// Records that are looked at behind the one that finished a notification, for what people still did with it.
    static let afterthoughtRecords: UInt64 = 65_536

    private typealias Job = @Sendable (RecordReader?) -> Void

    private struct State {
        var jobs: Deque<Job> = []
        var thread: OwnedThread?
        var isStopping = false
    }

    private let state = ConditionLock(State())
    private let times: @Sendable () -> [SegmentTimes]

    /// Starts the thread.
    ///
    /// - Parameter times: when the events of closed segments happened, as far as it is known.
    init(_ access: JournalAccess, times: @escaping @Sendable () -> [SegmentTimes]) {
        self.times = times
        let state = state
        let thread = OwnedThread(name: "history") {
            let reader = RecordReader(access)
            while let job = Self.next(state) { job(reader) }
        }
        state.withLock { $0.thread = thread }
    }

    deinit { stop() }

    /// Answers what waits with `.busy`, ends the thread and waits for it.
    func stop() {
        let (thread, jobs) = state.withLock { state -> (OwnedThread?, Deque<Job>) in
            state.isStopping = true
            defer { state.jobs = [] }
            return (state.thread.take(), state.jobs)
        }
        state.signal()
        for job in jobs { job(nil) }
        guard let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    private static func next(_ state: ConditionLock<State>) -> Job? {
        state.wait { state in
            if state.isStopping { return .done(nil) }
            return state.jobs.popFirst().map { .done($0) } ?? .untilSignal
        }
    }

    /// Reads in order; `read` gives nil for what is to be answered `.busy`.
    func ask<Value: Sendable>(
        _ completion: @escaping @Sendable (Result<Value, HistoryError>) -> Void,
        _ read: @escaping @Sendable (RecordReader) throws(JournalError) -> Result<Value, HistoryError>
    ) {
        let isAccepted = state.withLock { state in
            guard !state.isStopping, state.jobs.count < Self.waitingLimit else { return false }
            state.jobs.append { reader in
                guard let reader else { return completion(.failure(.busy)) }
                do throws(JournalError) {
                    completion(try read(reader))
                } catch { completion(.failure(.journal(error))) }
            }
            return true
        }
        if isAccepted { state.signal() } else { completion(.failure(.busy)) }
    }
}

extension HistoryReader {
    /// The events of single records; those that are not there any more are left out.
    func events(
        _ numbers: [UInt64], completion: @escaping @Sendable (Result<[UInt64: Event], HistoryError>) -> Void
    ) {
        ask(completion) { reader throws(JournalError) in
            var events: [UInt64: Event] = [:]
            for number in numbers.sorted() {
                guard let bytes = try reader.record(number) else { continue }
                events[number] = try? EventCodec.decode(bytes)
            }
            return .success(events)
        }
    }

    /// Follows one notification from its acceptance until it is finished.
    ///
    /// - Parameters:
    ///   - trail: an empty one, for the notification `id`.
    ///   - record: of its acceptance, if it is known; else the segments of the id's time are looked through.
    ///   - last: the last record that is on disk.
    func follow(
        _ trail: HistoricTrail, of id: NotificationID, from record: UInt64?, through last: UInt64,
        completion: @escaping @Sendable (Result<HistoricTrail, HistoryError>) -> Void
    ) {
        ask(completion) { [self, times] reader throws(JournalError) in
            let first: UInt64
            var lastAcceptance = UInt64.max
            if let record {
                first = record
            } else {
                guard let range = try Self.candidates(id, times(), reader) else { return .success(trail) }
                (first, lastAcceptance) = (range.lowerBound, range.upperBound)
            }
            var trail = trail
            var isCut = false
            var finishedAt: UInt64?
            try reader.scan(from: first, through: last) { number, bytes in
                guard number < first + Self.scanLimit, !isStopping else {
                    isCut = true
                    return false
                }
                if number > lastAcceptance, !trail.isAccepted { return false }
                if let finishedAt, number > finishedAt + Self.afterthoughtRecords { return false }
                guard let event = try? EventCodec.decode(bytes), event.body.notifications.contains(id) else {
                    return true
                }
                trail.add(event, number: number)
                if finishedAt == nil, trail.isAccepted, trail.deliveries.allSatisfy(\.isFinished) {
                    finishedAt = number
                }
                return true
            }
            return isCut && finishedAt == nil ? .failure(.tooFar) : .success(trail)
        }
    }

    /// Where a notification can have been accepted: in the segments whose events include the time in its id, or in those that
    /// are not folded yet.
    private static func candidates(
        _ id: NotificationID, _ times: [SegmentTimes], _ reader: RecordReader
    ) throws(JournalError) -> ClosedRange<UInt64>? {
        guard let newest = times.last else { return try reader.firstRecord().map { $0...UInt64.max } }
        guard let first = times.firstIndex(where: { ($0.earliest...$0.latest).contains(id.time) }) else {
            return id.time < newest.earliest ? nil : newest.firstRecord...UInt64.max
        }
        let last = times.lastIndex { ($0.earliest...$0.latest).contains(id.time) } ?? first
        return times[first].firstRecord...(last + 1 < times.count ? times[last + 1].firstRecord : UInt64.max)
    }

    /// Where the content of a notification lies, by the record of its acceptance; nil when it is gone.
    func content(
        of id: NotificationID, record: UInt64,
        completion: @escaping @Sendable (Result<TextLocation?, HistoryError>) -> Void
    ) {
        ask(completion) { reader throws(JournalError) in
            .success(try reader.text(TextID(id), besideRecord: record))
        }
    }
}

extension DeliveryFacts {
    /// Whether nothing more has to happen with it: then it may have left memory.
    var isFinished: Bool {
        switch work {
        case .notOurs: true
        case .taken, .alreadyKnown: transport != .waiting && transport != .held
        case .open, .handedOver: acknowledgeBy == nil && (transport == .custody || transport == .withdrawn)
        }
    }
}
