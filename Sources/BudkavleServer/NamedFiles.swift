import CaseNotifications
import Foundation
import Glibc
import Journal
import Routing
import Settings
import TLSStreams

/// Reads what budkavled.yaml names beside the policies, as a start would: TLS files, master keys and the approvers' pinned keys.
/// What is wrong goes to the log, with its place in budkavled.yaml.
struct NamedFiles {
    /// What this process is not given to read, each with why: credentials of a service that does not run here.
    private(set) var unread: [String] = []
    private let settings: DaemonSettings
    private let log: DiagnosticLog
    /// Where each file is named.
    private let places: [String: Place]
    private let start: Place

    /// - Parameter log: has read budkavled.yaml without an error.
    init(_ settings: DaemonSettings, log: DiagnosticLog) {
        self.settings = settings
        self.log = log
        let file = "\(settings.directory)/budkavled.yaml"
        start = Place(SourceLocation(file: file, line: 1, column: 1))
        var places: [String: Place] = [:]
        if let text = try? SettingsFiles.read(file: file),
            let root = SettingsReader.parse(file: file, text: text, log: DiagnosticLog())
        {
            Self.collect(root) { text, place in
                let path = DaemonSettings.credentialFile(DaemonSettings.absolute(text, in: settings.directory))
                places[path] = places[path] ?? place
            }
        }
        self.places = places
    }

    private static func collect(_ node: SettingsNode, _ found: (String, Place) -> Void) {
        switch node.content {
        case .text(let text, _): found(text, node.place)
        case .list(let nodes): for child in nodes { collect(child, found) }
        case .mapping(let entries): for entry in entries { collect(entry.value, found) }
        }
    }

    /// Reads all of it. Nothing is written. Blocks.
    mutating func check(_ policies: [Policy]) {
        readTLS()
        readKeys(settings.keys)
        for collaboration in settings.collaborations {
            if let keys = collaboration.keys { readKeys(keys) }
        }
        for policy in policies where policy.mode == .production { readPins(of: policy) }
    }

    // MARK: TLS

    private mutating func readTLS() {
        var options = settings.tls
        var files = ([options.certificateFile].compactMap { $0 } + options.caFiles + options.crlFiles)
        if let key = options.keyFile {
            let directory = DaemonSettings.credentialDirectory + "/"
            if key.hasPrefix(directory), access(key, F_OK) != 0 {
                unread.append(Self.named(String(key.dropFirst(directory.count))))
                // As it is handed out: a configuration without any of its TLS files is not installed yet.
                if files.allSatisfy({ access($0, F_OK) != 0 && errno == ENOENT }) { return unread += files }
                (options.certificateFile, options.keyFile) = (nil, nil)
            } else {
                files.append(key)
            }
        }
        var areAllThere = true
        for file in files where access(file, R_OK) != 0 {
            let reason = String(cString: strerror(errno))
            areAllThere = false
            tell(.unreadable, "\(file): \(reason)")
        }
        guard areAllThere else { return }
        do throws(TLSError) {
            _ = options.keyFile == nil ? try TLSContext(client: options) : try TLSContext(server: options)
        } catch {
            tell(.invalidValue, error.description)
        }
    }

    private static func named(_ credential: String) -> String { DaemonSettings.credentialPrefix + credential }

    // MARK: Keys

    private mutating func readKeys(_ keys: DaemonSettings.Keys) {
        var here = keys
        here.files = keys.files.filter { file in
            let path = DaemonSettings.credentialFile(file.path)
            guard path != file.path, access(path, F_OK) != 0 else { return true }
            if !unread.contains(file.path) { unread.append(file.path) }
            return false
        }
        guard let first = here.files.first else { return }
        let isActive = { (file: (id: String, path: String)) in file.id == keys.activeID }
        if keys.files.contains(where: isActive), !here.files.contains(where: isActive) { here.activeID = first.id }
        do throws(JournalError) {
            _ = try here.load()
        } catch .keyFile(let path, .owner(let owner)) where geteuid() == 0 {
            // Right for the daemon that runs as that user, and this is not it.
            unread.append("\(path) (of user \(owner): check as that user)")
        } catch {
            tell(.invalidValue, error.description)
        }
    }

    /// Whether the keys of a production policy's approvers are those that are pinned beside the journal, where it has any.
    private mutating func readPins(of policy: Policy) {
        let id = policy.collaboration
        let path = "\(settings.dataDirectory)/\(id.text)/audit/\(ApproverPins.fileName)"
        guard access(path, R_OK) == 0 else {
            if errno == EACCES { unread.append(path) }
            return
        }
        guard let ring = try? settings.keys(of: id.text).load() else { return }
        do throws(StartError) {
            let pins: ApproverPins
            do throws(JournalError) {
                pins = try ApproverPins(id, in: settings.dataDirectory, keys: ring)
            } catch { throw .journal(error) }
            _ = try pins.admit(policy, .first)
        } catch {
            for line in error.description.split(separator: "\n") {
                let found = policy.approvers.first { line.hasPrefix("\($0.location): error: ") }
                let place = found.map { Place($0.location) } ?? start
                let text = found.map { line.dropFirst("\($0.location): error: ".count) } ?? line
                log.error(.invalidValue, at: place, String(text))
            }
        }
    }

    /// A finding whose sentence begins with the path that it is about.
    private func tell(_ code: DiagnosticCode, _ text: String) {
        let named = places.filter { text.hasPrefix("\($0.key): ") }.max { $0.key.utf8.count < $1.key.utf8.count }
        log.error(code, at: named?.value ?? start, text)
    }
}
