package import CaseNotifications
package import Routing

/// The JSON Schema (2020-12) of one event type: its envelope and its `data`, as the relay reads them.
///
/// What a schema cannot say stays with the relay: check digits, what free text must not hold, who may send what.
package struct EventSchema {
    /// The dialect.
    package static let dialect = "https://json-schema.org/draft/2020-12/schema"

    private let policy: Policy
    private let definition: EventTypeDefinition

    /// The schema of a type of `policy`; nil if it has no such type.
    package init?(policy: Policy, type: EventType) {
        guard let definition = policy.typeDefinition(type) else { return nil }
        self.policy = policy
        self.definition = definition
    }

    /// The schema of a type as JSON, or of all types in one object by type.
    package static func json(of type: EventType?, in policy: Policy) -> String {
        if let type, let schema = EventSchema(policy: policy, type: type) { return schema.value.text }
        var all = JSONObject()
        for type in policy.catalogue.types.keys.sorted(by: { $0.text < $1.text }) {
            all[type.text] = EventSchema(policy: policy, type: type)?.value
        }
        return JSONValue.object(all).text
    }

    /// The schema as one object.
    package var value: JSONValue {
        var properties = envelope
        properties["data"] = data
        let required = ["specversion", "id", "source", "type", "time", "subject"] + definition.requiredAttributes
        let isDataNeeded = definition.fields.contains(where: \.isRequired)
        var schema = JSONObject()
        schema["$schema"] = .string(Self.dialect)
        schema["$id"] = .string("urn:budkavle:schema:\(definition.type.text)")
        schema["title"] = .string(definition.labels["en"] ?? definition.type.text)
        schema["description"] = .string(
            "A CloudEvents 1.0 event in JSON, at most \(NotificationDecoder.largestBodyBytes) bytes, as the collaboration"
                + " \(policy.collaboration.text) takes it. Members that are not listed are refused.")
        schema["type"] = "object"
        schema["properties"] = .object(properties)
        schema["required"] = .array((required + (isDataNeeded ? ["data"] : [])).map { .string($0) })
        schema["additionalProperties"] = false
        schema["dependentRequired"] = ["consentof": ["consent"]]
        return .object(schema)
    }

    // MARK: Envelope

    private var envelope: JSONObject {
        let catalogue = policy.catalogue
        var object = JSONObject()
        object["specversion"] = ["const": "1.0"]
        object["id"] = Self.pattern(
            "^[0-9A-Za-z._:-]{1,\(NotificationDecoder.longestIDBytes)}$", "Unique together with source.")
        object["source"] = Self.pattern(
            "^urn:budkavle:\(Self.name)$", "The sender's party: urn:budkavle:<party>.")
        object["type"] = ["const": .string(definition.type.text)]
        object["time"] = Self.time("When it happened.")
        object["subject"] = Self.pattern(
            "^BK-[0-9]{2}-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{8}$", "The case; of a drill with the year 0000.")
        object["datacontenttype"] = Self.pattern("^application/json", "JSON and nothing else.")
        object["dataschema"] = Self.text(1...NotificationDecoder.longestURIBytes, "An absolute URI.")
        object["county"] = Self.pattern("^[0-9]{2}$", "The county's two digits.")
        object["municipality"] = Self.pattern("^[0-9]{4}$", "The municipality's four digits.")
        object["audience"] = Self.list(
            of: "\(Self.name)/\(Self.name)", atMost: NotificationDecoder.mostAudienceEntries,
            "Recipients that the sender names and why, soc-1880/respondent: it narrows what the rules allow.")
        object["urgency"] = Self.values(UrgencyClass.allCases.map(\.text), "Raises the type's class, never lowers it.")
        object["programme"] = Self.values(catalogue.programmes.sorted(), "The programme.")
        object["level"] = Self.values(catalogue.levels.sorted(), "The level of a focus individual.")
        object["protected"] = Self.flag("Whether the person has protected identity; absent is unknown.")
        object["drill"] = Self.flag("Whether this is a drill.")
        object["secrecy"] = Self.pattern(
            "^[1-9][0-9]?:[1-9][0-9]?[a-z]?$", "Chapter and section that protect it at the source.")
        object["circumstances"] = Self.list(
            of: "(\(catalogue.circumstances.sorted().joined(separator: "|")))",
            atMost: NotificationDecoder.mostCircumstances, "What raises urgency or calls for another rule.")
        object["affirmations"] = Self.list(
            of: "\(Self.name)/\(Self.name)/[^ /]+", atMost: NotificationDecoder.mostAffirmations,
            "What a person affirms for this event: name/person/time.")
        object["consent"] = Self.reference("A reference to a consent.")
        object["consentof"] = Self.values(ConsentGiver.allCases.map(\.rawValue).sorted(), "Who gave it.")
        object["supersedes"] = Self.relayID("The notification that this one replaces.")
        object["expirytime"] = Self.time("After this it is of no use to anybody.")
        object["correlationid"] = Self.relayID("The first notification of a chain.")
        object["causationid"] = Self.relayID("The notification that caused this one.")
        return object
    }

    // MARK: Data

    private var data: JSONValue {
        let labels = policy.fieldLabels(of: definition.type)
        var properties = JSONObject()
        for field in definition.fields {
            guard case .object(var property) = value(of: field.kind) else { continue }
            if let label = labels[field.name] { property["title"] = .string(label.en) }
            property["x-sensitivity"] = .string(field.sensitivity)
            properties[field.name] = .object(property)
        }
        return [
            "type": "object", "properties": .object(properties),
            "required": .array(definition.fields.filter(\.isRequired).map { .string($0.name) }),
            "additionalProperties": false,
        ]
    }

    private func value(of kind: FieldKind) -> JSONValue {
        switch kind {
        case .code(let list): ["type": "string", "enum": codes(list)]
        case .codes(let list):
            [
                "type": "array", "items": ["type": "string", "enum": codes(list)], "uniqueItems": true,
                "maxItems": .integer(Int64(NotificationDecoder.mostCodes)),
            ]
        case .flag: ["type": "boolean"]
        case .timestamp: ["type": "string", "format": "date-time"]
        case .reference: Self.reference(nil)
        case .text(let maxBytes):
            [
                "type": "string", "maxLength": .integer(Int64(maxBytes)),
                "description": .string("At most \(maxBytes) bytes of UTF-8; no numbers of persons, no addresses."),
            ]
        case .personnummer:
            Self.pattern("^([0-9]{2})?[0-9]{6}[-+]?[0-9]{4}$", "A personnummer or samordningsnummer with check digit.")
        case .integer: ["type": "integer", "minimum": -2_147_483_648, "maximum": 2_147_483_647]
        case .municipality: Self.pattern("^[0-9]{4}$", nil)
        }
    }

    private func codes(_ list: String) -> JSONValue {
        .array((policy.catalogue.codeLists[list] ?? []).sorted().map { .string($0) })
    }

    // MARK: Parts

    private static func text(_ length: ClosedRange<Int>, _ description: String) -> JSONValue {
        [
            "type": "string", "minLength": .integer(Int64(length.lowerBound)),
            "maxLength": .integer(Int64(length.upperBound)), "description": .string(description),
        ]
    }

    /// An id of a party, a person, a group or a word of a list.
    private static let name = "[a-z0-9][a-z0-9.-]{0,63}"

    /// Items with single spaces between them.
    private static func list(of item: String, atMost limit: Int, _ description: String) -> JSONValue {
        pattern("^\(item)( \(item)){0,\(limit - 1)}$", "\(description) 1 to \(limit), single spaces between them.")
    }

    private static func pattern(_ pattern: String, _ description: String?) -> JSONValue {
        var object = JSONObject()
        object["type"] = "string"
        object["pattern"] = .string(pattern)
        if let description { object["description"] = .string(description) }
        return .object(object)
    }

    private static func reference(_ description: String?) -> JSONValue {
        let length = "(?=.{1,\(NotificationDecoder.longestReferenceBytes)}$)"
        return pattern("^\(length)([A-Z]{1,3} (?=[0-9]))?[A-Za-z0-9._/-]+$", description)
    }

    private static func relayID(_ description: String) -> JSONValue {
        pattern("^[0-7][0-9A-HJKMNP-TV-Z]{25}$", description)
    }

    private static func values(_ values: [String], _ description: String) -> JSONValue {
        ["type": "string", "enum": .array(values.map { .string($0) }), "description": .string(description)]
    }

    private static func time(_ description: String) -> JSONValue {
        ["type": "string", "format": "date-time", "description": .string(description)]
    }

    private static func flag(_ description: String) -> JSONValue {
        ["type": "boolean", "description": .string(description)]
    }
}
