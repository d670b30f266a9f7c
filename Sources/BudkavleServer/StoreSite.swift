import CaseNotifications
import Foundation
import Glibc
import Journal
import Settings

/// What came of an attempt to take the lock.
package enum StoreAttempt<Value: Sendable>: Sendable {
    case done(Value)
    /// A daemon holds the directory; orders go to its administration socket.
    case daemon(socket: String)
}

/// A collaboration's store on disk.
package struct StoreSite: Sendable {
    /// The collaboration's id: the name of its directory.
    package let collaboration: String
    let configDirectory: String
    let settings: DaemonSettings
    /// `<data>/<collaboration>`.
    let directory: String

    /// Reads budkavled.yaml and looks at the data directory. Nothing is written.
    ///
    /// - Parameter name: which collaboration; nil where there is only one.
    /// - Throws: 78 for the settings, 64 for the collaboration, 66 when there is no store yet, 77 for another user than the
    ///   store's.
    package static func find(configDirectory: String, collaboration name: String?) throws(ToolError) -> StoreSite {
        let settings = try settings(configDirectory)
        let all = try collaborations(in: settings.dataDirectory)
        guard !all.isEmpty else {
            throw ToolError("\(settings.dataDirectory): there is no journal yet; the first start makes it", .noInput)
        }
        guard let found = all.count == 1 && name == nil ? all.first : all.first(where: { $0 == name }) else {
            throw ToolError.collaboration(name, among: all)
        }
        return StoreSite(
            collaboration: found, configDirectory: configDirectory, settings: settings,
            directory: settings.dataDirectory + "/" + found)
    }

    static func settings(_ configDirectory: String) throws(ToolError) -> DaemonSettings {
        let log = DiagnosticLog()
        let found: DaemonSettings?
        do throws(SettingsFault) {
            found = try DaemonSettings.read(directory: configDirectory, log: log)
        } catch {
            throw ToolError("\(error)", .configuration)
        }
        guard let found else {
            throw ToolError(log.diagnostics.map(\.text).joined(separator: "\n"), .configuration)
        }
        return found
    }

    /// Names of the directories that hold a journal, sorted; none where there is no directory at all.
    private static func collaborations(in data: String) throws(ToolError) -> [String] {
        guard let stream = opendir(data) else { return try absence(of: data, errno) }
        closedir(stream)
        var found: [String] = []
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: data)) ?? []).sorted() {
            var status = stat()
            if stat("\(data)/\(name)/segments", &status) == 0 {
                found.append(name)
            } else {
                let number = errno
                found += try absence(of: "\(data)/\(name)", number)
            }
        }
        return found
    }

    /// Nothing, for what is not there; what another user's directory hides is not absent.
    private static func absence(of path: String, _ number: Int32) throws(ToolError) -> [String] {
        if number == ENOENT || number == ENOTDIR { return [] }
        let reason = String(cString: strerror(number))
        guard number == EACCES else { throw ToolError("\(path): \(reason)", .inputOutput) }
        var place = path
        var status = stat()
        while stat(place, &status) != 0, let slash = place.lastIndex(of: "/"), slash > place.startIndex {
            place = String(place[..<slash])
        }
        throw ToolError(
            "\(path): \(reason): \(place) belongs to user \(status.st_uid): run this as that user", .refused)
    }

    /// Where orders go when the lock is taken.
    private func socketOfHolder() throws(ToolError) -> String {
        guard let socket = settings.adminSocket else {
            throw ToolError(
                "\(settings.dataDirectory) is in use by a daemon, and budkavled.yaml names no admin-socket by which it"
                    + " could be asked: stop the daemon, or name one and restart it", .inputOutput)
        }
        return socket
    }

    /// The lock; nil when a daemon has it.
    ///
    /// - Throws: 77 for another user than the directory's: what he writes the daemon could not read.
    private func takeLock() throws(ToolError) -> DataDirectory? {
        let lock: DataDirectory
        do throws(JournalError) {
            lock = try DataDirectory(path: settings.dataDirectory)
        } catch {
            if case .locked = error { return nil }
            throw ToolError(error)
        }
        var status = stat()
        if stat(directory, &status) == 0, status.st_uid != geteuid() {
            lock.unlock()
            throw ToolError(
                "\(directory) belongs to user \(status.st_uid): run this as that user, or the daemon could not read what"
                    + " is written", .refused)
        }
        return lock
    }

    /// Takes the lock and opens the store as the daemon would, or says which daemon to ask. Blocks.
    package func open(log: DaemonLog) throws(ToolError) -> StoreAttempt<StoreSession> {
        guard let lock = try takeLock() else { return .daemon(socket: try socketOfHolder()) }
        lock.unlock()
        do throws(StartError) {
            let session = try StoreSession.open(
                configDirectory: configDirectory, collaboration: collaboration, log: log)
            return .done(session)
        } catch {
            if case .journal(.locked) = error { return .daemon(socket: try socketOfHolder()) }
            throw ToolError(error.description, error.status)
        }
    }

    /// The master keys of this collaboration: its own, or those of `journal`.
    func keys() throws(JournalError) -> KeyRing { try settings.keys(of: collaboration).load() }

    // MARK: Looking

    /// `keys list`: reads the key file alone.
    package func listKeys() throws(ToolError) -> [UInt8] {
        try Self.wrapping { () throws(JournalError) in
            let ring = try keys()
            let report = try KeyReport.read(directory: directory, keys: ring)
            return StoreAnswers.keys(report, action: "list", at: WallTime.now).bytes
        }
    }

    /// `journal verify`.
    package func verify() throws(ToolError) -> StoreFinding {
        try Self.wrapping { () throws(JournalError) in
            let report = try Inspection.verify(directory: directory, keys: try keys())
            return StoreFinding(
                answer: StoreAnswers.verification(report, at: WallTime.now).bytes, isSound: report.isSound)
        }
    }

    /// `journal stats`.
    package func stats() throws(ToolError) -> [UInt8] {
        try Self.wrapping { () throws(JournalError) in
            StoreAnswers.stats(try Inspection.stats(directory: directory, keys: try keys()), at: WallTime.now).bytes
        }
    }

    /// `audit verify`.
    ///
    /// - Parameter files: paths of files with checkpoints that others kept, see ``HeldCheckpoints``: one that the log does not
    ///   continue is a finding.
    /// - Throws: 65 for a checkpoint of another journal, or that no key of this one signed.
    package func verifyAudit(checkpoints files: [String] = []) throws(ToolError) -> StoreFinding {
        let ring = try Self.wrapping { () throws(JournalError) in try keys() }
        let known = try Self.wrapping { () throws(JournalError) in
            try Inspection.headKeys(directory: directory, keys: ring)
        }
        var held: [SignedHead] = []
        for path in files {
            for checkpoint in try HeldCheckpoints.read(file: path) {
                let keys = known.keys.map { ($0.serial, $0.publicKey) }
                if let fault = checkpoint.fault(journal: known.journal, keys: keys) {
                    throw ToolError(
                        "\(path): a checkpoint of \(checkpoint.size) records is not of this log: \(fault.rawValue)",
                        .data)
                }
                let head = AuditVerification.head(
                    body: checkpoint.body, signature: checkpoint.signature, keys: known.keys)
                if let head { held.append(head) }
            }
        }
        return try Self.wrapping { () throws(JournalError) in
            let report = try AuditVerification.run(directory: directory, keys: ring, held: held)
            let answer = StoreAnswers.audit(report, checkpoints: held.count, at: WallTime.now)
            return StoreFinding(answer: answer.bytes, isSound: report.isSound)
        }
    }

    // MARK: Salvage and restore

    /// `journal salvage`: what keeps the daemon from starting. Reads only.
    package func salvage() throws(ToolError) -> [UInt8] {
        try Self.wrapping { () throws(JournalError) in
            let found = try Inspection.verify(directory: directory, keys: try keys())
            return StoreAnswers.salvage(found, isAccepted: false, quarantined: [], at: WallTime.now).bytes
        }
    }

    /// `journal salvage --accept`: copies aside what cannot be read and lets the next start go on with exactly what was
    /// found, or says which daemon to ask.
    ///
    /// - Throws: also when nothing keeps the daemon from starting, with status 1.
    package func accept(_ reason: StatedReason) throws(ToolError) -> StoreAttempt<[UInt8]> {
        guard let lock = try takeLock() else { return .daemon(socket: try socketOfHolder()) }
        defer { lock.unlock() }
        let report = try Self.wrapping { () throws(JournalError) in
            try Inspection.salvage(
                directory: directory, keys: try keys(),
                accepting: SalvageAcceptance(reason: reason.text, by: reason.by ?? ""))
        }
        guard report.override != nil else {
            throw ToolError("nothing keeps the daemon from starting: there is nothing to accept", .negative)
        }
        return .done(
            StoreAnswers.salvage(report.found, isAccepted: true, quarantined: report.quarantined, at: WallTime.now)
                .bytes)
    }

    /// `restore`: makes `<data>/<collaboration>` from a backup. Nobody may hold the directory.
    package static func restore(
        configDirectory: String, collaboration: String?, journal: String, keys: String, deletions: String?
    ) throws(ToolError) -> [UInt8] {
        let settings = try settings(configDirectory)
        let all = try collaborations(in: journal)
        guard let name = all.count == 1 && collaboration == nil ? all.first : all.first(where: { $0 == collaboration })
        else {
            if all.isEmpty { throw ToolError("\(journal) holds no backup of a journal", .noInput) }
            throw ToolError.collaboration(collaboration, among: all)
        }
        return try wrapping { () throws(JournalError) in
            let ring = try settings.keys(of: name).load()
            let lock = try DataDirectory(path: settings.dataDirectory)
            defer { lock.unlock() }
            let target = settings.dataDirectory + "/" + name
            let report = try Restore.run(
                journal: journal + "/" + name, keys: keys + "/" + name, deletions: deletions, to: target, ring: ring)
            return StoreAnswers.restore(report, directory: target, at: WallTime.now).bytes
        }
    }

    private static func wrapping<Value>(_ work: () throws(JournalError) -> Value) throws(ToolError) -> Value {
        do throws(JournalError) {
            return try work()
        } catch {
            throw ToolError(error)
        }
    }
}

/// What a look at the store found: the answer, and whether everything held.
package struct StoreFinding: Sendable {
    /// A JSON object.
    package let answer: [UInt8]
    package let isSound: Bool
}
