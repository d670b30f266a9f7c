import CaseNotifications
import Relay
import Routing
import STOMP

extension RelayCore {
    // MARK: status

    /// What became of one notification: all of it for the party that sent it, the own delivery for one that received it.
    func status(_ asked: JSONValue, _ peer: Peer, _ context: QuestionContext) {
        let identity = peer.identity
        guard !identity.roles.isDisjoint(with: [.sender, .receiver, .responder]) else {
            return refuse(context, .forbidden)
        }
        let own = asked["id"]?.string.flatMap { relay.record(source: identity.party, id: $0) }
        let named = asked["notification"]?.string.flatMap { NotificationID(text: $0) }
        guard let id = named ?? own?.notification else { return refuse(context, .unknown) }
        if let facts = relay.notification(id) {
            let known = KnownHistory(facts: facts, deliveries: relay.deliveries(of: id), receipts: relay.trail(of: id))
            return answerStatus(known, peer, context)
        }
        recall(id, from: own?.notification == id ? own?.sequence : nil, context) { core, trail in
            guard let facts = trail.notification else { return core.refuse(context, .unknown) }
            let known = KnownHistory(facts: facts, deliveries: trail.deliveries, receipts: trail.receipts)
            core.answerStatus(known, peer, context)
        }
    }

    /// What is known about one notification, from memory or from the journal.
    private struct KnownHistory {
        var facts: NotificationFacts
        var deliveries: [DeliveryFacts]
        var receipts: [Receipt]
    }

    private func answerStatus(_ known: KnownHistory, _ peer: Peer, _ context: QuestionContext) {
        let (facts, identity) = (known.facts, peer.identity)
        let isSender = facts.source == identity.party && identity.roles.contains(.sender)
        let deliveries =
            isSender
            ? known.deliveries : known.deliveries.filter { isOwn($0, peer) && identity.desks.contains($0.desk) }
        guard isSender || !deliveries.isEmpty else { return refuse(context, .unknown) }
        var answer = AnswerObject(schema: "status", now: clock.now)
        answer.set("notification", facts.id.text)
        if isSender { answer.set("id", facts.sourceID) }
        answer.set("source", facts.source.text)
        answer.set("type", facts.type.text)
        answer.set("urgency", facts.urgency.text)
        answer.set("accepted", facts.acceptedAt)
        answer.set("drill", facts.isDrill)
        answer.set("deliveries", .array(deliveries.map { describe($0, known) }))
        answer.set("refused", .array(isSender ? refusedParties(known) : []))
        answer.set("complete", deliveries.allSatisfy { isComplete($0, of: facts) })
        answer.set("labels", labels(of: [facts.type]))
        reply(context, answer.value)
    }

    private func refusedParties(_ known: KnownHistory) -> [JSONValue] {
        known.receipts.filter { $0.event == .refused }.map { step in
            var answer = AnswerObject()
            answer.set("party", step.party?.text)
            answer.set("name", step.party.flatMap { name(of: $0, at: step.at) })
            answer.set("code", step.reason?.rawValue)
            answer.set("at", step.at)
            return answer.value
        }
    }

    private func describe(_ delivery: DeliveryFacts, _ known: KnownHistory) -> JSONValue {
        var answer = AnswerObject()
        let name = name(of: delivery.party, at: known.facts.acceptedAt)
        answer.set("party", delivery.party.text)
        answer.set("name", name)
        answer.set("desk", delivery.desk.text)
        answer.set("rule", delivery.shape.rule.text)
        answer.set("state", state(of: delivery))
        if delivery.work != .open { answer.set("outcome", delivery.work.outcome.text) }
        answer.set("acknowledgeby", delivery.acknowledgeBy)
        let steps = known.receipts.filter { $0.party == delivery.party && $0.event != .refused }
        answer.set("steps", .array(steps.map { describe($0, of: name) }))
        return answer.value
    }

    /// The name that a party had at an instant: what happened under an old name is told with it.
    private func name(of party: PartyID, at instant: Timestamp) -> JSONValue? {
        policy.labels(of: party, at: instant).map { ["sv": .string($0.sv), "en": .string($0.en)] }
    }

    /// - Parameter known: the party's name when the notification was accepted; a later one is told with the step.
    private func describe(_ step: Receipt, of known: JSONValue?) -> JSONValue {
        var answer = AnswerObject()
        answer.set("event", step.event.text)
        answer.set("at", step.at)
        answer.set("party", step.party?.text)
        if let name = step.party.flatMap({ name(of: $0, at: step.at) }), name != known { answer.set("name", name) }
        answer.set("desk", step.desk?.text)
        answer.set("role", step.role)
        answer.set("outcome", step.outcome?.text)
        answer.set("step", step.step)
        answer.set("reason", step.reason?.rawValue)
        return answer.value
    }

    private func state(of delivery: DeliveryFacts) -> String {
        if delivery.transport == .held { return "held" }
        if delivery.work != .open { return "acknowledged" }
        if delivery.openedAt != nil { return "opened" }
        return delivery.custodyAt != nil ? "delivered" : "accepted"
    }

    private func isComplete(_ delivery: DeliveryFacts, of facts: NotificationFacts) -> Bool {
        switch delivery.work {
        case .taken, .alreadyKnown: true
        case .open: delivery.acknowledgeBy == nil && delivery.custodyAt != nil
        case .handedOver, .notOurs: false
        }
    }

    // MARK: plan

    /// `send --dry-run`: who would get what. Nothing is stored but the audit of the question.
    func plan(_ body: [UInt8], _ peer: Peer, _ context: QuestionContext) {
        guard peer.identity.roles.contains(.sender) else { return refuse(context, .forbidden) }
        let notification: CaseNotification
        do {
            notification = try decoder.decode(body)
        } catch {
            return refuse(context, SessionRefusal(error))
        }
        guard notification.source == peer.identity.party else {
            return refuse(
                context,
                SessionRefusal(
                    code: RefusalCode.wrongSource.rawValue, path: "/source",
                    message: "source must be the party of the certificate"))
        }
        let decision = policy.decide(notification, at: clock.now)
        let refusalOfCause = decision.refusal == nil ? refusalOfCause(of: notification, decision.grants) : nil
        let refusal = decision.refusal ?? refusalOfCause
        var answer = AnswerObject(schema: "plan", now: clock.now)
        answer.set("policy", policy.digest.hex)
        answer.set("decision", refusal == nil ? "accepted" : "refused")
        answer.set("code", refusal?.code.rawValue)
        if let pointer = refusal?.pointer, !pointer.isEmpty { answer.set("path", pointer) }
        answer.set("urgency", decision.urgency.text)
        answer.set("type", notification.type.text)
        answer.set("labels", labels(of: [notification.type]))
        let grants = refusal == nil ? decision.grants : []
        answer.set("recipients", .array(grants.map { describe($0) }))
        // What is refused for its cause is refused whole, whoever it names.
        let refusals = refusalOfCause == nil ? decision.refusals.filter(\.isReported) : []
        answer.set("refused", .array(refusals.map { describe($0) }))
        audit(peer, verb: "plan", isAllowed: true, code: refusal?.code)
        reply(context, answer.value)
    }

    /// Why it would be refused for its `causationid`; nil also for a cause that only the journal knows: that is read when it
    /// is sent.
    private func refusalOfCause(of notification: CaseNotification, _ grants: [Grant]) -> Refusal? {
        guard let text = notification.causationid else { return nil }
        let id = NotificationID(text: text)
        if let id, mustRecall(id) { return nil }
        return Relay.refusal(
            of: notification, grants: grants, isAnswer: policy.typeDefinition(notification.type)?.isAnswer == true,
            causedBy: id.flatMap { relay.named($0) })
    }

    private func describe(_ grant: Grant) -> JSONValue {
        var answer = AnswerObject()
        answer.set("party", grant.party.text)
        answer.set("desk", grant.desk.text)
        answer.set("agent", grant.agent?.text)
        answer.set("rule", grant.rule.text)
        answer.set("effect", grant.effect.rawValue)
        answer.set("basis", grant.basis)
        answer.set("marking", grant.marking)
        answer.set("acknowledgeby", grant.acknowledgeBy)
        answer.set("attributes", grant.attributes)
        answer.set("fields", grant.fields)
        answer.set("strict", grant.isStrict)
        return answer.value
    }

    private func describe(_ refusal: PartyRefusal) -> JSONValue {
        var answer = AnswerObject()
        answer.set("party", refusal.party.text)
        answer.set("code", refusal.code.rawValue)
        answer.set("rule", refusal.rule?.text)
        let missing = refusal.reasons.flatMap { reason -> [String] in
            switch reason.kind {
            case .affirmationsMissing(let names): names
            case .consentMissing(let givers): givers
            default: []
            }
        }
        if !missing.isEmpty { answer.set("missing", missing) }
        return answer.value
    }
}

extension Work {
    /// The outcome that receipts and lists show for this state; an open delivery has none and is never asked.
    var outcome: Outcome {
        switch self {
        case .taken: .taken
        case .alreadyKnown: .alreadyKnown
        case .handedOver: .handedOver
        case .notOurs, .open: .notOurs
        }
    }
}
