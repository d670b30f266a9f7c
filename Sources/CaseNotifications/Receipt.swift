/// What the relay tells a sender about one of its notifications: a CloudEvent of type `se.budkavle.relay.receipt.v1`.
///
/// It names party and role, never the person, and never a list of recipients (protocol.md, "Receipts").
package struct Receipt: Sendable, Equatable {
    /// The CloudEvents type of a receipt.
    package static let eventType = "se.budkavle.relay.receipt.v1"
    /// The CloudEvents source of a receipt.
    package static let eventSource = "urn:budkavle:relay"

    /// The notification, by the relay's id.
    package var notification: NotificationID
    /// The party that sent it.
    package var source: PartyID
    /// The sender's own id of it.
    package var id: String
    /// The digest of the body as received.
    package var digest: Digest
    /// The digest of the policy by which it was judged, in hexadecimal.
    package var policy: String
    /// What has happened.
    package var event: ReceiptEvent
    /// The party that it is about; nil for `accepted`.
    package var party: PartyID?
    /// The desk at that party, where one is concerned.
    package var desk: DeskID?
    /// The role in which a person there acted.
    package var role: String?
    /// For `acknowledged` only.
    package var outcome: Outcome?
    /// For `escalated` (the step, or `no-station`) and `recalled` (how far it had come).
    package var step: String?
    /// For `refused` only.
    package var reason: RefusalCode?
    /// When it happened, by the relay's clock.
    package var at: Timestamp
    /// `<collaboration>.<sequence>`.
    package var position: String
    /// What proves offline that the relay's log holds the record at `position`; nil when the relay gave none.
    package var proof: ReceiptProof?

    /// A receipt.
    package init(
        notification: NotificationID, source: PartyID, id: String, digest: Digest, policy: String,
        event: ReceiptEvent, party: PartyID? = nil, desk: DeskID? = nil, role: String? = nil,
        outcome: Outcome? = nil, step: String? = nil, reason: RefusalCode? = nil, at: Timestamp, position: String,
        proof: ReceiptProof? = nil
    ) {
        self.notification = notification
        self.source = source
        self.id = id
        self.digest = digest
        self.policy = policy
        self.event = event
        self.party = party
        self.desk = desk
        self.role = role
        self.outcome = outcome
        self.step = step
        self.reason = reason
        self.at = at
        self.position = position
        self.proof = proof
    }
}
