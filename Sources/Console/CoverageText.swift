import CaseNotifications
package import Routing

/// What `coverage` found, as text for people and as JSON.
package struct CoverageText {
    /// Gaps of one municipality that the text shows; JSON has all.
    package static let shownGaps = 3

    private let policy: Policy
    private let report: CoverageReport

    /// The text of a report about `policy`.
    package init(policy: Policy, report: CoverageReport) {
        self.policy = policy
        self.report = report
    }

    /// For people, a line each.
    package var lines: [String] {
        let days = (report.end.milliseconds - report.start.milliseconds) / 86_400_000
        var lines = [
            "\(policy.collaboration.text)  sha256:\(policy.digest.hex.prefix(12))…  "
                + "\(days) days from \(policy.civilTime(report.start).shortText)"
        ]
        for urgency in report.types.keys.sorted() {
            let types = report.types[urgency] ?? []
            let gaps = report.gaps.filter { $0.urgency == urgency }
            let cells = report.cells(of: urgency)
            let lacking = cells.withoutAgreement > 0 ? ", \(cells.withoutAgreement) without an agreement" : ""
            lines.append("")
            lines.append(
                "\(urgency.text)  \(cells.covered) of \(cells.all) covered round the clock\(lacking): \(types.count) types "
                    + "in \(report.municipalities.count) municipalities" + (urgency == .u1 ? "" : "  (for information)")
            )
            for municipality in report.municipalities {
                lines += self.lines(gaps.filter { $0.municipality == municipality }, municipality)
            }
        }
        lines.append("")
        if report.isCut {
            lines.append("Not everything was looked at: too much changes. What was not counts as a gap.")
        }
        if report.gaps.contains(where: \.lacksAgreement) {
            lines.append(
                policy.mode == .production
                    ? "What lacks only an agreement blocks too, unless the board has signed it."
                    : "What lacks only an agreement stops no exercise; in production mode it blocks until its board signs it."
            )
        }
        let blocking = Set(report.blocking.map(\.municipality)).count
        lines.append(
            blocking == 0
                ? "Every municipality has somebody for U1 round the clock, or its board has signed that it has not."
                : "\(blocking) municipalities have nobody for U1 at some hours, and their boards have not signed: "
                    + (policy.mode == .production ? "not to be activated." : "in production mode not to be activated."))
        return lines
    }

    private func lines(_ gaps: [UncoveredHours], _ municipality: String) -> [String] {
        // What nobody answers comes before what nobody has agreed on.
        let gaps = gaps.filter { !$0.lacksAgreement } + gaps.filter(\.lacksAgreement)
        guard let first = gaps.first else { return [] }
        var lines = ["  \(municipality) \(policy.municipalities[municipality] ?? "")"]
        for gap in gaps.prefix(Self.shownGaps) {
            let parties = gap.parties.isEmpty ? "-" : gap.parties.map(\.text).joined(separator: ", ")
            let signed = gap.isSigned ? "signed" : "NOT SIGNED"
            let state = gap.lacksAgreement ? "no agreement" + (gap.isBlocking ? ", \(signed)" : "") : signed
            lines.append("    \(gap.text(zone: policy.zone))  \(parties)  \(state)")
            lines.append("      types    \(gap.types.map(\.shortName).joined(separator: " "))")
            if gap.reasons != first.reasons || gap == first {
                lines.append("      because  \(gap.reasons.map(\.description).joined(separator: ", "))")
            }
        }
        if gaps.count > Self.shownGaps { lines.append("    and \(gaps.count - Self.shownGaps) more gaps") }
        return lines
    }

    /// For machines: one object, `budkavle.coverage/1`.
    package var json: String {
        var object = JSONObject()
        object["schema"] = "budkavle.coverage/1"
        object["collaboration"] = .string(policy.collaboration.text)
        object["policy"] = .string(policy.digest.hex)
        object["from"] = .string(report.start.rfc3339)
        object["to"] = .string(report.end.rfc3339)
        object["complete"] = .bool(!report.isCut)
        object["blocking"] = .bool(!report.blocking.isEmpty)
        object["municipalities"] = .array(report.municipalities.map { .string($0) })
        var types = JSONObject()
        for (urgency, list) in report.types.sorted(by: { $0.key < $1.key }) {
            types[urgency.text] = .array(list.map { .string($0.text) })
        }
        object["types"] = .object(types)
        var cells = JSONObject()
        for urgency in report.types.keys.sorted() {
            let (all, covered, lacking) = report.cells(of: urgency)
            cells[urgency.text] = [
                "all": .integer(Int64(all)), "covered": .integer(Int64(covered)),
                "noagreement": .integer(Int64(lacking)),
            ]
        }
        object["cells"] = .object(cells)
        object["gaps"] = .array(
            report.gaps.map { gap in
                [
                    "municipality": .string(gap.municipality), "urgency": .string(gap.urgency.text),
                    "types": .array(gap.types.map { .string($0.text) }),
                    "parties": .array(gap.parties.map { .string($0.text) }), "from": .string(gap.start.rfc3339),
                    "to": .string(gap.end.rfc3339), "signed": .bool(gap.isSigned), "blocking": .bool(gap.isBlocking),
                    "reasons": .array(gap.reasons.map { .string($0.description) }),
                ]
            })
        return JSONValue.object(object).text
    }
}
