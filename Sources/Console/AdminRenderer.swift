import CaseNotifications

/// `budkavle admin`: sessions, queues, reload, drain, clock.
package struct AdminRenderer: Sendable {
    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The lines, without line ends.
    package func lines(_ answer: SessionsAnswer) -> [String] {
        if answer.sessions.isEmpty { return empty(.noSessions) }
        let columns: [TextTable.Column] = [
            .init(presentation.text(.columnParty), .left, .downTo(8)),
            .init(presentation.text(.columnClient), .left, .downTo(8)),
            .init(presentation.text(.columnTransport)), .init(presentation.text(.columnSince)),
            .init(presentation.text(.columnUnacknowledged), .right), .init("ID", .left, .downTo(8)),
        ]
        let rows = answer.sessions.map {
            [
                Cell($0.party), Cell($0.client), Cell("STOMP \($0.stomp) \($0.transport)"), Cell(time($0.since)),
                Cell("\($0.unacknowledged)"), Cell($0.session),
            ]
        }
        return TextTable(columns: columns, rows: rows).lines(presentation.layout)
    }

    /// The lines, without line ends.
    package func lines(_ answer: QueuesAnswer) -> [String] {
        if answer.queues.isEmpty, case .terminal = presentation.layout, answer.total.isEmpty {
            return empty(.noQueues) + notes(answer)
        }
        let columns: [TextTable.Column] = [
            .init(presentation.text(.columnParty), .left, .downTo(8)),
            .init(presentation.text(.columnDesk), .left, .downTo(8)),
            .init(presentation.text(.columnReady), .right), .init(presentation.text(.columnInFlight), .right),
            .init(presentation.text(.columnCustody), .right), .init(presentation.text(.columnSetAside), .right),
            .init(presentation.text(.overdueMark), .right), .init(presentation.text(.columnOldest)),
        ]
        var rows = answer.queues.map {
            [Cell($0.party), Cell($0.desk)] + cells($0.counts) + [Cell($0.oldest.map(time) ?? "-")]
        }
        rows.append(
            [Cell(presentation.layout == .piped ? "total" : presentation.text(.total), .bold), Cell("")]
                + cells(answer.total) + [Cell("")])
        return TextTable(columns: columns, rows: rows).lines(presentation.layout) + notes(answer)
    }

    /// What an administrator should know beside the numbers, a sentence each; programs read `--json`.
    private func notes(_ answer: QueuesAnswer) -> [String] {
        guard case .terminal = presentation.layout else { return [] }
        var notes = answer.held > 0 ? [presentation.text(.heldDeliveries(answer.held))] : []
        for agreement in answer.agreements {
            let id = Sanitizer.line(agreement.id)
            let parties = agreement.parties.map { Sanitizer.line($0) }
            let last = presentation.local(agreement.end.advanced(bySeconds: -1))
            let day = "\(last.dayText(presentation.language)) \(last.year)"
            notes.append(
                presentation.text(
                    answer.now < agreement.end
                        ? .agreementEnds(agreement: id, parties: parties, lastDay: day)
                        : .agreementEnded(agreement: id, parties: parties, lastDay: day)))
        }
        return notes
    }

    /// The lines, without line ends.
    package func lines(_ answer: ReloadAnswer) -> [String] {
        // GNU form, in English, so that editors jump to it.
        var result = answer.faults.map { fault in
            let place = "\(Sanitizer.line(fault.file)):\(fault.line):\(fault.column)"
            let head = "\(place): \(Sanitizer.line(fault.severity)): \(Sanitizer.line(fault.message))"
            let hint = fault.hint.map { "; \(Sanitizer.line($0))" } ?? ""
            return "\(head)\(hint)  [\(Sanitizer.line(fault.code))]"
        }
        result += answer.failedExamples.map { presentation.text(.failedExample(Sanitizer.line($0))) }
        if !answer.reasons.isEmpty {
            // Paths and keys that must be there whole to be of use.
            result += answer.reasons.map { Sanitizer.line($0, limit: 2_000) } + [presentation.text(.reloadFailed)]
        } else if !answer.isActivated {
            let errors = answer.faults.count { $0.severity == "error" }
            result.append(
                presentation.text(.reloadRefused(errors: errors, failedExamples: answer.failedExamples.count)))
        } else {
            result.append(presentation.text(answer.isChanged ? .reloaded : .reloadUnchanged))
            if answer.sessionsCut > 0 { result.append(presentation.text(.disconnected(answer.sessionsCut))) }
            result += answer.digests.map { "  \(Sanitizer.line($0))" }
        }
        return result
    }

    /// The lines, without line ends.
    package func lines(_ answer: DrainAnswer) -> [String] {
        answer.isDraining
            ? [presentation.text(.draining(sessions: answer.sessions, unacknowledged: answer.unacknowledged))]
            : [presentation.text(.notDraining)]
    }

    /// The lines, without line ends.
    package func lines(_ answer: ClockAnswer) -> [String] {
        switch presentation.layout {
        case .piped: return [answer.now.rfc3339]
        case .terminal:
            let time = presentation.local(answer.now)
            let text = "\(time.dayText(presentation.language)) \(time.year) \(time.secondText)"
            let kind = presentation.text(answer.isSimulated ? .clockSimulated : .clockReal)
            return [presentation.text(.clockReads("\(text) (\(kind))"))]
        }
    }

    /// The lines, without line ends.
    package func lines(_ answer: DisconnectAnswer) -> [String] { [presentation.text(.disconnected(answer.count))] }

    private func cells(_ counts: QueuesAnswer.Counts) -> [Cell] {
        [
            Cell("\(counts.ready)"), Cell("\(counts.inFlight)"), Cell("\(counts.custody)"),
            Cell("\(counts.setAside)", counts.setAside > 0 ? .notice : .plain),
            Cell("\(counts.overdue)", counts.overdue > 0 ? .alarm : .plain),
        ]
    }

    private func time(_ instant: Timestamp) -> String {
        switch presentation.layout {
        case .piped: instant.rfc3339
        case .terminal: presentation.dayAndMinute(instant)
        }
    }

    private func empty(_ message: Message) -> [String] {
        switch presentation.layout {
        case .piped: []
        case .terminal: [presentation.text(message)]
        }
    }
}

extension QueuesAnswer.Counts {
    fileprivate var isEmpty: Bool { ready + inFlight + custody + setAside + overdue == 0 }
}
