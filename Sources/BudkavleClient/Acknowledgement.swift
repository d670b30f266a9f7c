import CaseNotifications

/// What a person did with a delivery: the body of `SEND /acknowledgements` (protocol.md, "Work").
public struct Acknowledgement: Equatable, Sendable {
    /// The outcomes of design.md, section 7.
    public enum Outcome: String, CaseIterable, Sendable {
        case taken
        case alreadyKnown = "already-known"
        case handedOver = "handed-over"
        case notOurs = "not-ours"
        case recused
    }

    /// The relay's id of the notification, 26 characters.
    public var notification: String
    /// What the person decided.
    public var outcome: Outcome
    /// The person, where a station speaks for people; absent with a person's own certificate.
    public var person: String?
    /// The person's function, where a station speaks for people.
    public var role: String?
    /// Role or desk that takes over; for `handedOver` only.
    public var taker: String?
    /// The municipality whose it is; for `notOurs` only.
    public var municipality: String?
    /// The notification or claim by which it was known; for `alreadyKnown` only.
    public var earlier: String?
    /// Free text for the own party, sealed as content.
    public var note: String?

    /// Makes an acknowledgement.
    public init(notification: String, outcome: Outcome) {
        self.notification = notification
        self.outcome = outcome
    }

    /// The JSON object that goes over the wire; members that are absent are left out.
    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("notification", notification)
        writer.member("outcome", outcome.rawValue)
        writer.member("person", person)
        writer.member("role", role)
        writer.member("to", taker)
        writer.member("municipality", municipality)
        writer.member("earlier", earlier)
        writer.member("note", note)
        writer.endObject()
        return writer.bytes
    }
}
