import Foundation
import Settings
import Testing

@testable import Routing

/// The three counties of `config/`, read once for all tests.
enum ShippedCounties {
    /// One county's files and the policy that they make.
    struct County: Sendable {
        let name: String
        let files: [String: String]
        let result: PolicyCheckResult
        let policy: Policy

        func text(_ file: String) -> String? { files.first { $0.key.hasSuffix("/" + file) }?.value }
    }

    /// Örebro, Dalarna, Värmland.
    static let all = Result { try ["orebro", "dalarna", "varmland"].map(read) }

    /// The first of them, which the demo plays.
    static var orebro: County { get throws { try all.get()[0] } }

    private static func read(_ name: String) throws -> County {
        let tests = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let root = tests.deletingLastPathComponent().deletingLastPathComponent()
        let files = try SettingsFiles.read(directory: root.path + "/config/" + name)
        let result = PolicyCheck.run(files: files, zone: PolicyFixture.zone)
        let text = result.diagnostics.map(\.text).joined(separator: "\n")
        return County(
            name: name, files: files, result: result, policy: try #require(result.policy, "\(text)"))
    }
}
