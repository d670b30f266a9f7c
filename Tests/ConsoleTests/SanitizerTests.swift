import Testing

@testable import Console

@Suite struct SanitizerTests {
    static let table: [(String, String)] = [
        ("Örebro, å ä ö", "Örebro, å ä ö"),
        ("a\u{0308}", "a\u{0308}"),
        ("\u{1B}[2J", "<U+001B>[2J"),
        ("a\u{07}b", "a<U+0007>b"),
        ("a\u{7F}\u{80}\u{9B}31m", "a<U+007F><U+0080><U+009B>31m"),
        ("a\nb\r\tc", "a<U+000A>b<U+000D><U+0009>c"),
        ("x\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}y", "x<U+202A><U+202B><U+202C><U+202D><U+202E>y"),
        ("\u{2066}\u{2067}\u{2068}\u{2069}", "<U+2066><U+2067><U+2068><U+2069>"),
        ("\u{200E}\u{200F}\u{061C}", "<U+200E><U+200F><U+061C>"),
        ("a\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}\u{00AD}b", "a<U+200B><U+200C><U+200D><U+2060><U+FEFF><U+00AD>b"),
        ("\u{E0001}\u{E0041}\u{E007F}", "<U+E0001><U+E0041><U+E007F>"),
        ("\u{2028}\u{2029}", "<U+2028><U+2029>"),
        ("\u{E000}\u{FFF9}\u{FFFF}", "<U+E000><U+FFF9><U+FFFF>"),
        ("\u{FE0F}\u{034F}\u{3164}\u{115F}", "<U+FE0F><U+034F><U+3164><U+115F>"),
        ("日本語 😀", "日本語 😀"),
    ]

    @Test(arguments: table)
    func `what could steer or hide is made visible and the rest is kept`(input: String, wanted: String) {
        #expect(Sanitizer.line(input) == wanted)
    }

    @Test func `no unsafe scalar survives`() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), !Sanitizer.isSafe(scalar) else { continue }
            let shown = Sanitizer.line(String(scalar))
            if shown.unicodeScalars.contains(where: { !Sanitizer.isSafe($0) }) {
                Issue.record("U+\(String(value, radix: 16)) came through as \(shown.debugDescription)")
                return
            }
        }
    }

    @Test func `a line is cut one past its limit`() {
        let full = String(repeating: "a", count: Sanitizer.lineLimit)
        #expect(Sanitizer.line(full) == full)
        #expect(Sanitizer.line(full + "b") == full + "…")
    }

    @Test func `marks on one letter are cut one past their limit`() {
        let marks = String(repeating: "\u{0301}", count: Sanitizer.markLimit)
        #expect(Sanitizer.line("a" + marks) == "a" + marks)
        #expect(
            Array(Sanitizer.line("a" + marks + "\u{0301}\u{0301}b").unicodeScalars)
                == Array(("a" + marks + "…b").unicodeScalars))
    }

    @Test func `a block keeps its line ends and shows a lone return`() {
        #expect(Sanitizer.block("ett\ntvå\r\ntre\rfyra\u{1B}") == ["ett", "två", "tre<U+000D>fyra<U+001B>"])
        #expect(Sanitizer.block("") == [""])
        #expect(Sanitizer.block("a\r") == ["a<U+000D>"])
    }

    @Test func `a block is cut one past its limit`() {
        let full = String(repeating: "a", count: Sanitizer.blockLimit)
        #expect(Sanitizer.block(full) == [full])
        #expect(Sanitizer.block(full + "b") == [full + "…"])
    }

    @Test func `JSON output escapes what a terminal would obey`() throws {
        let input = Array("{\"a\" :\"\u{9B}x\u{202E}\\u001b\u{E0041}å\"}".utf8)
        #expect(
            try JSONText.line(input) == #"{"a":"\#u{5C}u009bx\#u{5C}u202e\#u{5C}u001b\#u{5C}udb40\#u{5C}udc41å"}"#)
        #expect(throws: AnswerFault(pointer: "")) { try JSONText.line(Array("{\"a\":1,\"a\":2}".utf8)) }
    }
}
