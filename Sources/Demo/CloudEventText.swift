import Foundation

/// One notification as an agency's system would write it: a CloudEvents JSON object.
struct CloudEventText: Encodable {
    /// A member of `data`.
    enum Value: Codable, Equatable {
        case text(String)
        case flag(Bool)
        case codes([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let codes = try? container.decode([String].self) {
                self = .codes(codes)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .flag(let flag): try container.encode(flag)
            case .codes(let codes): try container.encode(codes)
            }
        }
    }

    let specversion = "1.0"
    var id: String
    var source: String
    var type: String
    var time: String
    var subject: String
    let datacontenttype = "application/json"
    var county: String? = "18"
    var municipality: String?
    var audience: String?
    var urgency: String?
    var programme: String?
    var secrecy: String?
    var protected: Bool?
    var circumstances: String?
    var affirmations: String?
    var consent: String?
    var consentof: String?
    var data: [String: Value]

    /// - Parameter type: the short name, `police.intervention.closed`.
    init(_ type: String, from party: String, id: String, case subject: String, at time: String, data: [String: Value]) {
        self.id = id
        self.type = "se.budkavle.\(type).v1"
        self.source = "urn:budkavle:\(party)"
        self.subject = subject
        self.time = time
        self.data = data
    }

    /// The bytes that go over the wire.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }

    /// A new case id: 8 random letters and digits of Crockford's alphabet.
    static func newCase(year: Int = 2026) -> String {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let random = (0..<8).map { _ in alphabet[Int.random(in: 0..<32)] }
        return "BK-18-\(year)-" + String(random)
    }
}
