import CaseNotifications
import EventLoop
import Journal
import Relay
import STOMP

extension RelayCore {
    /// How long a question to the journal waits that could not be asked or answered now.
    static let historyRetry = Duration.seconds(1)

    /// Reads a notification that is no longer in memory, and goes on with it on the loop.
    ///
    /// An unknown one is answered here, and so is one that cannot be read now.
    ///
    /// - Parameter record: of its acceptance, if it is known.
    func recall(
        _ id: NotificationID, from record: UInt64?, _ context: QuestionContext,
        then follow: @escaping @Sendable (isolated RelayCore, HistoricTrail) -> Void
    ) {
        let trail = HistoricTrail(of: id, in: relay)
        history.follow(trail, of: id, from: record, through: durableSequence) { [self] result in
            onLoop { core in
                switch result {
                case .success(let trail) where trail.isAccepted: follow(core, trail)
                case .success: core.refuse(context, .unknown)
                case .failure(let error):
                    core.noteHistoryFault(error)
                    core.answerUnavailable(context)
                }
            }
        }
    }

    func noteHistoryFault(_ error: HistoryError) {
        guard case .journal(let fault) = error else { return }
        log.write(.historyNotRead(collaboration: collaboration, "\(fault)"))
    }

    // MARK: Receipts

    /// Says in the log how many receipts could not be made, when there are more than before.
    func noteSkippedReceipts() {
        let count = receiptDesk.skippedCount
        guard count > toldSkippedReceipts else { return }
        toldSkippedReceipts = count
        log.write(.receiptsSkipped(collaboration: collaboration, count: count))
    }

    /// Fetches the records that receipts are made of and that are no longer in memory. Their readers wait meanwhile.
    func startReceiptReads() {
        let needs = receiptDesk.takeNeeds()
        if !needs.isEmpty { fetch(needs) }
    }

    private func fetch(_ needs: [UInt64]) {
        history.events(needs) { [self] result in
            onLoop { $0.wereFetched(needs, result) }
        }
    }

    private func wereFetched(_ needs: [UInt64], _ result: Result<[UInt64: Event], HistoryError>) {
        switch result {
        case .success(let events):
            for record in needs { receiptDesk.supply(record: record, events[record]) }
            pumpSoon()
        case .failure(let error):
            // Nothing is skipped because a disk is slow or faulty for a moment.
            noteHistoryFault(error)
            _ = loop.schedule(after: Self.historyRetry) { [weak self] in
                // SAFETY: timers run on the loop's thread, which is this actor's executor.
                self?.assumeIsolated { $0.fetch(needs) }
            }
        }
    }

    // MARK: Content

    /// Shows a person what is no longer in memory: that it was released is on disk before it leaves, and only if it can be
    /// read.
    func showHistoric(_ id: NotificationID, _ client: ClientState, _ context: QuestionContext) {
        let actor = client.actor
        recall(id, from: nil, context) { core, trail in
            if case .delivery = trail.sight(for: actor), trail.notification?.content == .erased {
                return core.refuse(context, .erased)
            }
            guard case .delivery(let delivery) = trail.sight(for: actor), let facts = trail.notification,
                let shown = trail.deliveries.first(where: { $0.id == delivery }), facts.content == .stored
            else { return core.refuse(context, .unknown) }
            let attributes = trail.attributes(of: delivery)
            core.readHistoric(facts, context) { core, content in
                guard let attributes else { return core.refuse(context, .unknown) }
                let note = AuditNote(actor: actor, verb: "show", isAllowed: true, subject: id.text)
                guard core.perform(.audit(note), answers: { _ in [] }) != nil else {
                    return core.answerUnavailable(context)
                }
                core.whenDurable { $0.reply(context, content, facts, shown, attributes) }
            }
        }
    }

    private func readHistoric(
        _ facts: NotificationFacts, _ context: QuestionContext,
        then follow: @escaping @Sendable (isolated RelayCore, StoredContent) -> Void
    ) {
        let id = facts.id
        history.content(of: id, record: facts.sequence) { [self] found in
            guard case .success(let location?) = found else {
                return onLoop { $0.answerUnavailable(context) }
            }
            reader.read([TextReader.Request(id: TextID(id), location: location)]) { [self] results in
                onLoop { core in
                    // It may have been erased by time, long after the last record that was looked at.
                    if case .failure(.textErased)? = results.first { return core.refuse(context, .erased) }
                    guard case .success(let body)? = results.first, let content = try? StoredContent(body) else {
                        return core.refuse(context, .unknown)
                    }
                    follow(core, content)
                }
            }
        }
    }
}

extension RelayCore {
    /// One notification as its reader may see it.
    func reply(
        _ context: QuestionContext, _ content: StoredContent, _ about: NotificationFacts, _ facts: DeliveryFacts,
        _ attributes: DeliveryAttributes
    ) {
        let view = NotificationView.render(
            content, attributes: facts.shape.attributes, fields: facts.shape.fields, delivery: attributes)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("schema", "budkavle.notification/1")
        writer.member("now", clock.now.rfc3339)
        writer.name("item")
        writer.value(item(InboxItem(notification: about, delivery: facts)))
        writer.member("opened", (facts.openedAt ?? clock.now).rfc3339)
        writer.name("labels")
        writer.value(labels(of: [about.type]))
        let labels = CopyLabels(of: about.type, view: view, policy: policy)
        writer.name("fieldlabels")
        writer.value(.object(labels.fields))
        writer.name("codelabels")
        writer.value(.object(labels.codes))
        writer.name("event")
        writer.raw(view)
        writer.endObject()
        reply(context, bytes: writer.bytes)
    }
}
