import CaseNotifications
import Relay
import Routing

/// A look through everything unfinished after the policy has changed or a day has passed, some of it in each turn.
struct RightsReview {
    let number: UInt64
    var place = Relay.Place()
    /// Contents that are being read for it: it goes on when all are here.
    var reading = 0
    var held = 0
    var released = 0
    var moved = 0
}

/// What the core remembers of judging rights again.
struct RightsState {
    /// The look through all that waits, while there is one.
    var review: RightsReview?
    /// How many looks there were.
    var reviews: UInt64 = 0
    /// What was in flight, or could not be written, when it was looked at.
    var unjudged: Set<DeliveryID> = []
    /// When those are looked at again: set by the first of them.
    var retryAt: Timestamp?
    /// The day by which the last right was judged.
    var day: Range<Timestamp> = .distantPast ..< .distantPast
    /// The day for which everything that waits was, or is being, looked through.
    var reviewedDay: Range<Timestamp> = .distantPast ..< .distantPast

    /// When there is something to look at again; nil before the first look.
    var due: Timestamp? {
        let midnight = reviewedDay.upperBound == .distantPast ? nil : reviewedDay.upperBound
        return [midnight, unjudged.isEmpty ? nil : retryAt].compactMap(\.self).min()
    }
}

/// Whether what was decided under an older policy may still leave (design.md sections 5, 6 and 9).
///
/// A delivery is decided once, when its notification is accepted. When another policy goes into force, and when a day has
/// passed, since rights end with days, its right is judged again by the rules of now: in the background for all that
/// waits, so that senders and administrators are told, and once more when it leaves. It never leaves with more than
/// either of the two decisions gives.
extension RelayCore {
    /// Notifications that one turn of the loop looks at.
    static let reviewedPerTurn = 256

    // MARK: When something leaves

    /// A delivery as it may leave now; nil when nothing may. Then it is held or has moved, or could not be for want of space.
    ///
    /// What is in custody has left: people see it as it was decided. What was set aside lies where people decide about it:
    /// it is not held, only not shown.
    func permitted(_ facts: DeliveryFacts, _ content: StoredContent) -> DeliveryFacts? {
        guard facts.transport == .waiting || facts.transport == .setAside, mustJudge(facts.id) else {
            return facts.transport == .held ? nil : facts
        }
        if facts.transport == .waiting, move(facts.id) { return nil }
        switch right(of: facts, content) {
        case .ended(let code):
            if facts.transport == .waiting { hold(facts.id, code) }
            return nil
        case .holds(let attributes, let fields):
            var facts = facts
            facts.shape = facts.shape.narrowed(to: attributes, fields)
            return facts
        }
    }

    /// Holds, releases or moves a delivery that waits, if the rules of now are to be asked.
    func judge(_ delivery: DeliveryID, _ content: StoredContent) {
        switch relay.delivery(delivery)?.transport {
        case .waiting where mustJudge(delivery):
            _ = move(delivery)
            settle(delivery, content)
        // It has left; whose people go on seeing it is another matter.
        case .custody where mustJudge(delivery): _ = move(delivery)
        case .held: settle(delivery, content)
        default: break
        }
    }

    /// Whether a decision is of another policy or of another day than today's.
    private func mustJudge(_ delivery: DeliveryID) -> Bool {
        let notification = delivery.notification
        return relay.policy(of: notification) != policy.digest || !today.contains(notification.time)
    }

    /// The day of now, in the policy's local time.
    private var today: Range<Timestamp> {
        let now = clock.now
        if rights.day.contains(now) { return rights.day }
        rights.day = policy.day(of: now)
        return rights.day
    }

    private func right(of facts: DeliveryFacts, _ content: StoredContent) -> Right {
        // No rule of now can be about a type that the catalogue of now does not have.
        if let type = relay.notification(facts.id.notification)?.type, policy.catalogue.types[type] == nil {
            return .ended(.schema)
        }
        // It was accepted; that it cannot be read by the form of now must hide it from nobody.
        guard let notification = try? decoder.decode(content.body, of: .stored) else {
            return .holds(attributes: facts.shape.attributes, fields: facts.shape.fields)
        }
        return policy.right(
            of: facts.party, to: notification, acceptedAt: facts.id.notification.time, at: clock.now)
    }

    // MARK: Held, released, moved

    /// Holds or releases a delivery as the rules of now say.
    func settle(_ delivery: DeliveryID, _ content: StoredContent) {
        guard let facts = relay.delivery(delivery) else { return }
        switch (facts.transport, right(of: facts, content)) {
        case (.waiting, .ended(let code)): hold(delivery, code)
        case (.held, .holds): release(delivery)
        default: break
        }
    }

    private func hold(_ delivery: DeliveryID, _ code: RefusalCode) {
        guard let answer = perform(.hold(delivery, code: code), answers: { _ in [] }) else {
            // No space even for that: it waits where it is and is judged again before it leaves.
            return judgeLater(delivery)
        }
        rights.unjudged.remove(delivery)
        guard case .done = answer else { return }
        rights.review?.held += 1
        log.write(.deliveryHeld(delivery: delivery.text, code: code))
    }

    private func release(_ delivery: DeliveryID) {
        guard let answer = perform(.release(delivery), answers: { _ in [] }) else { return judgeLater(delivery) }
        rights.unjudged.remove(delivery)
        if case .done = answer { rights.review?.released += 1 }
    }

    /// Moves a delivery whose desk is no longer its party's or its agent's, or whose party has become part of another, which
    /// then acts for it; false where it may stay.
    private func move(_ delivery: DeliveryID) -> Bool {
        guard let facts = relay.delivery(delivery), let type = relay.notification(delivery.notification)?.type else {
            return false
        }
        let now = clock.now
        guard !policy.mayLie(at: facts.desk, of: facts.party, agent: facts.agent, when: now),
            let choice = policy.chooseDesk(of: facts.party, type: type, urgency: facts.urgency, at: now),
            choice.desk != facts.desk || choice.agent != facts.agent
        else { return false }
        let place = DeliveryPlace(party: facts.party, desk: choice.desk, agent: choice.agent)
        guard let answer = perform(.move(delivery, to: place), answers: { _ in [] }) else {
            judgeLater(delivery)
            return true
        }
        rights.unjudged.remove(delivery)
        if case .done = answer { rights.review?.moved += 1 }
        return true
    }

    // MARK: The look through all

    /// Begins to look through everything unfinished, from the start.
    func beginReview() {
        rights.unjudged.removeAll()
        rights.reviews += 1
        rights.review = RightsReview(number: rights.reviews)
        rights.day = policy.day(of: clock.now)
        rights.reviewedDay = rights.day
        pumpSoon()
    }

    /// What was in flight, or could not be written or read, is looked at again after a moment.
    func judgeLater(_ delivery: DeliveryID) {
        if rights.unjudged.isEmpty {
            rights.retryAt = clock.now.advanced(bySeconds: Self.retrySeconds)
            pumpSoon()
        }
        rights.unjudged.insert(delivery)
    }

    /// After a while: what was in flight or could not be written when it was looked at, and everything after midnight.
    ///
    /// Afterwards the next time lies ahead: what stays to be judged is put off anew.
    func reviewWhatIsDue() {
        guard let due = rights.due, due <= clock.now else { return }
        if !rights.reviewedDay.contains(clock.now) { return beginReview() }
        let again = rights.unjudged
        rights.unjudged.removeAll()
        for delivery in again.sorted() {
            guard let policy = relay.policy(of: delivery.notification), let facts = relay.delivery(delivery) else {
                continue
            }
            look(at: Relay.Unfinished(delivery: delivery, policy: policy, transport: facts.transport))
        }
        pumpSoon()
    }

    /// One turn's part of a look through all.
    func goOnReviewing() {
        guard var current = rights.review, current.reading == 0 else { return }
        guard let found = relay.unfinished(from: &current.place, limit: Self.reviewedPerTurn) else {
            rights.review = nil
            if current.held + current.released + current.moved > 0 {
                log.write(
                    .rightsReviewed(
                        collaboration: collaboration, held: current.held, released: current.released,
                        moved: current.moved))
            }
            return
        }
        rights.review = current
        for one in found { look(at: one) }
        pumpSoon()
    }

    private func look(at one: Relay.Unfinished) {
        _ = move(one.delivery)
        guard one.transport == .waiting || one.transport == .held else { return }
        // A station has it: its ACK is custody. If it comes back it is judged then.
        if dispatch.isInFlight(one.delivery) {
            return judgeLater(one.delivery)
        }
        guard mustJudge(one.delivery) else {
            if one.transport == .held { release(one.delivery) }
            return
        }
        if let content = contents.cached(one.delivery.notification) { return settle(one.delivery, content) }
        guard relay.contentState(of: one.delivery.notification) == .stored else { return }
        let number = rights.review?.number
        rights.review?.reading += 1
        read(
            one.delivery.notification,
            for: .judging(one.delivery) { core in
                if core.rights.review?.number == number { core.rights.review?.reading -= 1 }
                core.pumpSoon()
            })
    }
}
