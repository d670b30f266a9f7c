package import CaseNotifications
import Foundation

/// When a key signed last for which party, in a file beside the key: the approver's own, which nobody else hands him.
///
/// `budkavled approve` signs the whole file anew with what stands in it. Whoever gave the approver an old file would get back
/// what was withdrawn since; by this the tool notices.
package struct ApproverMemory: Sendable {
    private struct Place: Hashable {
        let collaboration: String
        let party: String
    }

    /// More is no such file.
    static let longestFileBytes = 65_536
    private static let suffix = ".signed"

    private let path: String
    private var times: [Place: Timestamp] = [:]

    /// Reads what is beside a key. Blocks.
    package init(besides key: String) throws(ToolError) {
        path = key + Self.suffix
        guard let handle = FileHandle(forReadingAtPath: path) else {
            guard !FileManager.default.fileExists(atPath: path) else {
                throw ToolError("\(path): cannot be read", .noInput)
            }
            return
        }
        guard let data = try? handle.read(upToCount: Self.longestFileBytes + 1) ?? Data(),
            data.count <= Self.longestFileBytes
        else { throw ToolError("\(path): not what this program wrote", .data) }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let time = Timestamp(rfc3339: words[2]) else {
                throw ToolError("\(path): not what this program wrote", .data)
            }
            times[Place(collaboration: words[0], party: words[1])] = time
        }
    }

    /// When the key signed last for a party; nil for never.
    package func last(_ desk: ApprovalDesk) -> Timestamp? {
        times[Place(collaboration: desk.collaboration.text, party: desk.party.text)]
    }

    /// Writes down that it has signed for a party. On disk when this returns.
    package mutating func remember(_ desk: ApprovalDesk, _ time: Timestamp) throws(ToolError) {
        times[Place(collaboration: desk.collaboration.text, party: desk.party.text)] = time
        let lines = times.map { "\($0.key.collaboration) \($0.key.party) \($0.value.rfc3339)\n" }.sorted()
        do throws(DurableFile.Failure) {
            try DurableFile.replace(path, Array(lines.joined().utf8), mode: 0o600)
        } catch {
            throw ToolError("\(path): \(error.reason)", .cannotCreate)
        }
    }
}
