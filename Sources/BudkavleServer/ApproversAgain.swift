import Foundation

/// A file that the administrator lays beside pins that are missing, with one line that says why: at the next start the keys of
/// the configuration are pinned afresh, and the file goes.
///
/// It is for a journal that is older than approvals, and for pins that no backup has. Where keys are pinned it changes none.
///
/// What that means (threats T9 and T16): whoever can write this directory, the daemon's user and root, can take the pins away, lay
/// this file down, and with a configuration of his own bring in approvers of his own at the next start. Pins protect against
/// whoever can write the configuration alone; against root nothing on this machine does. So it is never silent: it takes a
/// restart, the log names it as a warning, the reason is sealed into the journal as an override with the number of parties, where
/// no later start can take it out, and every party sees in its next `approve --list` under whose key its approvals count.
package struct ApproversAgain: Sendable {
    /// The longest reason, in bytes of UTF-8.
    package static let mostBytes = 400
    private static let suffix = "-again"

    /// Where it lies.
    package let path: String

    /// - Parameter pins: where the pinned keys lie.
    init(besides pins: String) { path = pins + Self.suffix }

    /// Why; nil when there is no such file. Blocks.
    ///
    /// - Throws: `.approvers` for a file that is not one line of printable text.
    package func reason() throws(StartError) -> String? {
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: path)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return nil
        } catch {
            throw .approvers("\(path) cannot be read: \(error.localizedDescription)")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular,
            let size = attributes[.size] as? Int, size <= Self.mostBytes + 1
        else { throw unfit }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .approvers("\(path) cannot be read; give it to the daemon's user")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else { throw unfit }
        if text.last == "\n" { text.removeLast() }
        let isPrintable = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
            default: true
            }
        }
        guard isPrintable, text.utf8.count <= Self.mostBytes, text.contains(where: { !$0.isWhitespace }) else {
            throw unfit
        }
        return text
    }

    /// Takes it away, so that it counts once. Blocks.
    package func remove() throws(StartError) {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw .approvers("\(path) cannot be removed, and it counts once only: \(error.localizedDescription)")
        }
    }

    private var unfit: StartError {
        .approvers("\(path): one line that says why is wanted, of at most \(Self.mostBytes) bytes; write it anew")
    }
}
