import CaseNotifications

/// What the tests of this module send by: a small catalogue with every kind of field.
enum Sample {
    static let reportType = EventType("se.budkavle.police.report.registered.v1")!
    static let bareType = EventType("se.budkavle.test.bare.v1")!

    static let catalogue = EventCatalogue(
        types: [
            reportType: EventTypeDefinition(
                type: reportType, labels: ["sv": "Ny polisanmälan", "en": "New report"], family: "report",
                area: "information", urgency: .u2,
                raise: [UrgencyRaise(when: "child-present", to: .u1), UrgencyRaise(when: "level-A", to: .u1)],
                requiredAttributes: ["county", "municipality"],
                fields: [
                    field("reportRef", .reference, isRequired: true),
                    field("offenceCode", .code("offence")),
                    field("violenceForm", .codes("violenceForm"), isRequired: true),
                    field("childrenPresent", .flag),
                    field("occurredAt", .timestamp),
                    field("suspect", .personnummer),
                    field("count", .integer),
                    field("note", .text(maxBytes: 2_000)),
                    field("eventMunicipality", .municipality),
                ]),
            bareType: EventTypeDefinition(
                type: bareType, labels: [:], family: "test", area: "information", urgency: .u4, raise: [],
                requiredAttributes: [], fields: []),
        ],
        circumstances: ["child-present", "under-18", "under-21", "honour", "imminent"],
        codeLists: ["offence": ["assault", "threat"], "violenceForm": ["physical", "psychological", "digital"]],
        programmes: ["trygga-hem"], levels: ["A", "B", "C", "D"])

    static func decoder(_ mode: Mode = .production) -> NotificationDecoder {
        NotificationDecoder(catalogue: catalogue, mode: mode)
    }

    /// The smallest report, with `members` put in place of, or beside, its own; nil takes one away.
    static func report(_ members: [String: JSONValue?] = [:]) -> JSONObject {
        var object = JSONObject()
        object["specversion"] = "1.0"
        object["id"] = "rep-7QK2"
        object["source"] = "urn:budkavle:pol-18-lpo-orebro"
        object["type"] = .string(reportType.text)
        object["time"] = "2026-12-11T23:09:00+01:00"
        object["subject"] = "BK-18-2026-7QK2ZD9F"
        object["county"] = "18"
        object["municipality"] = "1880"
        object["data"] = ["reportRef": "5000-K1234-26", "violenceForm": ["physical"]]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { object[name] = value }
        return object
    }

    /// The bytes of `report(_:)`.
    static func body(_ members: [String: JSONValue?] = [:]) -> [UInt8] { JSONValue.object(report(members)).bytes }

    private static func field(_ name: String, _ kind: FieldKind, isRequired: Bool = false) -> FieldDefinition {
        FieldDefinition(name: name, kind: kind, isRequired: isRequired, sensitivity: "normal")
    }
}

/// SplitMix64: the seed alone repeats a run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
