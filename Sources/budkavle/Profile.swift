import BudkavleClient
import Console
import Foundation
import Settings

/// How one person or system reaches its relay: `$XDG_CONFIG_HOME/budkavle/config.yaml`.
///
///     default: jour
///     profiles:
///       jour: {host: relay.example, port: 61614, ca: ca.crt, cert: staff-31.crt, key: staff-31.key, lang: sv, collaboration: orebro}
///
/// Paths that do not begin with `/` count from the file's directory.
struct Profile: Equatable {
    static let defaultPort = 61_614

    var host: String?
    var port: Int?
    var socket: String?
    var ca: String?
    var cert: String?
    var key: String?
    var lang: String?
    var collaboration: String?

    /// Where the file is.
    static func file(environment: [String: String]) -> String {
        let base =
            environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? (environment["HOME"] ?? "") + "/.config"
        return base + "/budkavle/config.yaml"
    }

    /// The profile of that name; without a name the default one, or an empty one when there is no file.
    ///
    /// - Throws: 78 with every mistake in the file, file:line:column.
    static func load(named name: String?, environment: [String: String]) throws(CommandFailure) -> Profile {
        let path = file(environment: environment)
        let wanted = name ?? environment["BUDKAVLE_PROFILE"].flatMap { $0.isEmpty ? nil : $0 }
        guard FileManager.default.fileExists(atPath: path) else {
            guard let wanted else { return Profile() }
            throw CommandFailure(
                .configuration, "\(path): there is no such file, so no profile '\(Sanitizer.line(wanted))'")
        }
        try demandMode(of: path, without: 0o022, "others may change it; chmod go-w")
        let text: String
        do { text = try SettingsFiles.read(file: path) } catch {
            throw CommandFailure(.configuration, error.description)
        }
        return try parse(text, path: path, wanted: wanted)
    }

    static func parse(_ text: String, path: String, wanted: String?) throws(CommandFailure) -> Profile {
        let log = DiagnosticLog()
        var profiles: [String: Profile] = [:]
        var fallback: String?
        if let root = SettingsReader.parse(file: path, text: text, log: log, beginningWith: "profiles:"),
            var top = MappingReader(root, "the file", log)
        {
            fallback = top.optional("default", .text)
            for entry in top.entries("profiles") {
                guard var reader = MappingReader(entry.value, "profile '\(entry.key.value)'", log) else { continue }
                profiles[entry.key.value] = read(&reader, directory: (path as NSString).deletingLastPathComponent)
                reader.finish()
            }
            top.finish()
        }
        if log.hasErrors {
            throw CommandFailure(.configuration, log.diagnostics.map(\.text).joined(separator: "\n"))
        }
        guard let name = wanted ?? fallback else {
            if profiles.count == 1, let only = profiles.values.first { return only }
            return Profile()
        }
        if let profile = profiles[name] { return profile }
        let hint =
            DidYouMean.suggestion(for: name, among: profiles.keys.sorted()).map { "; did you mean '\($0)'?" } ?? ""
        throw CommandFailure(.configuration, "\(path): there is no profile '\(Sanitizer.line(name))'\(hint)")
    }

    private static func read(_ reader: inout MappingReader, directory: String) -> Profile {
        func absolute(_ path: String?) -> String? {
            path.map { $0.hasPrefix("/") ? $0 : "\(directory)/\($0)" }
        }
        var profile = Profile()
        profile.host = reader.optional("host", .text)
        profile.port = reader.optional("port", .integer(in: 1...65_535))
        profile.socket = absolute(reader.optional("socket", .text))
        profile.ca = absolute(reader.optional("ca", .text))
        profile.cert = absolute(reader.optional("cert", .text))
        profile.key = absolute(reader.optional("key", .text))
        profile.lang = reader.optional("lang", .oneOf(["sv", "en"]))
        profile.collaboration = reader.optional("collaboration", .text)
        return profile
    }

    /// Refuses a file whose mode has one of `bits`.
    static func demandMode(of path: String, without bits: UInt32, _ remedy: String) throws(CommandFailure) {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: file)
        } catch {
            throw CommandFailure(.configuration, "\(path): \(error.localizedDescription)")
        }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.uint32Value ?? 0
        if mode & bits != 0 { throw CommandFailure(.configuration, "\(path): \(remedy)") }
    }
}
