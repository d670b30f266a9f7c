import Yams

/// Reads YAML of the strict profile: text, lists and mappings, and nothing that means more than it says.
///
/// Refused, each with its place: anchors, aliases, merge keys, tags, a second document, tabs, control characters and byte
/// order marks, repeated keys (marked at the second one), keys that are not text, more than `longestFileBytes`, nesting
/// deeper than `deepestNesting`. Every scalar is text; the schema says what it means, so that `no` is a name if a name is wanted.
package enum SettingsReader {
    /// The longest file, in bytes.
    package static let longestFileBytes = 1 << 20
    /// The deepest nesting of lists and mappings; the outermost counts as 1.
    package static let deepestNesting = 16
    /// So many repeated keys are told per file.
    package static let mostDuplicates = 64

    /// The root of `text`, or nil if it is not YAML or empty; everything that is wrong is in `log`.
    ///
    /// - Parameters:
    ///   - file: the name for messages.
    ///   - beginning: how a file of its kind begins, for somebody whose file is empty.
    package static func parse(
        file: String, text: String, log: DiagnosticLog, beginningWith beginning: String = "version: 1"
    ) -> SettingsNode? {
        log.remember(file: file, text: text)
        let start = Place(SourceLocation(file: file, line: 1, column: 1))
        guard text.utf8.count <= longestFileBytes else {
            log.error(
                .fileTooLong, at: start, "the file has \(text.utf8.count) bytes; the limit is \(longestFileBytes)")
            return nil
        }
        guard charactersAreAllowed(file: file, text: text, log: log) else { return nil }
        var composition = Composition(file: file, text: text)
        do {
            guard let root = try composition.compose() else {
                log.error(.empty, at: start, "the file is empty", hint: "the first line is '\(beginning)'")
                return nil
            }
            let mayHaveProperties = text.utf8.contains { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "!") }
            return NodeConverter(
                file: file, lines: mayHaveProperties ? composition.lines : [], placeholders: composition.placeholders,
                log: log
            ).node(root, depth: 1)
        } catch {
            report(error, file: file, text: text, log: log)
            return nil
        }
    }

    /// Whether the text has no characters that the profile forbids; the first of each line is reported.
    private static func charactersAreAllowed(file: String, text: String, log: DiagnosticLog) -> Bool {
        var line = 1
        var column = 1
        var reportedLine = 0
        var isAllowed = true
        var previous: Unicode.Scalar = "\n"
        func report(_ code: DiagnosticCode, _ message: String, _ hint: String) {
            isAllowed = false
            guard reportedLine != line else { return }
            reportedLine = line
            log.error(code, at: Place(SourceLocation(file: file, line: line, column: column)), message, hint: hint)
        }
        for scalar in text.unicodeScalars {
            if previous == "\r", scalar != "\n" {
                report(.controlCharacter, "carriage return without line feed", "end lines with a line feed")
            }
            switch scalar.value {
            case 0x0A, 0x0D: break
            case 0x09: report(.tab, "tab", "indent and separate with spaces")
            case 0xFEFF: report(.controlCharacter, "byte order mark", "save the file as UTF-8 without it")
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029:
                report(
                    .controlCharacter, "control character U+\(String(scalar.value, radix: 16, uppercase: true))",
                    "remove it")
            default: break
            }
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
            previous = scalar
        }
        return isAllowed
    }

    /// Puts what the YAML library says into our words.
    private static func report(_ error: any Error, file: String, text: String, log: DiagnosticLog) {
        func place(_ mark: Mark) -> Place {
            let lineCount = text.utf8.count(where: { $0 == 0x0A }) + 1
            return Place(
                SourceLocation(file: file, line: min(max(1, mark.line), lineCount), column: max(1, mark.column)))
        }
        let hint = "check the indentation, and quote text that contains ': ' or starts with a special character"
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _):
            let related = context.map { [place($0.mark).location] } ?? []
            log.error(.syntax, at: place(mark), "not YAML: \(problem)", hint: hint, related: related)
        case YamlError.composer(_, let problem, let mark, _):
            if problem.contains("another document") {
                log.error(
                    .secondDocument, at: place(mark), "second document in one file", hint: "remove the line '---'")
            } else {
                log.error(.anchor, at: place(mark), "alias", hint: "write the value out")
            }
        case YamlError.duplicatedKeysInMapping(_, let context):
            log.error(.duplicateKey, at: place(context.mark), "too many repeated keys")
        default:
            log.error(
                .syntax, at: Place(SourceLocation(file: file, line: 1, column: 1)), "not YAML", hint: hint)
        }
    }
}

/// Composes a file although it repeats keys, which the library refuses at the first place of the first such key.
///
/// Each time it does, the key at that place gets a name of private-use characters of the same width, and the file is composed again.
/// Places stay what they are, and the converter finds the original names in `placeholders`.
private struct Composition {
    let file: String
    /// The lines of the file as scalars, keys replaced; made when they are first asked for.
    private(set) lazy var lines = original.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(
        Array.init)
    /// Original names by replacement.
    private(set) var placeholders: [String: String] = [:]
    private let original: String

    init(file: String, text: String) {
        self.file = file
        original = text
    }

    mutating func compose() throws -> Node? {
        while true {
            do {
                return try Yams.compose(yaml: text(), .basic, .default, .utf8)
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                guard placeholders.count < SettingsReader.mostDuplicates, replaceKey(at: context.mark, names: names)
                else { throw YamlError.duplicatedKeysInMapping(duplicates: names, context: context) }
            }
        }
    }

    private mutating func text() -> String {
        guard !placeholders.isEmpty else { return original }
        var result = String.UnicodeScalarView()
        for (index, line) in lines.enumerated() {
            if index > 0 { result.append("\n") }
            result.append(contentsOf: line)
        }
        return String(result)
    }

    /// Replaces the key at `mark`, which is one of `names`; false if it is not found there as it is named.
    private mutating func replaceKey(at mark: Mark, names: [String]) -> Bool {
        guard lines.indices.contains(mark.line - 1) else { return false }
        let line = lines[mark.line - 1]
        var start = mark.column - 1
        guard line.indices.contains(start) else { return false }
        if line[start] == "\"" || line[start] == "'" { start += 1 }
        // The longest name that stands there is the key: 'to' is the beginning of 'to-board'.
        let rest = line[start...]
        let matching = names.filter { !$0.isEmpty && rest.starts(with: $0.unicodeScalars) }
        guard let name = matching.max(by: { $0.unicodeScalars.count < $1.unicodeScalars.count }) else { return false }
        let width = name.unicodeScalars.count
        let number = UInt32(placeholders.count)
        var replacement = [Unicode.Scalar](repeating: "\u{E000}", count: width)
        // `mostDuplicates` numbers fit the private-use area, so each replacement is another key.
        replacement[0] = Unicode.Scalar(0xE001 + number) ?? "\u{E001}"
        lines[mark.line - 1].replaceSubrange(start..<(start + width), with: replacement)
        placeholders[String(String.UnicodeScalarView(replacement))] = name
        return true
    }
}

/// Turns the library's nodes into ours and reports what the profile forbids.
private struct NodeConverter {
    let file: String
    /// Empty if no node has a property: the file has none of the characters that begin one.
    let lines: [[Unicode.Scalar]]
    let placeholders: [String: String]
    let log: DiagnosticLog

    func node(_ node: Node, depth: Int) -> SettingsNode {
        let location = location(of: node)
        let place = Place(location)
        refuseProperties(of: node, at: location)
        if depth > SettingsReader.deepestNesting, node.scalar == nil {
            log.error(
                .tooDeep, at: place, "nested deeper than \(SettingsReader.deepestNesting) levels")
            return SettingsNode(.list([]), at: location)
        }
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style == .doubleQuoted || scalar.style == .singleQuoted
            return SettingsNode(.text(scalar.string, isQuoted: isQuoted), at: location)
        case .sequence(let sequence):
            return SettingsNode(.list(sequence.map { self.node($0, depth: depth + 1) }), at: location)
        case .mapping(let mapping):
            return SettingsNode(.mapping(entries(of: mapping, depth: depth)), at: location)
        case .alias:
            log.error(.anchor, at: place, "alias", hint: "write the value out")
            return SettingsNode(.text("", isQuoted: false), at: location)
        }
    }

    /// The entries of a mapping, each key once: the first one counts, later ones are reported.
    private func entries(of mapping: Node.Mapping, depth: Int) -> [SettingsEntry] {
        var entries: [SettingsEntry] = []
        var seen: [String: SourceLocation] = [:]
        for (keyNode, valueNode) in mapping {
            let keyLocation = location(of: keyNode)
            refuseProperties(of: keyNode, at: keyLocation)
            let value = node(valueNode, depth: depth + 1)
            guard case .scalar(let scalar) = keyNode else {
                log.error(.complexKey, at: Place(keyLocation), "a key must be text")
                continue
            }
            let name = placeholders[scalar.string] ?? scalar.string
            let isQuoted = scalar.style == .doubleQuoted || scalar.style == .singleQuoted
            let place = Place(keyLocation, length: name.unicodeScalars.count + (isQuoted ? 2 : 0))
            if name == "<<", !isQuoted {
                log.error(.mergeKey, at: place, "merge key", hint: "write the keys out")
                continue
            }
            if let first = seen[name] {
                log.error(
                    .duplicateKey, at: place, "key \(Diagnostic.quote(name)) is set twice",
                    hint: "remove one of them", related: [first])
                continue
            }
            seen[name] = keyLocation
            entries.append(SettingsEntry(key: Located(name, at: place), isQuoted: isQuoted, value: value))
        }
        return entries
    }

    /// Reports an anchor or a tag in front of a node. They are looked for in the source, since the library resolves them.
    private func refuseProperties(of node: Node, at location: SourceLocation) {
        guard lines.indices.contains(location.line - 1), lines[location.line - 1].indices.contains(location.column - 1)
        else { return }
        switch lines[location.line - 1][location.column - 1] {
        case "&":
            log.error(.anchor, at: Place(location), "anchor", hint: "write the value out where it is used")
        case "!":
            log.error(.tag, at: Place(location), "tag", hint: "remove it; the schema knows the type")
        default: break
        }
    }

    private func location(of node: Node) -> SourceLocation {
        guard let mark = node.mark else { return SourceLocation(file: file, line: 1, column: 1) }
        return SourceLocation(file: file, line: max(1, mark.line), column: max(1, mark.column))
    }
}
