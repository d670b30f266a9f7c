package import CaseNotifications
package import Settings

/// A name in the languages of the program.
package struct Labels: Hashable, Sendable {
    /// Swedish.
    package let sv: String
    /// English.
    package let en: String

    /// A name.
    package init(sv: String, en: String) {
        self.sv = sv
        self.en = en
    }
}

/// What sort of body a party is.
package enum PartyKind: String, CaseIterable, Hashable, Sendable {
    case police, prosecutor, court, prison, probation
    case socialServices = "social-services"
    case onCallDesk = "on-call-desk"
    case region
    case countyBoard = "county-board"
    case school, ngo
    case municipalCompany = "municipal-company"
    case coordinator
    case `operator`
}

/// Which data protection law a party works under.
package enum Regime: String, CaseIterable, Hashable, Sendable {
    /// Brottsdatalagen (2018:1177).
    case bdl
    /// The general data protection regulation.
    case gdpr
}

/// A board or unit that sends and receives, as its file in `parties/` describes it.
///
/// A class, so that a decision passes it on without copying its fields.
package final class Party: Sendable {
    /// Its id.
    package let id: PartyID
    /// Its name.
    package let labels: Labels
    /// Earlier names, each with the last instant at which it was in use; oldest first.
    package let formerNames: [FormerName]
    /// What sort of body it is.
    package let kind: PartyKind
    /// The authority or municipality that it belongs to. Within one, no agreement is needed.
    package let organisation: String
    /// Two digits.
    package let county: String
    /// The municipalities that it serves; empty is the whole county.
    package let municipalities: [String]
    /// Which data protection law it works under.
    package let regime: Regime
    /// The secrecy that it may state for what it sends; the first is what holds when it states none.
    package let secrecy: [SecrecyProvision]
    /// The party that gets what arrives while nobody is at its desks.
    package let fallback: PartyID?
    /// For an on-call desk: the boards that it acts for.
    package let agentFor: [PartyID]
    /// Its desks, in order of preference.
    package let desks: [Desk]
    /// Its systems.
    package let clients: [PartyClient]
    /// Its people.
    package let people: [Person]
    /// What its people's functions are called.
    package let functions: [String: Labels]
    /// What it became part of, if it did or will.
    package let merger: Merger?
    /// Hours without cover that its board has signed for.
    package let coverageGaps: [CoverageGap]
    /// Where its file says so.
    package let location: SourceLocation

    /// All of it. Made by the policy's readers only.
    init(
        id: PartyID, labels: Labels, formerNames: [FormerName], kind: PartyKind, organisation: String,
        county: String, municipalities: [String], regime: Regime, secrecy: [SecrecyProvision], fallback: PartyID?,
        agentFor: [PartyID], desks: [Desk], clients: [PartyClient], people: [Person], functions: [String: Labels],
        merger: Merger?, coverageGaps: [CoverageGap], location: SourceLocation
    ) {
        self.id = id
        self.labels = labels
        self.formerNames = formerNames
        self.kind = kind
        self.organisation = organisation
        self.county = county
        self.municipalities = municipalities
        self.regime = regime
        self.secrecy = secrecy
        self.fallback = fallback
        self.agentFor = agentFor
        self.desks = desks
        self.clients = clients
        self.people = people
        self.functions = functions
        self.merger = merger
        self.coverageGaps = coverageGaps
        self.location = location
    }

    /// The same party with fewer desks, clients, people, boards, without its fallback, its merger or its signed gaps.
    func having(
        fallback: PartyID?, agentFor: [PartyID], desks: [Desk], clients: [PartyClient], people: [Person],
        merger: Merger?, coverageGaps: [CoverageGap]
    ) -> Party {
        Party(
            id: id, labels: labels, formerNames: formerNames, kind: kind, organisation: organisation, county: county,
            municipalities: municipalities, regime: regime, secrecy: secrecy, fallback: fallback, agentFor: agentFor,
            desks: desks, clients: clients, people: people, functions: functions, merger: merger,
            coverageGaps: coverageGaps, location: location)
    }

    /// The name that it had at an instant.
    package func labels(at instant: Timestamp) -> Labels {
        formerNames.first { instant < $0.end }?.labels ?? labels
    }

    /// Whether it serves a municipality.
    package func serves(_ municipality: String) -> Bool {
        municipalities.isEmpty ? municipality.hasPrefix(county) : municipalities.contains(municipality)
    }
}

/// A place within a party where notifications arrive and people work.
package struct Desk: Sendable {
    /// Its id, unique in the policy.
    package let id: DeskID
    /// The party whose desk it is.
    package let party: PartyID
    /// Its name.
    package let labels: Labels
    /// When it is staffed.
    package let calendar: OpeningCalendar
    /// The types that it takes; nil is all.
    package let types: Set<EventType>?
    /// Who is on duty when; nil if the desk is staffed by its calendar alone.
    package let roster: Roster?
    /// Where its party's file says so.
    package let location: SourceLocation

    /// Whether its being open depends on somebody being on duty.
    package var hasRoster: Bool { roster != nil }

    /// Whether it takes notifications of a type.
    package func takes(_ type: EventType) -> Bool { types?.contains(type) ?? true }

    /// Whether somebody is there, by calendar and roster, and until when that holds; the real change is not before that.
    package func state(at instant: Timestamp, zone: ZoneTransitions) -> OpeningCalendar.State {
        let hours = calendar.state(at: instant, zone: zone)
        guard let roster else { return hours }
        let staffing = roster.onDuty(at: instant, zone: zone)
        return OpeningCalendar.State(
            isOpen: hours.isOpen && !staffing.duties.isEmpty, until: min(hours.until, staffing.until))
    }
}

/// A system of a party.
package struct PartyClient: Sendable {
    /// Its id within the party.
    package let id: ClientID
    /// What its certificate must be.
    package let identity: CertificateIdentity
    /// What it may do.
    package let roles: Set<Role>
    /// Desks whose inbox it may take custody from.
    package let stations: [DeskID]
    /// Whether it may report what named people did.
    package let speaksForPeople: Bool
    /// Whether STOMP 1.0 is served.
    package let allows10: Bool
    /// Where its party's file says so.
    package let location: SourceLocation
}

/// A member of a party's staff.
package struct Person: Sendable {
    /// An opaque id, never a name.
    package let id: PersonID
    /// The party.
    package let party: PartyID
    /// The role that receipts show.
    package let function: String?
    /// What the certificate must be.
    package let identity: CertificateIdentity
    /// What the person may do.
    package let roles: Set<Role>
    /// Where the person works.
    package let desks: [DeskID]
    /// Where the party's file says so.
    package let location: SourceLocation
}

/// What a certificate must be: bear a URI, or be one certain certificate, or both.
package struct CertificateIdentity: Hashable, Sendable {
    /// A URI among its subject alternative names.
    package let uri: String?
    /// SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    package let fingerprint: String?

    /// An identity.
    ///
    /// - Precondition: one of the two is set.
    package init(uri: String?, fingerprint: String?) {
        precondition(uri != nil || fingerprint != nil, "an identity needs something to know it by")
        self.uri = uri
        self.fingerprint = fingerprint
    }
}
