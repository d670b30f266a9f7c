import CaseNotifications
import DequeModule
import Journal
import Relay
import Routing
import STOMP

extension RelayCore {
    /// How long a delivery waits that could not be written or handed out.
    static let retrySeconds: Int64 = 5
    /// What the audit log calls an ACK of a delivery that is another desk's or a station's already, or has left memory.
    static let lateCustody = "late-custody"

    /// `SUBSCRIBE`: an inbox of its own desks, its party's receipts, a watch, or the replies to its questions.
    func handle(_ subscribe: SubscribeRequest, at place: RequestPlace) {
        guard let client = clients[place.connection] else { return }
        let identity = client.peer.identity
        switch Destination(subscribe.destination) {
        case .inbox(let desk):
            let desks = desk.map { [$0] } ?? identity.desks.filter { identity.stations.contains($0) }
            guard identity.roles.contains(.receiver), !desks.isEmpty,
                desks.allSatisfy({ identity.stations.contains($0) })
            else { return answer(place, .fault(.unknownDestination)) }
            add(subscribe, .inbox, desks: desks, at: place)
        case .receipts(let onlyOwn):
            guard identity.roles.contains(.sender) else { return answer(place, .fault(.unknownDestination)) }
            let reader: ReceiptReader =
                onlyOwn ? .client(identity.party, identity.client) : .party(identity.party)
            add(subscribe, .receipts(reader), desks: [], at: place)
        case .watch(let desk):
            guard identity.desks.contains(desk), mayWatch(identity) else {
                return answer(place, .fault(.unknownDestination))
            }
            add(subscribe, .watch(desk), desks: [], at: place)
        case .replies(let token): add(subscribe, .replies(token: token), desks: [], at: place)
        default: answer(place, .fault(.unknownDestination))
        }
    }

    private func mayWatch(_ identity: ClientGrant) -> Bool {
        identity.roles.contains(.receiver) || identity.roles.contains(.responder)
    }

    /// - Note: the credit of all subscriptions together stays within the connection's limit, so that dispatch never gives more
    ///   than the session can carry.
    private func add(_ subscribe: SubscribeRequest, _ kind: Subscription.Kind, desks: [DeskID], at place: RequestPlace)
    {
        guard let client = clients[place.connection] else { return }
        let limit = SessionLimits.standard.unacknowledged
        let credit = min(subscribe.prefetch, limit - client.credit)
        let subscriber = takeSubscriber(place.connection, subscribe.key)
        var subscription = Subscription(kind: kind, subscriber: subscriber, credit: 0)
        switch kind {
        case .inbox, .receipts:
            guard credit > 0 else {
                subscribers.removeValue(forKey: subscriber)
                return answer(
                    place,
                    .fault(
                        SessionRefusal(
                            code: "limit", message: "limit unacknowledged messages is used up by other subscriptions",
                            details: "Give prefetch-count headers whose sum is at most \(limit).")))
            }
            subscription = Subscription(kind: kind, subscriber: subscriber, credit: credit)
        case .watch, .replies: break
        }
        clients[place.connection]?.subscriptions[subscribe.key] = subscription
        clients[place.connection]?.credit += subscription.credit
        switch kind {
        case .inbox:
            answer(place, .done)
            dispatch.add(subscriber, desks: desks, credit: credit)
        case .receipts(let reader):
            let pending = relay.pendingCount(for: reader)
            answer(place, .receipt(["pending": "\(pending)"]))
            receiptDesk.add(subscriber, reader: reader, credit: credit, relay: relay)
        case .watch(let desk):
            answer(place, .done)
            watchers[desk, default: []].append(subscriber)
            enqueue(Waiting(ticket: 0, completion: .list(desk, subscriber)))
        case .replies: answer(place, .done)
        }
        pumpSoon()
    }

    // MARK: Messages

    /// Hands one delivery to the subscriber that dispatch chose, or reads its content first.
    ///
    /// One that waited meanwhile, and that its subscriber holds no more, is dropped: the delivery may be in flight anew.
    func send(_ sending: Sending) {
        guard dispatch.holds(sending) else { return }
        guard let (id, key) = subscribers[sending.subscriber], let client = clients[id] else { return }
        // SAFETY: connections of this core live on its loop.
        guard client.held.isEmpty, client.connection.assumeIsolated({ $0.hasRoom }) else {
            clients[id]?.held.append(sending)
            return
        }
        let delivery = sending.ticket.delivery
        if waitBehindRead(sending) { return }
        if relay.contentState(of: delivery.notification) == .erased {
            _ = dispatch.acked(delivery, by: sending.subscriber)
            return
        }
        guard let content = contents.cached(delivery.notification) else {
            return read(delivery.notification, for: .sending(sending))
        }
        guard let facts = relay.delivery(delivery), let attributes = relay.attributes(of: delivery),
            facts.transport == .waiting, facts.desk == sending.ticket.desk
        else {
            // It moved or ended while its content was read or its reader was slow: that change queues it anew.
            _ = dispatch.acked(delivery, by: sending.subscriber)
            return
        }
        guard isOwn(facts, client.peer), client.peer.identity.stations.contains(facts.desk) else {
            // A reload took the desk from the party that this delivery is for: it waits until the policy fits again.
            log.write(.deskNotServed(delivery: delivery.text, desk: facts.desk))
            return putBack(sending)
        }
        guard let permitted = permitted(facts, content) else {
            // Held or moved: that change takes it from dispatch. For want of space it could be neither: a moment later.
            if rights.unjudged.contains(delivery) { putBack(sending) }
            return
        }
        let message = message(content, permitted, attributes, sending.ticket)
        guard let tag = takeTag(of: id, for: .delivery(delivery, sending.subscriber)) else { return }
        // SAFETY: as above.
        let isWritten = client.connection.assumeIsolated { $0.deliver(message, to: key, tag: tag) }
        if !isWritten {
            clients[id]?.inFlight.removeValue(forKey: tag)
            putBack(sending)
        }
    }

    /// Whether a delivery is this client's party's, or its party acts for the one that it is for.
    func isOwn(_ facts: DeliveryFacts, _ peer: Peer) -> Bool {
        facts.party == peer.identity.party || facts.agent == peer.identity.party
    }

    private func message(
        _ content: StoredContent, _ facts: DeliveryFacts, _ attributes: DeliveryAttributes, _ ticket: Ticket
    ) -> OutgoingMessage {
        let body = NotificationView.render(
            content, attributes: facts.shape.attributes, fields: facts.shape.fields, delivery: attributes)
        var message = OutgoingMessage(contentType: "application/cloudevents+json", body: body)
        message.destination = "/inbox/\(facts.desk.text)"
        message.notification = ticket.delivery.notification.text
        message.urgency = ticket.urgency.text
        message.priority = ticket.urgency.priority
        message.acknowledgeBy = facts.acknowledgeBy?.milliseconds
        message.deliveryCount = Int(ticket.deliveryCount)
        message.isRedelivered = ticket.isRedelivered
        message.isDrill = attributes.drill
        return message
    }

    /// A delivery that could not go out now waits a moment at its desk; not one that somebody else may hold by now.
    func putBack(_ sending: Sending) {
        guard dispatch.holds(sending) else { return }
        let readyAt = clock.now.advanced(bySeconds: Self.retrySeconds)
        dispatch.handle(.returned(sending.ticket.delivery, readyAt: readyAt))
        pumpSoon()
    }

    /// Hands one receipt to its reader.
    func send(_ sending: ReceiptSending) {
        guard let (id, key) = subscribers[sending.subscriber], let client = clients[id] else { return }
        var numbered = sending.receipt
        if numbered.receipt.proof == nil {
            guard provings[sending.subscriber] == nil, let proof = recentProof(of: numbered.receipt) else {
                return prove(sending)
            }
            numbered.receipt.proof = proof
        }
        hand(numbered, to: sending, on: id, key, client)
    }

    /// Writes a receipt to its reader, with its proof where there is one.
    func hand(
        _ numbered: NumberedReceipt, to sending: ReceiptSending, on id: ConnectionID, _ key: SubscriptionKey,
        _ client: ClientState
    ) {
        var message = OutgoingMessage(
            contentType: "application/cloudevents+json", body: numbered.receipt.cloudEvent(receiptID: numbered.id))
        message.notification = numbered.receipt.notification.text
        message.isRedelivered = sending.isRedelivered
        guard let tag = takeTag(of: id, for: .receipt(numbered.number, sending.subscriber)) else { return }
        // SAFETY: connections of this core live on its loop.
        let isWritten = client.connection.assumeIsolated { $0.deliver(message, to: key, tag: tag) }
        if !isWritten {
            clients[id]?.inFlight.removeValue(forKey: tag)
            _ = receiptDesk.returned(numbered.number, by: sending.subscriber)
        }
    }

    private func takeTag(of id: ConnectionID, for inFlight: InFlight) -> MessageTag? {
        guard let tag = clients[id]?.nextTag else { return nil }
        clients[id]?.nextTag += 1
        clients[id]?.inFlight[tag] = inFlight
        return tag
    }

    /// A slow reader has taken what waited for it: what was held back goes on.
    func hasRoom(_ id: ConnectionID) {
        guard clients[id]?.held.isEmpty == false else { return }
        while let client = clients[id], let next = client.held.first,
            // SAFETY: connections of this core live on its loop.
            client.connection.assumeIsolated({ $0.hasRoom })
        {
            let rest = client.held.dropFirst()
            clients[id]?.held = []
            send(next)
            clients[id]?.held.append(contentsOf: rest)
        }
    }

    // MARK: ACK and NACK

    /// What became of a command whose records are to ride with the next batch.
    enum Gathering {
        case gathered
        /// There was nothing to decide.
        case nothing
        /// Even the reserve for progress is used up: nothing was decided.
        case noSpace
    }

    /// ACK: custody, or the receipts' cursor. Credit comes back at once; the record rides with the next batch.
    func acknowledge(_ tags: [MessageTag], at place: RequestPlace) {
        write(custodyCommands(tags, of: place.connection), at: place)
    }

    /// Lets the records of an ACK or NACK ride with the next batch. With `receipt` it starts a commit of everything before it on
    /// its connection; a RECEIPT says that all of it is on disk, also of what would come again.
    private func write(_ commands: [RelayCommand], at place: RequestPlace) {
        var isWritten = true
        for command in commands {
            switch gather(command) {
            case .gathered: break
            case .nothing: isWritten = redeliver(command) && isWritten
            case .noSpace:
                _ = redeliver(command)
                isWritten = false
            }
        }
        pumpSoon()
        guard place.receipt != nil else { return }
        guard isWritten else { return answer(place, .refused(.unavailable)) }
        gather(urgency: .now)
        answerWhenDurable(place, .done)
        journal.flush()
    }

    /// An ACK or NACK that could not be written counts as not given: the delivery comes again after a moment.
    ///
    /// - Returns: `false` for an ACK of what goes to no station any more: that one is lost.
    private func redeliver(_ command: RelayCommand) -> Bool {
        let readyAt = clock.now.advanced(bySeconds: Self.retrySeconds)
        switch command {
        case .custody(let delivery, let actor):
            guard let ticket = relay.openTicket(of: delivery) else {
                return !relay.takesCustody(delivery, by: actor)
            }
            dispatch.retry(ticket, readyAt: readyAt)
        case .giveBack(let delivery, _): dispatch.handle(.returned(delivery, readyAt: readyAt))
        case .audit: return false
        default: break
        }
        return true
    }

    /// The commands that these ACKs stand for; the messages are no longer in flight.
    func custodyCommands(_ tags: [MessageTag], of id: ConnectionID) -> [RelayCommand] {
        guard let actor = clients[id]?.actor else { return [] }
        return tags.compactMap { tag in
            switch clients[id]?.inFlight.removeValue(forKey: tag) {
            case .delivery(let delivery, let subscriber):
                let wasInFlight = dispatch.acked(delivery, by: subscriber)
                // What this station had before it was found unreadable and set aside, erased or held is in its custody all
                // the same. Where the relay cannot say so any more, the audit log does: the station has it.
                guard relay.takesCustody(delivery, by: actor) else {
                    if wasInFlight { _ = redeliver(.custody(delivery, by: actor)) }
                    return .audit(
                        AuditNote(actor: actor, verb: Self.lateCustody, isAllowed: false, subject: delivery.text))
                }
                return .custody(delivery, by: actor)
            case .receipt(let number, let subscriber):
                guard let ack = receiptDesk.acked(number, by: subscriber), let through = ack.through else {
                    return nil
                }
                return .readReceipts(ack.reader, through: through)
            case nil: return nil
            }
        }
    }

    /// NACK: back to the desk with a backoff, or set aside after the last attempt.
    func reject(_ tags: [MessageTag], at place: RequestPlace) {
        write(returnCommands(tags, of: place.connection), at: place)
    }

    /// The commands that these NACKs stand for; receipts simply come again.
    func returnCommands(_ tags: [MessageTag], of id: ConnectionID) -> [RelayCommand] {
        guard let actor = clients[id]?.actor else { return [] }
        return tags.compactMap { tag in
            switch clients[id]?.inFlight.removeValue(forKey: tag) {
            // It stays in flight until the relay's own backoff is on disk and told to dispatch.
            case .delivery(let delivery, _): return .giveBack(delivery, by: actor)
            case .receipt(let number, let subscriber):
                _ = receiptDesk.returned(number, by: subscriber)
                pumpSoon()
                return nil
            case nil: return nil
            }
        }
    }

    /// Acknowledgements that will not be decided (an aborted or refused transaction, a frame behind a refused one): those
    /// messages are no longer in the session's table, so they are redelivered.
    func giveBack(_ tags: [MessageTag], from id: ConnectionID) {
        for tag in tags {
            switch clients[id]?.inFlight.removeValue(forKey: tag) {
            case .delivery(let delivery, _): dispatch.handle(.returned(delivery, readyAt: clock.now))
            case .receipt(let number, let subscriber): _ = receiptDesk.returned(number, by: subscriber)
            case nil: break
            }
        }
        pumpSoon()
    }
}

extension UrgencyClass {
    /// STOMP priority, 9 first.
    var priority: Int {
        switch self {
        case .u1: 9
        case .u2: 7
        case .u3: 5
        case .u4: 3
        case .u0: 1
        }
    }
}
