/// Which records a start could not serve, so that the second fold beside it tells what was lost since from what was known.
///
/// Of those that a snapshot covers only the number is known.
struct KnownLosses: Sendable {
    /// Ranges that are kept, 16 bytes each. Behind more of them only numbers are compared.
    static let rangeLimit = 4_096

    /// How many are lost up to `counted`.
    private var number: UInt64
    /// Up to this record only the number is known.
    private var counted: UInt64
    /// Behind it, ascending; neighbours are one.
    private var ranges: [Range<UInt64>] = []

    /// So many up to a record, wherever they are.
    init(number: UInt64, through record: UInt64) {
        (self.number, counted) = (number, record)
    }

    /// Adds records behind all that were added before.
    mutating func add(_ records: Range<UInt64>) {
        if counted == .max {
            number += UInt64(records.count)
        } else if let last = ranges.last, last.upperBound == records.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<records.upperBound
        } else if ranges.count < Self.rangeLimit {
            ranges.append(records)
        } else {
            number += ranges.reduce(UInt64(records.count)) { $0 + UInt64($1.count) }
            (counted, ranges) = (.max, [])
        }
    }

    /// Whether these were known to be lost.
    ///
    /// - Parameter total: how many a fold that comes to them has lost with them, from the first record on.
    func covers(_ records: Range<UInt64>, total: UInt64) -> Bool {
        if records.upperBound - 1 <= counted { return total <= number }
        let rest = max(records.lowerBound, counted + 1)..<records.upperBound
        return ranges.contains { $0.lowerBound <= rest.lowerBound && rest.upperBound <= $0.upperBound }
    }
}
