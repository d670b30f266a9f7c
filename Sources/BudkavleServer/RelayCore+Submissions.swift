import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

/// A submission that has passed everything but the relay's own decision.
struct PreparedSubmission {
    var submission: Submission
    let grant: SpaceGrant
}

/// What became of a submission before the relay decided it.
enum Preparation {
    case ready(PreparedSubmission)
    case known(RelayAnswer)
    case refused(Refusal, Digest)
    case unavailable
}

extension RelayCore {
    /// Bytes that one event of an accepted notification takes at most beside what one grant adds.
    private static let eventBytes = 4096
    private static let grantBytes = 2048
    /// Acknowledgements in one transaction: with its SENDs they stay within the records of one request.
    static let transactionTags = 512

    /// `SEND /notifications`: decode, authorise, route, decide, write; the RECEIPT leaves after the disk.
    ///
    /// - Parameter recalled: what it names, read from disk.
    func submit(
        _ send: SendRequest, at place: RequestPlace, after recalled: [NotificationID: HistoricTrail] = [:]
    ) {
        guard let client = clients[place.connection] else { return }
        guard client.peer.identity.roles.contains(.sender) else { return answer(place, .refused(.forbidden)) }
        switch prepare(send.body, from: client.peer) {
        case .unavailable: refuseAsUnavailable(place)
        case .known(let known): answerWhenDurable(place, wire(known))
        case .refused(let refusal, let digest): refuse(refusal, digest: digest, of: client.peer, at: place)
        case .ready(var prepared):
            if let missing = complete(&prepared.submission, from: recalled) {
                journal.release(prepared.grant)
                return recall(missing, at: place) { core, trail in
                    guard let trail else { return core.answer(place, .refused(.unavailable)) }
                    core.submit(send, at: place, after: recalled.merging([missing: trail]) { $1 })
                }
            }
            decide(prepared, at: place)
        }
    }

    /// Gives a submission what it names and was read from disk.
    ///
    /// - Returns: what must be read first.
    private func complete(
        _ submission: inout Submission, from recalled: [NotificationID: HistoricTrail]
    ) -> NotificationID? {
        let notification = submission.notification
        for id in [notification.supersedes, notification.causationid.flatMap { NotificationID(text: $0) }] {
            guard let id, mustRecall(id) else { continue }
            guard let trail = recalled[id] else { return id }
            submission.recalled[id] = trail.named
        }
        return nil
    }

    private func decide(_ prepared: PreparedSubmission, at place: RequestPlace) {
        let verdict = relay.decide(.submit(prepared.submission), at: clock.now, random: &random)
        guard case .accepted(let id, _) = verdict.answer else {
            journal.release(prepared.grant)
            return answerNow(place, wire(verdict.answer), auditing: verdict.events)
        }
        guard let text = Self.text(of: id, in: verdict.events, prepared) else { return refuseAsUnavailable(place) }
        let isStored = append(
            verdict.events, texts: [text], grant: prepared.grant, urgency: .now,
            then: Waiting(ticket: 0, answers: place.pending(wire(verdict.answer))))
        guard isStored else { return refuseAsUnavailable(place) }
        contents.keep(StoredContent(prepared.submission.notification), as: id)
        noteAvailable()
    }

    /// The content to seal, under the slots that the accepting event names: of two notifications of one new case in a
    /// transaction, the second lies under the case's slot that the first has taken.
    private static func text(
        of id: NotificationID, in events: [Event], _ prepared: PreparedSubmission
    ) -> SealedText? {
        for event in events {
            guard case .accepted(let accepted) = event.body, accepted.notification == id else { continue }
            let slots = [SlotID(rawValue: accepted.caseSlot), SlotID(rawValue: accepted.notificationSlot)]
            return SealedText(id: TextID(id), slots: slots, bytes: prepared.submission.notification.body)
        }
        return nil
    }

    /// Everything before the relay's decision, in the order in which a mistake is told.
    func prepare(_ body: [UInt8], from peer: Peer) -> Preparation {
        guard !isDraining, checkpointStop == nil else { return .unavailable }
        let digest = Digest(sha256Of: body)
        let notification: CaseNotification
        do {
            notification = try decoder.decode(body)
        } catch {
            return answerGiven(to: body, digest, from: peer) ?? .refused(error, digest)
        }
        guard notification.source == peer.identity.party else {
            let refusal = Refusal(
                code: .wrongSource, pointer: "/source", message: "source must be the party of the certificate")
            return .refused(refusal, digest)
        }
        switch relay.known(source: notification.source, id: notification.id, digest: digest) {
        case .same(let id, let sequence): return .known(.duplicate(id, sequence: sequence))
        case .other:
            let refusal = Refusal(
                code: .conflict, pointer: "/id", message: "this id was accepted with other content")
            return .refused(refusal, digest)
        case nil: break
        }
        let decision = policy.decide(notification, at: clock.now)
        if let refusal = decision.refusal { return .refused(refusal, digest) }
        let bytes = AppendRequest.footprint(
            recordBytes: Self.eventBytes + Self.grantBytes * (decision.grants.count + decision.refusals.count),
            recordCount: 1 + decision.grants.count + decision.refusals.count, textBytes: [body.count])
        guard let grant = journal.reserve(.notification, bytes: bytes) else { return .unavailable }
        guard let slot = journal.takeSlot() else {
            journal.release(grant)
            return .unavailable
        }
        let caseSlot: SlotID
        let known = relay.caseSlot(of: notification.subject).map { SlotID(rawValue: $0) }
        // A restored or damaged journal may name a slot that is gone; sealing under it would end the writer.
        let isGone = known.map { !journal.canSeal(under: $0) } ?? false
        if let known, !isGone {
            caseSlot = known
        } else if let fresh = journal.takeSlot() {
            caseSlot = fresh
        } else {
            journal.release(grant)
            return .unavailable
        }
        var submission = Submission(
            notification: notification, digest: digest, party: peer.identity.party, client: peer.identity.client,
            notificationSlot: slot.rawValue, freshCaseSlot: caseSlot.rawValue, decision: decision,
            policy: policy.digest)
        submission.isCaseSlotGone = isGone
        submission.isAnswer = policy.typeDefinition(notification.type)?.isAnswer == true
        return .ready(PreparedSubmission(submission: submission, grant: grant))
    }

    /// The answer that the same bytes had before, when a catalogue or check of now would refuse them.
    private func answerGiven(to body: [UInt8], _ digest: Digest, from peer: Peer) -> Preparation? {
        guard let (source, id) = decoder.identity(of: body), source == peer.identity.party,
            case .same(let notification, let sequence) = relay.known(source: source, id: id, digest: digest)
        else { return nil }
        return .known(.duplicate(notification, sequence: sequence))
    }

    /// A refusal is audited, never stored as an answer: the same id is decided afresh.
    private func refuse(_ refusal: Refusal, digest: Digest, of peer: Peer, at place: RequestPlace) {
        log.write(
            .refused(session: "\(place.connection.rawValue)", party: peer.identity.party, code: refusal.code))
        let audit = RefusedSubmission(
            party: peer.identity.party, client: peer.identity.client, code: refusal.code, digest: digest)
        let events = relay.decide(.refuse(audit), at: clock.now, random: &random).events
        answerNow(place, .refused(SessionRefusal(refusal)), auditing: events)
    }

    /// Gives a refusal to the session at once, so that nothing behind the refused frame is decided; its audit record
    /// follows. A refusal binds nothing and tells of nothing that would have to be on disk.
    func answerNow(_ place: RequestPlace, _ answer: STOMP.Answer, auditing events: [Event]) {
        self.answer(place, answer)
        _ = append(events, texts: [], grant: nil, urgency: .now, then: Waiting(ticket: 0))
    }

    /// Counted, not journaled, but for one record per change of state.
    func refuseAsUnavailable(_ place: RequestPlace) {
        if !isUnavailable, !isDraining {
            isUnavailable = true
            log.write(.storageFull)
            _ = perform(.availability(.unavailable), answers: { _ in [] })
        }
        answer(place, .refused(.unavailable))
    }

    private func noteAvailable() {
        guard isUnavailable else { return }
        isUnavailable = false
        log.write(.storageAvailable)
        _ = perform(.availability(.available), answers: { _ in [] })
    }

    /// The relay's answer as RECEIPT headers or a refusal.
    func wire(_ answer: RelayAnswer) -> STOMP.Answer {
        switch answer {
        case .accepted(let id, let sequence): .receipt(headers(status: "accepted", id, sequence))
        case .duplicate(let id, let sequence): .receipt(headers(status: "duplicate", id, sequence))
        case .done(let sequence): .receipt(["status": "accepted", "position": relay.position(sequence)])
        case .nothing: .receipt(["status": "accepted"])
        case .refused(let refusal): .refused(SessionRefusal(refusal))
        }
    }

    private func headers(status: String, _ id: NotificationID, _ sequence: UInt64) -> Headers {
        ["status": status, "notification": id.text, "position": relay.position(sequence)]
    }

    // MARK: Transactions

    /// `COMMIT`: all frames in one batch, or none. One refusal refuses the whole.
    ///
    /// - Parameter recalled: what its SENDs supersede, as far as it was read from disk.
    func commit(
        _ items: [TransactionItem], at place: RequestPlace, after recalled: [NotificationID: HistoricTrail] = [:]
    ) {
        guard let client = clients[place.connection] else { return }
        var commands: [RelayCommand] = []
        var prepared: [Int: PreparedSubmission] = [:]
        var missing: NotificationID?
        func giveUp(_ answer: STOMP.Answer) {
            for one in prepared.values { journal.release(one.grant) }
            forget(items, from: place.connection)
            self.answer(place, answer)
        }
        for item in items {
            switch item.action {
            case .send(let send):
                guard Destination(send.destination) == .notifications else {
                    return giveUp(.fault(.unknownDestination))
                }
                guard client.peer.identity.roles.contains(.sender) else { return giveUp(.refused(.forbidden)) }
                switch prepare(send.body, from: client.peer) {
                case .ready(var one):
                    if let named = complete(&one.submission, from: recalled) { missing = named }
                    prepared[commands.count] = one
                    commands.append(.submit(one.submission))
                case .known(let known):
                    guard case .duplicate = known else { continue }
                    return giveUp(
                        .refused(
                            .schema("/id", "a notification of this transaction was accepted before, send it alone")))
                case .refused(let refusal, _): return giveUp(.refused(SessionRefusal(refusal)))
                case .unavailable: return giveUp(.refused(.unavailable))
                }
            case .acknowledge, .reject: break
            }
        }
        let tagCount = items.reduce(0) { sum, item in
            switch item.action {
            case .send: sum
            case .acknowledge(let tags), .reject(let tags): sum + tags.count
            }
        }
        guard prepared.count <= JournalLimits.maxTextsPerRequest, tagCount <= Self.transactionTags else {
            return giveUp(.refused(.transactionTooLarge))
        }
        if let missing {
            for one in prepared.values { journal.release(one.grant) }
            return recall(missing, for: items, at: place, after: recalled)
        }
        let rehearsal = relay.decide(transaction: commands, at: clock.now, random: &random)
        if rehearsal.refusedIndex != nil, let answer = rehearsal.answers.first {
            for one in prepared.values { journal.release(one.grant) }
            forget(items, from: place.connection)
            return answerNow(place, wire(answer), auditing: rehearsal.events)
        }
        // Only now, when no SEND was refused, are the acknowledged messages taken out of flight.
        for item in items {
            switch item.action {
            case .send: break
            case .acknowledge(let tags): commands.append(contentsOf: custodyCommands(tags, of: place.connection))
            case .reject(let tags): commands.append(contentsOf: returnCommands(tags, of: place.connection))
            }
        }
        decide(commands, prepared, items, at: place)
    }

    /// Reads what one SEND of a transaction names, and begins with the transaction anew.
    private func recall(
        _ id: NotificationID, for items: [TransactionItem], at place: RequestPlace,
        after recalled: [NotificationID: HistoricTrail]
    ) {
        recall(id, at: place) { core, trail in
            guard let trail else {
                core.forget(items, from: place.connection)
                return core.answer(place, .refused(.unavailable))
            }
            core.commit(items, at: place, after: recalled.merging([id: trail]) { $1 })
        }
    }

    /// The acknowledgements of a transaction that was refused: their messages come again.
    func forget(_ items: [TransactionItem], from id: ConnectionID) {
        for item in items {
            switch item.action {
            case .send: break
            case .acknowledge(let tags), .reject(let tags): giveBack(tags, from: id)
            }
        }
    }

    /// Deliveries of a transaction that could not be stored wait at their desks again.
    private func putBack(_ commands: [RelayCommand]) {
        for command in commands {
            switch command {
            case .custody(let delivery, _):
                if let ticket = relay.openTicket(of: delivery) { dispatch.enqueue(ticket) }
            case .giveBack(let delivery, _): dispatch.handle(.returned(delivery, readyAt: clock.now))
            default: break
            }
        }
        pumpSoon()
    }

    private func decide(
        _ commands: [RelayCommand], _ prepared: [Int: PreparedSubmission], _ items: [TransactionItem],
        at place: RequestPlace
    ) {
        for one in prepared.values { journal.release(one.grant) }
        let verdict = relay.decide(transaction: commands, at: clock.now, random: &random)
        if verdict.refusedIndex != nil, let answer = verdict.answers.first {
            putBack(commands)
            return answerNow(place, wire(answer), auditing: verdict.events)
        }
        var texts: [SealedText] = []
        for (index, one) in prepared.sorted(by: { $0.key < $1.key }) {
            guard case .accepted(let id, _) = verdict.answers[index] else { continue }
            if let text = Self.text(of: id, in: verdict.events, one) { texts.append(text) }
        }
        var sends = prepared.keys.sorted()[...]
        let headers = items.map { item -> Headers in
            guard case .send = item.action, let index = sends.popFirst(),
                case .receipt(let headers) = wire(verdict.answers[index])
            else { return ["status": "accepted"] }
            return headers
        }
        let isStored = append(
            verdict.events, texts: texts, grant: nil, urgency: .now,
            then: Waiting(ticket: 0, answers: place.pending(.committed(headers))))
        guard isStored else {
            putBack(commands)
            return refuseAsUnavailable(place)
        }
        noteAvailable()
        for (index, one) in prepared {
            guard case .accepted(let id, _) = verdict.answers[index] else { continue }
            contents.keep(StoredContent(one.submission.notification), as: id)
        }
    }
}

extension SessionRefusal {
    /// More SENDs or acknowledgements than one request of the journal takes.
    fileprivate static let transactionTooLarge = SessionRefusal(
        code: RefusalCode.tooLarge.rawValue,
        message: "a transaction has at most \(JournalLimits.maxTextsPerRequest) SENDs and "
            + "\(RelayCore.transactionTags) acknowledgements")
}
