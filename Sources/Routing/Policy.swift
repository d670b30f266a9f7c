package import CaseNotifications
package import Settings

/// The routing policy of one collaboration: who may, must and must never get what.
///
/// Made by `PolicyLoader` and never changed. Everything that it says follows from its files and from the zone's
/// transitions, which its digest covers; it never asks the system. A class, so that a decision does not copy its tables.
package final class Policy: Sendable {
    /// SHA-256 of `canonicalText`.
    package let digest: Digest
    /// All that decisions depend on, the same for every order of files, keys and rules.
    package let canonicalText: [UInt8]
    /// Everything that `collaboration.yaml` says.
    package let settings: CollaborationSettings
    /// What may be sent.
    package let catalogue: EventCatalogue
    /// Local time.
    package let zone: ZoneTransitions
    /// All parties, sorted by id.
    package let parties: [Party]
    /// All legal bases by id.
    let bases: [String: Basis]
    /// All agreements, sorted by id.
    package let agreements: [Agreement]
    /// All rules, sorted by id.
    package let rules: [Rule]
    /// What the rules of others may do with our parties.
    let neighbours: Neighbours
    /// Worked examples, in the file's order.
    package let examples: [Example]
    /// What types and fields are called.
    let vocabulary: Vocabulary
    /// Ways into the tables above.
    let index: PolicyIndex
    /// What is as if absent because an approval is missing.
    package let inactive: InactiveParts
    /// Keys of all parties that have a file of approvals, sorted by party; the digest does not cover them.
    package let approvers: [Approver]

    /// All of it. Made by `PolicyDraft` only.
    init(
        digest: Digest, canonicalText: [UInt8], settings: CollaborationSettings, catalogue: EventCatalogue,
        zone: ZoneTransitions, parties: [Party], bases: [String: Basis], agreements: [Agreement], rules: [Rule],
        neighbours: Neighbours, examples: [Example], vocabulary: Vocabulary, index: PolicyIndex,
        inactive: InactiveParts, approvers: [Approver]
    ) {
        self.digest = digest
        self.canonicalText = canonicalText
        self.settings = settings
        self.catalogue = catalogue
        self.zone = zone
        self.parties = parties
        self.bases = bases
        self.agreements = agreements
        self.rules = rules
        self.neighbours = neighbours
        self.examples = examples
        self.vocabulary = vocabulary
        self.index = index
        self.inactive = inactive
        self.approvers = approvers
    }

    /// The county's collaboration.
    package var collaboration: CollaborationID { settings.id }
    /// Two digits.
    package var county: String { settings.county }
    /// Whether it is real or played.
    package var mode: Mode { settings.mode }
    /// Its name.
    package var labels: Labels { settings.labels }
    /// The simulated clock, in exercise mode, if there is one.
    package var clock: ClockSettings? { settings.clock }
    /// How long the relay keeps content.
    package var retention: RetentionSettings { settings.retention }
    /// Names of the county's municipalities by code.
    package var municipalities: [String: String] { settings.municipalities }
    /// Families whose type a coordinator may see.
    package var coordinatorFamilies: Set<String> { ["focus", "support", "coordination"] }

    /// What the clock on the wall shows.
    package func civilTime(_ instant: Timestamp) -> CivilTime { CivilTime(instant, zone: zone) }

    /// The settings of a class.
    package func urgencySettings(_ urgency: UrgencyClass) -> UrgencySettings {
        settings.urgency[Int(urgency.rawValue) - 1]
    }

    // MARK: Vocabulary

    /// What a type consists of.
    package func typeDefinition(_ type: EventType) -> EventTypeDefinition? { catalogue.types[type] }

    /// What a type is called.
    package func label(of type: EventType) -> Labels? { vocabulary.types[type] }

    /// What the fields of a type are called; fields without a name of their own are missing.
    package func fieldLabels(of type: EventType) -> [String: Labels] { vocabulary.fields[type] ?? [:] }

    /// What a code of a list is called.
    package func label(ofCode code: String, in list: String) -> Labels? { vocabulary.codes[list]?[code] }

    /// What a circumstance is called.
    package func label(ofCircumstance name: String) -> Labels? { vocabulary.circumstances[name] }

    /// What an affirmation says.
    package func label(ofAffirmation name: String) -> Labels? { vocabulary.affirmations[name] }

    /// Words that may stand behind the slash in an audience, sorted.
    package var audienceWords: [String] { vocabulary.audienceRoles.keys.sorted() }

    /// What a family is called.
    package func label(ofFamily name: String) -> Labels? { vocabulary.families[name] }

    // MARK: Parties

    /// A party by id.
    package func party(_ id: PartyID) -> Party? { index.parties[id].map { parties[$0] } }

    /// A desk by id.
    package func desk(_ id: DeskID) -> Desk? { index.desks[id].map { parties[$0.party].desks[$0.desk] } }

    /// The party whose desk it is.
    package func owner(of desk: DeskID) -> PartyID? { index.desks[desk].map { parties[$0.party].id } }

    /// A party's own desks, in order of preference.
    package func desks(of party: PartyID) -> [DeskID] { self.party(party)?.desks.map(\.id) ?? [] }

    /// People who work at a desk, sorted by id.
    package func people(at desk: DeskID) -> [Person] {
        guard let place = index.desks[desk] else { return [] }
        return parties[place.party].people.filter { $0.desks.contains(desk) }
    }

    /// Systems that may take custody of what waits at a desk, sorted by id.
    package func stations(of desk: DeskID) -> [ClientID] {
        guard let place = index.desks[desk] else { return [] }
        return parties[place.party].clients.filter { $0.stations.contains(desk) }.map(\.id)
    }

    /// Whether a party has people of that function.
    package func hasFunction(_ name: String, party: PartyID) -> Bool {
        self.party(party)?.functions[name] != nil
    }

    /// Boards that an on-call party acts for, in the file's order.
    package func boards(of agent: PartyID) -> [PartyID] { party(agent)?.agentFor ?? [] }

    /// On-call parties that act for a board at some time, sorted.
    package func agents(of board: PartyID) -> [PartyID] {
        guard let board = index.parties[board] else { return [] }
        return (index.agents[board] ?? []).map { parties[$0.party].id }
    }

    /// On-call parties that act for a board now: agreement in force, within their hours, not part of another; sorted.
    package func agents(of board: PartyID, at instant: Timestamp) -> [PartyID] {
        guard let board = index.parties[board] else { return [] }
        return (index.agents[board] ?? []).filter {
            $0.state(at: instant, zone: zone).isOpen && index.successor(of: $0.party, at: instant) == nil
        }.map { parties[$0.party].id }
    }

    /// Members of a group, sorted; nil if there is no such group.
    package func members(ofGroup id: String) -> [PartyID]? { settings.groups.first { $0.id == id }?.members }

    // MARK: Rules

    /// A rule by id.
    package func rule(_ id: RuleID) -> Rule? { index.rules[id].map { rules[$0] } }

    /// A legal basis by id.
    package func basis(_ id: String) -> Basis? { bases[id] }

    /// All legal bases, sorted by id.
    package var allBases: [Basis] { bases.values.sorted { $0.id < $1.id } }

    // MARK: Deadlines

    /// When somebody must have acknowledged a notification of a class that is accepted at an instant.
    package func deadline(_ urgency: UrgencyClass, at instant: Timestamp) -> Deadline {
        deadlineAndChange(urgency, at: instant).deadline
    }

    /// The deadline, and until when one counted from a later instant is the same.
    func deadlineAndChange(_ urgency: UrgencyClass, at instant: Timestamp) -> (deadline: Deadline, until: Timestamp) {
        switch urgencySettings(urgency).acknowledgement {
        case .within(let seconds): return (.after(seconds: seconds), .distantFuture)
        case .none: return (.none, .distantFuture)
        case .nextWorkingDay:
            let tomorrow = CivilDay(civilTime(instant).day + 1).instant(zone: zone)
            guard let end = settings.workingDays.endOfNextOpenDay(after: instant, zone: zone) else {
                return (.none, tomorrow)
            }
            return (.by(end), tomorrow)
        }
    }
}

/// Everything that `collaboration.yaml` says.
package struct CollaborationSettings: Sendable {
    /// The collaboration's id.
    package let id: CollaborationID
    /// Its name.
    package let labels: Labels
    /// Two digits.
    package let county: String
    /// Names of the county's municipalities by code.
    package let municipalities: [String: String]
    /// The name of the time zone.
    package let timeZone: String
    /// Whether it is real or played.
    package let mode: Mode
    /// The simulated clock, if there is one.
    package let clock: ClockSettings?
    /// Names of programmes by id.
    package let programmes: [String: Labels]
    /// Levels of focus individuals.
    package let levels: [String]
    /// Shared calendars by name.
    let calendars: [String: OpeningCalendar]
    /// In which "the end of the next working day" counts.
    let workingDays: OpeningCalendar
    /// Settings of the classes U1, U2, U3, U4, U0, by raw value.
    package let urgency: [UrgencySettings]
    /// How long the relay keeps content.
    package internal(set) var retention: RetentionSettings
    /// Groups, sorted by id.
    package let groups: [PartyGroup]
}

/// What things are called.
struct Vocabulary: Sendable {
    var types: [EventType: Labels] = [:]
    var fields: [EventType: [String: Labels]] = [:]
    var codes: [String: [String: Labels]] = [:]
    var circumstances: [String: Labels] = [:]
    var affirmations: [String: Labels] = [:]
    var families: [String: Labels] = [:]
    var areas: [String: Labels] = [:]
    var audienceRoles: [String: Labels] = [:]
}

/// Ways into a policy's tables, made once. Dictionaries are looked up and never walked.
struct PolicyIndex: Sendable {
    /// Where a desk stands.
    struct DeskPlace: Sendable {
        let party: Int
        let desk: Int
    }

    /// An on-call party and when it acts for a board.
    struct Agent: Sendable {
        let party: Int
        let hours: OpeningCalendar
        let validity: Validity
        /// The agreement by which it does; nil within one authority, which needs none.
        let agreement: String?

        /// Whether it acts now, and until when that holds.
        func state(at instant: Timestamp, zone: ZoneTransitions) -> OpeningCalendar.State {
            let change = validity.nextChange(after: instant)
            guard validity.contains(instant) else { return OpeningCalendar.State(isOpen: false, until: change) }
            let state = hours.state(at: instant, zone: zone)
            return OpeningCalendar.State(isOpen: state.isOpen, until: min(state.until, change))
        }
    }

    /// A client or person that a certificate may be.
    struct Holder: Hashable, Sendable {
        enum Place: Hashable, Sendable {
            case client(Int)
            case person(Int)
        }
        let party: Int
        let place: Place
    }

    let parties: [PartyID: Int]
    let desks: [DeskID: DeskPlace]
    let rules: [RuleID: Int]
    /// Rules that deliver, by type, in the order of their ids.
    let deliveringRules: [EventType: [Int]]
    /// `never` rules by type, in the order of their ids.
    let neverRules: [EventType: [Int]]
    /// Parties that can receive, by kind.
    let byKind: [PartyKind: [Int]]
    /// All parties that can receive.
    let receivers: [Int]
    /// Parties that can receive and serve a municipality, for every municipality that the policy names.
    let byMunicipality: [String: [Int]]
    /// Members of the groups of a municipality that can receive.
    let groupMembers: [String: [Int]]
    /// Members of a group by its id.
    let groups: [String: [Int]]
    /// On-call parties by board, sorted.
    let agents: [Int: [Agent]]
    /// Agreements by party.
    let agreements: [Int: [Int]]
    /// What has become of parties that are no more, or will not be.
    let mergers: [Int: MergedInto]
    /// Holders of certificates by URI.
    let byURI: [String: [Holder]]
    /// Holders of certificates by fingerprint.
    let byFingerprint: [String: [Holder]]
}
