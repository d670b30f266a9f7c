import CaseNotifications
import Settings

/// Parties without what is not approved.
extension InactiveParts {
    /// The same parties, each with its approved desks, clients, people, boards, fallback, merger and gaps only.
    func activeParts(of parties: [Party]) -> [Party] {
        guard !isEmpty else { return parties }
        var owners: [DeskID: Party] = [:]
        for party in parties {
            for desk in party.desks where isActive("desk:\(party.id)/\(desk.id)") { owners[desk.id] = party }
        }
        // A successor's people reach the old party's desks by the merger, so they lose them with it.
        let merged = Dictionary(parties.map { ($0.id, activeMerger(of: $0)) }) { first, _ in first }
        return parties.map { party in
            activeParts(of: party) { desk in
                guard let owner = owners[desk] else { return false }
                return owner.id == party.id || Self.leads(from: owner.id, to: party.id, merged)
            }
        }
    }

    /// The boards for which an on-call desk may act.
    func activeParts(of agency: PartyFile.Agency, at party: PartyID) -> PartyFile.Agency {
        PartyFile.Agency(
            boards: agency.boards.filter { isActive("agent:\(party)/\($0.value)") }, agreement: agency.agreement,
            hours: agency.hours)
    }

    private func activeParts(of party: Party, reaching isReached: (DeskID) -> Bool) -> Party {
        let people = party.people.filter { isActive("person:\(party.id)/\($0.id)") }
        let unapproved = Set(party.people.map(\.id)).subtracting(people.map(\.id))
        let clients = party.clients.filter { isActive("client:\(party.id)/\($0.id)") }
        return party.having(
            fallback: isActive("fallback:\(party.id)") ? party.fallback : nil,
            agentFor: party.agentFor.filter { isActive("agent:\(party.id)/\($0)") },
            desks: party.desks.filter { isActive("desk:\(party.id)/\($0.id)") }.map { $0.leavingOut(unapproved) },
            clients: clients.map { $0.having(stations: $0.stations.filter(isReached)) },
            people: people.map { $0.having(desks: $0.desks.filter(isReached)) }, merger: activeMerger(of: party),
            coverageGaps: isActive("coverage-gap:\(party.id)") ? party.coverageGaps : [])
    }

    private func activeMerger(of party: Party) -> Merger? {
        isActive("merged:\(party.id)") ? party.merger : nil
    }

    /// Whether mergers lead from one party to another. A policy without errors has no circles; the count ends this anyway.
    private static func leads(from old: PartyID, to party: PartyID, _ merged: [PartyID: Merger?]) -> Bool {
        var next = old
        for _ in 0..<merged.count {
            guard let merger = merged[next] ?? nil else { return false }
            next = merger.successor
            if next == party { return true }
        }
        return false
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
