/// What a restore made.
package struct RestoreReport: Sendable, Equatable {
    /// The journal.
    package let journal: JournalID
    /// The point in time of the journal's backup, milliseconds since 1970 UTC: what was receipted later is not in it.
    package let wallMilliseconds: Int64
    /// The last record that the backup promises.
    package let lastRecord: UInt64
    /// Files that were copied.
    package internal(set) var files = 0
    /// Deletion records that were applied.
    package internal(set) var deletions: UInt64 = 0
    /// Slots that the backup still had and that are gone now.
    package internal(set) var slotsErased = 0
}

/// Makes a journal's directory from a backup of the journal and one of its keys.
///
/// Everything that was erased since is erased before the first key is written there: the directory never holds a key that
/// opens it. It carries a hold, so the first start needs an override.
package struct Restore {
    /// Slab numbers that are left out behind those of the backup. What the lost days gave out is never given out again, so
    /// that a deletion list of theirs cannot hit a text of today.
    static let slabGap: UInt64 = 1 << 20
    private static let deletions = "audit/deletions"

    private let journalSource: String
    private let keySource: String
    private let target: JournalPaths
    private let ring: KeyRing
    private let disk: any Disk
    private let random: any RandomSource
    private let copier: BackupCopier

    /// Restores. The caller holds the lock of the data directory.
    ///
    /// - Parameters:
    ///   - journal: a backup of the journal.
    ///   - keys: a backup of its keys of the same time or later.
    ///   - deletions: the newest deletion list, `audit/deletions` of the journal that was lost, or a copy of it that was taken
    ///     out; nil when nothing was ever erased, which is refused when the backup knows better.
    ///   - target: `<data>/<collaboration>`, which is not there or empty.
    /// - Throws: `.backup`, `.deletionList`, errors of the key file, `.io`. A target that was begun has a hold and no key file,
    ///   so no start takes it; remove it and repeat.
    package static func run(
        journal: String, keys: String, deletions: String?, to target: String, ring: KeyRing,
        disk: any Disk = PosixDisk(), random: any RandomSource = SystemRandom(),
        clock: any JournalClock = SystemJournalClock()
    ) throws(JournalError) -> RestoreReport {
        let restore = Restore(
            journalSource: journal, keySource: keys, target: JournalPaths(root: target), ring: ring, disk: disk,
            random: random, copier: BackupCopier(disk: disk) { true })
        return try restore.run(deletions: deletions, now: clock.wallMilliseconds)
    }

    private func run(deletions: String?, now: Int64) throws(JournalError) -> RestoreReport {
        let journal = try BackupManifest.read(journalSource, .journal, disk)
        let keys = try BackupManifest.read(keySource, .keys, disk)
        guard journal.journal == keys.journal else { throw .backup(path: keySource, problem: .journal) }
        guard journal.wallMilliseconds <= keys.wallMilliseconds else {
            throw .backup(path: keySource, problem: .keysOlder)
        }
        var table = try loadKeys(keys)
        let list = try deletionList(deletions, journal, table)
        try copier.makeTarget(target.root, target.all.map { String($0.dropFirst(target.root.count + 1)) })
        // First of all, so that no start ever takes what is not whole for a new journal.
        let note = "restored at \(now) from a backup of \(journal.wallMilliseconds)\n"
        try Hold.place(.restored, in: target.root, note: Array(note.utf8), disk: disk)
        var report = RestoreReport(
            journal: journal.journal, wallMilliseconds: journal.wallMilliseconds, lastRecord: journal.lastRecord)
        // The newer list takes the place of the backup's.
        for file in journal.files where file.name != Self.deletions {
            try copy(file, from: journalSource, &report)
        }
        if !list.records.isEmpty {
            try JournalError.wrapping { () throws(DiskError) in try disk.writeNew(target.deletions, list.bytes) }
        }
        report.deletions = UInt64(list.records.count)
        report.slotsErased = try restoreSlabs(keys, list, &table, &report)
        try finish(list, table)
        return report
    }

    private func copy(
        _ file: BackupManifest.File, from source: String, _ report: inout RestoreReport
    ) throws(JournalError) {
        _ = try copier.copy(file.name, from: source, to: target.root, count: file.bytes, digest: file.digest)
        report.files += 1
    }

    private func loadKeys(_ manifest: BackupManifest) throws(JournalError) -> KeyTable {
        let directory = keySource + "/keys"
        for file in manifest.files where file.name.hasPrefix("keys/keys-") {
            let bytes = try JournalError.wrapping { () throws(DiskError) in
                try disk.readWhole(keySource + "/" + file.name, limit: KeyFile.limit)
            }
            guard Cipher.digest(bytes) == file.digest else {
                throw .backup(path: keySource, problem: .file(file.name))
            }
        }
        let names = manifest.files.compactMap { $0.name.hasPrefix("keys/") ? String($0.name.dropFirst(5)) : nil }
        guard let table = try KeyFile(directory: directory, disk: disk).load(names: names, with: ring) else {
            throw .keysMissing(path: directory)
        }
        guard table.journal == manifest.journal else { throw .backup(path: keySource, problem: .journal) }
        return table
    }

    /// The newest list, which continues what the backups know.
    private func deletionList(
        _ path: String?, _ journal: BackupManifest, _ table: KeyTable
    ) throws(JournalError) -> DeletionList {
        let keys = table.signingKeys.map(\.publicHalf)
        var known = DeletionList()
        if journal.files.contains(where: { $0.name == Self.deletions }) {
            let path = journalSource + "/" + Self.deletions
            known = try DeletionList.read(path, journal: table.journal, keys: keys, disk: disk)
        }
        guard let path else {
            guard known.records.isEmpty, table.deletions == 0 else {
                throw .deletionList(path: journalSource, line: 0, problem: .missing)
            }
            return DeletionList()
        }
        let list = try DeletionList.read(path, journal: table.journal, keys: keys, disk: disk)
        let count = max(known.records.count, Int(clamping: table.deletions))
        guard list.records.count >= count else { throw .deletionList(path: path, line: 0, problem: .older) }
        guard list.records.starts(with: known.records),
            table.deletions == 0 || list.records[Int(table.deletions) - 1].digest == table.deletionDigest
        else { throw .deletionList(path: path, line: 0, problem: .other) }
        return list
    }

    /// Copies the slabs, those that the list names without the slots that it erases; returns how many slots that were.
    private func restoreSlabs(
        _ manifest: BackupManifest, _ list: DeletionList, _ table: inout KeyTable, _ report: inout RestoreReport
    ) throws(JournalError) -> Int {
        let erased = Dictionary(grouping: list.slots, by: \.slab)
        let files = Dictionary(manifest.files.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let store = KeyStore(table: table, directory: keySource + "/keys", disk: disk)
        var count = 0
        for name in table.entries.keys.sorted(by: { $0.number < $1.number }) where name.kind == .slab {
            guard let entry = table.entries[name] else { continue }
            let fileName = "keys/" + SlabFile.name(name.number, generation: entry.generation)
            guard let file = files[fileName] else {
                throw .backup(path: keySource, problem: .file(fileName))
            }
            let living = try store.living(erased[name.number] ?? [])
            if living.isEmpty {
                try copy(file, from: keySource, &report)
                continue
            }
            count += living.count
            guard let slab = try store.slab(name.number) else { continue }
            try rewrite(SlabSecrets(slab, erasing: living.map(\.index)), name, &table)
        }
        let last = erased.keys.max() ?? 0
        table.nextSlab = max(table.nextSlab, last + 1) + Self.slabGap
        return count
    }

    private func rewrite(_ slab: SlabSecrets, _ name: KeyName, _ table: inout KeyTable) throws(JournalError) {
        guard var entry = table.entries[name] else { return }
        guard slab.hasSecret(amongFirst: entry.use.count) else {
            table.entries[name] = nil
            return
        }
        entry.generation += 1
        entry.key = table.newKey(
            name, generation: entry.generation, content: UnsafeRawBufferPointer(slab.bytes), random: random)
        table.entries[name] = entry
        let header = SlabFile.header(name.number, generation: entry.generation, journal: table.journal)
        let path = target.keys + "/" + SlabFile.name(name.number, generation: entry.generation)
        let bytes = SlabFile.sealed(slab, header: header, key: entry.key)
        try JournalError.wrapping { () throws(DiskError) in try disk.writeNew(path, bytes) }
    }

    /// The key files come last: without them no start takes the directory.
    private func finish(_ list: DeletionList, _ table: KeyTable) throws(JournalError) {
        var table = table
        table.deletions = UInt64(list.records.count)
        table.deletionDigest = list.lastDigest
        try copier.sync(target.root, target.all.map { String($0.dropFirst(target.root.count + 1)) })
        let file = KeyFile(directory: target.keys, disk: disk)
        try JournalError.wrapping { () throws(DiskError) in
            try file.publish(try file.stage(table, with: ring, random: random))
            try disk.syncDirectory(target.keys)
        }
    }
}
