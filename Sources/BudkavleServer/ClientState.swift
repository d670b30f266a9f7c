import CaseNotifications
import DequeModule
import Relay
import Routing
import STOMP

/// What the core knows of one connected client: its subscriptions and what is in flight to it.
struct ClientState {
    /// Bytes of answers that may wait for the disk for one client.
    static let replyLimitBytes = 4 * 1024 * 1024

    let connection: Connection
    let peer: Peer
    var subscriptions: [SubscriptionKey: Subscription] = [:]
    var inFlight: [MessageTag: InFlight] = [:]
    /// Deliveries that dispatch has given to it while too much waits in its output; bounded by its credit.
    var held: Deque<Sending> = []
    var nextTag: MessageTag = 1
    /// Credit given to its subscriptions so far.
    var credit = 0
    /// Bytes of answers that wait for the disk.
    var replyBytes = 0
    /// A request of it is being read for.
    var isRecalling = false
    /// What waited behind such a request is being carried out.
    var isGoingOn = false
    /// Requests behind one that is being read for; the session bounds them as unanswered.
    var behindRecall: Deque<Request> = []

    /// The client as the relay's commands name it.
    var actor: Actor {
        let identity = peer.identity
        return Actor(
            party: identity.party, client: identity.client, person: identity.person, role: identity.function,
            desks: identity.desks)
    }
}

/// One subscription of a client.
struct Subscription {
    enum Kind {
        case inbox
        case receipts(ReceiptReader)
        case watch(DeskID)
        case replies(token: String)
    }
    let kind: Kind
    let subscriber: SubscriberID
    let credit: Int
}

/// What a MESSAGE that waits for its ACK was.
enum InFlight {
    case delivery(DeliveryID, SubscriberID)
    case receipt(UInt64, SubscriberID)
}

/// What happens when everything up to a ticket is on disk.
struct Waiting {
    let ticket: UInt64
    var changes: [Change] = []
    var events: [Event] = []
    var answers: [PendingAnswer] = []
    var completion: Completion?
}

/// An answer to a client's frame that waits for the disk.
struct PendingAnswer {
    let connection: ConnectionID
    let order: OrderNumber
    let answer: STOMP.Answer
}

/// Work that goes on after the disk, other than answering.
enum Completion {
    /// Content may be shown now: `opened` is durable.
    case show(DeliveryID, QuestionContext)
    /// An answer to a question: what it tells of is durable.
    case reply(QuestionContext, [UInt8])
    /// The first list of a desk, to somebody who begins to watch it.
    case list(DeskID, SubscriberID)
    /// Any other work of this core.
    case then(@Sendable (isolated RelayCore) -> Void)
}

/// Where the answer to a question goes.
struct QuestionContext {
    let connection: ConnectionID
    let order: OrderNumber
    let receipt: String
    let token: String?
}
