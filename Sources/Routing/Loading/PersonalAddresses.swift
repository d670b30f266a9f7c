import Settings

/// Finds e-mail addresses wherever a policy file has a value or a key: endpoints are functions and desks, never people.
enum PersonalAddresses {
    /// Reports each of them, at its place.
    static func refuse(in node: SettingsNode, log: DiagnosticLog) {
        switch node.content {
        case .text(let text, _):
            if isAddress(text) { refuse(text, at: node.place, log: log) }
        case .list(let items):
            for item in items { refuse(in: item, log: log) }
        case .mapping(let entries):
            for entry in entries {
                if isAddress(entry.key.value) { refuse(entry.key.value, at: entry.key.place, log: log) }
                refuse(in: entry.value, log: log)
            }
        }
    }

    private static func refuse(_ text: String, at place: Place, log: DiagnosticLog) {
        // In the same words as an id that is one, so that it is told once.
        log.error(
            .personalAddress, at: place, "\(Diagnostic.quote(text)) is an e-mail address",
            hint: "address functions and desks, never people")
    }

    /// Whether somewhere in a text a word holds `@` between letters or digits.
    private static func isAddress(_ text: String) -> Bool {
        guard text.utf8.contains(0x40) else { return false }
        let bytes = Array(text.utf8)
        func isNamed(_ place: Int) -> Bool {
            guard bytes.indices.contains(place) else { return false }
            return (0x30...0x39).contains(bytes[place]) || (0x61...0x7A).contains(bytes[place] | 0x20)
                || bytes[place] >= 0x80
        }
        return bytes.indices.contains { bytes[$0] == 0x40 && isNamed($0 - 1) && isNamed($0 + 1) }
    }
}
