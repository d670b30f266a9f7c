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
        case show(DeliveryID, QuestionContext)
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
        let requests = wanted.compactMap { id in
            contents.location(of: id).map { TextReader.Request(id: TextID(id), location: $0) }
        }
        guard !requests.isEmpty else { return }
        isReading = true
        let ids = wanted.filter { contents.location(of: $0) != nil }
        reader.read(requests) { [self] results in
            loop.execute {
                // SAFETY: `execute` runs on the loop's thread, which is this actor's executor.
                self.assumeIsolated { $0.wasRead(Array(zip(ids, results))) }
            }
        }
    }

    private func wasRead(_ results: [(NotificationID, Result<[UInt8], JournalError>)]) {
        isReading = false
        for (id, result) in results {
            let uses = reads.removeValue(forKey: id) ?? []
            for case .sending(let sending) in uses where readingCases[readingCase(of: sending)] == id {
                readingCases.removeValue(forKey: readingCase(of: sending))
            }
            switch result {
            case .success(let body):
                if let content = try? StoredContent(body) { contents.keep(content, as: id) }
            case .failure(let error): log.write(.journalDamage("\(error)"))
            }
            for use in uses { resume(use, of: id) }
        }
        startReads()
    }

    private func resume(_ use: ContentUse, of id: NotificationID) {
        let isAtHand = contents.cached(id) != nil
        switch use {
        case .sending(let sending):
            // Unreadable content never stops what comes behind it: the delivery backs off and is tried again.
            let isBehind = sending.ticket.delivery.notification != id
            if isAtHand || isBehind { send(sending) } else { putBack(sending) }
        case .show(let delivery, let context):
            if isAtHand { show(delivery, context) } else { answerUnavailable(context) }
        }
    }
}
