/// The envelope while it is read: each attribute is checked and kept as it comes.
struct EnvelopeDraft {
    /// What was accepted before keeps codes that the catalogue has no longer, and is not searched for people again.
    let origin: NotificationDecoder.Origin
    var id: String?
    var source: PartyID?
    var definition: CompiledType?
    var time: Timestamp?
    var subject: CaseID?
    var dataschema: String?
    var county: String?
    var municipality: String?
    var audience: [AudienceEntry] = []
    var urgency: UrgencyClass?
    var programme: String?
    var level: String?
    var isProtected: Bool?
    var isDrill = false
    var secrecy: String?
    var circumstances: [String] = []
    var affirmations: [Affirmation] = []
    var consent: String?
    var consentOf: ConsentGiver?
    var supersedes: NotificationID?
    var expirytime: Timestamp?
    var correlationid: NotificationID?
    var causationid: NotificationID?

    /// A draft with nothing in it yet.
    init(origin: NotificationDecoder.Origin) { self.origin = origin }

    /// Takes a truth value.
    mutating func set(_ attribute: EnvelopeAttribute, _ flag: Bool) throws(Refusal) {
        switch attribute {
        case .protected: isProtected = flag
        case .drill: isDrill = flag
        default: throw attribute.refusal("the value must be a string")
        }
    }

    /// Takes the content of a string.
    mutating func set(
        _ attribute: EnvelopeAttribute, _ text: ArraySlice<UInt8>, catalogue: CompiledCatalogue
    ) throws(Refusal) {
        switch attribute {
        case .specversion:
            guard text.elementsEqual("1.0".utf8) else { throw attribute.refusal("only CloudEvents 1.0 is accepted") }
        case .datacontenttype:
            guard AttributeGrammar.isJSONMediaType(text) else {
                throw attribute.refusal("only application/json is accepted")
            }
        case .source, .type, .subject, .id: try setIdentity(attribute, text, catalogue)
        case .time: time = try attribute.require(Timestamp(utf8: text), "a time with zone is needed, RFC 3339")
        case .expirytime:
            expirytime = try attribute.require(Timestamp(utf8: text), "a time with zone is needed, RFC 3339")
        case .dataschema:
            dataschema = try attribute.accept(text, AttributeGrammar.isAbsoluteURI(text), "an absolute URI is needed")
            try attribute.refusePersonal(text, origin)
        case .county, .municipality: try setPlace(attribute, text)
        case .audience: audience = try EnvelopeLists.audience(text, origin)
        case .affirmations: affirmations = try EnvelopeLists.affirmations(text, origin)
        case .circumstances:
            circumstances = try EnvelopeLists.circumstances(text, known: catalogue.circumstances, origin)
        case .urgency: urgency = try attribute.require(UrgencyClass(utf8: text), "one of U0 to U4 is needed")
        case .programme:
            programme = try attribute.require(
                code(text, in: catalogue.programmes), "the programme is not in the catalogue")
        case .level:
            level = try attribute.require(code(text, in: catalogue.levels), "the level is not in the catalogue")
        case .secrecy:
            secrecy = try attribute.accept(
                text, AttributeGrammar.isSection(text), "chapter and section are needed, joined by a colon")
        case .consent:
            consent = try attribute.accept(text, AttributeGrammar.isReference(text), "an opaque reference is needed")
            try attribute.refusePersonal(text, origin)
        case .consentof:
            consentOf = try attribute.require(
                ConsentGiver(rawValue: String(decoding: text, as: UTF8.self)),
                "either protected-person or respondent is needed")
        case .supersedes: supersedes = try attribute.require(NotificationID(utf8: text), Self.relayID)
        case .correlationid: correlationid = try attribute.require(NotificationID(utf8: text), Self.relayID)
        case .causationid: causationid = try attribute.require(NotificationID(utf8: text), Self.relayID)
        case .protected, .drill: throw attribute.refusal("the value must be true or false")
        case .data, .binaryData, .rule, .effect, .marking, .acknowledgeby, .policy:
            throw attribute.refusal("only the relay sets this")
        }
    }

    private func code(_ text: ArraySlice<UInt8>, in table: CodeTable) -> String? {
        table[text] ?? (origin == .stored ? String(decoding: text, as: UTF8.self) : nil)
    }

    private static let relayID = "an id that the relay gave is needed"

    private mutating func setIdentity(
        _ attribute: EnvelopeAttribute, _ text: ArraySlice<UInt8>, _ catalogue: CompiledCatalogue
    ) throws(Refusal) {
        switch attribute {
        case .id:
            id = try attribute.accept(text, AttributeGrammar.isID(text), "1 to 128 letters, digits, . _ - are needed")
            try attribute.refusePersonal(text, origin)
        case .source:
            let prefix = "urn:budkavle:".utf8
            guard text.starts(with: prefix) else { throw attribute.refusal("the urn of a party is needed") }
            source = try attribute.require(PartyID(utf8: text.dropFirst(prefix.count)), "the urn of a party is needed")
            try attribute.refusePersonal(text.dropFirst(prefix.count), origin)
        case .type: definition = try attribute.require(catalogue.type(text), "the type is not in the catalogue")
        default: subject = try attribute.require(CaseID(utf8: text), "a case id is needed")
        }
    }

    private mutating func setPlace(_ attribute: EnvelopeAttribute, _ text: ArraySlice<UInt8>) throws(Refusal) {
        if attribute == .county {
            county = try attribute.accept(text, AttributeGrammar.isDigits(text, count: 2), "two digits are needed")
        } else {
            municipality = try attribute.accept(
                text, AttributeGrammar.isDigits(text, count: 4), "four digits are needed")
        }
    }
}

extension EnvelopeAttribute {
    /// A refusal of this attribute's value.
    func refusal(_ message: String) -> Refusal { Refusal(code: .schema, pointer: pointer, message: message) }

    /// The value, or a refusal if there is none.
    func require<Value>(_ value: Value?, _ message: String) throws(Refusal) -> Value {
        guard let value else { throw refusal(message) }
        return value
    }

    /// The text as a string, or a refusal if it is not accepted.
    func accept(_ text: ArraySlice<UInt8>, _ isAccepted: Bool, _ message: String) throws(Refusal) -> String {
        guard isAccepted else { throw refusal(message) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Refuses a text that may point at a person, unless it was accepted before.
    func refusePersonal(_ text: ArraySlice<UInt8>, _ origin: NotificationDecoder.Origin) throws(Refusal) {
        guard origin == .stored || !PersonalShape.isFound(in: text) else {
            throw refusal("this looks like the number of a person or a telephone, which no envelope may hold")
        }
    }
}

/// The attributes that hold lists.
enum EnvelopeLists {
    /// `soc-1880/respondent soc-1780/protected`
    static func audience(
        _ text: ArraySlice<UInt8>, _ origin: NotificationDecoder.Origin
    ) throws(Refusal) -> [AudienceEntry] {
        let attribute = EnvelopeAttribute.audience
        var entries: [AudienceEntry] = []
        for item in try items(attribute, text, limit: NotificationDecoder.mostAudienceEntries) {
            let parts = item.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ NameGrammar.accepts($0) }) else {
                throw attribute.refusal("each entry needs a party or group, a slash and a reason")
            }
            try attribute.refusePersonal(parts[0], origin)
            try attribute.refusePersonal(parts[1], origin)
            let entry = AudienceEntry(
                to: String(decoding: parts[0], as: UTF8.self), why: String(decoding: parts[1], as: UTF8.self))
            guard !entries.contains(entry) else { throw attribute.refusal("an entry stands twice") }
            entries.append(entry)
        }
        return entries
    }

    /// `balance-done/staff-17/2026-12-11T23:09:00+01:00`, space separated.
    static func affirmations(
        _ text: ArraySlice<UInt8>, _ origin: NotificationDecoder.Origin
    ) throws(Refusal) -> [Affirmation] {
        let attribute = EnvelopeAttribute.affirmations
        var affirmations: [Affirmation] = []
        for item in try items(attribute, text, limit: NotificationDecoder.mostAffirmations) {
            let parts = item.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count == 3, NameGrammar.accepts(parts[0]), let person = PersonID(utf8: parts[1]),
                let at = Timestamp(utf8: parts[2])
            else { throw attribute.refusal("each entry needs a name, a person and a time, joined by slashes") }
            try attribute.refusePersonal(parts[0], origin)
            try attribute.refusePersonal(parts[1], origin)
            let name = String(decoding: parts[0], as: UTF8.self)
            guard !affirmations.contains(where: { $0.name == name }) else {
                throw attribute.refusal("a name stands twice")
            }
            affirmations.append(Affirmation(name: name, person: person, at: at))
        }
        return affirmations
    }

    /// The circumstance that says that somebody lives under fictive personal data. No policy can make it acceptable.
    static let fictiveIdentity = "fictive-identity"

    /// `child-present under-18`
    static func circumstances(
        _ text: ArraySlice<UInt8>, known: CodeTable, _ origin: NotificationDecoder.Origin
    ) throws(Refusal) -> [String] {
        let attribute = EnvelopeAttribute.circumstances
        var circumstances: [String] = []
        for item in try items(attribute, text, limit: NotificationDecoder.mostCircumstances) {
            if origin == .stored {
                circumstances.append(String(decoding: item, as: UTF8.self))
                continue
            }
            guard !item.elementsEqual(fictiveIdentity.utf8) else {
                throw TextScan.Finding.fictiveIdentity.refusal(at: attribute.pointer)
            }
            let code = try attribute.require(known[item], "a circumstance is not in the catalogue")
            guard !circumstances.contains(code) else { throw attribute.refusal("a circumstance stands twice") }
            circumstances.append(code)
        }
        return circumstances
    }

    private static func items(
        _ attribute: EnvelopeAttribute, _ text: ArraySlice<UInt8>, limit: Int
    ) throws(Refusal) -> [ArraySlice<UInt8>] {
        try attribute.require(
            AttributeGrammar.items(text, limit: limit), "1 to \(limit) entries are needed, single spaces between them")
    }
}
