import CaseNotifications

extension EventCatalogue {
    /// What a field of a kind can say, in words; of a code list its codes, whatever the list is called and in whatever order.
    func text(of kind: FieldKind) -> String {
        switch kind {
        case .code(let list): "one of \(codes(of: list))"
        case .codes(let list): "some of \(codes(of: list))"
        case .flag: "a flag"
        case .timestamp: "a time"
        case .reference: "a reference"
        case .text(let maxBytes): "text of \(maxBytes) bytes"
        case .personnummer: "a personnummer"
        case .integer: "a number"
        case .municipality: "a municipality"
        }
    }

    private func codes(of list: String) -> String { "[\((codeLists[list] ?? []).sorted().joined(separator: " "))]" }

    /// The same of a field; nil if the type does not have it.
    func text(of field: String, in type: EventType) -> String? {
        types[type]?.fields.first { $0.name == field }.map { text(of: $0.kind) }
    }
}
