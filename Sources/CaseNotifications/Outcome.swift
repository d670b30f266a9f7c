/// What became of a notification at a party, as a person there says.
package enum Outcome: String, CaseIterable, Sendable, Equatable {
    /// We act on it. Ends the ladder.
    case taken
    /// We knew it from an earlier notification or claim, which is named. Ends the ladder.
    case alreadyKnown = "already-known"
    /// Given to another role or desk of the responsible party; the clock runs until the taker acknowledges.
    case handedOver = "handed-over"
    /// Another is responsible; the sender step starts at once.
    case notOurs = "not-ours"
    /// This person may not act on it; the next one is asked at once.
    case recused

    /// The outcome that `text` names, or nil.
    package init?(text: some StringProtocol) { self.init(rawValue: String(text)) }

    /// The word on the wire.
    package var text: String { rawValue }

    /// Whether the ladder ends with this outcome.
    package var endsLadder: Bool { self == .taken || self == .alreadyKnown }
}

/// What a receipt reports.
package enum ReceiptEvent: UInt8, CaseIterable, Sendable {
    case accepted = 1
    case refused = 2
    case delivered = 3
    case opened = 4
    case acknowledged = 5
    case actioned = 6
    case escalated = 7
    case expired = 8
    case recalled = 9

    /// The event that `text` names, or nil.
    package init?(text: some StringProtocol) {
        guard let event = Self.allCases.first(where: { $0.text == text }) else { return nil }
        self = event
    }

    /// The word on the wire.
    package var text: String {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused"
        case .delivered: "delivered"
        case .opened: "opened"
        case .acknowledged: "acknowledged"
        case .actioned: "actioned"
        case .escalated: "escalated"
        case .expired: "expired"
        case .recalled: "recalled"
        }
    }
}
