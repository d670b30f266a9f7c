/// One finding about settings: what, where, with which value, and what to do.
package struct Diagnostic: Hashable, Sendable {
    /// Whether the settings can be used in spite of it.
    package enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    /// The longest source line that `text` shows whole, in Unicode scalars; of a longer one a window is shown.
    package static let longestExcerpt = 160

    /// Stable: `BK` and four digits.
    package let code: DiagnosticCode
    /// Whether the settings can be used in spite of it.
    package let severity: Severity
    /// Where.
    package let location: SourceLocation
    /// How many characters from `location.column` on are meant; at least 1.
    package let length: Int
    /// One sentence without a full stop.
    package let message: String
    /// What to do.
    package let hint: String?
    /// Other places that belong to it: the first of two definitions.
    package let related: [SourceLocation]
    /// The line in the file; nil if there is none.
    package let sourceLine: String?

    /// A finding from its parts.
    package init(
        code: DiagnosticCode, severity: Severity = .error, location: SourceLocation, length: Int = 1, message: String,
        hint: String? = nil, related: [SourceLocation] = [], sourceLine: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.location = location
        self.length = max(1, length)
        self.message = message
        self.hint = hint
        self.related = related
        self.sourceLine = sourceLine
    }

    /// The GNU form, which editors can jump from, then the line with a caret, the hint and related places.
    ///
    ///     config/orebro/rules.yaml:14:7: error: unknown party kind 'polis' [BK2004]
    ///        14 |     kinds: [polis]
    ///           |             ^~~~~
    ///           = did you mean 'police'?
    package var text: String {
        var lines = ["\(location): \(severity.rawValue): \(message) [\(code)]"]
        let number = String(location.line)
        let margin = String(repeating: " ", count: max(6, number.count + 1))
        if let sourceLine {
            let (excerpt, offset) = Self.excerpt(of: sourceLine, around: location.column - 1)
            lines.append(margin.dropLast(number.count + 1) + " " + number + " | " + excerpt)
            let shown = excerpt.unicodeScalars.count
            let start = min(max(0, location.column - 1 - offset), shown)
            let tail = max(0, min(length - 1, shown - start - 1))
            lines.append(
                margin + " | " + String(repeating: " ", count: start) + "^" + String(repeating: "~", count: tail))
        }
        if let hint { lines.append(margin + " = " + hint) }
        for place in related { lines.append(margin + " = see \(place)") }
        return lines.joined(separator: "\n")
    }

    /// One JSON object: code, severity, file, line, column, endColumn, message, hint and related where there are any.
    package var json: String {
        var members = [
            ("code", Self.quoted(code.text)), ("severity", Self.quoted(severity.rawValue)),
            ("file", Self.quoted(location.file)), ("line", String(location.line)),
            ("column", String(location.column)), ("endColumn", String(location.column + length)),
            ("message", Self.quoted(message)),
        ]
        if let hint { members.append(("hint", Self.quoted(hint))) }
        if !related.isEmpty {
            let places = related.map {
                "{\"file\":\(Self.quoted($0.file)),\"line\":\($0.line),\"column\":\($0.column)}"
            }
            members.append(("related", "[" + places.joined(separator: ",") + "]"))
        }
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// `text` for a message: without control characters, at most 80 characters, in quotes.
    package static func quote(_ text: String) -> String {
        let scalars = visible(text).unicodeScalars
        guard scalars.count > 80 else { return "'\(visible(text))'" }
        return "'" + String(String.UnicodeScalarView(scalars.prefix(79))) + "…'"
    }

    /// `text` with U+FFFD in place of each control character, so that a file cannot steer a terminal.
    static func visible(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control || isDirectional(scalar)
            result.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    /// Whether the scalar reorders the text around it.
    private static func isDirectional(_ scalar: Unicode.Scalar) -> Bool {
        (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }

    /// The part of a line that is shown, and how many characters were left out before it.
    private static func excerpt(of line: String, around column: Int) -> (String, Int) {
        let scalars = Array(visible(line).unicodeScalars)
        guard scalars.count > longestExcerpt else { return (String(String.UnicodeScalarView(scalars)), 0) }
        let start = max(0, min(column - longestExcerpt / 2, scalars.count - longestExcerpt))
        return (String(String.UnicodeScalarView(scalars[start..<(start + longestExcerpt)])), start)
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// A stable number for a kind of finding. Codes are never reused; scripts and help pages may name them.
package struct DiagnosticCode: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1000...9999.
    package let number: Int

    /// A code.
    ///
    /// - Precondition: 1000...9999.
    package init(_ number: Int) {
        precondition((1000...9999).contains(number), "a code has four digits")
        self.number = number
    }

    /// `BK` and the number.
    package var text: String { "BK\(number)" }
    /// `BK` and the number.
    package var description: String { text }

    /// By number.
    package static func < (left: DiagnosticCode, right: DiagnosticCode) -> Bool { left.number < right.number }

    /// The file cannot be read.
    package static let unreadable = DiagnosticCode(1001)
    /// The file is not UTF-8.
    package static let notUTF8 = DiagnosticCode(1002)
    /// The file is longer than `SettingsReader.longestFileBytes`.
    package static let fileTooLong = DiagnosticCode(1003)
    /// A byte order mark or control character.
    package static let controlCharacter = DiagnosticCode(1004)
    /// A tab.
    package static let tab = DiagnosticCode(1005)
    /// Not YAML.
    package static let syntax = DiagnosticCode(1006)
    /// A second document in one file.
    package static let secondDocument = DiagnosticCode(1007)
    /// An anchor or alias.
    package static let anchor = DiagnosticCode(1008)
    /// A merge key.
    package static let mergeKey = DiagnosticCode(1009)
    /// A tag.
    package static let tag = DiagnosticCode(1010)
    /// Nested deeper than `SettingsReader.deepestNesting`.
    package static let tooDeep = DiagnosticCode(1011)
    /// The same key twice in one mapping.
    package static let duplicateKey = DiagnosticCode(1012)
    /// Nothing in the file.
    package static let empty = DiagnosticCode(1013)
    /// A key that is not plain text.
    package static let complexKey = DiagnosticCode(1014)
    /// A file that is passed over for its name.
    package static let misnamed = DiagnosticCode(1015)
    /// A key that the schema does not know.
    package static let unknownKey = DiagnosticCode(2001)
    /// A key that the schema demands.
    package static let missingKey = DiagnosticCode(2002)
    /// A list where a mapping is wanted, or the like.
    package static let wrongShape = DiagnosticCode(2003)
    /// A value that is not of its type.
    package static let invalidValue = DiagnosticCode(2004)
    /// A number or duration outside its range.
    package static let outOfRange = DiagnosticCode(2005)
    /// A code of digits without quotes.
    package static let unquotedCode = DiagnosticCode(2006)
    /// The same value twice in a list.
    package static let repeatedValue = DiagnosticCode(2007)
    /// A list that must not be empty, or is too long.
    package static let wrongCount = DiagnosticCode(2008)
}
