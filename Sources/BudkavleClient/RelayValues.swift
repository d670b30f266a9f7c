/// What the relay said to a notification or a command.
public enum SendAnswer: Equatable, Sendable {
    /// It is on the relay's disk, with its routing decision and its deliveries.
    case accepted(Acceptance)
    /// The relay had it already, with the same content: as good as accepted.
    case duplicate(Acceptance)
    /// It was not taken; nothing is stored.
    case refused(RelayRefusal)

    /// The acceptance, first or repeated.
    public var acceptance: Acceptance? {
        switch self {
        case .accepted(let acceptance), .duplicate(let acceptance): acceptance
        case .refused: nil
        }
    }
}

/// The relay's word that it has something.
public struct Acceptance: Equatable, Sendable {
    /// The relay's id for the notification, by which receipts speak; nothing for commands that have none.
    public let notification: String?
    /// Where in the relay's journal it stands: `orebro.4711`.
    public let position: String?

    /// Makes an acceptance.
    public init(notification: String?, position: String?) {
        self.notification = notification
        self.position = position
    }
}

/// What can be subscribed to.
public enum RelayDestination: Equatable, Sendable {
    /// Deliveries of one desk, or of all desks that list this client as a station.
    case inbox(desk: String?)
    /// Receipts of the party's notifications.
    case receipts
    /// Receipts of what this client sent.
    case ownReceipts
    /// The live list of a desk: no content, no custody.
    case watch(desk: String)
    /// Content-free wake-up calls of a desk, for an alarm gateway.
    case wake(desk: String)

    /// The STOMP destination.
    public var path: String {
        switch self {
        case .inbox(let desk): desk.map { "/inbox/\($0)" } ?? "/inbox"
        case .receipts: "/receipts"
        case .ownReceipts: "/receipts/mine"
        case .watch(let desk): "/watch/\(desk)"
        case .wake(let desk): "/wake/\(desk)"
        }
    }

    /// Whether each message must be acknowledged.
    public var wantsAcknowledgement: Bool {
        switch self {
        case .inbox, .receipts, .ownReceipts, .wake: true
        case .watch: false
        }
    }
}

/// One MESSAGE.
public struct RelayMessage: Sendable {
    /// JSON, as the relay sent it.
    public let body: [UInt8]
    /// Where it came from, a STOMP destination.
    public let destination: String
    /// The relay's id of the notification, when the message is a delivery.
    public let notification: String?
    /// `U1` … `U0`, when the message is a delivery.
    public let urgency: String?
    /// It was handed out before, here or elsewhere, and not acknowledged.
    public let isRedelivered: Bool
    /// It belongs to a drill: nobody is in danger.
    public let isDrill: Bool
    /// Which subscription of which connection it came on, and what to acknowledge it by.
    let ticket: MessageTicket

    /// Makes a message; tests do.
    init(
        body: [UInt8], destination: String, notification: String?, urgency: String?, isRedelivered: Bool,
        isDrill: Bool, ticket: MessageTicket
    ) {
        self.body = body
        self.destination = destination
        self.notification = notification
        self.urgency = urgency
        self.isRedelivered = isRedelivered
        self.isDrill = isDrill
        self.ticket = ticket
    }
}

/// Ties a message to the connection it came on: an acknowledgement is void on the next one, where it is redelivered.
struct MessageTicket: Hashable, Sendable {
    let connection: UInt64
    let acknowledgement: String?
}

/// The commands of protocol.md, "Work".
public enum RelayCommand: String, Sendable {
    case openings
    case acknowledgements
    case claims
    case recalls
    case consents
}
