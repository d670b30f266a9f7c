import CaseNotifications

/// `budkavle inbox`: what waits for a person at these desks, nearest deadline first.
package struct InboxRenderer: Sendable {
    private let presentation: Presentation

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// The lines, without line ends.
    package func lines(_ answer: InboxAnswer) -> [String] {
        switch presentation.layout {
        case .piped: return answer.items.map { piped($0, at: answer.now) }
        case .terminal: return terminal(answer)
        }
    }

    private func piped(_ item: ListItem, at now: Timestamp) -> String {
        let cells = [
            item.urgency, item.acknowledgeBy?.rfc3339 ?? "", item.isOverdue(at: now) ? "overdue" : "", item.type,
            item.municipality ?? "", item.source, item.received.rfc3339, item.desk, item.state,
            item.isDrill ? "drill" : "", item.notification,
        ]
        return cells.map { Sanitizer.line($0) }.joined(separator: "\t")
    }

    private func terminal(_ answer: InboxAnswer) -> [String] {
        var result = [heading(answer), ""]
        guard !answer.items.isEmpty else { return result + [presentation.text(.nothingOpen)] }
        let ids = ShortIDs(answer.items.map(\.notification))
        let hasDrill = answer.items.contains(where: \.isDrill)
        let hasDesks = Set(answer.items.map(\.desk)).count > 1
        var columns: [TextTable.Column] = [
            .init(""), .init(presentation.text(.columnTimeLeft), .right), .init(""),
            .init(presentation.text(.columnWhat), .left, .downTo(16)),
        ]
        if hasDrill { columns.append(.init("")) }
        columns.append(.init(presentation.text(.columnMunicipality)))
        columns.append(.init(presentation.text(.columnFrom), .left, .downTo(8)))
        if hasDesks { columns.append(.init(presentation.text(.columnDesk), .left, .downTo(8))) }
        columns.append(.init(presentation.text(.columnAge), .right))
        columns.append(.init(presentation.text(.columnID)))
        let rows = answer.items.map { item in
            let isOverdue = item.isOverdue(at: answer.now)
            let paint: Paint = isOverdue ? .alarm : item.urgency == "U1" ? .bold : .plain
            var row = [
                Cell(item.urgency, paint),
                Cell(item.acknowledgeBy.map { presentation.left(until: $0, at: answer.now) } ?? "-", paint),
                Cell(isOverdue ? "!!" : "", paint),
                Cell(what(item, answer.labels), paint),
            ]
            if hasDrill { row.append(Cell(item.isDrill ? presentation.text(.drillMark) : "", .notice)) }
            row.append(Cell(item.municipality ?? "-"))
            row.append(Cell(item.source))
            if hasDesks { row.append(Cell(item.desk)) }
            row.append(Cell(WallTime.hoursAndMinutes(answer.now.milliseconds - item.received.milliseconds)))
            row.append(Cell(ids.short(item.notification)))
            return row
        }
        result += TextTable(columns: columns, rows: rows).lines(presentation.layout)
        if answer.hasMore { result += ["", presentation.text(.moreNotShown)] }
        let readable = answer.items.filter { !$0.isErased }
        guard let first = readable.first?.notification else { return result }
        let newest = readable.first { $0.state != "opened" }?.notification ?? first
        let hint = Message.inboxHint(
            show: Sanitizer.line(ids.short(newest)), acknowledge: Sanitizer.line(ids.short(first)))
        return result + ["", presentation.paint(presentation.text(hint), .faint)]
    }

    private func heading(_ answer: InboxAnswer) -> String {
        let overdue = answer.items.count { $0.isOverdue(at: answer.now) }
        var parts = ([answer.party] + answer.desks.filter { $0 != answer.party }).map { Sanitizer.line($0) }
        parts.append(presentation.text(.toAcknowledge(answer.items.count)))
        if overdue > 0 { parts.append(presentation.text(.overdue(overdue))) }
        let left = parts.joined(separator: " · ")
        let time = presentation.dayAndMinute(answer.now)
        let gap = max(2, presentation.layout.width - DisplayWidth.of(left) - DisplayWidth.of(time))
        return presentation.paint(left, overdue > 0 ? .alarm : .bold) + String(repeating: " ", count: gap) + time
    }

    /// The type's label with what makes it worse and what has become of it.
    func what(_ item: ListItem, _ labels: LabelTable) -> String {
        // First: what does not fit the column is cut at its end.
        var parts = item.isErased ? [presentation.text(.erasedMark)] : []
        parts.append(labels.text(item.type, presentation.language))
        parts += item.circumstances.map { presentation.text(.circumstance($0)) }
        if let taker = item.handedTo { parts.append(presentation.text(.handedTo(taker))) }
        if item.isSetAside { parts.append(presentation.text(.setAsideMark)) }
        return parts.joined(separator: ", ")
    }
}

/// `budkavle watch`: one line per change, appended, never redrawn; safe in `script`, tmux and logs.
package struct WatchRenderer: Sendable {
    private let presentation: Presentation
    private var labels = LabelTable()
    /// The class and deadline of what is open, so that later changes can show them.
    private var open: [String: ListItem] = [:]

    /// A renderer for one person.
    package init(_ presentation: Presentation) { self.presentation = presentation }

    /// How many deliveries are open, after what was rendered so far.
    package var openCount: Int { open.count }

    /// The lines for one message.
    package mutating func lines(_ answer: WatchAnswer) -> [String] {
        labels.merge(answer.labels)
        switch answer.change {
        case .list(let items):
            open = Dictionary(items.map { ($0.notification, $0) }) { $1 }
            let heading = presentation.text(.watchOpen(items.count, desk: Sanitizer.line(answer.desk)))
            let head = "\(presentation.local(answer.now).secondText)  \(heading)"
            return [head] + items.map { line($0, .watchListed, at: answer.now) }
        case .new(let item):
            open[item.notification] = item
            return [line(item, .watchNew, at: answer.now)]
        case .event(let name, let outcome, let role, let to, let step):
            let id = answer.notification ?? ""
            let known = open[id]
            if name == "expired" || name == "recalled" || outcome == "taken" || outcome == "already-known" {
                open[id] = nil
            }
            var parts = [
                presentation.local(answer.now).secondText,
                DisplayWidth.padded(Sanitizer.line(answer.urgency ?? known?.urgency ?? ""), to: 2),
                presentation.text(.event(Sanitizer.line(name))), short(id),
            ]
            if let outcome { parts.append(presentation.text(.outcome(Sanitizer.line(outcome)))) }
            if let step { parts.append(presentation.text(.step(Sanitizer.line(step)))) }
            if let role { parts.append(Sanitizer.line(role)) }
            if let to { parts.append("-> \(Sanitizer.line(to))") }
            return [parts.joined(separator: "  ")]
        }
    }

    private func line(_ item: ListItem, _ word: Message, at now: Timestamp) -> String {
        var parts = [
            presentation.local(now).secondText, DisplayWidth.padded(Sanitizer.line(item.urgency), to: 2),
            presentation.text(word), short(item.notification), Sanitizer.line(LabelTable.short(item.type)),
        ]
        parts += item.circumstances.map { Sanitizer.line(presentation.text(.circumstance($0))) }
        if let municipality = item.municipality { parts.append(Sanitizer.line(municipality)) }
        parts.append(Sanitizer.line(item.source))
        if item.isDrill { parts.append(presentation.text(.drillMark)) }
        if item.isErased { parts.append(presentation.text(.erasedMark)) }
        if let deadline = item.acknowledgeBy {
            let time = presentation.minute(deadline, besides: now)
            parts.append(
                item.isOverdue(at: now)
                    ? presentation.paint(presentation.text(.overdueSince(time)), .alarm)
                    : presentation.text(.acknowledgeBy(time)))
        }
        return parts.joined(separator: "  ")
    }

    private func short(_ id: String) -> String { Sanitizer.line(id.suffix(ShortIDs.shortest)) }
}
