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

/// How long the relay keeps what.
package struct RetentionSettings: Hashable, Sendable {
    /// Content, after the last act that finished every delivery.
    package let contentAfterAcknowledgementSeconds: Int64
    /// Content that somebody has not acknowledged, after the last deadline; after acceptance where there is none.
    package let contentUnacknowledgedSeconds: Int64

    /// Settings that did nothing and are none any more.
    static let removed = [
        "receipts": "receipts can be read for 90 days, whatever stands here; remove this line",
        "duplicates": "duplicates are known for 30 days, whatever stands here; remove this line",
    ]
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
