import CaseNotifications

extension Policy {
    /// What every identity of ours begins with.
    static let urnPrefix = "urn:budkavle:"

    /// Who a certificate is.
    ///
    /// - Parameter uris: its subject alternative names that are URIs; those that are not `urn:budkavle:` are passed over.
    /// - Parameter fingerprint: SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    package func authorize(uris: [String], fingerprint: String) -> Authorization {
        let own = uris.filter { $0.hasPrefix(Self.urnPrefix) }
        var found: [PolicyIndex.Holder] = []
        var pinnedOtherwise: (uri: String, party: PartyID)?
        for uri in own {
            for holder in index.byURI[uri] ?? [] {
                let pinned = identity(of: holder).fingerprint
                if let pinned, pinned != fingerprint {
                    pinnedOtherwise = (uri, parties[holder.party].id)
                } else if !found.contains(holder) {
                    found.append(holder)
                }
            }
        }
        for holder in index.byFingerprint[fingerprint] ?? [] where !found.contains(holder) {
            if let uri = identity(of: holder).uri, !uris.contains(uri) { continue }
            found.append(holder)
        }
        if own.count > 1 || found.count > 1 { return .denied(.ambiguous(own.sorted())) }
        if let holder = found.first { return .granted(grant(for: holder)) }
        if let pinnedOtherwise {
            return .denied(.otherCertificatePinned(uri: pinnedOtherwise.uri, party: pinnedOtherwise.party))
        }
        return .denied(fault(forUnknown: own.first, among: uris))
    }

    private func fault(forUnknown uri: String?, among uris: [String]) -> AuthorizationFault {
        guard let uri else { return .unknownCertificate(uris: uris.sorted()) }
        let name = uri.dropFirst(Self.urnPrefix.count).prefix { $0 != ":" }
        guard let party = PartyID(name), index.parties[party] != nil else { return .unknownParty(uri: uri) }
        return .unknownClient(uri: uri, party: party)
    }

    private func identity(of holder: PolicyIndex.Holder) -> CertificateIdentity {
        switch holder.place {
        case .client(let place): parties[holder.party].clients[place].identity
        case .person(let place): parties[holder.party].people[place].identity
        }
    }

    private func grant(for holder: PolicyIndex.Holder) -> ClientGrant {
        let party = parties[holder.party]
        switch holder.place {
        case .client(let place):
            let client = party.clients[place]
            return ClientGrant(
                party: party.id, client: client.id, person: nil, function: nil, roles: client.roles,
                desks: client.stations, stations: Set(client.stations), allows10: client.allows10,
                speaksForPeople: client.speaksForPeople)
        case .person(let place):
            let person = party.people[place]
            return ClientGrant(
                party: party.id, client: ClientID(unchecked: person.id.text), person: person.id,
                function: person.function, roles: person.roles, desks: person.desks, stations: [], allows10: false,
                speaksForPeople: false)
        }
    }
}
