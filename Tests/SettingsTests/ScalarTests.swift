import Testing

@testable import Settings

struct ScalarTests {
    private func value<Value>(_ text: String, _ scalar: Scalar<Value>, isQuoted: Bool = false) -> Value? {
        try? scalar.read(ScalarText(text: text, isQuoted: isQuoted)).get()
    }

    @Test(arguments: [
        ("10s", 10_000), ("15m", 900_000), ("2h", 7_200_000), ("7d", 604_800_000), ("250ms", 250), ("1h30m", 5_400_000),
        ("0s", 0),
    ])
    func `durations`(text: String, milliseconds: Int64) {
        #expect(value(text, .duration) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "10", "s", "1.5h", "-1s", "1m1h", "1s1s", "10 s", "1w", "9999999999999s", "99999999999d", "1H",
    ])
    func `what is no duration`(text: String) {
        #expect(value(text, .duration) == nil)
    }

    @Test func `durations have a range`() {
        #expect(value("5s", .duration(in: .seconds(5)...(.seconds(10)))) == .seconds(5))
        #expect(value("4999ms", .duration(in: .seconds(5)...(.seconds(10)))) == nil)
        #expect(value("10001ms", .duration(in: .seconds(5)...(.seconds(10)))) == nil)
        #expect(value("3155760000s", .duration) != nil)
        #expect(value("3155760001s", .duration) == nil)
    }

    @Test(arguments: [("256KiB", 262_144), ("1 MiB", 1_048_576), ("0", 0), ("512B", 512), ("2GiB", 2_147_483_648)])
    func `sizes`(text: String, bytes: Int) {
        #expect(value(text, .byteSize()) == bytes)
    }

    @Test(arguments: ["", "KiB", "1KB", "-1", "1.5MiB", "99999999999TiB", "01"])
    func `what is no size`(text: String) {
        #expect(value(text, .byteSize()) == nil)
    }

    @Test func `numbers, flags, codes and texts`() {
        #expect(value("65535", .integer(in: 0...65_535)) == 65_535)
        #expect(value("65536", .integer(in: 0...65_535)) == nil)
        #expect(value("-1", .integer(in: -1...0)) == -1)
        for text in ["", "007", "+1", "1_000", "0x10", "1e3", "٣"] {
            #expect(value(text, .integer(in: 0...9_999)) == nil, "\(text)")
        }
        #expect(value("1.5", .number(in: 0...2)) == 1.5)
        for text in ["nan", "inf", "1e1", "", "3"] { #expect(value(text, .number(in: 0...2)) == nil, "\(text)") }
        #expect(value("yes", .flag) == true)
        #expect(value("false", .flag) == false)
        #expect(value("on", .flag) == nil)
        #expect(value("1880", .quotedCode(digits: 4), isQuoted: true) == "1880")
        #expect(value("1880", .quotedCode(digits: 4)) == nil)
        #expect(value("188", .quotedCode(digits: 4), isQuoted: true) == nil)
        let longest = String(repeating: "x", count: Scalar<String>.longestTextBytes)
        #expect(value(longest, .text) == longest)
        #expect(value(longest + "x", .text) == nil)
        #expect(value("", .text) == nil)
        #expect(value("/etc/x", .path) == "/etc/x")
    }

    @Test func `a mapping reader tells every mistake`() throws {
        let text = """
            port: many
            hots: example.org
            timeout: 10s
            list: [a, b, a]
            inner: 5

            """
        let log = DiagnosticLog()
        let root = try #require(SettingsReader.parse(file: "d.yaml", text: text, log: log))
        var reader = try #require(MappingReader(root, "listen", log))
        let port = reader.value("port", .integer(in: 0...65_535))
        let host = reader.optional("host", .text)
        let timeout = reader.optional("timeout", .duration)
        let idle = reader.optional("idle", .duration, default: .seconds(60))
        let list = reader.list("list", of: .text).map(\.value)
        let inner = reader.optionalMapping("inner")
        let authority = reader.value("ca", .path)
        reader.finish()
        #expect(port == nil && host == nil && authority == nil)
        #expect(timeout == .seconds(10))
        #expect(idle == .seconds(60))
        #expect(list == ["a", "b"])
        #expect(inner == nil)
        #expect(
            log.diagnostics.map { "\($0.location.line):\($0.location.column) \($0.message) \($0.hint ?? "-")" } == [
                "1:1 listen has no 'ca' -", "1:7 'many' is not a whole number from 0 to 65535 -",
                "2:1 unknown key 'hots' in listen did you mean 'host'?", "4:14 'list' has the same value twice -",
                "5:8 'inner' must be a mapping, not a text -",
            ])
    }
}
