/// The body of a SEND to `/acknowledgements`: what a person says has become of a notification (protocol.md, "Work").
package struct AcknowledgementRequest: Sendable, Equatable {
    /// The longest note, in bytes of UTF-8.
    package static let longestNoteBytes = 2_000

    private static let names = [
        "notification", "outcome", "person", "role", "to", "municipality", "earlier", "note", "at",
    ]

    /// The notification.
    package var notification: NotificationID
    /// What has become of it.
    package var outcome: Outcome
    /// Who says so; a station must name the person, a person's own certificate need not.
    package var person: PersonID?
    /// The role in which the person acts.
    package var role: String?
    /// For `handed-over`, where it is demanded: the role or desk that takes it.
    package var to: String?
    /// For `not-ours`: the four digits of the municipality that is responsible.
    package var municipality: String?
    /// For `already-known`, where it is demanded: the earlier notification or claim, by the relay's id.
    package var earlier: NotificationID?
    /// Free text for the own party, at most 2,000 bytes.
    package var note: String?
    /// When the person said so; nil is now.
    package var at: Timestamp?

    /// A request. Only decoding checks that the parts fit together.
    package init(
        notification: NotificationID, outcome: Outcome, person: PersonID? = nil, role: String? = nil,
        to: String? = nil, municipality: String? = nil, earlier: NotificationID? = nil, note: String? = nil,
        at: Timestamp? = nil
    ) {
        self.notification = notification
        self.outcome = outcome
        self.person = person
        self.role = role
        self.to = to
        self.municipality = municipality
        self.earlier = earlier
        self.note = note
        self.at = at
    }

    /// Decodes a body strictly.
    ///
    /// - Throws: `schema` with the place: an unknown member, a missing one, one that the outcome does not have.
    package init(json: [UInt8]) throws(Refusal) {
        let value = try MemberReader.parse(json, names: Self.names)
        let reader = try MemberReader(value, at: "", names: Self.names, .refusesUnknown)
        notification = try reader.required("notification", "the relay's id of a notification is needed") {
            NotificationID(text: $0)
        }
        outcome = try reader.required("outcome", "one of the five outcomes is needed") { Outcome(text: $0) }
        person = try reader.optional("person", "a person's id is needed") { PersonID($0) }
        role = try reader.name("role")
        to = try reader.name("to")
        municipality = try reader.optional("municipality", "four digits are needed") {
            AttributeGrammar.isDigits(Array($0.utf8)[...], count: 4) ? $0 : nil
        }
        earlier = try reader.optional("earlier", "an id that the relay gave is needed") { NotificationID(text: $0) }
        note = try reader.optional("note")
        at = try reader.optional("at", "a time with zone is needed, RFC 3339") { Timestamp(rfc3339: $0) }
        if let note {
            guard note.utf8.count <= Self.longestNoteBytes else {
                throw reader.refusal("note", "the note is longer than \(Self.longestNoteBytes) bytes")
            }
            guard AttributeGrammar.isFreeText(note.utf8) else {
                throw reader.refusal("note", "of control characters only tab and line feed are accepted")
            }
            if let finding = TextScan.finding(in: note.utf8, .unknown) { throw finding.refusal(at: "/note") }
        }
        try demandFit(reader)
    }

    /// Which members an outcome has: `earlier` and `to` where they mean something are demanded, elsewhere refused.
    private func demandFit(_ reader: MemberReader) throws(Refusal) {
        let missing = "this outcome requires this member"
        let misplaced = "this outcome has no such member"
        if outcome == .alreadyKnown, earlier == nil { throw reader.refusal("earlier", missing) }
        if outcome != .alreadyKnown, earlier != nil { throw reader.refusal("earlier", misplaced) }
        if outcome == .handedOver, to == nil { throw reader.refusal("to", missing) }
        if outcome != .handedOver, to != nil { throw reader.refusal("to", misplaced) }
        if outcome != .notOurs, municipality != nil { throw reader.refusal("municipality", misplaced) }
        if outcome == .alreadyKnown, earlier == notification {
            throw reader.refusal("earlier", "a notification is not earlier than itself")
        }
    }

    /// The body as compact JSON.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("notification", notification.text)
        writer.member("outcome", outcome.text)
        writer.member("person", person?.text)
        writer.member("role", role)
        writer.member("to", to)
        writer.member("municipality", municipality)
        writer.member("earlier", earlier?.text)
        writer.member("note", note)
        writer.member("at", at?.rfc3339)
        writer.endObject()
        return writer.bytes
    }
}
