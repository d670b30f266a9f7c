import CaseNotifications
import Relay
import Routing
import STOMP

/// What a client may ask for, by destination. Everything else is an unknown destination, with one text for all reasons.
enum Destination: Equatable {
    case notifications
    case openings
    case acknowledgements
    case question(Question)
    case administration(AdministrationVerb)
    case inbox(DeskID?)
    case receipts(onlyOwn: Bool)
    case watch(DeskID)
    case replies(token: String)

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty else { return nil }
        let name = parts.count == 3 ? String(parts[2]) : nil
        switch (parts[1], parts.count, name) {
        case ("notifications", 2, _): self = .notifications
        case ("openings", 2, _): self = .openings
        case ("acknowledgements", 2, _): self = .acknowledgements
        case ("inbox", 2, _): self = .inbox(nil)
        case ("receipts", 2, _): self = .receipts(onlyOwn: false)
        case ("receipts", 3, "mine"): self = .receipts(onlyOwn: true)
        case ("queries", 3, let name?):
            guard let question = Question(rawValue: name) else { return nil }
            self = .question(question)
        case ("admin", 3, let name?):
            guard let verb = AdministrationVerb(rawValue: name) else { return nil }
            self = .administration(verb)
        case ("inbox", 3, let name?):
            guard let desk = DeskID(name) else { return nil }
            self = .inbox(desk)
        case ("watch", 3, let name?):
            guard let desk = DeskID(name) else { return nil }
            self = .watch(desk)
        case ("replies", 3, let name?): self = .replies(token: name)
        default: return nil
        }
    }
}

extension RelayCore {
    /// A client's session is open.
    func open(_ connection: Connection, peer: Peer) {
        clients[connection.id] = ClientState(connection: connection, peer: peer)
    }

    /// A client's connection is gone: what it had in flight goes back to the front, to be redelivered.
    func close(_ id: ConnectionID, unacknowledged: [MessageTag]) {
        guard let client = clients.removeValue(forKey: id) else { return }
        for subscription in client.subscriptions.values { drop(subscription) }
        pumpSoon()
    }

    func drop(_ subscription: Subscription) {
        let subscriber = subscription.subscriber
        subscribers.removeValue(forKey: subscriber)
        switch subscription.kind {
        case .inbox: dispatch.remove(subscriber)
        case .receipts: receiptDesk.remove(subscriber)
        case .watch(let desk):
            watchers[desk]?.removeAll { $0 == subscriber }
            if watchers[desk]?.isEmpty == true { watchers.removeValue(forKey: desk) }
        case .replies: break
        }
    }

    /// One request of a client, in the order of its frames.
    func handle(_ request: Request, from id: ConnectionID) {
        guard clients[id] != nil, !waitBehindRecall(request, of: id) else { return }
        carryOut(request, from: id)
    }

    /// Does what a request asks for; none of its client is under way before it.
    func carryOut(_ request: Request, from id: ConnectionID) {
        let place = RequestPlace(connection: id, order: request.order, receipt: request.receipt)
        if checkpointStop != nil, !Self.isAdministration(request) { return turnAway(request, at: place) }
        switch request.action {
        case .send(let send): handle(send, at: place)
        case .subscribe(let subscribe): handle(subscribe, at: place)
        case .unsubscribe(let key, let tags):
            for tag in tags { clients[id]?.inFlight.removeValue(forKey: tag) }
            if let subscription = clients[id]?.subscriptions.removeValue(forKey: key) {
                clients[id]?.credit -= subscription.credit
                drop(subscription)
                pumpSoon()
            }
            answer(place, .done)
        case .acknowledge(let tags): acknowledge(tags, at: place)
        case .reject(let tags): reject(tags, at: place)
        case .commit(let items): commit(items, at: place)
        }
    }

    /// A request behind a refused frame: it is never decided, and messages that it acknowledged come again.
    func forget(_ request: Request, from id: ConnectionID) {
        switch request.action {
        case .acknowledge(let tags), .reject(let tags), .unsubscribe(_, let tags): giveBack(tags, from: id)
        case .commit(let items): forget(items, from: id)
        case .send, .subscribe: break
        }
    }

    private func handle(_ send: SendRequest, at place: RequestPlace) {
        switch Destination(send.destination) {
        case .notifications: submit(send, at: place)
        case .openings: open(send, at: place)
        case .acknowledgements: acknowledge(send, at: place)
        case .question(let question): ask(question, send, at: place)
        case .administration(let verb): administer(verb, send, at: place)
        case .inbox, .receipts, .watch, .replies, nil: answer(place, .fault(.unknownDestination))
        }
    }

    /// Answers at once, behind everything of this client that waits for the disk.
    func answer(_ place: RequestPlace, _ answer: STOMP.Answer) {
        self.answer(PendingAnswer(connection: place.connection, order: place.order, answer: answer))
    }

    /// Answers when everything that was decided so far is on disk.
    func answerWhenDurable(_ place: RequestPlace, _ answer: STOMP.Answer) {
        enqueue(
            Waiting(
                ticket: 0, answers: [PendingAnswer(connection: place.connection, order: place.order, answer: answer)]))
    }
}

/// Which frame of which client is being answered.
struct RequestPlace {
    let connection: ConnectionID
    let order: OrderNumber
    let receipt: String?

    /// The answer to this frame that waits for the disk.
    func pending(_ answer: STOMP.Answer) -> [PendingAnswer] {
        [PendingAnswer(connection: connection, order: order, answer: answer)]
    }
}

extension SessionRefusal {
    /// A refusal of the policy, of the decoder or of the relay, as the wire tells it.
    init(_ refusal: Refusal) {
        self.init(code: refusal.code.rawValue, path: refusal.pointer, message: refusal.message)
    }

    /// This certificate's roles do not allow it.
    static let forbidden = SessionRefusal(
        code: "forbidden", message: "the roles of this certificate do not allow it",
        details: "Ask the administrator of your party which certificate has the role that this needs.")
    /// No such thing, or not this client's to see: one and the same answer.
    static let unknown = SessionRefusal(
        code: "unknown", message: "unknown", details: "Check the id. It may also not be yours to see.")
    /// It was there, and nobody can read it any more.
    static let erased = SessionRefusal(
        code: "erased", message: "the content was erased",
        details: "Nobody can read it any more. What became of it is still told by its status.")
    /// No space on disk, or the relay is stopping: nothing was decided.
    static let unavailable = SessionRefusal(
        code: RefusalCode.unavailable.rawValue, message: "not accepted, try again later with the same id",
        details: "Nothing was decided or stored.")

    /// A body that cannot be read, with the place of the mistake.
    static func schema(_ path: String, _ message: String) -> SessionRefusal {
        SessionRefusal(code: RefusalCode.schema.rawValue, path: path, message: message)
    }
}
