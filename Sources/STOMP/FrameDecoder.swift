/// Takes bytes as they come and gives frames. Every limit strikes before what breaks it is kept: it never holds more
/// than one unfinished frame within its limits and what was appended last.
package struct FrameDecoder: Sendable {
    /// Whose decoder this is; the other side's commands are what it takes.
    package enum Role: Sendable {
        /// Reads what clients send.
        case server
        /// Reads what servers send.
        case client
    }

    /// What there was next.
    package enum Decoded: Equatable, Sendable {
        /// A whole frame.
        case frame(Frame)
        /// A line end between frames.
        case heartBeat
    }

    private enum Stage {
        case betweenFrames
        case headers(Command)
        case body(Command, length: Int?)
        case broken(FrameFault)
    }

    private let role: Role
    private let limits: FrameLimits
    private var stage = Stage.betweenFrames
    private var buffer: [UInt8] = []
    /// First byte of the line or body that is being read.
    private var start = 0
    /// First byte that was not looked at yet.
    private var scanned = 0
    private var headers = Headers()
    private var headerLineCount = 0
    private var headerByteCount = 0
    private var contentLength: Int?

    /// Decides the escapes. Change it only between frames.
    package var version = Version.v1_2
    /// Whether a frame other than CONNECT and STOMP is a fault, known from its first line: before the identity is
    /// known nobody's body is kept.
    var expectsConnect = false
    /// Header values that hold unescaped colons: accepted, counted.
    private(set) var colonsInValues = 0
    /// NULs between frames: swallowed, counted.
    private(set) var strayNULs = 0
    /// Whole frames so far.
    private(set) var frameCount: UInt64 = 0

    /// A decoder at the start of a connection.
    package init(role: Role, limits: FrameLimits = .standard) {
        self.role = role
        self.limits = limits
    }

    /// Whether a frame has begun and is not finished.
    var isInsideFrame: Bool {
        if case .betweenFrames = stage { return start < buffer.count }
        return true
    }

    /// The `receipt` of the frame that is being read, as far as it was read: a fault's ERROR names it.
    var receiptSoFar: String? { headers["receipt"] }

    /// Takes bytes. Call `next()` until it gives nil before appending more.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        if case .broken = stage { return }
        compact()
        buffer.append(contentsOf: bytes)
    }

    /// Takes bytes. Call `next()` until it gives nil before appending more.
    package mutating func append(_ bytes: [UInt8]) { append(bytes[...]) }

    /// The next frame or heart-beat, nil when more bytes are needed. Throws the same fault from the first one on.
    package mutating func next() throws(FrameFault) -> Decoded? {
        do throws(FrameFault) {
            while true {
                switch stage {
                case .betweenFrames:
                    switch try readCommand() {
                    case .incomplete: return nil
                    case .blank: return .heartBeat
                    case .line: continue
                    }
                case .headers(let command):
                    switch try readHeader(of: command) {
                    case .incomplete: return nil
                    case .blank, .line: continue
                    }
                case .body(let command, let length):
                    guard let body = try readBody(of: command, length: length) else { return nil }
                    return .frame(finishFrame(command, body: body))
                case .broken(let fault):
                    throw fault
                }
            }
        } catch {
            stage = .broken(error)
            buffer = []
            start = 0
            throw error
        }
    }

    private mutating func compact() {
        guard start > 0 else { return }
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
        } else if start >= buffer.count / 2 {
            buffer.removeSubrange(..<start)
        } else {
            return
        }
        scanned -= start
        start = 0
    }

    // MARK: Lines

    private enum LineOutcome {
        case incomplete
        case blank
        case line
    }

    /// The range of the next line without its line end, which is passed by. `limit` bounds the line with its LF;
    /// past it `fault` is thrown whether or not the LF is there yet, so that the feeding changes nothing.
    private mutating func nextLine(limit: Int, _ fault: FrameFault) throws(FrameFault) -> Range<Int>? {
        var index = scanned
        let end = buffer.count
        while index < end {
            let byte = buffer[index]
            if byte == Byte.lineFeed || byte == Byte.nul { break }
            index += 1
        }
        guard index - start < limit else { throw fault }
        guard index < end else {
            scanned = end
            return nil
        }
        guard buffer[index] == Byte.lineFeed else { throw .nulInHeaders }
        var line = start..<index
        if let last = line.last, buffer[last] == Byte.carriageReturn { line = start..<last }
        start = index + 1
        scanned = start
        return line
    }

    private mutating func readCommand() throws(FrameFault) -> LineOutcome {
        while start < buffer.count, buffer[start] == Byte.nul {
            strayNULs += 1
            start += 1
        }
        scanned = max(scanned, start)
        guard start < buffer.count else { return .incomplete }
        // The longest command, CR and LF.
        guard let line = try nextLine(limit: Command.longestByteCount + 2, .unknownCommand) else { return .incomplete }
        if line.isEmpty { return .blank }
        guard line.count <= Command.longestByteCount else { throw .unknownCommand }
        let bytes = buffer[line]
        guard !bytes.contains(Byte.carriageReturn) else { throw .strayCarriageReturn }
        guard bytes.isValidUTF8 else { throw .invalidUTF8 }
        guard let command = Command(bytes: bytes) else { throw .unknownCommand }
        guard command.isFromServer == (role == .client) else { throw .commandOfOtherSide(command) }
        if expectsConnect, command != .connect, command != .stomp { throw .notConnected(command) }
        stage = .headers(command)
        return .line
    }

    private mutating func readHeader(of command: Command) throws(FrameFault) -> LineOutcome {
        let begin = start
        // The blank line does not count, so its LF and CR may come on top.
        if let blank = try passBlankLine() {
            guard blank else { return .incomplete }
            try checkContentLength(of: command)
            stage = .body(command, length: contentLength)
            return .blank
        }
        let left = limits.headerBytes - headerByteCount
        guard let line = try nextLine(limit: left, .headersTooLong(limit: limits.headerBytes)) else {
            return .incomplete
        }
        headerByteCount += start - begin
        headerLineCount += 1
        guard headerLineCount <= limits.headers else { throw .tooManyHeaders(limit: limits.headers) }
        try parseHeader(line, of: command)
        return .line
    }

    /// True when a blank line was passed by, false when more bytes must tell, nil when there is a header.
    private mutating func passBlankLine() throws(FrameFault) -> Bool? {
        guard start < buffer.count else { return false }
        var end = start
        if buffer[end] == Byte.carriageReturn {
            end += 1
            guard end < buffer.count else { return false }
            guard buffer[end] == Byte.lineFeed else { throw .strayCarriageReturn }
        }
        guard buffer[end] == Byte.lineFeed else { return nil }
        start = end + 1
        scanned = start
        return true
    }

    private mutating func parseHeader(_ line: Range<Int>, of command: Command) throws(FrameFault) {
        let bytes = buffer[line]
        guard !bytes.contains(Byte.carriageReturn) else { throw .strayCarriageReturn }
        guard bytes.isValidUTF8 else { throw .invalidUTF8 }
        guard let colon = bytes.firstIndex(of: Byte.colon) else { throw .headerWithoutColon }
        guard colon > line.lowerBound else { throw .emptyHeaderName }
        if buffer[(colon + 1)..<line.upperBound].contains(Byte.colon) { colonsInValues += 1 }
        let entry = headers.beginEntry()
        try appendUnescaped(line.lowerBound..<colon, of: command)
        let nameEnd = headers.endName()
        if headers.isName(from: entry, "content-length") {
            headers.abandonEntry(start: entry)
            return try noteContentLength(bytes[(colon + 1)...])
        }
        try appendUnescaped((colon + 1)..<line.upperBound, of: command)
        headers.finishEntry(start: entry, nameEnd: nameEnd)
    }

    private mutating func appendUnescaped(_ range: Range<Int>, of command: Command) throws(FrameFault) {
        guard version > .v1_0, !command.isUnescaped, buffer[range].contains(Byte.backslash) else {
            headers.appendBytes(buffer[range])
            return
        }
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = buffer[index]
            index += 1
            guard byte == Byte.backslash else {
                headers.appendByte(byte)
                continue
            }
            guard index < range.upperBound else { throw .undefinedEscape(version) }
            switch buffer[index] {
            case UInt8(ascii: "n"): headers.appendByte(Byte.lineFeed)
            case UInt8(ascii: "c"): headers.appendByte(Byte.colon)
            case Byte.backslash: headers.appendByte(Byte.backslash)
            case UInt8(ascii: "r") where version >= .v1_2: headers.appendByte(Byte.carriageReturn)
            default: throw .undefinedEscape(version)
            }
            index += 1
        }
    }

    // MARK: Body

    /// Reads a `content-length`; it is framing and does not join the headers. Too many digits count as endless.
    private mutating func noteContentLength(_ digits: ArraySlice<UInt8>) throws(FrameFault) {
        let isPlain = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else {
            throw .malformedContentLength
        }
        let length = digits.count > 10 ? Int.max : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard contentLength == nil || contentLength == length else { throw .conflictingContentLength }
        contentLength = length
    }

    private func checkContentLength(of command: Command) throws(FrameFault) {
        guard let contentLength else { return }
        guard contentLength == 0 || command.mayHaveBody else { throw .bodyNotAllowed(command) }
        guard contentLength <= limits.bodyBytes else { throw .bodyTooLong(limit: limits.bodyBytes) }
    }

    private mutating func readBody(of command: Command, length: Int?) throws(FrameFault) -> [UInt8]? {
        if let length {
            guard start + length < buffer.count else { return nil }
            guard buffer[start + length] == Byte.nul else { throw .missingTerminator }
            return takeBody(length: length)
        }
        var index = scanned
        while index < buffer.count, buffer[index] != Byte.nul { index += 1 }
        scanned = index
        if index > start, !command.mayHaveBody { throw .bodyNotAllowed(command) }
        guard index - start <= limits.bodyBytes else { throw .bodyTooLong(limit: limits.bodyBytes) }
        return index < buffer.count ? takeBody(length: index - start) : nil
    }

    private mutating func takeBody(length: Int) -> [UInt8] {
        let body = Array(buffer[start..<(start + length)])
        start += length + 1
        scanned = start
        return body
    }

    private mutating func finishFrame(_ command: Command, body: [UInt8]) -> Frame {
        let frame = Frame(command, headers, body: body)
        headers = Headers()
        headerLineCount = 0
        headerByteCount = 0
        contentLength = nil
        frameCount += 1
        stage = .betweenFrames
        return frame
    }
}

enum Byte {
    static let nul: UInt8 = 0
    static let lineFeed: UInt8 = 10
    static let carriageReturn: UInt8 = 13
    static let colon = UInt8(ascii: ":")
    static let backslash = UInt8(ascii: "\\")
}

extension ArraySlice<UInt8> {
    /// Mostly ASCII, which is quickly seen.
    var isValidUTF8: Bool {
        allSatisfy { $0 < 0x80 } || String(validating: self, as: UTF8.self) != nil
    }
}
