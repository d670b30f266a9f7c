import CaseNotifications
package import Routing

/// What a simulation found, as text for people and as JSON: types, parties, rules, counts and notification ids, nothing else.
package struct SimulationText {
    private let report: SimulationReport
    private let running: Policy
    private let candidate: Policy
    private let notes: [String]

    /// - Parameter notes: what was assumed or left out, a sentence each.
    package init(_ report: SimulationReport, running: Policy, candidate: Policy, notes: [String]) {
        self.report = report
        self.running = running
        self.candidate = candidate
        self.notes = notes
    }

    /// For people, a line each.
    package var lines: [String] {
        let span = report.times.map { times in
            " from \(running.civilTime(times.lowerBound).shortText) to \(running.civilTime(times.upperBound).shortText)"
        }
        var lines = [
            "\(report.compared) notifications\(span ?? ""), \(replayed) replayed from their envelope and "
                + "\(report.rebuilt) rebuilt: policy \(running.digest.hex.prefix(12))… against candidate "
                + "\(candidate.digest.hex.prefix(12))…",
            Self.padded(report.same) + "  same recipients, same fields",
        ]
        for row in report.rows {
            guard let (count, rebuilt, shown) = report.differences[row] else { continue }
            let place = row.location.map { " (\($0))" } ?? ""
            let gone = row.isRuleGone ? ", gone" : ""
            let fields = row.fields.isEmpty ? "" : "  \(row.fields.joined(separator: " "))"
            let assumed = rebuilt == 0 ? "" : "  (\(rebuilt) of \(count) rebuilt)"
            lines.append(
                "\(Self.padded(count))  \(Self.word(row.kind)) \(row.party.text)  \(row.type.shortName)\(fields)  "
                    + "rule \(row.rule.text)\(gone)\(place)  \(shown.joined(separator: " "))\(assumed)")
        }
        lines.append(Self.padded(report.dutiesLost) + "  duties lost")
        let widened = report.widened.map(\.text).joined(separator: ", ")
        if !widened.isEmpty { lines.append("WIDENED: \(widened)") }
        lines += notes.map { "  note: \($0)" }
        return lines
    }

    /// For machines: one object, `budkavle.simulation/1`.
    package var json: String {
        var object = JSONObject()
        object["schema"] = "budkavle.simulation/1"
        object["running"] = .string(running.digest.hex)
        object["candidate"] = .string(candidate.digest.hex)
        object["compared"] = .integer(Int64(report.compared))
        object["replayed"] = .integer(Int64(replayed))
        object["rebuilt"] = .integer(Int64(report.rebuilt))
        object["same"] = .integer(Int64(report.same))
        object["dutieslost"] = .integer(Int64(report.dutiesLost))
        object["widened"] = .array(report.widened.map { .string($0.text) })
        if let times = report.times {
            object["from"] = .string(times.lowerBound.rfc3339)
            object["to"] = .string(times.upperBound.rfc3339)
        }
        object["differences"] = .array(
            report.rows.compactMap { row in
                guard let (count, rebuilt, shown) = report.differences[row] else { return nil }
                var value = JSONObject()
                value["kind"] = .string(Self.name(row.kind))
                value["party"] = .string(row.party.text)
                value["type"] = .string(row.type.text)
                value["rule"] = .string(row.rule.text)
                if let location = row.location { value["place"] = .string("\(location)") }
                value["fields"] = .array(row.fields.map { .string($0) })
                value["count"] = .integer(Int64(count))
                value["rebuilt"] = .integer(Int64(rebuilt))
                value["notifications"] = .array(shown.map { .string($0) })
                return .object(value)
            })
        object["notes"] = .array(notes.map { .string($0) })
        return JSONValue.object(object).text
    }

    /// How many were decided by their own envelope.
    private var replayed: Int { report.compared - report.rebuilt }

    private static func padded(_ count: Int) -> String {
        let text = String(count)
        return String(repeating: " ", count: max(0, 6 - text.count)) + text
    }

    private static func word(_ kind: SimulationReport.Kind) -> String {
        switch kind {
        case .dutyLost: "- DUTY LOST for"
        case .gains: "+"
        case .widened: "+ more fields for"
        case .loses: "-"
        case .narrowed: "- fewer fields for"
        }
    }

    private static func name(_ kind: SimulationReport.Kind) -> String {
        switch kind {
        case .dutyLost: "duty-lost"
        case .gains: "gains"
        case .widened: "widened"
        case .loses: "loses"
        case .narrowed: "narrowed"
        }
    }
}
