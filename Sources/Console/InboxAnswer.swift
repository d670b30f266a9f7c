package import CaseNotifications

/// One delivery at a desk, as lists show it: no content, no case, no person.
package struct ListItem: Equatable, Sendable {
    /// The relay's id of it.
    package let notification: String
    let urgency: String
    let type: String
    let party: String
    let desk: String
    let source: String
    let municipality: String?
    let circumstances: [String]
    let received: Timestamp
    let acknowledgeBy: Timestamp?
    let state: String
    let step: Int?
    let handedTo: String?
    let isSetAside: Bool
    let isDrill: Bool

    init(_ reader: AnswerReader) throws(AnswerFault) {
        notification = try reader.text("notification")
        urgency = try reader.text("urgency")
        type = try reader.text("type")
        party = try reader.text("party")
        desk = try reader.text("desk")
        source = try reader.text("source")
        municipality = try reader.optionalText("municipality")
        circumstances = try reader.texts("circumstances")
        received = try reader.time("received")
        acknowledgeBy = try reader.optionalTime("acknowledgeby")
        state = try reader.text("state")
        step = try reader.optionalInteger("step")
        handedTo = try reader.optionalText("handedto")
        isSetAside = try reader.optionalFlag("setaside")
        isDrill = try reader.optionalFlag("drill")
    }

    /// Whether there is nothing to open any more.
    var isErased: Bool { state == "erased" }

    /// Whether a person should have acknowledged it by now.
    package func isOverdue(at now: Timestamp) -> Bool { acknowledgeBy.map { $0 < now } ?? false }
}

/// The answer to `/queries/inbox`.
package struct InboxAnswer: Equatable, Sendable {
    static let schema = "budkavle.inbox/1"

    let now: Timestamp
    let party: String
    /// The desks that were asked for: all of the asker's, unless one was named.
    package let desks: [String]
    /// What waits, in the relay's order.
    package let items: [ListItem]
    let hasMore: Bool
    let labels: LabelTable

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        party = try reader.text("party")
        desks = try reader.texts("desks")
        items = try reader.objects("items") { (item) throws(AnswerFault) in try ListItem(item) }
        hasMore = try reader.optionalFlag("more")
        labels = try reader.labels("labels")
    }

    /// What an id or the end of one stands for, among the items of this inbox and nowhere else.
    package enum Resolution: Equatable, Sendable {
        case one(ListItem)
        case none
        case several(Int)
    }

    /// Finds the item whose id ends in `suffix`, whatever the case of its letters.
    package func resolve(_ suffix: String) -> Resolution {
        let wanted = suffix.uppercased()
        if wanted.isEmpty { return .none }
        let found = items.filter { $0.notification.uppercased().hasSuffix(wanted) }
        // One notification may lie at several desks of the asker; it is one id all the same.
        guard let first = found.first else { return .none }
        let distinct = Set(found.map(\.notification)).count
        return distinct == 1 ? .one(first) : .several(distinct)
    }
}

/// Ends of ids, as long as it takes to tell the listed ones apart: six characters at least.
package struct ShortIDs: Sendable {
    /// Characters that are shown at least.
    package static let shortest = 6
    private let length: Int

    /// Reads the answer; members that are not known are ignored.
    package init(_ ids: some Sequence<String>) {
        let distinct = Array(Set(ids))
        var length = Self.shortest
        while length < 26, Set(distinct.map { $0.suffix(length) }).count < distinct.count { length += 1 }
        self.length = length
    }

    /// The end of an id, as it is shown.
    package func short(_ id: String) -> String { String(id.suffix(length)) }
}

/// One message of `/watch/<desk>`.
package struct WatchAnswer: Equatable, Sendable {
    static let schema = "budkavle.watch/1"

    enum Change: Equatable, Sendable {
        case list([ListItem])
        case new(ListItem)
        /// `delivered`, `opened`, `escalated`, …: whatever the relay calls it.
        case event(name: String, outcome: String?, role: String?, to: String?, step: String?)
    }

    let now: Timestamp
    let desk: String
    let notification: String?
    let urgency: String?
    let change: Change
    let labels: LabelTable

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        desk = try reader.text("desk")
        labels = try reader.labels("labels")
        let event = try reader.text("event")
        switch event {
        case "list":
            change = .list(try reader.objects("items") { (item) throws(AnswerFault) in try ListItem(item) })
            notification = nil
            urgency = nil
        case "new":
            change = .new(try ListItem(try reader.object("item")))
            notification = try reader.text("notification")
            urgency = try reader.optionalText("urgency")
        default:
            change = .event(
                name: event, outcome: try reader.optionalText("outcome"), role: try reader.optionalText("role"),
                to: try reader.optionalText("to"), step: try reader.optionalText("step"))
            notification = try reader.text("notification")
            urgency = try reader.optionalText("urgency")
        }
    }
}
