import CaseNotifications
import Settings

/// Reads one file of `parties/`.
struct PartyFile {
    /// The party; nil if something that it cannot do without is missing or wrong.
    private(set) var party: Party?
    /// Where its id stands.
    private(set) var id: Located<PartyID>?
    /// Its fallback party, checked when all parties are known.
    private(set) var fallback: Located<PartyID>?
    /// For an on-call desk: the boards, the agreement and the hours.
    private(set) var agency: Agency?
    /// The party that it becomes part of, checked when all parties are known.
    private(set) var merger: PartyHistoryReader.Draft?

    /// What makes an on-call desk somebody's agent.
    struct Agency {
        let boards: [Located<PartyID>]
        let agreement: Located<String>
        let hours: OpeningCalendar
    }

    private let context: ReadingContext
    private let calendars: [String: OpeningCalendar]
    private let types: [EventType: EventTypeDefinition]?

    init(
        _ root: SettingsNode, name: String, collaboration: CollaborationFile.Known?,
        types: [EventType: EventTypeDefinition]?, context: ReadingContext
    ) {
        self.context = context
        self.types = types
        let shared = collaboration?.calendars ?? CalendarReader.builtIn
        var calendarEntries: [SettingsEntry] = []
        if case .mapping(let entries) = root[key: "calendars"]?.content { calendarEntries = entries }
        let own = CalendarReader(context: context).calendars(calendarEntries, known: shared)
        calendars = own.merging(shared) { own, _ in own }
        guard var reader = context.reader(root, "party '\(name)'") else { return }
        _ = reader.entries("calendars")
        id = reader.located("id", Scalar<PartyID>.id("party"))
        if let id, id.value.text != name {
            context.log.error(
                .fileName, at: id.place, "the party is '\(id.value)' and its file is called \(name).yaml",
                hint: "name the file \(id.value).yaml")
        }
        let labels = context.labels(&reader)
        let history = PartyHistoryReader(context: context)
        let formerNames = history.formerNames(reader.sequence("former-names"))
        merger = history.merger(&reader)
        let kind = reader.located("kind", .oneOf(PartyKind.self, named: "party kind"))
        let organisation = reader.value("organisation", Scalar<PartyID>.id("organisation"))
        let county = reader.value("county", .quotedCode(digits: 2))
        let municipalities = municipalities(&reader, county: county, collaboration: collaboration)
        let regime = reader.value("regime", .oneOf(Regime.self, named: "regime"))
        let secrecy = reader.list("secrecy", of: .provision).map(\.value)
        fallback = reader.optionalLocated("fallback", Scalar<PartyID>.id("party"))
        let functions = context.vocabulary(reader.entries("functions"), "a function")
        agency = agency(&reader, kind: kind?.value)
        let gaps = history.gaps(
            &reader, functions: Set(functions.keys), municipalities: municipalities, types: types)
        guard let partyID = id?.value else {
            for key in ["desks", "people", "clients"] { _ = reader.node(key) }
            reader.finish()
            return
        }
        let people = reader.sequence("people")
        let staff = Set(people.compactMap { $0[key: "id"]?.text })
        let desks = desks(reader.sequence("desks"), party: partyID, staff: staff)
        let deskIDs = Set(desks.map(\.id.text))
        let readPeople = self.people(people, party: partyID, desks: deskIDs, functions: Set(functions.keys))
        let clients = clients(reader.sequence("clients"), party: partyID, desks: deskIDs)
        reader.finish()
        guard let labels, let kind, let organisation, let county, let regime else { return }
        party = Party(
            id: partyID, labels: labels, formerNames: formerNames, kind: kind.value, organisation: organisation.text,
            county: county, municipalities: municipalities, regime: regime, secrecy: secrecy,
            fallback: fallback?.value, agentFor: agency?.boards.map(\.value) ?? [], desks: desks,
            clients: clients.sorted { $0.id < $1.id }, people: readPeople.sorted { $0.id < $1.id },
            functions: functions, merger: merger?.merger, coverageGaps: gaps,
            location: id?.location ?? reader.location)
    }

    private func municipalities(
        _ reader: inout MappingReader, county: String?, collaboration: CollaborationFile.Known?
    ) -> [String] {
        guard reader.requiredNode("municipalities") != nil else { return [] }
        let codes = reader.list("municipalities", of: .quotedCode(digits: 4))
        for code in codes {
            if let collaboration, county == collaboration.county {
                context.check(code, .municipality, among: collaboration.municipalities)
            } else if let county, !code.value.hasPrefix(county) {
                context.log.error(
                    .unknownMunicipality, at: code.place, "the municipality \(code.value) is not in county \(county)")
            }
        }
        return codes.map(\.value).sorted()
    }

    private func agency(_ reader: inout MappingReader, kind: PartyKind?) -> Agency? {
        let boards = reader.optionalList("agent-for", of: Scalar<PartyID>.id("party"))
        let agreement = reader.optionalLocated("agreement", .text)
        let hours = reader.optionalLocated("hours", .text)
        if let hours { context.check(hours, .calendar, among: Set(calendars.keys)) }
        if kind == .onCallDesk {
            for (key, isMissing) in [
                ("agent-for", boards == nil), ("agreement", agreement == nil), ("hours", hours == nil),
            ] where isMissing && reader.node(key) == nil {
                context.log.error(.missingKey, at: reader.place(of: "kind"), "an on-call desk needs '\(key)'")
            }
        } else if kind != nil {
            for key in ["agent-for", "agreement", "hours"] where reader.node(key) != nil {
                context.log.error(
                    .contradiction, at: reader.place(of: key), "'\(key)' is for the kind on-call-desk only")
            }
        }
        guard let boards, let agreement, let hours, let calendar = calendars[hours.value] else { return nil }
        return Agency(boards: boards, agreement: agreement, hours: calendar)
    }

    // MARK: Desks

    private func desks(_ items: [SettingsNode], party: PartyID, staff: Set<String>) -> [Desk] {
        items.compactMap { item in
            guard var reader = MappingReader(item, "a desk", context.log) else { return nil }
            let id = reader.located("id", Scalar<DeskID>.id("desk"))
            let labels = context.labels(&reader)
            let calendar = reader.located("calendar", .text)
            if let calendar { context.check(calendar, .calendar, among: Set(calendars.keys)) }
            let taken = reader.optionalList("types", of: .eventType)
            for type in taken ?? [] { context.check(type, among: types) }
            let roster = RosterReader(context: context, calendars: calendars, staff: staff).roster(&reader)
            reader.finish()
            guard let id, let labels, let calendar, let hours = calendars[calendar.value] else { return nil }
            return Desk(
                id: id.value, party: party, labels: labels, calendar: hours, types: taken.map { Set($0.map(\.value)) },
                roster: roster, location: id.location)
        }
    }

    // MARK: Clients and people

    private func clients(_ items: [SettingsNode], party: PartyID, desks: Set<String>) -> [PartyClient] {
        var seen: [ClientID: SourceLocation] = [:]
        return items.compactMap { item in
            guard var reader = MappingReader(item, "a client", context.log) else { return nil }
            let id = reader.located("id", Scalar<ClientID>.id("client"))
            if let id { context.checkUnique(id, "client", in: &seen) }
            let identity = identity(&reader, default: id.map { "\(Policy.urnPrefix)\(party):\($0.value)" })
            let roles = roles(&reader)
            let stations = reader.list("stations", of: Scalar<DeskID>.id("desk"))
            context.check(stations.map(\.asText), .desk, among: desks)
            if !stations.isEmpty, !roles.contains(.receiver) {
                context.log.error(
                    .missingRole, at: reader.place(of: "stations"), "stations need the role receiver",
                    hint: "add it to 'roles'")
            }
            let speaks = reader.optional("speak-for-people", .flag, default: false)
            var allows10 = false
            if var stomp = reader.optionalMapping("stomp") {
                allows10 = stomp.value("min", .oneOf(["1.0", "1.1", "1.2"])) == "1.0"
                stomp.finish()
            }
            reader.finish()
            guard let id, let identity else { return nil }
            return PartyClient(
                id: id.value, identity: identity, roles: roles, stations: stations.map(\.value),
                speaksForPeople: speaks, allows10: allows10, location: id.location)
        }
    }

    private func people(
        _ items: [SettingsNode], party: PartyID, desks: Set<String>, functions: Set<String>
    ) -> [Person] {
        var seen: [PersonID: SourceLocation] = [:]
        return items.compactMap { item in
            guard var reader = MappingReader(item, "a person", context.log) else { return nil }
            let id = reader.located("id", Scalar<PersonID>.id("person"))
            if let id { context.checkUnique(id, "person", in: &seen) }
            let identity = identity(&reader, default: id.map { "\(Policy.urnPrefix)\(party):person:\($0.value)" })
            let function = reader.optionalLocated("function", .text)
            if let function { context.check(function, .function, among: functions) }
            let roles = roles(&reader)
            let places = reader.list("desks", of: Scalar<DeskID>.id("desk"))
            context.check(places.map(\.asText), .desk, among: desks)
            if !places.isEmpty, !roles.contains(.responder) {
                context.log.error(
                    .missingRole, at: reader.place(of: "desks"), "people at desks need the role responder",
                    hint: "add it to 'roles'")
            }
            reader.finish()
            guard let id, let identity else { return nil }
            return Person(
                id: id.value, party: party, function: function?.value, identity: identity, roles: roles,
                desks: places.map(\.value), location: id.location)
        }
    }

    /// What the certificate must be: what is given, or else the URI that follows from the id.
    private func identity(_ reader: inout MappingReader, default uri: String?) -> CertificateIdentity? {
        let given = reader.optionalLocated("uri", .text)
        let fingerprint = reader.optional("fingerprint", .fingerprint)
        if let given, !given.value.hasPrefix(Policy.urnPrefix) {
            context.log.error(
                .invalidValue, at: given.place, "an identity begins with \(Policy.urnPrefix)",
                hint: uri.map { "leave 'uri' out to mean \($0)" })
        }
        if given == nil, fingerprint != nil { return CertificateIdentity(uri: nil, fingerprint: fingerprint) }
        guard let uri = given?.value ?? uri else { return nil }
        return CertificateIdentity(uri: uri, fingerprint: fingerprint)
    }

    /// Roles, of which those that watch others stand alone.
    private func roles(_ reader: inout MappingReader) -> Set<Role> {
        guard reader.requiredNode("roles") != nil else { return [] }
        let roles = reader.list("roles", of: .oneOf(Role.self, named: "role"))
        if roles.isEmpty { context.log.error(.wrongCount, at: reader.place(of: "roles"), "a certificate needs a role") }
        let together: Set<Role> = [.sender, .receiver, .responder]
        if roles.count > 1, let alone = roles.first(where: { !together.contains($0.value) }) {
            context.log.error(
                .incompatibleRoles, at: alone.place, "the role \(alone.value.rawValue) stands alone",
                hint: "two roles, two certificates")
        }
        return Set(roles.map(\.value))
    }
}

extension Scalar where Value == String {
    /// SHA-256 of a certificate.
    static var fingerprint: Scalar {
        Scalar("a fingerprint of 64 lower-case hexadecimal digits") { scalar in
            let bytes = scalar.text.utf8
            let isHex = bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            guard bytes.count == 64, isHex else { return .failure(ScalarFault()) }
            return .success(scalar.text)
        }
    }
}
