import CaseNotifications
package import Settings

/// Something that two policies say differently, field by field.
package struct PolicyChange: Sendable, Hashable {
    /// What has happened to it.
    package enum Kind: String, Sendable, Hashable {
        case added, removed, changed
    }

    /// What has happened to it.
    package let kind: Kind
    /// `rule`, `party`, `desk`, `client`, `person`, `agreement`, `basis`, `type`, or the name of a file for the rest of it.
    package let what: String
    /// Its id; a party's before it where it is part of one; for the rest of a file, the key.
    package let name: String
    /// What is different, one text per field; empty for what is added or removed.
    package let details: [String]
    /// Where the newer policy has it, or the older one what is gone.
    package let location: SourceLocation?
}

/// Compares the canonical texts of two policies, so that the order of files, keys and rules means nothing.
struct PolicyChanges {
    private struct Item: Hashable {
        let what: String
        let name: String
    }

    private static let kinds = ["types": "type", "bases": "basis", "agreements": "agreement", "rules": "rule"]
    private static let partLists = ["desks": "desk", "clients": "client", "people": "person"]

    private let old: Policy
    private let new: Policy

    init(from old: Policy, to new: Policy) {
        self.old = old
        self.new = new
    }

    /// All changes, by what and name.
    func all() -> [PolicyChange] {
        let (before, after) = (Self.items(old), Self.items(new))
        var changes: [PolicyChange] = []
        for item in Set(before.keys).union(after.keys) {
            let (first, second) = (before[item], after[item])
            guard first != second else { continue }
            let kind: PolicyChange.Kind = first == nil ? .added : second == nil ? .removed : .changed
            var details: [String] = []
            if let first, let second { details = Self.details(first, second, path: "") }
            changes.append(
                PolicyChange(
                    kind: kind, what: item.what, name: item.name, details: details,
                    location: location(of: item, in: kind == .removed ? old : new)))
        }
        return changes.sorted { ($0.what, $0.name) < ($1.what, $1.name) }
    }

    // MARK: Items

    private static func items(_ policy: Policy) -> [Item: JSONValue] {
        var items: [Item: JSONValue] = [:]
        for line in String(decoding: policy.canonicalText, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            if parts[0].hasPrefix(PolicyRoots.partyDirectory + "/") {
                let text = parts[1...].joined(separator: " ")
                guard case .object(let party) = value(text) else { continue }
                add(party, to: &items)
            } else if parts.count == 3, PolicyRoots.names.contains(parts[0]) {
                let value = value(parts[2])
                let id = value["id"]?.string
                let isEntry = PolicyDraft.unorderedLists[parts[0]] == parts[1]
                if isEntry, let id, let kind = kinds[parts[1]] {
                    items[Item(what: kind, name: id)] = value
                } else {
                    items[Item(what: parts[0], name: parts[1])] = value
                }
            }
        }
        return items
    }

    private static func add(_ party: JSONObject, to items: inout [Item: JSONValue]) {
        let id = party["id"]?.string ?? ""
        var rest = party
        for (list, kind) in partLists {
            for part in party[list]?.array ?? [] {
                guard let name = part["id"]?.string else { continue }
                items[Item(what: kind, name: "\(id)/\(name)")] = part
            }
            // The order of desks is that of preference.
            if let parts = rest[list]?.array { rest[list] = .array(parts.compactMap { $0["id"] }) }
        }
        items[Item(what: "party", name: id)] = .object(rest)
    }

    private static func value(_ text: String) -> JSONValue {
        (try? JSONValue(parsing: Array(text.utf8))) ?? .string(text)
    }

    private func location(of item: Item, in policy: Policy) -> SourceLocation? {
        let party = PartyID(item.name.prefix { $0 != "/" }).flatMap { policy.party($0) }
        let part = String(item.name.drop { $0 != "/" }.dropFirst())
        return switch item.what {
        case "rule": RuleID(item.name).flatMap { policy.rule($0) }?.location
        case "basis": policy.basis(item.name)?.location
        case "agreement": policy.agreements.first { $0.id == item.name }?.location
        case "party": party?.location
        case "desk": party?.desks.first { $0.id.text == part }?.location
        case "client": party?.clients.first { $0.id.text == part }?.location
        case "person": party?.people.first { $0.id.text == part }?.location
        default: nil
        }
    }

    // MARK: Fields

    private static func details(_ old: JSONValue, _ new: JSONValue, path: String) -> [String] {
        guard old != new else { return [] }
        switch (old, new) {
        case (.object(let first), .object(let second)):
            let names = Set(first.members.map(\.name) + second.members.map(\.name)).sorted()
            return names.flatMap { name -> [String] in
                let inner = path.isEmpty ? name : "\(path).\(name)"
                switch (first[name], second[name]) {
                case (let before?, let after?): return details(before, after, path: inner)
                case (let before?, nil): return ["\(inner): -\(short(before))"]
                case (nil, let after?): return ["\(inner): +\(short(after))"]
                case (nil, nil): return []
                }
            }
        case (.array(let first), .array(let second)):
            return listDetails(first, second, path: path)
        default: return ["\(path): \(short(old)) -> \(short(new))"]
        }
    }

    private static func listDetails(_ first: [JSONValue], _ second: [JSONValue], path: String) -> [String] {
        let (before, after) = (keyed(first), keyed(second))
        if let before, let after {
            let names = Set(before.keys).union(after.keys).sorted()
            return names.flatMap { name -> [String] in
                switch (before[name], after[name]) {
                case (let old?, let new?): details(old, new, path: "\(path)[\(name)]")
                case (.some, nil): ["\(path): -\(name)"]
                case (nil, .some): ["\(path): +\(name)"]
                case (nil, nil): []
                }
            }
        }
        let (removed, added) = (first.filter { !second.contains($0) }, second.filter { !first.contains($0) })
        if removed.isEmpty, added.isEmpty { return ["\(path): order"] }
        let texts = added.map { "+" + short($0) } + removed.map { "-" + short($0) }
        return ["\(path): \(texts.joined(separator: " "))"]
    }

    private static func keyed(_ items: [JSONValue]) -> [String: JSONValue]? {
        var result: [String: JSONValue] = [:]
        for item in items {
            guard let name = item["id"]?.string ?? item["name"]?.string ?? item["collaboration"]?.string,
                result.updateValue(item, forKey: name) == nil
            else { return nil }
        }
        return items.isEmpty ? nil : result
    }

    private static func short(_ value: JSONValue) -> String {
        if let text = value.string { return text }
        if let items = value.array { return "[" + items.map(short).joined(separator: " ") + "]" }
        if let object = value.object {
            return "{" + object.members.map { "\($0.name): \(short($0.value))" }.joined(separator: ", ") + "}"
        }
        return value.text
    }
}
