import CaseNotifications
import Relay
import Routing

/// Puts together one JSON object of an answer: `schema` first, `now` second, absent members left out.
struct AnswerObject {
    private var object = JSONObject()

    /// An answer of its own.
    init(schema: String, now: Timestamp) {
        object["schema"] = .string("budkavle.\(schema)/1")
        object["now"] = .string(now.rfc3339)
    }

    /// A part of an answer.
    init() {}

    /// Sets `name`, or leaves it out if there is no value.
    mutating func set(_ name: String, _ value: JSONValue?) {
        if let value { object[name] = value }
    }
    mutating func set(_ name: String, _ text: String?) { set(name, text.map { .string($0) }) }
    mutating func set(_ name: String, _ time: Timestamp?) { set(name, time?.rfc3339) }
    mutating func set(_ name: String, _ number: Int) { set(name, .integer(Int64(number))) }
    mutating func set(_ name: String, _ flag: Bool) { set(name, .bool(flag)) }
    mutating func set(_ name: String, _ texts: [String]) { set(name, .array(texts.map { .string($0) })) }

    /// The object as a value.
    var value: JSONValue { .object(object) }
}

extension RelayCore {
    /// Labels of the types that occur in an answer, in both languages, sorted by type.
    func labels(of types: some Sequence<EventType>) -> JSONValue {
        var object = JSONObject()
        for type in Set(types).sorted() {
            guard let labels = policy.typeDefinition(type)?.labels else { continue }
            object[type.text] = Self.labels(labels)
        }
        return .object(object)
    }

    static func labels(_ labels: [String: String]) -> JSONValue {
        var object = JSONObject()
        for language in labels.keys.sorted() { object[language] = labels[language].map { .string($0) } }
        return .object(object)
    }

    /// One delivery at a desk as a list shows it: never content, case or person.
    func item(_ item: InboxItem) -> JSONValue {
        let notification = item.notification
        let delivery = item.delivery
        let attributes = delivery.shape.attributes
        var answer = AnswerObject()
        answer.set("notification", notification.id.text)
        answer.set("urgency", notification.urgency.text)
        answer.set("type", notification.type.text)
        answer.set("party", delivery.party.text)
        answer.set("desk", delivery.desk.text)
        answer.set("source", notification.source.text)
        if attributes.contains("municipality") { answer.set("municipality", notification.municipality) }
        answer.set("received", notification.acceptedAt)
        answer.set("acknowledgeby", delivery.acknowledgeBy)
        answer.set("state", notification.content == .erased ? "erased" : Self.state(of: delivery))
        if delivery.work == .handedOver { answer.set("handedto", delivery.workRole ?? delivery.desk.text) }
        if delivery.transport == .setAside { answer.set("setaside", true) }
        answer.set("drill", notification.isDrill)
        return answer.value
    }

    private static func state(of delivery: DeliveryFacts) -> String {
        if delivery.work == .handedOver { return "handed-over" }
        if delivery.openedAt != nil { return "opened" }
        return delivery.transport == .custody ? "custody" : "waiting"
    }
}
