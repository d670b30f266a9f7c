/// Why some bytes are not the JSON that is wanted. It holds no byte of them.
package struct JSONFault: Error, Equatable, Sendable {
    /// What is wrong.
    package enum Reason: Sendable, CaseIterable {
        case unexpectedEnd, unexpectedByte, trailingBytes
        case invalidUTF8, controlCharacter, badEscape, loneSurrogate, badNumber
        case duplicateMember, unknownMember
        case tooDeep, tooLarge, tooMany

        /// One sentence without content, colon or backslash.
        package var message: String {
            switch self {
            case .unexpectedEnd: "the JSON text ends too early"
            case .unexpectedByte: "this is not JSON, RFC 8259"
            case .trailingBytes: "something follows after the JSON text"
            case .invalidUTF8: "a string is not valid UTF-8"
            case .controlCharacter: "a string holds an unescaped control character"
            case .badEscape: "a string holds an unknown escape"
            case .loneSurrogate: "a string holds half of a surrogate pair"
            case .badNumber: "a number has not the form of JSON"
            case .duplicateMember: "a member name stands twice in one object"
            case .unknownMember: "unknown member"
            case .tooDeep: "nested deeper than \(JSONScanner.deepest) levels"
            case .tooLarge: "larger than \(JSONScanner.largestBytes) bytes"
            case .tooMany: "more members or items than the limit"
            }
        }
    }

    /// What is wrong.
    package let reason: Reason
    /// The offset of the byte at which it was noticed.
    package let offset: Int
    /// A JSON pointer to the innermost known place: unknown names never show, as they are content too.
    package private(set) var pointer: String

    /// A fault at the top of a text.
    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
        pointer = ""
    }

    /// The same fault, seen from the object or array around it. `name` is nil if the name may not be shown.
    func inside(_ name: String?) -> JSONFault {
        var copy = self
        copy.pointer = name.map { "/" + $0 + pointer } ?? ""
        return copy
    }

    /// The refusal of a submission that has this fault.
    package var refusal: Refusal {
        Refusal(code: reason == .tooLarge ? .tooLarge : .schema, pointer: pointer, message: reason.message)
    }
}
