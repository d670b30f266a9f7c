import CaseNotifications

/// One decision in the making.
///
/// It goes through the rules of the type by id, judges each party that one reaches, lets `never` rules stop and redact, and finds
/// the desks. `until` shrinks with everything that is looked at.
struct Deciding {
    let policy: Policy
    let notification: CaseNotification
    let instant: Timestamp
    let isTraced: Bool
    /// Whether the notification was accepted before: what the catalogue of now demands of new ones is not asked of it.
    var isStored = false
    /// What affirmations are measured against, where that is not the instant of the decision: of what was accepted before its
    /// acceptance; of what nobody has sent yet whenever that will be.
    var affirmedFor: Timestamp?
    var trace: [RuleTrace] = []
    var until = Timestamp.distantFuture

    // What the envelope says, found once.
    var senderPlace = 0
    var secrecy: SecrecyProvision?
    /// The marking of copies whose rule has none of its own.
    lazy var marking = makeMarking()
    var affirmed: Set<String> = []
    var urgency = UrgencyClass.u0
    var isStrict = true
    var named: [Named] = []
    var unknownNames: [String] = []
    var outcomes: [Outcome] = []
    /// The agreement that covers the party that is being judged, where one is needed.
    var coveringAgreement: Reason?
    /// Parties that the audience names and whose work another has taken over, by that other.
    var predecessors: [Int: [Int]] = [:]
    /// Whether a fallback party is being judged: the audience named the one that it stands in for.
    var standsIn = false

    init(policy: Policy, notification: CaseNotification, instant: Timestamp, isTraced: Bool) {
        self.policy = policy
        self.notification = notification
        self.instant = instant
        self.isTraced = isTraced
    }

    /// A party that the audience names, and the words that it is named with.
    struct Named {
        let party: Int
        var roles: [String]
    }

    /// The best that the rules have said of one party so far.
    struct Outcome {
        let party: Int
        var grant: Candidate?
        var refusal: Failure?
        /// A duty in force reached it.
        var isDuty = false
        /// A rule in force reached it that the sender or the parties could let deliver.
        var canBeRemedied = false
    }

    /// A rule that would deliver.
    struct Candidate {
        let rule: Int
        let effect: Effect
        let view: RuleView
        let reasons: [Reason]
    }

    /// A rule that would deliver but for something.
    struct Failure {
        let code: RefusalCode
        let rule: Int?
        let reasons: [Reason]
    }

    var sender: Party { policy.parties[senderPlace] }

    // MARK: The way

    mutating func decide() -> Decision {
        if let refusal = readEnvelope() ?? refusalOfFormerSender() { return refused(with: refusal) }
        for place in policy.index.deliveringRules[notification.type] ?? [] { judge(rule: place) }
        tellOfOwedDuties()
        for name in named where !outcomes.contains(where: { $0.party == name.party }) {
            outcomes.append(Outcome(party: name.party))
        }
        applyNeverRules()
        traceNeverRules()
        outcomes.sort { $0.party < $1.party }
        let grants = makeGrants()
        let refusals = makeRefusals(besides: grants)
        return Decision(
            at: instant, urgency: urgency, grants: grants, refusals: refusals, until: until,
            refusal: grants.isEmpty ? wholeRefusal(refusals) : nil)
    }

    func refused(with refusal: Refusal) -> Decision {
        Decision(at: instant, urgency: urgency, grants: [], refusals: [], until: .distantFuture, refusal: refusal)
    }

    /// Finds what the envelope says in the policy's terms; a refusal if it says what the policy cannot mean.
    mutating func readEnvelope() -> Refusal? {
        guard let definition = policy.catalogue.types[notification.type] else {
            return Refusal(code: .schema, pointer: "/type", message: "unknown event type")
        }
        urgency = definition.urgency(circumstances: notification.circumstances, level: notification.level)
        if let wanted = notification.urgency { urgency = min(urgency, wanted) }
        guard let place = policy.index.parties[notification.source] else {
            return Refusal(code: .wrongSource, pointer: "/source", message: "the source is no party of the policy")
        }
        senderPlace = place
        until = policy.index.nextMerger(after: instant)
        for attribute in definition.requiredAttributes where !isStored && !notification.hasAttribute(attribute) {
            return Refusal(code: .schema, pointer: "/" + attribute, message: "the event type demands this attribute")
        }
        secrecy = sender.secrecy.first
        if let text = notification.secrecy {
            guard let stated = SecrecyProvision(text), isStored || sender.secrecy.contains(stated) else {
                return Refusal(
                    code: .schema, pointer: "/secrecy", message: "not a secrecy that the source may state")
            }
            secrecy = stated
        }
        isStrict = notification.isProtected != false
        readAffirmations()
        return readAudience()
    }

    mutating func readAudience() -> Refusal? {
        for entry in notification.audience {
            guard isStored || policy.vocabulary.audienceRoles[entry.why] != nil else {
                return Refusal(
                    code: .schema, pointer: "/audience", message: "the audience has an unknown word after a slash")
            }
            let members: [Int]
            if let group = policy.index.groups[entry.to] {
                members = group
            } else if let place = policy.index.parties[PartyID(unchecked: entry.to)] {
                members = [place]
            } else {
                if !unknownNames.contains(entry.to) { unknownNames.append(entry.to) }
                continue
            }
            for member in members.map({ present($0) }) where member != senderPlace {
                if let known = named.firstIndex(where: { $0.party == member }) {
                    if !named[known].roles.contains(entry.why) { named[known].roles.append(entry.why) }
                } else {
                    named.append(Named(party: member, roles: [entry.why]))
                }
            }
        }
        return nil
    }

    // MARK: Rules

    mutating func judge(rule place: Int) {
        let rule = policy.rules[place]
        guard isMatched(rule) else { return }
        let failure = failureBeforeParties(of: rule, place: place)
        var reached: [PartyID] = []
        var withheld: [PartyID] = []
        for party in candidates(of: rule) where party != senderPlace {
            let roles = named.first { $0.party == party }?.roles
            guard reaches(rule, party: party, roles: roles) else { continue }
            let id = policy.parties[party].id
            guard policy.inactive.isEmpty || policy.inactive.missing(rule.id, from: sender.id, to: id).isEmpty else {
                withheld.append(id)
                continue
            }
            if isTraced { reached.append(id) }
            judge(rule: rule, place: place, party: party, roles: roles, failure: failure)
        }
        if isTraced { record(rule, .reached(reached.sorted()), withheld: withheld.sorted()) }
    }

    /// Whether sender, conditions and time are the rule's.
    mutating func isMatched(_ rule: Rule) -> Bool {
        guard isFromSender(rule.from) else {
            record(rule, .otherSender)
            return false
        }
        let isComplete = rule.kind == .never || policy.inactive.isEmpty
        let missing = isComplete ? [] : policy.inactive.missing(rule.id, from: sender.id)
        guard missing.isEmpty else {
            record(rule, .inactive(missing))
            return false
        }
        if let unmet = rule.when.firstUnmet(by: notification, affirmed: affirmed) {
            record(rule, .conditionNotMet(unmet))
            return false
        }
        until = min(until, rule.validity.nextChange(after: instant))
        guard rule.validity.contains(instant) else {
            record(rule, .notInForce)
            return false
        }
        return true
    }

    func isFromSender(_ selector: Selector) -> Bool {
        guard selector.isMeant[senderPlace] else { return false }
        guard selector.servesMunicipality else { return true }
        return notification.municipality.map(sender.serves) ?? false
    }

    /// Parties among which a rule's recipients are; `reaches` decides.
    func candidates(of rule: Rule) -> [Int] {
        let selector = rule.to
        if selector.isNamed { return named.map(\.party) }
        if selector.isGroup {
            return notification.municipality.map(groupMembers) ?? []
        }
        if let parties = selector.parties {
            return parties.compactMap { policy.index.parties[$0] }.sorted()
        }
        if selector.servesMunicipality {
            return notification.municipality.flatMap { policy.index.byMunicipality[$0] } ?? []
        }
        if let kinds = selector.kinds {
            return kinds.count == 1
                ? kinds.first.flatMap { policy.index.byKind[$0] } ?? []
                : kinds.flatMap { policy.index.byKind[$0] ?? [] }.sorted()
        }
        return policy.index.receivers
    }

    /// Whether a party is a recipient of a rule. On-call desks and parties without a desk for the type never are.
    func reaches(_ rule: Rule, party place: Int, roles: [String]?) -> Bool {
        let desks = policy.parties[place].desks
        guard rule.kind == .never || desks.contains(where: { $0.takes(notification.type) }) else { return false }
        return means(rule, party: place, roles: roles)
    }

    /// The same, whether it has a desk for the type or not.
    func means(_ rule: Rule, party place: Int, roles: [String]?) -> Bool {
        let party = policy.parties[place]
        let selector = rule.to
        guard policy.index.successor(of: place, at: instant) == nil else { return false }
        guard party.kind != .onCallDesk, selector.isMeant[place] else { return false }
        if selector.servesMunicipality {
            guard let municipality = notification.municipality, party.serves(municipality) else { return false }
        }
        if selector.isGroup {
            guard let municipality = notification.municipality,
                groupMembers(of: municipality).contains(place)
            else { return false }
        }
        if selector.isNamed {
            guard let roles, selector.roles.isEmpty || selector.roles.contains(where: roles.contains) else {
                return false
            }
        }
        return true
    }

    /// What stops a rule for whichever recipient.
    mutating func failureBeforeParties(of rule: Rule, place: Int) -> Failure? {
        guard let effect = rule.kind.effect, let basis = rule.law else { return nil }
        func failure(_ code: RefusalCode, _ kind: Reason.Kind, inLaw: Bool) -> Failure {
            let reason = Reason(kind, rule: rule.id, at: inLaw ? basis.location : rule.location)
            return Failure(code: code, rule: place, reasons: [reason])
        }
        until = min(until, basis.validity.nextChange(after: instant))
        guard basis.validity.contains(instant) else {
            return failure(.noRule, .basisNotInForce(basis: basis.id), inLaw: true)
        }
        guard basis.types?.contains(notification.type) ?? true, basis.senders?.matches(sender) ?? true,
            effect == .may || basis.effect == .duty
        else { return failure(.noRule, .basisDoesNotCover(basis: basis.id), inLaw: true) }
        guard basis.lifts(secrecy) else {
            let stated = secrecy?.description ?? ""
            return failure(.noRule, .secrecyExcluded(basis: basis.id, secrecy: stated), inLaw: true)
        }
        let missing = demandedAffirmations(rule, basis).filter { !affirmed.contains($0) }
        if !missing.isEmpty { return failure(.affirmationMissing, .affirmationsMissing(missing), inLaw: false) }
        if !rule.consent.isEmpty {
            guard notification.consent != nil, let giver = notification.consentOf, rule.consent.contains(giver) else {
                return failure(.consentMissing, .consentMissing(of: rule.consent), inLaw: false)
            }
        }
        return nil
    }

    /// Judges one rule for one party and keeps the better of this and what was there.
    mutating func judge(rule: Rule, place: Int, party: Int, roles: [String]?, failure: Failure?) {
        let isLeftOut = !notification.audience.isEmpty && roles == nil && !standsIn
        // The audience leaves it out. Of a duty the sender is told, of anything else there is nothing to tell.
        if isLeftOut, rule.kind != .duty { return }
        let known = self.place(ofOutcome: party)
        if rule.kind == .duty { outcomes[known].isDuty = true }
        if isLeftOut {
            let reason = Reason(.notInAudience, rule: rule.id, at: rule.location)
            outcomes[known].keep(Failure(code: .noRule, rule: place, reasons: [reason]))
        } else if let failure = failure ?? failureForParty(of: rule, place: place, party: party, roles: roles) {
            outcomes[known].keep(failure)
        } else if let candidate = candidate(of: rule, place: place) {
            outcomes[known].keep(candidate, rules: policy.rules)
        }
    }

    /// Where a party's outcome stands; a new one at the end if it has none.
    mutating func place(ofOutcome party: Int) -> Int {
        if let known = outcomes.indices.first(where: { outcomes[$0].party == party }) { return known }
        outcomes.append(Outcome(party: party))
        return outcomes.count - 1
    }

    mutating func failureForParty(of rule: Rule, place: Int, party: Int, roles: [String]?) -> Failure? {
        let recipient = policy.parties[party]
        coveringAgreement = nil
        guard let basis = rule.law else { return nil }
        func failure(_ code: RefusalCode, _ kind: Reason.Kind, _ reason: Reason? = nil) -> Failure {
            Failure(code: code, rule: place, reasons: [reason ?? Reason(kind, rule: rule.id, at: rule.location)])
        }
        guard basis.recipients?.matches(recipient) ?? true else {
            return failure(.noRule, .basisDoesNotCover(basis: basis.id))
        }
        if isStrict, recipient.county != policy.county, rule.kind != .duty || roles == nil {
            return failure(.protected, .protectedIdentity)
        }
        guard rule.kind == .may, basis.needsAgreement, sender.organisation != recipient.organisation else { return nil }
        switch agreement(for: rule, recipient: party) {
        case .covered(let reason):
            coveringAgreement = reason
            return nil
        case .failed(let code, let reason): return Failure(code: code, rule: place, reasons: [reason])
        }
    }

    enum AgreementResult {
        case covered(Reason)
        case failed(RefusalCode, Reason)
    }

    /// Looks for an agreement between sender and recipient that covers the notification.
    mutating func agreement(for rule: Rule, recipient place: Int) -> AgreementResult {
        let recipient = policy.parties[place].id
        var best: AgreementResult?
        for index in policy.index.agreements[senderPlace] ?? [] {
            let agreement = policy.agreements[index]
            guard rule.agreements.isEmpty || rule.agreements.contains(agreement.id),
                agreement.covers(municipality: notification.municipality, programme: notification.programme),
                let validity = agreement.validity(between: sender.id, and: recipient)
            else { continue }
            func reason(_ kind: Reason.Kind) -> Reason { Reason(kind, rule: rule.id, at: agreement.location) }
            if agreement.state != .draft, agreement.isSigned {
                until = min(until, validity.nextChange(after: instant))
                if validity.contains(instant) {
                    if case .covered = best { continue }
                    best = .covered(reason(.agreement(agreement.id)))
                    continue
                }
                if instant >= validity.end {
                    switch best {
                    case nil, .failed(.noAgreement, _):
                        best = .failed(.agreementExpired, reason(.agreementEnded(agreement: agreement.id)))
                    default: break
                    }
                    continue
                }
            }
            if best == nil {
                best = .failed(.noAgreement, reason(.agreementNotInForce(agreement: agreement.id)))
            }
        }
        return best ?? .failed(.noAgreement, Reason(.noAgreement, rule: rule.id, at: rule.location))
    }

    func candidate(of rule: Rule, place: Int) -> Candidate? {
        guard let effect = rule.kind.effect, let basis = rule.basis, let view = rule.views[notification.type] else {
            return nil
        }
        var reasons: [Reason] = []
        // The agreement's and the desk's come behind it.
        reasons.reserveCapacity(3)
        reasons.append(Reason(.delivers(effect: effect, basis: basis), rule: rule.id, at: rule.location))
        if let coveringAgreement { reasons.append(coveringAgreement) }
        return Candidate(rule: place, effect: effect, view: view, reasons: reasons)
    }
}
