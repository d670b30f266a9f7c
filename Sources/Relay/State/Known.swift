import CaseNotifications

/// What was submitted in the last 30 days, in slices of 3 days: a slice goes as a whole when all in it is older.
///
/// At most 48 bytes per submission, tables included. Positive answers only: a refusal binds nothing.
struct KnownSubmissions: Sendable {
    /// The length of a slice. Submissions are known up to so much longer than they must be.
    static let sliceSeconds: Int64 = 3 * 86_400

    struct Slice: Sendable {
        /// Times from `period * sliceSeconds` on.
        let period: Int64
        var table = ChunkedTable<SubmissionKey, KnownRow>()
        /// Of all entries, in any order.
        var sum = DigestSum()

        var end: Timestamp {
            Timestamp(milliseconds: (period + 1).multipliedReportingOverflow(by: sliceSeconds * 1_000).partialValue)
        }
    }

    /// By period.
    private(set) var slices: [Slice] = []

    var count: Int { slices.reduce(0) { $0 + $1.table.count } }

    subscript(key: SubmissionKey) -> KnownRow? {
        for slice in slices.reversed() {
            if let row = slice.table[key] { return row }
        }
        return nil
    }

    mutating func insert(_ key: SubmissionKey, _ row: KnownRow, at time: Timestamp) {
        insert(key, row, period: Self.period(of: time))
    }

    mutating func insert(_ key: SubmissionKey, _ row: KnownRow, period: Int64) {
        var place = slices.count
        while place > 0, slices[place - 1].period > period { place -= 1 }
        if place == 0 || slices[place - 1].period != period {
            slices.insert(Slice(period: period), at: place)
        } else {
            place -= 1
        }
        if let old = slices[place].table[key] { slices[place].sum.remove(Self.fingerprint(key, old)) }
        slices[place].table[key] = row
        slices[place].sum.add(Self.fingerprint(key, row))
    }

    /// When the oldest slice goes.
    var nextForgetting: Timestamp? { slices.first?.end.advanced(bySeconds: Relay.duplicateSeconds) }

    mutating func forget(at now: Timestamp) {
        while let due = nextForgetting, due <= now { slices.removeFirst() }
    }

    static func period(of time: Timestamp) -> Int64 {
        let (quotient, rest) = time.milliseconds.quotientAndRemainder(dividingBy: sliceSeconds * 1_000)
        return rest < 0 ? quotient - 1 : quotient
    }

    private static func fingerprint(_ key: SubmissionKey, _ row: KnownRow) -> StateDigest {
        var mixer = DigestMixer()
        mixer.mix(key.spread)
        mixer.mix(row.notification)
        mixer.mix(row.sequence << 16 | UInt64(row.digestHead))
        mixer.mix(row.digestTail)
        return mixer.digest
    }
}
