/// Little-endian numbers in byte arrays: the one way in which the journal's files hold numbers.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    mutating func put(_ id: JournalID) {
        put(id.high.bigEndian)
        put(id.low.bigEndian)
    }

    /// Zeros up to this length.
    mutating func pad(to count: Int) {
        precondition(bytes.count <= count)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: count - bytes.count))
    }
}

/// Reads what `ByteWriter` wrote. Foreign bytes: every read may come up short and then returns nil.
struct ByteReader<Bytes: RandomAccessCollection> where Bytes.Element == UInt8, Bytes.Index == Int {
    private let bytes: Bytes
    private(set) var offset: Int

    init(_ bytes: Bytes) {
        self.bytes = bytes
        offset = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - offset }

    mutating func number<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) -> Value? {
        let width = Value.bitWidth / 8
        guard remaining >= width else { return nil }
        var value: Value = 0
        for place in 0..<width {
            value |= Value(truncatingIfNeeded: bytes[offset + place]) << Value(place * 8)
        }
        offset += width
        return value
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, remaining >= count else { return nil }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    mutating func journal() -> JournalID? {
        guard let high = number(UInt64.self), let low = number(UInt64.self) else { return nil }
        return JournalID(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }

    mutating func text() -> TextID? {
        guard let high = number(UInt64.self), let low = number(UInt64.self) else { return nil }
        return TextID(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }
}

extension String {
    /// 16 lower-case hexadecimal digits, so that names sort as numbers do.
    static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
