import CaseNotifications
import EventLoop
import Journal
import Relay
import STOMP

extension RelayCore {
    /// A case at one subscriber.
    struct ReadingCase: Hashable {
        let subscriber: SubscriberID
        let subject: CaseID
    }

    /// What a piece of content is being read for.
    enum ContentUse {
        case sending(Sending)
        case opening(PersonID, QuestionContext)
        case show(DeliveryID, QuestionContext)
        /// Whether it may leave is judged by its envelope; then this work goes on, whether it could be read or not.
        case judging(DeliveryID, then: @Sendable (isolated RelayCore) -> Void)
    }

    /// Asks the journal's reader for content that is not at hand; the deliveries that need it wait in `reads`.
    func read(_ id: NotificationID, for use: ContentUse) {
        reads[id, default: []].append(use)
        if case .sending(let sending) = use { readingCases[readingCase(of: sending)] = id }
        pumpSoon()
    }

    /// Lets a delivery wait behind an earlier one of its case that is being read for the same subscriber.
    ///
    /// - Returns: `false` when there is none.
    func waitBehindRead(_ sending: Sending) -> Bool {
        guard let id = readingCases[readingCase(of: sending)], reads[id] != nil else { return false }
        reads[id, default: []].append(.sending(sending))
        return true
    }

    private func readingCase(of sending: Sending) -> ReadingCase {
        ReadingCase(subscriber: sending.subscriber, subject: sending.ticket.subject)
    }

    func startReads() {
        guard !isReading, !reads.isEmpty else { return }
        let wanted = reads.keys.sorted().prefix(Self.sendingsPerTurn)
        for id in wanted where contents.location(of: id) == nil { find(id) }
        let found = wanted.compactMap { id in contents.location(of: id).map { (id, $0) } }
        guard !found.isEmpty else { return }
        isReading = true
        let requests = found.map { TextReader.Request(id: TextID($0.0), location: $0.1) }
        reader.read(requests) { [self] results in
            onLoop { $0.wereRead(Array(zip(found.map(\.0), results))) }
        }
    }

    /// Looks on disk for content that should be known: what is not on disk yet only has to be waited for.
    private func find(_ id: NotificationID) {
        guard let facts = relay.notification(id) else { return finishReading(id, isLost: false) }
        guard facts.sequence <= durableSequence, !soughtContents.contains(id) else { return }
        soughtContents.insert(id)
        history.content(of: id, record: facts.sequence) { [self] result in
            onLoop { core in
                core.soughtContents.remove(id)
                switch result {
                case .success(let location?): core.contents.stored(id, at: location)
                case .success(nil): core.finishReading(id, isLost: true)
                case .failure: core.finishReading(id, isLost: false)
                }
                core.pumpSoon()
            }
        }
    }

    private func wereRead(_ results: [(NotificationID, Result<[UInt8], JournalError>)]) {
        isReading = false
        for (id, result) in results {
            switch result {
            case .success(let body):
                let content = try? StoredContent(body)
                // What was erased while it was read is not kept at hand.
                if let content, relay.contentState(of: id) != .erased { contents.keep(content, as: id) }
                finishReading(id, isLost: content == nil)
            case .failure(let error):
                if !error.isLossOfText { log.write(.contentNotRead(notification: id, "\(error)")) }
                finishReading(id, isLost: error.isLossOfText)
            }
        }
        startReads()
    }

    /// Goes on with everything that waited for this content, whether it is at hand now or not.
    private func finishReading(_ id: NotificationID, isLost: Bool) {
        let uses = reads.removeValue(forKey: id) ?? []
        for case .sending(let sending) in uses where readingCases[readingCase(of: sending)] == id {
            readingCases.removeValue(forKey: readingCase(of: sending))
        }
        let isSetAside = isLost && setAsideUnreadable(id)
        for use in uses { resume(use, of: id, isSetAside: isSetAside) }
    }

    /// What can never be handed out is set aside at once: its sender is told, and people see it on their lists.
    ///
    /// - Returns: false when there was no space to write that; then it is tried again like what the disk did not give.
    private func setAsideUnreadable(_ id: NotificationID) -> Bool {
        // What is finished may have gone with its segment: nobody waits for it.
        guard relay.deliveries(of: id).contains(where: { !$0.isFinished }) else {
            contents.drop(id)
            return true
        }
        guard let answer = perform(.unreadable(id), answers: { _ in [] }) else { return false }
        if case .done = answer { log.write(.contentUnreadable(notification: id)) }
        contents.drop(id)
        return true
    }

    private func resume(_ use: ContentUse, of id: NotificationID, isSetAside: Bool) {
        let isAtHand = contents.cached(id) != nil
        switch use {
        case .sending(let sending):
            // Content that is not at hand never stops what comes behind it. The change that sets a delivery aside takes it
            // from dispatch; what the disk did not give now backs off and is tried again.
            let isBehind = sending.ticket.delivery.notification != id
            if isAtHand || isBehind || relay.contentState(of: id) == .erased {
                send(sending)
            } else if !isSetAside {
                putBack(sending)
            }
        case .judging(let delivery, let work):
            if let content = contents.cached(id) {
                judge(delivery, content)
            } else if !isSetAside {
                judgeLater(delivery)
            }
            work(self)
        case .opening(let person, let context):
            if isAtHand || relay.contentState(of: id) == .erased {
                open(id, person, context)
            } else if isSetAside {
                refuse(context, .unreadable)
            } else {
                answerUnavailable(context)
            }
        case .show(let delivery, let context):
            if isAtHand {
                show(delivery, context)
            } else if isSetAside {
                refuse(context, .unreadable)
            } else {
                answerUnavailable(context)
            }
        }
    }
}

extension JournalError {
    /// Whether a text that was read with this error can never be read again: its bytes or its keys are gone.
    var isLossOfText: Bool {
        switch self {
        case .textUnreadable, .textErased, .textMismatch, .keysDamaged: true
        default: false
        }
    }
}

extension SessionRefusal {
    /// The content of a notification cannot be opened any more.
    static let unreadable = SessionRefusal(
        code: "unreadable", message: "the content of this notification cannot be opened any more",
        details: "Ask its sender.")
}
