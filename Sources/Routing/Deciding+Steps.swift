package import CaseNotifications

extension Policy {
    /// What every matcher of every rule of the type says, rules sorted by id.
    ///
    /// Slower than `explain`, which stops at the first that says no; for people who ask why.
    ///
    /// - Parameter party: only what concerns this party, also of rules that do not mean it; nil is everybody whom a rule means.
    /// - Returns: empty if the envelope is refused before any rule is judged.
    package func steps(
        of notification: CaseNotification, at instant: Timestamp, for party: PartyID? = nil
    ) -> [RuleSteps] {
        var deciding = Deciding(policy: self, notification: notification, instant: instant, isTraced: false)
        guard deciding.readEnvelope() == nil else { return [] }
        let places = (index.deliveringRules[notification.type] ?? []) + (index.neverRules[notification.type] ?? [])
        let only = party.flatMap { index.parties[$0] }
        return places.map { deciding.steps(of: rules[$0], place: $0, only: only) }.sorted { $0.rule < $1.rule }
    }
}

extension Deciding {
    fileprivate mutating func steps(of rule: Rule, place: Int, only party: Int?) -> RuleSteps {
        var steps = [senderStep(rule), conditionStep(rule), timeStep(rule)]
        let basis = rule.basis.flatMap { policy.bases[$0] }
        if let basis {
            steps += [basisStep(rule, basis), secrecyStep(basis), affirmationStep(rule, basis), consentStep(rule)]
        }
        if rule.kind != .never {
            steps.append(approvalStep(rule, missing: policy.inactive.missing(rule.id, from: sender.id)))
        }
        let everybody = policy.parties.indices.filter { fault(of: rule, party: $0) == nil }
        let parties = (party.map { [$0] } ?? everybody).map { place in
            PartySteps(party: policy.parties[place].id, steps: partySteps(rule, basis, party: place))
        }
        return RuleSteps(
            rule: rule.id, kind: rule.kind, location: rule.location, steps: steps,
            parties: parties.sorted { $0.party < $1.party })
    }

    // MARK: Whoever receives

    private func senderStep(_ rule: Rule) -> RuleStep {
        let fault = Self.fault(of: rule.from, party: sender, ownCounty: policy.county, notification: notification)
        return RuleStep(
            matcher: .sender, holds: fault == nil, finding: fault.map { .notMeant($0) } ?? .met([sender.id.text]),
            location: rule.location)
    }

    private func conditionStep(_ rule: Rule) -> RuleStep {
        let unmet = rule.when.firstUnmet(by: notification, affirmed: affirmed)
        return RuleStep(
            matcher: .conditions, holds: unmet == nil, finding: unmet.map { .unmet(key: $0) } ?? .met([]),
            location: rule.location)
    }

    private func timeStep(_ rule: Rule) -> RuleStep {
        let holds = rule.validity.contains(instant)
        return RuleStep(matcher: .time, holds: holds, finding: holds ? .met([]) : .notInForce, location: rule.location)
    }

    private func basisStep(_ rule: Rule, _ basis: Basis) -> RuleStep {
        var finding = RuleStep.Finding.met([basis.id])
        if !basis.validity.contains(instant) {
            finding = .reason(.basisNotInForce(basis: basis.id))
        } else if !(basis.types?.contains(notification.type) ?? true) || !(basis.senders?.matches(sender) ?? true)
            || rule.kind == .duty && basis.effect != .duty
        {
            finding = .reason(.basisDoesNotCover(basis: basis.id))
        }
        return RuleStep(
            matcher: .basis, holds: finding == .met([basis.id]), finding: finding, location: basis.location)
    }

    private func secrecyStep(_ basis: Basis) -> RuleStep {
        let stated = secrecy?.description ?? ""
        guard basis.lifts(secrecy) else {
            return RuleStep(
                matcher: .secrecy, holds: false,
                finding: .reason(.secrecyExcluded(basis: basis.id, secrecy: stated)), location: basis.location)
        }
        return RuleStep(
            matcher: .secrecy, holds: true, finding: stated.isEmpty ? .demandsNothing : .met([stated]),
            location: basis.location)
    }

    private func affirmationStep(_ rule: Rule, _ basis: Basis) -> RuleStep {
        let wanted = demandedAffirmations(rule, basis)
        let missing = wanted.filter { !affirmed.contains($0) }
        return RuleStep(
            matcher: .affirmations, holds: missing.isEmpty,
            finding: missing.isEmpty
                ? wanted.isEmpty ? .demandsNothing : .met(wanted) : .reason(.affirmationsMissing(missing)),
            location: rule.location)
    }

    private func consentStep(_ rule: Rule) -> RuleStep {
        guard !rule.consent.isEmpty else {
            return RuleStep(matcher: .consent, holds: true, finding: .demandsNothing, location: rule.location)
        }
        let giver = notification.consent == nil ? nil : notification.consentOf
        let isThere = giver.map(rule.consent.contains) ?? false
        return RuleStep(
            matcher: .consent, holds: isThere,
            finding: isThere ? .met([giver ?? ""]) : .reason(.consentMissing(of: rule.consent)),
            location: rule.location)
    }

    // MARK: One recipient

    private mutating func partySteps(_ rule: Rule, _ basis: Basis?, party place: Int) -> [RuleStep] {
        let recipient = policy.parties[place]
        let fault = fault(of: rule, party: place)
        var steps = [
            RuleStep(
                matcher: .recipient, holds: fault == nil,
                finding: fault.map { .notMeant($0) } ?? .met([recipient.id.text]), location: rule.location)
        ]
        guard let basis else { return steps }
        if !(basis.recipients?.matches(recipient) ?? true) {
            steps.append(
                RuleStep(
                    matcher: .basis, holds: false, finding: .reason(.basisDoesNotCover(basis: basis.id)),
                    location: basis.location))
        }
        let isNamed = named.contains { $0.party == place }
        steps.append(audienceStep(rule, isNamed: isNamed))
        steps.append(protectionStep(rule, recipient, isNamed: isNamed))
        steps.append(agreementStep(rule, basis, party: place))
        let missing = policy.inactive.missing(rule.id, from: sender.id, to: recipient.id)
        steps.append(approvalStep(rule, missing: missing))
        steps.append(neverStep(party: place))
        return steps
    }

    private func approvalStep(_ rule: Rule, missing: [PartyID]) -> RuleStep {
        RuleStep(
            matcher: .approval, holds: missing.isEmpty, finding: missing.isEmpty ? .met([]) : .notApproved(missing),
            location: rule.location)
    }

    private func audienceStep(_ rule: Rule, isNamed: Bool) -> RuleStep {
        let finding: RuleStep.Finding =
            notification.audience.isEmpty ? .demandsNothing : isNamed ? .met([]) : .reason(.notInAudience)
        return RuleStep(
            matcher: .audience, holds: notification.audience.isEmpty || isNamed, finding: finding,
            location: rule.location)
    }

    private func protectionStep(_ rule: Rule, _ recipient: Party, isNamed: Bool) -> RuleStep {
        let holds = !isStrict || recipient.county == policy.county || rule.kind == .duty && isNamed
        return RuleStep(
            matcher: .protection, holds: holds,
            finding: holds ? isStrict ? .met([]) : .demandsNothing : .reason(.protectedIdentity),
            location: rule.location)
    }

    private mutating func agreementStep(_ rule: Rule, _ basis: Basis, party place: Int) -> RuleStep {
        guard rule.kind == .may, basis.needsAgreement, sender.organisation != policy.parties[place].organisation else {
            return RuleStep(matcher: .agreement, holds: true, finding: .demandsNothing, location: rule.location)
        }
        switch agreement(for: rule, recipient: place) {
        case .covered(let reason):
            return RuleStep(
                matcher: .agreement, holds: true, finding: .reason(reason.kind), location: reason.location)
        case .failed(_, let reason):
            return RuleStep(
                matcher: .agreement, holds: false, finding: .reason(reason.kind), location: reason.location)
        }
    }

    /// Whether a `never` rule stops this party. One that takes fields out lets the rest go on.
    private func neverStep(party place: Int) -> RuleStep {
        for number in policy.index.neverRules[notification.type] ?? [] {
            let never = policy.rules[number]
            guard never.redactedFields.isEmpty, isFromSender(never.from), never.validity.contains(instant),
                never.when.firstUnmet(by: notification, affirmed: affirmed) == nil,
                fault(of: never, party: place) == nil
            else { continue }
            return RuleStep(
                matcher: .never, holds: false, finding: .met([never.id.text]), location: never.location)
        }
        return RuleStep(matcher: .never, holds: true, finding: .demandsNothing, location: nil)
    }

    // MARK: Why a party is not meant

    /// The first part of a rule's `to` that does not mean a party; nil if the rule reaches it.
    func fault(of rule: Rule, party place: Int) -> SelectorFault? {
        let party = policy.parties[place]
        if place == senderPlace { return .itself }
        if policy.index.successor(of: place, at: instant) != nil { return .merged }
        if party.kind == .onCallDesk { return .onCallDesk }
        if let fault = Self.fault(of: rule.to, party: party, ownCounty: policy.county, notification: notification) {
            return fault
        }
        if rule.kind != .never, !party.desks.contains(where: { $0.takes(notification.type) }) { return .noDesk }
        if rule.to.isGroup {
            let members = notification.municipality.map(groupMembers) ?? []
            if !members.contains(place) { return .group }
        }
        guard rule.to.isNamed else { return nil }
        guard let roles = named.first(where: { $0.party == place })?.roles else { return .notNamed }
        return rule.to.roles.isEmpty || rule.to.roles.contains(where: roles.contains) ? nil : .word
    }

    /// The first part of a selector that does not mean a party, of what depends on the party and the municipality.
    private static func fault(
        of selector: Selector, party: Party, ownCounty: String, notification: CaseNotification
    ) -> SelectorFault? {
        if let kinds = selector.kinds, !kinds.contains(party.kind) { return .kind }
        if let parties = selector.parties, !parties.contains(party.id) { return .party }
        if !(selector.counties?.contains(party.county) ?? (party.county == ownCounty)) { return .county }
        guard selector.servesMunicipality else { return nil }
        return notification.municipality.map(party.serves) ?? false ? nil : .municipality
    }
}
