import CaseNotifications

/// How far machine transport of a delivery has come.
package enum Transport: UInt8, Sendable, CaseIterable {
    /// Waits for a station at its desk.
    case waiting = 1
    /// A station has it.
    case custody = 2
    /// A dead letter: the configured number of attempts failed. People see it, no station gets it.
    case setAside = 3
    /// No station gets it any more: a final negative outcome came first, or its content was erased.
    case withdrawn = 4
    /// Its party has no right to it under the policy in force: neither stations nor people get it until one gives it back.
    case held = 5
}

/// What people have made of a delivery.
package enum Work: UInt8, Sendable, CaseIterable {
    case open = 1
    case taken = 2
    case alreadyKnown = 3
    /// Given to another desk or role of the party, which has not acknowledged yet.
    case handedOver = 4
    /// Final.
    case notOurs = 5
}

/// A delivery in 64 bytes.
struct DeliveryRow: Sendable {
    /// `Timestamp.distantFuture` for none.
    var acknowledgeBy: Timestamp
    /// Rows of `Relay.notifications`, `deliveries` and `acts`.
    var notification: UInt32
    var nextOfNotification: UInt32 = .none
    var previousAtDesk: UInt32 = .none
    var nextAtDesk: UInt32 = .none
    var firstAct: UInt32 = .none
    /// Who has taken it.
    var person: PersonNumber = .none
    var party: NameNumber
    var desk: NameNumber
    /// The on-call desk's own party while it may see this; none after it handed over.
    var agent: NameNumber
    var shape: NameNumber
    /// The desk that handed it over and stays responsible.
    var giver: NameNumber = .none
    /// The role that took it, or that it was handed to.
    var role: NameNumber = .none
    /// Milliseconds after acceptance, `Span.none` if it has not happened: ready (while waiting) or custody.
    var transportSpan: Span
    var openedSpan: Span = .none
    var workSpan: Span = .none
    var ordinal: UInt16
    var transport: Transport = .waiting
    var work: Work = .open
    /// Journaled returns since it was queued at this desk.
    var returns: UInt8 = 0
    var urgency: UrgencyClass
    var isListed = false

    var mustBeAcknowledged: Bool { acknowledgeBy != .distantFuture }

    /// Whether the desk's people have it on their list.
    var belongsOnList: Bool {
        if transport == .held { return false }
        return switch work {
        case .open, .handedOver: mustBeAcknowledged || openedSpan == .none && transport != .withdrawn
        case .taken, .alreadyKnown, .notOurs: false
        }
    }

    /// Whether nothing more has to happen with it.
    var isDone: Bool {
        switch work {
        case .notOurs: true
        case .taken, .alreadyKnown: transport != .waiting && transport != .held
        case .open, .handedOver: !mustBeAcknowledged && (transport == .custody || transport == .withdrawn)
        }
    }
}

/// Milliseconds after a notification's acceptance, at most 49 days; what is later counts as 49 days.
struct Span: Sendable, Equatable {
    static let none = Span(milliseconds: .max)
    /// Of what waits for a station and for nothing else.
    static let atOnce = Span(milliseconds: 0)
    let milliseconds: UInt32

    init(milliseconds: UInt32) { self.milliseconds = milliseconds }

    init(from start: Timestamp, to end: Timestamp) {
        let (gap, overflows) = end.milliseconds.subtractingReportingOverflow(start.milliseconds)
        milliseconds = overflows ? UInt32.max - 1 : UInt32(min(max(gap, 0), Int64(UInt32.max - 1)))
    }

    func instant(from start: Timestamp) -> Timestamp? {
        self == .none ? nil : Timestamp(milliseconds: start.milliseconds + Int64(milliseconds))
    }
}

/// An accepted notification in 128 bytes. When it was accepted is in its id.
struct NotificationRow: Sendable {
    var id: NotificationID
    var digest: Digest
    var sourceID: InlineText
    var source: NameNumber
    var client: NameNumber
    var type: NameNumber
    var policy: NameNumber
    var municipality: NameNumber
    var sequence: UInt64
    var subject: CaseID
    var firstDelivery: UInt32 = .none
    /// The next newer one of the case.
    var nextInCase: UInt32 = .none
    /// The newest of its receipts.
    var newestReceipt: UInt32 = .none
    /// Deliveries that are not done: while there are any the row stays.
    var openDeliveries: UInt16 = 0
    var traits: Traits
    /// Whether this row is in use; freed ones wait to be used again.
    var isLive = true

    /// Class, drill, protection, what became of the content, and a mark, in one byte.
    struct Traits: Sendable, Equatable {
        private(set) var bits: UInt8

        init(urgency: UrgencyClass, isDrill: Bool, isProtected: Bool) {
            bits = urgency.rawValue | (isDrill ? 8 : 0) | (isProtected ? 16 : 0)
        }

        /// The traits that these bits are; nil without a class.
        init?(bits: UInt8) {
            guard UrgencyClass(rawValue: bits & 7) != nil, bits & 96 != 96 else { return nil }
            self.bits = bits
        }

        var urgency: UrgencyClass { UrgencyClass(rawValue: bits & 7) ?? .u0 }
        var isDrill: Bool { bits & 8 != 0 }
        var isProtected: Bool { bits & 16 != 0 }

        var content: ContentState {
            get { bits & 32 != 0 ? .unreadable : bits & 64 != 0 ? .erased : .stored }
            set { bits = bits & ~96 | (newValue == .unreadable ? 32 : newValue == .erased ? 64 : 0) }
        }

        /// Whether it stands in `Relay.finished`.
        var isInFinished: Bool {
            get { bits & 128 != 0 }
            set { bits = bits & ~128 | (newValue ? 128 : 0) }
        }
    }
}

/// What became of a notification's content.
package enum ContentState: UInt8, Sendable, CaseIterable {
    case stored = 0
    /// Damaged on disk.
    case unreadable = 1
    /// Its keys were destroyed on purpose.
    case erased = 2
}

/// A short text without an allocation: at most `capacityBytes` bytes, longer ones are kept beside (`Relay.longIDs`).
struct InlineText: Sendable, Equatable {
    /// A UUID has 36.
    static let capacityBytes = 37
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var tail: UInt32 = 0
    private var last: UInt8 = 0
    private var count: UInt8 = 0

    /// The text, or nil if it is too long.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.capacityBytes else { return nil }
        self.init()
        count = UInt8(bytes.count)
        for (index, byte) in bytes.enumerated() { set(index, byte) }
    }

    /// The empty text.
    init() {}

    private mutating func set(_ index: Int, _ byte: UInt8) {
        let bits = UInt64(byte) << UInt64(index % 8 * 8)
        switch index / 8 {
        case 0: words.0 |= bits
        case 1: words.1 |= bits
        case 2: words.2 |= bits
        case 3: words.3 |= bits
        default: if index == 36 { last = byte } else { tail |= UInt32(truncatingIfNeeded: bits) }
        }
    }

    private func byte(_ index: Int) -> UInt8 {
        let word =
            switch index / 8 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            case 3: words.3
            default: index == 36 ? UInt64(last) << 32 : UInt64(tail)
            }
        return UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8))
    }

    /// The text itself.
    var text: String { String(decoding: (0..<Int(count)).map(byte), as: UTF8.self) }

    static func == (left: Self, right: Self) -> Bool {
        left.words == right.words && left.tail == right.tail && left.last == right.last && left.count == right.count
    }
}

/// What one person did with a delivery: the answer to the same command sent again.
struct ActRow: Sendable {
    enum Kind: UInt8, Sendable { case opened, acknowledged, recused }
    var next: UInt32
    var person: PersonNumber
    var role: NameNumber
    var kind: Kind
    /// The act with its arguments, and the time that the sender gave (0 for none), see `Relay.fingerprint`.
    var fingerprint: UInt64
    var sequence: UInt64
}

/// A case of which a notification is in memory: the slot that its content keys come from, and its notifications, oldest
/// first.
struct CaseRow: Sendable {
    /// Nil when it was erased: the next notification brings a new one.
    var slot: UInt64?
    var oldest: UInt32
    var newest: UInt32
}

/// The open deliveries of one desk, one list per urgency class in order of arrival, and their counts.
struct DeskRow: Sendable {
    /// Indexed by `UrgencyClass.rawValue - 1`.
    var heads: [UInt32] = Array(repeating: .none, count: UrgencyClass.allCases.count)
    var tails: [UInt32] = Array(repeating: .none, count: UrgencyClass.allCases.count)
    /// Deliveries that people of this desk handed over and are still responsible for, in that order.
    var givenAway: [UInt32] = []
    var waiting = 0
    var inCustody = 0
    var unacknowledged = 0
    var setAside = 0
    var held = 0
}
