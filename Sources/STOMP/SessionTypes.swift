/// Chosen by the caller: which delivery a MESSAGE is. Unique among those in flight on one connection.
package typealias MessageTag = UInt64

/// Of a request, rising along a connection.
package typealias OrderNumber = UInt64

/// One subscription of one connection; never used twice there.
package struct SubscriptionKey: Hashable, Sendable {
    /// Counts up from 1.
    package var rawValue: UInt32

    /// The key with this number.
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Everything that one connection may cost. Defaults are protocol.md's where it names them.
package struct SessionLimits: Equatable, Sendable {
    /// One frame.
    package var frames = FrameLimits.standard
    /// Open at once.
    package var subscriptions = 16
    /// Messages in flight on the connection, and the highest prefetch of one subscription. At most 65,536.
    package var unacknowledged = 1_000
    /// In flight on a subscription that gives no `prefetch-count`.
    package var defaultPrefetch = 64
    /// From the start to a whole CONNECT.
    package var connectMilliseconds: Int64 = 10_000
    /// From the first byte of a frame to its last.
    package var frameMilliseconds: Int64 = 60_000
    /// Reading and dropping behind an ERROR, so that it is not lost to a reset.
    package var lingerMilliseconds: Int64 = 2_000
    /// Offered for both directions.
    package var heartBeatMilliseconds: Int64 = 10_000
    /// Tolerated beyond twice the agreed gap.
    package var heartBeatGraceMilliseconds: Int64 = 5_000
    /// Open at once.
    package var openTransactions = 8
    /// Frames in one transaction.
    package var transactionFrames = 256
    /// Bodies in all open transactions of the connection.
    package var transactionBytes = 1024 * 1024
    /// Requests that wait for their answer; at the limit `wantsInput` is false.
    package var unansweredRequests = 4_096
    /// Bodies and receipts of these; at the limit `wantsInput` is false.
    package var unansweredBytes = 4 * 1024 * 1024

    /// The defaults.
    package static let standard = SessionLimits()

    /// The defaults, to be changed one by one.
    package init() {}
}

/// What CONNECT said. `login` and `passcode` are not in it: the certificate is the identity.
package struct ConnectRequest: Equatable, Sendable {
    /// The collaboration, where it was named.
    package var host: String?
    /// What we know of `accept-version`, oldest first. Without the header: 1.0.
    package var offers: [Version]
    /// The client's `heart-beat`.
    package var heartBeat: HeartBeatOffer
    /// How refusals reach this client.
    package var rejections: RejectionStyle
    /// The client's last signed checkpoint.
    package var checkpoint: String?
}

/// How refusals reach a client (protocol.md, Refusals).
package enum RejectionStyle: Equatable, Sendable {
    /// ERROR and the end of the connection, as STOMP has it.
    case error
    /// RECEIPT with `status:refused`, and the session goes on.
    case receipt
}

/// When a message counts as taken.
package enum AckMode: String, Equatable, Sendable {
    /// When it was sent: live views and replies.
    case auto
    /// An ACK takes it and all before it on the subscription.
    case client
    /// An ACK takes one message.
    case clientIndividual = "client-individual"
}

/// What a client sent, checked as far as a session can.
package struct Request: Equatable, Sendable {
    /// By which it is answered.
    package var order: OrderNumber
    /// The `receipt` header. Nil: no answer is needed.
    package var receipt: String?
    /// What it asks for.
    package var action: Action
}

/// What a request asks for. BEGIN, ABORT and DISCONNECT are the session's own business.
package enum Action: Equatable, Sendable {
    /// SEND.
    case send(SendRequest)
    /// SUBSCRIBE; a refusal takes the subscription away again.
    case subscribe(SubscribeRequest)
    /// UNSUBSCRIBE, with the messages that were in flight on it: to be delivered again.
    case unsubscribe(SubscriptionKey, returned: [MessageTag])
    /// ACK, oldest first; what `client` mode takes along is among them.
    case acknowledge([MessageTag])
    /// NACK, likewise.
    case reject([MessageTag])
    /// COMMIT: one atomic batch, never empty.
    case commit([TransactionItem])
}

/// A SEND. Other headers were dropped and counted (protocol.md, override of C15).
package struct SendRequest: Equatable, Sendable {
    /// The `destination` header.
    package var destination: String
    /// The `content-type` header.
    package var contentType: String?
    /// The `reply-to` header.
    package var replyTo: String?
    /// The body's bytes.
    package var body: [UInt8]

    /// A request with these parts.
    package init(destination: String, contentType: String? = nil, replyTo: String? = nil, body: [UInt8]) {
        self.destination = destination
        self.contentType = contentType
        self.replyTo = replyTo
        self.body = body
    }
}

/// A SUBSCRIBE whose ack mode fits its destination.
package struct SubscribeRequest: Equatable, Sendable {
    /// By which messages are delivered to it.
    package var key: SubscriptionKey
    /// The `destination` header.
    package var destination: String
    /// The `ack` header.
    package var mode: AckMode
    /// How many messages may be in flight; meaningless for `auto`.
    package var prefetch: Int
}

/// One frame of a transaction.
package struct TransactionItem: Equatable, Sendable {
    /// Its `receipt` header; the RECEIPT goes out just before COMMIT's.
    package var receipt: String?
    /// What it asks for.
    package var action: TransactedAction

    /// An item with these parts.
    package init(receipt: String?, action: TransactedAction) {
        self.receipt = receipt
        self.action = action
    }
}

/// What may be in a transaction.
package enum TransactedAction: Equatable, Sendable {
    /// SEND.
    case send(SendRequest)
    /// ACK.
    case acknowledge([MessageTag])
    /// NACK.
    case reject([MessageTag])
}

/// The caller's answer to a request.
package enum Answer: Equatable, Sendable {
    /// RECEIPT where one was asked for.
    case done
    /// RECEIPT with these headers behind `receipt-id`.
    case receipt(Headers)
    /// For COMMIT: the headers for each item's RECEIPT, in order; one for every item, also where it asked for none.
    case committed([Headers])
    /// Policy says no: ERROR, or RECEIPT with `status:refused` where the client chose that and asked for a receipt.
    case refused(SessionRefusal)
    /// Against the rules: always ERROR and the end.
    case fault(SessionRefusal)
}

/// What a session asks its caller to do, in order.
package enum SessionEffect: Equatable, Sendable {
    /// Decide who this is, then `accept` or `refuseConnection`. Always the last effect of its list.
    case connect(ConnectRequest)
    /// CONNECTED is in the output. Without incoming heart-beats: set TCP keep-alive and log a warning.
    case connected(version: Version, heartBeats: HeartBeats)
    /// Decide it.
    case request(Request)
    /// ABORT gave back acknowledgements of subscriptions that are gone: deliver these again.
    case returned([MessageTag])
    /// Log it: an ERROR is queued.
    case failed(SessionFailure)
    /// Write what is in the output, close, then `takeUnacknowledged`.
    case close(CloseReason)
}

/// Why a connection is to be closed.
package enum CloseReason: Equatable, Sendable {
    /// DISCONNECT, answered.
    case disconnected
    /// An ERROR went out and its time is over.
    case error
    /// The other side closed.
    case peerClosed
    /// The other side is silent, and does not take its ERROR either.
    case timeout
}

/// A MESSAGE, but for what the session itself writes into it.
package struct OutgoingMessage: Equatable, Sendable {
    /// Nil: the subscription's own.
    package var destination: String?
    /// Of the body.
    package var contentType: String
    /// The relay's id of the notification.
    package var notification: String?
    /// `U1` and so on.
    package var urgency: String?
    /// STOMP's 0 to 9.
    package var priority: Int?
    /// Milliseconds since 1970.
    package var acknowledgeBy: Int64?
    /// How often it was returned.
    package var deliveryCount: Int?
    /// Whether somebody may have seen it before. Nil: no such header.
    package var isRedelivered: Bool?
    /// `drill:true`; false writes nothing.
    package var isDrill = false
    /// The receipt id of the question that this answers.
    package var query: String?
    /// The body's bytes.
    package var body: [UInt8]

    /// A message with a body and nothing else yet.
    package init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }
}

/// What clients did that the specification forbids and we let pass.
package struct QuirkCounts: Equatable, Sendable {
    /// Unescaped colons in a header value.
    package var colonsInValues = 0
    /// 1.1 or 1.2 without `host`.
    package var missingHost = 0
    /// Headers of SEND that we do not take.
    package var droppedSendHeaders = 0
    /// NULs between frames.
    package var strayNULs = 0
}
