/// One value of a table, sanitised when it is made.
package struct Cell: Equatable, Sendable {
    /// What is shown, safe for a terminal.
    package let text: String
    /// How it is painted where colours are on.
    package let paint: Paint

    /// - Parameter text: foreign text is welcome; it is sanitised here, once.
    package init(_ text: some StringProtocol, _ paint: Paint = .plain) {
        self.text = Sanitizer.line(text)
        self.paint = paint
    }
}

/// A table for people when it goes to a terminal, tab-separated full values when it is piped.
package struct TextTable: Sendable {
    /// One column: a heading and how it gives way when the terminal is narrow.
    package struct Column: Sendable {
        let title: String
        let alignment: Alignment
        let give: Give

        /// A column; `give` says whether it may be cut.
        package init(_ title: String, _ alignment: Alignment = .left, _ give: Give = .never) {
            self.title = title
            self.alignment = alignment
            self.give = give
        }
    }

    /// Whether a column may be cut to fit, and to how few columns.
    package enum Give: Sendable {
        case never
        case downTo(Int)
    }

    /// The narrowest terminal that is laid out for; a narrower one wraps by itself.
    package static let minimumWidth = 80

    /// The columns, left to right.
    package let columns: [Column]
    /// A cell per column in each.
    package var rows: [[Cell]]

    /// A table; each row has a cell per column.
    package init(columns: [Column], rows: [[Cell]] = []) {
        self.columns = columns
        self.rows = rows
    }

    /// The lines of the table, without line ends.
    ///
    /// - Parameter layout: `.piped` gives one line per row, tab-separated, without heading, cutting or colour.
    package func lines(_ layout: Layout) -> [String] {
        switch layout {
        case .piped:
            return rows.map { $0.map(\.text).joined(separator: "\t") }
        case .terminal(let width, let isColoured):
            let widths = fittedWidths(within: max(width, Self.minimumWidth))
            let heading = zip(columns, widths).map { column, width in
                DisplayWidth.padded(column.title, to: width, column.alignment)
            }
            let body = rows.map { row in
                zip(row, zip(columns, widths)).map { cell, place in
                    cell.paint.applied(
                        to: DisplayWidth.padded(cell.text, to: place.1, place.0.alignment), isOn: isColoured)
                }
            }
            let isTitled = columns.contains { !$0.title.isEmpty }
            return ((isTitled ? [heading] : []) + body).map { $0.joined(separator: "  ").trimmedAtEnd }
        }
    }

    private func fittedWidths(within width: Int) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(DisplayWidth.of(columns[index].title)) { max($0, DisplayWidth.of($1[index].text)) }
        }
        var excess = widths.reduce(0, +) + 2 * (columns.count - 1) - width
        // The rightmost column that can gives all that it has before the next one does: what matters stands first.
        for (index, column) in columns.enumerated().reversed() where excess > 0 {
            guard case .downTo(let floor) = column.give else { continue }
            let given = min(excess, max(0, widths[index] - floor))
            widths[index] -= given
            excess -= given
        }
        return widths
    }
}

/// Where a listing goes.
package enum Layout: Equatable, Sendable {
    /// Not a terminal: full values, tabs, no heading, no colour.
    case piped
    /// A terminal of so many columns.
    case terminal(width: Int, isColoured: Bool)

    var isColoured: Bool {
        switch self {
        case .piped: false
        case .terminal(_, let isColoured): isColoured
        }
    }

    var width: Int {
        switch self {
        case .piped: TextTable.minimumWidth
        case .terminal(let width, _): max(width, TextTable.minimumWidth)
        }
    }
}

extension String {
    var trimmedAtEnd: String {
        var view = self[...]
        while view.last == " " { view.removeLast() }
        return String(view)
    }
}
