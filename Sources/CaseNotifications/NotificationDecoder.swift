/// Reads a notification strictly: JSON, CloudEvents 1.0, the envelope of protocol.md, and the catalogue's types and fields.
///
/// The bytes are scanned once; values stay ranges, and strings are made only of what the envelope keeps. What is refused is
/// named by place and kind and never quoted.
package struct NotificationDecoder: Sendable {
    /// The largest body, in bytes; beyond it the code is `too-large`.
    package static let largestBodyBytes = 256 * 1_024
    /// The longest `id`, in bytes.
    package static let longestIDBytes = 128
    /// The longest reference, in bytes.
    package static let longestReferenceBytes = 64
    /// The longest `dataschema`, in bytes.
    package static let longestURIBytes = 256
    /// The greatest number of entries of `audience`.
    package static let mostAudienceEntries = 32
    /// The greatest number of entries of `affirmations`.
    package static let mostAffirmations = 16
    /// The greatest number of entries of `circumstances`.
    package static let mostCircumstances = 16
    /// The greatest number of members of `data`.
    package static let mostFields = 128
    /// The greatest number of items of a field of kind `codes`.
    package static let mostCodes = 64

    /// Where a body comes from.
    package enum Origin: Sendable {
        /// A sender has just submitted it: everything is checked.
        case incoming
        /// It was accepted before, perhaps under another catalogue or by other checks: its envelope is read for judging
        /// rights, and its contents are refused no more.
        case stored
    }

    private let catalogue: CompiledCatalogue
    private let names = EnvelopeNames()
    private let mode: Mode

    /// A decoder for one policy's catalogue.
    package init(catalogue: EventCatalogue, mode: Mode) {
        self.catalogue = CompiledCatalogue(catalogue)
        self.mode = mode
    }

    /// Decodes one body.
    ///
    /// Of a stored one only form and type can be refused: codes that the catalogue has no longer are kept as they are, and
    /// no text, limit, required attribute or field is judged again.
    ///
    /// - Throws: `schema` with the place, or `too-large`. Where several things are wrong, it is the first that was found.
    package func decode(_ body: [UInt8], of origin: Origin = .incoming) throws(Refusal) -> CaseNotification {
        guard body.count <= Self.largestBodyBytes else {
            throw Refusal(
                code: .tooLarge, pointer: "", message: "the body is larger than \(Self.largestBodyBytes) bytes")
        }
        let scan: EnvelopeScan
        do throws(JSONFault) {
            scan = try EnvelopeScan(body, names: names, fieldNames: catalogue.fieldNames)
        } catch {
            throw error.refusal
        }
        var draft = EnvelopeDraft(origin: origin)
        var attributes: [RawMember] = []
        attributes.reserveCapacity(scan.members.count)
        let scanner = JSONScanner(body)
        for (attribute, token) in scan.members {
            guard attribute != .data else { continue }
            guard attribute != .binaryData else { throw attribute.refusal("data must be JSON") }
            switch token.kind {
            case .null:
                guard !attribute.isRequired else { throw attribute.refusal("this attribute must not be null") }
                continue
            case _ where attribute.isDelivery: throw attribute.refusal("only the relay sets this")
            case .true, .false: try draft.set(attribute, token.kind == .true)
            case .string:
                let inner = body[token.range.lowerBound + 1..<token.range.upperBound - 1]
                let text = token.hasEscapes ? scanner.content(of: token)[...] : inner
                try draft.set(attribute, text, catalogue: catalogue)
            case .number, .array, .object:
                throw attribute.refusal("the value must be a string, true or false")
            }
            attributes.append(RawMember(name: attribute.rawValue, value: token.range))
        }
        return try finish(draft, attributes, scan, body)
    }

    /// Source and id of a body, whatever else is wrong with it or its type: what an earlier answer is found by.
    package func identity(of body: [UInt8]) -> (source: PartyID, id: String)? {
        guard body.count <= Self.largestBodyBytes,
            let scan = try? EnvelopeScan(body, names: names, fieldNames: catalogue.fieldNames)
        else { return nil }
        var draft = EnvelopeDraft(origin: .stored)
        let scanner = JSONScanner(body)
        for (attribute, token) in scan.members where attribute == .id || attribute == .source {
            guard token.kind == .string else { return nil }
            try? draft.set(attribute, scanner.content(of: token)[...], catalogue: catalogue)
        }
        guard let source = draft.source, let id = draft.id else { return nil }
        return (source, id)
    }

    /// Demands what must be there, judges attributes against each other, and reads `data` by the type's definition.
    private func finish(
        _ draft: EnvelopeDraft, _ attributes: [RawMember], _ scan: EnvelopeScan, _ body: [UInt8]
    ) throws(Refusal) -> CaseNotification {
        let missing = "this attribute is required"
        guard attributes.contains(where: { $0.name == EnvelopeAttribute.specversion.rawValue }) else {
            throw EnvelopeAttribute.specversion.refusal(missing)
        }
        let id = try EnvelopeAttribute.id.require(draft.id, missing)
        let source = try EnvelopeAttribute.source.require(draft.source, missing)
        let type = try EnvelopeAttribute.type.require(draft.definition, missing)
        let time = try EnvelopeAttribute.time.require(draft.time, missing)
        let subject = try EnvelopeAttribute.subject.require(draft.subject, missing)
        let fields: [RawMember]
        switch draft.origin {
        case .incoming:
            for attribute in type.requiredAttributes
            where !attributes.contains(where: { $0.name == attribute.rawValue }) {
                throw attribute.refusal("the type requires this attribute")
            }
            try judge(draft, subject: subject, definition: type.definition)
            let reader = FieldReader(
                body: body, type: type, mode: mode, time: time, protection: TextScan.Protection(draft.isProtected))
            fields = try reader.read(scan.data)
        case .stored: fields = scan.fields
        }
        return CaseNotification(
            id: id, source: source, type: type.definition.type, time: time, subject: subject,
            dataschema: draft.dataschema, county: draft.county, municipality: draft.municipality,
            audience: draft.audience, urgency: draft.urgency, programme: draft.programme, level: draft.level,
            isProtected: draft.isProtected, isDrill: draft.isDrill, secrecy: draft.secrecy,
            circumstances: draft.circumstances, affirmations: draft.affirmations, consent: draft.consent,
            consentOf: draft.consentOf?.rawValue, supersedes: draft.supersedes, expirytime: draft.expirytime,
            correlationid: draft.correlationid?.text, causationid: draft.causationid?.text,
            attributes: attributes, fields: fields, body: body)
    }

    /// Rules that speak of more than one attribute.
    private func judge(
        _ draft: EnvelopeDraft, subject: CaseID, definition: EventTypeDefinition
    ) throws(Refusal) {
        if let county = draft.county, let municipality = draft.municipality, !municipality.hasPrefix(county) {
            throw EnvelopeAttribute.municipality.refusal("the municipality lies in another county")
        }
        if draft.consentOf != nil, draft.consent == nil {
            throw EnvelopeAttribute.consentof.refusal("it needs a consent")
        }
        if draft.isDrill, !subject.isDrill {
            throw EnvelopeAttribute.subject.refusal("a drill needs a case id with the year 0000")
        }
        if subject.isDrill, !draft.isDrill {
            throw EnvelopeAttribute.drill.refusal("a case id with the year 0000 needs drill set to true")
        }
        if let urgency = draft.urgency {
            let least = definition.urgency(circumstances: draft.circumstances, level: draft.level)
            guard urgency <= least else {
                throw EnvelopeAttribute.urgency.refusal("urgency may be raised and never lowered below the type's")
            }
        }
    }
}

/// The members of a body's outermost object, and of `data`, as ranges.
struct EnvelopeScan {
    /// A member of `data`.
    struct Field {
        /// The name, escapes resolved.
        let name: ArraySlice<UInt8>
        let value: JSONToken
    }

    /// What stands under `data`.
    enum Payload {
        case absent
        case object([Field])
        /// Anything that is no object.
        case other
    }

    /// The envelope's members in the order of the body, `data` among them.
    private(set) var members: [(attribute: EnvelopeAttribute, value: JSONToken)] = []
    private(set) var data = Payload.absent

    /// The members of `data` as they stand, unchecked.
    var fields: [RawMember] {
        guard case .object(let found) = data else { return [] }
        return found.map { RawMember(name: String(decoding: $0.name, as: UTF8.self), value: $0.value.range) }
    }

    init(_ body: [UInt8], names: EnvelopeNames, fieldNames: Set<String>) throws(JSONFault) {
        members.reserveCapacity(24)
        var scanner = JSONScanner(body)
        var seen: UInt64 = 0
        var members = members
        var data = data
        try scanner.object(depth: 0) { (scanner, token) throws(JSONFault) in
            guard let (attribute, bit) = names.find(Self.name(token, scanner, body)) else {
                throw JSONFault(.unknownMember, at: token.range.lowerBound)
            }
            do throws(JSONFault) {
                guard seen & bit == 0 else { throw JSONFault(.duplicateMember, at: token.range.lowerBound) }
                seen |= bit
                if attribute == .data {
                    data = try Self.payload(&scanner, body, fieldNames)
                } else {
                    members.append((attribute, try scanner.value(depth: 1)))
                }
            } catch {
                throw error.inside(attribute.rawValue)
            }
        }
        try scanner.finish()
        self.members = members
        self.data = data
    }

    private static func payload(
        _ scanner: inout JSONScanner, _ body: [UInt8], _ fieldNames: Set<String>
    ) throws(JSONFault) -> Payload {
        guard try scanner.peek() == UInt8(ascii: "{") else {
            _ = try scanner.value(depth: 1)
            return .other
        }
        var fields: [Field] = []
        fields.reserveCapacity(16)
        try scanner.object(depth: 1) { (scanner, token) throws(JSONFault) in
            let name = name(token, scanner, body)
            guard fields.count < NotificationDecoder.mostFields else {
                throw JSONFault(.tooMany, at: token.range.lowerBound)
            }
            do throws(JSONFault) {
                fields.append(Field(name: name, value: try scanner.value(depth: 2)))
            } catch {
                let text = String(decoding: name, as: UTF8.self)
                throw error.inside(fieldNames.contains(text) ? text : nil)
            }
        }
        return .object(fields)
    }

    private static func name(_ token: JSONToken, _ scanner: JSONScanner, _ body: [UInt8]) -> ArraySlice<UInt8> {
        token.hasEscapes
            ? scanner.content(of: token)[...] : body[token.range.lowerBound + 1..<token.range.upperBound - 1]
    }
}
