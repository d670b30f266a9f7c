import CaseNotifications

/// The parts of a policy that rules are.
extension Policy {
    /// Everything that needs approvals, sorted by id.
    package func approvalParts() -> [ApprovalPart] {
        let reach = ApprovalReach(self)
        let parts =
            rules.filter { $0.kind != .never }.map { part(of: $0, reach) } + partyParts(reach)
            + agreementParts(reach)
        return parts.sorted { $0.id < $1.id }
    }

    private func part(of rule: Rule, _ reach: ApprovalReach) -> ApprovalPart {
        let senders = reach.senders[rule.id] ?? []
        let recipients = reach.recipients[rule.id] ?? []
        return ApprovalPart(
            id: "rule:\(rule.id)", form: form(of: rule), approvers: Set(senders + recipients).sorted(),
            words: words(of: rule, from: senders, to: recipients), location: rule.location)
    }

    // MARK: Form

    private func form(of rule: Rule) -> ApprovalForm {
        var form = ApprovalForm()
        form.add("effect", rule.kind.rawValue)
        form.add("types", rule.types.map(\.shortName).sorted())
        add(rule.from, "from", to: &form)
        add(rule.to, "to", to: &form)
        form.add("valid", Self.text(of: rule.validity))
        add(rule.when, to: &form)
        if let basis = rule.basis.flatMap({ bases[$0] }) { add(basis, for: rule, to: &form) }
        form.add("affirm", some: rule.affirmations)
        form.add("consent", some: rule.consent)
        form.add("agreements", some: rule.agreements)
        for type in rule.types.sorted() { addView(of: rule, type, to: &form) }
        for never in rules where never.kind == .never {
            let shared = never.types.intersection(rule.types)
            if !shared.isEmpty { form.add("never \(never.id)", neverForm(never, shared).digest.base64url) }
        }
        return form
    }

    /// A `never` rule as far as it is about some types.
    private func neverForm(_ rule: Rule, _ types: Set<EventType>) -> ApprovalForm {
        var form = ApprovalForm()
        form.add("types", types.map(\.shortName).sorted())
        add(rule.from, "from", to: &form)
        add(rule.to, "to", to: &form)
        form.add("valid", Self.text(of: rule.validity))
        add(rule.when, to: &form)
        form.add("fields", any: rule.redactedFields.isEmpty ? nil : rule.redactedFields)
        return form
    }

    private func addView(of rule: Rule, _ type: EventType, to form: inout ApprovalForm) {
        guard let view = rule.views[type], let definition = catalogue.types[type] else { return }
        let name = type.shortName
        form.add("view \(name)", view.fields.sorted())
        form.add("attributes \(name)", view.attributes.sorted())
        form.add("strict view \(name)", view.strictFields.sorted())
        form.add("strict attributes \(name)", view.strictAttributes.sorted())
        let shown = Set(view.fields)
        let fields = definition.fields.filter { shown.contains($0.name) }
        form.add(
            "fields \(name)",
            fields.map { "\($0.name) is \(catalogue.text(of: $0.kind)) \($0.sensitivity)" }.sorted())
    }

    private func add(_ selector: Selector, _ side: String, to form: inout ApprovalForm) {
        form.add("\(side).kinds", any: selector.kinds?.map(\.rawValue))
        form.add("\(side).parties", any: selector.parties?.map(\.text))
        form.add("\(side).counties", (selector.counties ?? [county]).sorted())
        if selector.servesMunicipality { form.add("\(side).where", "municipality") }
        if selector.isNamed { form.add("\(side).named", any: selector.roles.isEmpty ? nil : selector.roles) }
        if selector.isGroup { form.add("\(side).group", "yes") }
    }

    private func add(_ when: Condition, to form: inout ApprovalForm) {
        form.add("when.all", some: when.all)
        form.add("when.any", some: when.any)
        form.add("when.none", some: when.none)
        form.add("when.levels", some: when.levels)
        form.add("when.programmes", some: when.programmes)
        form.add("when.attributes", some: when.attributes)
        form.add("when.affirmed", some: when.affirmed)
        form.add("when.not-affirmed", some: when.notAffirmed)
        form.add("when.protected", when.isProtected.map { $0 ? "yes" : "no" })
    }

    private func add(_ basis: Basis, for rule: Rule, to form: inout ApprovalForm) {
        form.add("basis", basis.id)
        form.add("basis.sfs", basis.sfs)
        form.add("basis.amended", basis.amended)
        form.add("basis.paragraph", basis.paragraph)
        form.add("basis.effect", basis.effect.rawValue)
        form.add("basis.valid", Self.text(of: basis.validity))
        for (side, matcher) in [("from", basis.senders), ("to", basis.recipients)] {
            form.add("basis.\(side).kinds", any: matcher?.kinds?.map(\.rawValue))
            form.add("basis.\(side).parties", any: matcher?.parties?.map(\.text))
        }
        form.add("basis.types", any: basis.types?.map(\.shortName))
        form.add("basis.secrecy.within", some: basis.secrecyWithin.map(\.description))
        form.add("basis.secrecy.except", some: basis.secrecyExcept.map(\.description))
        form.add("basis.affirmations", some: basis.affirmations)
        for kind in PartyKind.allCases where rule.from.kinds?.contains(kind) ?? true {
            form.add("basis.affirmations-from.\(kind.rawValue)", some: basis.affirmationsFrom[kind] ?? [])
        }
        form.add("basis.consent", some: basis.consent)
        form.add("basis.agreement", basis.needsAgreement ? "required" : "not-required")
    }

    /// For a form: instants, open ends as `*`.
    static func text(of validity: Validity) -> String {
        let start = validity.start == .distantPast ? "*" : validity.start.rfc3339
        let end = validity.end == .distantFuture ? "*" : validity.end.rfc3339
        return "\(start) up to \(end)"
    }

    // MARK: Parties

    /// The parties that one becomes part of at some time.
    func successors(of party: PartyID) -> [PartyID] {
        var successors: [PartyID] = []
        // Circles are errors of the policy; the count ends this anyway.
        while let next = self.party(successors.last ?? party)?.merger?.successor, successors.count < parties.count {
            successors.append(next)
        }
        return successors
    }

    static func list(_ parties: [PartyID]) -> String { parties.map(\.text).joined(separator: ", ") }
}

/// Who sends and who receives by which rule, as far as that depends on the parties alone.
struct ApprovalReach {
    /// Senders by rule, sorted.
    private(set) var senders: [RuleID: [PartyID]] = [:]
    /// Recipients by rule, sorted. A fallback party that has no rule of its own is none.
    private(set) var recipients: [RuleID: [PartyID]] = [:]
    /// For every recipient the parties that may send to it.
    private(set) var sendersTo: [PartyID: Set<PartyID>] = [:]
    /// Parties that send by some rule.
    private(set) var allSenders: Set<PartyID> = []
    /// For every party those with which it exchanges something that needs an agreement.
    private(set) var agreeing: [PartyID: Set<PartyID>] = [:]
    /// The agreements that count between two parties, by the pair; an empty set is any.
    private var counting: [[PartyID]: Set<String>] = [:]

    init(_ policy: Policy) {
        let members = Set(policy.settings.groups.flatMap(\.members))
        let inGroups = Set(
            members.union(members.flatMap { policy.successors(of: $0) }).compactMap { policy.index.parties[$0] })
        for rule in policy.rules where rule.kind != .never {
            let basis = rule.basis.flatMap { policy.bases[$0] }
            let senders = policy.parties.filter {
                rule.from.meansPartyAlone($0, ownCounty: policy.county) && basis?.senders?.matches($0) ?? true
            }
            let recipients = policy.index.receivers.filter { place in
                let party = policy.parties[place]
                return rule.to.meansPartyAlone(party, ownCounty: policy.county)
                    && basis?.recipients?.matches(party) ?? true && (!rule.to.isGroup || inGroups.contains(place))
                    && party.desks.contains { desk in rule.types.contains { desk.takes($0) } }
            }.map { policy.parties[$0] }
            // Who is alone on both sides of a rule tells himself nothing by it.
            let sending = senders.map(\.id).filter { id in recipients.contains { $0.id != id } }
            let receiving = recipients.map(\.id).filter { id in senders.contains { $0.id != id } }
            self.senders[rule.id] = sending
            self.recipients[rule.id] = receiving
            allSenders.formUnion(sending)
            for recipient in receiving {
                sendersTo[recipient, default: []].formUnion(sending.filter { $0 != recipient })
            }
            guard rule.kind == .may, basis?.needsAgreement ?? false else { continue }
            for sender in sending {
                for recipient in receiving { agree(sender, recipient, by: rule, policy) }
            }
        }
    }

    private mutating func agree(_ sender: PartyID, _ recipient: PartyID, by rule: Rule, _ policy: Policy) {
        guard sender != recipient, let one = policy.party(sender), let other = policy.party(recipient),
            one.organisation != other.organisation
        else { return }
        agreeing[sender, default: []].insert(recipient)
        agreeing[recipient, default: []].insert(sender)
        let pair = [sender, recipient].sorted()
        let known = counting[pair] ?? rule.agreements
        counting[pair] = known.isEmpty || rule.agreements.isEmpty ? [] : known.union(rule.agreements)
    }

    /// Whether some rule lets an agreement open something between two parties.
    func agrees(_ one: PartyID, _ other: PartyID, by agreement: String) -> Bool {
        guard let counting = counting[[one, other].sorted()] else { return false }
        return counting.isEmpty || counting.contains(agreement)
    }
}
