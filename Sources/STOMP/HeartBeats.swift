/// A point on a monotonic clock, in milliseconds. Only differences mean anything.
package struct SessionInstant: Hashable, Comparable, Sendable {
    /// Milliseconds since the clock's own start.
    package var milliseconds: Int64

    /// That many milliseconds after the clock's own start.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Later by that many milliseconds.
    package func advanced(byMilliseconds more: Int64) -> SessionInstant {
        SessionInstant(milliseconds: milliseconds + more)
    }

    /// Earlier is smaller.
    package static func < (left: SessionInstant, right: SessionInstant) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

/// What one side says in `heart-beat` (STOMP 1.2, Heart-beating). Zero is never.
package struct HeartBeatOffer: Equatable, Sendable {
    /// The shortest gap that this side can keep when it sends.
    package var sendsMilliseconds: Int64
    /// The gap that this side would like to see from the other.
    package var wantsMilliseconds: Int64

    /// No heart-beats either way: what a missing header means.
    package static let none = HeartBeatOffer(sendsMilliseconds: 0, wantsMilliseconds: 0)

    /// Both numbers as they stand in the header.
    package init(sendsMilliseconds: Int64, wantsMilliseconds: Int64) {
        self.sendsMilliseconds = sendsMilliseconds
        self.wantsMilliseconds = wantsMilliseconds
    }

    /// Reads `10000,10000`: two plain numbers of at most nine digits (eleven days).
    init?(header: String) {
        let parts = header.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let sends = Self.number(parts[0]), let wants = Self.number(parts[1]) else { return nil }
        self.init(sendsMilliseconds: sends, wantsMilliseconds: wants)
    }

    var header: String { "\(sendsMilliseconds),\(wantsMilliseconds)" }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }
}

/// The gaps that both sides agreed on, in milliseconds, seen from this side. Zero is none.
package struct HeartBeats: Equatable, Sendable {
    /// The other side sends something at least this often.
    package var incomingMilliseconds: Int64
    /// This side sends something at least this often.
    package var outgoingMilliseconds: Int64

    /// What follows from both offers.
    package init(own: HeartBeatOffer, other: HeartBeatOffer) {
        incomingMilliseconds = Self.agree(other.sendsMilliseconds, own.wantsMilliseconds)
        outgoingMilliseconds = Self.agree(own.sendsMilliseconds, other.wantsMilliseconds)
    }

    private static func agree(_ sends: Int64, _ wants: Int64) -> Int64 {
        sends == 0 || wants == 0 ? 0 : max(sends, wants)
    }
}

/// When the other side counts as silent, and when this side owes a sign of life.
struct HeartBeatClock: Sendable {
    private(set) var agreed = HeartBeats(own: .none, other: .none)
    private var graceMilliseconds: Int64 = 0
    private var lastRead: SessionInstant
    private var lastWrite: SessionInstant

    init(at now: SessionInstant) {
        lastRead = now
        lastWrite = now
    }

    mutating func agree(_ beats: HeartBeats, graceMilliseconds: Int64, at now: SessionInstant) {
        agreed = beats
        self.graceMilliseconds = graceMilliseconds
        lastRead = now
        lastWrite = now
    }

    /// Any byte counts, also one inside a large frame.
    mutating func noteRead(at now: SessionInstant) { lastRead = now }

    mutating func noteWrite(at now: SessionInstant) { lastWrite = now }

    /// Twice the agreed gap and the grace after the last byte read.
    var silentAt: SessionInstant? {
        guard agreed.incomingMilliseconds > 0 else { return nil }
        return lastRead.advanced(byMilliseconds: 2 * agreed.incomingMilliseconds + graceMilliseconds)
    }

    /// At 0.8 of the agreed gap after the last byte written.
    var beatAt: SessionInstant? {
        guard agreed.outgoingMilliseconds > 0 else { return nil }
        return lastWrite.advanced(byMilliseconds: agreed.outgoingMilliseconds * 4 / 5)
    }
}
