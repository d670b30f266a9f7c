package import Routing
import Settings

/// Reads and checks a collaboration's policy from its directory, all mistakes at once.
package enum PolicyFiles {
    private static let zone = "Europe/Stockholm"

    /// Loads the policy and runs its worked examples. Blocks; not on a loop.
    package static func check(directory: String) throws -> PolicyCheckResult {
        let files = try SettingsFiles.read(directory: directory)
        let zone = try ZoneFile.read(zone: zone, directory: ZoneFile.systemDirectory)
        return PolicyCheck.run(files: files, zone: zone)
    }
}
