import CaseNotifications
import Settings

/// What a name names that is used in one place and must be defined in another.
enum ReferenceKind: String {
    case party, basis, affirmation, circumstance, agreement, calendar, programme, level, desk, person, group
    case organisation, function, sensitivity, family, area, municipality
    case eventType = "event type"
    case codeList = "code list"
    case audienceRole = "audience role"
    case attribute = "envelope attribute"
}

/// What all readers of policy files share.
struct ReadingContext {
    let zone: ZoneTransitions
    let purpose: LoadPurpose
    let log: DiagnosticLog

    /// The version of the schema.
    static let version = "1"

    /// A reader of a file's root, its version checked; nil if there is no root.
    func reader(_ root: SettingsNode?, _ name: String) -> MappingReader? {
        guard let root, var reader = MappingReader(root, name, log) else { return nil }
        if let version = reader.located("version", .text), version.value != Self.version {
            log.error(
                .unknownVersion, at: version.place, "unknown schema version \(Diagnostic.quote(version.value))",
                hint: "this program reads version \(Self.version)")
        }
        return reader
    }

    /// The value of `label`: Swedish and English.
    func labels(_ reader: inout MappingReader, _ key: String = "label") -> Labels? {
        guard let node = reader.requiredNode(key) else { return nil }
        return labels(node, "'\(key)'")
    }

    /// The value of a `label` that may be left out.
    func optionalLabels(_ reader: inout MappingReader, _ key: String = "label") -> Labels? {
        reader.node(key).flatMap { labels($0, "'\(key)'") }
    }

    /// A node with Swedish and English.
    func labels(_ node: SettingsNode, _ what: String) -> Labels? {
        guard var reader = MappingReader(node, what, log) else { return nil }
        let sv = reader.value("sv", .text)
        let en = reader.value("en", .text)
        reader.finish()
        guard let sv, let en else { return nil }
        return Labels(sv: sv, en: en)
    }

    /// A mapping from free names to labels.
    func vocabulary(_ entries: [SettingsEntry], _ what: String) -> [String: Labels] {
        var result: [String: Labels] = [:]
        for entry in entries {
            _ = name(entry.key, what)
            result[entry.key.value] = labels(entry.value, "\(what) '\(entry.key.value)'") ?? Labels(sv: "", en: "")
        }
        return result
    }

    /// Reports a name that is none.
    func name(_ key: Located<String>, _ what: String) -> String? {
        guard Self.isName(key.value) else {
            log.error(
                .invalidValue, at: key.place, "\(Diagnostic.quote(key.value)) is no name of \(what)",
                hint: "letters, digits, '.', '-' and '_', at most 64")
            return nil
        }
        return key.value
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x2E || $0 == 0x5F
            }
    }

    /// The period in `valid`; without bounds if it is left out.
    func validity(_ reader: inout MappingReader, _ key: String = "valid") -> Validity {
        guard let node = reader.node(key), var period = MappingReader(node, "'\(key)'", log) else { return .unlimited }
        let first = period.optionalLocated("from", .day)
        let last = period.optionalLocated("to", .day)
        period.finish()
        if let first, let last, last.value < first.value {
            log.error(
                .emptyPeriod, at: last.place, "the period ends before it begins",
                hint: "'to' is the last day of the period", related: [first.location])
        }
        return Validity(first: first?.value, last: last?.value, zone: zone)
    }

    /// Reports a name that is not defined; says nothing if what is defined could not be read.
    ///
    /// - Returns: whether the name is defined, as far as that is known.
    @discardableResult
    func check(_ name: Located<String>, _ kind: ReferenceKind, among known: Set<String>?) -> Bool {
        guard let known, !known.contains(name.value) else { return true }
        log.error(
            kind == .municipality ? .unknownMunicipality : .unknownName, at: name.place,
            "unknown \(kind.rawValue) \(Diagnostic.quote(name.value))",
            hint: Suggestion.hint(for: name.value, among: known))
        return false
    }

    /// Reports every name of a list that is not defined.
    func check(_ names: [Located<String>], _ kind: ReferenceKind, among known: Set<String>?) {
        for name in names { check(name, kind, among: known) }
    }

    /// Reports an event type that is not defined, by its short name.
    @discardableResult
    func check(_ type: Located<EventType>, among known: [EventType: EventTypeDefinition]?) -> Bool {
        guard known?[type.value] == nil else { return true }
        let name = Located(type.value.shortName, at: type.place)
        return check(name, .eventType, among: known.map { Set($0.keys.map(\.shortName)) })
    }

    /// Reports times by which content goes too early: before what it is for can be done.
    func checkKept(acknowledged: Located<Duration>?, unacknowledged: Located<Duration>?, least: Int64) {
        guard purpose != .lookingBack else { return }
        if let acknowledged, acknowledged.value.components.seconds < RetentionSettings.leastAfterAcknowledgement {
            log.error(
                .outOfRange, at: acknowledged.place, "whoever acknowledged it could not read it again",
                hint: "at least \(RetentionSettings.leastAfterAcknowledgement / 60)m")
        }
        if let unacknowledged, unacknowledged.value.components.seconds < least {
            log.error(
                .outOfRange, at: unacknowledged.place, "content would go before its escalation is over",
                hint: "at least \((least + 59) / 60)m: a day, and to the last step of every class's escalation")
        }
    }

    /// Reports the second use of an id.
    func checkUnique<ID: Hashable & CustomStringConvertible>(
        _ id: Located<ID>, _ what: String, in seen: inout [ID: SourceLocation]
    ) {
        guard let first = seen[id.value] else {
            seen[id.value] = id.location
            return
        }
        log.error(
            .duplicateID, at: id.place, "the \(what) '\(id.value)' is defined twice",
            hint: "ids are unique in the whole policy", related: [first])
    }
}

extension Scalar where Value == CivilDay {
    /// `2026-12-11`.
    static var day: Scalar { Scalar("a date such as 2026-12-11", orNil: { CivilDay($0) }) }
}

extension Scalar where Value == Timestamp {
    /// `2026-12-11T23:10:00+01:00`.
    static var instant: Scalar {
        Scalar("a time with zone such as 2026-12-11T23:10:00+01:00", orNil: { Timestamp(rfc3339: $0) })
    }
}

extension Scalar where Value == UrgencyClass {
    /// `U1`.
    static var urgency: Scalar {
        Scalar("a class U0 to U4") { scalar in
            if let value = UrgencyClass(text: scalar.text) { return .success(value) }
            let hint = Suggestion.hint(for: scalar.text, among: UrgencyClass.allCases.map(\.text))
            return .failure(ScalarFault(hint: hint))
        }
    }
}

extension Scalar where Value: NameIdentifier {
    /// An id of party, desk, client, person or rule.
    static func id(_ what: String) -> Scalar {
        Scalar("an id of a \(what)") { scalar in
            if let value = Value(scalar.text) { return .success(value) }
            if scalar.text.contains("@") {
                return .failure(
                    ScalarFault(
                        .personalAddress, message: "\(Diagnostic.quote(scalar.text)) is an e-mail address",
                        hint: "address functions and desks, never people"))
            }
            return .failure(ScalarFault(hint: "lower-case letters, digits, '.' and '-', at most 64"))
        }
    }
}

extension Scalar where Value == SecrecyProvision {
    /// `26:1`.
    static var provision: Scalar {
        Scalar("a chapter and section such as \"26:1\"", orNil: { SecrecyProvision($0) })
    }
}

extension Scalar where Value == SecrecyPattern {
    /// `21-40`, `25:1-5`.
    static var secrecyPattern: Scalar {
        Scalar("chapters or sections such as \"26\", \"21-40\", \"26:1\" or \"25:1-5\"", orNil: { SecrecyPattern($0) })
    }
}

extension Located where Value: NameIdentifier {
    /// The id as text.
    var asText: Located<String> { Located<String>(value.text, at: place) }
}

extension EventType {
    /// The type as policy files write it: without `se.budkavle.` before it and `.v1` after it.
    package var shortName: String {
        let prefix = "se.budkavle."
        guard text.hasPrefix(prefix), text.hasSuffix(".v1") else { return text }
        return String(text.dropFirst(prefix.count).dropLast(3))
    }
}

extension Scalar where Value == EventType {
    /// What a short name stands for: `se.budkavle.` before it, `.v1` after it.
    static var eventType: Scalar {
        Scalar("an event type such as police.report.registered", orNil: { EventType("se.budkavle.\($0).v1") })
    }
}
