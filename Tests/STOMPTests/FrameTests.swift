import STOMP
import Testing

/// C1 to C15: bytes to frames and back. The refusals are in Vectors/.
struct FrameTests {
    private func decode(
        _ text: String, _ version: Version = .v1_2, limits: FrameLimits = .standard, role: FrameDecoder.Role = .server
    ) throws(FrameFault) -> [Frame] {
        var decoder = FrameDecoder(role: role, limits: limits)
        decoder.version = version
        decoder.append(Array(text.utf8))
        var frames: [Frame] = []
        while let decoded = try decoder.next() {
            if case .frame(let frame) = decoded { frames.append(frame) }
        }
        return frames
    }

    private func encode(_ frame: Frame, _ version: Version = .v1_2) -> String {
        var bytes: [UInt8] = []
        FrameEncoder.encode(frame, version: version, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `C1 output has line feeds only`() {
        let frame = Frame(.send, ["destination": "/x", "note": "a\r\nb"], body: [104, 105])
        #expect(encode(frame) == "SEND\ndestination:/x\nnote:a\\r\\nb\ncontent-length:2\n\nhi\0\n")
    }

    @Test func `C2 line ends between frames are heart-beats`() throws {
        var decoder = FrameDecoder(role: .server)
        decoder.append(Array("\n\r\n".utf8))
        #expect(try decoder.next() == .heartBeat)
        #expect(try decoder.next() == .heartBeat)
        #expect(try decoder.next() == nil)
    }

    @Test func `C3 a frame split at every boundary is the same frame`() throws {
        let text = "SEND\r\ndestination:/å\\c\ncontent-length:3\nx:\n\na\0b\0\nACK\nid:1\n\n\0"
        let bytes = Array(text.utf8)
        let whole = try decode(text)
        #expect(whole.count == 2)
        for split in 0...bytes.count {
            var decoder = FrameDecoder(role: .server)
            var frames: [Frame] = []
            for part in [bytes[..<split], bytes[split...]] {
                decoder.append(part)
                while let decoded = try decoder.next() {
                    if case .frame(let frame) = decoded { frames.append(frame) }
                }
            }
            #expect(frames == whole, "split at \(split)")
        }
    }

    @Test func `C4 a body is exactly content-length bytes`() throws {
        let frames = try decode("SEND\ncontent-length:3\n\na\0b\0")
        #expect(frames == [Frame(.send, body: [97, 0, 98])])
    }

    @Test func `C5 without content-length a body ends at the first NUL`() throws {
        #expect(try decode("SEND\n\nab\0\n") == [Frame(.send, body: [97, 98])])
    }

    @Test func `C6 each side takes the other side's commands only`() {
        for command in Command.allCases {
            let other: FrameDecoder.Role = command.isFromServer ? .server : .client
            #expect(throws: FrameFault.commandOfOtherSide(command)) {
                _ = try decode("\(command.rawValue)\n\n\0", role: other)
            }
            #expect(throws: Never.self) {
                _ = try decode("\(command.rawValue)\n\n\0", role: command.isFromServer ? .client : .server)
            }
        }
    }

    @Test func `C7 a value keeps its further colons`() throws {
        #expect(try decode("SEND\na:b:c:\n\n\0") == [Frame(.send, ["a": "b:c:"])])
    }

    @Test func `C8 each limit holds at the limit and refuses one past it`() throws {
        var limits = FrameLimits()
        limits.headers = 3
        limits.headerBytes = 20
        limits.bodyBytes = 5
        #expect(try decode("SEND\na:b\na:b\na:b\n\n\0", limits: limits).count == 1)
        #expect(throws: FrameFault.tooManyHeaders(limit: 3)) {
            try decode("SEND\na:b\na:b\na:b\na:b\n\n\0", limits: limits)
        }
        let value = String(repeating: "v", count: 17)
        #expect(try decode("SEND\na:\(value)\n\n\0", limits: limits).count == 1, "20 bytes with the line end")
        #expect(try decode("SEND\na:\(value)\n\r\n\0", limits: limits).count == 1)
        #expect(throws: FrameFault.headersTooLong(limit: 20)) { try decode("SEND\na:\(value)v", limits: limits) }
        #expect(throws: FrameFault.headersTooLong(limit: 20)) { try decode("SEND\na:\(value)\nb", limits: limits) }
        #expect(try decode("SEND\n\nabcde\0", limits: limits).count == 1)
        #expect(throws: FrameFault.bodyTooLong(limit: 5)) { try decode("SEND\n\nabcdef", limits: limits) }
        #expect(try decode("SEND\ncontent-length:5\n\nabcde\0", limits: limits).count == 1)
        #expect(throws: FrameFault.bodyTooLong(limit: 5)) { try decode("SEND\ncontent-length:6\n\n", limits: limits) }
    }

    @Test func `C8 the standard limits are those of protocol md`() throws {
        let limits = FrameLimits.standard
        #expect(limits.headers == 64 && limits.headerBytes == 8_192 && limits.bodyBytes == 262_144)
        let most = String(repeating: "x", count: 262_144)
        #expect(try decode("SEND\n\n\(most)\0").first?.body.count == 262_144)
        #expect(throws: FrameFault.bodyTooLong(limit: 262_144)) { try decode("SEND\n\n\(most)x") }
        #expect(throws: FrameFault.headersTooLong(limit: 8_192)) {
            var decoder = FrameDecoder(role: .server)
            decoder.append(Array("SEND\na:".utf8))
            for _ in 0..<1_000_000 {
                decoder.append([120])
                _ = try decoder.next()
            }
        }
    }

    @Test func `C9 headers are UTF-8`() throws {
        #expect(try decode("SEND\nö:å\n\n\0") == [Frame(.send, ["ö": "å"])])
    }

    @Test func `C10 four escapes decode once in names and values of 1_2`() throws {
        let frames = try decode("SEND\na\\cb:\\r\\n\\c\\\\\nc:\\\\r\n\n\0")
        #expect(frames == [Frame(.send, ["a:b": "\r\n:\\", "c": "\\r"])])
    }

    @Test(arguments: [(Version.v1_0, "\\n\\c\\\\"), (.v1_1, "\n:\\"), (.v1_2, "\n:\\")])
    func `C11 the escapes follow the version`(_ version: Version, _ value: String) throws {
        #expect(try decode("SEND\na:\\n\\c\\\\\n\n\0", version) == [Frame(.send, ["a": value])])
    }

    @Test func `C12 CONNECT and CONNECTED are neither escaped nor unescaped`() throws {
        #expect(try decode("CONNECT\na:\\c\\x\n\n\0") == [Frame(.connect, ["a": "\\c\\x"])])
        #expect(encode(Frame(.connected, ["a": "b\\:"])) == "CONNECTED\na:b\\:\n\n\0\n")
    }

    @Test func `C13 nothing is trimmed`() throws {
        #expect(try decode("SEND\nfoo : bar \n\n\0") == [Frame(.send, ["foo ": " bar "])])
    }

    @Test func `C14 the first of repeated names wins and none is repeated by us`() throws {
        let frame = try #require(try decode("SEND\ndestination:/a\ndestination:/b\n\n\0").first)
        #expect(frame.headers["destination"] == "/a")
        #expect(encode(frame) == "SEND\ndestination:/a\n\n\0\n")
    }

    @Test func `C15 what comes in goes out byte for byte`() throws {
        for seed in UInt64(1)...300 {
            var random = SeededRandom(seed: seed)
            let version = Version.allCases[Int(seed % 3)]
            let frames = (0..<3).map { _ in randomFrame(version, &random) }
            var bytes: [UInt8] = []
            for frame in frames { FrameEncoder.encode(frame, version: version, into: &bytes) }
            var decoder = FrameDecoder(role: .server)
            decoder.version = version
            var found: [Frame] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...40, using: &random))
                decoder.append(part)
                rest = rest.dropFirst(part.count)
                while let decoded = try decoder.next() {
                    if case .frame(let frame) = decoded { found.append(frame) }
                }
            }
            #expect(found == frames, "seed \(seed)")
        }
    }

    private func randomFrame(_ version: Version, _ random: inout SeededRandom) -> Frame {
        let alphabet: [Character] =
            switch version {
            case .v1_0: ["a", "ö", "\\", " ", "😀", "0"]
            case .v1_1: ["a", "ö", "\\", " ", ":", "\n", "c"]
            case .v1_2: ["a", "ö", "\\", " ", ":", "\n", "\r", "r"]
            }
        var headers = Headers()
        for index in 0..<Int.random(in: 0...6, using: &random) {
            let value = (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) }
            headers.append("n\(index)", String(value.compactMap { $0 }))
        }
        let body = (0..<Int.random(in: 0...50, using: &random)).map { _ in UInt8.random(in: 0...3, using: &random) }
        return Frame(.send, headers, body: body)
    }

    @Test func `a value never ends its line, whatever the version cannot say`() {
        #expect(encode(Frame(.connect, ["host": "a\r\nx:y\0"])) == "CONNECT\nhost:a  x:y \n\n\0\n")
        #expect(encode(Frame(.send, ["a\n:": "b\r\n"]), .v1_0) == "SEND\na  :b  \n\n\0\n")
        #expect(encode(Frame(.send, ["a": "b\r\0"]), .v1_1) == "SEND\na:b  \n\n\0\n")
    }

    @Test func `random bytes are frames or one fault, never a trap, and the feeding changes nothing`() {
        let pieces = ["SEND\n", "ACK\n", "a:b\n", "\n", "\0", "\r", "content-length:3\n", "\\", "abc", "é", "x:\\c\n"]
        for seed in UInt64(1)...500 {
            var random = SeededRandom(seed: seed)
            let text = (0..<30).compactMap { _ in pieces.randomElement(using: &random) }.joined()
            let bytes = Array(text.utf8)
            let whole = outcome(of: [bytes[...]])
            #expect(outcome(of: bytes.indices.map { bytes[$0...$0] }) == whole, "seed \(seed)")
        }
    }

    private func outcome(of parts: [ArraySlice<UInt8>]) -> [String] {
        var decoder = FrameDecoder(role: .server)
        var found: [String] = []
        for part in parts {
            decoder.append(part)
            do throws(FrameFault) {
                while let decoded = try decoder.next() { found.append("\(decoded)") }
            } catch {
                return found + ["\(error)"]
            }
        }
        return found
    }
}
