import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

extension RelayCore {
    /// `SEND /openings`: a station reports that a named person of its party opened a notification.
    ///
    /// - Parameter recalled: the notification, read from disk.
    func open(_ send: SendRequest, at place: RequestPlace, after recalled: HistoricTrail? = nil) {
        guard let client = clients[place.connection] else { return }
        let request: OpeningRequest
        do {
            request = try OpeningRequest(json: send.body)
        } catch {
            return answer(place, .refused(SessionRefusal(error)))
        }
        guard let speaker = speaker(client, person: request.person, role: request.role) else {
            return answer(place, .refused(.forbidden))
        }
        let opening = Opening(
            notification: request.notification, actor: speaker.actor, person: speaker.person, role: speaker.role,
            at: request.at)
        if let recalled {
            return answerStored(recalled.storedAnswer(to: opening), at: place)
        }
        if mustRecall(request.notification) {
            return recall(request.notification, at: place) { core, trail in
                guard let trail else { return core.answer(place, .refused(.unavailable)) }
                core.open(send, at: place, after: trail)
            }
        }
        carryOut(.open(opening), at: place)
    }

    /// Of a notification that has left memory only what was carried out before is answered as then.
    private func answerStored(_ stored: RelayAnswer?, at place: RequestPlace) {
        answerWhenDurable(place, stored.map(workAnswer) ?? .refused(.unknown))
    }

    /// `SEND /acknowledgements`: a person, or a station that names one, says what becomes of a notification.
    ///
    /// - Parameter recalled: the notification, or the earlier one that it names, read from disk.
    func acknowledge(_ send: SendRequest, at place: RequestPlace, after recalled: HistoricTrail? = nil) {
        guard let client = clients[place.connection] else { return }
        let request: AcknowledgementRequest
        do {
            request = try AcknowledgementRequest(json: send.body)
        } catch {
            return answer(place, .refused(SessionRefusal(error)))
        }
        guard let speaker = speaker(client, person: request.person, role: request.role) else {
            return answer(place, .refused(.forbidden))
        }
        let history = recalled?.id == request.notification ? recalled : nil
        if history == nil, mustRecall(request.notification) {
            return recall(request.notification, for: send, at: place)
        }
        guard let act = act(of: request, by: speaker.actor, in: history) else {
            return answer(place, .refused(.schema("/to", "no desk or role of the responsible party has this name")))
        }
        var acknowledgement = Acknowledgement(
            notification: request.notification, actor: speaker.actor, person: speaker.person, role: speaker.role,
            act: act, at: request.at)
        if let history { return answerStored(history.storedAnswer(to: acknowledgement), at: place) }
        if case .alreadyKnown(let earlier) = act, recalled == nil, mustRecall(earlier) {
            return recall(earlier, for: send, at: place)
        }
        acknowledgement.earlierParties = recalled?.deliveries.map(\.party) ?? []
        guard let note = request.note, !note.isEmpty else { return carryOut(.acknowledge(acknowledgement), at: place) }
        guard let slot = journal.takeSlot() else { return refuseAsUnavailable(place) }
        acknowledgement.noteSlot = slot.rawValue
        let text = SealedText(id: TextID(noteSlot: slot.rawValue), slots: [slot], bytes: Array(note.utf8))
        carryOut(.acknowledge(acknowledgement), texts: [text], at: place)
    }

    private func recall(_ id: NotificationID, for send: SendRequest, at place: RequestPlace) {
        recall(id, at: place) { core, trail in
            guard let trail else { return core.answer(place, .refused(.unavailable)) }
            core.acknowledge(send, at: place, after: trail)
        }
    }

    private func carryOut(_ command: RelayCommand, texts: [SealedText] = [], at place: RequestPlace) {
        let verdict = relay.decide(command, at: clock.now, random: &random)
        if case .refused = verdict.answer {
            return answerNow(place, workAnswer(verdict.answer), auditing: verdict.events)
        }
        let following = Waiting(ticket: 0, answers: place.pending(workAnswer(verdict.answer)))
        let stored = verdict.events.isEmpty ? [] : texts
        if !append(verdict.events, texts: stored, grant: nil, urgency: .now, then: following) {
            refuseAsUnavailable(place)
        }
    }

    /// For an acknowledgement somebody without sight gets the answer for an unknown notification.
    private func workAnswer(_ answer: RelayAnswer) -> STOMP.Answer {
        guard case .refused(let refusal) = answer else { return wire(answer) }
        if refusal.code == .noRule { return .refused(.unknown) }
        return .refused(refusal == .erasedUnread ? .erasedUnread : SessionRefusal(refusal))
    }

    /// Who speaks, and as what: the certificate's own person, or one whom a station may name.
    private func speaker(_ client: ClientState, person: PersonID?, role: String?) -> Speaker? {
        let identity = client.peer.identity
        var actor = client.actor
        if let own = identity.person {
            let function = identity.function ?? "responder"
            guard identity.roles.contains(.responder), person == nil || person == own, role == nil || role == function
            else { return nil }
            actor.role = function
            return Speaker(actor: actor, person: own, role: function)
        }
        guard identity.speaksForPeople, identity.roles.contains(.receiver), let person, let role,
            policy.hasFunction(role, party: identity.party)
        else { return nil }
        actor.person = person
        actor.role = role
        return Speaker(actor: actor, person: person, role: role)
    }

    private func act(of request: AcknowledgementRequest, by actor: Actor, in history: HistoricTrail?) -> Act? {
        switch request.outcome {
        case .taken: return .taken
        case .alreadyKnown: return request.earlier.map { .alreadyKnown(earlier: $0) }
        case .notOurs: return .notOurs(municipality: request.municipality)
        case .recused: return .recused
        case .handedOver:
            guard let to = request.to else { return nil }
            return handOverTarget(to, of: request.notification, by: actor, in: history).map { .handedOver(to: $0) }
        }
    }

    /// Resolves the name of a desk or of a role at the party that is responsible for this delivery.
    ///
    /// For whoever does not see it the relay decides: it knows what he did while he saw it, and refuses everything else.
    private func handOverTarget(
        _ name: String, of id: NotificationID, by actor: Actor, in history: HistoricTrail?
    ) -> HandOverTarget? {
        if let desk = DeskID(name), let owner = policy.owner(of: desk) {
            return HandOverTarget(party: owner, desk: desk, role: nil)
        }
        var deliveries = history?.deliveries ?? relay.deliveries(of: id)
        var unseen: HandOverTarget?
        if case .delivery(let delivery) = history?.sight(for: actor) ?? relay.sight(of: id, for: actor) {
            deliveries.removeAll { $0.id != delivery }
        } else {
            unseen = HandOverTarget(party: actor.party, desk: actor.desks.first ?? DeskID(unchecked: name), role: nil)
        }
        for party in deliveries.map(\.party) where policy.hasFunction(name, party: party) {
            let desk = policy.desks(of: party).first { desk in
                policy.people(at: desk).contains { $0.function == name }
            }
            if let desk { return HandOverTarget(party: party, desk: desk, role: name) }
        }
        return unseen
    }
}

/// A person who does something with a notification, by the client that says so.
private struct Speaker {
    let actor: Actor
    let person: PersonID
    let role: String
}

extension SessionRefusal {
    /// Nobody can take what nobody can read: the same code as the answer to who wants to open it.
    static let erasedUnread = SessionRefusal(
        code: erased.code, path: Refusal.erasedUnread.pointer, message: Refusal.erasedUnread.message)
}
