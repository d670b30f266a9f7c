import CaseNotifications
import EventLoop
import Journal
import Relay
import Routing
import STOMP

/// What an administrator may ask for (protocol.md, Administration).
enum AdministrationVerb: String {
    case reload, drain, undrain, clock, disconnect, requeue, keys, erase, backup, salvage
    case deadLetters = "dead-letters"
}

/// What concerns the whole daemon and not one collaboration. On the loop.
protocol Administering: AnyObject, Sendable {
    /// Reads, checks and activates the configuration anew; `done` comes back on the loop.
    ///
    /// - Parameter actor: who asked for it, as the journal names him.
    func reload(by actor: Actor, _ done: @escaping @Sendable (ReloadOutcome) -> Void)
    /// Stops or starts accepting notifications.
    func drain(_ isDraining: Bool)
    /// Whether the daemon is draining.
    var isDraining: Bool { get }
    /// Reads the master key files that budkavled.yaml names now for a collaboration; `done` comes back on the loop.
    func readKeysAgain(
        of collaboration: CollaborationID, _ done: @escaping @Sendable (Result<KeyRing, StoreRefusal>) -> Void)
}

/// What a reload came to.
struct ReloadOutcome: Sendable {
    var isActivated: Bool
    var hasChanged: Bool
    var policies: [(CollaborationID, Digest)]
    /// Each a JSON object as Settings writes it.
    var diagnostics: [String]
    var failedExamples: [String]
    /// Why it was refused for another cause than mistakes in policies, a sentence each.
    var reasons: [String] = []
    /// Sessions that had lost their right by it.
    var sessionsCut = 0
}

extension RelayCore {
    /// Longest step of the simulated clock: a year.
    private static let longestAdvanceSeconds: Int64 = 31_536_000
    /// What the records of one part of a policy take besides its text, and how many they are at most.
    private static let activationBytes = 1_024
    private static let activationRecords = 4

    /// `SEND /admin/<verb>`: audited, allowed or not.
    func administer(_ verb: AdministrationVerb, _ send: SendRequest, at place: RequestPlace) {
        guard let client = clients[place.connection] else { return }
        let peer = client.peer
        let isAllowed = peer.identity.roles.contains(.administrator)
        audit(peer, verb: verb.rawValue, isAllowed: isAllowed, code: nil)
        log.write(
            .administration(verb: verb.rawValue, by: peer.identity.logName, allowed: isAllowed))
        let token: String? =
            if let replyTo = send.replyTo, case .replies(let token)? = Destination(replyTo) { token } else { nil }
        let context = QuestionContext(
            connection: place.connection, order: place.order, receipt: place.receipt ?? "", token: token)
        guard isAllowed else { return refuse(context, .forbidden) }
        guard let asked = send.body.isEmpty ? [:] : try? JSONValue(parsing: send.body), asked.object != nil else {
            return refuse(context, .schema("", "the body is not one JSON object"))
        }
        switch verb {
        case .reload: reload(by: client.actor, context)
        case .drain: drain(true, context)
        case .undrain: drain(false, context)
        case .clock: clock(asked, client, context)
        case .disconnect: disconnect(asked, context)
        case .deadLetters: deadLetters(asked, context)
        case .requeue: requeue(asked, client, context)
        case .keys, .erase, .backup, .salvage: store(verb, asked, client, context)
        }
    }

    /// Writes an audit record; it does not hold up the answer.
    func audit(_ peer: Peer, verb: String, isAllowed: Bool, code: RefusalCode?) {
        let actor = Actor(
            party: peer.identity.party, client: peer.identity.client, person: peer.identity.person,
            role: peer.identity.function, desks: [])
        audit(actor, verb: verb, isAllowed: isAllowed, code: code)
    }

    /// The same for who has no session.
    func audit(_ actor: Actor, verb: String, isAllowed: Bool = true, code: RefusalCode? = nil) {
        _ = perform(.audit(AuditNote(actor: actor, verb: verb, isAllowed: isAllowed, code: code)), answers: { _ in [] })
    }

    // MARK: reload

    private func reload(by actor: Actor, _ context: QuestionContext) {
        guard let administration else { return answerUnavailable(context) }
        administration.reload(by: actor) { [self] outcome in
            // SAFETY: the daemon calls back on the loop's thread, which is this actor's executor.
            self.assumeIsolated { $0.reloaded(outcome, context) }
        }
    }

    private func reloaded(_ outcome: ReloadOutcome, _ context: QuestionContext) {
        var answer = AnswerObject(schema: "reload", now: clock.now)
        answer.set("activated", outcome.isActivated)
        answer.set("changed", outcome.hasChanged)
        let policies = outcome.policies.map { collaboration, digest in
            var policy = AnswerObject()
            policy.set("collaboration", collaboration.text)
            policy.set("digest", digest.hex)
            return policy.value
        }
        answer.set("policies", .array(policies))
        let diagnostics = outcome.diagnostics.compactMap { try? JSONValue(parsing: Array($0.utf8)) }
        answer.set("diagnostics", .array(diagnostics))
        answer.set("failedexamples", outcome.failedExamples)
        answer.set("reasons", outcome.reasons)
        answer.set("cut", outcome.sessionsCut)
        reply(context, answer.value)
    }

    /// Space in the journal for the record of a policy's activation.
    ///
    /// - Returns: nil when there is none, or when it takes more than one request to the journal; then the policy cannot go into force. What is not used is given back.
    func spaceForActivation(of policy: Policy) -> SpaceGrant? {
        let parts = PolicyActivation.all(digest: policy.digest, text: policy.canonicalText)
        let bytes = parts.reduce(0) { $0 + $1.text.count + Self.activationBytes }
        guard bytes <= JournalLimits.maxRequestBytes else { return nil }
        let footprint = AppendRequest.footprint(
            recordBytes: bytes, recordCount: Self.activationRecords * parts.count, textBytes: [])
        return journal.reserve(.progress, bytes: footprint)
    }

    /// A policy that was loaded and checked whole goes into force: recorded with who did it, and everything that waits is
    /// judged again. The caller judges every live session again.
    ///
    /// - Parameter space: for its record, granted before any collaboration's policy of this reload went into force.
    func activate(_ policy: Policy, by actor: Actor, in space: SpaceGrant) {
        let parts = PolicyActivation.all(digest: policy.digest, text: policy.canonicalText, by: actor)
        let events = relay.decide(transaction: parts.map { .activate($0) }, at: clock.now, random: &random).events
        guard append(events, texts: [], grant: space, urgency: .now, then: Waiting(ticket: 0)) else {
            preconditionFailure("space for an activation is granted before it")
        }
        self.policy = policy
        decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        log.write(
            .policyActivated(collaboration: collaboration, digest: policy.digest.hex, by: actor.client.text))
        beginReview()
        watchAgreements()
    }

    func record(policy: Policy, by actor: Actor?) {
        for part in PolicyActivation.all(digest: policy.digest, text: policy.canonicalText, by: actor) {
            _ = perform(.activate(part), answers: { _ in [] })
        }
    }

    // MARK: drain, disconnect

    private func drain(_ isDraining: Bool, _ context: QuestionContext) {
        administration?.drain(isDraining)
        var answer = AnswerObject(schema: "drain", now: clock.now)
        answer.set("draining", isDraining)
        answer.set("sessions", clients.count)
        answer.set("unacknowledged", clients.values.reduce(0) { $0 + $1.inFlight.count })
        reply(context, answer.value)
    }

    private func disconnect(_ asked: JSONValue, _ context: QuestionContext) {
        let session = asked["session"]?.string
        let party = asked["party"]?.string
        let name = asked["client"]?.string
        guard session != nil || party != nil else {
            return refuse(context, .schema("", "name a session or a party"))
        }
        let chosen = clients.values.filter { client in
            if let session { return client.connection.sessionID == session }
            return client.peer.identity.party.text == party
                && (name == nil || client.peer.identity.client.text == name)
        }
        let refusal = SessionRefusal(code: "disconnected", message: "an administrator ended this session")
        var answer = AnswerObject(schema: "disconnect", now: clock.now)
        answer.set("disconnected", chosen.count)
        reply(context, answer.value)
        for client in chosen {
            // SAFETY: connections of this core live on its loop.
            client.connection.assumeIsolated { $0.end(refusal) }
        }
    }

    // MARK: clock

    private func clock(_ asked: JSONValue, _ client: ClientState, _ context: QuestionContext) {
        if let advance = asked["advance"] {
            guard clock.isSimulated else { return refuse(context, .forbidden) }
            guard let seconds = advance.integer, (1...Self.longestAdvanceSeconds).contains(seconds) else {
                return refuse(context, .schema("/advance", "seconds, 1 to \(Self.longestAdvanceSeconds)"))
            }
            let target = clock.now.advanced(bySeconds: seconds)
            guard perform(.clock(.advanced(to: target, by: client.actor)), answers: { _ in [] }) != nil else {
                return answerUnavailable(context)
            }
            clock.set(to: target)
            doWhatIsDue()
            pumpSoon()
        }
        var answer = AnswerObject(schema: "clock", now: clock.now)
        answer.set("simulated", clock.isSimulated)
        if let speed = policy.clock?.speed { answer.set("speed", .integer(Int64(speed))) }
        reply(context, answer.value)
    }

    /// Every 10 s the time that a simulated clock has reached becomes a record, so that a restart goes on from it.
    func recordClock() {
        guard clock.isSimulated else { return }
        _ = perform(.clock(.reached(clock.now)), answers: { _ in [] })
        _ = loop.schedule(after: .seconds(10)) { [weak self] in
            // SAFETY: timers run on the loop's thread, which is this actor's executor.
            self?.assumeIsolated { $0.recordClock() }
        }
    }

    // MARK: sessions, queues

    func sessions() -> JSONValue {
        let list = clients.values.sorted { $0.connection.id < $1.connection.id }.map { client in
            var answer = AnswerObject()
            answer.set("session", client.connection.sessionID)
            answer.set("party", client.peer.identity.party.text)
            answer.set("client", client.peer.identity.client.text)
            // SAFETY: connections of this core live on its loop.
            answer.set("stomp", client.connection.assumeIsolated { $0.stompVersion })
            answer.set("transport", client.peer.transport)
            answer.set("since", client.peer.openedAt)
            answer.set("subscriptions", client.subscriptions.count)
            answer.set("unacknowledged", client.inFlight.count)
            return answer.value
        }
        var answer = AnswerObject(schema: "sessions", now: clock.now)
        answer.set("sessions", .array(list))
        return answer.value
    }
}
