internal import DequeModule

/// The frames of a connection that wait for their RECEIPT or ERROR, in the order of the frames.
struct AnswerQueue: Sendable {
    enum Kind: Sendable {
        case plain
        case subscribe(SubscriptionKey)
        case commit(receipts: [String?])
        case disconnect
        /// Ends the session. `versions` is the `version` header where the version was the reason.
        case error(SessionRefusal, versions: String?)
    }

    struct Entry: Sendable {
        var receipt: String?
        var kind: Kind
        var answer: Answer?
        var byteCount = 0
    }

    private var entries: Deque<Entry> = []
    private var firstOrder: OrderNumber = 1
    private(set) var byteCount = 0
    /// Frames behind this one do not exist any more.
    private(set) var lastOrder = OrderNumber.max

    var count: Int { entries.count }

    /// The order number of the frame that is queued next.
    var nextOrder: OrderNumber { firstOrder + OrderNumber(entries.count) }

    @discardableResult
    mutating func append(_ entry: Entry) -> OrderNumber {
        let order = nextOrder
        entries.append(entry)
        byteCount += entry.byteCount
        return order
    }

    /// Stores an answer. False where the frame is unknown, or needs no answer any more.
    mutating func store(_ answer: Answer, for order: OrderNumber) -> Bool {
        guard order >= firstOrder, order < nextOrder, order <= lastOrder else { return false }
        let index = Int(order - firstOrder)
        guard entries[index].answer == nil else { return false }
        entries[index].answer = answer
        return true
    }

    func entry(for order: OrderNumber) -> Entry? {
        guard order >= firstOrder, order < nextOrder else { return nil }
        return entries[Int(order - firstOrder)]
    }

    /// Puts an error in the place of `order`; everything behind it is forgotten, what is before it is still answered.
    mutating func end(at order: OrderNumber, receipt: String?, _ refusal: SessionRefusal) {
        let kept = order > firstOrder ? Int(order - firstOrder) : 0
        while entries.count > kept { byteCount -= entries.removeLast().byteCount }
        // The frame may have left the queue, when it asked for no receipt; so has everything before it then.
        if order < firstOrder { firstOrder = order }
        lastOrder = order
        entries.append(Entry(receipt: receipt, kind: .error(refusal, versions: nil), answer: .done))
    }

    /// Marks the frame that is queued next as the last.
    mutating func closeBehindNext() { lastOrder = nextOrder }

    /// The oldest frame if it is answered.
    mutating func popAnswered() -> Entry? {
        guard entries.first?.answer != nil else { return nil }
        firstOrder += 1
        let entry = entries.removeFirst()
        byteCount -= entry.byteCount
        return entry
    }
}
