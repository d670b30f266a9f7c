import CaseNotifications
import Relay
import Routing
import STOMP

extension RelayCore {
    /// `SEND /admin/dead-letters`: deliveries that were set aside after their last attempt, oldest first.
    ///
    /// An administrator sees ids, desks and times. Of a protected delivery the id and the time only: the desk would tell
    /// which board or agency protects somebody.
    func deadLetters(_ asked: JSONValue, _ context: QuestionContext) {
        if let refusal = unknownMember(asked, ["limit"]) { return refuse(context, refusal) }
        let limit = asked["limit"].map { $0.integer ?? 0 } ?? Int64(Self.itemLimit)
        guard (1...Int64(Self.itemLimit)).contains(limit) else {
            return refuse(context, .schema("/limit", "limit must be 1 to \(Self.itemLimit)"))
        }
        let found = relay.setAside(limit: Int(limit) + 1)
        var answer = AnswerObject(schema: "dead-letters", now: clock.now)
        answer.set("deliveries", .array(found.prefix(Int(limit)).map { deadLetter($0) }))
        answer.set("more", found.count > Int(limit))
        reply(context, answer.value)
    }

    private func deadLetter(_ delivery: DeliveryFacts) -> JSONValue {
        var answer = AnswerObject()
        answer.set("delivery", delivery.id.text)
        if relay.notification(delivery.id.notification)?.isProtected == false {
            answer.set("desk", delivery.desk.text)
            answer.set("urgency", delivery.urgency.text)
        }
        answer.set("since", setAsideAt(delivery))
        return answer.value
    }

    /// When it was set aside: the party's own receipt about it says so.
    private func setAsideAt(_ delivery: DeliveryFacts) -> Timestamp? {
        relay.trail(of: delivery.id.notification).last { step in
            step.party == delivery.party && step.event == .escalated && step.step == "set-aside"
        }?.at
    }

    /// `SEND /admin/requeue`: gives one dead letter, or all of a desk, to stations again.
    func requeue(_ asked: JSONValue, _ client: ClientState, _ context: QuestionContext) {
        if let refusal = unknownMember(asked, ["delivery", "desk"]) { return refuse(context, refusal) }
        let chosen: [DeliveryID]
        switch (asked["delivery"], asked["desk"]) {
        case (let name?, nil):
            guard let id = name.string.flatMap({ DeliveryID(text: $0) }) else {
                return refuse(context, .schema("/delivery", "an id as dead-letters lists it is needed"))
            }
            guard relay.delivery(id)?.transport == .setAside else { return refuse(context, .unknown) }
            chosen = [id]
        case (nil, let name?):
            guard let desk = name.string.flatMap({ DeskID($0) }) else {
                return refuse(context, .schema("/desk", "the id of a desk is needed"))
            }
            chosen = relay.setAside(limit: .max).filter { $0.desk == desk }.prefix(Self.itemLimit).map(\.id)
            // A desk that the policy has no longer may have dead letters all the same.
            guard !chosen.isEmpty || policy.owner(of: desk) != nil else { return refuse(context, .unknown(desk)) }
        default: return refuse(context, .schema("", "name a delivery or a desk"))
        }
        for id in chosen {
            guard perform(.requeue(id, by: client.actor), answers: { _ in [] }) != nil else {
                return answerUnavailable(context)
            }
        }
        var answer = AnswerObject(schema: "requeue", now: clock.now)
        answer.set("requeued", chosen.count)
        reply(context, answer.value)
    }
}

extension SessionRefusal {
    /// No desk of this policy: to an administrator, who sees all of them, it is named.
    fileprivate static func unknown(_ desk: DeskID) -> SessionRefusal {
        SessionRefusal(code: unknown.code, path: "/desk", message: "there is no desk \(desk.text)")
    }
}
