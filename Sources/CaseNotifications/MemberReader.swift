/// Takes the members of a small JSON object one by one, each in its form, and refuses the rest.
struct MemberReader {
    /// What happens with members that nobody asks for.
    enum Strictness {
        case refusesUnknown
        /// For what a newer relay may add.
        case ignoresUnknown
    }

    private let object: JSONObject
    /// The pointer of the object.
    private let pointer: String

    /// Reads the members `names` of `value`, which stands at `pointer`.
    init(_ value: JSONValue?, at pointer: String, names: [String], _ strictness: Strictness) throws(Refusal) {
        guard let object = value?.object else {
            throw Refusal(code: .schema, pointer: pointer, message: "an object is needed")
        }
        if strictness == .refusesUnknown, object.names.contains(where: { !names.contains($0) }) {
            throw Refusal(code: .schema, pointer: pointer, message: JSONFault.Reason.unknownMember.message)
        }
        self.object = object
        self.pointer = pointer
    }

    /// Parses a whole text whose members' names are among `names`.
    static func parse(_ json: [UInt8], names: [String]) throws(Refusal) -> JSONValue {
        do throws(JSONFault) {
            return try JSONValue(parsing: json, knownNames: Set(names))
        } catch {
            throw error.refusal
        }
    }

    /// A refusal of the member of that name.
    func refusal(_ name: String, _ message: String) -> Refusal {
        Refusal(code: .schema, pointer: pointer + "/" + name, message: message)
    }

    /// Whether the member is there and not null.
    func has(_ name: String) -> Bool { object[name] != nil && object[name] != .null }

    /// The string of an optional member; nil if it is absent or null.
    func optional(_ name: String) throws(Refusal) -> String? {
        guard has(name) else { return nil }
        guard let text = object[name]?.string else { throw refusal(name, "a string is needed") }
        return text
    }

    /// The string of a member that must be there.
    func required(_ name: String) throws(Refusal) -> String {
        guard let text = try optional(name) else { throw refusal(name, "this member is required") }
        return text
    }

    /// The value that `parse` makes of an optional member's string.
    func optional<Value>(_ name: String, _ form: String, _ parse: (String) -> Value?) throws(Refusal) -> Value? {
        guard let text = try optional(name) else { return nil }
        guard let value = parse(text) else { throw refusal(name, form) }
        return value
    }

    /// The value that `parse` makes of a member's string that must be there.
    func required<Value>(_ name: String, _ form: String, _ parse: (String) -> Value?) throws(Refusal) -> Value {
        guard let value = try optional(name, form, parse) else { throw refusal(name, "this member is required") }
        return value
    }

    /// An object that must be there.
    func object(_ name: String, names: [String], _ strictness: Strictness) throws(Refusal) -> MemberReader {
        try MemberReader(object[name], at: pointer + "/" + name, names: names, strictness)
    }

    /// A name in the common grammar.
    func name(_ name: String) throws(Refusal) -> String? {
        try optional(name, "a name of a-z, 0-9, dot and hyphen is needed") { NameGrammar.accepts($0.utf8) ? $0 : nil }
    }
}
