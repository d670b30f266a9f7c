/// Writes frames: LF line ends, `content-length` wherever there is a body, NUL and one LF at the end.
package enum FrameEncoder {
    /// Appends `frame` to `buffer`.
    ///
    /// What `version` cannot say in a header (NUL anywhere; CR before 1.2; CR and LF in 1.0 and in CONNECT, STOMP and
    /// CONNECTED) is written as a space, so no value ever ends its line. A repeated name is written once, the first.
    package static func encode(_ frame: Frame, version: Version, into buffer: inout [UInt8]) {
        let escapes: Version = frame.command.isUnescaped ? .v1_0 : version
        buffer.append(contentsOf: frame.command.rawValue.utf8)
        buffer.append(Byte.lineFeed)
        for index in 0..<frame.headers.count {
            let name = frame.headers.nameBytes(at: index)
            guard !name.elementsEqual("content-length".utf8), !isRepeated(index, in: frame.headers) else { continue }
            appendEscaped(name, escapes, .name, into: &buffer)
            buffer.append(Byte.colon)
            appendEscaped(frame.headers.valueBytes(at: index), escapes, .value, into: &buffer)
            buffer.append(Byte.lineFeed)
        }
        finish(body: frame.body, into: &buffer)
    }

    private static func isRepeated(_ index: Int, in headers: Headers) -> Bool {
        let name = headers.nameBytes(at: index)
        return (0..<index).contains { headers.nameBytes(at: $0) == name }
    }

    // MARK: Parts, for the sessions' own frames

    /// A header whose name needs no escape; the value is escaped.
    static func appendHeader(_ name: String, _ value: String, _ version: Version, into buffer: inout [UInt8]) {
        buffer.append(contentsOf: name.utf8)
        buffer.append(Byte.colon)
        appendEscaped(value.utf8, version, .value, into: &buffer)
        buffer.append(Byte.lineFeed)
    }

    /// A header that holds a number.
    static func appendHeader(_ name: String, _ value: UInt64, into buffer: inout [UInt8]) {
        buffer.append(contentsOf: name.utf8)
        buffer.append(Byte.colon)
        appendDecimal(value, into: &buffer)
        buffer.append(Byte.lineFeed)
    }

    /// `content-length` where there is a body, the blank line, body, NUL, LF.
    static func finish(body: [UInt8], into buffer: inout [UInt8]) {
        if !body.isEmpty { appendHeader("content-length", UInt64(body.count), into: &buffer) }
        buffer.append(Byte.lineFeed)
        buffer.append(contentsOf: body)
        buffer.append(Byte.nul)
        buffer.append(Byte.lineFeed)
    }

    static func appendDecimal(_ value: UInt64, into buffer: inout [UInt8]) {
        let first = buffer.count
        var rest = value
        repeat {
            buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        buffer[first...].reverse()
    }

    private enum Place {
        case name
        case value
    }

    /// 1.0 stands for frames without escapes as well.
    private static func appendEscaped(
        _ text: some Collection<UInt8>, _ version: Version, _ place: Place, into buffer: inout [UInt8]
    ) {
        let isPlain = text.allSatisfy { $0 > Byte.carriageReturn && $0 != Byte.colon && $0 != Byte.backslash }
        if isPlain {
            buffer.append(contentsOf: text)
            return
        }
        for byte in text {
            switch (byte, version) {
            case (Byte.nul, _), (Byte.carriageReturn, ...Version.v1_1), (Byte.lineFeed, .v1_0):
                buffer.append(UInt8(ascii: " "))
            case (Byte.colon, .v1_0) where place == .name:
                buffer.append(UInt8(ascii: " "))
            case (_, .v1_0):
                buffer.append(byte)
            case (Byte.carriageReturn, _): buffer.append(contentsOf: "\\r".utf8)
            case (Byte.lineFeed, _): buffer.append(contentsOf: "\\n".utf8)
            case (Byte.colon, _): buffer.append(contentsOf: "\\c".utf8)
            case (Byte.backslash, _): buffer.append(contentsOf: "\\\\".utf8)
            default: buffer.append(byte)
            }
        }
    }
}
