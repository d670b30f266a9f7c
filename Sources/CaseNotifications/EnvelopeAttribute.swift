/// The members that a notification's envelope may have: those of CloudEvents 1.0 and the extension attributes of
/// protocol.md, "The envelope".
enum EnvelopeAttribute: String, CaseIterable, Sendable {
    case specversion, id, source, type, time, subject
    case datacontenttype, dataschema, data
    case binaryData = "data_base64"
    case county, municipality, audience, urgency, programme, level, protected, drill, secrecy, circumstances
    case affirmations, consent, consentof, supersedes, expirytime, correlationid, causationid
    case rule, effect, marking, acknowledgeby, policy

    /// Whether only the relay sets it, on delivery.
    var isDelivery: Bool {
        switch self {
        case .rule, .effect, .marking, .acknowledgeby, .policy: true
        default: false
        }
    }

    /// Whether every notification has it.
    var isRequired: Bool {
        switch self {
        case .specversion, .id, .source, .type, .time, .subject: true
        default: false
        }
    }

    /// The place of the attribute where it stands in the body: `/time`.
    var pointer: String { "/" + rawValue }

    /// The bit that stands for it in a set of attributes.
    var bit: UInt64 { 1 << UInt64(Self.places[self] ?? 63) }

    private static let places = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// Finds an envelope attribute by the bytes of its name: names have at most 15 bytes, so that two words hold one.
struct EnvelopeNames: Sendable {
    private struct Entry: Sendable {
        let high: UInt64
        let low: UInt64
        let attribute: EnvelopeAttribute
        let bit: UInt64
    }

    private let entries: [Entry]

    init() {
        entries = EnvelopeAttribute.allCases.map { attribute in
            let (high, low) = Self.pack(Array(attribute.rawValue.utf8)[...])
            return Entry(high: high, low: low, attribute: attribute, bit: attribute.bit)
        }
    }

    /// The attribute of that name and the bit that stands for it.
    func find(_ name: ArraySlice<UInt8>) -> (attribute: EnvelopeAttribute, bit: UInt64)? {
        guard name.count <= 16 else { return nil }
        let (high, low) = Self.pack(name)
        for entry in entries where entry.low == low && entry.high == high { return (entry.attribute, entry.bit) }
        return nil
    }

    private static func pack(_ name: ArraySlice<UInt8>) -> (UInt64, UInt64) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in name {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        return (high, low)
    }
}
