import STOMP

/// One thing that was asked of the relay, numbered in the order of the calls.
typealias OperationNumber = UInt64
/// One subscription of a client; it outlives connections.
typealias SubscriptionNumber = UInt64

/// What the shell asks of the link.
struct LinkRequest: Sendable {
    enum Work: Sendable, Equatable {
        case send(destination: String, contentType: String, body: [UInt8])
        case question(destination: String, contentType: String, body: [UInt8])
    }
    /// Whether an unanswered request is sent again on the next connection.
    enum Repetition: Sendable {
        /// Sent again unchanged: the relay knows it by its id, or it changes nothing.
        case always
        /// Not sent again: its effect would double.
        case never
    }
    var work: Work
    var repetition: Repetition
    /// When the caller stops waiting; nothing means never.
    var deadline: SessionInstant?
}

/// What came of it.
enum LinkAnswer: Equatable, Sendable {
    /// RECEIPT, with its headers.
    case receipt(Headers)
    /// RECEIPT with `status:refused`.
    case refused(RelayRefusal)
    /// The answer to a question.
    case reply([UInt8])
}

/// What the link asks of the shell, in order.
enum LinkEffect {
    /// Open a transport; report `opened` or `failed` with this number.
    case open(connection: UInt64)
    /// Write what is in the output, then close the transport and forget it.
    case close(connection: UInt64)
    case answered(OperationNumber, Result<LinkAnswer, RelayError>)
    case message(SubscriptionNumber, RelayMessage)
    /// The subscription was confirmed for the first time.
    case subscribed(SubscriptionNumber, Headers)
    case finished(SubscriptionNumber, RelayError?)
    case state(RelayLinkState)
}

/// A generator that one seed repeats (Steele and others, SplitMix64): pauses need no secrecy, tests need repetition.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What a client may have open at once.
struct LinkLimits: Equatable, Sendable {
    /// Requests that wait for an answer.
    var operations = 65_536
    /// Questions at once; each holds one of the relay's 16 subscriptions of a connection.
    var questions = 8
    /// Lasting subscriptions: the rest of the 16.
    var subscriptions = 8
    /// How long goodbye waits for its answer.
    var farewellMilliseconds: Int64 = 2_000
}
