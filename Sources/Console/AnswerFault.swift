import CaseNotifications

/// Why an answer of the relay is not what this version understands.
package struct AnswerFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The member that is missing or of another kind, as a JSON pointer; empty when the whole is no JSON object.
    package let pointer: String
    /// One sentence, never content.
    package var description: String { "the relay's answer is not understood at '\(pointer)'" }

    /// A fault at a place.
    package init(pointer: String) { self.pointer = pointer }
}

/// Reads members of one JSON object; members that it does not ask for are ignored, so that answers may grow.
struct AnswerReader {
    let value: JSONValue
    let pointer: String

    /// The whole answer. It must name `schema`, of any minor growth.
    init(_ bytes: [UInt8], schema: String) throws(AnswerFault) {
        let parsed: JSONValue
        do { parsed = try JSONValue(parsing: bytes) } catch { throw AnswerFault(pointer: "") }
        try self.init(parsed, pointer: "")
        guard parsed["schema"]?.string == schema else { throw AnswerFault(pointer: "/schema") }
    }

    init(_ value: JSONValue, pointer: String) throws(AnswerFault) {
        guard value.object != nil else { throw AnswerFault(pointer: pointer) }
        self.value = value
        self.pointer = pointer
    }

    func text(_ name: String) throws(AnswerFault) -> String {
        guard let text = value[name]?.string else { throw fault(name) }
        return text
    }

    func optionalText(_ name: String) throws(AnswerFault) -> String? {
        guard let member = value[name] else { return nil }
        guard let text = member.string else { throw fault(name) }
        return text
    }

    func time(_ name: String) throws(AnswerFault) -> Timestamp {
        guard let time = try optionalTime(name) else { throw fault(name) }
        return time
    }

    func optionalTime(_ name: String) throws(AnswerFault) -> Timestamp? {
        guard let text = try optionalText(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else { throw fault(name) }
        return time
    }

    func integer(_ name: String) throws(AnswerFault) -> Int {
        guard let integer = value[name]?.integer, let number = Int(exactly: integer) else { throw fault(name) }
        return number
    }

    func optionalInteger(_ name: String) throws(AnswerFault) -> Int? {
        value[name] == nil ? nil : try integer(name)
    }

    func flag(_ name: String) throws(AnswerFault) -> Bool {
        guard let flag = value[name]?.bool else { throw fault(name) }
        return flag
    }

    func optionalFlag(_ name: String) throws(AnswerFault) -> Bool {
        value[name] == nil ? false : try flag(name)
    }

    func texts(_ name: String) throws(AnswerFault) -> [String] {
        guard let member = value[name] else { return [] }
        guard let items = member.array else { throw fault(name) }
        var result: [String] = []
        for item in items {
            guard let text = item.string else { throw fault(name) }
            result.append(text)
        }
        return result
    }

    func object(_ name: String) throws(AnswerFault) -> AnswerReader {
        guard let member = value[name] else { throw fault(name) }
        return try AnswerReader(member, pointer: "\(pointer)/\(name)")
    }

    /// The objects of a list; a list that is absent is an error.
    func objects<Element>(
        _ name: String, _ read: (AnswerReader) throws(AnswerFault) -> Element
    ) throws(AnswerFault) -> [Element] {
        guard let items = value[name]?.array else { throw fault(name) }
        var result: [Element] = []
        result.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            result.append(try read(try AnswerReader(item, pointer: "\(pointer)/\(name)/\(index)")))
        }
        return result
    }

    /// The same for a list that may be absent.
    func optionalObjects<Element>(
        _ name: String, _ read: (AnswerReader) throws(AnswerFault) -> Element
    ) throws(AnswerFault) -> [Element] {
        value[name] == nil ? [] : try objects(name, read)
    }

    /// What a party is called; nothing if the relay does not say.
    func name(_ member: String) throws(AnswerFault) -> PartyName {
        guard value[member] != nil else { return PartyName() }
        let names = try object(member)
        return PartyName(swedish: try names.text("sv"), english: try names.text("en"))
    }

    func labels(_ name: String) throws(AnswerFault) -> LabelTable {
        guard let member = value[name] else { return LabelTable() }
        guard let object = member.object else { throw fault(name) }
        var table = LabelTable()
        for entry in object.members {
            table.labels[entry.name] = [.swedish: entry.value["sv"]?.string, .english: entry.value["en"]?.string]
                .compactMapValues { $0 }
        }
        return table
    }

    func fault(_ name: String) -> AnswerFault { AnswerFault(pointer: "\(pointer)/\(name)") }
}

/// What a party was called at some time, for people.
struct PartyName: Equatable, Sendable {
    var swedish = ""
    var english = ""

    /// The name made harmless; nil if it is not known.
    func text(_ language: Language) -> String? {
        let name = language == .swedish ? swedish : english
        return name.isEmpty ? nil : Sanitizer.line(name)
    }
}

/// What the relay's catalogue calls types and fields, for people.
package struct LabelTable: Equatable, Sendable {
    var labels: [String: [Language: String]] = [:]

    /// Labels by name and language.
    package init(_ labels: [String: [Language: String]] = [:]) { self.labels = labels }

    /// The label, or the name without `se.budkavle.` and version when there is none.
    func text(_ name: String, _ language: Language) -> String { labels[name]?[language] ?? Self.short(name) }

    /// `police.report.registered` of `se.budkavle.police.report.registered.v1`.
    static func short(_ type: String) -> String {
        var parts = type.split(separator: ".", omittingEmptySubsequences: false)[...]
        if parts.starts(with: ["se", "budkavle"]), parts.count > 2 { parts = parts.dropFirst(2) }
        if let last = parts.last, parts.count > 1, last.hasPrefix("v"), Int(last.dropFirst()) != nil {
            parts = parts.dropLast()
        }
        return parts.joined(separator: ".")
    }

    mutating func merge(_ other: LabelTable) { labels.merge(other.labels) { $1 } }
}
