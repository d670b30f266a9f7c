package import CaseNotifications

/// What a certificate may do. Two roles that watch each other need two certificates.
package enum Role: String, CaseIterable, Hashable, Comparable, Sendable {
    case sender, receiver, responder, coordinator, steering, administrator, auditor

    /// By name.
    package static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
}

/// What the policy lets one certificate do: exactly one client or person of exactly one party.
package struct ClientGrant: Sendable, Equatable {
    /// The party it speaks for.
    package let party: PartyID
    /// The system, or the person's id as a client id.
    package let client: ClientID
    /// The person, when the certificate is a person's.
    package let person: PersonID?
    /// The role that receipts show for this person.
    package let function: String?
    /// What it may do.
    package let roles: Set<Role>
    /// Desks whose inbox it may take custody from (systems) or work at (people), in the party file's order.
    package let desks: [DeskID]
    /// `desks` of a system, for a quick look; empty for people.
    package let stations: Set<DeskID>
    /// Whether STOMP 1.0 is served.
    package let allows10: Bool
    /// Whether it may report what named people of the party did.
    package let speaksForPeople: Bool

    /// A grant from its parts.
    package init(
        party: PartyID, client: ClientID, person: PersonID?, function: String?, roles: Set<Role>, desks: [DeskID],
        stations: Set<DeskID>, allows10: Bool, speaksForPeople: Bool
    ) {
        self.party = party
        self.client = client
        self.person = person
        self.function = function
        self.roles = roles
        self.desks = desks
        self.stations = stations
        self.allows10 = allows10
        self.speaksForPeople = speaksForPeople
    }
}

/// Whether a certificate is somebody, and if not, why.
package enum Authorization: Sendable, Equatable {
    /// It is this client or person.
    case granted(ClientGrant)
    /// It is nobody; the connection is refused.
    case denied(AuthorizationFault)

    /// The grant, or nil.
    package var grant: ClientGrant? {
        if case .granted(let grant) = self { grant } else { nil }
    }
}

/// Why a certificate is nobody.
package enum AuthorizationFault: Error, Sendable, Equatable {
    /// The certificate names no `urn:budkavle:` and its fingerprint is in no party's file.
    case unknownCertificate(uris: [String])
    /// The party of this URI is not in the policy.
    case unknownParty(uri: String)
    /// The party's file lists no such client or person.
    case unknownClient(uri: String, party: PartyID)
    /// The file pins another certificate for this client by its fingerprint.
    case otherCertificatePinned(uri: String, party: PartyID)
    /// It matches more than one client or person: which is meant cannot be known.
    case ambiguous([String])
}
