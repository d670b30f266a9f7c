import Glibc

/// One bit per notification.
struct BitSet {
    private var words: [UInt64] = []
    /// Bits that are set.
    private(set) var count = 0

    /// Sets a bit; false if it was set already.
    mutating func insert(_ number: UInt64) -> Bool {
        let word = Int(number >> 6)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: max(1024, word + 1 - words.count))) }
        let bit = UInt64(1) << (number & 63)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        count += 1
        return true
    }

    func contains(_ number: UInt64) -> Bool {
        let word = Int(number >> 6)
        return word < words.count && words[word] & UInt64(1) << (number & 63) != 0
    }
}

/// What was sent, accepted and delivered, one by one: who was lost and who came twice.
struct Ledger {
    /// Notifications of one run at most: their books take about 20 bytes each.
    static let mostNotifications: UInt64 = 50_000_000

    /// What a MESSAGE was.
    enum Arrival {
        /// The first copy at that desk.
        case first(intended: UInt64)
        /// A copy with `redelivered:true` and the same relay id.
        case redelivered
        /// Another copy without, or with another relay id.
        case doubled
        /// At a desk that no rule sends it to.
        case strayed
        /// Of another run, or nothing of ours.
        case foreign
    }

    let run: UInt32
    let fanOut: FanOut
    /// Intended time by number, in monotonic nanoseconds.
    private var intended: [UInt64] = []
    /// A hash of the relay's id by number; 0 while it is not known.
    private var identities: [UInt64] = []
    private var accepted = BitSet()
    private var delivered: [BitSet]
    /// By desk: accepted and delivered.
    private var confirmed: [Int]
    /// Accepted notifications that must reach a desk.
    private var expected: [Int]
    private var mark: [UInt8]
    /// Where the id stood in the last body.
    private var guess = 0

    private(set) var redeliveredCount = 0
    private(set) var doubledCount = 0
    private(set) var strayedCount = 0
    private(set) var foreignCount = 0

    init(run: UInt32, fanOut: FanOut, desks: Int) {
        self.run = run
        self.fanOut = fanOut
        delivered = Array(repeating: BitSet(), count: desks)
        confirmed = Array(repeating: 0, count: desks)
        expected = Array(repeating: 0, count: desks)
        mark = [UInt8](repeating: 0, count: 9)
        mark.withUnsafeMutableBufferPointer { Digits.hexadecimal(UInt64(run), width: 8, at: 0, in: $0) }
        mark[8] = UInt8(ascii: "-")
    }

    /// So many were sent.
    var sentCount: Int { intended.count }
    var acceptedCount: Int { accepted.count }
    /// Accepted and not delivered to a desk that they were for.
    var missingCount: Int { zip(expected, confirmed).reduce(0) { $0 + $1.0 - $1.1 } }

    /// The desk of a notification when it is for one only.
    func desk(of number: UInt64) -> Int { Int(number % UInt64(delivered.count)) }

    private func isMeant(_ number: UInt64, for desk: Int) -> Bool { fanOut == .three || self.desk(of: number) == desk }

    /// The number of the next notification.
    mutating func send(intended time: UInt64) -> UInt64 {
        intended.append(time)
        identities.append(0)
        return UInt64(intended.count - 1)
    }

    /// A RECEIPT that says accepted.
    ///
    /// - Returns: the intended time; nil for a receipt that nobody can have asked for, or the second one.
    mutating func accept(_ number: UInt64, identity: UInt64) -> UInt64? {
        guard number < UInt64(intended.count), accepted.insert(number) else { return nil }
        if !note(identity, of: number) { doubledCount += 1 }
        for desk in delivered.indices where isMeant(number, for: desk) {
            expected[desk] += 1
            if delivered[desk].contains(number) { confirmed[desk] += 1 }
        }
        return intended[Int(number)]
    }

    /// A MESSAGE at a desk.
    mutating func deliver(
        _ body: UnsafeRawBufferPointer, at desk: Int, identity: UInt64, isRedelivered: Bool
    ) -> Arrival {
        guard let number = number(in: body), number < UInt64(intended.count) else {
            foreignCount += 1
            return .foreign
        }
        guard isMeant(number, for: desk) else {
            strayedCount += 1
            return .strayed
        }
        let isSame = note(identity, of: number)
        guard delivered[desk].insert(number) else {
            if isRedelivered && isSame {
                redeliveredCount += 1
                return .redelivered
            }
            doubledCount += 1
            return .doubled
        }
        if !isSame { doubledCount += 1 }
        if accepted.contains(number) { confirmed[desk] += 1 }
        return .first(intended: intended[Int(number)])
    }

    /// False if the notification already has another id of the relay's.
    private mutating func note(_ identity: UInt64, of number: UInt64) -> Bool {
        let index = Int(number)
        if identities[index] == 0 { identities[index] = identity }
        return identities[index] == identity
    }

    private mutating func number(in body: UnsafeRawBufferPointer) -> UInt64? {
        guard body.count >= Placeholder.id.width else { return nil }
        if !isMark(at: guess, in: body) {
            // The id stands at the same place in nearly all bodies: this is for the first one.
            guard let found = (0...(body.count - Placeholder.id.width)).first(where: { isMark(at: $0, in: body) })
            else { return nil }
            guess = found
        }
        return Digits.hexadecimal(body, at: guess + 9, width: 12)
    }

    private func isMark(at place: Int, in body: UnsafeRawBufferPointer) -> Bool {
        guard place + Placeholder.id.width <= body.count else { return false }
        for index in mark.indices where body[place + index] != mark[index] { return false }
        return true
    }

    /// A hash of the relay's id that is never 0 (FNV-1a).
    static func identity(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>?) -> UInt64 {
        guard let range else { return 1 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for place in range { hash = (hash ^ UInt64(bytes[place])) &* 0x100_0000_01B3 }
        return max(1, hash)
    }
}
