/// What the relay adds to a recipient's copy.
package struct DeliveryAttributes: Sendable, Equatable {
    /// The opaque id of the rule that it rests on.
    package var rule: String
    /// `duty` or `may`.
    package var effect: String
    /// The secrecy marking (OSL 5:5): provision, date, authority.
    package var marking: String
    /// When a person must have acknowledged it; nil if nobody must.
    package var acknowledgeby: Timestamp?
    /// The digest of the policy.
    package var policy: String
    /// The class by which it is delivered, in place of the sender's.
    package var urgency: UrgencyClass
    /// Whether it is a drill; the copy says so only then.
    package var drill: Bool

    /// The attributes of one delivery.
    package init(
        rule: String, effect: String, marking: String, acknowledgeby: Timestamp?, policy: String,
        urgency: UrgencyClass, drill: Bool
    ) {
        self.rule = rule
        self.effect = effect
        self.marking = marking
        self.acknowledgeby = acknowledgeby
        self.policy = policy
        self.urgency = urgency
        self.drill = drill
    }
}
