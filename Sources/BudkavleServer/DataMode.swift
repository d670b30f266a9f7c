import CaseNotifications
import Foundation

/// A data directory keeps the mode it was born with: an exercise never shares it with real notifications.
enum DataMode {
    private static let file = "mode"

    /// Writes the mode into a new directory; refuses a directory of the other mode.
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
        do {
            try Data("\(own)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .reading("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
