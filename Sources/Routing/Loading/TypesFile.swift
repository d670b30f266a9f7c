import CaseNotifications
import Settings

/// Reads `types.yaml`: what may be sent.
struct TypesFile {
    /// Families that the relay knows; coordinators see the types of three of them.
    static let families: Set<String> = ["focus", "support", "measure", "protection", "coordination"]
    /// The longest text field, in bytes.
    static let longestTextBytes = 65_536

    /// The catalogue; nil if the file could not be read.
    private(set) var catalogue: EventCatalogue?
    /// What everything is called.
    private(set) var vocabulary = Vocabulary()
    /// Sensitivities whose fields stay out of the strict view.
    private(set) var droppedSensitivities: Set<String> = []
    /// Types with a retention of their own.
    private(set) var retention: [EventType: TypeRetention] = [:]
    private let context: ReadingContext
    private let leastUnacknowledged: Int64
    private var codeLists: [String: [String]] = [:]
    private var sensitivities: Set<String> = []

    init(_ root: SettingsNode?, collaboration: CollaborationFile.Known?, context: ReadingContext) {
        self.context = context
        leastUnacknowledged = collaboration?.leastUnacknowledged ?? 0
        guard var reader = context.reader(root, "types.yaml") else { return }
        readFamilies(&reader)
        vocabulary.areas = context.vocabulary(reader.requiredEntries("areas"), "an area")
        vocabulary.circumstances = context.vocabulary(reader.requiredEntries("circumstances"), "a circumstance")
        vocabulary.audienceRoles = context.vocabulary(reader.requiredEntries("audience-roles"), "an audience role")
        readSensitivities(reader.requiredEntries("sensitivities"))
        readCodeLists(reader.entries("code-lists"))
        var types: [EventType: EventTypeDefinition] = [:]
        var seen: [String: SourceLocation] = [:]
        for item in reader.requiredSequence("types") {
            guard let definition = type(item, levels: collaboration?.levels, seen: &seen) else { continue }
            types[definition.type] = definition
        }
        reader.finish()
        catalogue = EventCatalogue(
            types: types, circumstances: Set(vocabulary.circumstances.keys), codeLists: codeLists,
            programmes: collaboration?.programmes ?? [], levels: collaboration?.levels ?? [])
    }

    private mutating func readFamilies(_ reader: inout MappingReader) {
        let entries = reader.requiredEntries("families")
        vocabulary.families = context.vocabulary(entries, "a family")
        for entry in entries { context.check(entry.key, .family, among: Self.families) }
    }

    private mutating func readSensitivities(_ entries: [SettingsEntry]) {
        for entry in entries {
            sensitivities.insert(entry.key.value)
            guard var reader = MappingReader(entry.value, "sensitivity '\(entry.key.value)'", context.log) else {
                continue
            }
            let strict = reader.value("strict", .oneOf(["keep", "drop"]))
            reader.finish()
            if strict == "drop" { droppedSensitivities.insert(entry.key.value) }
        }
    }

    private mutating func readCodeLists(_ entries: [SettingsEntry]) {
        for entry in entries {
            let list = entry.key.value
            switch entry.value.content {
            case .mapping(let codes):
                vocabulary.codes[list] = context.vocabulary(codes, "a code")
                codeLists[list] = codes.map(\.key.value)
            case .list(let items):
                let codes = items.compactMap {
                    MappingReader.read($0, .text, what: "a code", log: context.log)
                }
                codeLists[list] = codes.compactMap { context.name($0, "a code") }
            case .text:
                context.log.error(
                    .wrongShape, at: entry.value.place, "code list '\(list)' must be a mapping from codes to labels")
            }
        }
    }

    private mutating func type(
        _ node: SettingsNode, levels: Set<String>?, seen: inout [String: SourceLocation]
    ) -> EventTypeDefinition? {
        guard var reader = MappingReader(node, "an event type", context.log) else { return nil }
        let id = reader.located("id", .eventType)
        if let id { context.checkUnique(Located(id.value.shortName, at: id.place), "event type", in: &seen) }
        let labels = context.labels(&reader)
        let family = reader.located("family", .text)
        if let family { context.check(family, .family, among: Self.families) }
        let area = reader.located("area", .text)
        if let area { context.check(area, .area, among: Set(vocabulary.areas.keys)) }
        let urgency = reader.value("urgency", .urgency)
        let raise = raises(reader.sequence("raise"), levels: levels)
        let retention = retention(&reader)
        let attributes = reader.list("attributes", of: .text)
        context.check(attributes, .attribute, among: Set(CaseNotification.extensionAttributes))
        var fields: [FieldDefinition] = []
        var fieldLabels: [String: Labels] = [:]
        var seenFields: [String: SourceLocation] = [:]
        for item in reader.requiredSequence("fields") {
            guard let (field, labels) = field(item, seen: &seenFields) else { continue }
            fields.append(field)
            fieldLabels[field.name] = labels
        }
        reader.finish()
        guard let id, let labels, let family, let area, let urgency else { return nil }
        vocabulary.types[id.value] = labels
        vocabulary.fields[id.value] = fieldLabels
        self.retention[id.value] = retention
        return EventTypeDefinition(
            type: id.value, labels: ["sv": labels.sv, "en": labels.en], family: family.value, area: area.value,
            urgency: urgency, raise: raise, requiredAttributes: attributes.map(\.value), fields: fields)
    }

    private func retention(_ reader: inout MappingReader) -> TypeRetention? {
        guard var retention = reader.optionalMapping("retention") else { return nil }
        let acknowledged = retention.optionalLocated("content-after-acknowledgement", .duration)
        let unacknowledged = retention.optionalLocated("content-unacknowledged", .duration)
        context.checkKept(acknowledged: acknowledged, unacknowledged: unacknowledged, least: leastUnacknowledged)
        retention.finish(removed: RetentionSettings.removed)
        return TypeRetention(
            afterAcknowledgement: acknowledged?.value.components.seconds,
            unacknowledged: unacknowledged?.value.components.seconds)
    }

    private func raises(_ items: [SettingsNode], levels: Set<String>?) -> [UrgencyRaise] {
        items.compactMap { item in
            guard var reader = MappingReader(item, "a raise of urgency", context.log) else { return nil }
            let when = reader.located("when", .text)
            let to = reader.value("to", .urgency)
            reader.finish()
            guard let when, let to else { return nil }
            let conditions = (levels ?? []).map { UrgencyRaise.levelPrefix + $0 }
            let isUnknownLevel = levels == nil && when.value.hasPrefix(UrgencyRaise.levelPrefix)
            if !isUnknownLevel {
                context.check(when, .circumstance, among: Set(conditions).union(vocabulary.circumstances.keys))
            }
            return UrgencyRaise(when: when.value, to: to)
        }
    }

    private func field(
        _ node: SettingsNode, seen: inout [String: SourceLocation]
    ) -> (FieldDefinition, Labels?)? {
        guard var reader = MappingReader(node, "a field", context.log) else { return nil }
        let name = reader.located("name", .fieldName)
        if let name { context.checkUnique(name, "field", in: &seen) }
        let labels = context.optionalLabels(&reader)
        let kind = kind(&reader)
        let isRequired = reader.optional("required", .flag, default: false)
        let sensitivity = reader.located("sensitivity", .text)
        if let sensitivity { context.check(sensitivity, .sensitivity, among: sensitivities) }
        reader.finish()
        guard let name, let kind, let sensitivity else { return nil }
        let field = FieldDefinition(
            name: name.value, kind: kind, isRequired: isRequired, sensitivity: sensitivity.value)
        return (field, labels)
    }

    private func kind(_ reader: inout MappingReader) -> FieldKind? {
        let words = [
            "code", "codes", "flag", "timestamp", "reference", "text", "personnummer", "integer", "municipality",
        ]
        let kind = reader.value("kind", .oneOf(words))
        let list = kind == "code" || kind == "codes" ? reader.located("list", .text) : nil
        if let list { context.check(list, .codeList, among: Set(codeLists.keys)) }
        let longest = kind == "text" ? reader.value("max", .integer(in: 1...Self.longestTextBytes)) : nil
        switch kind {
        case "code": return list.map { .code($0.value) }
        case "codes": return list.map { .codes($0.value) }
        case "flag": return .flag
        case "timestamp": return .timestamp
        case "reference": return .reference
        case "text": return longest.map { .text(maxBytes: $0) }
        case "personnummer": return .personnummer
        case "integer": return .integer
        case "municipality": return .municipality
        default: return nil
        }
    }
}

extension Scalar where Value == String {
    /// The name of a member of `data`.
    static var fieldName: Scalar {
        Scalar("a field name such as endedAt") { scalar in
            let bytes = scalar.text.utf8
            guard (1...64).contains(bytes.count), let first = bytes.first, (0x61...0x7A).contains(first),
                bytes.allSatisfy({
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                })
            else { return .failure(ScalarFault(hint: "a lower-case letter, then letters and digits, at most 64")) }
            return .success(scalar.text)
        }
    }
}
