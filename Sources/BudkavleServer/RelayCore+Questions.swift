import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

/// The questions that a client may ask (protocol.md, Questions).
enum Question: String {
    case inbox, notification, status, plan, proof, sessions, queues, schema
}

extension RelayCore {
    /// Most items in one answer.
    static let itemLimit = 500
    private static let itemDefault: Int64 = 200

    /// `SEND /queries/<name>`: the answer is a MESSAGE on the `reply-to` of this connection, then the RECEIPT.
    func ask(_ question: Question, _ send: SendRequest, at place: RequestPlace) {
        guard let client = clients[place.connection] else { return }
        guard let receipt = place.receipt, let replyTo = send.replyTo,
            case .replies(let token)? = Destination(replyTo)
        else { return answer(place, .refused(.schema("", "reply-to and receipt are needed"))) }
        let context = QuestionContext(
            connection: place.connection, order: place.order, receipt: receipt, token: token)
        if question == .plan { return plan(send.body, client.peer, context) }
        let asked: JSONValue
        do {
            asked = send.body.isEmpty ? [:] : try JSONValue(parsing: send.body)
            guard asked.object != nil else { throw SessionRefusal.schema("", "not an object") }
        } catch {
            return answer(place, .refused(.schema("", "the body is not one JSON object")))
        }
        switch question {
        case .inbox: inbox(asked, client.peer, context)
        case .notification: notification(asked, client, context)
        case .status: status(asked, client.peer, context)
        case .schema: schema(asked, context)
        case .proof: proof(asked, client, context)
        case .sessions, .queues:
            guard client.peer.identity.roles.contains(.administrator) else { return refuse(context, .forbidden) }
            reply(context, question == .sessions ? sessions() : queues())
        case .plan: break
        }
    }

    // MARK: Replying

    /// Sends the answer when everything that was decided so far is on disk, and the RECEIPT behind it.
    func reply(_ context: QuestionContext, _ answer: JSONValue) { reply(context, bytes: answer.bytes) }

    func reply(_ context: QuestionContext, bytes: [UInt8]) {
        let waiting = clients[context.connection]?.replyBytes ?? 0
        guard waiting + bytes.count <= ClientState.replyLimitBytes || waiting == 0 else {
            return refuse(
                context, SessionRefusal(code: "limit", message: "limit unread answers, read them before asking more"))
        }
        clients[context.connection]?.replyBytes += bytes.count
        enqueue(Waiting(ticket: 0, completion: .reply(context, bytes)))
    }

    func deliverReply(_ context: QuestionContext, _ bytes: [UInt8]) {
        guard let client = clients[context.connection] else { return }
        clients[context.connection]?.replyBytes -= bytes.count
        if let token = context.token {
            let key = client.subscriptions.first { _, subscription in
                if case .replies(token) = subscription.kind { true } else { false }
            }?.key
            guard let key else {
                return refuse(context, .schema("", "this connection has not subscribed to its reply-to"))
            }
            var message = OutgoingMessage(contentType: "application/json", body: bytes)
            message.query = context.receipt
            // SAFETY: connections of this core live on its loop.
            _ = client.connection.assumeIsolated { $0.deliver(message, to: key, tag: 0) }
        }
        answer(
            PendingAnswer(
                connection: context.connection, order: context.order, answer: .receipt(["status": "accepted"])))
    }

    func refuse(_ context: QuestionContext, _ refusal: SessionRefusal) {
        answer(PendingAnswer(connection: context.connection, order: context.order, answer: .refused(refusal)))
    }

    func answerUnavailable(_ context: QuestionContext) { refuse(context, .unavailable) }

    /// The members of `asked` must be among these.
    func unknownMember(_ asked: JSONValue, _ names: Set<String>) -> SessionRefusal? {
        let isKnown = asked.object?.names.allSatisfy { names.contains($0) } ?? false
        return isKnown ? nil : .schema("", "unknown member, known ones are \(names.sorted().joined(separator: " "))")
    }

    // MARK: inbox

    private func inbox(_ asked: JSONValue, _ peer: Peer, _ context: QuestionContext) {
        let identity = peer.identity
        guard identity.roles.contains(.receiver) || identity.roles.contains(.responder) else {
            return refuse(context, .forbidden)
        }
        if let refusal = unknownMember(asked, ["desk", "limit"]) { return refuse(context, refusal) }
        let limit = asked["limit"].map { $0.integer ?? 0 } ?? Self.itemDefault
        guard (1...Int64(Self.itemLimit)).contains(limit) else {
            return refuse(context, .schema("/limit", "limit must be 1 to \(Self.itemLimit)"))
        }
        var desks = identity.desks
        if let name = asked["desk"] {
            guard let desk = name.string.flatMap({ DeskID($0) }), desks.contains(desk) else {
                return refuse(context, .unknown)
            }
            desks = [desk]
        }
        let (items, more) = openItems(at: desks, limit: Int(limit), peer)
        var answer = AnswerObject(schema: "inbox", now: clock.now)
        answer.set("party", identity.party.text)
        answer.set("desks", desks.map(\.text))
        answer.set("items", .array(items.map { item($0) }))
        answer.set("more", more)
        answer.set("labels", labels(of: items.map(\.notification.type)))
        reply(context, answer.value)
    }

    /// Open items of these desks that this client may see, by urgency class, then deadline, then age.
    func openItems(at desks: [DeskID], limit: Int, _ peer: Peer) -> (items: [InboxItem], more: Bool) {
        var items = desks.flatMap { relay.inbox(of: $0, limit: limit + 1) }
        let found = items.count
        items.removeAll { !maySee($0.delivery, peer) }
        items.sort { left, right in
            let one = (left.notification.urgency, left.delivery.acknowledgeBy ?? .distantFuture)
            let other = (right.notification.urgency, right.delivery.acknowledgeBy ?? .distantFuture)
            return one != other ? one < other : left.notification.sequence < right.notification.sequence
        }
        return (Array(items.prefix(limit)), items.count > limit || found > limit)
    }

    /// Whether a delivery may stand in a list of this client: its own party's or one it is agent for, not one that it
    /// handed over or from which this person has recused himself.
    func maySee(_ delivery: DeliveryFacts, _ peer: Peer) -> Bool {
        guard isOwn(delivery, peer) else { return false }
        let identity = peer.identity
        guard let person = identity.person else { return true }
        let actor = Actor(
            party: identity.party, client: identity.client, person: person, role: nil, desks: identity.desks)
        return relay.sight(of: delivery.id.notification, for: actor) != .recused
    }

    // MARK: notification

    private func notification(_ asked: JSONValue, _ client: ClientState, _ context: QuestionContext) {
        let identity = client.peer.identity
        guard let person = identity.person, identity.roles.contains(.responder) else {
            return refuse(context, .forbidden)
        }
        if let refusal = unknownMember(asked, ["notification"]) { return refuse(context, refusal) }
        guard let id = asked["notification"]?.string.flatMap({ NotificationID(text: $0) }) else {
            return refuse(context, .schema("/notification", "the relay's id of 26 characters is needed"))
        }
        guard relay.notification(id) != nil else { return showHistoric(id, client, context) }
        open(id, person, context)
    }

    /// A person opens what is his to see. Only what can be shown is recorded as opened, so it is read and judged first.
    func open(_ id: NotificationID, _ person: PersonID, _ context: QuestionContext) {
        guard let client = clients[context.connection],
            case .delivery(let seen) = relay.sight(of: id, for: client.actor)
        else { return refuse(context, .unknown) }
        switch relay.contentState(of: id) {
        case .erased: return refuse(context, .erased)
        case .unreadable: return refuse(context, .unreadable)
        case .stored, nil: break
        }
        guard let content = contents.cached(id) else { return read(id, for: .opening(person, context)) }
        judge(seen, content)
        // It may be held by then, or have moved to where this person does not work.
        guard case .delivery(let delivery) = relay.sight(of: id, for: client.actor),
            let facts = relay.delivery(delivery)
        else { return refuse(context, .unknown) }
        guard permitted(facts, content) != nil else {
            // For want of space to hold or move it nothing was decided: it may be asked for again.
            return rights.unjudged.contains(delivery) ? answerUnavailable(context) : refuse(context, .unknown)
        }
        let role = client.peer.identity.function ?? "responder"
        let opening = Opening(notification: id, actor: client.actor, person: person, role: role, at: nil)
        let verdict = relay.decide(.open(opening), at: clock.now, random: &random)
        if case .refused = verdict.answer { return refuse(context, .unknown) }
        let following = Waiting(ticket: 0, completion: .show(delivery, context))
        if !append(verdict.events, texts: [], grant: nil, urgency: .now, then: following) {
            answerUnavailable(context)
        }
    }

    /// `opened` is on disk: the content may leave.
    func show(_ delivery: DeliveryID, _ context: QuestionContext) {
        if relay.contentState(of: delivery.notification) == .erased { return refuse(context, .erased) }
        guard let notification = contents.cached(delivery.notification) else {
            guard contents.location(of: delivery.notification) != nil else { return refuse(context, .unknown) }
            return read(delivery.notification, for: .show(delivery, context))
        }
        guard let facts = relay.delivery(delivery), let about = relay.notification(delivery.notification),
            let attributes = relay.attributes(of: delivery)
        else { return refuse(context, .unknown) }
        guard let permitted = permitted(facts, notification) else { return refuse(context, .unknown) }
        reply(context, notification, about, permitted, attributes)
    }

    // MARK: schema

    private func schema(_ asked: JSONValue, _ context: QuestionContext) {
        if let refusal = unknownMember(asked, ["type"]) { return refuse(context, refusal) }
        var types = policy.catalogue.types.values.sorted { $0.type < $1.type }
        if let name = asked["type"] {
            types.removeAll { $0.type.text != name.string }
            guard !types.isEmpty else { return refuse(context, .unknown) }
        }
        var answer = AnswerObject(schema: "schema", now: clock.now)
        answer.set("policy", policy.digest.hex)
        answer.set("collaboration", collaboration.text)
        answer.set("mode", policy.mode == .exercise ? "exercise" : "production")
        answer.set("types", .array(types.map { describe($0) }))
        answer.set("parties", policy.parties.map(\.id.text))
        answer.set("circumstances", policy.catalogue.circumstances.sorted())
        answer.set("programmes", policy.catalogue.programmes.sorted())
        answer.set("levels", policy.catalogue.levels.sorted())
        reply(context, answer.value)
    }

    private func describe(_ type: EventTypeDefinition) -> JSONValue {
        var answer = AnswerObject()
        answer.set("type", type.type.text)
        answer.set("labels", Self.labels(type.labels))
        answer.set("family", type.family)
        answer.set("area", type.area)
        answer.set("urgency", type.urgency.text)
        answer.set("attributes", type.requiredAttributes)
        answer.set("fields", .array(type.fields.map { describe($0) }))
        return answer.value
    }

    private func describe(_ field: FieldDefinition) -> JSONValue {
        var answer = AnswerObject()
        answer.set("name", field.name)
        switch field.kind {
        case .code(let list):
            answer.set("kind", "code")
            answer.set("codes", policy.catalogue.codeLists[list] ?? [])
        case .codes(let list):
            answer.set("kind", "codes")
            answer.set("codes", policy.catalogue.codeLists[list] ?? [])
        case .text(let limit):
            answer.set("kind", "text")
            answer.set("maxbytes", limit)
        case .flag: answer.set("kind", "flag")
        case .timestamp: answer.set("kind", "timestamp")
        case .reference: answer.set("kind", "reference")
        case .personnummer: answer.set("kind", "personnummer")
        case .integer: answer.set("kind", "integer")
        case .municipality: answer.set("kind", "municipality")
        }
        answer.set("required", field.isRequired)
        answer.set("sensitivity", field.sensitivity)
        return answer.value
    }
}
