/// What of a record outlives its segment, as the copies of audit records name it. The numbers stand on disk.
package enum LastingKind: UInt8, Sendable, CaseIterable {
    /// A name and its number: without it no number in the others can be told.
    case name = 1
    /// A part of a policy's canonical text.
    case policy = 2
    /// Somebody did something, or tried to, or something was done with what the relay keeps.
    case audit = 3
}

extension EventCodec {
    /// What of a record is kept when its segment goes; nil for one that goes with it, and for what is no event.
    ///
    /// Only looks at the first byte. No event holds a free text, so nothing that is erased is in what is kept.
    package static func lasting(_ record: [UInt8]) -> LastingKind? {
        guard let kind = record.first.flatMap(Kind.init) else { return nil }
        return switch kind {
        case .named, .numbered: .name
        case .policy: .policy
        case .refused, .availability, .requeued, .opened, .acknowledged, .clock, .audited, .maintenance, .held,
            .released, .moved:
            .audit
        // A notification and the way that its copies went: this is what ends with the segment.
        case .accepted, .custody, .returned, .setAside, .receiptsRead, .receiptsConfirmed, .trimmed, .unreadable: nil
        }
    }
}
