import CaseNotifications
package import Settings

/// Reads a policy's canonical text back: what the digest covers is enough to say again what the policy says.
package enum PolicyText {
    /// Where the policy of a canonical text says that it stands.
    package static let directory = "running"

    /// The files of a policy's canonical text, each on one line, without worked examples; nil for what is none.
    package static func files(_ text: [UInt8]) -> [String: String]? {
        var members: [String: [String: [String]]] = [:]
        var files: [String: String] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first else { continue }
            if name.hasPrefix(PolicyRoots.partyDirectory + "/"), parts.count > 1 {
                files["\(directory)/\(name)"] = parts[1...].joined(separator: " ")
            } else if PolicyRoots.names.contains(name), parts.count == 3 {
                members[name, default: [:]][parts[1], default: []].append(parts[2])
            } else if name != "zone", name != "inactive" {
                return nil
            }
        }
        guard !members.isEmpty else { return nil }
        for (name, entries) in members {
            let values = entries.sorted { $0.key < $1.key }.map { key, values in
                let isList = PolicyDraft.unorderedLists[name] == key
                let text = isList ? "[\(values.joined(separator: ", "))]" : values.joined()
                return "\"\(key)\": " + (key == "retention" ? withoutRemoved(text) : text)
            }
            files["\(directory)/\(name)"] = "{\(values.joined(separator: ", "))}"
        }
        files["\(directory)/tests.yaml"] = "{\"version\": \"\(ReadingContext.version)\", \"examples\": []}"
        return files
    }

    /// Without `RetentionSettings.removed`, which policies of older versions have.
    private static func withoutRemoved(_ retention: String) -> String {
        retention.replacing(/,"(duplicates|receipts)":"[^"]*"/, with: "")
    }

    /// The policy of a canonical text as it were with every approval, the zone given; nil for what is none.
    package static func policy(_ text: [UInt8], zone: ZoneTransitions) -> Policy? {
        files(text).flatMap { PolicyLoader.load(files: $0, zone: zone, approvals: .waived, for: .lookingBack).whole }
    }
}
