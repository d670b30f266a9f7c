import CaseNotifications
import Settings

/// Reads `rules.yaml`.
struct RulesFile {
    /// The rules, sorted by id.
    private(set) var rules: [Rule] = []
    /// What the rules of others may do with our parties.
    private(set) var neighbours = Neighbours(
        entries: [], place: Place(SourceLocation(file: "rules.yaml", line: 1, column: 1)))
    private let context: ReadingContext
    private let known: Known

    /// What rules may name; nil is what could not be read.
    struct Known {
        let collaboration: CollaborationFile.Known?
        let catalogue: EventCatalogue?
        let vocabulary: Vocabulary
        let droppedSensitivities: Set<String>
        let bases: [String: Basis]?
        let affirmations: Set<String>?
        let agreements: Set<String>?
        let partyIDs: Set<String>?
        let parties: [Party]
    }

    /// Envelope attributes that reveal where somebody is: out of the strict view unless a rule lists them there.
    static let strictlyDropped: Set<String> = ["county", "municipality", "circumstances"]
    /// Envelope attributes that a copy may have besides the fixed ones.
    static let viewAttributes: Set<String> = [
        "county", "municipality", "programme", "level", "protected", "secrecy", "circumstances", "consent",
        "consentof", "supersedes", "expirytime", "correlationid", "causationid",
    ]

    init(_ root: SettingsNode?, known: Known, context: ReadingContext) {
        self.context = context
        self.known = known
        guard var reader = context.reader(root, "rules.yaml") else { return }
        neighbours = Neighbours(&reader, known: known, context: context)
        var seen: [RuleID: SourceLocation] = [:]
        for item in reader.requiredSequence("rules") {
            if let rule = rule(item, seen: &seen) { rules.append(rule) }
        }
        reader.finish()
        rules.sort { $0.id < $1.id }
    }

    private func rule(_ node: SettingsNode, seen: inout [RuleID: SourceLocation]) -> Rule? {
        let name = node[key: "id"]?.text.map { "rule '\($0)'" } ?? "a rule"
        guard var reader = MappingReader(node, name, context.log) else { return nil }
        let id = reader.located("id", Scalar<RuleID>.id("rule"))
        if let id { context.checkUnique(id, "rule", in: &seen) }
        let labels = context.optionalLabels(&reader)
        let kind = reader.value("effect", .oneOf(RuleKind.self, named: "effect"))
        let types = types(&reader)
        let from = selector(&reader, "from", isRecipient: false)
        let to = selector(&reader, "to", isRecipient: true)
        let validity = context.validity(&reader)
        let when = condition(&reader)
        let fields = fields(&reader, types: types)
        let isNever = kind == .never
        if isNever { refuseDeliveryKeys(&reader) }
        let delivery = isNever ? nil : delivery(&reader, kind: kind, types: types)
        let views = isNever ? [:] : views(&reader, types: types, fields: fields)
        reader.finish()
        guard let id, let kind, let from, let to else { return nil }
        let rule = Rule(
            id: id.value, labels: labels, kind: kind, types: types, from: from, to: to,
            law: delivery?.basis, validity: validity, when: when, affirmations: delivery?.affirmations ?? [],
            consent: delivery?.consent ?? [], agreements: delivery?.agreements ?? [], urgency: delivery?.urgency,
            marking: delivery?.marking, views: views,
            redactedFields: isNever ? Set((fields ?? []).map(\.value)) : [], location: id.location)
        if let basis = delivery?.basis {
            checkThatItApplies(rule, basis: basis, place: reader.node("basis")?.place ?? reader.place)
        }
        checkDesks(of: rule, place: reader.place(of: "to"))
        return rule
    }

    // MARK: What it is about

    private func types(_ reader: inout MappingReader) -> Set<EventType> {
        let families = reader.optionalList("families", of: .text)
        if let families {
            context.check(families, .family, among: TypesFile.families)
            if reader.node("types") != nil {
                context.log.error(.contradiction, at: reader.place(of: "types"), "either 'types' or 'families'")
            }
            let names = Set(families.map(\.value))
            let definitions = known.catalogue.map { Array($0.types.values) } ?? []
            return Set(definitions.filter { names.contains($0.family) }.map(\.type))
        }
        guard let node = reader.requiredNode("types") else { return [] }
        if node.text == "all" { return known.catalogue.map { Set($0.types.keys) } ?? [] }
        let types = reader.list("types", of: .eventType)
        if types.isEmpty, case .list = node.content {
            context.log.error(.wrongCount, at: node.place, "the rule is about no type")
        }
        let defined = types.filter { context.check($0, among: known.catalogue?.types) }
        return Set(defined.map(\.value))
    }

    private func selector(_ reader: inout MappingReader, _ key: String, isRecipient: Bool) -> Selector? {
        guard var selector = reader.mapping(key) else { return nil }
        let kinds = selector.optionalList("kinds", of: .oneOf(PartyKind.self, named: "party kind"))
        let parties = parties(&selector)
        let place = selector.optional("where", .oneOf(["municipality"]))
        let counties = selector.optionalList("counties", of: .quotedCode(digits: 2))
        var named = false
        var group = false
        var roles: [Located<String>] = []
        if isRecipient {
            named = selector.optional("named", .flag, default: false)
            roles = selector.list("roles", of: .text)
            if known.catalogue != nil, !roles.isEmpty {
                context.check(roles, .audienceRole, among: Set(known.vocabulary.audienceRoles.keys))
            }
            group = selector.optional("group", .flag, default: false)
            for kind in kinds ?? [] where kind.value == .onCallDesk {
                context.log.error(
                    .contradiction, at: kind.place, "rules address boards, never on-call desks",
                    hint: "the on-call desk of a board gets it when that is closed")
            }
        }
        selector.finish()
        let isUnlimited = kinds == nil && parties == nil && !named && roles.isEmpty && !group && place == nil
        if isUnlimited, selector.node("parties") == nil {
            context.log.error(
                .missingKey, at: reader.place(of: key), "'\(key)' says nobody",
                hint: "everybody is 'parties: [\"*\"]'")
        }
        var result = Selector(
            kinds: kinds.map { Set($0.map(\.value)) }, parties: parties, servesMunicipality: place != nil,
            isNamed: named || !roles.isEmpty, roles: roles.map(\.value), isGroup: group,
            counties: counties.map { Set($0.map(\.value)) })
        if let county = known.collaboration?.county { result.compare(with: known.parties, ownCounty: county) }
        return result
    }

    /// The parties of a selector; nil is any of them, as `"*"` says.
    private func parties(_ selector: inout MappingReader) -> Set<PartyID>? {
        guard let node = selector.node("parties") else { return nil }
        if case .list(let items) = node.content, items.count == 1, items[0].text == "*" { return nil }
        let parties = selector.list("parties", of: Scalar<PartyID>.id("party"))
        context.check(parties.map(\.asText), .party, among: known.partyIDs)
        return Set(parties.map(\.value))
    }

    private func condition(_ reader: inout MappingReader) -> Condition {
        guard var when = reader.optionalMapping("when") else { return Condition() }
        func circumstances(_ key: String) -> [String] {
            let names = when.list(key, of: .text)
            context.check(names, .circumstance, among: known.catalogue?.circumstances)
            return names.map(\.value)
        }
        func affirmations(_ key: String) -> [String] {
            let names = when.list(key, of: .text)
            context.check(names, .affirmation, among: known.affirmations)
            return names.map(\.value)
        }
        var condition = Condition()
        condition.all = circumstances("all")
        condition.any = circumstances("any")
        condition.none = circumstances("none")
        let levels = when.list("levels", of: .text)
        context.check(levels, .level, among: known.collaboration?.levels)
        condition.levels = levels.map(\.value)
        let programmes = when.list("programmes", of: .text)
        context.check(programmes, .programme, among: known.collaboration?.programmes)
        condition.programmes = programmes.map(\.value)
        let attributes = when.list("attributes", of: .text)
        if !attributes.isEmpty {
            context.check(attributes, .attribute, among: Set(CaseNotification.extensionAttributes))
        }
        condition.attributes = attributes.map(\.value)
        condition.affirmed = affirmations("affirmed")
        condition.notAffirmed = affirmations("not-affirmed")
        condition.isProtected = when.optional("protected", .flag)
        when.finish()
        return condition
    }

    // MARK: How it delivers

    private struct Delivery {
        var basis: Basis?
        var affirmations: [String]
        var consent: [String]
        var agreements: Set<String>
        var urgency: UrgencyClass?
        var marking: String?
    }

    private func refuseDeliveryKeys(_ reader: inout MappingReader) {
        for key in ["basis", "attributes", "strict", "affirm", "consent", "agreements", "urgency", "marking"]
        where reader.node(key) != nil {
            context.log.error(.contradiction, at: reader.place(of: key), "a never rule has no '\(key)'")
        }
    }

    private func delivery(_ reader: inout MappingReader, kind: RuleKind?, types: Set<EventType>) -> Delivery {
        let name = reader.located("basis", .text)
        var basis: Basis?
        if let name, context.check(name, .basis, among: known.bases.map { Set($0.keys) }) {
            basis = known.bases?[name.value]
        }
        if let name, let basis, kind == .duty, basis.effect != .duty {
            context.log.error(
                .dutyWithoutDuty, at: name.place, "the basis '\(basis.id)' is no duty",
                hint: "make the rule 'effect: may'", related: [basis.location])
        }
        let affirm = reader.list("affirm", of: .text)
        context.check(affirm, .affirmation, among: known.affirmations)
        let consent = reader.list("consent", of: .oneOf(ConsentGiver.allCases.map(\.rawValue)))
        for giver in consent where basis.map({ !$0.consent.contains(giver.value) }) ?? false {
            context.log.error(
                .contradiction, at: giver.place, "the basis does not rest on consent of the \(giver.value)",
                related: basis.map { [$0.location] } ?? [])
        }
        let agreements = reader.list("agreements", of: .text)
        context.check(agreements, .agreement, among: known.agreements)
        if let first = agreements.first, kind == .duty {
            context.log.error(.contradiction, at: first.place, "a duty needs no agreement")
        }
        let urgency = reader.optional("urgency", .urgency)
        let marking = reader.optional("marking", .text)
        let demanded = consent.isEmpty ? basis?.consent ?? [] : consent.map(\.value)
        return Delivery(
            basis: basis, affirmations: affirm.map(\.value), consent: demanded,
            agreements: Set(agreements.map(\.value)), urgency: urgency, marking: marking)
    }

    // MARK: Views

    /// The value of `fields`: nil for `all` or if it is left out.
    private func fields(_ reader: inout MappingReader, types: Set<EventType>) -> [Located<String>]? {
        guard let node = reader.node("fields"), node.text != "all" else { return nil }
        let fields = reader.list("fields", of: .fieldName)
        check(fields, areIn: types)
        return fields
    }

    /// Reports fields that one of the types does not have.
    private func check(_ fields: [Located<String>], areIn types: Set<EventType>) {
        let definitions = types.sorted().compactMap { known.catalogue?.types[$0] }
        for field in fields {
            guard
                let lacking = definitions.first(where: { !$0.fields.contains { $0.name == field.value } })
            else { continue }
            let name = lacking.type.shortName
            context.log.error(
                .unknownField, at: field.place, "the type \(name) has no field \(Diagnostic.quote(field.value))",
                hint: Suggestion.hint(for: field.value, among: lacking.fields.map(\.name)))
        }
    }

    private func views(
        _ reader: inout MappingReader, types: Set<EventType>, fields: [Located<String>]?
    ) -> [EventType: RuleView] {
        _ = reader.requiredNode("fields")
        let attributes = reader.list("attributes", of: .text)
        check(attributes: attributes)
        var strictAttributes: [Located<String>]?
        var strictFields: [Located<String>]?
        if var strict = reader.optionalMapping("strict") {
            strictAttributes = strict.optionalList("attributes", of: .text)
            strictFields = strict.optionalList("fields", of: .fieldName)
            strict.finish()
        }
        for attribute in strictAttributes ?? [] where !attributes.contains(where: { $0.value == attribute.value }) {
            context.log.error(
                .widerStrictView, at: attribute.place, "the strict view has '\(attribute.value)', the ordinary one not")
        }
        if let fields {
            for field in strictFields ?? [] where !fields.contains(where: { $0.value == field.value }) {
                context.log.error(
                    .widerStrictView, at: field.place, "the strict view has '\(field.value)', the ordinary one not")
            }
        } else {
            check(strictFields ?? [], areIn: types)
        }
        var views: [EventType: RuleView] = [:]
        for type in types {
            guard let definition = known.catalogue?.types[type] else { continue }
            let names = fields?.map(\.value) ?? definition.fields.map(\.name)
            views[type] = RuleView(
                attributes: attributes.map(\.value), fields: names,
                strictAttributes: strictAttributes?.map(\.value)
                    ?? attributes.map(\.value).filter { !Self.strictlyDropped.contains($0) },
                strictFields: strictFields?.map(\.value)
                    ?? names.filter { isKeptInStrictView($0, of: definition) })
        }
        return views
    }

    private func check(attributes: [Located<String>]) {
        for attribute in attributes where !Self.viewAttributes.contains(attribute.value) {
            context.log.error(
                .unknownName, at: attribute.place,
                "\(Diagnostic.quote(attribute.value)) is no attribute that a copy may have",
                hint: Suggestion.hint(for: attribute.value, among: Self.viewAttributes))
        }
    }

    private func isKeptInStrictView(_ name: String, of definition: EventTypeDefinition) -> Bool {
        guard let field = definition.fields.first(where: { $0.name == name }) else { return false }
        return field.kind != .municipality && !known.droppedSensitivities.contains(field.sensitivity)
    }

    // MARK: Whether it can work

    /// Reports a rule whose basis excludes every sender, every recipient or every type that the rule means.
    private func checkThatItApplies(_ rule: Rule, basis: Basis, place: Place) {
        func report(_ what: String) {
            context.log.error(
                .neverApplies, at: place, "the basis '\(basis.id)' can never apply: \(what)",
                related: [basis.location])
        }
        if let types = basis.types, !rule.types.isEmpty, types.isDisjoint(with: rule.types) {
            report("it is for none of the rule's types")
        }
        guard let county = known.collaboration?.county else { return }
        let senders = known.parties.filter { rule.from.meansPartyAlone($0, ownCounty: county) }
        if !senders.isEmpty {
            let entitled = senders.filter { basis.senders?.matches($0) ?? true }
            if entitled.isEmpty {
                report("it is for none of the rule's senders")
            } else if !entitled.contains(where: { sender in
                sender.secrecy.isEmpty || sender.secrecy.contains { basis.lifts($0) }
            }) {
                report("it lifts none of the secrecy that the senders have")
            }
        }
        let recipients = known.parties.filter { rule.to.meansPartyAlone($0, ownCounty: county) }
        if !recipients.isEmpty, !recipients.contains(where: { basis.recipients?.matches($0) ?? true }) {
            report("it is for none of the rule's recipients")
        }
    }

    /// Reports recipients that a rule names by id and that have no desk.
    private func checkDesks(of rule: Rule, place: Place) {
        guard rule.kind != .never, let named = rule.to.parties else { return }
        for party in known.parties where named.contains(party.id) {
            if party.kind == .onCallDesk {
                context.log.error(
                    .contradiction, at: place, "rules address boards, never the on-call desk '\(party.id)'",
                    related: [party.location])
            } else if party.desks.isEmpty {
                context.log.error(
                    .noDesk, at: place, "the recipient '\(party.id)' has no desk", related: [party.location])
            }
        }
    }
}
