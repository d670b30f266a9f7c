import CaseNotifications

/// What `escalated` and `recalled` say besides.
enum ReceiptStep: UInt8, Sendable, CaseIterable {
    case setAside = 1
    case beforeCustody = 2
    case afterCustodyUnopened = 3
    case afterOpening = 4
    case rightEnded = 5

    var text: String {
        switch self {
        case .setAside: "set-aside"
        case .beforeCustody: "before-custody"
        case .afterCustodyUnopened: "after-custody-unopened"
        case .afterOpening: "after-opening"
        case .rightEnded: "right-ended"
        }
    }
}

/// What a receipt says besides its event, in six bits: what they mean depends on the event.
enum ReceiptDetail: Equatable, Sendable {
    case nothing
    case reason(RefusalCode)
    case outcome(Outcome)
    case step(ReceiptStep)

    fileprivate var bits: UInt16 {
        switch self {
        case .nothing: 0
        case .reason(let code): UInt16((RefusalCode.stored.firstIndex(of: code) ?? -1) + 1)
        case .outcome(let outcome): UInt16((Outcome.allCases.firstIndex(of: outcome) ?? -1) + 1)
        case .step(let step): UInt16(step.rawValue)
        }
    }

    fileprivate init?(bits: Int, of event: ReceiptEvent) {
        guard bits > 0 else {
            self = .nothing
            return
        }
        switch event {
        case .refused where bits <= RefusalCode.stored.count: self = .reason(RefusalCode.stored[bits - 1])
        case .acknowledged where bits <= Outcome.allCases.count: self = .outcome(Outcome.allCases[bits - 1])
        case .escalated, .recalled:
            guard let step = ReceiptStep(rawValue: UInt8(truncatingIfNeeded: bits)) else { return nil }
            self = .step(step)
        default: return nil
        }
    }
}

/// One receipt in 32 bytes.
///
/// While its notification is in memory it belongs to that row and hangs in its list, read or not. When the notification
/// leaves memory a read one goes with it; an unread one is *detached*: it then names the record of the acceptance, from
/// which the rest is read when somebody reads the receipt.
struct ReceiptRow: Sendable {
    var at: Timestamp
    /// The record number (48 bits), then the ordinal, which tells receipts of one event apart.
    private let place: UInt64
    /// Attached: the notification's row, then the next older receipt. Detached: the acceptance's record number (48 bits),
    /// then the submitting client.
    private var owner: UInt64
    var party: NameNumber = .none
    var desk: NameNumber = .none
    var role: NameNumber = .none
    /// Event (4 bits), detail (6), detached, read.
    private var bits: UInt16

    init(sequence: UInt64, ordinal: UInt16 = 0, at: Timestamp, event: ReceiptEvent, detail: ReceiptDetail = .nothing) {
        self.at = at
        place = sequence << 16 | UInt64(ordinal)
        owner = .max
        bits = UInt16(event.rawValue) | detail.bits << 4
    }

    /// A receipt from a snapshot; nil for what no receipt says.
    init?(sequence: UInt64, ordinal: UInt16, at: Timestamp, saying: UInt16) {
        guard sequence < 1 << 48, saying < 1 << 10, let event = ReceiptEvent(rawValue: UInt8(saying & 15)),
            let detail = ReceiptDetail(bits: Int(saying >> 4), of: event)
        else { return nil }
        self.init(sequence: sequence, ordinal: ordinal, at: at, event: event, detail: detail)
    }

    var sequence: UInt64 { place >> 16 }
    var ordinal: UInt16 { UInt16(truncatingIfNeeded: place) }
    /// Order of receipts: by record, then by ordinal.
    var key: UInt64 { place }
    /// Event and detail, as a snapshot writes them.
    var saying: UInt16 { bits & 0x3FF }
    var event: ReceiptEvent { ReceiptEvent(rawValue: UInt8(bits & 15)) ?? .accepted }
    var detail: ReceiptDetail { ReceiptDetail(bits: Int(bits >> 4 & 63), of: event) ?? .nothing }

    var isDetached: Bool { bits & 1 << 14 != 0 }

    /// Whether nobody waits for it any more: it is in no box.
    var isRead: Bool {
        get { bits & 1 << 15 != 0 }
        set { bits = bits & ~(1 << 15) | (newValue ? 1 << 15 : 0) }
    }

    mutating func attach(to notification: UInt32, nextOlder: UInt32) {
        owner = UInt64(notification) << 32 | UInt64(nextOlder)
    }

    mutating func detach(accepted: UInt64, client: NameNumber) {
        owner = accepted << 16 | UInt64(client)
        bits |= 1 << 14
    }

    /// Attached only.
    var notification: UInt32 { UInt32(truncatingIfNeeded: owner >> 32) }
    /// Attached only.
    var nextOlder: UInt32 { UInt32(truncatingIfNeeded: owner) }
    /// Detached only.
    var accepted: UInt64 { owner >> 16 }
    /// Detached only.
    var detachedClient: NameNumber { NameNumber(truncatingIfNeeded: owner) }
}

/// The receipts of one sending party that somebody still has to read, and how far each of its readers has read. Numbers
/// count from 1.
struct ReceiptBox: Sendable {
    /// Rows of `Relay.receiptRows`; `.none` for one that its readers have read before others.
    var rows = ChunkedQueue<UInt32>()
    /// The number of the oldest row.
    var firstNumber: UInt64 = 1
    var partyCursor: UInt64 = 0
    var clientCursors: [NameNumber: UInt64] = [:]

    var lastNumber: UInt64 { firstNumber + UInt64(rows.count) - 1 }

    /// The row of the receipt with this number, if it is still here.
    func row(_ number: UInt64) -> UInt32? {
        guard number >= firstNumber, number <= lastNumber else { return nil }
        let row = rows[Int(number - firstNumber)]
        return row == .none ? nil : row
    }

    /// Whether somebody will still read this one: a reader who has read before and not come so far. While there has been
    /// no reader at all for it, anybody may still come.
    func isWanted(_ number: UInt64, of client: NameNumber) -> Bool {
        var hasReader = false
        if partyCursor > 0 {
            if number > partyCursor { return true }
            hasReader = true
        }
        if let cursor = clientCursors[client] {
            if number > cursor { return true }
            hasReader = true
        }
        return !hasReader
    }

    /// Takes a row out. Its number stays.
    mutating func empty(_ number: UInt64) {
        rows[Int(number - firstNumber)] = .none
        while rows.first == UInt32.none {
            _ = rows.popFirst()
            firstNumber += 1
        }
    }
}
