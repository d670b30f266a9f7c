import STOMP

/// The bytes that are under way between a client and the relay.
struct SimulatedLink {
    var toServer: [UInt8] = []
    /// Where the bytes that a client wrote at once end, counted from the first of `toServer`, and when it wrote them.
    var written: [(end: Int, at: SessionInstant)] = []
    /// The longest that a byte has waited in `toServer`.
    var longestWait: Int64 = 0
    var toClient: [UInt8] = []

    mutating func write(_ bytes: [UInt8], at now: SessionInstant) {
        guard !bytes.isEmpty else { return }
        toServer += bytes
        written.append((toServer.count, now))
    }

    /// Takes the first bytes off.
    mutating func move(_ count: Int, at now: SessionInstant) -> [UInt8] {
        wait(until: now)
        let piece = Array(toServer[..<count])
        toServer.removeFirst(count)
        written = written.map { ($0.end - count, $0.at) }.filter { $0.end > 0 }
        return piece
    }

    mutating func wait(until now: SessionInstant) {
        guard let oldest = written.first else { return }
        longestWait = max(longestWait, now.milliseconds - oldest.at.milliseconds)
    }
}
