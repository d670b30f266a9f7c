/// Finds the modules that a Swift source file imports.
///
/// Works on lines: an import is a declaration of its own line in this package. Comments of either kind and what stands in
/// multi-line string literals are left out.
struct ImportScanner {
    /// The imported top-level modules of `source`, in order, each as often as it is imported.
    static func modules(in source: String) -> [String] {
        var result: [String] = []
        var commentDepth = 0
        var isInLiteral = false
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            if isInLiteral {
                if line.contains("\"\"\"") { isInLiteral = false }
                continue
            }
            let code = withoutComments(line, depth: &commentDepth)
            for statement in code.split(separator: ";") {
                if let module = module(ofStatement: statement) { result.append(module) }
            }
            if code.split(separator: "\"\"\"", omittingEmptySubsequences: false).count % 2 == 0 { isInLiteral = true }
        }
        return result
    }

    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]
    private static let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]

    private static func module(ofStatement statement: Substring) -> String? {
        var words = statement.split(whereSeparator: \.isWhitespace)[...]
        while let first = words.first, first.hasPrefix("@") || modifiers.contains(first) { words.removeFirst() }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
        return words.first.map { String($0.prefix { $0 != "." }) }
    }

    /// Takes out `// …` and `/* … */`, which may nest and go on over lines.
    private static func withoutComments(_ line: Substring, depth: inout Int) -> String {
        var code = ""
        var rest = line
        while let character = rest.first {
            if rest.hasPrefix("/*") {
                depth += 1
                rest = rest.dropFirst(2)
            } else if depth > 0, rest.hasPrefix("*/") {
                depth -= 1
                rest = rest.dropFirst(2)
            } else if depth == 0, rest.hasPrefix("//") {
                break
            } else {
                if depth == 0 { code.append(character) }
                rest = rest.dropFirst()
            }
        }
        return code
    }
}
