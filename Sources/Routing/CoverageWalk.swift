import CaseNotifications

/// Goes through one stretch of time from change to change and looks who is there.
struct CoverageWalk {
    /// So much is looked at before the rest counts as a gap.
    struct Limits {
        /// Changes of one desk, or of one municipality and type.
        var changes = 20_000
        /// Decisions, made where desks alone do not tell.
        var decisions = 100_000
    }

    let policy: Policy
    let limits: Limits
    let start: Timestamp
    let end: Timestamp
    /// Whether a limit was reached.
    private(set) var isCut = false
    /// Where at some hour only an agreement is wanting.
    private(set) var withoutAgreement: Set<CoverageCell> = []
    private var decisions = 0
    private var timelines: [TimelineKey: [Stretch]] = [:]
    private var senders: [RuleID: [Int]] = [:]
    /// By party, of the municipality and type that are being looked at.
    private var standings: [Int: (standing: Standing, end: Timestamp)] = [:]

    /// A party with the desks, its own and its agents', that take a type: types with the same desks have the same hours.
    private struct TimelineKey: Hashable {
        let party: Int
        let desks: [DeskID]
    }

    private struct Stretch {
        let end: Timestamp
        let isStaffed: Bool
    }

    /// One of these should answer.
    private struct Responsible {
        /// Each with the rules that can reach it.
        var parties: [(place: Int, rules: [Rule])]
        let until: Timestamp
    }

    private enum Verdict {
        case covered, uncovered, unknown
        /// Nobody can send such an event there.
        case notReached
        /// Whoever sends it, the rules that mean somebody there refuse it; for want of an agreement alone, where one would do.
        /// Never empty.
        case refused([UncoveredHours.Reason])
    }

    /// What the rules say of a party, whoever is at its desks.
    private enum Standing {
        /// Some sender's event gets there.
        case granted
        /// Nobody can send such an event.
        case notSent
        /// Whoever sends it, it does not get there.
        case refused(UncoveredHours.Reason)
        /// Too much was looked at.
        case unknown
    }

    init(policy: Policy, start: Timestamp, end: Timestamp, limits: Limits = Limits()) {
        self.policy = policy
        self.limits = limits
        self.start = start
        self.end = end
    }

    /// When nobody answers for a municipality's events of a type.
    mutating func gaps(municipality: String, type: EventType, urgency: UrgencyClass) -> [UncoveredHours] {
        var gaps: [UncoveredHours] = []
        var instant = start
        var changes = 0
        standings = [:]
        while instant < end {
            let responsible = responsible(municipality: municipality, type: type, at: instant)
            var until = min(responsible.until, end)
            var verdict = Verdict.uncovered
            changes += 1
            if changes > limits.changes {
                (verdict, until, isCut) = (.unknown, end, true)
            } else if responsible.parties.isEmpty {
                // A type that is only raised to its class and that nobody gets is no matter of hours.
                if policy.catalogue.types[type]?.urgency != urgency || urgency != .u1 { verdict = .notReached }
            } else {
                (verdict, until) = look(
                    responsible, municipality: municipality, type: type, urgency: urgency, at: instant, until: until)
            }
            if case .refused(let refusals) = verdict, Self.isAgreement(refusals[0]) {
                withoutAgreement.insert(CoverageCell(municipality: municipality, type: type))
            }
            if isGap(verdict, urgency) {
                let gap = gap(
                    responsible, municipality: municipality, type: type, urgency: urgency, from: instant, to: until,
                    verdict)
                if let last = gaps.last, last.end == instant, last.parties == gap.parties,
                    last.isSigned == gap.isSigned, last.lacksAgreement == gap.lacksAgreement
                {
                    gaps[gaps.count - 1].end = until
                } else {
                    gaps.append(gap)
                }
            }
            instant = until
        }
        return gaps
    }

    private func isGap(_ verdict: Verdict, _ urgency: UrgencyClass) -> Bool {
        switch verdict {
        case .covered, .notReached: false
        case .uncovered, .unknown: true
        case .refused: urgency == .u1
        }
    }

    // MARK: Who should answer

    /// The municipality's boards, where a rule can reach one, else everybody whom a rule can reach.
    private mutating func responsible(municipality: String, type: EventType, at instant: Timestamp) -> Responsible {
        var until = policy.index.nextMerger(after: instant)
        var rules: [Rule] = []
        for place in policy.index.deliveringRules[type] ?? [] {
            let rule = policy.rules[place]
            guard let basis = rule.basis.flatMap({ policy.bases[$0] }) else { continue }
            until = min(
                until, rule.validity.nextChange(after: instant), basis.validity.nextChange(after: instant))
            guard rule.validity.contains(instant), basis.validity.contains(instant) else { continue }
            rules.append(rule)
        }
        var found: [(place: Int, rules: [Rule])] = []
        for place in policy.index.receivers where policy.index.successor(of: place, at: instant) == nil {
            let reaching = rules.filter { rule in
                policy.canReach(rule, party: place, type: type, municipality: municipality)
                    && senders(of: rule).contains { sender in
                        sender != place && isActive(rule, from: sender, to: place)
                    }
            }
            if !reaching.isEmpty { found.append((place, reaching)) }
        }
        let boards = found.filter { policy.parties[$0.place].kind == .socialServices }
        return Responsible(parties: boards.isEmpty ? found : boards, until: until)
    }

    private func isActive(_ rule: Rule, from sender: Int, to recipient: Int) -> Bool {
        let (sender, recipient) = (policy.parties[sender].id, policy.parties[recipient].id)
        return policy.inactive.missing(rule.id, from: sender).isEmpty
            && policy.inactive.missing(rule.id, from: sender, to: recipient).isEmpty
    }

    private mutating func senders(of rule: Rule) -> [Int] {
        if let known = senders[rule.id] { return known }
        let found = policy.senders(of: rule)
        senders[rule.id] = found
        return found
    }

    // MARK: Who is there

    private mutating func look(
        _ responsible: Responsible, municipality: String, type: EventType, urgency: UrgencyClass, at instant: Timestamp,
        until limit: Timestamp
    ) -> (Verdict, Timestamp) {
        var until = limit
        var reached: [(place: Int, rules: [Rule])] = []
        var refusals: [UncoveredHours.Reason] = []
        for (place, rules) in responsible.parties {
            let known = standing(
                of: place, by: rules, municipality: municipality, type: type, urgency: urgency, at: instant,
                until: limit)
            until = min(until, known.end)
            switch known.standing {
            case .granted:
                let stretch = stretch(of: place, type: type, urgency: urgency, at: instant)
                if stretch.isStaffed { return (.covered, min(limit, stretch.end, known.end)) }
                until = min(until, stretch.end)
                reached.append((place, rules))
            case .refused(let reason): refusals.append(reason)
            case .notSent: break
            case .unknown: return (.unknown, until)
            }
        }
        guard !reached.isEmpty else {
            return (refusals.isEmpty ? .notReached : .refused(Self.nearest(refusals)), until)
        }
        // Nobody is at the desks: a fallback may be, and whether it may have the event is a decision of its own.
        var verdict = Verdict.notReached
        for (place, rules) in reached {
            for rule in rules {
                for sender in senders(of: rule) where sender != place {
                    guard decisions < limits.decisions else {
                        isCut = true
                        return (.unknown, until)
                    }
                    guard
                        let witness = policy.witness(
                            of: rule, type: type, from: sender, to: place, municipality: municipality,
                            urgency: urgency, at: instant)
                    else { continue }
                    decisions += 1
                    let decision = policy.decide(witness: witness, at: instant)
                    until = min(until, decision.until)
                    switch (self.verdict(decision, party: policy.parties[place].id), verdict) {
                    case (.uncovered, _): verdict = .uncovered
                    case (.covered, .notReached): verdict = .covered
                    default: break
                    }
                }
            }
        }
        return (verdict, until)
    }

    /// Whether the rules let a party have an event of the kind from anybody at all, and until when that holds.
    private mutating func standing(
        of place: Int, by rules: [Rule], municipality: String, type: EventType, urgency: UrgencyClass,
        at instant: Timestamp, until limit: Timestamp
    ) -> (standing: Standing, end: Timestamp) {
        if let known = standings[place], instant < known.end { return known }
        var end = limit
        var codes: Set<RefusalCode> = []
        for rule in rules {
            for sender in senders(of: rule) where sender != place {
                // Where nobody can send there is nothing to miss.
                guard !rule.from.servesMunicipality || policy.parties[sender].serves(municipality) else { continue }
                guard
                    let witness = policy.witness(
                        of: rule, type: type, from: sender, to: place, municipality: municipality, urgency: urgency,
                        at: instant)
                else {
                    // The rule's basis lifts no secrecy that the sender may state.
                    codes.insert(.noRule)
                    continue
                }
                guard decisions < limits.decisions else {
                    isCut = true
                    return (.unknown, end)
                }
                decisions += 1
                let (code, until) = policy.refusal(of: place, for: witness, at: instant)
                guard let code else {
                    let granted = (Standing.granted, min(limit, until))
                    standings[place] = granted
                    return granted
                }
                codes.insert(code)
                end = min(end, until)
            }
        }
        let party = policy.parties[place].id
        var standing = Standing.notSent
        if codes.contains(.noAgreement) || codes.contains(.agreementExpired) {
            standing = .refused(.noAgreement(party))
        } else if let code = codes.min(by: {
            (Deciding.usefulness($0), $0.rawValue) < (Deciding.usefulness($1), $1.rawValue)
        }) {
            standing = .refused(.refused(party, code))
        }
        standings[place] = (standing, end)
        return (standing, end)
    }

    /// What a decision means for a party whose own desks and agents nobody is at.
    private func verdict(_ decision: Decision, party: PartyID) -> Verdict {
        for grant in decision.grants where grant.isStaffed && isManned(grant.desk) {
            if grant.insteadOf == party { return .covered }
            if grant.reasons.contains(where: { $0.kind == .fallback(for: party) }) { return .covered }
        }
        return decision.grants.contains { $0.party == party || $0.insteadOf == party } ? .uncovered : .notReached
    }

    private func isManned(_ desk: DeskID) -> Bool {
        !policy.stations(of: desk).isEmpty || !policy.people(at: desk).isEmpty
    }

    private mutating func stretch(
        of place: Int, type: EventType, urgency: UrgencyClass, at instant: Timestamp
    ) -> Stretch {
        let agents = policy.index.agents[place] ?? []
        let desks = (policy.parties[place].desks + agents.flatMap { policy.parties[$0.party].desks })
            .filter { $0.takes(type) }.map(\.id)
        let key = TimelineKey(party: place, desks: desks)
        let timeline: [Stretch]
        if let known = timelines[key] {
            timeline = known
        } else {
            timeline = self.timeline(of: place, type: type, urgency: urgency)
            timelines[key] = timeline
        }
        return timeline.first { instant < $0.end } ?? Stretch(end: end, isStaffed: false)
    }

    private mutating func timeline(of place: Int, type: EventType, urgency: UrgencyClass) -> [Stretch] {
        var timeline: [Stretch] = []
        var instant = start
        var changes = 0
        while instant < end {
            changes += 1
            guard changes <= limits.changes,
                let choice = policy.chooseDesk(ofParty: place, type: type, urgency: urgency, at: instant)
            else {
                isCut = isCut || changes > limits.changes
                timeline.append(Stretch(end: end, isStaffed: false))
                break
            }
            let until = min(choice.until, policy.index.nextMerger(after: instant), end)
            let isStaffed = choice.isStaffed && isManned(choice.desk)
            if let last = timeline.last, last.isStaffed == isStaffed {
                timeline[timeline.count - 1] = Stretch(end: until, isStaffed: isStaffed)
            } else {
                timeline.append(Stretch(end: until, isStaffed: isStaffed))
            }
            instant = until
        }
        return timeline
    }

    // MARK: Why nobody is

    private func gap(
        _ responsible: Responsible, municipality: String, type: EventType, urgency: UrgencyClass, from start: Timestamp,
        to end: Timestamp, _ verdict: Verdict
    ) -> UncoveredHours {
        let places = responsible.parties.map(\.place).sorted()
        let reasons: [UncoveredHours.Reason] =
            switch verdict {
            case .unknown: [.notLookedAt]
            case .refused(let refusals): refusals
            case _ where places.isEmpty: [.noRule]
            default: places.flatMap { self.reasons(at: $0, type: type, at: start) }
            }
        let boards = policy.index.receivers.filter {
            policy.parties[$0].kind == .socialServices && policy.parties[$0].serves(municipality)
        }
        let isSigned = Set(places + boards).contains { place in
            policy.parties[place].hasSignedGap(municipality: municipality, type: type, from: start, to: end)
        }
        return UncoveredHours(
            municipality: municipality, types: [type], urgency: urgency,
            parties: places.map { policy.parties[$0].id }, start: start, end: end, reasons: reasons, isSigned: isSigned,
            mode: policy.mode)
    }

    /// Where an agreement would do, it is the agreement that is wanting.
    private static func nearest(_ refusals: [UncoveredHours.Reason]) -> [UncoveredHours.Reason] {
        let lacking = refusals.filter(isAgreement)
        return lacking.isEmpty ? refusals : lacking
    }

    private static func isAgreement(_ reason: UncoveredHours.Reason) -> Bool {
        if case .noAgreement = reason { true } else { false }
    }

    private func reasons(at place: Int, type: EventType, at instant: Timestamp) -> [UncoveredHours.Reason] {
        let party = policy.parties[place]
        var reasons = self.reasons(ofDesksOf: party, type: type, at: instant)
        let agents = policy.index.agents[place] ?? []
        if agents.isEmpty, party.kind == .socialServices { reasons.append(.noAgent(party.id)) }
        for agent in agents {
            let isMerged = policy.index.successor(of: agent.party, at: instant) != nil
            if !isMerged, agent.state(at: instant, zone: policy.zone).isOpen {
                reasons += self.reasons(ofDesksOf: policy.parties[agent.party], type: type, at: instant)
            } else {
                reasons.append(.agentOffDuty(policy.parties[agent.party].id))
            }
        }
        reasons.append(party.fallback.map { .fallbackCannot($0) } ?? .noFallback(party.id))
        return reasons
    }

    private func reasons(ofDesksOf party: Party, type: EventType, at instant: Timestamp) -> [UncoveredHours.Reason] {
        let desks = party.desks.filter { $0.takes(type) }
        if desks.isEmpty { return [.noDesk(party.id)] }
        return desks.map { desk in
            if !isManned(desk.id) { return .nobodyWorks(desk.id) }
            let isOpen = desk.calendar.state(at: instant, zone: policy.zone).isOpen
            return isOpen && desk.hasRoster ? .emptyRoster(desk.id) : .closed(desk.id)
        }
    }
}
