import CaseNotifications
import Routing

/// What a copy's fields and codes are called in both languages, for the person who reads it.
struct CopyLabels {
    /// By name of a field.
    private(set) var fields = JSONObject()
    /// By `field/code`, for codes, circumstances and municipalities that stand in the copy.
    private(set) var codes = JSONObject()

    /// The labels for one rendered copy.
    init(of type: EventType, view: [UInt8], policy: Policy) {
        guard let event = try? JSONValue(parsing: view) else { return }
        let data = event["data"]
        let names = policy.fieldLabels(of: type)
        for field in policy.typeDefinition(type)?.fields ?? [] {
            guard let value = data?[field.name] else { continue }
            fields[field.name] = names[field.name].map(Self.object)
            for text in Self.texts(value) {
                switch field.kind {
                case .code(let list), .codes(let list):
                    codes[field.name + "/" + text] = policy.label(ofCode: text, in: list).map(Self.object)
                case .municipality: codes[field.name + "/" + text] = Self.municipality(text, policy)
                case .flag, .timestamp, .reference, .text, .personnummer, .integer: break
                }
            }
        }
        if let code = event["municipality"]?.string {
            codes["municipality/" + code] = Self.municipality(code, policy)
        }
        for circumstance in event["circumstances"]?.string?.split(separator: " ") ?? [] {
            let name = String(circumstance)
            codes["circumstances/" + name] = policy.label(ofCircumstance: name).map(Self.object)
        }
    }

    private static func texts(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let items): items.compactMap(\.string)
        case .null, .bool, .integer, .number, .object: []
        }
    }

    private static func municipality(_ code: String, _ policy: Policy) -> JSONValue? {
        policy.municipalities[code].map { object(Labels(sv: $0, en: $0)) }
    }

    private static func object(_ labels: Labels) -> JSONValue {
        RelayCore.labels(["sv": labels.sv, "en": labels.en])
    }
}
