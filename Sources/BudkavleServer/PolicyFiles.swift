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

    /// All policies of one daemon, each checked, and what is wrong between them. Blocks; not on a loop.
    static func checkAll(
        _ collaborations: [DaemonSettings.Collaboration]
    ) -> (each: [Result<PolicyCheckResult, any Error>], between: [Diagnostic]) {
        let log = DiagnosticLog()
        let each = collaborations.map { collaboration in
            Result {
                let (files, faults, zone) = try read(collaboration.directory)
                for (path, text) in files { log.remember(file: path, text: text) }
                return PolicyCheck.run(files: files, zone: zone, faults: faults, at: WallTime.now)
            }
        }
        NeighbourCheck.report(each.compactMap { try? $0.get().whole }, to: log)
        return (each, log.diagnostics)
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
