package import CaseNotifications

/// What a class of urgency means here, as `collaboration.yaml` says.
package struct UrgencySettings: Sendable {
    /// How its deadline is found.
    package enum Acknowledgement: Hashable, Sendable {
        /// So many seconds of real time.
        case within(seconds: Int64)
        /// The end of the next working day.
        case nextWorkingDay
        /// Nobody needs to acknowledge.
        case none
    }

    /// Which desks it may go to.
    package enum Desks: String, CaseIterable, Hashable, Sendable {
        /// One that is open now: the party's own, an on-call desk, the fallback party's.
        case openNow = "open-now"
        /// The party's own, where it waits until that opens.
        case own
    }

    /// Its name.
    package let labels: Labels
    /// How its deadline is found.
    package let acknowledgement: Acknowledgement
    /// Which desks it may go to.
    package let desks: Desks
    /// Who is told when nobody acknowledges, by time.
    package let escalation: [EscalationStep]
}

/// One rung of the ladder that a delivery climbs while nobody acknowledges it.
package struct EscalationStep: Hashable, Sendable {
    /// Who is told.
    package enum Step: String, CaseIterable, Hashable, Sendable {
        case nextPerson = "next-person"
        case dutyManager = "duty-manager"
        case sender, coordinator
    }

    /// Seconds after acceptance.
    package let afterSeconds: Int64
    /// Who is told.
    package let step: Step
}

/// How long content stays, in seconds of the relay's clock.
package struct ContentTimes: Hashable, Sendable {
    /// After the last act that finished every delivery.
    package var afterAcknowledgement: Int64
    /// After the last deadline of a delivery that is not finished; after acceptance where there is none.
    package var unacknowledged: Int64

    /// Both times.
    package init(afterAcknowledgement: Int64, unacknowledged: Int64) {
        (self.afterAcknowledgement, self.unacknowledged) = (afterAcknowledgement, unacknowledged)
    }
}

/// How long the relay keeps content.
package struct RetentionSettings: Hashable, Sendable {
    /// Seconds for which what was acknowledged stays at least.
    static let leastAfterAcknowledgement: Int64 = 3_600

    /// What nobody has acknowledged stays a day at least, and until the last step of any class's escalation.
    static func leastUnacknowledged(_ urgency: [UrgencySettings]) -> Int64 {
        urgency.flatMap(\.escalation).map(\.afterSeconds).reduce(86_400, max)
    }

    /// Of types that say nothing of their own.
    package let content: ContentTimes
    /// Of types that do, in `types.yaml`.
    package let byType: [EventType: ContentTimes]

    /// Times for content and for that of some types.
    package init(content: ContentTimes, byType: [EventType: ContentTimes] = [:]) {
        (self.content, self.byType) = (content, byType)
    }

    /// How long content of a type stays; nil for a type that nobody knows any more.
    package func content(of type: EventType?) -> ContentTimes { type.flatMap { byType[$0] } ?? content }

    /// Younger content stays, whatever its type and whatever became of it.
    package var shortestSeconds: Int64 {
        byType.values.reduce(min(content.afterAcknowledgement, content.unacknowledged)) {
            min($0, $1.afterAcknowledgement, $1.unacknowledged)
        }
    }

    /// With the times that types have of their own, each over the collaboration's.
    func with(_ own: [EventType: TypeRetention]) -> RetentionSettings {
        RetentionSettings(
            content: content,
            byType: own.mapValues {
                ContentTimes(
                    afterAcknowledgement: $0.afterAcknowledgement ?? content.afterAcknowledgement,
                    unacknowledged: $0.unacknowledged ?? content.unacknowledged)
            })
    }

    /// Settings that did nothing and are none any more.
    static let removed = [
        "receipts": "receipts can be read for 90 days, whatever stands here; remove this line",
        "duplicates": "duplicates are known for 30 days, whatever stands here; remove this line",
    ]
}

/// What a type says of its own retention, seconds; nil where the collaboration's holds.
struct TypeRetention: Hashable, Sendable {
    var afterAcknowledgement: Int64?
    var unacknowledged: Int64?
}

/// The simulated clock of exercise mode.
package struct ClockSettings: Hashable, Sendable {
    /// What it shows at first.
    package let start: Timestamp
    /// Simulated seconds per second.
    package let speed: Double
}

/// Parties that the sender may name by one word.
package struct PartyGroup: Sendable {
    /// Its id.
    package let id: String
    /// Its name.
    package let labels: Labels
    /// The municipality that it is for.
    package let municipality: String
    /// Its members, sorted.
    package let members: [PartyID]
}
