import Testing

@testable import Settings

struct SettingsReaderTests {
    /// What reading `text` says, as `code line:column`.
    private func findings(_ text: String) -> [String] {
        let log = DiagnosticLog()
        _ = SettingsReader.parse(file: "x.yaml", text: text, log: log)
        return log.diagnostics.map { "\($0.code) \($0.location.line):\($0.location.column)" }
    }

    @Test(arguments: [
        ("", ["BK1013 1:1"]), ("# only a comment\n", ["BK1013 1:1"]), ("a: 1\n", []), ("å: ä\nö: [\"é\", '1']\n", []),
        ("a: &x 1\n", ["BK1008 1:4"]), ("a: &x 1\nb: *x\n", ["BK1008 1:4"]), ("a: *x\n", ["BK1008 1:4"]),
        ("a: {b: 1}\n<<: {c: 2}\n", ["BK1009 2:1"]), ("a: !!str 1\n", ["BK1010 1:4"]), ("a: !x [1]\n", ["BK1010 1:4"]),
        ("a: !<tag:yaml.org,2002:int> 1\n", ["BK1010 1:4"]), ("a: 1\n---\nb: 2\n", ["BK1007 2:1"]),
        ("a:\n\t- 1\n", ["BK1005 2:1"]), ("a: 1\t# x\n", ["BK1005 1:5"]), ("a: \u{0}\n", ["BK1004 1:4"]),
        ("\u{FEFF}a: 1\n", ["BK1004 1:1"]), ("a: 1\rb: 2\n", ["BK1004 1:6"]), ("a: 1\r\nb: 2\r\n", []),
        ("a: \u{2028}\n", ["BK1004 1:4"]), ("a: \u{85}\n", ["BK1004 1:4"]), ("? [a]\n: 1\n", ["BK1014 1:3"]),
        ("a: 1\nb: 2\na: 3\n", ["BK1012 3:1"]), ("a: {b: 1, c: 2, b: 3}\n", ["BK1012 1:17"]),
        ("\"a\": 1\n\"a\": 2\n", ["BK1012 2:1"]), ("a: 1\na: 2\na: 3\n", ["BK1012 2:1", "BK1012 3:1"]),
        ("x:\n  - {k: 1, k: 2}\n  - {ab: 1, ab: 2}\nx: 1\n", ["BK1012 2:12", "BK1012 3:13", "BK1012 4:1"]),
        ("a: [1\nb: 2\n", ["BK1006 2:2"]), ("a: 'x\n", ["BK1006 2:1"]),
    ])
    func `the strict profile`(text: String, wanted: [String]) {
        #expect(findings(text) == wanted)
    }

    @Test func `a repeated key keeps its first value and the related place`() throws {
        let log = DiagnosticLog()
        let root = try #require(SettingsReader.parse(file: "x.yaml", text: "mode: a\nother: b\nmode: c\n", log: log))
        #expect(root[key: "mode"]?.text == "a")
        #expect(log.diagnostics[0].related == [SourceLocation(file: "x.yaml", line: 1, column: 1)])
        #expect(log.diagnostics[0].message == "key 'mode' is set twice")
        #expect(log.diagnostics[0].length == 4)
    }

    @Test func `every scalar is text`() throws {
        let log = DiagnosticLog()
        let root = try #require(
            SettingsReader.parse(
                file: "x", text: "a: [no, on, 012, 1e3, ~, null, 2026-12-11, \"q\", 0x1F, 1:30]\n", log: log))
        guard case .list(let items) = root[key: "a"]?.content else {
            Issue.record("no list")
            return
        }
        #expect(items.map(\.text) == ["no", "on", "012", "1e3", "~", "null", "2026-12-11", "q", "0x1F", "1:30"])
        #expect(items.map(\.place.length) == [2, 2, 3, 3, 1, 4, 10, 3, 4, 4])
    }

    @Test func `nesting has a limit`() {
        func nested(_ depth: Int) -> String {
            "a: " + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "\n"
        }
        #expect(findings(nested(SettingsReader.deepestNesting)) == [])
        #expect(findings(nested(SettingsReader.deepestNesting + 1)) == ["BK1011 1:19"])
        #expect(!findings(nested(5_000)).isEmpty)
    }

    @Test func `a file's length has a limit`() {
        let head = "a: 1\n#"
        let longest = head + String(repeating: "x", count: SettingsReader.longestFileBytes - head.utf8.count)
        #expect(findings(longest) == [])
        #expect(findings(longest + "x") == ["BK1003 1:1"])
    }

    @Test func `repeated keys have a limit`() {
        func text(_ count: Int) -> String { (0...count).map { "k: \($0)\n" }.joined() }
        #expect(findings(text(SettingsReader.mostDuplicates)).count == SettingsReader.mostDuplicates)
        #expect(findings(text(SettingsReader.mostDuplicates + 1)).count == 1)
    }

    @Test func `canonical text is the same for equal content`() {
        func canonical(_ text: String) -> String? {
            SettingsReader.parse(file: "x", text: text, log: DiagnosticLog())?.canonicalText
        }
        #expect(canonical("a: 1\nb: [x, 'y']\n") == canonical("# c\nb:\n  - x\n  - y\na: \"1\"\n"))
        #expect(canonical("a: [x, y]\n") != canonical("a: [y, x]\n"))
        #expect(canonical("a: \"x\\\",y\"\n") != canonical("a: [x, y]\n"))
        #expect(canonical("b: [\"q\\\"\\\\\\n\", å]\na: {}\n") == #"{"a":{},"b":["q\"\\\n","å"]}"#)
    }
}

struct DiagnosticTests {
    @Test func `a finding shows the line and a caret under the place`() {
        let log = DiagnosticLog()
        log.remember(file: "rules.yaml", text: "rules:\n  - kinds: [polis]\n")
        log.error(
            .invalidValue, at: Place(SourceLocation(file: "rules.yaml", line: 2, column: 13), length: 5),
            "unknown party kind 'polis'", hint: "did you mean 'police'?",
            related: [SourceLocation(file: "law.yaml", line: 3, column: 1)])
        #expect(
            log.diagnostics[0].text == """
                rules.yaml:2:13: error: unknown party kind 'polis' [BK2004]
                     2 |   - kinds: [polis]
                       |             ^~~~~
                       = did you mean 'police'?
                       = see law.yaml:3:1
                """)
        #expect(
            log.diagnostics[0].json == """
                {"code":"BK2004","severity":"error","file":"rules.yaml","line":2,"column":13,"endColumn":18,\
                "message":"unknown party kind 'polis'","hint":"did you mean 'police'?",\
                "related":[{"file":"law.yaml","line":3,"column":1}]}
                """)
        #expect(log.hasErrors)
    }

    @Test func `a file cannot steer the terminal`() {
        let log = DiagnosticLog()
        log.remember(file: "x", text: "a: \u{1B}[2J\u{202E}b\n")
        log.warning(.tab, at: Place(SourceLocation(file: "x", line: 1, column: 4)), Diagnostic.quote("\u{1B}x"))
        #expect(!log.diagnostics[0].text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
        #expect(!log.hasErrors)
    }

    @Test func `a long line is shown in a window`() {
        let diagnostic = Diagnostic(
            code: .syntax, location: SourceLocation(file: "x", line: 1, column: 501), message: "m",
            sourceLine: String(repeating: "-", count: 500) + "X" + String(repeating: "-", count: 500))
        let lines = diagnostic.text.split(separator: "\n")
        let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) } ?? 0
        #expect(Array(lines[1])[caret] == "X")
        #expect(lines[1].count <= Diagnostic.longestExcerpt + 10)
    }

    @Test func `findings have a limit, and the rest are counted`() {
        let log = DiagnosticLog()
        for line in 1...(DiagnosticLog.mostDiagnostics + 1) {
            log.error(.tab, at: Place(SourceLocation(file: "x", line: line, column: 1)), "m")
        }
        #expect(log.diagnostics.count == DiagnosticLog.mostDiagnostics)
        #expect(log.dropped == 1)
    }

    @Test(
        arguments: [
            ("polis", "police"), ("soc-1808", "soc-1880"), ("municipalty", "municipality"), ("xyz", nil), ("a", nil),
        ] as [(String, String?)])
    func `what was meant is found if it is near`(text: String, wanted: String?) {
        let words = ["police", "prosecutor", "soc-1880", "soc-1864", "municipality"]
        #expect(Suggestion.nearest(to: text, among: words) == wanted)
        #expect(Suggestion.nearest(to: text, among: words.reversed()) == wanted)
    }
}
