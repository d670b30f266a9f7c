import Foundation
import Journal
package import Settings
package import TLSStreams

/// `budkavled.yaml`: what the daemon needs before it knows any policy. Paths are relative to the file's directory.
package struct DaemonSettings: Sendable {
    package struct Listen: Sendable {
        package var host: String
        package var port: Int
        /// Where the port is written as text once everything is ready; for port 0.
        package var portFile: String?
    }
    package struct Keys: Sendable {
        /// The key under which new keys are wrapped.
        package var activeID: String
        /// Id and file of every master key at hand.
        package var files: [(id: String, path: String)]
    }
    /// What the journal keeps ready and how long it keeps what is done.
    package struct Store: Sendable, Equatable {
        /// Size of a segment file.
        package var segmentBytes = 64 << 20
        /// Sealed segments in which everything is done go away with their keys after this time; their audit records are copied.
        package var history = Store.historyLimits.lowerBound
        /// A file that gives its place back when the disk is full, so that deliveries, acknowledgements and repairs go on.
        package var reserveBytes = 64 << 20

        /// Smallest and largest size of a segment; the smallest holds the largest request twice over.
        package static let segmentLimits = (4 << 20)...(1 << 30)
        /// Shortest and longest time: receipts are readable for 90 days, so nothing goes earlier.
        package static let historyLimits = Duration.seconds(90 * 86_400)...Duration.seconds(3_650 * 86_400)
        /// Smallest and largest reserve.
        package static let reserveLimits = (16 << 20)...(16 << 30)

        /// The defaults.
        package init() {}

        /// As the journal takes them.
        var options: JournalOptions {
            var options = JournalOptions()
            options.segmentBytes = segmentBytes
            // A start prepares one segment: beside this part of it there must be room for the first notifications.
            options.progressReserveBytes = min(options.progressReserveBytes, segmentBytes / 4)
            options.reserveFileBytes = reserveBytes
            return options
        }
    }
    package struct Collaboration: Sendable {
        /// Directory of the policy, below the configuration.
        package var directory: String
        /// Master keys of its own; nil for those that `journal` names.
        package var keys: Keys?

        /// The last part of its directory, by which `collaborations` and the tools name it.
        var name: String { directory.split(separator: "/").last.map(String.init) ?? directory }
    }

    /// The configuration directory.
    package var directory: String
    package var listen: Listen
    package var adminSocket: String?
    package var adminGroup: String
    package var tls: TLSOptions
    package var dataDirectory: String
    package var keys: Keys
    package var store: Store
    package var collaborations: [Collaboration]
    package var logLevel: String
    package var logFormat: String

    /// The master keys of a collaboration: its own, or those of `journal`.
    package func keys(of collaboration: String) -> Keys {
        collaborations.first { $0.name == collaboration }?.keys ?? keys
    }

    /// What stands in front of the name of a systemd credential, where the path of a secret file may stand too.
    package static let credentialPrefix = "credential:"

    /// Where credentials lie. A tool that root starts beside the service finds the service's own.
    static var credentialDirectory: String {
        ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] ?? "/run/credentials/budkavled.service"
    }

    /// The file of a credential (systemd.exec, LoadCredential=); any other path as it is.
    static func credentialFile(_ path: String) -> String {
        guard path.hasPrefix(credentialPrefix) else { return path }
        return "\(credentialDirectory)/\(path.dropFirst(credentialPrefix.count))"
    }

    /// A path as budkavled.yaml has it: relative ones count from the file's directory.
    static func absolute(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") || path.hasPrefix(credentialPrefix) ? path : "\(directory)/\(path)"
    }

    /// Reads `<directory>/budkavled.yaml`; every mistake is in `log`, and then there are no settings.
    package static func read(directory: String, log: DiagnosticLog) throws(SettingsFault) -> DaemonSettings? {
        guard !directory.hasSuffix("budkavled.yaml") else {
            throw .unreadable(path: directory, why: "the directory that it lies in is wanted")
        }
        let path = "\(directory)/budkavled.yaml"
        let text = try SettingsFiles.read(file: path)
        guard let root = SettingsReader.parse(file: path, text: text, log: log),
            var reader = MappingReader(root, "budkavled.yaml", log)
        else { return nil }
        let settings = parse(&reader, directory: directory)
        return log.hasErrors ? nil : settings
    }

    /// The collaborations that `<directory>/budkavled.yaml` lists, as far as they can be read whatever else is wrong in it.
    static func collaborations(directory: String) -> [Collaboration] {
        let path = "\(directory)/budkavled.yaml"
        let log = DiagnosticLog()
        guard let text = try? SettingsFiles.read(file: path),
            let root = SettingsReader.parse(file: path, text: text, log: log),
            var reader = MappingReader(root, "budkavled.yaml", log)
        else { return [] }
        return readCollaborations(&reader) { absolute($0, in: directory) }
    }

    private static func parse(_ root: inout MappingReader, directory: String) -> DaemonSettings? {
        func absolute(_ path: String) -> String { Self.absolute(path, in: directory) }
        _ = root.value("version", .oneOf(["1"]))
        let listen = root.mapping("listen").flatMap { readListen($0, absolute) }
        let tls = root.mapping("tls").map { readTLS($0, absolute) }
        let journal = root.mapping("journal").flatMap { readJournal($0, absolute) }
        let adminSocket = root.optional("admin-socket", .text).map(absolute)
        let adminGroup = root.optional("admin-group", .text) ?? "budkavle-admin"
        var level = "info"
        var format = "auto"
        if var log = root.optionalMapping("log") {
            level = log.optional("level", .oneOf(["debug", "info", "warning", "error"])) ?? level
            format = log.optional("format", .oneOf(["auto", "text", "json"])) ?? format
            log.finish()
        }
        let collaborations = readCollaborations(&root, absolute)
        root.finish()
        guard let listen, let tls, let journal else { return nil }
        return DaemonSettings(
            directory: directory, listen: listen, adminSocket: adminSocket, adminGroup: adminGroup, tls: tls,
            dataDirectory: journal.directory, keys: journal.keys, store: journal.store, collaborations: collaborations,
            logLevel: level, logFormat: format)
    }

    private static func readListen(_ mapping: MappingReader, _ absolute: (String) -> String) -> Listen? {
        var reader = mapping
        let host = reader.value("host", .text)
        let port = reader.value("port", .integer(in: 0...65535))
        let portFile = reader.optional("port-file", .text).map(absolute)
        reader.finish()
        guard let host, let port else { return nil }
        return Listen(host: host, port: Int(port), portFile: portFile)
    }

    private static func readTLS(_ mapping: MappingReader, _ absolute: (String) -> String) -> TLSOptions {
        var reader = mapping
        var options = TLSOptions()
        options.certificateFile = reader.value("certificate", .text).map(absolute)
        options.keyFile = reader.value("key", .text).map { credentialFile(absolute($0)) }
        options.caFiles = reader.list("client-ca", of: .text).map { absolute($0.value) }
        options.crlFiles = (reader.optionalList("crl", of: .text) ?? []).map { absolute($0.value) }
        options.strict = reader.optional("strict", .flag) ?? true
        if reader.optional("minimum", .oneOf(["1.2", "1.3"])) == "1.2" { options.minimumVersion = .v1_2 }
        reader.finish()
        return options
    }

    /// `collaborations`: each the name of its directory, or a mapping with that as `id` and master keys of its own.
    private static func readCollaborations(
        _ root: inout MappingReader, _ absolute: (String) -> String
    ) -> [Collaboration] {
        var found: [Collaboration] = []
        for node in root.requiredSequence("collaborations") {
            var collaboration: Collaboration?
            if let name = node.text {
                collaboration = Collaboration(directory: absolute(name))
            } else if var reader = MappingReader(node, "a collaboration", root.log) {
                let name = reader.value("id", .text)
                let keys = readKeys(&reader, absolute)
                reader.finish()
                collaboration = name.map { Collaboration(directory: absolute($0), keys: keys) }
            }
            guard let collaboration else { continue }
            if found.contains(where: { $0.name == collaboration.name }) {
                root.log.error(.repeatedValue, at: node.place, "'collaborations' has '\(collaboration.name)' twice")
                continue
            }
            found.append(collaboration)
        }
        return found
    }

    /// `master-key` or `master-keys`; nil when neither is set.
    private static func readKeys(_ reader: inout MappingReader, _ absolute: (String) -> String) -> Keys? {
        let single = reader.node("master-key") != nil
        let file = reader.optional("master-key", .text).map(absolute)
        guard var more = reader.optionalMapping("master-keys") else {
            return single ? Keys(activeID: "v1", files: file.map { [(id: "v1", path: $0)] } ?? []) : nil
        }
        if single {
            reader.log.error(
                .invalidValue, at: reader.place(of: "master-key"), "there are both 'master-key' and 'master-keys'",
                hint: "name its file among the 'files' of 'master-keys', as v1, and leave 'master-key' out")
        }
        var keys = Keys(activeID: more.value("active", .text) ?? "", files: [])
        let entries = more.requiredEntries("files")
        if entries.isEmpty, more.node("files") != nil {
            reader.log.error(.wrongCount, at: more.place(of: "files"), "'master-keys' names no file")
        }
        for entry in entries {
            let what = "the file of \(Diagnostic.quote(entry.key.value))"
            if let path = MappingReader.read(entry.value, .text, what: what, log: reader.log) {
                keys.files.append((id: entry.key.value, path: absolute(path.value)))
            }
        }
        more.finish()
        return keys
    }

    private static func readJournal(
        _ mapping: MappingReader, _ absolute: (String) -> String
    ) -> (directory: String, keys: Keys, store: Store)? {
        var reader = mapping
        let directory = reader.value("directory", .text).map(absolute)
        let keys = readKeys(&reader, absolute)
        if keys == nil {
            reader.log.error(.missingKey, at: reader.place, "'journal' has neither 'master-key' nor 'master-keys'")
        }
        var store = Store()
        store.segmentBytes = reader.optional(
            "segment-size", .byteSize(in: Store.segmentLimits), default: store.segmentBytes)
        store.history = reader.optional("history", .duration(in: Store.historyLimits), default: store.history)
        store.reserveBytes = reader.optional("reserve", .byteSize(in: Store.reserveLimits), default: store.reserveBytes)
        reader.finish()
        guard let directory, let keys else { return nil }
        return (directory, keys, store)
    }
}
