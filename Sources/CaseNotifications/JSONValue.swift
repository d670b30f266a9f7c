/// A whole JSON text as a value, for messages that are small and not in the path of notifications.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number, as it is written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Parses a whole text strictly.
    ///
    /// - Parameter knownNames: names that a fault's pointer may show; where another name stands, it points at the parent.
    package init(parsing bytes: [UInt8], knownNames: Set<String> = []) throws(JSONFault) {
        guard bytes.count <= JSONScanner.largestBytes else { throw JSONFault(.tooLarge, at: JSONScanner.largestBytes) }
        var scanner = JSONScanner(bytes)
        self = try Self.read(&scanner, depth: 0, knownNames: knownNames)
        try scanner.finish()
    }

    private static func read(
        _ scanner: inout JSONScanner, depth: Int, knownNames: Set<String>
    ) throws(JSONFault) -> JSONValue {
        switch try scanner.peek() {
        case UInt8(ascii: "{"):
            var names: Set<String> = []
            var members: [JSONObject.Member] = []
            try scanner.object(depth: depth) { (scanner, token) throws(JSONFault) in
                let name = String(decoding: scanner.content(of: token), as: UTF8.self)
                let shown = knownNames.contains(name) ? name : nil
                // Canonically equivalent names count as one: whoever compares strings later could not tell them apart.
                guard names.insert(name).inserted else {
                    throw JSONFault(.duplicateMember, at: token.range.lowerBound).inside(shown)
                }
                do throws(JSONFault) {
                    let value = try read(&scanner, depth: depth + 1, knownNames: knownNames)
                    members.append(JSONObject.Member(name: name, value: value))
                } catch { throw error.inside(shown) }
            }
            return .object(JSONObject(members))
        case UInt8(ascii: "["):
            var items: [JSONValue] = []
            try scanner.array(depth: depth) { (scanner, index) throws(JSONFault) in
                do throws(JSONFault) {
                    items.append(try read(&scanner, depth: depth + 1, knownNames: knownNames))
                } catch {
                    throw error.inside(String(index))
                }
            }
            return .array(items)
        default:
            let token = try scanner.value(depth: depth)
            switch token.kind {
            case .true: return .bool(true)
            case .false: return .bool(false)
            case .string: return .string(String(decoding: scanner.content(of: token), as: UTF8.self))
            case .number:
                let text = String(decoding: scanner.raw(token), as: UTF8.self)
                guard text != "-0", let integer = Int64(text) else { return .number(text) }
                return .integer(integer)
            case .null, .array, .object: return .null
            }
        }
    }

    /// The member of that name, or nil if there is none or this is not an object.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// The string, or nil if this is none.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The integer, or nil if this is none.
    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// The truth value, or nil if this is none.
    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The items, or nil if this is no array.
    package var array: [JSONValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    /// The object, or nil if this is none.
    package var object: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    /// The value as compact JSON, members in their order.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }

    /// The value as compact JSON, members in their order.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    package init(stringLiteral text: String) { self = .string(text) }
    /// An integer.
    package init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    package init(arrayLiteral items: JSONValue...) { self = .array(items) }
    /// An object with these members in this order. Names must differ.
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(JSONObject(members.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }
}

/// The members of a JSON object in their order. Two are equal only with the same order.
package struct JSONObject: Equatable, Sendable {
    /// One member.
    package struct Member: Equatable, Sendable {
        /// The name, escapes resolved.
        package var name: String
        /// The value.
        package var value: JSONValue

        /// A member.
        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The members in their order.
    package private(set) var members: [Member]

    /// An object; names must differ.
    package init(_ members: [Member] = []) { self.members = members }

    /// The names in their order.
    package var names: [String] { members.map(\.name) }

    /// The value of a member. Setting nil removes it; a new one goes to the end.
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let place = members.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }
}
