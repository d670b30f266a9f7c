package import Routing
import Settings

/// Reads and checks a collaboration's policy from its directory, all mistakes at once.
package enum PolicyFiles {
    private static let zone = "Europe/Stockholm"

    /// Loads the policy and runs its worked examples. Blocks; not on a loop.
    package static func check(directory: String) throws -> PolicyCheckResult {
        let (files, faults, zone) = try read(directory)
        return PolicyCheck.run(files: files, zone: zone, faults: faults, at: WallTime.now)
    }

    /// Loads the policy and nothing more: for tools that activate nothing. Blocks.
    package static func load(directory: String, for purpose: LoadPurpose = .everything) throws -> PolicyLoad {
        let (files, faults, zone) = try read(directory)
        return PolicyLoader.load(files: files, zone: zone, faults: faults, for: purpose)
    }

    private static func read(
        _ directory: String
    ) throws -> (files: [String: String], faults: [SettingsFault], zone: ZoneTransitions) {
        let found = try SettingsFiles.readAll(directory: directory)
        return (found.files, found.faults, try zoneTransitions())
    }

    /// The zone of all policies, from the system's data.
    static func zoneTransitions() throws -> ZoneTransitions {
        try ZoneFile.read(zone: zone, directory: ZoneFile.systemDirectory)
    }
}
