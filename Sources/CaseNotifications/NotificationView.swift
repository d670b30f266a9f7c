/// A recipient's copy of a notification: JSON cut from the stored body, never encoded anew, plus what the relay adds.
package enum NotificationView {
    /// Attributes that are in every copy.
    package static let always = ["specversion", "id", "source", "type", "time", "subject"]
    /// Attributes that are in no copy, whatever a rule lists.
    package static let never: Set<String> = ["audience"]

    /// The copy.
    ///
    /// Values of attributes and fields are the sender's bytes. `urgency` and `drill` are the delivery's, not the sender's.
    /// `data` is left out if it would be empty.
    /// - Parameters:
    ///   - attributes: the envelope attributes that the recipient's rule lists, beyond those that are in every copy.
    ///   - fields: the members of `data` that it lists.
    package static func render(
        _ notification: CaseNotification, attributes: [String], fields: [String], delivery: DeliveryAttributes
    ) -> [UInt8] {
        render(StoredContent(notification), attributes: attributes, fields: fields, delivery: delivery)
    }

    /// The copy of content that was read back from the journal.
    package static func render(
        _ notification: StoredContent, attributes: [String], fields: [String], delivery: DeliveryAttributes
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.reserve(notification.body.count + 256)
        writer.beginObject()
        for member in notification.attributes where isShown(member.name, allowed: attributes) {
            writer.name(member.name)
            writer.raw(notification.body[member.value])
        }
        writer.member("rule", delivery.rule)
        writer.member("effect", delivery.effect)
        if !delivery.marking.isEmpty { writer.member("marking", delivery.marking) }
        writer.member("acknowledgeby", delivery.acknowledgeby?.rfc3339)
        writer.member("policy", delivery.policy)
        writer.member("urgency", delivery.urgency.text)
        if delivery.drill {
            writer.name("drill")
            writer.bool(true)
        }
        let shown = notification.fields.filter { fields.contains($0.name) }
        if !shown.isEmpty {
            writer.name("data")
            writer.beginObject()
            for member in shown {
                writer.name(member.name)
                writer.raw(notification.body[member.value])
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    private static func isShown(_ name: String, allowed: [String]) -> Bool {
        if always.contains(name) { return true }
        // What the relay decides on delivery is written once, from the delivery.
        return allowed.contains(name) && !never.contains(name) && name != "urgency" && name != "drill"
    }
}
