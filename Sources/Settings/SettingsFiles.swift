import Foundation

/// Reads settings files from disk, with limits. What they mean is for pure code.
package enum SettingsFiles {
    /// The greatest number of files in one directory, subdirectories included.
    package static let mostFiles = 4_096
    /// The greatest sum of their lengths, in bytes.
    package static let longestSumBytes = 64 << 20
    /// How deep subdirectories may lie.
    package static let deepestDirectory = 4

    /// The texts of all `*.yaml` files below `directory`, by path. Hidden files and symbolic links to directories are left out.
    ///
    /// - Parameter directory: the path; it is also how the files are called in messages.
    /// - Throws: the first fault; a file of another name is no fault.
    package static func read(directory: String) throws(SettingsFault) -> [String: String] {
        let found = try readAll(directory: directory)
        for fault in found.faults {
            if case .misnamed = fault { continue }
            throw fault
        }
        return found.files
    }

    /// The same, with the faults of single files beside what can be read all the same, so that one hides no other: a file that
    /// is not UTF-8 is there with U+FFFD where it is not, one that is too long, unreadable or misnamed is not.
    ///
    /// - Throws: `.unreadable` for a directory, `.tooMany`.
    package static func readAll(
        directory: String
    ) throws(SettingsFault) -> (files: [String: String], faults: [SettingsFault]) {
        var found: (files: [String: String], faults: [SettingsFault]) = ([:], [])
        var sum = 0
        try collect(directory, depth: 1, into: &found, sum: &sum)
        return found
    }

    /// The text of one file.
    ///
    /// - Throws: `.unreadable`, `.tooLong` over `SettingsReader.longestFileBytes`, `.notUTF8`.
    package static func read(file: String) throws(SettingsFault) -> String {
        let data = try bytes(of: file)
        guard let text = String(validating: data, as: UTF8.self) else { throw notUTF8(data, file) }
        return text
    }

    /// Where the first byte stands that is not UTF-8.
    private static func notUTF8(_ data: Data, _ path: String) -> SettingsFault {
        let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
        let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        // A character that is cut off is one U+FFFD, so that what precedes the first of both readings is sound.
        let repaired = lines.isEmpty ? "" : String(decoding: lines[index], as: UTF8.self)
        let column = repaired.unicodeScalars.prefix { $0 != "\u{FFFD}" }.count + 1
        return .notUTF8(path: path, line: index + 1, column: column)
    }

    private static func bytes(of file: String) throws(SettingsFault) -> Data {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), !isDirectory.boolValue else {
            throw .unreadable(path: file, why: isDirectory.boolValue ? "it is a directory" : "there is no such file")
        }
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw .unreadable(path: file, why: "permission denied")
        }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: SettingsReader.longestFileBytes + 1) ?? Data()
        } catch {
            throw .unreadable(path: file, why: "reading failed")
        }
        guard data.count <= SettingsReader.longestFileBytes else { throw .tooLong(path: file) }
        return data
    }

    private static func collect(
        _ directory: String, depth: Int, into found: inout (files: [String: String], faults: [SettingsFault]),
        sum: inout Int
    ) throws(SettingsFault) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .unreadable(path: directory, why: "the directory cannot be listed")
        }
        for name in names where !name.hasPrefix(".") {
            let path = directory.hasSuffix("/") ? directory + name : directory + "/" + name
            let kind = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
            if kind == .typeDirectory {
                guard depth < deepestDirectory else { throw .tooMany(path: path) }
                try collect(path, depth: depth + 1, into: &found, sum: &sum)
            } else if name.hasSuffix(".yaml") {
                guard found.files.count + found.faults.count < mostFiles else { throw .tooMany(path: path) }
                do throws(SettingsFault) {
                    let data = try bytes(of: path)
                    sum += data.count
                    found.files[path] = String(decoding: data, as: UTF8.self)
                    if String(validating: data, as: UTF8.self) == nil { throw notUTF8(data, path) }
                } catch {
                    found.faults.append(error)
                }
                guard sum <= longestSumBytes else { throw .tooMany(path: path) }
            } else if [".yml", ".yaml"].contains(where: { name.lowercased().hasSuffix($0) }) {
                guard found.files.count + found.faults.count < mostFiles else { throw .tooMany(path: path) }
                found.faults.append(.misnamed(path: path))
            }
        }
    }
}

/// Why settings cannot be read from disk.
package enum SettingsFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or directory is not there or not readable.
    case unreadable(path: String, why: String)
    /// The file exceeds `SettingsReader.longestFileBytes`.
    case tooLong(path: String)
    /// The file is not UTF-8, first at this place.
    case notUTF8(path: String, line: Int, column: Int)
    /// Too many files, too many bytes, or directories nested too deep; the path is the first beyond.
    case tooMany(path: String)
    /// The name ends in something like `.yaml`: the file is passed over, which nobody may have meant.
    case misnamed(path: String)

    /// The same as a finding, for one list with all others.
    package var diagnostic: Diagnostic {
        let (code, message): (DiagnosticCode, String) =
            switch self {
            case .unreadable(_, let why): (.unreadable, "cannot be read: \(why)")
            case .tooLong: (.fileTooLong, "longer than the limit of \(SettingsReader.longestFileBytes) bytes")
            case .notUTF8: (.notUTF8, "not UTF-8 from here on")
            case .tooMany: (.fileTooLong, "too many files, too many bytes or directories nested too deep")
            case .misnamed: (.misnamed, "the file is not read: only names that end in '.yaml' are")
            }
        return Diagnostic(code: code, severity: severity, location: location, message: message, hint: hint)
    }

    /// What to do, where the message does not say it.
    private var hint: String? {
        switch self {
        case .notUTF8: "save the file as UTF-8"
        case .misnamed: "rename it to .yaml, or move it away"
        case .unreadable, .tooLong, .tooMany: nil
        }
    }

    private var severity: Diagnostic.Severity {
        if case .misnamed = self { return .warning }
        return .error
    }

    private var location: SourceLocation {
        switch self {
        case .unreadable(let path, _), .tooLong(let path), .tooMany(let path), .misnamed(let path):
            SourceLocation(file: path, line: 1, column: 1)
        case .notUTF8(let path, let line, let column): SourceLocation(file: path, line: line, column: column)
        }
    }

    /// The GNU form.
    package var description: String { diagnostic.text }
}
