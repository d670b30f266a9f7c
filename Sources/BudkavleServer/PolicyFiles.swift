package import Routing
import Settings

/// Reads and checks a collaboration's policy from its directory, all mistakes at once.
package enum PolicyFiles {
    private static let zone = "Europe/Stockholm"

    /// Loads the policy and runs its worked examples. Blocks; not on a loop.
    package static func check(directory: String) throws -> PolicyCheckResult {
        let (files, zone) = try read(directory)
        return PolicyCheck.run(files: files, zone: zone, at: WallTime.now)
    }

    /// Loads the policy and nothing more: for tools that activate nothing. Blocks.
    package static func load(directory: String) throws -> PolicyLoad {
        let (files, zone) = try read(directory)
        return PolicyLoader.load(files: files, zone: zone)
    }

    private static func read(_ directory: String) throws -> (files: [String: String], zone: ZoneTransitions) {
        let files = try SettingsFiles.read(directory: directory)
        return (files, try zoneTransitions())
    }

    /// The zone of all policies, from the system's data.
    static func zoneTransitions() throws -> ZoneTransitions {
        try ZoneFile.read(zone: zone, directory: ZoneFile.systemDirectory)
    }
}
