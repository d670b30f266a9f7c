import BudkavleClient
import Foundation

/// The relay's newest signed checkpoint, kept between calls: `$XDG_STATE_HOME/budkavle/checkpoint-<relay>-<collaboration>`, mode 0600.
///
/// It holds nothing secret. Given back at the next connection, it makes a relay show itself whose log was cut or rolled back. Whatever
/// goes wrong with the file, the command goes on: it is a safeguard, no condition.
struct CheckpointFile: Sendable {
    private static let limitBytes = 1_024
    private let path: String

    init(_ configuration: RelayConfiguration, environment: [String: String]) {
        let base =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? (environment["HOME"] ?? "") + "/.local/state"
        let relay = "\(configuration.endpoint.description)-\(configuration.collaboration)"
        let name = relay.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
        path = base + "/budkavle/checkpoint-" + String(name.prefix(200))
    }

    /// The checkpoint of last time.
    var checkpoint: String? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.limitBytes else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    /// Keeps a newer one; written beside and renamed, so that a crash leaves the old or the new one.
    func keep(_ checkpoint: String?) {
        guard let checkpoint, checkpoint != self.checkpoint else { return }
        let directory = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let temporary = path + ".new-\(ProcessInfo.processInfo.processIdentifier)"
        let isWritten = FileManager.default.createFile(
            atPath: temporary, contents: Data((checkpoint + "\n").utf8), attributes: [.posixPermissions: 0o600])
        if isWritten, rename(temporary, path) != 0 { unlink(temporary) }
    }
}
