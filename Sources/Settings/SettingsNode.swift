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
        let firstLine = text.prefix { !$0.isNewline }.unicodeScalars.count
        return Place(location, length: max(1, firstLine + (isQuoted ? 2 : 0)))
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
        var result = ""
        appendCanonical(to: &result)
        return result
    }

    private func appendCanonical(to result: inout String) {
        switch content {
        case .text(let text, _):
            Self.appendQuoted(text, to: &result)
        case .list(let nodes):
            result += "["
            for (index, node) in nodes.enumerated() {
                if index > 0 { result += "," }
                node.appendCanonical(to: &result)
            }
            result += "]"
        case .mapping(let entries):
            result += "{"
            for (index, entry) in entries.sorted(by: { $0.key.value < $1.key.value }).enumerated() {
                if index > 0 { result += "," }
                Self.appendQuoted(entry.key.value, to: &result)
                result += ":"
                entry.value.appendCanonical(to: &result)
            }
            result += "}"
        }
    }

    private static func appendQuoted(_ text: String, to result: inout String) {
        result += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        result += "\""
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
