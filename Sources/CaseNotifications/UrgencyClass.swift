/// How soon somebody must act. The raw values are the order of delivery: U1, U2, U3, U4, U0.
package enum UrgencyClass: UInt8, Comparable, CaseIterable, Sendable, CustomStringConvertible {
    /// At once, day and night.
    case u1 = 1
    /// Within hours, day and night.
    case u2 = 2
    /// Within the day.
    case u3 = 3
    /// By the end of the next working day.
    case u4 = 4
    /// For information: nobody has to act.
    case u0 = 5

    /// The class that `text` (`U0` to `U4`) names, or nil.
    package init?(text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    /// The class in `bytes`, or nil.
    init?(utf8 bytes: some Collection<UInt8>) {
        guard bytes.count == 2, bytes.first == UInt8(ascii: "U") else { return nil }
        switch bytes.dropFirst().first {
        case UInt8(ascii: "0"): self = .u0
        case UInt8(ascii: "1"): self = .u1
        case UInt8(ascii: "2"): self = .u2
        case UInt8(ascii: "3"): self = .u3
        case UInt8(ascii: "4"): self = .u4
        default: return nil
        }
    }

    /// `U0` to `U4`.
    package var text: String {
        switch self {
        case .u0: "U0"
        case .u1: "U1"
        case .u2: "U2"
        case .u3: "U3"
        case .u4: "U4"
        }
    }

    /// What is delivered first is less.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// `U0` to `U4`.
    package var description: String { text }
}
