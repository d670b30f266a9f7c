/// Gathers every finding about a set of files, so that all are told at once.
///
/// Not thread-safe: one log belongs to one load.
package final class DiagnosticLog {
    /// So many findings are kept; what comes after is counted only.
    package static let mostDiagnostics = 1_000

    private var found: [Diagnostic] = []
    /// An alias leads to the node of its anchor twice; a finding there is told once.
    private var told: Set<Diagnostic> = []
    private var texts: [String: String] = [:]
    /// The lines of files that have findings.
    private var lines: [String: [Substring]] = [:]
    /// Findings beyond `mostDiagnostics`.
    package private(set) var dropped = 0
    /// Whether one of them is an error.
    package private(set) var hasErrors = false

    /// An empty log.
    package init() {}

    /// All findings, by file, line and column, then by code.
    package var diagnostics: [Diagnostic] {
        found.sorted { left, right in
            if left.location != right.location { return left.location < right.location }
            if left.code != right.code { return left.code < right.code }
            return left.message < right.message
        }
    }

    /// Remembers a file's text, so that findings in it can show their line.
    package func remember(file: String, text: String) {
        texts[file] = text
        lines[file] = nil
    }

    /// Adds an error.
    package func error(
        _ code: DiagnosticCode, at place: Place, _ message: String, hint: String? = nil,
        related: [SourceLocation] = []
    ) {
        add(code, .error, place, message, hint, related)
    }

    /// Adds a warning.
    package func warning(
        _ code: DiagnosticCode, at place: Place, _ message: String, hint: String? = nil,
        related: [SourceLocation] = []
    ) {
        add(code, .warning, place, message, hint, related)
    }

    /// Adds a finding of its own, with its line if its file is remembered.
    package func add(_ finding: Diagnostic) {
        let place = Place(finding.location, length: finding.length)
        add(finding.code, finding.severity, place, finding.message, finding.hint, finding.related)
    }

    private func add(
        _ code: DiagnosticCode, _ severity: Diagnostic.Severity, _ place: Place, _ message: String, _ hint: String?,
        _ related: [SourceLocation]
    ) {
        if severity == .error { hasErrors = true }
        let diagnostic = Diagnostic(
            code: code, severity: severity, location: place.location, length: place.length, message: message,
            hint: hint, related: related, sourceLine: sourceLine(at: place.location))
        guard told.insert(diagnostic).inserted else { return }
        guard found.count < Self.mostDiagnostics else {
            dropped += 1
            return
        }
        found.append(diagnostic)
    }

    /// The line of a file that was remembered.
    private func sourceLine(at location: SourceLocation) -> String? {
        guard let text = texts[location.file] else { return nil }
        let lines = lines[location.file] ?? text.split(separator: "\n", omittingEmptySubsequences: false)
        self.lines[location.file] = lines
        guard lines.indices.contains(location.line - 1) else { return nil }
        var line = lines[location.line - 1]
        if line.hasSuffix("\r") { line.removeLast() }
        return String(line)
    }
}

/// A stretch of one line in a settings file.
package struct Place: Hashable, Sendable {
    /// Where it starts.
    package let location: SourceLocation
    /// How many characters it takes.
    package let length: Int

    /// A stretch.
    package init(_ location: SourceLocation, length: Int = 1) {
        self.location = location
        self.length = length
    }
}

/// A value and the place where it stands.
package struct Located<Value> {
    /// The value.
    package let value: Value
    /// Where it stands.
    package let place: Place

    /// A value at a place.
    package init(_ value: Value, at place: Place) {
        self.value = value
        self.place = place
    }

    /// Where it starts.
    package var location: SourceLocation { place.location }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
