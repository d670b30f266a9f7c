package import CaseNotifications

/// What the relay would say about one notification that has left memory, from the records on disk.
///
/// It needs the event of the acceptance and then, in their order, every later one whose `body.notifications` holds the
/// id; others are passed over. Until all of them were added it says how things stood then.
package struct HistoricTrail: Sendable {
    /// The notification.
    package let id: NotificationID
    /// A relay in which nothing but this notification ever happened.
    private var relay: Relay
    /// Whether the acceptance was seen.
    package private(set) var isAccepted = false

    /// Nothing is known yet; names mean what they mean in `relay`.
    package init(of id: NotificationID, in relay: Relay) {
        self.id = id
        self.relay = Relay(collaboration: relay.collaboration, settings: relay.settings)
        self.relay.names = relay.names
        self.relay.salt = relay.salt
    }

    /// Takes the record with this number. One that does not fit (after a loss) is passed over.
    package mutating func add(_ event: Event, number: UInt64) {
        guard number > relay.sequence, event.body.notifications.contains(id) else { return }
        if case .accepted = event.body {
            isAccepted = true
        } else {
            guard isAccepted else { return }
        }
        guard relay.fits(event.body) else { return }
        relay.sequence = number - 1
        relay.apply(event)
    }

    /// The notification without its content; nil before its acceptance was added.
    package var notification: NotificationFacts? { relay.notification(id) }

    /// Its deliveries by ordinal.
    package var deliveries: [DeliveryFacts] { relay.deliveries(of: id) }

    /// Its receipts in their order, as its sender got them.
    package var receipts: [Receipt] { relay.trail(of: id) }

    /// Whether content may be released to this actor (to the person, if it names one).
    package func sight(for actor: Actor) -> Sight { relay.sight(of: id, for: actor) }

    /// What the relay adds to this delivery's copy.
    package func attributes(of delivery: DeliveryID) -> DeliveryAttributes? { relay.attributes(of: delivery) }

    /// The stored answer to an acknowledgement that was carried out before; nil if it was not.
    package func storedAnswer(to acknowledgement: Acknowledgement) -> Answer? {
        relay.repeated(acknowledgement, on: relay.deliveryRows(of: id)).map { .done(sequence: $0) }
    }

    /// The stored answer to an opening that was reported before; nil if it was not.
    package func storedAnswer(to opening: Opening) -> Answer? {
        relay.repeated(opening, on: relay.deliveryRows(of: id)).map { .done(sequence: $0) }
    }
}
