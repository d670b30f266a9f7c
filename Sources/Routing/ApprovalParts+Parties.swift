import CaseNotifications

/// The parts of a policy that parties are: who they are, and who reads at them.
extension Policy {
    func partyParts(_ reach: ApprovalReach) -> [ApprovalPart] {
        parties.flatMap { party in
            [
                recipientPart(of: party, reach), secrecyPart(of: party, reach), fallbackPart(of: party),
                mergerPart(of: party),
            ]
            .compactMap { $0 }
                + party.clients.map { part(of: $0, party) } + party.people.map { part(of: $0, party) }
                + party.desks.map { part(of: $0, party) } + agentParts(of: party)
        }
    }

    /// What rules and agreements see of a party that receives.
    private func recipientPart(of party: Party, _ reach: ApprovalReach) -> ApprovalPart {
        var form = ApprovalForm()
        form.add("kind", party.kind.rawValue)
        form.add("organisation", party.organisation)
        form.add("county", party.county)
        form.add("municipalities", any: party.municipalities.isEmpty ? nil : party.municipalities)
        // A group that names a party names those that it becomes part of.
        let groups = settings.groups.filter { group in
            group.members.contains { $0 == party.id || successors(of: $0).contains(party.id) }
        }.map { "\($0.id) of \($0.municipality)" }
        form.add("groups", groups.sorted())
        let place = party.municipalities.isEmpty ? "all of county \(party.county)" : form.lines[3]
        let senders = reach.sendersTo[party.id] ?? []
        var words = ["\(party.id) is \(party.kind.rawValue) of \(party.organisation), for \(place)."]
        if !groups.isEmpty { words.append("It is in the groups \(groups.sorted().joined(separator: ", ")).") }
        if !senders.isEmpty { words.append("\(Self.list(senders.sorted())) can send to it by rules for such parties.") }
        return ApprovalPart(
            id: "party:\(party.id)", form: form, approvers: senders.union([party.id]).sorted(), words: words,
            location: party.location)
    }

    /// Which secrecy holds at a party that sends: it decides which bases may lift it.
    private func secrecyPart(of party: Party, _ reach: ApprovalReach) -> ApprovalPart? {
        guard reach.allSenders.contains(party.id) else { return nil }
        var form = ApprovalForm()
        let provisions = party.secrecy.map(\.description)
        // The first one holds where none is stated, so the order counts.
        form.add("secrecy", provisions)
        let words =
            provisions.isEmpty
            ? "What \(party.id) sends is under no secrecy, so every basis lifts it."
            : "What \(party.id) sends is under OSL \(provisions.joined(separator: " or ")), \(provisions[0]) unless it "
                + "says otherwise; a basis that does not lift that delivers nothing."
        return ApprovalPart(
            id: "secrecy:\(party.id)", form: form, approvers: [party.id], words: [words], location: party.location)
    }

    private func part(of client: PartyClient, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        add(client.identity, client.roles, to: &form)
        form.add("stations", client.stations.map(\.text).sorted())
        form.add("speak-for-people", client.speaksForPeople ? "yes" : "no")
        var words = "The system \(client.id) of \(party.id) (\(Self.text(of: client.identity))) has the roles "
        words += Self.list(client.roles)
        if !client.stations.isEmpty {
            words += " and takes what waits at \(client.stations.map(\.text).joined(separator: ", "))"
        }
        return ApprovalPart(
            id: "client:\(party.id)/\(client.id)", form: form, approvers: [party.id], words: [words + "."],
            location: client.location)
    }

    private func part(of person: Person, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        add(person.identity, person.roles, to: &form)
        form.add("desks", person.desks.map(\.text).sorted())
        form.add("function", person.function)
        var words = "The person \(person.id) of \(party.id) (\(Self.text(of: person.identity))) has the roles "
        words += Self.list(person.roles)
        if !person.desks.isEmpty {
            words += " and reads what is at \(person.desks.map(\.text).joined(separator: ", "))"
        }
        return ApprovalPart(
            id: "person:\(party.id)/\(person.id)", form: form, approvers: [party.id], words: [words + "."],
            location: person.location)
    }

    private func part(of desk: Desk, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        form.add("types", any: desk.types?.map(\.shortName))
        let types = desk.types.map { $0.map(\.shortName).sorted().joined(separator: ", ") } ?? "every type"
        return ApprovalPart(
            id: "desk:\(party.id)/\(desk.id)", form: form, approvers: [party.id],
            words: ["The desk \(desk.id) of \(party.id) takes \(types)."], location: desk.location)
    }

    private func fallbackPart(of party: Party) -> ApprovalPart? {
        guard let fallback = party.fallback else { return nil }
        var form = ApprovalForm()
        form.add("to", fallback.text)
        return ApprovalPart(
            id: "fallback:\(party.id)", form: form, approvers: Set([party.id, fallback]).sorted(),
            words: [
                "What arrives while nobody is at the desks of \(party.id) goes to \(fallback), if a rule lets \(fallback) "
                    + "have it."
            ], location: party.location)
    }

    private func mergerPart(of party: Party) -> ApprovalPart? {
        guard let merger = party.merger else { return nil }
        var form = ApprovalForm()
        form.add("into", merger.successor.text)
        form.add("from", merger.start.rfc3339)
        return ApprovalPart(
            id: "merged:\(party.id)", form: form, approvers: Set([party.id, merger.successor]).sorted(),
            words: [
                "From \(merger.start.rfc3339) on \(merger.successor) has what was for \(party.id), at whose desks its people "
                    + "and systems may work."
            ], location: merger.location)
    }

    private func agentParts(of party: Party) -> [ApprovalPart] {
        party.agentFor.map { board in
            var form = ApprovalForm()
            form.add("for", board.text)
            return ApprovalPart(
                id: "agent:\(party.id)/\(board)", form: form, approvers: Set([party.id, board]).sorted(),
                words: [
                    "At its hours the on-call desk \(party.id) reads and acknowledges what is for \(board), when the desks "
                        + "of \(board) are closed."
                ], location: party.location)
        }
    }

    private func add(_ identity: CertificateIdentity, _ roles: Set<Role>, to form: inout ApprovalForm) {
        form.add("uri", identity.uri)
        form.add("fingerprint", identity.fingerprint)
        form.add("roles", roles.map(\.rawValue).sorted())
    }

    private static func text(of identity: CertificateIdentity) -> String {
        [identity.uri, identity.fingerprint.map { "certificate \($0)" }].compactMap { $0 }.joined(separator: ", ")
    }

    private static func list(_ roles: Set<Role>) -> String { roles.map(\.rawValue).sorted().joined(separator: ", ") }
}
