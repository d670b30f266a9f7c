package import CaseNotifications
package import Settings

/// A name that a party had.
package struct FormerName: Hashable, Sendable {
    /// The name.
    package let labels: Labels
    /// The first instant at which it was not in use any more.
    package let end: Timestamp
}

/// What has become of a party that is no more: another has taken over all of its work.
package struct Merger: Hashable, Sendable {
    /// The party that it became part of.
    package let successor: PartyID
    /// From when on.
    package let start: Timestamp
    /// Where its file says so.
    package let location: SourceLocation
}

/// A board's signed word that it knows that nobody answers for it at some hours.
package struct CoverageGap: Sendable {
    /// The day on which it was signed.
    package let signed: CivilDay
    /// The function that signed.
    package let function: String
    /// From the day of the signature to the end of its last day.
    package let validity: Validity
    /// The municipalities that it is about; empty is all that the party serves.
    package let municipalities: Set<String>
    /// The types that it is about; empty is all.
    package let types: Set<EventType>
    /// Where the party's file says so.
    package let location: SourceLocation
}

extension Party {
    /// Whether the party has signed that nobody answers for a municipality's events of a type: one signature for all of the time.
    package func hasSignedGap(
        municipality: String, type: EventType, from start: Timestamp, to end: Timestamp
    ) -> Bool {
        coverageGaps.contains { gap in
            gap.validity.contains(start) && end <= gap.validity.end
                && (gap.municipalities.isEmpty ? serves(municipality) : gap.municipalities.contains(municipality))
                && (gap.types.isEmpty || gap.types.contains(type))
        }
    }
}

extension Policy {
    /// The party that has taken over the work of another, at an instant; nil if that is still its own.
    ///
    /// Of a chain of mergers it is the last that has happened.
    package func successor(of party: PartyID, at instant: Timestamp) -> PartyID? {
        index.parties[party].flatMap { index.successor(of: $0, at: instant) }.map { parties[$0].id }
    }

    /// The parties whose work a party has taken over, at an instant.
    package func predecessors(of party: PartyID, at instant: Timestamp) -> Set<PartyID> {
        guard !index.mergers.isEmpty, let place = index.parties[party] else { return [] }
        return Set(index.mergers.keys.filter { index.successor(of: $0, at: instant) == place }.map { parties[$0].id })
    }

    /// The name that a party had at an instant; nil if the policy does not know it. Receipts of old acts are shown with it.
    package func labels(of party: PartyID, at instant: Timestamp) -> Labels? { self.party(party)?.labels(at: instant) }
}

extension PolicyIndex {
    /// A merger by places in the table of parties.
    struct MergedInto: Sendable {
        let successor: Int
        let start: Timestamp
    }

    /// The last party in the chain of mergers that have happened; nil if the party has not merged.
    func successor(of place: Int, at instant: Timestamp) -> Int? {
        var last: Int?
        var next = place
        // Chains without an end are refused when the policy is read; the count ends this loop all the same.
        for _ in 0..<mergers.count {
            guard let merger = mergers[next], instant >= merger.start else { break }
            last = merger.successor
            next = merger.successor
        }
        return last
    }

    /// The first merger after an instant.
    func nextMerger(after instant: Timestamp) -> Timestamp {
        mergers.isEmpty
            ? .distantFuture : mergers.values.map(\.start).filter { $0 > instant }.min() ?? .distantFuture
    }

    static func mergers(_ parties: [Party], byID: [PartyID: Int]) -> [Int: MergedInto] {
        var mergers: [Int: MergedInto] = [:]
        for (place, party) in parties.enumerated() {
            guard let merger = party.merger, let successor = byID[merger.successor] else { continue }
            mergers[place] = MergedInto(successor: successor, start: merger.start)
        }
        return mergers
    }
}
