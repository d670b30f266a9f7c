/// What one frame may cost. The defaults are protocol.md's, section Session.
package struct FrameLimits: Equatable, Sendable {
    /// Header lines of one frame, repeated ones included.
    package var headers = 64
    /// All header lines of one frame with their line ends.
    package var headerBytes = 8 * 1024
    /// One body.
    package var bodyBytes = 256 * 1024

    /// protocol.md's limits.
    package static let standard = FrameLimits()

    /// The standard limits, to be changed one by one.
    package init() {}
}

/// Why bytes are no frame. Final: nothing behind a fault can be read. Holds no byte of what came in.
package enum FrameFault: Error, Equatable, Sendable {
    /// The first line is no command (case matters).
    case unknownCommand
    /// A command that only the other side sends.
    case commandOfOtherSide(Command)
    /// The first frame is neither CONNECT nor STOMP.
    case notConnected(Command)
    /// A CR that no LF follows, in command or headers.
    case strayCarriageReturn
    /// A NUL before the blank line.
    case nulInHeaders
    /// Command or headers are not UTF-8.
    case invalidUTF8
    /// A header line without a colon.
    case headerWithoutColon
    /// A header line that begins with its colon.
    case emptyHeaderName
    /// A backslash sequence that this version does not know.
    case undefinedEscape(Version)
    /// More header lines than the limit.
    case tooManyHeaders(limit: Int)
    /// More header bytes than the limit.
    case headersTooLong(limit: Int)
    /// A body longer than the limit.
    case bodyTooLong(limit: Int)
    /// `content-length` is not a plain decimal number.
    case malformedContentLength
    /// Two `content-length` headers that differ.
    case conflictingContentLength
    /// No NUL where `content-length` says that the body ends.
    case missingTerminator
    /// A body on a command that has none.
    case bodyNotAllowed(Command)

    /// One short sentence without a colon, for the `message` header.
    package var message: String {
        switch self {
        case .unknownCommand: "unknown command"
        case .commandOfOtherSide(let command): "\(command.rawValue) is not for this side to send"
        case .notConnected(let command): "\(command.rawValue) before CONNECT"
        case .strayCarriageReturn: "carriage return without line feed"
        case .nulInHeaders: "NUL in the headers"
        case .invalidUTF8: "headers are not UTF-8"
        case .headerWithoutColon: "header line without a colon"
        case .emptyHeaderName: "header without a name"
        case .undefinedEscape(let version): "escape that STOMP \(version.text) does not define"
        case .tooManyHeaders(let limit): "more than \(limit) headers"
        case .headersTooLong(let limit): "headers longer than \(limit) bytes"
        case .bodyTooLong(let limit): "body longer than \(limit) bytes"
        case .malformedContentLength: "content-length is not a number"
        case .conflictingContentLength: "two different content-length headers"
        case .missingTerminator: "body is not content-length bytes and a NUL"
        case .bodyNotAllowed(let command): "\(command.rawValue) with a body"
        }
    }

    /// The rule and what to change, for the body of ERROR.
    package var details: String {
        switch self {
        case .unknownCommand:
            "The first line of a frame must be a STOMP command in capital letters. A frame ends with a NUL byte; check that"
                + " content-length counts bytes, not characters."
        case .commandOfOtherSide:
            "CONNECTED, MESSAGE, RECEIPT and ERROR come from servers, the other commands from clients."
        case .notConnected: "The first frame of a connection must be CONNECT or STOMP. Send it first."
        case .strayCarriageReturn:
            "Lines end with LF or CR LF. A CR inside a value must be written \\r (STOMP 1.2) and cannot be sent before 1.2."
        case .nulInHeaders:
            "A blank line must end the headers before the NUL that ends the frame, and no value may hold a NUL."
        case .invalidUTF8: "Command and headers must be UTF-8. Encode header values as UTF-8."
        case .headerWithoutColon: "A header line is name, colon, value. A blank line ends the headers."
        case .emptyHeaderName: "A header line is name, colon, value, and the name must not be empty."
        case .undefinedEscape(.v1_2):
            "STOMP 1.2 knows \\r, \\n, \\c and \\\\ in headers and no other. Write a backslash as \\\\."
        case .undefinedEscape:
            "STOMP 1.1 knows \\n, \\c and \\\\ in headers and no other. Write a backslash as \\\\, or connect with 1.2."
        case .tooManyHeaders(let limit): "A frame may have \(limit) headers. Send fewer."
        case .headersTooLong(let limit): "The headers of a frame may have \(limit) bytes. Send fewer or shorter ones."
        case .bodyTooLong(let limit): "A body may have \(limit) bytes. Send less."
        case .malformedContentLength:
            "content-length must be digits only, without sign, space or leading zero, and count the body's bytes."
        case .conflictingContentLength: "content-length must be given once."
        case .missingTerminator:
            "After content-length bytes of body there must be a NUL. Check that content-length counts bytes, not characters."
        case .bodyNotAllowed: "Only SEND, MESSAGE and ERROR have a body. Check for a missing blank line or NUL."
        }
    }
}
