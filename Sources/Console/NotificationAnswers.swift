import CaseNotifications

/// The answer to `/queries/notification`: the only one with content.
package struct NotificationAnswer: Equatable, Sendable {
    static let schema = "budkavle.notification/1"

    let now: Timestamp
    let item: ListItem
    let opened: Timestamp
    let event: JSONObject
    let labels: LabelTable
    let fieldLabels: LabelTable
    /// By `field/code`.
    let codeLabels: LabelTable

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        item = try ListItem(try reader.object("item"))
        opened = try reader.time("opened")
        guard let event = reader.value["event"]?.object else { throw reader.fault("event") }
        self.event = event
        labels = try reader.labels("labels")
        fieldLabels = try reader.labels("fieldlabels")
        codeLabels = try reader.labels("codelabels")
    }
}

/// The answer to `/queries/status`.
package struct StatusAnswer: Equatable, Sendable {
    static let schema = "budkavle.status/1"

    struct Step: Equatable, Sendable {
        let event: String
        let at: Timestamp
        let desk: String?
        let role: String?
        let outcome: String?
        let step: String?
        let reason: String?
        /// The party's name then, if it was another than the delivery's.
        var name = PartyName()
    }

    struct Delivery: Equatable, Sendable {
        let party: String
        /// What the party was called when the notification was accepted.
        let name: PartyName
        let desk: String
        let rule: String?
        let state: String
        let outcome: String?
        let acknowledgeBy: Timestamp?
        let steps: [Step]

        /// Whether nothing more is expected of this party.
        package var hasEnded: Bool {
            switch state {
            case "acknowledged": outcome == "taken" || outcome == "already-known"
            case "expired", "recalled": true
            default: false
            }
        }
    }

    struct RefusedParty: Equatable, Sendable {
        let party: String
        let name: PartyName
        let code: String
    }

    let now: Timestamp
    let notification: String
    let type: String
    let urgency: String
    let accepted: Timestamp
    let isDrill: Bool
    let deliveries: [Delivery]
    let refused: [RefusedParty]
    /// Whether nothing more is expected of anybody.
    package let isComplete: Bool
    let labels: LabelTable

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        notification = try reader.text("notification")
        type = try reader.text("type")
        urgency = try reader.text("urgency")
        accepted = try reader.time("accepted")
        isDrill = try reader.optionalFlag("drill")
        deliveries = try reader.objects("deliveries") { (delivery) throws(AnswerFault) in
            Delivery(
                party: try delivery.text("party"), name: try delivery.name("name"), desk: try delivery.text("desk"),
                rule: try delivery.optionalText("rule"), state: try delivery.text("state"),
                outcome: try delivery.optionalText("outcome"),
                acknowledgeBy: try delivery.optionalTime("acknowledgeby"),
                steps: try delivery.objects("steps") { (step) throws(AnswerFault) in
                    Step(
                        event: try step.text("event"), at: try step.time("at"), desk: try step.optionalText("desk"),
                        role: try step.optionalText("role"), outcome: try step.optionalText("outcome"),
                        step: try step.optionalText("step"), reason: try step.optionalText("reason"),
                        name: try step.name("name"))
                })
        }
        refused = try reader.objects("refused") { (party) throws(AnswerFault) in
            RefusedParty(party: try party.text("party"), name: try party.name("name"), code: try party.text("code"))
        }
        isComplete = try reader.flag("complete")
        labels = try reader.labels("labels")
    }
}

/// The answer to `/queries/plan`: what would happen if the event were sent.
package struct PlanAnswer: Equatable, Sendable {
    static let schema = "budkavle.plan/1"

    /// One party that would get it.
    package struct Recipient: Equatable, Sendable {
        let party: String
        let desk: String
        let agent: String?
        let rule: String
        let effect: String
        let basis: String
        let acknowledgeBy: Timestamp?
        let fields: [String]
    }

    /// One party that would not, and why.
    package struct RefusedParty: Equatable, Sendable {
        /// The party's id.
        package let party: String
        let code: String
        let basis: String?
        let missing: [String]
    }

    let now: Timestamp
    /// Whether a SEND of the event would be accepted.
    package let isAccepted: Bool
    let code: String?
    let path: String?
    let type: String
    let urgency: String
    /// Who would get it, by party.
    package let recipients: [Recipient]
    /// Who was named, or owed it, and would not get it.
    package let refused: [RefusedParty]
    let labels: LabelTable

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        let decision = try reader.text("decision")
        guard decision == "accepted" || decision == "refused" else { throw reader.fault("decision") }
        isAccepted = decision == "accepted"
        code = try reader.optionalText("code")
        path = try reader.optionalText("path")
        type = try reader.text("type")
        urgency = try reader.text("urgency")
        recipients = try reader.objects("recipients") { (recipient) throws(AnswerFault) in
            Recipient(
                party: try recipient.text("party"), desk: try recipient.text("desk"),
                agent: try recipient.optionalText("agent"), rule: try recipient.text("rule"),
                effect: try recipient.text("effect"), basis: try recipient.text("basis"),
                acknowledgeBy: try recipient.optionalTime("acknowledgeby"), fields: try recipient.texts("fields"))
        }
        refused = try reader.objects("refused") { (party) throws(AnswerFault) in
            RefusedParty(
                party: try party.text("party"), code: try party.text("code"),
                basis: try party.optionalText("basis"), missing: try party.texts("missing"))
        }
        labels = try reader.labels("labels")
    }
}
