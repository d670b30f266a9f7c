/// An `EventCatalogue` in the form in which the decoder looks things up: by bytes, without making strings.
struct CompiledCatalogue: Sendable {
    let circumstances: CodeTable
    let programmes: CodeTable
    let levels: CodeTable
    /// The names of all fields of all types: what a pointer may show.
    let fieldNames: Set<String>
    private let types: [CompiledType]

    init(_ catalogue: EventCatalogue) {
        circumstances = CodeTable(catalogue.circumstances)
        programmes = CodeTable(catalogue.programmes)
        levels = CodeTable(catalogue.levels)
        fieldNames = Set(catalogue.types.values.flatMap(\.fields).map(\.name))
        let lists = catalogue.codeLists.mapValues { CodeTable($0) }
        types = catalogue.types.values.map { CompiledType($0, lists: lists) }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// The type of that name.
    func type(_ name: ArraySlice<UInt8>) -> CompiledType? {
        var low = 0
        var high = types.count
        while low < high {
            let middle = (low + high) / 2
            if types[middle].bytes.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        guard low < types.count, types[low].bytes.elementsEqual(name) else { return nil }
        return types[low]
    }
}

/// A closed list of codes.
struct CodeTable: Sendable {
    private let codes: [(bytes: [UInt8], text: String)]

    init(_ codes: some Sequence<String>) {
        self.codes = codes.sorted().map { (Array($0.utf8), $0) }
    }

    /// The code with these bytes, or nil if the list has none.
    subscript(bytes: ArraySlice<UInt8>) -> String? {
        codes.first { $0.bytes.elementsEqual(bytes) }?.text
    }
}

/// One event type, ready for decoding.
final class CompiledType: Sendable {
    let definition: EventTypeDefinition
    let bytes: [UInt8]
    let fields: [CompiledField]
    let requiredAttributes: [EnvelopeAttribute]

    init(_ definition: EventTypeDefinition, lists: [String: CodeTable]) {
        self.definition = definition
        bytes = Array(definition.type.text.utf8)
        fields = definition.fields.map { CompiledField($0, lists: lists) }
        // A name that is no attribute can never be set; Routing refuses such a catalogue when it loads it.
        requiredAttributes = definition.requiredAttributes.compactMap(EnvelopeAttribute.init(rawValue:))
    }

    /// The place of the field of that name.
    func place(ofField name: ArraySlice<UInt8>) -> Int? {
        fields.firstIndex { $0.bytes.elementsEqual(name) }
    }
}

/// One field, ready for decoding.
struct CompiledField: Sendable {
    let name: String
    let bytes: [UInt8]
    let kind: FieldKind
    let isRequired: Bool
    /// The list of a field of kind `code` or `codes`; without one no value is accepted.
    let codes: CodeTable

    init(_ definition: FieldDefinition, lists: [String: CodeTable]) {
        name = definition.name
        bytes = Array(definition.name.utf8)
        kind = definition.kind
        isRequired = definition.isRequired
        switch definition.kind {
        case .code(let list), .codes(let list): codes = lists[list] ?? CodeTable([])
        default: codes = CodeTable([])
        }
    }
}
