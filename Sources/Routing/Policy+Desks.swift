package import CaseNotifications

/// Where within a party something goes at an instant.
package struct DeskChoice: Sendable, Equatable {
    /// The desk: one of the party's own, or of the agent.
    package let desk: DeskID
    /// The on-call desk's own party, when that acts for the board.
    package let agent: PartyID?
    /// Whether somebody is there now.
    package let isStaffed: Bool
    /// When it opens, for what waits until then.
    package let notBefore: Timestamp?
    /// Until when the choice is the same.
    package let until: Timestamp
    /// Why.
    let reason: Reason
}

extension DeskChoice {
    /// The same for what is still a former party's: its successor acts for it.
    fileprivate func inherited(by successor: PartyID, from former: Party) -> DeskChoice {
        DeskChoice(
            desk: desk, agent: agent ?? successor, isStaffed: isStaffed, notBefore: notBefore, until: until,
            reason: Reason(.merged(from: former.id), at: former.merger?.location ?? former.location))
    }
}

extension Policy {
    /// Where within a party a notification of a type and class goes at an instant; nil if the party has no desk for it.
    ///
    /// A fallback party is not looked at: whether it gets the notification is a decision by its own rules.
    package func chooseDesk(
        of party: PartyID, type: EventType, urgency: UrgencyClass, at instant: Timestamp
    ) -> DeskChoice? {
        index.parties[party].flatMap { chooseDesk(ofParty: $0, type: type, urgency: urgency, at: instant) }
    }

    /// Whether somebody is at a desk.
    package func isOpen(_ desk: DeskID, at instant: Timestamp) -> Bool {
        self.desk(desk)?.state(at: instant, zone: zone).isOpen ?? false
    }

    func chooseDesk(
        ofParty place: Int, type: EventType, urgency: UrgencyClass, at instant: Timestamp
    ) -> DeskChoice? {
        if let successor = index.successor(of: place, at: instant) {
            return chooseDesk(ofParty: successor, type: type, urgency: urgency, at: instant)?.inherited(
                by: parties[successor].id, from: parties[place])
        }
        let party = parties[place]
        guard let first = party.desks.first(where: { $0.takes(type) }) else { return nil }
        guard urgencySettings(urgency).desks == .openNow else {
            let state = first.state(at: instant, zone: zone)
            let opens = state.isOpen || state.until == .distantFuture ? nil : state.until
            let kind: Reason.Kind =
                state.isOpen ? .deskOpen(first.id) : opens.map { .held(first.id, until: $0) } ?? .unstaffed(first.id)
            return DeskChoice(
                desk: first.id, agent: nil, isStaffed: state.isOpen, notBefore: opens, until: state.until,
                reason: Reason(kind, at: first.location))
        }
        var until = Timestamp.distantFuture
        for desk in party.desks where desk.takes(type) {
            let state = desk.state(at: instant, zone: zone)
            until = min(until, state.until)
            guard state.isOpen else { continue }
            return DeskChoice(
                desk: desk.id, agent: nil, isStaffed: true, notBefore: nil, until: until,
                reason: Reason(.deskOpen(desk.id), at: desk.location))
        }
        // An on-call desk that has become part of another acts no more: its successor has boards of its own.
        until = min(until, index.nextMerger(after: instant))
        for agent in index.agents[place] ?? [] {
            guard index.successor(of: agent.party, at: instant) == nil else { continue }
            let acts = agent.state(at: instant, zone: zone)
            until = min(until, acts.until)
            guard acts.isOpen else { continue }
            let agency = parties[agent.party]
            for desk in agency.desks where desk.takes(type) {
                let state = desk.state(at: instant, zone: zone)
                until = min(until, state.until)
                guard state.isOpen else { continue }
                return DeskChoice(
                    desk: desk.id, agent: agency.id, isStaffed: true, notBefore: nil, until: until,
                    reason: Reason(.onCall(desk.id, agent: agency.id), at: agency.location))
            }
        }
        return DeskChoice(
            desk: first.id, agent: nil, isStaffed: false, notBefore: nil, until: until,
            reason: Reason(.unstaffed(first.id), at: first.location))
    }
}
