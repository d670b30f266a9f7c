import CaseNotifications
import Foundation
import Journal

/// The master keys of all collaborations at hand.
struct KeyRings: Sendable {
    private let shared: KeyRing
    private let own: [String: KeyRing]

    /// Reads all files that the settings name. Nothing is written. Blocks; not on a loop.
    init(_ settings: DaemonSettings) throws(JournalError) {
        shared = try settings.keys.load()
        var own: [String: KeyRing] = [:]
        for collaboration in settings.collaborations {
            if let keys = collaboration.keys { own[collaboration.name] = try keys.load() }
        }
        self.own = own
    }

    /// A collaboration's own keys, or those of `journal`.
    subscript(collaboration: CollaborationID) -> KeyRing { own[collaboration.text] ?? shared }

    /// Tries the keys of each on its journal, so that a wrong key of one refuses the start before another was written to.
    /// Whatever else is wrong the opening tells. Nothing is written. Blocks.
    func tryAll(of collaborations: [CollaborationID], in dataDirectory: String) throws(JournalError) {
        for collaboration in collaborations {
            let directory = "\(dataDirectory)/\(collaboration.text)"
            guard FileManager.default.fileExists(atPath: directory + "/keys") else { continue }
            do throws(JournalError) {
                _ = try KeyReport.read(directory: directory, keys: self[collaboration])
            } catch {
                switch error {
                case .masterKeyMissing, .masterKeyWrong: throw error
                default: continue
                }
            }
        }
    }
}

extension DaemonSettings.Keys {
    /// Reads the master keys that budkavled.yaml names. Nothing is written. Blocks; not on a loop.
    func load() throws(JournalError) -> KeyRing {
        let credentials = DaemonSettings.credentialDirectory
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
