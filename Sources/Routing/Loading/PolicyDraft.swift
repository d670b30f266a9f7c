import CaseNotifications
import Settings

/// All files of a policy, read and compared with each other; a policy if none of them has an error.
struct PolicyDraft {
    private let context: ReadingContext
    private let collaboration: CollaborationFile
    private let types: TypesFile
    private let law: LawFile
    private let partyFiles: [PartyFile]
    private let agreements: AgreementsFile
    private let rules: RulesFile
    private let examples: ExamplesFile

    init(roots: PolicyRoots, zone: ZoneTransitions, purpose: LoadPurpose, log: DiagnosticLog) {
        context = ReadingContext(zone: zone, purpose: purpose, log: log)
        // Party ids are known even if something else in the party's file is wrong, so that one mistake is told once.
        let partyIDs: Set<String>? =
            roots.parties.isEmpty ? nil : Set(roots.parties.map { $0.root[key: "id"]?.text ?? $0.name })
        collaboration = CollaborationFile(
            roots.files["collaboration.yaml"], partyIDs: partyIDs, context: context)
        types = TypesFile(roots.files["types.yaml"], collaboration: collaboration.known, context: context)
        law = LawFile(
            roots.files["law.yaml"], types: types.catalogue?.types, partyIDs: partyIDs, context: context)
        var files: [PartyFile] = []
        for (name, root) in roots.parties {
            files.append(
                PartyFile(
                    root, name: name, collaboration: collaboration.known, types: types.catalogue?.types,
                    context: context))
        }
        partyFiles = files
        let parties = files.compactMap(\.party).sorted { $0.id < $1.id }
        agreements = AgreementsFile(
            roots.files["agreements.yaml"], collaboration: collaboration.known, parties: parties, partyIDs: partyIDs,
            context: context)
        rules = RulesFile(
            roots.files["rules.yaml"],
            known: RulesFile.Known(
                collaboration: collaboration.known, catalogue: types.catalogue, vocabulary: types.vocabulary,
                droppedSensitivities: types.droppedSensitivities, bases: law.bases,
                affirmations: law.affirmations.map { Set($0.keys) },
                agreements: agreements.agreements.map { Set($0.keys) }, partyIDs: partyIDs, parties: parties),
            context: context)
        examples = ExamplesFile(
            roots.files["tests.yaml"],
            known: ExamplesFile.Known(
                collaboration: collaboration.known, catalogue: types.catalogue, vocabulary: types.vocabulary,
                affirmations: law.affirmations.map { Set($0.keys) }, partyIDs: partyIDs,
                deskIDs: partyIDs == nil ? nil : Set(parties.flatMap { $0.desks.map(\.id.text) }),
                ruleIDs: roots.files["rules.yaml"] == nil ? nil : Set(rules.rules.map(\.id.text)), parties: parties),
            context: context)
        compareParties(parties, partyIDs: partyIDs)
        MergerChecks(parties: parties, rules: rules.rules, context: context).compare(
            partyFiles.compactMap(\.merger), partyIDs: partyIDs)
        for root in Array(roots.files.values) + roots.parties.map(\.root) {
            PersonalAddresses.refuse(in: root, log: log)
        }
    }

    // MARK: Comparing

    /// The files of approvals, read and their signatures verified.
    func approvalFiles(roots: PolicyRoots) -> [ApprovalsFile] {
        let partyIDs = roots.parties.isEmpty ? nil : Set(roots.parties.map { $0.root[key: "id"]?.text ?? $0.name })
        return roots.approvals.map { name, root in
            ApprovalsFile(
                root, name: name, collaboration: collaboration.settings?.id, partyIDs: partyIDs, context: context)
        }
    }

    private func compareParties(_ parties: [Party], partyIDs: Set<String>?) {
        var seenParties: [PartyID: SourceLocation] = [:]
        for file in partyFiles {
            if let id = file.id { context.checkUnique(id, "party", in: &seenParties) }
            if let fallback = file.fallback {
                context.check(fallback.asText, .party, among: partyIDs)
                if fallback.value == file.id?.value {
                    context.log.error(.cycle, at: fallback.place, "a party cannot be its own fallback")
                }
            }
            compareAgency(of: file, parties: parties, partyIDs: partyIDs)
        }
        var seenDesks: [DeskID: SourceLocation] = [:]
        var seenURIs: [String: SourceLocation] = [:]
        var seenFingerprints: [String: SourceLocation] = [:]
        for party in parties {
            for desk in party.desks {
                context.checkUnique(
                    Located(desk.id, at: Place(desk.location, length: desk.id.text.utf8.count)), "desk", in: &seenDesks)
                warnIfNobody(at: desk, of: party)
            }
            let identities =
                party.clients.map { ($0.identity, $0.location) } + party.people.map { ($0.identity, $0.location) }
            for (identity, location) in identities {
                if let uri = identity.uri { checkIdentity(uri, location, in: &seenURIs) }
                if let fingerprint = identity.fingerprint {
                    checkIdentity(fingerprint, location, in: &seenFingerprints)
                }
            }
        }
    }

    private func compareAgency(of file: PartyFile, parties: [Party], partyIDs: Set<String>?) {
        guard let agency = file.agency else { return }
        context.check(agency.boards.map(\.asText), .party, among: partyIDs)
        context.check(agency.agreement, .agreement, among: agreements.agreements.map { Set($0.keys) })
        for board in agency.boards {
            guard let party = parties.first(where: { $0.id == board.value }), party.kind == .onCallDesk else {
                continue
            }
            context.log.error(
                .contradiction, at: board.place, "an on-call desk cannot act for the on-call desk '\(board.value)'",
                related: [party.location])
        }
    }

    private func warnIfNobody(at desk: Desk, of party: Party) {
        let isManned =
            party.clients.contains { $0.stations.contains(desk.id) }
            || party.people.contains { $0.desks.contains(desk.id) }
        guard !isManned else { return }
        context.log.warning(
            .nobodyAtDesk, at: Place(desk.location, length: desk.id.text.utf8.count),
            "the desk '\(desk.id)' has neither a station nor people")
    }

    private func checkIdentity(_ identity: String, _ location: SourceLocation, in seen: inout [String: SourceLocation])
    {
        guard let first = seen[identity] else {
            seen[identity] = location
            return
        }
        context.log.error(
            .duplicateIdentity, at: Place(location), "another client or person has the same certificate",
            hint: "each certificate is exactly one client or person", related: [first])
    }

    // MARK: Building

    /// The policy; nil if something essential could not be read, which then is an error in the log.
    ///
    /// - Parameter inactive: what is left out because an approval is missing.
    func policy(
        roots: PolicyRoots, leavingOut inactive: InactiveParts = InactiveParts(), approvers: [Approver] = []
    ) -> Policy? {
        guard var settings = collaboration.settings, let catalogue = types.catalogue, let bases = law.bases,
            let agreements = agreements.agreements
        else { return nil }
        settings.retention = settings.retention.with(types.retention)
        let all = partyFiles.compactMap(\.party).sorted { $0.id < $1.id }
        var inactive = inactive
        inactive.noteDesks(of: all)
        let parties = inactive.activeParts(of: all)
        let sortedAgreements = inactive.activeParts(of: agreements.values.sorted { $0.id < $1.id })
        var vocabulary = types.vocabulary
        vocabulary.affirmations = law.affirmations ?? [:]
        let agencies = partyFiles.compactMap { file in
            file.agency.flatMap { agency in file.id.map { ($0.value, inactive.activeParts(of: agency, at: $0.value)) } }
        }
        let index = PolicyIndex(
            parties: parties, agencies: agencies, agreements: sortedAgreements, rules: rules.rules,
            settings: settings)
        let text = canonicalText(roots: roots) + inactive.lines.flatMap { Array("inactive \($0)\n".utf8) }
        return Policy(
            digest: Digest(sha256Of: text), canonicalText: text, settings: settings, catalogue: catalogue,
            zone: context.zone, parties: parties, bases: bases, agreements: sortedAgreements, rules: rules.rules,
            neighbours: rules.neighbours, examples: examples.examples, vocabulary: vocabulary, index: index,
            inactive: inactive, approvers: approvers)
    }

    /// Lists whose order means nothing, by file.
    static let unorderedLists: [String: String] = [
        "types.yaml": "types", "law.yaml": "bases", "agreements.yaml": "agreements", "rules.yaml": "rules",
    ]

    /// All that decisions depend on: one line per file and per entry of a list whose order means nothing, sorted, then the zone.
    ///
    /// Worked examples are left out: they do not decide anything.
    private func canonicalText(roots: PolicyRoots) -> [UInt8] {
        var lines: [String] = []
        for (name, root) in roots.files where name != "tests.yaml" {
            guard case .mapping(let entries) = root.content else { continue }
            for entry in entries {
                let key = entry.key.value
                if Self.unorderedLists[name] == key, case .list(let items) = entry.value.content {
                    lines += items.map { "\(name) \(key) \($0.canonicalText)" }
                } else {
                    lines.append("\(name) \(key) \(entry.value.canonicalText)")
                }
            }
        }
        for (name, root) in roots.parties { lines.append("parties/\(name).yaml \(root.canonicalText)") }
        lines.sort()
        let zone = context.zone
        let changes = zone.transitions.map { "\($0.at)\($0.offsetSeconds < 0 ? "" : "+")\($0.offsetSeconds)" }
        lines.append("zone \(zone.name) \(zone.initialOffsetSeconds) \(changes.joined(separator: " "))")
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }
}

extension PolicyIndex {
    /// Makes the ways into the tables. All tables are sorted by id, so that places are the order of ids.
    init(
        parties: [Party], agencies: [(PartyID, PartyFile.Agency)], agreements: [Agreement], rules: [Rule],
        settings: CollaborationSettings
    ) {
        let byID = Dictionary(parties.enumerated().map { ($1.id, $0) }) { first, _ in first }
        self.parties = byID
        var desks: [DeskID: DeskPlace] = [:]
        for (place, party) in parties.enumerated() {
            for (desk, entry) in party.desks.enumerated() { desks[entry.id] = DeskPlace(party: place, desk: desk) }
        }
        self.desks = desks
        self.rules = Dictionary(rules.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var delivering: [EventType: [Int]] = [:]
        var never: [EventType: [Int]] = [:]
        for (place, rule) in rules.enumerated() {
            for type in rule.types {
                if rule.kind == .never {
                    never[type, default: []].append(place)
                } else {
                    delivering[type, default: []].append(place)
                }
            }
        }
        deliveringRules = delivering
        neverRules = never
        receivers = parties.indices.filter { parties[$0].kind != .onCallDesk && !parties[$0].desks.isEmpty }
        byKind = Dictionary(grouping: receivers) { parties[$0].kind }
        var codes = Set(settings.municipalities.keys)
        for party in parties { codes.formUnion(party.municipalities) }
        let receivers = self.receivers
        byMunicipality = Dictionary(
            uniqueKeysWithValues: codes.map { code in (code, receivers.filter { parties[$0].serves(code) }) })
        let members = { (group: PartyGroup) in group.members.compactMap { byID[$0] } }
        groups = Dictionary(settings.groups.map { ($0.id, members($0)) }) { first, _ in first }
        groupMembers = Dictionary(grouping: settings.groups, by: \.municipality).mapValues { groups in
            Set(groups.flatMap(members)).sorted()
        }
        agents = Self.agents(agencies, parties: parties, byID: byID, agreements: agreements)
        var byParty: [Int: [Int]] = [:]
        for (place, agreement) in agreements.enumerated() {
            for member in agreement.members.keys {
                if let party = byID[member] { byParty[party, default: []].append(place) }
            }
        }
        self.agreements = byParty
        mergers = Self.mergers(parties, byID: byID)
        (byURI, byFingerprint) = Self.holders(parties)
    }

    private static func agents(
        _ agencies: [(PartyID, PartyFile.Agency)], parties: [Party], byID: [PartyID: Int], agreements: [Agreement]
    ) -> [Int: [Agent]] {
        var agents: [Int: [Agent]] = [:]
        for (id, agency) in agencies.sorted(by: { $0.0 < $1.0 }) {
            guard let place = byID[id], let agreement = agreements.first(where: { $0.id == agency.agreement.value })
            else { continue }
            for board in agency.boards {
                guard let boardPlace = byID[board.value] else { continue }
                let isSameBody = parties[place].organisation == parties[boardPlace].organisation
                let between = isSameBody ? Validity.unlimited : agreement.validity(between: id, and: board.value)
                let isSigned = agreement.state != .draft && agreement.isSigned
                // Without a signed agreement between the two it acts at no time.
                guard let between, isSigned || isSameBody else { continue }
                agents[boardPlace, default: []].append(
                    Agent(
                        party: place, hours: agency.hours, validity: between,
                        agreement: isSameBody ? nil : agreement.id))
            }
        }
        return agents
    }

    private static func holders(_ parties: [Party]) -> (uris: [String: [Holder]], fingerprints: [String: [Holder]]) {
        var uris: [String: [Holder]] = [:]
        var fingerprints: [String: [Holder]] = [:]
        func add(_ identity: CertificateIdentity, _ holder: Holder) {
            if let uri = identity.uri { uris[uri, default: []].append(holder) }
            if let fingerprint = identity.fingerprint { fingerprints[fingerprint, default: []].append(holder) }
        }
        for (party, entry) in parties.enumerated() {
            for (place, client) in entry.clients.enumerated() {
                add(client.identity, Holder(party: party, place: .client(place)))
            }
            for (place, person) in entry.people.enumerated() {
                add(person.identity, Holder(party: party, place: .person(place)))
            }
        }
        return (uris, fingerprints)
    }
}
