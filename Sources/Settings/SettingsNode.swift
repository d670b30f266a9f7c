/// A node of a settings file: text, a list or a mapping, with its place. Nothing is typed yet.
package struct SettingsNode: Sendable {
    /// What the node is.
    package indirect enum Content: Sendable {
        /// Any scalar; `isQuoted` if it stands in quotes.
        case text(String, isQuoted: Bool)
        /// A list.
        case list([SettingsNode])
        /// A mapping, in the file's order, without repeated keys.
        case mapping([SettingsEntry])
    }

    /// What the node is.
    package let content: Content
    /// Where it starts.
    package let location: SourceLocation

    /// A node.
    package init(_ content: Content, at location: SourceLocation) {
        self.content = content
        self.location = location
    }

    /// What a message marks: the whole of a text, the first character of anything else.
    package var place: Place {
        guard case .text(let text, let isQuoted) = content else { return Place(location) }
        var length = 0
        // Bytes, since every value of a policy is asked for its place; all but those that go on a character begin one.
        for byte in text.utf8 {
            if (0x0A...0x0D).contains(byte) { break }
            if byte & 0xC0 != 0x80 { length += 1 }
        }
        return Place(location, length: max(1, length + (isQuoted ? 2 : 0)))
    }

    /// What the node is, for messages.
    package var shape: String {
        switch content {
        case .text: "a text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The text of a scalar.
    package var text: String? {
        if case .text(let text, _) = content { text } else { nil }
    }

    /// The value of a key in a mapping.
    package subscript(key key: String) -> SettingsNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key.value == key }?.value
    }

    /// A text that is the same for equal content, however the file is laid out and in whatever order its keys stand.
    package var canonicalText: String {
        var result: [UInt8] = []
        appendCanonical(to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    private func appendCanonical(to result: inout [UInt8]) {
        switch content {
        case .text(let text, _):
            Self.appendQuoted(text, to: &result)
        case .list(let nodes):
            result.append(UInt8(ascii: "["))
            for (index, node) in nodes.enumerated() {
                if index > 0 { result.append(UInt8(ascii: ",")) }
                node.appendCanonical(to: &result)
            }
            result.append(UInt8(ascii: "]"))
        case .mapping(let entries):
            result.append(UInt8(ascii: "{"))
            for (index, entry) in entries.sorted(by: { $0.key.value < $1.key.value }).enumerated() {
                if index > 0 { result.append(UInt8(ascii: ",")) }
                Self.appendQuoted(entry.key.value, to: &result)
                result.append(UInt8(ascii: ":"))
                entry.value.appendCanonical(to: &result)
            }
            result.append(UInt8(ascii: "}"))
        }
    }

    private static func appendQuoted(_ text: String, to result: inout [UInt8]) {
        result.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): result += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            default: result.append(byte)
            }
        }
        result.append(UInt8(ascii: "\""))
    }
}

/// One key of a mapping with its value.
package struct SettingsEntry: Sendable {
    /// The key.
    package let key: Located<String>
    /// Whether the key stands in quotes.
    package let isQuoted: Bool
    /// What it is set to.
    package let value: SettingsNode

    /// An entry.
    package init(key: Located<String>, isQuoted: Bool, value: SettingsNode) {
        self.key = key
        self.isQuoted = isQuoted
        self.value = value
    }
}
