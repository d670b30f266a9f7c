import CaseNotifications
import Foundation
import Journal

/// Checkpoints that somebody else kept, for `audit verify`: from files with one per line, empty lines aside.
///
/// A line is `<head>.<signature>`, as `budkavle` keeps it for CONNECT, or one JSON object: a receipt as `budkavle receipts --json`
/// prints it (`data.checkpoint`), or an answer to `proof` (`latest`, else `checkpoint`).
package enum HeldCheckpoints {
    /// Most bytes of one file: some thousand receipts.
    package static let limitBytes = 16 << 20

    /// The checkpoints of one file.
    ///
    /// - Throws: 66 for a file that cannot be read, 65 for a line that holds none, or a file with none.
    static func read(file path: String) throws(ToolError) -> [Checkpoint] {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: limitBytes + 1) else {
            throw ToolError("\(path): cannot be read, or is empty", .noInput)
        }
        guard data.count <= limitBytes else {
            throw ToolError("\(path): has more than \(limitBytes) bytes; give it in parts", .data)
        }
        return try checkpoints(in: String(decoding: data, as: UTF8.self), of: path)
    }

    /// The checkpoints of a file's text.
    static func checkpoints(in text: String, of path: String) throws(ToolError) -> [Checkpoint] {
        var found: [Checkpoint] = []
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let line = String(decoding: bytes.filter { $0 > UInt8(ascii: " ") }, as: UTF8.self)
            if line.isEmpty { continue }
            guard let checkpoint = checkpoint(in: line) else {
                let what = IgnoredCheckpoint.malformed.rawValue
                throw ToolError("\(path):\(index + 1): \(what), and no receipt or proof with one", .data)
            }
            found.append(checkpoint)
        }
        guard !found.isEmpty else { throw ToolError("\(path): no checkpoint in it", .data) }
        return found
    }

    private static func checkpoint(in line: String) -> Checkpoint? {
        guard line.hasPrefix("{") else { return Checkpoint(line) }
        guard let value = try? JSONValue(parsing: Array(line.utf8)) else { return nil }
        let text = value["latest"] ?? value["checkpoint"] ?? value["data"]?["checkpoint"]
        return text?.string.flatMap { Checkpoint($0) }
    }
}

extension Checkpoint {
    /// Why it says nothing about the log of a journal; nil when it is signed for that one.
    func fault(journal: [UInt8], keys: [(serial: UInt32, publicKey: [UInt8])]) -> IgnoredCheckpoint? {
        guard self.journal == journal else { return .otherJournal }
        let isOurs = keys.contains { key in
            isSigned(by: HeadKey(journal: journal, serial: key.serial, publicKey: key.publicKey))
        }
        return isOurs ? nil : .wrongSignature
    }
}
