/// Makes foreign text safe to show: whatever could move the cursor, hide, reorder or imitate text becomes visible.
///
/// Applied by every renderer to every string that came over the wire. Content keeps its letters as they are (no
/// normalisation); a character that is made visible reads `<U+202E>`.
package enum Sanitizer {
    /// The most scalars of one value in a table cell or a line; the rest is cut and marked with `…`.
    package static let lineLimit = 200
    /// The most scalars of one free text in `show`.
    package static let blockLimit = 8_000
    /// The most combining marks on one letter; further ones are cut and marked with `…`.
    package static let markLimit = 3

    /// One line. Line ends become visible too.
    package static func line(_ text: some StringProtocol, limit: Int = lineLimit) -> String {
        clean(text.unicodeScalars, limit: limit)
    }

    /// Several lines, at most `blockLimit` scalars in all: LF and CR LF part lines, everything else as in `line`.
    package static func block(_ text: some StringProtocol) -> [String] {
        var lines: [String] = []
        var left = blockLimit
        var line = String.UnicodeScalarView()
        var previousWasReturn = false
        for scalar in text.unicodeScalars {
            if left == 0 { break }
            left -= 1
            if previousWasReturn && scalar != "\n" { line.append("\r") }
            previousWasReturn = scalar == "\r"
            if previousWasReturn { continue }
            if scalar == "\n" {
                lines.append(clean(line, limit: blockLimit))
                line = String.UnicodeScalarView()
            } else {
                line.append(scalar)
            }
        }
        if previousWasReturn { line.append("\r") }
        if left == 0 && text.unicodeScalars.count > blockLimit { line.append("…") }
        lines.append(clean(line, limit: blockLimit + 1))
        return lines
    }

    /// Whether a scalar may reach a terminal as it is.
    package static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E: return true
        case 0x00...0x1F, 0x7F...0x9F: return false
        case 0xE0000...0xE0FFF: return false
        default: break
        }
        if scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isBidiControl { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            return false
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .connectorPunctuation,
            .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .spaceSeparator:
            return true
        @unknown default: return false
        }
    }

    /// How an unsafe scalar reads: `<U+0007>`, at least four digits.
    package static func visible(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "<U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ">"
    }

    private static func clean(_ scalars: some Collection<Unicode.Scalar>, limit: Int) -> String {
        var result = String.UnicodeScalarView()
        var marks = 0
        var taken = 0
        for scalar in scalars {
            if taken == limit {
                result.append("…")
                break
            }
            taken += 1
            if DisplayWidth.isCombining(scalar) {
                marks += 1
                if marks == markLimit + 1 { result.append("…") }
                if marks > markLimit { continue }
            } else {
                marks = 0
            }
            if isSafe(scalar) {
                result.append(scalar)
            } else {
                result.append(contentsOf: visible(scalar).unicodeScalars)
            }
        }
        return String(result)
    }
}
