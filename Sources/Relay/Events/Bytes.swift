import CaseNotifications

/// Why bytes are not an event.
package enum EventCodecError: Error, Equatable, Sendable {
    case tooShort
    case trailingBytes(count: Int)
    case unknownKind(UInt8)
    case unknownVersion(kind: UInt8, version: UInt8)
    /// A field has a value that no encoder writes; its offset in the record.
    case badField(offset: Int)
}

/// Writes fields one after the other; numbers as LEB128.
struct ByteWriter {
    var bytes: [UInt8]

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func number(_ value: some UnsignedInteger) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Eight bytes, big-endian.
    mutating func word(_ value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Zigzag, so that small times before 1970 stay small.
    mutating func time(_ value: Timestamp) {
        number(UInt64(bitPattern: value.milliseconds << 1 ^ value.milliseconds >> 63))
    }

    mutating func time(_ value: Timestamp?) {
        flag(value != nil)
        if let value { time(value) }
    }

    mutating func data(_ value: some Collection<UInt8>) {
        number(UInt(value.count))
        bytes += value
    }

    mutating func text(_ value: String) { data(value.utf8) }

    mutating func texts(_ values: [String]) {
        number(UInt(values.count))
        for value in values { text(value) }
    }

    mutating func id(_ value: NotificationID) {
        word(value.high)
        word(value.low)
    }

    mutating func id(_ value: DeliveryID) {
        id(value.notification)
        number(value.ordinal)
    }

    mutating func digest(_ value: Digest) { bytes += value.bytes }

    mutating func code(_ value: RefusalCode?) {
        byte(value.map { UInt8(RefusalCode.stored.firstIndex(of: $0)! + 1) } ?? 0)
    }
}

/// Reads what `ByteWriter` wrote, and refuses everything that it would have written otherwise.
struct ByteReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var bad: EventCodecError { .badField(offset: offset) }

    mutating func byte() throws(EventCodecError) -> UInt8 {
        guard offset < bytes.count else { throw .tooShort }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func flag() throws(EventCodecError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw bad
        }
    }

    mutating func number() throws(EventCodecError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let next = try byte()
            let bits = UInt64(next & 0x7F)
            guard shift < 63 || bits <= 1, shift == 0 || next != 0 else { throw bad }
            value |= bits << shift
            if next < 0x80 { return value }
        }
        throw bad
    }

    mutating func name() throws(EventCodecError) -> NameNumber {
        guard let name = NameNumber(exactly: try number()) else { throw bad }
        return name
    }

    mutating func person() throws(EventCodecError) -> PersonNumber {
        guard let person = PersonNumber(exactly: try number()) else { throw bad }
        return person
    }

    mutating func word() throws(EventCodecError) -> UInt64 {
        guard bytes.count - offset >= 8 else { throw .tooShort }
        offset += 8
        return bytes[offset - 8..<offset].reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func time() throws(EventCodecError) -> Timestamp {
        let zigzag = try number()
        return Timestamp(milliseconds: Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    }

    mutating func optionalTime() throws(EventCodecError) -> Timestamp? { try flag() ? try time() : nil }

    mutating func data() throws(EventCodecError) -> ArraySlice<UInt8> {
        guard let count = Int(exactly: try number()) else { throw bad }
        guard count <= bytes.count - offset else { throw .tooShort }
        offset += count
        return bytes[offset - count..<offset]
    }

    mutating func text() throws(EventCodecError) -> String {
        guard let text = String(validating: try data(), as: UTF8.self) else { throw bad }
        return text
    }

    mutating func texts() throws(EventCodecError) -> [String] {
        var texts: [String] = []
        for _ in 0..<(try count()) { texts.append(try text()) }
        return texts
    }

    /// A count of elements that have at least one byte each.
    mutating func count() throws(EventCodecError) -> Int {
        guard let count = Int(exactly: try number()), count <= bytes.count - offset else { throw bad }
        return count
    }

    mutating func notification() throws(EventCodecError) -> NotificationID {
        NotificationID(high: try word(), low: try word())
    }

    mutating func delivery() throws(EventCodecError) -> DeliveryID {
        DeliveryID(notification: try notification(), ordinal: try name())
    }

    mutating func digest() throws(EventCodecError) -> Digest {
        guard bytes.count - offset >= Digest.lengthBytes else { throw .tooShort }
        offset += Digest.lengthBytes
        guard let digest = Digest(bytes: Array(bytes[offset - Digest.lengthBytes..<offset])) else { throw bad }
        return digest
    }

    mutating func optionalCode() throws(EventCodecError) -> RefusalCode? {
        let number = Int(try byte())
        guard number <= RefusalCode.stored.count else { throw bad }
        return number == 0 ? nil : RefusalCode.stored[number - 1]
    }

    mutating func code() throws(EventCodecError) -> RefusalCode {
        guard let code = try optionalCode() else { throw bad }
        return code
    }

    mutating func urgency() throws(EventCodecError) -> UrgencyClass {
        guard let urgency = UrgencyClass(rawValue: try byte()) else { throw bad }
        return urgency
    }

    mutating func end() throws(EventCodecError) {
        guard offset == bytes.count else { throw .trailingBytes(count: bytes.count - offset) }
    }
}

extension RefusalCode {
    /// The codes in the order of their numbers on disk, from 1. Only ever appended to.
    static let stored: [RefusalCode] = [
        .schema, .noRule, .neverRule, .noAgreement, .agreementExpired, .affirmationMissing, .consentMissing, .protected,
        .classified, .wrongSource, .conflict, .tooOld, .tooLarge, .quota, .unavailable,
    ]
}
