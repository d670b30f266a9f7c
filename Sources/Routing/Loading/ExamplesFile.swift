import CaseNotifications
import Settings

/// Reads `tests.yaml`: worked examples.
struct ExamplesFile {
    /// The examples, in the file's order.
    private(set) var examples: [Example] = []
    private let context: ReadingContext
    private let known: Known

    /// What examples may name; nil is what could not be read.
    struct Known {
        let collaboration: CollaborationFile.Known?
        let catalogue: EventCatalogue?
        let vocabulary: Vocabulary
        let affirmations: Set<String>?
        let partyIDs: Set<String>?
        let deskIDs: Set<String>?
        let ruleIDs: Set<String>?
        let parties: [Party]
    }

    init(_ root: SettingsNode?, known: Known, context: ReadingContext) {
        self.context = context
        self.known = known
        guard var reader = context.reader(root, "tests.yaml") else { return }
        let items = reader.requiredSequence("examples")
        if items.isEmpty, let root {
            context.log.warning(.noExamples, at: root.place, "the policy has no worked examples")
        }
        var seen: [String: SourceLocation] = [:]
        for item in items {
            if let example = example(item, seen: &seen) { examples.append(example) }
        }
        reader.finish()
    }

    private func example(_ node: SettingsNode, seen: inout [String: SourceLocation]) -> Example? {
        guard var reader = MappingReader(node, "an example", context.log) else { return nil }
        let name = reader.located("name", .text)
        if let name { context.checkUnique(name, "example", in: &seen) }
        let at = reader.value("at", .instant)
        var present: Set<String>?
        let sent = reader.mapping("send").flatMap { notification($0, at: at ?? .distantPast, present: &present) }
        guard var expect = reader.mapping("expect") else {
            reader.finish()
            return nil
        }
        let urgency = expect.optional("urgency", .urgency)
        let recipients = expect.requiredSequence("recipients").compactMap(recipient)
        let refused = expect.sequence("refused").compactMap(refused)
        let without = expect.list("not", of: Scalar<PartyID>.id("party"))
        context.check(without.map(\.asText), .party, among: known.partyIDs)
        let refusal = expect.optionalLocated("refusal", .oneOf(RefusalCode.self, named: "refusal code"))
        if let refusal, !recipients.isEmpty {
            context.log.error(
                .contradiction, at: refusal.place, "what is refused as a whole has no recipients")
        }
        expect.finish()
        reader.finish()
        guard let name, let at, let sent else { return nil }
        return Example(
            name: name.value, at: at, notification: sent, presentFields: present, urgency: urgency,
            recipients: recipients, refused: refused, without: without.map(\.value), refusal: refusal?.value,
            place: name.place)
    }

    private func notification(
        _ reader: MappingReader, at: Timestamp, present: inout Set<String>?
    ) -> CaseNotification? {
        var reader = reader
        defer { reader.finish() }
        let source = reader.located("source", Scalar<PartyID>.id("party"))
        if let source { context.check(source.asText, .party, among: known.partyIDs) }
        let type = reader.located("type", .eventType)
        if let type { context.check(type, among: known.catalogue?.types) }
        let county = reader.optional("county", .quotedCode(digits: 2))
        let municipality = reader.optional("municipality", .quotedCode(digits: 4))
        let programme = reader.optionalLocated("programme", .text)
        if let programme { context.check(programme, .programme, among: known.collaboration?.programmes) }
        let level = reader.optionalLocated("level", .text)
        if let level { context.check(level, .level, among: known.collaboration?.levels) }
        let urgency = reader.optional("urgency", .urgency)
        let secrecy = reader.optional("secrecy", .provision)
        let consent = reader.optional("consent", .text)
        let consentOf = reader.optional("consentof", .oneOf(ConsentGiver.allCases.map(\.rawValue)))
        let causation = reader.optional("causationid", .text)
        let correlation = reader.optional("correlationid", .text)
        let isProtected = reader.optional("protected", .flag)
        let isDrill = reader.optional("drill", .flag, default: false)
        let circumstances = reader.list("circumstances", of: .text)
        context.check(circumstances, .circumstance, among: known.catalogue?.circumstances)
        let affirmations = reader.list("affirmations", of: .text)
        context.check(affirmations, .affirmation, among: known.affirmations)
        let audience = reader.list("audience", of: .audienceEntry)
        present = reader.optionalList("fields", of: .fieldName).map { fields in
            check(fields, type: type?.value)
            return Set(fields.map(\.value))
        }
        guard let source, let type else { return nil }
        let year = CivilTime(at, zone: context.zone).date.year
        let countyNumber = known.collaboration.flatMap { Int($0.county) } ?? 0
        return CaseNotification(
            id: "example", source: source.value, type: type.value, time: at,
            subject: CaseID(county: countyNumber, year: min(max(year, 1), 9_999), number: 0), county: county,
            municipality: municipality, audience: audience.map(\.value), urgency: urgency,
            programme: programme?.value, level: level?.value, isProtected: isProtected, isDrill: isDrill,
            secrecy: secrecy?.description, circumstances: circumstances.map(\.value),
            affirmations: affirmations.map { Affirmation(name: $0.value, person: affirmer(of: source.value), at: at) },
            consent: consent, consentOf: consentOf, correlationid: correlation, causationid: causation)
    }

    /// Who affirms in examples.
    private func affirmer(of party: PartyID) -> PersonID {
        Policy.affirmer(among: known.parties.first { $0.id == party }?.people ?? [])
    }

    private func check(_ fields: [Located<String>], type: EventType?) {
        guard let type, let definition = known.catalogue?.types[type] else { return }
        for field in fields where !definition.fields.contains(where: { $0.name == field.value }) {
            context.log.error(
                .unknownField, at: field.place,
                "the type \(type.shortName) has no field \(Diagnostic.quote(field.value))",
                hint: Suggestion.hint(for: field.value, among: definition.fields.map(\.name)))
        }
    }

    private func recipient(_ node: SettingsNode) -> Example.Recipient? {
        guard var reader = MappingReader(node, "a recipient", context.log) else { return nil }
        defer { reader.finish() }
        let party = reader.located("party", Scalar<PartyID>.id("party"))
        if let party { context.check(party.asText, .party, among: known.partyIDs) }
        let desk = reader.optionalLocated("desk", Scalar<DeskID>.id("desk"))
        if let desk { context.check(desk.asText, .desk, among: known.deskIDs) }
        let agent = reader.optionalLocated("agent", Scalar<PartyID>.id("party"))
        if let agent, agent.value.text != "none" { context.check(agent.asText, .party, among: known.partyIDs) }
        let rule = reader.optionalLocated("rule", Scalar<RuleID>.id("rule"))
        if let rule, let ruleIDs = known.ruleIDs, !ruleIDs.contains(rule.value.text) {
            context.log.error(
                .unknownName, at: rule.place, "unknown rule '\(rule.value)'",
                hint: Suggestion.hint(for: rule.value.text, among: ruleIDs))
        }
        let effect = reader.optional("effect", .effect)
        let urgency = reader.optional("urgency", .urgency)
        let fields = reader.optionalList("fields", of: .fieldName)
        let attributes = reader.optionalList("attributes", of: .text)
        let isStrict = reader.optional("strict", .flag)
        let deadline = reader.optional("acknowledge-by", .instant)
        guard let party else { return nil }
        return Example.Recipient(
            party: party.value, desk: desk?.value, agent: agent.map { $0.value.text == "none" ? nil : $0.value },
            rule: rule?.value, effect: effect, urgency: urgency, fields: fields.map { Set($0.map(\.value)) },
            attributes: attributes.map { Set($0.map(\.value)) }, isStrict: isStrict, acknowledgeBy: deadline,
            location: reader.location)
    }

    private func refused(_ node: SettingsNode) -> Example.ExpectedRefusal? {
        guard var reader = MappingReader(node, "a refusal", context.log) else { return nil }
        let party = reader.located("party", Scalar<PartyID>.id("party"))
        let code = reader.value("code", .oneOf(RefusalCode.self, named: "refusal code"))
        reader.finish()
        // A party that the policy does not know is refused as well, and an example may show that.
        guard let party, let code else { return nil }
        return Example.ExpectedRefusal(party: party.value, code: code, location: reader.location)
    }
}

extension Scalar where Value == AudienceEntry {
    /// `soc-1880/respondent`.
    static var audienceEntry: Scalar {
        Scalar(
            "a party or group and a word such as soc-1880/respondent",
            orNil: { text in
                let parts = text.split(separator: "/", omittingEmptySubsequences: false)
                guard parts.count == 2, PartyID(parts[0]) != nil, !parts[1].isEmpty else { return nil }
                return AudienceEntry(to: String(parts[0]), why: String(parts[1]))
            })
    }
}
