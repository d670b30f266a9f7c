import CaseNotifications

/// `budkavle show`: one notification with its content, as this party's view has it.
package struct ShowRenderer: Sendable {
    /// Attributes that the heading shows in its own words, or that mean nothing to a person.
    private static let shownElsewhere: Set<String> = [
        "specversion", "id", "source", "type", "subject", "data", "datacontenttype", "dataschema", "rule", "effect",
        "marking", "acknowledgeby", "policy", "urgency", "drill", "time",
    ]

    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The lines, without line ends.
    package func lines(_ answer: NotificationAnswer) -> [String] {
        let item = answer.item
        var head = [Sanitizer.line(item.urgency), Sanitizer.line(answer.labels.text(item.type, presentation.language))]
        if item.isDrill { head.append(presentation.text(.drillMark)) }
        head.append(presentation.text(.from(Sanitizer.line(item.source))))
        var result = [presentation.paint(head.joined(separator: "  "), .bold)]

        var second: [String] = []
        if let subject = answer.event["subject"]?.string {
            second.append(presentation.text(.caseID(Sanitizer.line(subject))))
        }
        second.append(presentation.text(.received(presentation.dayAndMinute(item.received))))
        if let deadline = item.acknowledgeBy {
            let time = presentation.minute(deadline, besides: answer.now)
            second.append(
                presentation.text(item.isOverdue(at: answer.now) ? .overdueSince(time) : .acknowledgeBy(time)))
        }
        result.append(second.joined(separator: "  "))
        if let marking = answer.event["marking"]?.string {
            result.append(presentation.paint(presentation.text(.marking(Sanitizer.line(marking))), .notice))
        }
        result.append("")

        let attributes = answer.event.members.filter { !Self.shownElsewhere.contains($0.name) }
        let data = answer.event["data"]?.object?.members ?? []
        let named =
            attributes.map { (presentation.text(.attribute(Sanitizer.line($0.name))), coded($0, answer)) }
            + data.map {
                (Sanitizer.line(answer.fieldLabels.text($0.name, presentation.language)), coded($0, answer))
            }
        let width = min(28, named.reduce(0) { max($0, DisplayWidth.of($1.0)) })
        for (name, texts) in named {
            result.append("  \(DisplayWidth.padded(name, to: width))  \(texts[0])".trimmedAtEnd)
            let indent = String(repeating: " ", count: width + 4)
            result += texts.dropFirst().map { (indent + $0).trimmedAtEnd }
        }
        return result + ["", presentation.paint(presentation.text(.openedRecorded), .faint)]
    }

    /// A member's value with the codes in it called as the reader calls them: at least one line.
    private func coded(_ member: JSONObject.Member, _ answer: NotificationAnswer) -> [String] {
        func label(_ code: some StringProtocol) -> String? {
            answer.codeLabels.labels["\(member.name)/\(code)"]?[presentation.language].map { Sanitizer.line($0) }
        }
        switch member.value {
        case .string(let text) where member.name == "circumstances":
            return [text.split(separator: " ").map { label($0) ?? Sanitizer.line(String($0)) }.joined(separator: ", ")]
        case .string(let text): return label(text).map { [$0] } ?? values(member.value)
        case .array(let items):
            return [
                items.flatMap { item in item.string.flatMap { label($0) }.map { [$0] } ?? values(item) }
                    .joined(separator: ", ")
            ]
        case .null, .bool, .integer, .number, .object: return values(member.value)
        }
    }

    /// At least one line.
    private func values(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text):
            if let time = Timestamp(rfc3339: text) { return [presentation.dayAndMinute(time)] }
            return Sanitizer.block(text)
        case .bool(let flag): return [presentation.text(flag ? .yes : .no)]
        case .array(let items): return [items.flatMap(values).joined(separator: ", ")]
        case .null, .integer, .number, .object: return [Sanitizer.line(value.text, limit: Sanitizer.blockLimit)]
        }
    }
}

/// `budkavle status`: the ladder of receipts of one notification, a line per party.
package struct StatusRenderer: Sendable {
    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The lines, without line ends.
    package func lines(_ answer: StatusAnswer) -> [String] {
        switch presentation.layout {
        case .piped: return piped(answer)
        case .terminal: return terminal(answer)
        }
    }

    private func piped(_ answer: StatusAnswer) -> [String] {
        answer.deliveries.flatMap { delivery in
            // A delivery to which nothing has happened is a line too.
            let waiting = StatusAnswer.Step(
                event: delivery.state, at: answer.accepted, desk: delivery.desk, role: nil, outcome: delivery.outcome,
                step: nil, reason: nil)
            return (delivery.steps.isEmpty ? [waiting] : delivery.steps).map { step in
                [
                    answer.notification, delivery.party, step.event, step.at.rfc3339, step.desk ?? "", step.role ?? "",
                    step.outcome ?? "", step.step ?? "", step.reason ?? "",
                ].map { Sanitizer.line($0) }.joined(separator: "\t")
            }
        }
            + answer.refused.map {
                [answer.notification, $0.party, "refused", "", "", "", "", "", $0.code].map { Sanitizer.line($0) }
                    .joined(separator: "\t")
            }
    }

    private func terminal(_ answer: StatusAnswer) -> [String] {
        var head = [
            Sanitizer.line(answer.labels.text(answer.type, presentation.language)),
            presentation.text(.sentAt(presentation.dayAndMinute(answer.accepted))), Sanitizer.line(answer.urgency),
        ]
        if answer.isDrill { head.append(presentation.text(.drillMark)) }
        var result = [presentation.paint(head.joined(separator: "  "), .bold)]
        let width = (answer.deliveries.map(\.party) + answer.refused.map(\.party))
            .reduce(0) { max($0, DisplayWidth.of(Sanitizer.line($1))) }
        for delivery in answer.deliveries {
            let party = DisplayWidth.padded(Sanitizer.line(delivery.party), to: width)
            let ladder = delivery.steps.map { step($0, after: answer.accepted) }.joined(separator: " > ")
            let text = ladder.isEmpty ? presentation.text(.event(Sanitizer.line(delivery.state))) : ladder
            let room = max(20, presentation.layout.width - width - 4)
            let name = delivery.name.text(presentation.language).map { DisplayWidth.wrapped($0, to: room) } ?? []
            let lines = name + DisplayWidth.wrapped(text, to: room)
            result.append("  \(party)  \(lines[0])")
            result += lines.dropFirst().map { String(repeating: " ", count: width + 4) + $0 }
            if !delivery.hasEnded, let deadline = delivery.acknowledgeBy {
                let time = presentation.minute(deadline, besides: answer.now)
                let isOverdue = deadline < answer.now
                let note = presentation.text(isOverdue ? .overdueSince(time) : .acknowledgeBy(time))
                let painted = presentation.paint(note, isOverdue ? .alarm : .plain)
                result.append(String(repeating: " ", count: width + 4) + painted)
            }
        }
        for party in answer.refused {
            let id = DisplayWidth.padded(Sanitizer.line(party.party), to: width)
            let name = party.name.text(presentation.language).map { "\(id)  \($0)" } ?? id
            result.append("  " + presentation.text(.refusedParty(party: name, code: Sanitizer.line(party.code))))
        }
        let left = answer.deliveries.count { !$0.hasEnded }
        result.append(
            answer.isComplete || left == 0
                ? presentation.paint(presentation.text(.allAcknowledged), .good)
                : presentation.text(.notAllAcknowledged(left)))
        return result
    }

    private func step(_ step: StatusAnswer.Step, after start: Timestamp) -> String {
        var parts = [
            presentation.text(.event(Sanitizer.line(step.event))), presentation.minute(step.at, besides: start),
        ]
        if let outcome = step.outcome { parts.append(presentation.text(.outcome(Sanitizer.line(outcome)))) }
        if let number = step.step { parts.append(presentation.text(.step(Sanitizer.line(number)))) }
        if let reason = step.reason { parts.append(presentation.text(.refusalReason(Sanitizer.line(reason)))) }
        if let role = step.role ?? step.desk { parts.append("(\(Sanitizer.line(role)))") }
        if let name = step.name.text(presentation.language) { parts.append("[\(name)]") }
        return parts.joined(separator: " ")
    }
}

/// `budkavle receipts`: one line per receipt, oldest first.
package struct ReceiptRenderer: Sendable {
    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The line for a receipt as it came over the wire.
    package func line(_ event: [UInt8]) throws(AnswerFault) -> String {
        do { return line(try Receipt(json: event)) } catch { throw AnswerFault(pointer: error.pointer) }
    }

    func line(_ receipt: Receipt) -> String {
        let about = [receipt.party?.text, receipt.desk?.text, receipt.role].compactMap { $0 }.map { Sanitizer.line($0) }
        switch presentation.layout {
        case .piped:
            return [
                receipt.at.rfc3339, receipt.event.text, receipt.notification.text, receipt.id,
                receipt.party?.text ?? "", receipt.desk?.text ?? "", receipt.role ?? "", receipt.outcome?.text ?? "",
                receipt.step ?? "", receipt.reason?.rawValue ?? "", receipt.position,
            ].map { Sanitizer.line($0) }.joined(separator: "\t")
        case .terminal:
            var parts = [
                presentation.dayAndMinute(receipt.at),
                Sanitizer.line(receipt.notification.text.suffix(ShortIDs.shortest)),
                presentation.text(.event(receipt.event.text)),
            ]
            if let outcome = receipt.outcome { parts.append(presentation.text(.outcome(outcome.text))) }
            if let step = receipt.step { parts.append(presentation.text(.step(Sanitizer.line(step)))) }
            if let reason = receipt.reason { parts.append(presentation.text(.refusalReason(reason.rawValue))) }
            return (parts + about).joined(separator: "  ")
        }
    }
}
