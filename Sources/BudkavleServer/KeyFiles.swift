import Foundation
import Journal

extension DaemonSettings.Keys {
    /// Reads the master keys that budkavled.yaml names. Nothing is written. Blocks; not on a loop.
    func load() throws(JournalError) -> KeyRing {
        // A tool that root starts beside the service finds the service's own; without one the error names this directory.
        let credentials =
            ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] ?? "/run/credentials/budkavled.service"
        let prefix = DaemonSettings.credentialPrefix
        let references = files.map { file in
            file.path.hasPrefix(prefix)
                ? KeyFileReference.credential(
                    id: file.id, name: String(file.path.dropFirst(prefix.count)), directory: credentials)
                : KeyFileReference(id: file.id, path: file.path)
        }
        return try KeyRing.load(references, active: activeID)
    }
}
