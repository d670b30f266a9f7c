import CaseNotifications
import Settings

/// Parties without what is not approved.
extension InactiveParts {
    /// The same parties, each with its approved desks, clients, people, boards, fallback, merger and gaps only.
    func activeParts(of parties: [Party]) -> [Party] {
        isEmpty ? parties : parties.map { activeParts(of: $0) }
    }

    /// The boards for which an on-call desk may act.
    func activeParts(of agency: PartyFile.Agency, at party: PartyID) -> PartyFile.Agency {
        PartyFile.Agency(
            boards: agency.boards.filter { isActive("agent:\(party)/\($0.value)") }, agreement: agency.agreement,
            hours: agency.hours)
    }

    private func activeParts(of party: Party) -> Party {
        // Clients and people are at desks of their own party only.
        let desks = party.desks.filter { isActive("desk:\(party.id)/\($0.id)") }
        let places = Set(desks.map(\.id))
        let people = party.people.filter { isActive("person:\(party.id)/\($0.id)") }
        let unapproved = Set(party.people.map(\.id)).subtracting(people.map(\.id))
        let clients = party.clients.filter { isActive("client:\(party.id)/\($0.id)") }
        return party.having(
            fallback: isActive("fallback:\(party.id)") ? party.fallback : nil,
            agentFor: party.agentFor.filter { isActive("agent:\(party.id)/\($0)") },
            desks: desks.map { $0.leavingOut(unapproved) },
            clients: clients.map { $0.having(stations: $0.stations.filter(places.contains)) },
            people: people.map { $0.having(desks: $0.desks.filter(places.contains)) },
            merger: isActive("merged:\(party.id)") ? party.merger : nil,
            coverageGaps: isActive("coverage-gap:\(party.id)") ? party.coverageGaps : [])
    }
}

extension Desk {
    /// The same desk with nobody on its roster who is not approved.
    func leavingOut(_ people: Set<PersonID>) -> Desk {
        guard let roster, !people.isEmpty else { return self }
        let reduced = Roster(entries: roster.entries, overrides: roster.overrides, unapproved: people)
        return Desk(
            id: id, party: party, labels: labels, calendar: calendar, types: types, roster: reduced, location: location)
    }
}

extension PartyClient {
    fileprivate func having(stations: [DeskID]) -> PartyClient {
        PartyClient(
            id: id, identity: identity, roles: roles, stations: stations, speaksForPeople: speaksForPeople,
            allows10: allows10, location: location)
    }
}

extension Person {
    fileprivate func having(desks: [DeskID]) -> Person {
        Person(
            id: id, party: party, function: function, identity: identity, roles: roles, desks: desks, location: location
        )
    }
}
