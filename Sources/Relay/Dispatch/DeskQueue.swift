import CaseNotifications
import HeapModule

/// What is ready at one desk in one urgency class, by case.
struct DeskQueue: Sendable {
    /// A case whose first ready delivery this is. It counts only while that is so.
    struct CaseHead: Comparable, Sendable {
        var key: Dispatch.ReadyKey
        var subject: CaseID

        static func < (left: Self, right: Self) -> Bool { left.key < right.key }
    }

    private struct CaseQueue: Sendable {
        var ready = Heap<Dispatch.ReadyKey>()
        var holder: SubscriberID?
        var heldCount = 0
        /// The head that stands in the heap where `holder` is looked for; nil if none may be relied on.
        var announced: Dispatch.ReadyKey?
    }

    let desk: DeskID
    let urgency: UrgencyClass
    var subscribers: [SubscriberID] = []
    private var cases: [CaseID: CaseQueue] = [:]
    /// Heads of cases that nobody holds.
    private var free = Heap<CaseHead>()
    /// Heads of cases by who holds them.
    private var held: [SubscriberID: Heap<CaseHead>] = [:]

    init(desk: DeskID, urgency: UrgencyClass) {
        self.desk = desk
        self.urgency = urgency
    }

    mutating func add(_ key: Dispatch.ReadyKey, of subject: CaseID) {
        cases[subject, default: CaseQueue()].ready.insert(key)
    }

    func first(of subject: CaseID) -> Dispatch.ReadyKey? { cases[subject]?.ready.min }

    mutating func dropFirst(of subject: CaseID) { _ = cases[subject]?.ready.popMin() }

    /// Enters a case's head where it is looked for; forgets a case of which nothing is ready or held.
    mutating func announce(_ subject: CaseID) {
        guard let queue = cases[subject] else { return }
        guard let key = queue.ready.min else {
            cases[subject]?.announced = nil
            if queue.heldCount == 0 { cases[subject] = nil }
            return
        }
        guard queue.announced != key else { return }
        cases[subject]?.announced = key
        let head = CaseHead(key: key, subject: subject)
        if let holder = queue.holder {
            held[holder, default: Heap()].insert(head)
        } else {
            free.insert(head)
        }
    }

    /// The first case that nobody holds.
    mutating func freeHead() -> CaseHead? {
        while let head = free.min {
            if let queue = cases[head.subject], queue.holder == nil, queue.ready.min == head.key { return head }
            free.removeMin()
        }
        return nil
    }

    /// The first case of which this subscriber holds one.
    mutating func head(heldBy subscriber: SubscriberID) -> CaseHead? {
        while let head = held[subscriber]?.min {
            if let queue = cases[head.subject], queue.holder == subscriber, queue.ready.min == head.key { return head }
            held[subscriber]?.removeMin()
        }
        return nil
    }

    /// The first ready delivery of the case goes to this subscriber.
    mutating func take(_ subject: CaseID, for subscriber: SubscriberID) {
        cases[subject]?.ready.removeMin()
        cases[subject]?.holder = subscriber
        cases[subject]?.heldCount += 1
        cases[subject]?.announced = nil
    }

    /// The subscriber holds one of the case less.
    mutating func release(_ subject: CaseID, by subscriber: SubscriberID) {
        guard let queue = cases[subject], queue.holder == subscriber else { return }
        cases[subject]?.heldCount -= 1
        guard queue.heldCount == 1 else { return }
        cases[subject]?.holder = nil
        cases[subject]?.announced = nil
    }

    mutating func forget(_ subscriber: SubscriberID) { held[subscriber] = nil }
}
