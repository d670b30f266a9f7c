import Glibc

/// Which rule a notification meets.
enum FanOut: Int, CaseIterable, Sendable {
    /// Exactly one of the three recipients, in turn.
    case one = 1
    /// All three.
    case three = 3
}

/// The text of a notification with the placeholders of `stompload`: `{id}`, `{time}`, `{case}` and `{d}`.
enum BodyTemplate {
    /// The smallest body that can be asked for, in bytes.
    static let leastBytes = 600
    /// The largest, in bytes; also the longest `note`.
    static let mostBytes = 65_536

    /// A template whose body is `bytes` long once `{id}`, `{time}` and `{case}` have their values.
    ///
    /// - Parameter type: the short name's last part, `fan3`, `one0` or `one{d}`.
    static func text(type: String, bytes: Int) -> String {
        let head = """
            {"specversion":"1.0","id":"{id}","source":"urn:budkavle:\(BenchPolicy.sender)",\
            "type":"\(BenchPolicy.type(type))","time":"{time}","subject":"BK-18-2026-{case}",\
            "datacontenttype":"application/json","municipality":"1880","protected":false,\
            "data":{"reportRef":"bench","occurredAt":"{time}","relation":"ex-partner",\
            "violenceForm":["physical","digital"],"childrenPresent":false,"note":"
            """
        let tail = "\"}}"
        let rendered = Placeholder.allCases.reduce(head.utf8.count + tail.utf8.count) { count, placeholder in
            count + occurrences(of: placeholder.text, in: head) * (placeholder.width - placeholder.text.utf8.count)
        }
        // {d} is one digit.
        let length = rendered - occurrences(of: "{d}", in: head) * 2
        return head + padding(max(0, bytes - length)) + tail
    }

    private static func occurrences(of part: String, in text: String) -> Int {
        text.ranges(of: part).count
    }

    /// Text that compresses badly, always the same.
    private static func padding(_ count: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz abcdefghijk".utf8)
        var state: UInt32 = 12_345
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for _ in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            bytes.append(alphabet[Int(state >> 26)])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What is patched into a frame for each notification; every value has a fixed width.
enum Placeholder: CaseIterable, Sendable {
    /// `RRRRRRRR-NNNNNNNNNNNN-TTTTTTTTTTTTTTTT`: run, number and intended time in nanoseconds, hexadecimal.
    case id
    /// RFC 3339 in UTC with milliseconds.
    case time
    /// Eight characters of the pool of 10,000 cases.
    case caseID
    /// Twelve decimal digits: the number of the notification, which is also its receipt.
    case number

    var text: String {
        switch self {
        case .id: "{id}"
        case .time: "{time}"
        case .caseID: "{case}"
        case .number: "{n}"
        }
    }

    var width: Int {
        switch self {
        case .id: 38
        case .time: 24
        case .caseID: 8
        case .number: 12
        }
    }
}

/// A whole SEND frame, rendered once; only its placeholders are written anew for each notification.
struct FrameTemplate {
    /// Size of the pool of cases, as in `stompload`.
    static let caseCount: UInt64 = 10_000

    private var bytes: [UInt8] = []
    private var patches: [(offset: Int, placeholder: Placeholder)] = []

    /// The frame for a body template.
    init(body: String) {
        var frame = FrameTemplate()
        frame.append(body)
        let length = frame.bytes.count
        append(
            "SEND\ndestination:/notifications\ncontent-type:application/cloudevents+json\nreceipt:{n}\n"
                + "content-length:\(length)\n\n")
        append(body)
        bytes.append(0)
    }

    private init() {}

    /// Splits a text at its placeholders.
    private mutating func append(_ text: String) {
        var rest = Substring(text)
        while let brace = rest.firstIndex(of: "{") {
            bytes.append(contentsOf: rest[..<brace].utf8)
            rest = rest[brace...]
            if let placeholder = Placeholder.allCases.first(where: { rest.hasPrefix($0.text) }) {
                patches.append((bytes.count, placeholder))
                bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: placeholder.width))
                rest = rest.dropFirst(placeholder.text.count)
            } else {
                bytes.append(UInt8(ascii: "{"))
                rest = rest.dropFirst()
            }
        }
        bytes.append(contentsOf: rest.utf8)
    }

    /// Appends the frame for one notification.
    ///
    /// - Parameter intended: monotonic nanoseconds when it was to be sent.
    func write(number: UInt64, intended: UInt64, run: UInt32, clock: inout WallClock, to output: inout [UInt8]) {
        let start = output.count
        output.append(contentsOf: bytes)
        output.withUnsafeMutableBufferPointer { buffer in
            for patch in patches {
                let target = UnsafeMutableBufferPointer(
                    rebasing: buffer[(start + patch.offset)..<(start + patch.offset + patch.placeholder.width)])
                switch patch.placeholder {
                case .id:
                    Digits.hexadecimal(UInt64(run), width: 8, at: 0, in: target)
                    target[8] = UInt8(ascii: "-")
                    Digits.hexadecimal(number, width: 12, at: 9, in: target)
                    target[21] = UInt8(ascii: "-")
                    Digits.hexadecimal(intended, width: 16, at: 22, in: target)
                case .time: clock.write(intended, to: target)
                case .caseID: Digits.caseID(number, in: target)
                case .number: Digits.decimal(number, width: 12, at: 0, in: target)
                }
            }
        }
    }
}

/// Numbers of fixed width, written into bytes.
enum Digits {
    private static let crockford: StaticString = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    static func hexadecimal(_ value: UInt64, width: Int, at offset: Int, in target: UnsafeMutableBufferPointer<UInt8>) {
        var rest = value
        for place in stride(from: offset + width - 1, through: offset, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            target[place] = digit < 10 ? digit + 0x30 : digit + 0x57
            rest >>= 4
        }
    }

    static func decimal(_ value: UInt64, width: Int, at offset: Int, in target: UnsafeMutableBufferPointer<UInt8>) {
        var rest = value
        for place in stride(from: offset + width - 1, through: offset, by: -1) {
            target[place] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
    }

    /// The same eight characters for the same place in the pool, as `stompload` makes them.
    static func caseID(_ number: UInt64, in target: UnsafeMutableBufferPointer<UInt8>) {
        var mixed = (number % FrameTemplate.caseCount + 1) &* 0x9E37_79B9_7F4A_7C15
        for place in 0..<8 {
            target[place] = crockford.utf8Start[Int(mixed & 31)]
            mixed >>= 5
        }
    }

    /// Reads `width` hexadecimal digits; nil for anything else.
    static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at offset: Int, width: Int) -> UInt64? {
        var value: UInt64 = 0
        for place in offset..<(offset + width) {
            let byte = bytes[place]
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte - 0x57)
            default: return nil
            }
        }
        return value
    }

    /// Reads decimal digits; nil for anything else or more than 18 of them.
    static func decimal(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) -> UInt64? {
        guard (1...18).contains(range.count) else { return nil }
        var value: UInt64 = 0
        for place in range {
            guard (0x30...0x39).contains(bytes[place]) else { return nil }
            value = value * 10 + UInt64(bytes[place] - 0x30)
        }
        return value
    }
}

/// Monotonic nanoseconds to wall-clock text; the date is made once per second.
struct WallClock {
    private let offset: UInt64
    private var second: UInt64 = .max
    private var prefix = [UInt8](repeating: 0, count: 20)

    /// Reads both clocks once.
    init() {
        offset = Nanoseconds.now(CLOCK_REALTIME) &- Nanoseconds.now()
    }

    /// `2026-11-21T22:35:00.123Z`
    mutating func write(_ monotonic: UInt64, to target: UnsafeMutableBufferPointer<UInt8>) {
        let wall = monotonic &+ offset
        let whole = wall / 1_000_000_000
        if whole != second {
            second = whole
            var parts = tm()
            var seconds = time_t(whole)
            gmtime_r(&seconds, &parts)
            prefix.withUnsafeMutableBufferPointer { prefix in
                let values: [(Int32, Int, UInt8)] = [
                    (parts.tm_year + 1900, 4, UInt8(ascii: "-")), (parts.tm_mon + 1, 2, UInt8(ascii: "-")),
                    (parts.tm_mday, 2, UInt8(ascii: "T")), (parts.tm_hour, 2, UInt8(ascii: ":")),
                    (parts.tm_min, 2, UInt8(ascii: ":")), (parts.tm_sec, 2, UInt8(ascii: ".")),
                ]
                var place = 0
                for (value, width, end) in values {
                    Digits.decimal(UInt64(value), width: width, at: place, in: prefix)
                    prefix[place + width] = end
                    place += width + 1
                }
            }
        }
        for place in 0..<20 { target[place] = prefix[place] }
        Digits.decimal(wall / 1_000_000 % 1_000, width: 3, at: 20, in: target)
        target[23] = UInt8(ascii: "Z")
    }
}

/// Clocks in nanoseconds.
enum Nanoseconds {
    static func now(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
