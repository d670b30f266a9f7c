import CaseNotifications

/// The second half of a decision: what `never` rules take, which desk it goes to, and who is refused.
extension Deciding {
    // MARK: Never

    /// Lets the `never` rules of the type take what they forbid from every outcome.
    mutating func applyNeverRules() {
        // What concerns the sender and the envelope is the same for all of them.
        let rules = (policy.index.neverRules[notification.type] ?? []).filter { place in
            let rule = policy.rules[place]
            return isFromSender(rule.from) && rule.when.firstUnmet(by: notification, affirmed: affirmed) == nil
        }
        guard !rules.isEmpty else { return }
        for place in outcomes.indices { apply(never: rules, toOutcomeAt: place) }
    }

    private mutating func apply(never rules: [Int], toOutcomeAt known: Int) {
        let party = outcomes[known].party
        let roles = named.first { $0.party == party }?.roles
        var redacted: [String] = []
        for place in rules {
            let rule = policy.rules[place]
            guard reaches(rule, party: party, roles: roles) else { continue }
            until = min(until, rule.validity.nextChange(after: instant))
            guard rule.validity.contains(instant) else { continue }
            let view = outcomes[known].grant.map { fields(of: $0.view) } ?? []
            if rule.redactedFields.isEmpty {
                let reason = Reason(.never, rule: rule.id, at: rule.location)
                guard let grant = outcomes[known].grant, grant.effect == .duty else {
                    outcomes[known].grant = nil
                    outcomes[known].refusal = Failure(code: .neverRule, rule: place, reasons: [reason])
                    return
                }
                redacted = view
                outcomes[known].grant = grant.redacting(
                    view, because: Reason(.redacted(fields: view), rule: rule.id, at: rule.location))
            } else if let grant = outcomes[known].grant {
                let taken = view.filter { rule.redactedFields.contains($0) && !redacted.contains($0) }
                guard !taken.isEmpty else { continue }
                redacted += taken
                outcomes[known].grant = grant.redacting(
                    taken, because: Reason(.redacted(fields: taken), rule: rule.id, at: rule.location))
            }
        }
    }

    func fields(of view: RuleView) -> [String] { isStrict ? view.strictFields : view.fields }

    mutating func traceNeverRules() {
        guard isTraced else { return }
        for place in policy.index.neverRules[notification.type] ?? [] {
            let rule = policy.rules[place]
            guard isMatched(rule) else { continue }
            let reached = outcomes.filter { outcome in
                reaches(rule, party: outcome.party, roles: named.first { $0.party == outcome.party }?.roles)
            }
            record(rule, .reached(reached.map { policy.parties[$0.party].id }.sorted()))
        }
        trace.sort { $0.rule < $1.rule }
    }

    mutating func record(_ rule: Rule, _ outcome: RuleTrace.Outcome, withheld: [PartyID] = []) {
        guard isTraced else { return }
        let kind: Reason.Kind = rule.kind.effect.map { .delivers(effect: $0, basis: rule.basis ?? "") } ?? .never
        trace.append(
            RuleTrace(
                rule: rule.id, kind: rule.kind, outcome: outcome,
                reason: Reason(kind, rule: rule.id, at: rule.location), withheld: withheld))
    }

    // MARK: Grants

    mutating func makeGrants() -> [Grant] {
        var grants: [Grant] = []
        var moved: [(to: Deputy, from: Int)] = []
        for place in outcomes.indices {
            guard let candidate = outcomes[place].grant else { continue }
            let party = outcomes[place].party
            let (choice, urgency) = desk(of: party, candidate)
            if let choice, !choice.isStaffed, choice.notBefore == nil,
                policy.urgencySettings(urgency).desks == .openNow, let fallback = fallback(of: party, candidate.effect)
            {
                moved.append((fallback, party))
                continue
            }
            if let grant = grant(to: party, candidate, choice, urgency) { grants.append(grant) }
        }
        for (deputy, origin) in moved {
            let reason = Reason(
                .fallback(for: policy.parties[origin].id), at: policy.parties[origin].location)
            let id = policy.parties[deputy.party].id
            if let known = grants.firstIndex(where: { $0.party == id }) {
                grants[known].reasons.append(reason)
            } else {
                let candidate = deputy.candidate
                guard var grant = grant(to: deputy.party, candidate, deputy.choice, deputy.urgency) else { continue }
                grant.insteadOf = policy.parties[origin].id
                grant.reasons.append(reason)
                grants.append(grant)
            }
        }
        // Outcomes are sorted by party, and so are grants but for those of fallbacks.
        return moved.isEmpty ? grants : grants.sorted { $0.party < $1.party }
    }

    private mutating func desk(of party: Int, _ candidate: Candidate) -> (DeskChoice?, UrgencyClass) {
        let urgency = min(self.urgency, policy.rules[candidate.rule].urgency ?? .u0)
        let choice = policy.chooseDesk(ofParty: party, type: notification.type, urgency: urgency, at: instant)
        if let choice { until = min(until, choice.until) }
        return (choice, urgency)
    }

    /// The party that takes over from one whose desks are closed: its fallback, if a rule of that party's own lets it have this
    /// notification and somebody is at its desks. From a duty one that gets a copy anyway takes over nothing: each has its own.
    private mutating func fallback(of party: Int, _ effect: Effect) -> Deputy? {
        guard let id = policy.parties[party].fallback, let named = policy.index.parties[id],
            case let fallback = policy.index.successor(of: named, at: instant) ?? named,
            effect == .may || !outcomes.contains(where: { $0.party == fallback && $0.grant != nil }),
            let candidate = standIn(fallback)
        else { return nil }
        let (choice, urgency) = desk(of: fallback, candidate)
        guard let choice, choice.isStaffed else { return nil }
        return Deputy(party: fallback, candidate: candidate, choice: choice, urgency: urgency)
    }

    /// A party that takes over from another, and what it gets where.
    private struct Deputy {
        let party: Int
        let candidate: Candidate
        let choice: DeskChoice
        let urgency: UrgencyClass
    }

    /// What the rules say of a fallback party. That the audience names the other does not name this one: a rule for those whom
    /// the sender names is no rule of its own.
    mutating func standIn(_ fallback: Int) -> Candidate? {
        if let own = outcomes.first(where: { $0.party == fallback })?.grant { return own }
        guard fallback != senderPlace else { return nil }
        var deputy = self
        deputy.trace = []
        deputy.outcomes = [Outcome(party: fallback)]
        deputy.standsIn = true
        for place in policy.index.deliveringRules[notification.type] ?? [] {
            let rule = policy.rules[place]
            let roles = named.first { $0.party == fallback }?.roles
            guard deputy.isMatched(rule), deputy.reaches(rule, party: fallback, roles: roles),
                policy.inactive.isEmpty
                    || policy.inactive.missing(rule.id, from: sender.id, to: policy.parties[fallback].id).isEmpty
            else { continue }
            let failure = deputy.failureBeforeParties(of: rule, place: place)
            deputy.judge(rule: rule, place: place, party: fallback, roles: roles, failure: failure)
        }
        deputy.applyNeverRules()
        until = min(until, deputy.until)
        return deputy.outcomes[0].grant
    }

    private mutating func grant(
        to party: Int, _ candidate: Candidate, _ choice: DeskChoice?, _ urgency: UrgencyClass
    ) -> Grant? {
        guard let choice else { return nil }
        let rule = policy.rules[candidate.rule]
        let (deadline, change) = policy.deadlineAndChange(urgency, at: instant)
        until = min(until, change)
        // The marking has the sender's name, which may be another later.
        if let rename = sender.formerNames.first(where: { instant < $0.end }) { until = min(until, rename.end) }
        var reasons = candidate.reasons
        if !predecessors.isEmpty { reasons += mergers(to: party) }
        reasons.append(choice.reason)
        return Grant(
            party: policy.parties[party].id, desk: choice.desk, agent: choice.agent, rule: rule.id,
            effect: candidate.effect, basis: rule.basis ?? "", marking: rule.marking ?? marking, urgency: urgency,
            attributes: isStrict ? candidate.view.strictAttributes : candidate.view.attributes,
            fields: fields(of: candidate.view), isStrict: isStrict, isStaffed: choice.isStaffed,
            notBefore: choice.notBefore, deadline: deadline, acknowledgeBy: deadline.instant(from: instant),
            reasons: reasons)
    }

    /// OSL 5:5: the provision and the authority; the date is the notification's.
    func makeMarking() -> String {
        let authority = sender.labels(at: instant).sv
        return secrecy.map { "OSL \($0.citation), \(authority)" } ?? authority
    }

    // MARK: Refusals

    /// - Parameter grants: whoever has one, be it as another's fallback, is not refused.
    func makeRefusals(besides grants: [Grant]) -> [PartyRefusal] {
        var refusals: [PartyRefusal] = []
        for place in outcomes.indices where outcomes[place].grant == nil {
            let outcome = outcomes[place]
            guard !grants.contains(where: { $0.party == policy.parties[outcome.party].id }) else { continue }
            let isNamed = named.contains { $0.party == outcome.party }
            let failure =
                outcome.refusal ?? Failure(code: .noRule, rule: nil, reasons: [Reason(.deniedByDefault)])
            // Without an audience the sender meant whom the rules mean, and learns who of them gets nothing.
            let isMissed = notification.audience.isEmpty && outcome.canBeRemedied && failure.code != .neverRule
            refusals.append(
                PartyRefusal(
                    party: policy.parties[outcome.party].id, code: failure.code,
                    rule: failure.rule.map { policy.rules[$0].id },
                    reasons: failure.reasons + mergers(to: outcome.party),
                    isReported: isNamed || outcome.isDuty || isMissed))
        }
        for name in unknownNames {
            guard let party = PartyID(name) else { continue }
            refusals.append(
                PartyRefusal(
                    party: party, code: .noRule, rule: nil, reasons: [Reason(.unknownInAudience)], isReported: true))
        }
        return refusals.sorted { $0.party < $1.party }
    }

    /// The answer to a SEND that nobody gets: what the sender can do most about comes first.
    func wholeRefusal(_ refusals: [PartyRefusal]) -> Refusal {
        let code = refusals.map(\.code).min { Self.usefulness($0) < Self.usefulness($1) } ?? .noRule
        let (pointer, message) =
            switch code {
            case .affirmationMissing:
                ("/affirmations", "nobody may get this without further affirmations, see the plan query")
            case .consentMissing: ("/consent", "nobody may get this without consent")
            case .noAgreement: ("", "no agreement in force covers this")
            case .agreementExpired: ("", "the agreement that covered this has ended")
            case .protected: ("/protected", "nobody may get this while identity is protected or unknown")
            case .neverRule: ("", "a never rule stops this")
            default:
                named.isEmpty && !notification.audience.isEmpty
                    ? ("/audience", "the audience names nobody who may get this") : ("", "no rule delivers this")
            }
        return Refusal(code: code, pointer: pointer, message: message)
    }

    static func usefulness(_ code: RefusalCode) -> Int {
        switch code {
        case .affirmationMissing: 0
        case .consentMissing: 1
        case .agreementExpired: 2
        case .noAgreement: 3
        case .protected: 4
        case .neverRule: 5
        default: 6
        }
    }
}

extension Deciding.Outcome {
    /// Keeps the more useful of two failures, the first of equally useful ones.
    mutating func keep(_ failure: Deciding.Failure) {
        canBeRemedied = canBeRemedied || failure.canBeRemedied
        if let refusal, Deciding.usefulness(refusal.code) <= Deciding.usefulness(failure.code) { return }
        refusal = failure
    }

    /// Keeps the better of two rules: duty before may, then more fields, then the first by id.
    mutating func keep(_ candidate: Deciding.Candidate, rules: [Rule]) {
        if let grant {
            if grant.effect == .duty, candidate.effect == .may { return }
            if grant.effect == candidate.effect, grant.view.fields.count >= candidate.view.fields.count { return }
        }
        grant = candidate
    }
}

extension Deciding.Candidate {
    /// The same without some fields.
    func redacting(_ fields: [String], because reason: Reason) -> Deciding.Candidate {
        let view = RuleView(
            attributes: view.attributes, fields: view.fields.filter { !fields.contains($0) },
            strictAttributes: view.strictAttributes, strictFields: view.strictFields.filter { !fields.contains($0) })
        return Deciding.Candidate(rule: rule, effect: effect, view: view, reasons: reasons + [reason])
    }
}
