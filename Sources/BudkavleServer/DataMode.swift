import CaseNotifications
import Foundation

/// A data directory keeps the mode it was born with: an exercise never shares it with real notifications.
enum DataMode {
    private static let file = "mode"

    /// Writes the mode into a new directory, durably; refuses a directory of the other mode.
    static func check(_ mode: Mode, in directory: String) throws(StartError) {
        let path = "\(directory)/\(file)"
        let own = mode == .exercise ? "exercise" : "production"
        if let found = FileManager.default.contents(atPath: path) {
            let text = String(decoding: found, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard text == own else {
                throw .modes("\(directory) was born in \(text) mode; give the \(own) daemon a directory of its own")
            }
            return
        }
        // What is there and cannot be read may say the other mode: it is not written over.
        guard !FileManager.default.fileExists(atPath: path) else { throw .reading("\(path) cannot be read") }
        do throws(DurableFile.Failure) {
            try DurableFile.replace(path, Array("\(own)\n".utf8), mode: 0o644)
        } catch {
            throw .writing("\(path) cannot be written: \(error.reason)")
        }
    }
}
