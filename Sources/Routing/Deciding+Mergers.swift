import CaseNotifications

/// What mergers of parties change in a decision: who may send, and whom an audience means.
extension Deciding {
    /// A party that has become part of another sends nothing new; what it sent before keeps its way.
    func refusalOfFormerSender() -> Refusal? {
        policy.index.successor(of: senderPlace, at: instant).map { place in
            Refusal(
                code: .wrongSource, pointer: "/source",
                message: "the source has become part of \(policy.parties[place].id), which sends now")
        }
    }

    /// The party itself, or the one that has taken over its work.
    mutating func present(_ place: Int) -> Int {
        guard let successor = policy.index.successor(of: place, at: instant) else { return place }
        if !(predecessors[successor]?.contains(place) ?? false) { predecessors[successor, default: []].append(place) }
        return successor
    }

    /// Members of the groups of the event's municipality, each as what has become of it.
    func groupMembers(of municipality: String) -> [Int] {
        let members = policy.index.groupMembers[municipality] ?? []
        guard !policy.index.mergers.isEmpty else { return members }
        return Set(members.map { policy.index.successor(of: $0, at: instant) ?? $0 }).sorted()
    }

    /// That the audience names a party which has become part of this one.
    func mergers(to party: Int) -> [Reason] {
        (predecessors[party] ?? []).map { place in
            let former = policy.parties[place]
            return Reason(.merged(from: former.id), at: former.merger?.location ?? former.location)
        }
    }
}
