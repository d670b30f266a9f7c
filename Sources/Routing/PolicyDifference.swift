package import CaseNotifications
package import Settings

/// How two policies differ: what is written otherwise, who gains and who loses, and whose sight is widened.
package struct PolicyDifference: Sendable {
    /// Something that lets parties see more, or see it in more cases.
    package struct Widening: Sendable, Hashable {
        /// Whose sight is widened, sorted.
        package let parties: [PartyID]
        /// What of, in words.
        package let words: String
        /// Where the newer policy says so.
        package let location: SourceLocation?
    }

    /// What is written otherwise, by what and name.
    package let changes: [PolicyChange]
    /// What parties can get by the newer policy and not by the older, by party and type.
    package let gained: [RightChange]
    /// The other way round.
    package let lost: [RightChange]
    /// What lets somebody see more, or see it in more cases. What is not provably as strict as before is among it.
    package let widened: [Widening]
    /// Parties whose approval the changes need in production mode, sorted.
    package let approvers: [PartyID]

    /// Whether nothing that decisions depend on differs.
    package var isEmpty: Bool { changes.isEmpty }

    /// Compares two policies. The order of files, keys and rules means nothing.
    package init(from old: Policy, to new: Policy) {
        changes = PolicyChanges(from: old, to: new).all()
        let (before, after) = (PolicyRights(old), PolicyRights(new))
        gained = after.beyond(before)
        lost = before.beyond(after)
        var comparison = Comparison(old: old, new: new, before: before, after: after)
        comparison.compareRules(gained: gained)
        comparison.compareAgreements()
        comparison.compareParties()
        widened = comparison.widened.sorted {
            ($0.parties.first?.text ?? "", $0.words) < ($1.parties.first?.text ?? "", $1.words)
        }
        let known = Dictionary(old.approvalParts().map { ($0.id, $0.form.digest) }) { first, _ in first }
        let parts = new.approvalParts().filter { known[$0.id] != $0.form.digest }
        approvers = Set(parts.flatMap(\.approvers)).sorted()
    }
}

/// The comparison in the making.
private struct Comparison {
    let old: Policy
    let new: Policy
    let before: PolicyRights
    let after: PolicyRights
    var widened: Set<PolicyDifference.Widening> = []

    private mutating func widen(_ parties: some Collection<PartyID>, _ words: String, at location: SourceLocation?) {
        guard !parties.isEmpty else { return }
        widened.insert(
            PolicyDifference.Widening(parties: Set(parties).sorted(), words: words, location: location))
    }

    mutating func compareRules(gained: [RightChange]) {
        for change in gained {
            widen([change.party], words(change, change.isWhole ? "would receive" : "would receive more of"), at: nil)
        }
        for rule in new.rules where rule.kind != .never {
            let recipients = after.recipients[rule.id] ?? []
            guard let known = old.rule(rule.id), known.kind != .never else {
                widen(recipients, "rule \(rule.id) is new", at: rule.location)
                continue
            }
            // What another rule gives already may be given under other conditions there.
            for change in after.beyond(before, by: rule.id) where !gained.contains(change) {
                widen([change.party], words(change, "rule \(rule.id) delivers more of"), at: rule.location)
            }
            let loosened = RuleLoosening(old: old, new: new).between(known, rule)
            if !loosened.isEmpty {
                widen(recipients, "rule \(rule.id) asks less: \(loosened.joined(separator: ", "))", at: rule.location)
            }
            compareKinds(of: rule, known, recipients)
        }
        compareNeverRules()
    }

    /// What a field that is shown before and after can say: the same name may hold something else.
    private mutating func compareKinds(of rule: Rule, _ known: Rule, _ recipients: Set<PartyID>) {
        for type in rule.types.intersection(known.types) {
            let shown = Set(known.views[type]?.fields ?? [])
            for field in rule.views[type]?.fields ?? [] where shown.contains(field) {
                let then = old.catalogue.text(of: field, in: type) ?? "unknown"
                let now = new.catalogue.text(of: field, in: type) ?? "unknown"
                guard then != now else { continue }
                widen(
                    recipients, "rule \(rule.id): \(field) of \(type.shortName) is \(now), was \(then)",
                    at: rule.location)
            }
        }
    }

    private func words(_ change: RightChange, _ what: String) -> String {
        let fields = change.fields.isEmpty ? "" : ": \(change.fields.joined(separator: " "))"
        return "\(what) \(change.type.shortName)\(fields); from \(change.senders.map(\.text).joined(separator: ", "))"
    }

    /// Rules without conditions are in the rights; of one with conditions every change counts.
    private mutating func compareNeverRules() {
        let changed = Set(PolicyChanges(from: old, to: new).all().filter { $0.what == "rule" }.map(\.name))
        for rule in old.rules where rule.kind == .never && changed.contains(rule.id.text) {
            let now = new.rule(rule.id)
            guard !rule.isUnconditional || !(now?.isUnconditional ?? false) else { continue }
            let parties = rule.types.flatMap { type in
                old.ways(of: type).filter { $0.rule.id == rule.id }.flatMap(\.recipients)
            }
            widen(
                parties.filter { new.party($0) != nil },
                now == nil ? "the never rule \(rule.id) is gone" : "the never rule \(rule.id) is another",
                at: now?.location ?? rule.location)
        }
    }

    mutating func compareAgreements() {
        for agreement in new.agreements {
            let known = old.agreements.first { $0.id == agreement.id }
            guard RuleLoosening(old: old, new: new).isWider(known, agreement) else { continue }
            widen(agreement.members.keys, "agreement \(agreement.id) covers more", at: agreement.location)
        }
    }

    mutating func compareParties() {
        for party in new.parties {
            let known = old.party(party.id)
            compareReaders(of: party, known)
            guard let known else { continue }
            if known.organisation != party.organisation {
                widen(
                    [party.id], "belongs to \(party.organisation): within it no agreement is needed", at: party.location
                )
            }
            // The first is what it states when it says nothing: their order matters.
            if known.secrecy != party.secrecy {
                let recipients = after.senders.filter { $0.value[""]?.contains(party.id) ?? false }.map(\.key.party)
                widen(recipients, "\(party.id) may state other secrecy for what it sends", at: party.location)
            }
            let isWholeCounty = party.municipalities.isEmpty && !known.municipalities.isEmpty
            let added = party.municipalities.filter { !known.serves($0) }
            if isWholeCounty || !added.isEmpty {
                let what = isWholeCounty ? "its whole county" : added.joined(separator: ", ")
                widen([party.id], "serves \(what) too", at: party.location)
            }
            if let merger = party.merger, merger != known.merger {
                widen([merger.successor], "takes over the work of \(party.id)", at: merger.location)
            }
        }
        for group in new.settings.groups {
            let known = old.members(ofGroup: group.id) ?? []
            let added = group.members.filter { !known.contains($0) }
            widen(added, "is in the group \(group.id)", at: nil)
        }
    }

    /// Systems and people that read, and parties that stand in.
    private mutating func compareReaders(of party: Party, _ known: Party?) {
        for client in party.clients {
            let earlier = known?.clients.first { $0.id == client.id }
            if client.identity != earlier?.identity {
                widen([party.id], "client \(client.id): another certificate", at: client.location)
            }
            if client.speaksForPeople, !(earlier?.speaksForPeople ?? false) {
                widen([party.id], "client \(client.id) may say what named people did", at: client.location)
            }
            compare(
                client.roles, client.stations, earlier?.roles, earlier?.stations, "client \(client.id)", party,
                client.location)
        }
        for person in party.people {
            let earlier = known?.people.first { $0.id == person.id }
            if person.identity != earlier?.identity {
                widen([party.id], "person \(person.id): another certificate", at: person.location)
            }
            compare(
                person.roles, person.desks, earlier?.roles, earlier?.desks, "person \(person.id)", party,
                person.location)
        }
        if let fallback = party.fallback, fallback != known?.fallback {
            widen([fallback], "is the fallback of \(party.id)", at: party.location)
        }
        for board in party.agentFor where !(known?.agentFor.contains(board) ?? false) {
            widen([party.id], "acts for \(board)", at: party.location)
        }
    }

    private mutating func compare(
        _ roles: Set<Role>, _ desks: [DeskID], _ knownRoles: Set<Role>?, _ knownDesks: [DeskID]?, _ who: String,
        _ party: Party, _ location: SourceLocation
    ) {
        let reading = roles.subtracting(knownRoles ?? []).subtracting([.sender])
        if !reading.isEmpty {
            let names = reading.sorted().map(\.rawValue).joined(separator: ", ")
            widen([party.id], "\(who) may act as \(names)", at: location)
        }
        let added = Set(desks).subtracting(knownDesks ?? [])
        if !added.isEmpty {
            widen([party.id], "\(who) reads at \(added.sorted().map(\.text).joined(separator: ", "))", at: location)
        }
    }
}
