import CaseNotifications
package import Settings

/// What a county lets the rules of others do with its parties: `neighbours` in its `rules.yaml`.
///
///     neighbours:
///       - {collaboration: orebro, parties: [soc-1780], told: [contactban.issued]}
///
/// says that our party soc-1780 may be told this type under the policy of Örebro, in which it is a party too. Nobody reads more
/// because of it: what goes is what Örebro's rules say, with the approvals that they need.
struct Neighbours: Sendable {
    /// Which way something goes, by the rule of the other side.
    enum Way: String, CaseIterable, Hashable, Sendable {
        /// Our party receives.
        case told
        /// Our party sends.
        case tells
    }

    /// One of ours, a type, and which way.
    struct Crossing: Hashable {
        let party: PartyID
        let type: EventType
        let way: Way
    }

    /// What one neighbour may do.
    struct Entry: Sendable {
        let collaboration: Located<CollaborationID>
        let parties: [Located<PartyID>]
        let types: [Way: [Located<EventType>]]

        /// Whether one of the crossings is of the entry.
        func names(_ crossing: Crossing) -> Bool {
            parties.contains { $0.value == crossing.party }
                && types[crossing.way]?.contains { $0.value == crossing.type } ?? false
        }
    }

    /// Each of them, in the file's order.
    let entries: [Entry]
    /// Where they stand, or would.
    let place: Place

    /// What one neighbour may do.
    func entries(for collaboration: CollaborationID) -> [Entry] {
        entries.filter { $0.collaboration.value == collaboration }
    }
}

/// Whether rules of both sides name what crosses between the collaborations of one daemon.
///
/// A party is at home in the collaborations of its county, by `county` in its file and in `collaboration.yaml`. A rule of another
/// county's that can make it receive or send, whatever an event says, whatever is agreed and whenever, needs an entry of its home
/// in `neighbours`; an on-call desk receives what the boards do that it acts for. `never` rules need none.
///
/// Of a neighbour that another daemon serves nothing is known here, so nothing is compared.
package struct NeighbourCheck {
    private let log: DiagnosticLog

    /// Reports what one side names and the other does not: errors, at the rule; and entries that no rule uses: warnings.
    ///
    /// - Parameter policies: all that one daemon serves, as their files say it, approvals aside; their order means nothing.
    package static func report(_ policies: [Policy], to log: DiagnosticLog) {
        let check = NeighbourCheck(log: log)
        for here in policies {
            let reach = ApprovalReach(here)
            for home in policies where home.collaboration != here.collaboration {
                check.compareCounties(here, home)
                check.compare(here, reach, home)
            }
        }
    }

    /// A party that is in two counties could not be said to be at home in either.
    private func compareCounties(_ here: Policy, _ home: Policy) {
        for party in here.parties where here.collaboration < home.collaboration {
            guard let same = home.party(party.id), same.county != party.county else { continue }
            log.error(
                .partyInTwoCounties, at: Self.place(of: party),
                "'\(party.id)' is of county \(party.county) here and of county \(same.county) in '\(home.collaboration)'",
                hint: "it is one party: its county says whose rules must name it", related: [same.location])
        }
    }

    private func compare(_ here: Policy, _ reach: ApprovalReach, _ home: Policy) {
        let entries = home.neighbours.entries(for: here.collaboration)
        var used: Set<Neighbours.Crossing> = []
        for rule in here.rules where rule.kind != .never {
            for way in Neighbours.Way.allCases {
                for party in parties(rule, way, here, reach) where isAtHome(party, in: home, notIn: here) {
                    let crossings = types(of: rule, way, party).map {
                        Neighbours.Crossing(party: party.id, type: $0, way: way)
                    }
                    used.formUnion(crossings)
                    let missing = crossings.filter { crossing in !entries.contains { $0.names(crossing) } }
                    if !missing.isEmpty { report(missing, rule, party, way, here, home) }
                }
            }
        }
        for entry in entries { warn(ofUnused: entry, used) }
    }

    private func isAtHome(_ party: Party, in home: Policy, notIn here: Policy) -> Bool {
        party.county == home.county && party.county != here.county
    }

    /// Parties that a rule means on one side, as approvals count them, and the on-call desks of those that receive.
    private func parties(_ rule: Rule, _ way: Neighbours.Way, _ policy: Policy, _ reach: ApprovalReach) -> [Party] {
        let meant = Set((way == .told ? reach.recipients : reach.senders)[rule.id] ?? [])
        return policy.parties.filter { party in
            meant.contains(party.id) || way == .told && !meant.isDisjoint(with: party.agentFor)
        }
    }

    private func types(of rule: Rule, _ way: Neighbours.Way, _ party: Party) -> [EventType] {
        rule.types.sorted().filter { type in way == .tells || party.desks.contains { $0.takes(type) } }
    }

    // MARK: Telling

    private func report(
        _ missing: [Neighbours.Crossing], _ rule: Rule, _ party: Party, _ way: Neighbours.Way, _ here: Policy,
        _ home: Policy
    ) {
        let types = missing.map(\.type.shortName).joined(separator: ", ")
        let (guest, county) = ("'\(party.id)' of '\(home.collaboration)'", "'\(home.collaboration)'")
        let what = way == .told ? "tells \(guest) \(types)" : "lets \(guest) tell \(types)"
        let isKnown = home.party(party.id) != nil
        let entries = home.neighbours.entries(for: here.collaboration).map(\.collaboration.location)
        let line = "{collaboration: \(here.collaboration), parties: [\(party.id)], \(way.rawValue): [\(types)]}"
        log.error(
            .unnamedByNeighbour, at: Place(rule.location, length: rule.id.text.utf8.count),
            "the rule '\(rule.id)' \(what), and "
                + (isKnown ? "the rules of \(county) do not say so" : "\(county) has no such party"),
            hint: (isKnown ? "" : "give it a file in \(county), and ")
                + "add to 'neighbours' in \(home.neighbours.place.location.file): \(line)",
            related: entries.isEmpty ? [home.neighbours.place.location] : entries)
    }

    /// The whole entry if nothing of it is used, else each party and each type of it that is not.
    private func warn(ofUnused entry: Neighbours.Entry, _ used: Set<Neighbours.Crossing>) {
        let used = used.filter(entry.names)
        let neighbour = entry.collaboration.value
        func warn(_ place: Place, _ what: String) {
            log.warning(
                .unusedNeighbour, at: place, "no rule of '\(neighbour)' \(what)",
                hint: "remove it, unless that rule is still to come")
        }
        guard !used.isEmpty else { return warn(entry.collaboration.place, "needs this entry") }
        for party in entry.parties where !used.contains(where: { $0.party == party.value }) {
            warn(party.place, "needs '\(party.value)' here")
        }
        for way in Neighbours.Way.allCases {
            for type in entry.types[way] ?? [] where !used.contains(where: { $0.way == way && $0.type == type.value }) {
                let name = type.value.shortName
                warn(type.place, way == .told ? "tells these parties \(name)" : "lets these parties tell \(name)")
            }
        }
    }

    private static func place(of party: Party) -> Place { Place(party.location, length: party.id.text.utf8.count) }
}
