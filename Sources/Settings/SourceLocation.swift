/// A place in a settings file, as editors count: lines and columns start at 1, columns count characters.
package struct SourceLocation: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The path as the user gave it.
    package let file: String
    /// Line, from 1.
    package let line: Int
    /// Column, from 1, in Unicode scalars.
    package let column: Int

    /// A place in a file.
    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, the form that editors jump to.
    package var description: String { "\(file):\(line):\(column)" }

    /// By file, then line, then column.
    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
