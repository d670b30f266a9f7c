import CaseNotifications

/// What the command line needs to know of an event that somebody wants to send: names only, never content.
package struct EventDraft: Equatable, Sendable {
    /// The sender's own id of it: the same at every attempt.
    package let id: String
    /// The event's type.
    package let type: String

    /// Reads a CloudEvents JSON object; the relay judges the rest.
    ///
    /// - Throws: where it is no JSON object, or lacks `id` or `type`, with a pointer.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch { throw AnswerFault(pointer: error.pointer) }
        let reader = try AnswerReader(value, pointer: "")
        id = Sanitizer.line(try reader.text("id"))
        type = Sanitizer.line(try reader.text("type"))
    }
}

/// The command line's own JSON objects: flat, members in order, absent ones left out.
package struct ReportObject: Sendable {
    private var object: JSONObject

    /// An object of one schema: `budkavle.send/1`.
    package init(schema: String) {
        object = JSONObject([JSONObject.Member(name: "schema", value: .string(schema))])
    }

    /// Adds a member; nothing for nil.
    package mutating func add(_ name: String, _ text: String?) {
        if let text { object[name] = .string(text) }
    }

    /// Adds a member; nothing for nil.
    package mutating func add(_ name: String, _ number: Int?) {
        if let number { object[name] = .integer(Int64(number)) }
    }

    /// The object on one line, safe for a terminal.
    package var line: String { JSONText.line(.object(object)) }
}

extension JSONText {
    /// One string as JSON.
    package static func quoted(_ text: String) -> String { line(.string(text)) }
}
