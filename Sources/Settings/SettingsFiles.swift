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
        var files: [String: String] = [:]
        var sum = 0
        try collect(directory, depth: 1, into: &files, sum: &sum)
        return files
    }

    /// The text of one file.
    ///
    /// - Throws: `.unreadable`, `.tooLong` over `SettingsReader.longestFileBytes`, `.notUTF8`.
    package static func read(file: String) throws(SettingsFault) -> String {
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
        guard let text = String(validating: data, as: UTF8.self) else { throw .notUTF8(path: file) }
        return text
    }

    private static func collect(
        _ directory: String, depth: Int, into files: inout [String: String], sum: inout Int
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
                try collect(path, depth: depth + 1, into: &files, sum: &sum)
            } else if name.hasSuffix(".yaml") {
                let text = try read(file: path)
                sum += text.utf8.count
                guard files.count < mostFiles, sum <= longestSumBytes else { throw .tooMany(path: path) }
                files[path] = text
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
    /// The file is not UTF-8.
    case notUTF8(path: String)
    /// Too many files, too many bytes, or directories nested too deep; the path is the first beyond.
    case tooMany(path: String)

    /// The same as a finding, for one list with all others.
    package var diagnostic: Diagnostic {
        let (code, path, message): (DiagnosticCode, String, String) =
            switch self {
            case .unreadable(let path, let why): (.unreadable, path, "cannot be read: \(why)")
            case .tooLong(let path):
                (.fileTooLong, path, "longer than the limit of \(SettingsReader.longestFileBytes) bytes")
            case .notUTF8(let path): (.notUTF8, path, "not UTF-8")
            case .tooMany(let path):
                (.fileTooLong, path, "too many files, too many bytes or directories nested too deep")
            }
        return Diagnostic(code: code, location: SourceLocation(file: path, line: 1, column: 1), message: message)
    }

    /// The GNU form.
    package var description: String { diagnostic.text }
}
