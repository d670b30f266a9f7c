/// The body of a SEND to `/openings`: a station reports that a named person opened a notification.
package struct OpeningRequest: Sendable, Equatable {
    private static let names = ["notification", "person", "role", "at"]

    /// The notification.
    package var notification: NotificationID
    /// Who opened it.
    package var person: PersonID
    /// The role in which the person opened it.
    package var role: String?
    /// When it was opened; nil is now.
    package var at: Timestamp?

    /// A request.
    package init(notification: NotificationID, person: PersonID, role: String? = nil, at: Timestamp? = nil) {
        self.notification = notification
        self.person = person
        self.role = role
        self.at = at
    }

    /// Decodes a body strictly.
    ///
    /// - Throws: `schema` with the place: an unknown member, a missing one, one that has not its form.
    package init(json: [UInt8]) throws(Refusal) {
        let value = try MemberReader.parse(json, names: Self.names)
        let reader = try MemberReader(value, at: "", names: Self.names, .refusesUnknown)
        notification = try reader.required("notification", "the relay's id of a notification is needed") {
            NotificationID(text: $0)
        }
        person = try reader.required("person", "a person's id is needed") { PersonID($0) }
        role = try reader.name("role")
        at = try reader.optional("at", "a time with zone is needed, RFC 3339") { Timestamp(rfc3339: $0) }
    }

    /// The body as compact JSON.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("notification", notification.text)
        writer.member("person", person.text)
        writer.member("role", role)
        writer.member("at", at?.rfc3339)
        writer.endObject()
        return writer.bytes
    }
}
