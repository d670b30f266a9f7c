/// Reads one mapping by a schema: ask for every key that it may have, then call `finish()`, which reports all others.
///
/// Everything that is wrong goes to the log; what can be read is returned all the same, so that one pass tells every mistake.
package struct MappingReader {
    /// What the mapping is, for messages: `rule 'polis-soc'`.
    package let subject: String
    /// Where the mapping starts.
    package let location: SourceLocation
    /// Where everything that is wrong goes.
    package let log: DiagnosticLog
    private let entries: [SettingsEntry]
    private var known: [String] = []

    /// A reader of `node`, or nil (and an error in the log) if it is not a mapping.
    package init?(_ node: SettingsNode, _ subject: String, _ log: DiagnosticLog) {
        guard case .mapping(let entries) = node.content else {
            log.error(.wrongShape, at: node.place, "\(subject) must be a mapping, not \(node.shape)")
            return nil
        }
        self.subject = subject
        self.entries = entries
        self.log = log
        location = node.location
    }

    /// The place that a message about the whole mapping marks.
    package var place: Place { Place(location) }

    /// Reports every key that was not asked for.
    ///
    /// - Parameter removed: keys that an older version had, each with what to do about it.
    package func finish(removed: [String: String] = [:]) {
        for entry in entries where !known.contains(entry.key.value) {
            log.error(
                .unknownKey, at: entry.key.place, "unknown key \(Diagnostic.quote(entry.key.value)) in \(subject)",
                hint: removed[entry.key.value] ?? Suggestion.hint(for: entry.key.value, among: known))
        }
    }

    // MARK: Nodes

    /// The node of a key, without any demand on it; nil if the key is not set.
    package mutating func node(_ key: String) -> SettingsNode? {
        known.append(key)
        return entries.first { $0.key.value == key }?.value
    }

    /// The place of a key; the mapping's own if the key is not set.
    package func place(of key: String) -> Place {
        entries.first { $0.key.value == key }?.key.place ?? place
    }

    /// The node of a key that must be set.
    package mutating func requiredNode(_ key: String) -> SettingsNode? {
        if let node = node(key) { return node }
        log.error(.missingKey, at: place, "\(subject) has no '\(key)'")
        return nil
    }

    // MARK: Scalars

    /// The value of a key that must be set.
    package mutating func value<Value>(_ key: String, _ scalar: Scalar<Value>) -> Value? {
        located(key, scalar)?.value
    }

    /// The value of a key that must be set, with its place.
    package mutating func located<Value>(_ key: String, _ scalar: Scalar<Value>) -> Located<Value>? {
        guard let node = requiredNode(key) else { return nil }
        return Self.read(node, scalar, what: "'\(key)'", log: log)
    }

    /// The value of a key that may be left out.
    package mutating func optional<Value>(_ key: String, _ scalar: Scalar<Value>) -> Value? {
        optionalLocated(key, scalar)?.value
    }

    /// The value of a key that may be left out, with its place.
    package mutating func optionalLocated<Value>(_ key: String, _ scalar: Scalar<Value>) -> Located<Value>? {
        guard let node = node(key) else { return nil }
        return Self.read(node, scalar, what: "'\(key)'", log: log)
    }

    /// The value of a key, or `fallback` if it is left out or wrong.
    package mutating func optional<Value>(_ key: String, _ scalar: Scalar<Value>, default fallback: Value) -> Value {
        optional(key, scalar) ?? fallback
    }

    // MARK: Lists and mappings

    /// The values of a list of scalars; empty if the key is left out. Repeated values are reported.
    package mutating func list<Value: Hashable>(_ key: String, of scalar: Scalar<Value>) -> [Located<Value>] {
        optionalList(key, of: scalar) ?? []
    }

    /// The values of a list of scalars; nil if the key is left out. Repeated values are reported.
    package mutating func optionalList<Value: Hashable>(_ key: String, of scalar: Scalar<Value>) -> [Located<Value>]? {
        guard let node = node(key) else { return nil }
        guard case .list(let items) = node.content else {
            log.error(
                .wrongShape, at: node.place, "'\(key)' must be a list, not \(node.shape)",
                hint: node.text.map { "write [\($0)]" })
            return []
        }
        var values: [Located<Value>] = []
        for item in items {
            guard let value = Self.read(item, scalar, what: "'\(key)'", log: log) else { continue }
            if let first = values.first(where: { $0.value == value.value }) {
                log.error(
                    .repeatedValue, at: value.place, "'\(key)' has the same value twice", related: [first.location])
                continue
            }
            values.append(value)
        }
        return values
    }

    /// The items of a list that may be left out.
    package mutating func sequence(_ key: String) -> [SettingsNode] {
        guard let node = node(key) else { return [] }
        guard case .list(let items) = node.content else {
            log.error(.wrongShape, at: node.place, "'\(key)' must be a list, not \(node.shape)")
            return []
        }
        return items
    }

    /// The items of a list that must be set.
    package mutating func requiredSequence(_ key: String) -> [SettingsNode] {
        requiredNode(key) == nil ? [] : sequence(key)
    }

    /// A reader of a mapping that must be set.
    package mutating func mapping(_ key: String) -> MappingReader? {
        requiredNode(key).flatMap { MappingReader($0, "'\(key)'", log) }
    }

    /// A reader of a mapping that may be left out.
    package mutating func optionalMapping(_ key: String) -> MappingReader? {
        node(key).flatMap { MappingReader($0, "'\(key)'", log) }
    }

    /// The entries of a mapping whose keys are free; empty if the key is left out.
    package mutating func entries(_ key: String) -> [SettingsEntry] {
        guard let node = node(key) else { return [] }
        guard case .mapping(let entries) = node.content else {
            log.error(.wrongShape, at: node.place, "'\(key)' must be a mapping, not \(node.shape)")
            return []
        }
        return entries
    }

    /// The entries of a mapping that must be set.
    package mutating func requiredEntries(_ key: String) -> [SettingsEntry] {
        requiredNode(key) == nil ? [] : entries(key)
    }

    // MARK: One scalar

    /// The value of a node that must be text of a type.
    ///
    /// - Parameter what: what the node is, for messages.
    package static func read<Value>(
        _ node: SettingsNode, _ scalar: Scalar<Value>, what: String, log: DiagnosticLog
    ) -> Located<Value>? {
        guard case .text(let text, let isQuoted) = node.content else {
            log.error(.wrongShape, at: node.place, "\(what) must be \(scalar.wanted), not \(node.shape)")
            return nil
        }
        switch scalar.read(ScalarText(text: text, isQuoted: isQuoted)) {
        case .success(let value): return Located(value, at: node.place)
        case .failure(let fault):
            let message = fault.message ?? "\(Diagnostic.quote(text)) is not \(scalar.wanted)"
            log.error(fault.code, at: node.place, message, hint: fault.hint)
            return nil
        }
    }
}
