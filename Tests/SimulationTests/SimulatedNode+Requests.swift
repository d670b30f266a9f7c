import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

/// What clients ask for.
extension SimulatedNode {
    mutating func handle(
        _ effects: [SessionEffect], on number: Int, _ now: SessionInstant, _ time: Timestamp
    ) throws(NodeStopped) {
        for effect in effects {
            switch effect {
            case .connect:
                guard let connection = connections[number] else { continue }
                let more = connections[number]?.session.accept(
                    party: connection.actor.party.text, client: connection.actor.client.text, at: now)
                try handle(more ?? [], on: number, now, time)
            case .request(let request):
                guard connections[number]?.session.mayDecide(request.order) == true else { continue }
                try decide(request, on: number, now, time)
            case .close: close(number)
            case .returned, .connected, .failed: break
            }
        }
    }

    mutating func decide(
        _ request: Request, on number: Int, _ now: SessionInstant, _ time: Timestamp
    ) throws(NodeStopped) {
        switch request.action {
        case .send(let send): submit(send.body, request.order, on: number, now, time)
        case .subscribe(let subscribe): subscribeTo(subscribe, request.order, on: number, now)
        case .unsubscribe(let key, _):
            leave(key, on: number)
            answer(number, request.order, .done, now)
        case .acknowledge(let tags):
            for tag in tags { try acknowledge(tag, on: number, time) }
            hold(.answer(number, request.order, .done), until: relay.sequence, now)
        case .reject(let tags):
            for tag in tags { try giveBack(tag, on: number, time) }
            hold(.answer(number, request.order, .done), until: relay.sequence, now)
        case .commit(let items): commit(items, request.order, on: number, now, time)
        }
    }

    mutating func subscribeTo(
        _ subscribe: SubscribeRequest, _ order: OrderNumber, on number: Int, _ now: SessionInstant
    ) {
        let subscriber = SubscriberID(rawValue: UInt64(number) << 16 | UInt64(subscribe.key.rawValue))
        guard let actor = connections[number]?.actor else { return }
        if subscribe.destination == "/receipts" {
            connections[number]?.streams[subscribe.key] = (subscriber, .receipts)
            receiptDesk.add(subscriber, reader: .party(actor.party), credit: subscribe.prefetch, relay: relay)
        } else if let desk = actor.desks.first(where: { subscribe.destination == "/inbox/" + $0.text }) {
            connections[number]?.streams[subscribe.key] = (subscriber, .inbox)
            dispatch.add(subscriber, desks: [desk], credit: subscribe.prefetch)
        } else {
            return answer(number, order, .refused(.unknownDestination), now)
        }
        answer(number, order, .done, now)
    }

    /// The decision for one body, or why there is none.
    mutating func submission(_ body: [UInt8], on number: Int, _ time: Timestamp) -> Result<Submission, Refusal> {
        guard let actor = connections[number]?.actor else { return .failure(Self.unavailable) }
        do throws(Refusal) {
            let notification = try SimulatedPolicy.decoder.decode(body)
            guard let slot = core.slots.take(), let caseSlot = core.slots.take() else {
                return .failure(Self.unavailable)
            }
            var submission = Submission(
                notification: notification, digest: Digest(sha256Of: body), party: actor.party,
                client: actor.client, notificationSlot: slot.rawValue, freshCaseSlot: caseSlot.rawValue,
                decision: SimulatedPolicy.decide(notification, at: time, mustBeAcknowledged: traits.mustBeAcknowledged),
                policy: SimulatedPolicy.digest)
            if let known = relay.caseSlot(of: notification.subject) {
                submission.isCaseSlotGone = (try? RecordReader(core.access).isLiving(SlotID(rawValue: known))) != true
            }
            if let old = notification.supersedes, let named = try recall(old) { submission.recalled[old] = named }
            return .success(submission)
        } catch {
            return .failure(error)
        }
    }

    /// What is superseded and has left memory, read from disk.
    private mutating func recall(_ id: NotificationID) throws(Refusal) -> NamedNotification? {
        guard relay.hasReleased, relay.notification(id) == nil, flaw != .forgetsHistory else { return nil }
        var trail = HistoricTrail(of: id, in: relay)
        do throws(JournalError) {
            try RecordReader(core.access).scan(from: 1, through: durable) { number, bytes in
                if let event = try? EventCodec.decode(bytes) { trail.add(event, number: number) }
                return true
            }
        } catch { throw Self.unavailable }
        count("history read")
        return trail.named
    }

    static let unavailable = Refusal(code: .unavailable, pointer: "", message: "no space now")

    mutating func submit(
        _ body: [UInt8], _ order: OrderNumber, on number: Int, _ now: SessionInstant, _ time: Timestamp
    ) {
        switch submission(body, on: number, time) {
        case .failure(let refusal): answer(number, order, .refused(SessionRefusal(refusal)), now)
        case .success(let submission):
            guard let grant = core.space.reserve(.notification, bytes: Self.footprint([body])) else {
                return answer(number, order, .refused(SessionRefusal(Self.unavailable)), now)
            }
            let verdict = relay.decide(.submit(submission), at: time, random: &random)
            let texts = [text(verdict.answer, submission, in: verdict.events)].compactMap { $0 }
            append(verdict.events, texts: texts, grant: grant)
            hold(.answer(number, order, Self.stomp(verdict.answer)), until: Self.sequence(verdict.answer, relay), now)
        }
    }

    /// A transaction of SENDs.
    mutating func commit(
        _ items: [TransactionItem], _ order: OrderNumber, on number: Int, _ now: SessionInstant, _ time: Timestamp
    ) {
        var submissions: [Submission] = []
        for item in items {
            guard case .send(let send) = item.action else { continue }
            switch submission(send.body, on: number, time) {
            case .success(let submission): submissions.append(submission)
            case .failure(let refusal): return answer(number, order, .refused(SessionRefusal(refusal)), now)
            }
        }
        let bytes = Self.footprint(submissions.map(\.notification.body))
        guard let grant = core.space.reserve(.notification, bytes: bytes) else {
            return answer(number, order, .refused(SessionRefusal(Self.unavailable)), now)
        }
        let verdict = relay.decide(transaction: submissions.map(RelayCommand.submit), at: time, random: &random)
        var texts: [SealedText] = []
        if verdict.refusedIndex == nil {
            texts = zip(verdict.answers, submissions).compactMap { answer, submission in
                text(answer, submission, in: verdict.events)
            }
        }
        append(verdict.events, texts: texts, grant: grant)
        let until = verdict.answers.map { Self.sequence($0, relay) }.max()
        if case .refused(let refusal)? = verdict.answers.first, verdict.refusedIndex != nil {
            return hold(.answer(number, order, .refused(SessionRefusal(refusal))), until: relay.sequence, now)
        }
        let headers = verdict.answers.map { answer -> Headers in
            if case .receipt(let headers) = Self.stomp(answer) { headers } else { Headers() }
        }
        hold(.answer(number, order, .committed(headers)), until: until ?? relay.sequence, now)
    }

    /// The content of what was just accepted, sealed under the slots that the event names.
    func text(_ answer: RelayAnswer, _ submission: Submission, in events: [Event]) -> SealedText? {
        guard case .accepted(let id, _) = answer else { return nil }
        for event in events {
            guard case .accepted(let accepted) = event.body, accepted.notification == id else { continue }
            return SealedText(
                id: TextID(high: id.high, low: id.low),
                slots: [SlotID(rawValue: accepted.caseSlot), SlotID(rawValue: accepted.notificationSlot)],
                bytes: submission.notification.body)
        }
        return nil
    }

    static func footprint(_ bodies: [[UInt8]]) -> Int {
        AppendRequest.footprint(
            recordBytes: 2_048 * max(1, bodies.count), recordCount: 32 * max(1, bodies.count),
            textBytes: bodies.map(\.count))
    }

    mutating func acknowledge(
        _ tag: MessageTag, on number: Int, _ time: Timestamp
    ) throws(NodeStopped) {
        guard let (key, tagged) = connections[number]?.tags.removeValue(forKey: tag),
            let connection = connections[number]
        else { return }
        let subscriber = connection.streams[key]?.subscriber
        switch tagged {
        case .delivery(let delivery):
            let isHeld = subscriber.map { dispatch.acked(delivery, by: $0) } == true
            guard isHeld || relay.takesCustody(delivery, by: connection.actor) else { return }
            try run(.custody(delivery, by: connection.actor), time)
        case .receipt(let receipt):
            guard let subscriber, let ack = receiptDesk.acked(receipt, by: subscriber), let through = ack.through
            else { return }
            try run(.readReceipts(ack.reader, through: through), time)
        }
    }

    mutating func giveBack(
        _ tag: MessageTag, on number: Int, _ time: Timestamp
    ) throws(NodeStopped) {
        guard let (key, tagged) = connections[number]?.tags.removeValue(forKey: tag),
            let connection = connections[number], let subscriber = connection.streams[key]?.subscriber
        else { return }
        switch tagged {
        case .delivery(let delivery):
            // In flight until that is on disk, as in the daemon.
            try run(.giveBack(delivery, by: connection.actor), time)
        case .receipt(let receipt): receiptDesk.returned(receipt, by: subscriber)
        }
    }

    /// Decides, applies and appends a command that must go on: it waits until there is space for it.
    @discardableResult
    mutating func run(_ command: RelayCommand, _ time: Timestamp) throws(NodeStopped) -> [Event] {
        var grant = core.space.reserve(.progress, bytes: Self.footprint([]))
        if grant == nil {
            try prepare()
            grant = core.space.reserve(.progress, bytes: Self.footprint([]))
        }
        guard let grant else { throw NodeStopped(.noSpace) }
        let verdict = relay.decide(command, at: time, random: &random)
        append(verdict.events, texts: [], grant: grant)
        return verdict.events
    }
}

extension SessionRefusal {
    init(_ refusal: Refusal) {
        self.init(code: refusal.code.rawValue, path: refusal.pointer, message: refusal.message)
    }
}
