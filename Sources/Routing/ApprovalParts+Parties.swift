import CaseNotifications

/// The parts of a policy that parties are: who they are, and who reads at them.
extension Policy {
    func partyParts(_ reach: ApprovalReach) -> [ApprovalPart] {
        parties.flatMap { party in
            [
                recipientPart(of: party, reach), secrecyPart(of: party, reach), fallbackPart(of: party),
                mergerPart(of: party), gapPart(of: party),
            ]
            .compactMap { $0 }
                + party.clients.map { part(of: $0, party) } + party.people.map { part(of: $0, party) }
                + party.desks.map { part(of: $0, party) } + agentParts(of: party)
        }
    }

    /// What rules and agreements see of a party that receives.
    private func recipientPart(of party: Party, _ reach: ApprovalReach) -> ApprovalPart {
        var form = ApprovalForm()
        form.add("kind", party.kind.rawValue)
        form.add("organisation", party.organisation)
        form.add("county", party.county)
        form.add("municipalities", any: party.municipalities.isEmpty ? nil : party.municipalities)
        // A group that names a party names those that it becomes part of.
        let groups = settings.groups.filter { group in
            group.members.contains { $0 == party.id || successors(of: $0).contains(party.id) }
        }.map { "\($0.id) of \($0.municipality)" }
        form.add("groups", groups.sorted())
        let senders = reach.sendersTo[party.id] ?? []
        let (who, place) = (name(party.id), places(party.municipalities, county: party.county))
        var words = [
            Labels(
                sv:
                    "\(who.sv) är mottagare av slaget \(party.kind.rawValue) hos \(party.organisation), för"
                    + " \(place.sv).",
                en:
                    "\(who.en) is a recipient of the kind \(party.kind.rawValue) of \(party.organisation), for"
                    + " \(place.en)."
            )
        ]
        if !groups.isEmpty {
            let all = groups.sorted().joined(separator: ", ")
            words.append(Labels(sv: "Med i grupperna \(all).", en: "In the groups \(all)."))
        }
        if !senders.isEmpty {
            let all = names(senders.sorted())
            words.append(
                Labels(
                    sv: "Enligt regler för sådana mottagare kan den få något från: \(all.sv).",
                    en: "By rules for such recipients it can get something from: \(all.en)."))
        }
        return ApprovalPart(
            id: "party:\(party.id)", form: form, approvers: senders.union([party.id]).sorted(), words: words,
            location: party.location)
    }

    /// Which secrecy holds at a party that sends: it decides which bases may lift it.
    private func secrecyPart(of party: Party, _ reach: ApprovalReach) -> ApprovalPart? {
        guard reach.allSenders.contains(party.id) else { return nil }
        var form = ApprovalForm()
        let provisions = party.secrecy.map(\.description)
        // The first one holds where none is stated, so the order counts.
        form.add("secrecy", provisions)
        let who = name(party.id)
        let all = provisions.joined(separator: ", ")
        let words =
            provisions.isEmpty
            ? Labels(
                sv: "Det som \(who.sv) lämnar ut är inte under sekretess, så varje grund räcker.",
                en: "What \(who.en) sends is under no secrecy, so every basis will do.")
            : Labels(
                sv:
                    "Det som \(who.sv) lämnar ut är under sekretess enligt OSL \(all); om inget anges gäller"
                    + " \(provisions[0])."
                    + " En grund som inte bryter den lämnar ut ingenting.",
                en:
                    "What \(who.en) sends is under secrecy by OSL \(all); \(provisions[0]) where nothing is stated."
                    + " A basis"
                    + " that does not lift it delivers nothing.")
        return ApprovalPart(
            id: "secrecy:\(party.id)", form: form, approvers: [party.id], words: [words], location: party.location)
    }

    private func part(of client: PartyClient, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        add(client.identity, client.roles, to: &form)
        form.add("stations", client.stations.map(\.text).sorted())
        form.add("speak-for-people", client.speaksForPeople ? "yes" : "no")
        let who = name(party.id)
        let may = Self.words(of: client.roles)
        let desks = desks(client.stations)
        let takes = desks.map {
            Labels(sv: " och hämta det som väntar vid \($0.sv)", en: " and take what waits at \($0.en)")
        }
        return ApprovalPart(
            id: "client:\(party.id)/\(client.id)", form: form, approvers: readersApprovers(of: party),
            words: [
                Labels(
                    sv: "Systemet \(client.id) hos \(who.sv) får \(may.sv)\(takes?.sv ?? "").",
                    en: "The system \(client.id) of \(who.en) may \(may.en)\(takes?.en ?? "")."),
                Self.words(of: client.identity),
            ] + servedWords(of: party), location: client.location)
    }

    private func part(of person: Person, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        add(person.identity, person.roles, to: &form)
        form.add("desks", person.desks.map(\.text).sorted())
        form.add("function", person.function)
        let who = name(party.id)
        let may = Self.words(of: person.roles)
        let function = person.function.map { party.functions[$0] ?? Labels(of: $0) }
        let works = desks(person.desks).map {
            Labels(sv: " och läsa det som finns vid \($0.sv)", en: " and read what is at \($0.en)")
        }
        return ApprovalPart(
            id: "person:\(party.id)/\(person.id)", form: form, approvers: readersApprovers(of: party),
            words: [
                Labels(
                    sv:
                        "Personen \(person.id)\(function.map { " (\($0.sv))" } ?? "") hos \(who.sv) får"
                        + " \(may.sv)\(works?.sv ?? "").",
                    en:
                        "The person \(person.id)\(function.map { " (\($0.en))" } ?? "") of \(who.en) may"
                        + " \(may.en)\(works?.en ?? "")."
                ),
                Self.words(of: person.identity),
            ] + servedWords(of: party), location: person.location)
    }

    private func part(of desk: Desk, _ party: Party) -> ApprovalPart {
        var form = ApprovalForm()
        form.add("types", any: desk.types?.map(\.shortName))
        let types =
            desk.types.map { Labels.list($0.sorted().map(name)) }
            ?? Labels(sv: "händelser av alla slag", en: "events of every type")
        let (who, which) = (name(party.id), desk.labels.quoted)
        return ApprovalPart(
            id: "desk:\(party.id)/\(desk.id)", form: form, approvers: readersApprovers(of: party),
            words: [
                Labels(
                    sv: "Vid \(which.sv) (\(desk.id)) hos \(who.sv) tas emot: \(types.sv).",
                    en: "\(which.en) (\(desk.id)) of \(who.en) takes: \(types.en).")
            ] + servedWords(of: party), location: desk.location)
    }

    /// Who approves clients, people and desks of a party: itself, and the boards that it is an agent of, whose data are there.
    private func readersApprovers(of party: Party) -> [PartyID] { Set(party.agentFor + [party.id]).sorted() }

    private func servedWords(of party: Party) -> [Labels] {
        guard !party.agentFor.isEmpty else { return [] }
        let boards = names(party.agentFor.sorted())
        return [
            Labels(
                sv: "På jourens tider finns där också det som är till: \(boards.sv).",
                en: "At the hours of its duty what is for these is there too: \(boards.en).")
        ]
    }

    private func fallbackPart(of party: Party) -> ApprovalPart? {
        guard let fallback = party.fallback else { return nil }
        var form = ApprovalForm()
        form.add("to", fallback.text)
        let (who, other) = (name(party.id), name(fallback))
        return ApprovalPart(
            id: "fallback:\(party.id)", form: form, approvers: Set([party.id, fallback]).sorted(),
            words: [
                Labels(
                    sv:
                        "Det som kommer när ingen är på plats hos \(who.sv) går till \(other.sv), om en regel låter"
                        + " den få det.",
                    en:
                        "What arrives while nobody is at the desks of \(who.en) goes to \(other.en), if a rule lets"
                        + " that one"
                        + " have it.")
            ], location: party.location)
    }

    private func mergerPart(of party: Party) -> ApprovalPart? {
        guard let merger = party.merger else { return nil }
        var form = ApprovalForm()
        form.add("into", merger.successor.text)
        form.add("from", merger.start.rfc3339)
        let (who, other) = (name(party.id), name(merger.successor))
        let day = CivilDay(civilTime(merger.start).day).text
        return ApprovalPart(
            id: "merged:\(party.id)", form: form, approvers: Set([party.id, merger.successor]).sorted(),
            words: [
                Labels(
                    sv:
                        "Från och med \(day) får \(other.sv) det som var till \(who.sv), och dess folk och system"
                        + " får arbeta där.",
                    en:
                        "From \(day) on \(other.en) has what was for \(who.en), and its people and systems may work"
                        + " there."
                )
            ], location: merger.location)
    }

    private func agentParts(of party: Party) -> [ApprovalPart] {
        party.agentFor.map { board in
            var form = ApprovalForm()
            form.add("for", board.text)
            let (who, whose) = (name(party.id), name(board))
            var words = [
                Labels(
                    sv:
                        "På sina tider läser och kvitterar \(who.sv) det som är till \(whose.sv), när ingen är på"
                        + " plats där.",
                    en:
                        "At its hours \(who.en) reads and acknowledges what is for \(whose.en), when the desks there"
                        + " are"
                        + " closed.")
            ]
            if let agreement = agreement(between: party.id, and: board) {
                add(agreement, to: &form)
                for member in [party.id, board] {
                    form.add("agreement.\(member)", agreement.members[member].map { Self.text(of: $0) } ?? "none")
                }
                let what = agreement.labels.quoted
                words.append(Labels(sv: "Enligt överenskommelsen \(what.sv).", en: "By the agreement \(what.en)."))
            }
            return ApprovalPart(
                id: "agent:\(party.id)/\(board)", form: form, approvers: Set([party.id, board]).sorted(),
                words: words, location: party.location)
        }
    }

    /// The agreement by which an on-call desk acts for a board; nil within one authority, and where it does not act.
    private func agreement(between agent: PartyID, and board: PartyID) -> Agreement? {
        guard let place = index.parties[agent], let served = index.parties[board],
            let id = index.agents[served]?.first(where: { $0.party == place })?.agreement
        else { return nil }
        return agreements.first { $0.id == id }
    }

    private func add(_ identity: CertificateIdentity, _ roles: Set<Role>, to form: inout ApprovalForm) {
        form.add("uri", identity.uri)
        form.add("fingerprint", identity.fingerprint)
        form.add("roles", roles.map(\.rawValue).sorted())
    }

    private func desks(_ ids: [DeskID]) -> Labels? {
        guard !ids.isEmpty else { return nil }
        return Labels.list(
            ids.map { id in
                guard let labels = desk(id)?.labels.quoted else { return Labels(of: id.text) }
                return Labels(sv: "\(labels.sv) (\(id))", en: "\(labels.en) (\(id))")
            })
    }

    private static func words(of identity: CertificateIdentity) -> Labels {
        let all = [identity.uri, identity.fingerprint.map { "SHA-256 \($0)" }].compactMap { $0 }.joined(separator: ", ")
        return Labels(sv: "Känns igen på certifikatet \(all).", en: "It is known by the certificate \(all).")
    }

    private static func words(of roles: Set<Role>) -> Labels {
        Labels.list(
            roles.sorted().map { role in
                switch role {
                case .sender: Labels(sv: "skicka för sin part", en: "send for its party")
                case .receiver: Labels(sv: "ta emot", en: "receive")
                case .responder: Labels(sv: "läsa och kvittera", en: "read and acknowledge")
                case .coordinator:
                    Labels(sv: "se ålder, slag och läge, aldrig innehåll", en: "see age, type and state, never content")
                case .steering: Labels(sv: "se summor", en: "see totals")
                case .administrator:
                    Labels(sv: "sköta förmedlingen, aldrig innehåll", en: "run the relay, never content")
                case .auditor: Labels(sv: "läsa granskningsloggen", en: "read the audit log")
                }
            })
    }
}
