import CaseNotifications
import Settings

/// Compares mergers with the parties and rules that they speak of.
struct MergerChecks {
    let parties: [Party]
    let rules: [Rule]
    let context: ReadingContext

    /// Reports successors that are none, boards that a merger would leave without their on-call desk, and rules that name a party
    /// which is no more.
    func compare(_ drafts: [PartyHistoryReader.Draft], partyIDs: Set<String>?) {
        for draft in drafts { context.check(draft.successor.asText, .party, among: partyIDs) }
        let byID = Dictionary(parties.map { ($0.id, $0) }) { first, _ in first }
        for party in parties {
            guard let merger = party.merger else { continue }
            let place = drafts.first { $0.merger == merger }?.successor.place ?? Place(merger.location)
            if isCircular(party, byID: byID) {
                context.log.error(
                    .cycle, at: place, "the merger of '\(party.id)' leads back to itself",
                    hint: "name the party that remains")
            } else if let successor = byID[merger.successor], successor.kind != party.kind {
                context.log.error(
                    .contradiction, at: place,
                    "'\(party.id)' is \(party.kind.rawValue) and '\(successor.id)' is \(successor.kind.rawValue)",
                    hint: "a party's work goes to a party of the same kind", related: [successor.location])
            }
            if let successor = byID[merger.successor] {
                compareBoards(of: party, merger, with: successor, at: place, byID: byID)
            }
            warnOfRules(naming: party, merger)
        }
    }

    /// Boards do not follow their on-call desk into another: each chooses who acts for it, by an agreement.
    private func compareBoards(
        of party: Party, _ merger: Merger, with successor: Party, at place: Place, byID: [PartyID: Party]
    ) {
        guard party.kind == .onCallDesk, successor.kind == .onCallDesk else { return }
        let lacking = party.agentFor.map { present($0, at: merger.start, byID: byID) }
            .filter { !successor.agentFor.contains($0) }
        guard !lacking.isEmpty else { return }
        context.log.error(
            .contradiction, at: place,
            "'\(successor.id)' does not act for \(Set(lacking).sorted().map { "'\($0)'" }.joined(separator: ", "))"
                + ", which '\(party.id)' acts for until it becomes part of it",
            hint: "name them in its agent-for, with an agreement that they have signed", related: [successor.location])
    }

    /// What has become of a party at an instant.
    private func present(_ party: PartyID, at instant: Timestamp, byID: [PartyID: Party]) -> PartyID {
        var last = party
        for _ in parties {
            guard let merger = byID[last]?.merger, merger.start <= instant else { break }
            last = merger.successor
        }
        return last
    }

    private func isCircular(_ party: Party, byID: [PartyID: Party]) -> Bool {
        var seen: Set<PartyID> = [party.id]
        var next = party.merger?.successor
        while let id = next {
            guard seen.insert(id).inserted else { return true }
            next = byID[id]?.merger?.successor
        }
        return false
    }

    private func warnOfRules(naming party: Party, _ merger: Merger) {
        for rule in rules {
            let names = (rule.from.parties ?? []).union(rule.to.parties ?? [])
            guard names.contains(party.id), !names.contains(merger.successor) else { continue }
            let day = CivilDay(CivilTime(merger.start, zone: context.zone).day)
            context.log.warning(
                .mergedParty, at: Place(rule.location, length: rule.id.text.utf8.count),
                "the rule '\(rule.id)' names '\(party.id)', which becomes part of '\(merger.successor)' on \(day.text)",
                hint: "name '\(merger.successor)' too: a rule is not inherited", related: [merger.location])
        }
    }
}
