package import CaseNotifications
package import Routing

/// The catalogue of event types, as text for people and as JSON.
package struct TypeCatalogueText {
    private let policy: Policy
    private let at: Timestamp

    /// The catalogue of `policy`, with examples for the instant `at`.
    package init(policy: Policy, at: Timestamp) {
        self.policy = policy
        self.at = at
    }

    private var definitions: [EventTypeDefinition] {
        policy.catalogue.types.values.sorted { $0.type.text < $1.type.text }
    }

    /// All types, a line each.
    package var lines: [String] {
        let rows = definitions.map { definition in
            [
                Cell(definition.urgency.text), Cell(definition.type.shortName), Cell(definition.family),
                Cell(definition.labels["en"] ?? ""), Cell(definition.labels["sv"] ?? ""),
            ]
        }
        let columns = [
            TextTable.Column("CLASS"), .init("TYPE"), .init("FAMILY"), .init("ENGLISH"), .init("SWEDISH"),
        ]
        return TextTable(columns: columns, rows: rows).lines(.terminal(width: 1_000, isColoured: false))
    }

    /// One type, or nil if there is none.
    package func lines(of type: EventType) -> [String]? {
        guard let definition = policy.typeDefinition(type) else { return nil }
        let names = policy.fieldLabels(of: type)
        let family = policy.label(ofFamily: definition.family)?.en ?? definition.family
        var lines = [
            definition.type.text, "  \(definition.labels["en"] ?? "")  /  \(definition.labels["sv"] ?? "")",
            "  family   \(definition.family) (\(family))   area  \(definition.area)",
            "  class    \(definition.urgency.text)"
                + definition.raise.map { ", \($0.to.text) with \($0.when)" }.joined(),
            "  needs    \((["subject"] + definition.requiredAttributes).joined(separator: " "))", "", "  fields",
        ]
        let rows = definition.fields.map { field in
            [
                Cell("    " + field.name), Cell(Self.words(field.kind)), Cell(field.isRequired ? "required" : ""),
                Cell(field.sensitivity), Cell(names[field.name]?.en ?? ""),
            ]
        }
        let columns = (0..<5).map { _ in TextTable.Column("") }
        lines += TextTable(columns: columns, rows: rows).lines(.terminal(width: 1_000, isColoured: false))
        lines += ["", "  rules"]
        for way in policy.ways(of: type) {
            let basis = way.rule.basis.map { ", \($0)" } ?? ""
            lines.append("    \(way.rule.id.text) (\(way.rule.kind.rawValue)\(basis))  \(way.rule.location)")
            lines.append("      from  \(Self.list(way.senders))")
            lines.append("      to    \(Self.list(way.recipients))")
        }
        if let example = ExampleEvent(policy: policy, type: type, at: at) {
            lines += ["", "  example (made up; the number is a published test number)", "    " + example.value.text]
        }
        return lines
    }

    /// For machines: one object, `budkavle.types/1`; of one type where one is wanted.
    package func json(of type: EventType?) -> String {
        var object = JSONObject()
        object["schema"] = "budkavle.types/1"
        object["collaboration"] = .string(policy.collaboration.text)
        object["policy"] = .string(policy.digest.hex)
        object["types"] = .array(
            definitions.filter { type == nil || $0.type == type }.map { value(of: $0, isWhole: type != nil) })
        return JSONValue.object(object).text
    }

    private func value(of definition: EventTypeDefinition, isWhole: Bool) -> JSONValue {
        let names = policy.fieldLabels(of: definition.type)
        var object = JSONObject()
        object["type"] = .string(definition.type.text)
        object["label"] = [
            "sv": .string(definition.labels["sv"] ?? ""), "en": .string(definition.labels["en"] ?? ""),
        ]
        object["family"] = .string(definition.family)
        object["area"] = .string(definition.area)
        object["urgency"] = .string(definition.urgency.text)
        object["raise"] = .array(
            definition.raise.map { ["when": .string($0.when), "to": .string($0.to.text)] })
        object["attributes"] = .array(definition.requiredAttributes.map { .string($0) })
        object["fields"] = .array(
            definition.fields.map { field in
                var value = JSONObject()
                value["name"] = .string(field.name)
                value["kind"] = .string(Self.words(field.kind))
                value["required"] = .bool(field.isRequired)
                value["sensitivity"] = .string(field.sensitivity)
                if let label = names[field.name] {
                    value["label"] = ["sv": .string(label.sv), "en": .string(label.en)]
                }
                return .object(value)
            })
        guard isWhole else { return .object(object) }
        object["rules"] = .array(
            policy.ways(of: definition.type).map { way in
                var value = JSONObject()
                value["rule"] = .string(way.rule.id.text)
                value["effect"] = .string(way.rule.kind.rawValue)
                if let basis = way.rule.basis { value["basis"] = .string(basis) }
                value["from"] = .array(way.senders.map { .string($0.text) })
                value["to"] = .array(way.recipients.map { .string($0.text) })
                return .object(value)
            })
        object["example"] = ExampleEvent(policy: policy, type: definition.type, at: at)?.value
        return .object(object)
    }

    private static func list(_ parties: [PartyID]) -> String {
        parties.isEmpty ? "nobody" : parties.map(\.text).joined(separator: " ")
    }

    private static func words(_ kind: FieldKind) -> String {
        switch kind {
        case .code(let list): "code of \(list)"
        case .codes(let list): "codes of \(list)"
        case .flag: "flag"
        case .timestamp: "timestamp"
        case .reference: "reference"
        case .text(let maxBytes): "text, \(maxBytes) bytes"
        case .personnummer: "personnummer"
        case .integer: "integer"
        case .municipality: "municipality"
        }
    }
}

/// A name that no event type of a policy has.
package struct UnknownEventType: Error, CustomStringConvertible {
    private let name: String
    private let near: String?

    /// What is wrong and, if there is one, the name that may have been meant.
    package var description: String {
        "there is no event type '\(Sanitizer.line(name))'" + (near.map { "; did you mean '\($0)'?" } ?? "")
    }

    /// The type of a name, whole or short: `custody.released`. Nil for no name.
    package static func find(_ name: String?, in policy: Policy) throws(UnknownEventType) -> EventType? {
        guard let name else { return nil }
        let known = policy.catalogue.types.keys
        if let found = known.first(where: { $0.text == name || $0.shortName == name }) { return found }
        throw UnknownEventType(name: name, near: DidYouMean.suggestion(for: name, among: known.map(\.shortName)))
    }
}
