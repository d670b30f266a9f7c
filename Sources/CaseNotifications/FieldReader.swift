/// Checks the members of `data` against a type's definition.
struct FieldReader {
    let body: [UInt8]
    let type: CompiledType
    let mode: Mode
    /// The notification's `time`: the year in which short personnummer were written.
    let time: Timestamp
    /// What the envelope says of protection, which texts must not undo.
    let protection: TextScan.Protection

    /// The members in the order of the body.
    func read(_ data: EnvelopeScan.Payload) throws(Refusal) -> [RawMember] {
        let members: [EnvelopeScan.Field]
        switch data {
        case .absent: members = []
        case .object(let fields): members = fields
        case .other: throw EnvelopeAttribute.data.refusal("an object is needed")
        }
        var found = [Bool](repeating: false, count: type.fields.count)
        var result: [RawMember] = []
        result.reserveCapacity(members.count)
        for member in members {
            guard let place = type.place(ofField: member.name) else {
                throw EnvelopeAttribute.data.refusal("unknown member")
            }
            let field = type.fields[place]
            guard !found[place] else { throw refusal(field, "a member name stands twice in one object") }
            found[place] = true
            try check(field, member.value)
            result.append(RawMember(name: field.name, value: member.value.range))
        }
        for (place, field) in type.fields.enumerated() where field.isRequired && !found[place] {
            throw refusal(field, "the type requires this field")
        }
        return result
    }

    private func check(_ field: CompiledField, _ token: JSONToken) throws(Refusal) {
        switch field.kind {
        case .code:
            guard field.codes[try text(field, token)] != nil else {
                throw refusal(field, "the code is not in the list")
            }
        case .codes: try checkCodes(field, token)
        case .flag:
            guard token.kind == .true || token.kind == .false else {
                throw refusal(field, "true or false is needed")
            }
        case .timestamp:
            guard Timestamp(utf8: try text(field, token)) != nil else {
                throw refusal(field, "a time with zone is needed, RFC 3339")
            }
        case .reference:
            let text = try text(field, token)
            guard AttributeGrammar.isReference(text) else { throw refusal(field, "an opaque reference is needed") }
            guard PersonalNumber(utf8: text, writtenIn: year) == nil else {
                throw refusal(field, "a reference must not be the number of a person")
            }
            if let finding = TextScan.finding(inReference: text) {
                throw finding.refusal(at: "/data/" + field.name)
            }
        case .text(let maxBytes):
            let text = try text(field, token)
            guard text.count <= maxBytes else { throw refusal(field, "the text is longer than \(maxBytes) bytes") }
            guard AttributeGrammar.isFreeText(text) else {
                throw refusal(field, "of control characters only tab and line feed are accepted")
            }
            if let finding = TextScan.finding(in: text, protection) {
                throw finding.refusal(at: "/data/" + field.name)
            }
        case .personnummer:
            guard let number = PersonalNumber(utf8: try text(field, token), writtenIn: year) else {
                throw refusal(field, "a personnummer or samordningsnummer is needed")
            }
            guard number.isAllowed(in: mode) else {
                throw refusal(
                    field,
                    mode == .production
                        ? "production refuses test numbers" : "exercises accept only published test numbers")
            }
        case .integer:
            guard token.kind == .number, Int32(String(decoding: body[token.range], as: UTF8.self)) != nil else {
                throw refusal(field, "an integer of 32 bits is needed")
            }
        case .municipality:
            guard AttributeGrammar.isDigits(try text(field, token), count: 4) else {
                throw refusal(field, "four digits are needed, as a string")
            }
        }
    }

    private func checkCodes(_ field: CompiledField, _ token: JSONToken) throws(Refusal) {
        guard token.kind == .array else { throw refusal(field, "an array of codes is needed") }
        var items: [JSONToken] = []
        var scanner = JSONScanner(body, from: token.range.lowerBound)
        do throws(JSONFault) {
            try scanner.array(depth: 2) { (scanner, index) throws(JSONFault) in
                guard index < NotificationDecoder.mostCodes else { throw JSONFault(.tooMany, at: scanner.position) }
                items.append(try scanner.value(depth: 3))
            }
        } catch {
            throw error.inside(field.name).inside(EnvelopeAttribute.data.rawValue).refusal
        }
        var seen: Set<String> = []
        for (index, item) in items.enumerated() {
            guard item.kind == .string, let code = field.codes[content(item)] else {
                throw refusal(field, "the code is not in the list", item: index)
            }
            guard seen.insert(code).inserted else { throw refusal(field, "a code stands twice", item: index) }
        }
    }

    private var year: Int { CivilDate.date(days: Int(time.milliseconds / 86_400_000)).year }

    /// The content of a string, or a refusal of anything else.
    private func text(_ field: CompiledField, _ token: JSONToken) throws(Refusal) -> ArraySlice<UInt8> {
        guard token.kind == .string else { throw refusal(field, "a string is needed") }
        return content(token)
    }

    private func content(_ token: JSONToken) -> ArraySlice<UInt8> {
        token.hasEscapes
            ? JSONScanner(body).content(of: token)[...]
            : body[token.range.lowerBound + 1..<token.range.upperBound - 1]
    }

    private func refusal(_ field: CompiledField, _ message: String, item: Int? = nil) -> Refusal {
        let pointer = "/data/" + field.name + (item.map { "/\($0)" } ?? "")
        return Refusal(code: .schema, pointer: pointer, message: message)
    }
}
