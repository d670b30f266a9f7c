package import CaseNotifications
package import Routing

/// How two policies differ, as text for people and as JSON.
package struct DifferenceText {
    private let collaboration: String
    private let difference: PolicyDifference

    /// The text of a difference between two policies of a collaboration.
    package init(collaboration: CollaborationID, difference: PolicyDifference) {
        self.collaboration = collaboration.text
        self.difference = difference
    }

    /// For people, a line each: what is widened stands first.
    package var lines: [String] {
        guard !difference.isEmpty else { return ["\(collaboration): equal"] }
        var lines: [String] = []
        let parties = Set(difference.widened.flatMap(\.parties)).sorted()
        if !parties.isEmpty {
            lines.append("WIDENED for \(Self.list(parties)):")
            for widening in difference.widened {
                let names =
                    widening.parties.count > 6 ? "\(widening.parties.count) parties" : Self.list(widening.parties)
                lines.append(
                    "  \(names): \(Sanitizer.line(widening.words))\(Self.place(widening.location.map { "\($0)" }))")
            }
            let approvers = Self.list(difference.approvers)
            if !approvers.isEmpty { lines.append("  In production mode this needs approval by: \(approvers)") }
            lines.append("")
        }
        for change in difference.changes {
            let details = change.details.map { Sanitizer.line($0) }.joined(separator: "; ")
            let text = "\(Self.sign(change.kind)) \(change.what) \(Sanitizer.line(change.name))"
            lines.append(text + (details.isEmpty ? "" : "  \(details)") + Self.place(change.location.map { "\($0)" }))
        }
        if !difference.gained.isEmpty || !difference.lost.isEmpty { lines.append("") }
        lines += difference.gained.map { "gains  \(Self.right($0))" }
        lines += difference.lost.map { "loses  \(Self.right($0))" }
        let counts = [PolicyChange.Kind.added, .removed, .changed].map { kind in
            "\(difference.changes.count { $0.kind == kind }) \(kind.rawValue)"
        }
        lines += ["", "\(collaboration): \(counts.joined(separator: "  "))  \(parties.count) parties widened"]
        return lines
    }

    /// For machines.
    package var value: JSONValue {
        var object = JSONObject()
        object["collaboration"] = .string(collaboration)
        object["equal"] = .bool(difference.isEmpty)
        object["widened"] = .array(
            difference.widened.map { widening in
                var value = JSONObject()
                value["parties"] = .array(widening.parties.map { .string($0.text) })
                value["what"] = .string(widening.words)
                if let location = widening.location { value["place"] = .string("\(location)") }
                return .object(value)
            })
        object["approvers"] = .array(difference.approvers.map { .string($0.text) })
        object["changes"] = .array(
            difference.changes.map { change in
                var value = JSONObject()
                value["kind"] = .string(change.kind.rawValue)
                value["what"] = .string(change.what)
                value["name"] = .string(change.name)
                value["details"] = .array(change.details.map { .string($0) })
                if let location = change.location { value["place"] = .string("\(location)") }
                return .object(value)
            })
        object["gained"] = .array(difference.gained.map(Self.value))
        object["lost"] = .array(difference.lost.map(Self.value))
        return .object(object)
    }

    /// Differences of several collaborations: one object, `budkavle.diff/1`.
    package static func json(_ texts: [DifferenceText]) -> String {
        let object: JSONValue = ["schema": "budkavle.diff/1", "collaborations": .array(texts.map(\.value))]
        return object.text
    }

    private static func value(_ right: RightChange) -> JSONValue {
        [
            "party": .string(right.party.text), "type": .string(right.type.text), "whole": .bool(right.isWhole),
            "fields": .array(right.fields.map { .string($0) }),
            "from": .array(right.senders.map { .string($0.text) }),
        ]
    }

    private static func right(_ right: RightChange) -> String {
        let fields = right.fields.joined(separator: " ")
        let what = right.isWhole ? "the type" : right.fields.isEmpty ? "another sender" : fields
        return "\(right.party.text)  \(right.type.shortName)  \(what)  from \(list(right.senders))"
    }

    private static func list(_ parties: [PartyID]) -> String { parties.map(\.text).joined(separator: ", ") }

    private static func place(_ place: String?) -> String { place.map { "  (\($0))" } ?? "" }

    private static func sign(_ kind: PolicyChange.Kind) -> String {
        switch kind {
        case .added: "+"
        case .removed: "-"
        case .changed: "~"
        }
    }
}
