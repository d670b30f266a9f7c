package import CaseNotifications
package import Routing

/// An event of a type as a sender would send it, made up: every field of the type, and what a rule asks for.
package struct ExampleEvent {
    /// A published test number of Skatteverket; exercises take it, production does not.
    package static let testNumber = "19900602-2397"

    /// The event as one object.
    package let value: JSONValue

    /// An example for a type; nil if nobody gets the type.
    package init?(policy: Policy, type: EventType, at instant: Timestamp) {
        guard let definition = policy.typeDefinition(type),
            let notification = policy.exampleNotification(of: type, at: instant)
        else { return nil }
        var event = JSONObject()
        event["specversion"] = "1.0"
        event["id"] = .string(notification.id)
        event["source"] = .string("urn:budkavle:\(notification.source.text)")
        event["type"] = .string(type.text)
        event["time"] = .string(instant.rfc3339)
        event["subject"] = .string(notification.subject.text)
        Self.addEnvelope(of: notification, to: &event)
        var data = JSONObject()
        for field in definition.fields {
            data[field.name] = Self.value(of: field.kind, policy: policy, notification)
        }
        event["data"] = .object(data)
        value = .object(event)
    }

    private static func addEnvelope(of notification: CaseNotification, to event: inout JSONObject) {
        func add(_ name: String, _ text: String?) { if let text { event[name] = .string(text) } }
        add("county", notification.county)
        add("municipality", notification.municipality)
        let audience = notification.audience.map { "\($0.to)/\($0.why)" }
        add("audience", audience.isEmpty ? nil : audience.joined(separator: " "))
        add("programme", notification.programme)
        add("level", notification.level)
        if let isProtected = notification.isProtected { event["protected"] = .bool(isProtected) }
        add("secrecy", notification.secrecy)
        let circumstances = notification.circumstances.joined(separator: " ")
        add("circumstances", circumstances.isEmpty ? nil : circumstances)
        let affirmations = notification.affirmations.map { "\($0.name)/\($0.person.text)/\($0.at.rfc3339)" }
        add("affirmations", affirmations.isEmpty ? nil : affirmations.joined(separator: " "))
        add("consent", notification.consent)
        add("consentof", notification.consentOf)
        add("supersedes", notification.supersedes?.text)
        add("correlationid", notification.correlationid)
        add("causationid", notification.causationid)
    }

    private static func value(of kind: FieldKind, policy: Policy, _ notification: CaseNotification) -> JSONValue {
        let catalogue = policy.catalogue
        switch kind {
        case .code(let list): return .string(catalogue.codeLists[list]?.min() ?? "")
        case .codes(let list): return .array((catalogue.codeLists[list] ?? []).sorted().prefix(1).map { .string($0) })
        case .flag: return false
        case .timestamp: return .string(notification.time.rfc3339)
        case .reference: return "ref-1"
        case .text(let maxBytes): return .string(String("Example.".prefix(maxBytes)))
        case .personnummer: return .string(testNumber)
        case .integer: return 1
        case .municipality:
            return .string(notification.municipality ?? policy.municipalities.keys.min() ?? "\(policy.county)00")
        }
    }
}
