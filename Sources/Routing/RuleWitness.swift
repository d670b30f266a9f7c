package import CaseNotifications

extension Policy {
    /// The parties that a rule lets send and that have somebody to send, as places in the table.
    func senders(of rule: Rule) -> [Int] {
        parties.indices.filter { place in
            let party = parties[place]
            guard rule.from.meansPartyAlone(party, ownCounty: county) else { return false }
            return party.clients.contains { $0.roles.contains(.sender) }
                || party.people.contains { $0.roles.contains(.sender) }
        }
    }

    /// Whether a rule can reach a party with an event of a municipality, whoever sends it and whatever it says.
    func canReach(_ rule: Rule, party place: Int, type: EventType, municipality: String) -> Bool {
        let party = parties[place]
        let selector = rule.to
        guard party.kind != .onCallDesk, selector.meansPartyAlone(party, ownCounty: county),
            party.serves(municipality), party.desks.contains(where: { $0.takes(type) })
        else { return false }
        return !selector.isGroup || index.groupMembers[municipality]?.contains(place) ?? false
    }

    /// A notification from one sender that fulfils all that a rule asks for, so that what the policy says of it is what the rule can
    /// do at best; nil if the sender cannot make one.
    func witness(
        of rule: Rule, type: EventType, from senderPlace: Int, to recipientPlace: Int, municipality: String,
        urgency: UrgencyClass, at instant: Timestamp
    ) -> CaseNotification? {
        guard let definition = catalogue.types[type], let basis = rule.basis.flatMap({ bases[$0] }) else { return nil }
        let (sender, recipient) = (parties[senderPlace], parties[recipientPlace])
        if rule.from.servesMunicipality, !sender.serves(municipality) { return nil }
        let secrecy = sender.secrecy.first(where: basis.lifts)
        if secrecy == nil, !sender.secrecy.isEmpty { return nil }
        let condition = rule.when
        var circumstances = condition.all
        if let other = condition.any.first(where: { !condition.none.contains($0) }), !condition.any.isEmpty,
            !condition.any.contains(where: circumstances.contains)
        {
            circumstances.append(other)
        }
        let needed = Set(definition.requiredAttributes + condition.attributes)
        let affirmed = (basis.affirmations(from: sender.kind) + rule.affirmations + condition.affirmed).filter {
            !condition.notAffirmed.contains($0)
        }
        var audience: [AudienceEntry] = []
        if rule.to.isNamed || needed.contains("audience") {
            let word = rule.to.roles.first ?? vocabulary.audienceRoles.keys.min()
            audience = word.map { [AudienceEntry(to: recipient.id.text, why: $0)] } ?? []
        }
        let consent = rule.consent.first
        let programme = condition.programmes.first ?? (needed.contains("programme") ? catalogue.programmes.min() : nil)
        let level = condition.levels.first ?? (needed.contains("level") ? catalogue.levels.max() : nil)
        let other = NotificationID(high: 1, low: 1)
        return CaseNotification(
            id: "example-1", source: sender.id, type: type, time: instant,
            subject: CaseID(county: Int(county) ?? 0, year: civilTime(instant).date.year, number: 1), county: county,
            municipality: municipality, audience: audience, urgency: urgency, programme: programme, level: level,
            isProtected: condition.isProtected ?? false, isDrill: needed.contains("drill"),
            secrecy: secrecy?.description, circumstances: circumstances,
            affirmations: affirmed.map {
                Affirmation(name: $0, person: Self.affirmer(among: sender.people), at: instant)
            },
            consent: consent == nil && !needed.contains("consent") ? nil : "consent-1", consentOf: consent,
            supersedes: needed.contains("supersedes") ? other : nil,
            expirytime: needed.contains("expirytime") ? .distantFuture : nil,
            correlationid: needed.contains("correlationid") ? other.text : nil,
            causationid: needed.contains("causationid") ? other.text : nil)
    }
}

extension Policy {
    /// A notification of a type that some party gets, for examples: from the first rule that delivers it, a duty if there is one.
    ///
    /// Nil if the policy has no such type, or nobody gets it.
    package func exampleNotification(of type: EventType, at instant: Timestamp) -> CaseNotification? {
        let rules = (index.deliveringRules[type] ?? []).map { self.rules[$0] }
        guard let urgency = catalogue.types[type]?.urgency else { return nil }
        for rule in rules.filter({ $0.kind == .duty }) + rules.filter({ $0.kind == .may }) {
            for sender in senders(of: rule) {
                for municipality in municipalities.keys.sorted() {
                    for recipient in index.receivers where recipient != sender {
                        guard canReach(rule, party: recipient, type: type, municipality: municipality),
                            var example = witness(
                                of: rule, type: type, from: sender, to: recipient, municipality: municipality,
                                urgency: urgency, at: instant)
                        else { continue }
                        // What the circumstances raise needs not be said.
                        example.urgency = nil
                        if !decide(example, at: instant).grants.isEmpty { return example }
                    }
                }
            }
        }
        return nil
    }

    /// Who can send a type and who can get it, by which rule: whatever the event says, whatever is agreed.
    package func ways(of type: EventType) -> [RuleWay] {
        rules.filter { $0.types.contains(type) }.map { rule in
            let codes = municipalities.keys.sorted()
            let recipients = parties.indices.filter { place in
                // A neighbouring county's board is reached with its own municipality.
                (codes + parties[place].municipalities).contains {
                    canReach(rule, party: place, type: type, municipality: $0)
                } || isNamedElsewhere(rule, party: place, type: type)
            }
            return RuleWay(
                rule: rule, senders: senders(of: rule).map { parties[$0].id },
                recipients: recipients.map { parties[$0].id })
        }
    }

    /// A party of another county that serves none of ours, and that a rule reaches when it is named.
    private func isNamedElsewhere(_ rule: Rule, party place: Int, type: EventType) -> Bool {
        let party = parties[place]
        return party.county != county && !rule.to.servesMunicipality && !rule.to.isGroup && party.kind != .onCallDesk
            && rule.to.meansPartyAlone(party, ownCounty: county) && party.desks.contains { $0.takes(type) }
    }
}

/// One rule's way from senders to recipients.
package struct RuleWay: Sendable {
    /// The rule.
    package let rule: Rule
    /// Parties that it lets send, sorted.
    package let senders: [PartyID]
    /// Parties that it can reach, sorted.
    package let recipients: [PartyID]
}
