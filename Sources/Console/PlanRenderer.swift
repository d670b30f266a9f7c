import CaseNotifications

/// `budkavle send --dry-run`: what would happen, as the person with the patient beside her needs to read it.
package struct PlanRenderer: Sendable {
    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The lines, without line ends.
    package func lines(_ answer: PlanAnswer) -> [String] {
        switch presentation.layout {
        case .piped: return piped(answer)
        case .terminal: return terminal(answer)
        }
    }

    private func piped(_ answer: PlanAnswer) -> [String] {
        answer.recipients.map {
            [
                "yes", $0.party, $0.desk, $0.rule, $0.effect, $0.basis, $0.acknowledgeBy?.rfc3339 ?? "",
                $0.fields.joined(separator: " "),
            ].map { Sanitizer.line($0) }.joined(separator: "\t")
        }
            + answer.refused.map {
                ["no", $0.party, $0.code, $0.missing.joined(separator: " ")].map { Sanitizer.line($0) }
                    .joined(separator: "\t")
            }
    }

    private func terminal(_ answer: PlanAnswer) -> [String] {
        var result = [presentation.text(.nothingWasSent)]
        let names = answer.recipients.map(\.party) + answer.refused.map(\.party)
        let width = names.reduce(0) { max($0, DisplayWidth.of(Sanitizer.line($1))) }
        let words = [presentation.text(.yes), presentation.text(.no)].map { $0.uppercased() }
        let wordWidth = words.reduce(0) { max($0, DisplayWidth.of($1)) }
        for recipient in answer.recipients {
            let party = DisplayWidth.padded(Sanitizer.line(recipient.party), to: width)
            let word = presentation.paint(DisplayWidth.padded(words[0], to: wordWidth), .good)
            var parts = [Sanitizer.line(answer.urgency), Sanitizer.line(recipient.desk)]
            if let deadline = recipient.acknowledgeBy {
                parts.append(presentation.text(.acknowledgeBy(presentation.minute(deadline, besides: answer.now))))
            }
            parts.append(Sanitizer.line(recipient.basis))
            result.append("  \(party)  \(word)  \(parts.joined(separator: "  "))")
            let indent = String(repeating: " ", count: width + wordWidth + 6)
            let gets: Message =
                recipient.fields.isEmpty
                ? .wouldGetNoFields : .wouldGetFields(recipient.fields.map { Sanitizer.line($0) })
            result += DisplayWidth.wrapped(
                presentation.text(gets), to: max(20, presentation.layout.width - width - wordWidth - 6)
            ).map { indent + $0 }
        }
        for party in answer.refused {
            let name = DisplayWidth.padded(Sanitizer.line(party.party), to: width)
            let word = presentation.paint(DisplayWidth.padded(words[1], to: wordWidth), .alarm)
            let reason = presentation.text(.refusalReason(Sanitizer.line(party.code)))
            result.append("  \(name)  \(word)  \([reason, remedy(party)].compactMap { $0 }.joined(separator: "   "))")
        }
        if answer.recipients.isEmpty {
            result.append("")
            result.append(presentation.paint(presentation.text(.nobodyWouldGetIt), .alarm))
            if let code = answer.code, answer.refused.isEmpty {
                result.append(
                    presentation.text(
                        .sentRefused(code: Sanitizer.line(code), path: Sanitizer.line(answer.path ?? ""))))
            }
        }
        result.append("")
        result.append(
            presentation.paint(presentation.text(.acuteDanger), .bold) + "  " + presentation.text(.textNotStored))
        return result
    }

    private func remedy(_ party: PlanAnswer.RefusedParty) -> String? {
        switch party.code {
        case "consent-missing": presentation.text(.addConsent)
        case "affirmation-missing":
            party.missing.isEmpty
                ? nil : presentation.text(.addAffirmations(party.missing.map { Sanitizer.line($0) }))
        default: nil
        }
    }
}
