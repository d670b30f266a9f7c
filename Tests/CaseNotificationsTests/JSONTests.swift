import CaseNotifications
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String, known: Set<String> = []) throws(JSONFault) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8), knownNames: known)
    }

    private func fault(_ text: String, known: Set<String> = []) -> JSONFault? {
        do throws(JSONFault) { _ = try parse(text, known: known) } catch { return error }
        return nil
    }

    @Test func `a text becomes a value with its members in order`() throws {
        let value = try parse(
            #" {"b":[1,-2,0,true,false,null,1.50,-0,1e3,9223372036854775808],"a":{"\u00e5\ud83d\ude00":"\n\/"}} "#)
        let want: JSONValue = [
            "b": [
                1, -2, 0, true, false, .null, .number("1.50"), .number("-0"), .number("1e3"),
                .number("9223372036854775808"),
            ],
            "a": ["å😀": "\n/"],
        ]
        #expect(value == want)
        #expect(value.text == #"{"b":[1,-2,0,true,false,null,1.50,-0,1e3,9223372036854775808],"a":{"å😀":"\n/"}}"#)
        #expect(value["a"]?["å😀"]?.string == "\n/" && value["c"] == nil && value["b"]?.array?.count == 10)
    }

    @Test(arguments: [
        ("", JSONFault.Reason.unexpectedEnd), ("[1", .unexpectedEnd), ("\"a", .unexpectedEnd), ("tru", .unexpectedEnd),
        ("-", .unexpectedEnd), ("\"\\u12", .unexpectedEnd), ("x", .unexpectedByte), ("{a:1}", .unexpectedByte),
        ("{\"a\" 1}", .unexpectedByte), ("[1 2]", .unexpectedByte), ("[,1]", .unexpectedByte),
        ("{\"a\":1,}", .unexpectedByte),
        ("[1]]", .trailingBytes), ("1 2", .trailingBytes), ("\"\u{1}\"", .controlCharacter), ("\"\\a\"", .badEscape),
        ("\"\\u00zz\"", .badEscape), ("\"\\ud800\"", .loneSurrogate), ("\"\\udc00\"", .loneSurrogate),
        ("\"\\ud800\\u0041\"", .loneSurrogate), ("01", .badNumber), ("-x", .badNumber), ("1.", .badNumber),
        ("1e+", .badNumber), ("+1", .unexpectedByte), (".1", .unexpectedByte), ("{\"a\":1,\"a\":2}", .duplicateMember),
        ("{\"a\":1,\"\\u0061\":2}", .duplicateMember), ("[{\"b\":{\"a\":1,\"a\":2}}]", .duplicateMember),
    ])
    func `what is not strict JSON is a fault`(text: String, reason: JSONFault.Reason) {
        #expect(fault(text)?.reason == reason)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xC1, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0x80],
        ] as [[UInt8]])
    func `invalid UTF-8 is a fault`(bytes: [UInt8]) {
        #expect(throws: JSONFault.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    }

    @Test func `every scalar passes unchanged`() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let want = JSONValue.string(String(Character(scalar)))
            #expect(try JSONValue(parsing: want.bytes) == want)
        }
    }

    @Test func `32 levels are read and 33 are too deep`() throws {
        let nest = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(fault(nest(32)) == nil)
        #expect(fault(nest(33))?.reason == .tooDeep)
        let objects = String(repeating: "{\"a\":", count: 33) + "1" + String(repeating: "}", count: 33)
        #expect(fault(objects)?.reason == .tooDeep)
    }

    @Test func `256 KiB are read and one byte more is too large`() {
        let text = "1" + String(repeating: " ", count: 256 * 1_024 - 1)
        #expect(fault(text) == nil)
        #expect(fault(text + " ")?.reason == .tooLarge)
        #expect(fault(text + " ")?.refusal.code == .tooLarge)
    }

    @Test func `a pointer shows known names and indices only`() {
        let text = #"{"a":[0,{"secret":{"b":01}}]}"#
        #expect(fault(text, known: ["a", "b"])?.pointer == "/a/1")
        #expect(fault(text, known: ["a", "b", "secret"])?.pointer == "/a/1/secret/b")
        #expect(fault(text)?.pointer == "")
        #expect(fault(text)?.offset == 24)
    }

    @Test func `the writer escapes what JSON demands and no more`() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("q\"", "\\ \" \n\r\t\u{1}\u{1F}\u{7F}å")
        writer.member("absent", nil)
        writer.name("list")
        writer.beginArray()
        writer.integer(-1)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.raw(Array("1.0".utf8))
        writer.endArray()
        writer.name("flag")
        writer.bool(false)
        writer.endObject()
        let want = #"{"q\"":"\\ \" \n\r\t\u0001\u001f"# + "\u{7F}" + #"å","list":[-1,null,{},1.0],"flag":false}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == want)
        #expect((try? JSONValue(parsing: writer.bytes))?.bytes == writer.bytes)
    }

    @Test func `no damaged text traps`() {
        var random = SeededRandom(seed: 3)
        let whole = Array(#"{"a":[1,-2.5e+3,"å\ud83d\ude00\n",{"b":null}],"c":true}"#.utf8)
        for _ in 0..<20_000 {
            var text = whole
            text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            if Bool.random(using: &random) { text.removeLast(Int.random(in: 0...text.count, using: &random)) }
            guard let value = try? JSONValue(parsing: text) else { continue }
            #expect((try? JSONValue(parsing: value.bytes)) == value)
        }
    }
}
