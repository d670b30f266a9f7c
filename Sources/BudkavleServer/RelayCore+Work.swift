import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

extension RelayCore {
    /// `SEND /openings`: a station reports that a named person of its party opened a notification.
    func open(_ send: SendRequest, at place: RequestPlace) {
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
        carryOut(.open(opening), at: place)
    }

    /// `SEND /acknowledgements`: a person, or a station that names one, says what becomes of a notification.
    ///
    /// - Parameter recalled: the earlier notification that it names, read from disk.
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
        guard let act = act(of: request, by: speaker.actor) else {
            return answer(place, .refused(.schema("/to", "no desk or role of the responsible party has this name")))
        }
        if case .alreadyKnown(let earlier) = act, recalled == nil, mustRecall(earlier) {
            return recall(earlier, at: place) { core, trail in
                guard let trail else { return core.answer(place, .refused(.unavailable)) }
                core.acknowledge(send, at: place, after: trail)
            }
        }
        var acknowledgement = Acknowledgement(
            notification: request.notification, actor: speaker.actor, person: speaker.person, role: speaker.role,
            act: act, at: request.at)
        acknowledgement.earlierParties = recalled?.deliveries.map(\.party) ?? []
        guard let note = request.note, !note.isEmpty else { return carryOut(.acknowledge(acknowledgement), at: place) }
        guard let slot = journal.takeSlot() else { return refuseAsUnavailable(place) }
        acknowledgement.noteSlot = slot.rawValue
        let text = SealedText(id: TextID(noteSlot: slot.rawValue), slots: [slot], bytes: Array(note.utf8))
        carryOut(.acknowledge(acknowledgement), texts: [text], at: place)
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
        if case .refused(let refusal) = answer, refusal.code == .noRule { return .refused(.unknown) }
        return wire(answer)
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

    private func act(of request: AcknowledgementRequest, by actor: Actor) -> Act? {
        switch request.outcome {
        case .taken: return .taken
        case .alreadyKnown: return request.earlier.map { .alreadyKnown(earlier: $0) }
        case .notOurs: return .notOurs(municipality: request.municipality)
        case .recused: return .recused
        case .handedOver:
            guard let to = request.to else { return nil }
            return handOverTarget(to, of: request.notification, by: actor).map { .handedOver(to: $0) }
        }
    }

    /// Resolves the name of a desk or of a role at the party that is responsible for this delivery.
    private func handOverTarget(_ name: String, of id: NotificationID, by actor: Actor) -> HandOverTarget? {
        guard case .delivery(let delivery) = relay.sight(of: id, for: actor), let facts = relay.delivery(delivery)
        else {
            // Whoever has no sight is told so by the relay, not by a missing desk.
            return HandOverTarget(party: actor.party, desk: actor.desks.first ?? DeskID(unchecked: name), role: nil)
        }
        if let desk = DeskID(name), let owner = policy.owner(of: desk) {
            return HandOverTarget(party: owner, desk: desk, role: nil)
        }
        guard policy.hasFunction(name, party: facts.party) else { return nil }
        let desk = policy.desks(of: facts.party).first { desk in
            policy.people(at: desk).contains { $0.function == name }
        }
        return desk.map { HandOverTarget(party: facts.party, desk: $0, role: name) }
    }
}

/// A person who does something with a notification, by the client that says so.
private struct Speaker {
    let actor: Actor
    let person: PersonID
    let role: String
}
