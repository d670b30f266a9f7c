import Synchronization

/// Where a backup goes: new directories, one journal each. Keep the two apart: whoever has both needs only a master key.
package struct BackupTargets: Sendable {
    let journal: String?
    let keys: String?

    /// - Parameters:
    ///   - journal: everything but the keys; nil to leave it out.
    ///   - keys: key file and slabs, still sealed under the master keys; nil to leave them out. Kept at most 35 days, since
    ///     what is erased ends with the last copy of them.
    package init(journal: String?, keys: String?) {
        self.journal = journal
        self.keys = keys
    }
}

/// What a backup holds.
package struct BackupReport: Sendable, Equatable {
    /// The journal.
    package let journal: JournalID
    /// The one point in time that it shows, milliseconds since 1970 UTC.
    package let wallMilliseconds: Int64
    /// The last record in it, 0 when there is none.
    package let lastRecord: UInt64
    /// Files, manifests not counted.
    package internal(set) var files = 0
    /// Their bytes.
    package internal(set) var bytes: UInt64 = 0
}

/// What is copied, agreed on between two batches. Files only grow behind it, as long as maintenance is held off.
struct BackupPoint: Sendable {
    var journal: JournalID
    var wallMilliseconds: Int64
    var lastRecord: UInt64
    let paths: JournalPaths
    let disk: any Disk
    var journalFiles: [(name: String, bytes: UInt64)] = []
    var slabs: [(name: String, bytes: UInt64)] = []
    /// Key files change at any time, so their bytes are taken along.
    var keyFiles: [(name: String, bytes: [UInt8])] = []

    static let journalDirectories = ["segments", "snapshots", "quarantine", "audit"]
    static let keyDirectories = ["keys"]

    /// Copies to directories that are new. Any thread; may take long.
    func copy(to targets: BackupTargets, mayGoOn: @escaping () -> Bool) throws(JournalError) -> BackupReport {
        let copier = BackupCopier(disk: disk, mayGoOn: mayGoOn)
        var report = BackupReport(journal: journal, wallMilliseconds: wallMilliseconds, lastRecord: lastRecord)
        if let target = targets.journal {
            try copier.makeTarget(target, Self.journalDirectories)
            var manifest = manifest(.journal)
            for file in journalFiles {
                manifest.files.append(
                    try copier.copy(file.name, from: paths.root, to: target, count: file.bytes))
            }
            try finish(manifest, target, Self.journalDirectories, copier, &report)
        }
        if let target = targets.keys {
            try copier.makeTarget(target, Self.keyDirectories)
            var manifest = manifest(.keys)
            for file in keyFiles {
                try JournalError.wrapping { () throws(DiskError) in
                    try disk.writeNew(target + "/" + file.name, file.bytes)
                }
                manifest.files.append(
                    BackupManifest.File(
                        name: file.name, bytes: UInt64(file.bytes.count), digest: Cipher.digest(file.bytes)))
            }
            for file in slabs {
                manifest.files.append(
                    try copier.copy(file.name, from: paths.root, to: target, count: file.bytes))
            }
            try finish(manifest, target, Self.keyDirectories, copier, &report)
        }
        return report
    }

    private func manifest(_ kind: BackupManifest.Kind) -> BackupManifest {
        BackupManifest(kind: kind, journal: journal, wallMilliseconds: wallMilliseconds, lastRecord: lastRecord)
    }

    /// The manifest comes last: with it the backup is whole and durable.
    private func finish(
        _ manifest: BackupManifest, _ target: String, _ directories: [String], _ copier: BackupCopier,
        _ report: inout BackupReport
    ) throws(JournalError) {
        try copier.sync(target, directories)
        try JournalError.wrapping { () throws(DiskError) in
            try disk.writeNew(target + "/" + BackupManifest.fileName, manifest.bytes)
            try disk.syncDirectory(target)
        }
        report.files += manifest.files.count
        report.bytes += manifest.files.reduce(0) { $0 + $1.bytes }
    }
}

extension JournalCore {
    /// Copies the journal, its keys, or both, on this thread. Nothing else is done meanwhile: for a journal without a writer.
    ///
    /// - Throws: as `JournalWriter.backup`.
    package mutating func backUp(to targets: BackupTargets) throws(JournalError) -> BackupReport {
        try backupPoint(targets).copy(to: targets) { true }
    }

    /// Agrees on what a backup copies. For a backup of keys, its time is noted in the key file first.
    mutating func backupPoint(_ targets: BackupTargets) throws(JournalError) -> BackupPoint {
        guard targets.journal != nil || targets.keys != nil, targets.journal != targets.keys else {
            throw .backup(path: targets.journal ?? "", problem: .noTarget)
        }
        for target in [targets.journal, targets.keys].compactMap({ $0 })
        where try !JournalPaths.names(in: target, disk).isEmpty {
            throw .backup(path: target, problem: .notEmpty)
        }
        let now = clock.wallMilliseconds
        var point = BackupPoint(
            journal: table.journal, wallMilliseconds: now, lastRecord: nextRecord - 1, paths: paths, disk: disk)
        if targets.keys != nil {
            try maintaining { (core) throws(DiskError) in
                var next = core.table
                next.keyBackupMilliseconds = now
                try core.storeKeys(&next)
            }
            try listKeys(&point)
        }
        if targets.journal != nil { try listJournal(&point) }
        return point
    }

    private func listJournal(_ point: inout BackupPoint) throws(JournalError) {
        for directory in BackupPoint.journalDirectories {
            for name in try JournalPaths.names(in: paths.root + "/" + directory, disk).sorted() {
                let path = directory + "/" + name
                guard BackupManifest.isUsable(path), !name.hasSuffix(".new") else { continue }
                var bytes = try size(path)
                if let number = FileName.number(in: name, prefix: "segment-"), directory == "segments" {
                    // Segments that are prepared hold nothing, and the zeros behind the last batch neither.
                    if segments.dropFirst().contains(where: { $0.number == number }) { continue }
                    if number == segments[0].number { bytes = UInt64(segments[0].written) }
                }
                point.journalFiles.append((path, bytes))
            }
        }
    }

    private func listKeys(_ point: inout BackupPoint) throws(JournalError) {
        let file = KeyFile(directory: paths.keys, disk: disk)
        let names = try JournalPaths.names(in: paths.keys, disk)
        for generation in KeyFile.generations(in: names) {
            let bytes = try JournalError.wrapping { () throws(DiskError) in
                try disk.readWhole(file.path(generation), limit: KeyFile.limit)
            }
            point.keyFiles.append(("keys/keys-" + .hex(generation), bytes))
        }
        for (name, entry) in table.entries.sorted(by: { $0.key.number < $1.key.number }) where name.kind == .slab {
            let path = "keys/" + SlabFile.name(name.number, generation: entry.generation)
            point.slabs.append((path, UInt64(SlabFile.fileBytes)))
        }
    }

    private func size(_ name: String) throws(JournalError) -> UInt64 {
        try JournalError.wrapping { () throws(DiskError) in
            let file = try disk.open(paths.root + "/" + name, .read)
            defer { disk.close(file) }
            return try disk.size(file)
        }
    }
}

/// The thread of the backup that runs, if one does.
final class BackupThread: Sendable {
    private struct State {
        var thread: OwnedThread?
        var isStopping = false
    }

    private let state = Mutex(State())

    var mayGoOn: Bool { state.withLock { !$0.isStopping } }

    /// Starts a thread. The one before has ended its work.
    func start(_ body: @escaping @Sendable () -> Void) {
        let old = state.withLock { state in
            defer { state.thread = OwnedThread(name: "journal-backup", body) }
            return state.thread
        }
        old?.join()
    }

    /// Breaks the backup off and waits for its thread.
    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        guard let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }
}

extension JournalWriter {
    /// Copies the journal, its keys, or both as they are at one point, while notifications go on.
    ///
    /// Maintenance (erasures, rotation of master keys, dropping) waits until the copy is made. When `completion` is called with
    /// success, every file and name is durable.
    ///
    /// - Parameter completion: once, on a thread of its own or the writer's. `.backup` when a directory is not empty; then
    ///   nothing was copied. After any other failure no restore takes what lies there, unless its manifest is whole.
    package func backup(
        to targets: BackupTargets, completion: @escaping @Sendable (Result<BackupReport, JournalError>) -> Void
    ) {
        maintain({ (core: inout JournalCore) throws(JournalError) in try core.backupPoint(targets) }) { result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let point):
                self.hold(.on)
                self.copier.start {
                    let copied: Result<BackupReport, JournalError>
                    do throws(JournalError) {
                        copied = .success(try point.copy(to: targets) { self.copier.mayGoOn })
                    } catch {
                        copied = .failure(error)
                    }
                    // Told first: whoever hears of an erasure behind it has heard of the backup.
                    completion(copied)
                    self.hold(.off)
                }
            }
        }
    }
}
