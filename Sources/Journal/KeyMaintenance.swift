/// Which keys a journal has, and under which master keys they lie. Holds no secret.
package struct KeyReport: Sendable, Equatable {
    /// One generation of the key file.
    package struct Generation: Sendable, Equatable {
        /// Rises with every file written.
        package let number: UInt64
        /// The id of the master key that seals it; nil when it is damaged.
        package let master: String?
    }

    /// The journal.
    package let journal: JournalID
    /// Master keys at hand, by id.
    package let masters: [String]
    /// The one that seals what is written from now on.
    package let active: String
    /// Key files on disk, the newest first.
    package let generations: [Generation]
    /// One key per segment file.
    package let segmentKeys: Int
    /// One key per slab file.
    package let slabKeys: Int
    /// One key per snapshot file.
    package let snapshotKeys: Int
    /// Public halves of the signing keys, the oldest first; the last one signs.
    package let signing: [HeadKey]
    /// When keys were backed up last, milliseconds since 1970 UTC; nil for never.
    package let lastKeyBackup: Int64?

    /// Reads the report of `<data>/<collaboration>` without opening the journal. Nothing is written.
    ///
    /// - Throws: as `JournalCore.open` for the key file; `.keysMissing` when there is none.
    package static func read(
        directory: String, keys ring: KeyRing, disk: any Disk = PosixDisk()
    ) throws(JournalError) -> KeyReport {
        let paths = JournalPaths(root: directory)
        let names = try JournalPaths.names(in: paths.keys, disk)
        guard let table = try KeyFile(directory: paths.keys, disk: disk).load(names: names, with: ring) else {
            throw .keysMissing(path: paths.keys)
        }
        return try KeyReport(table, ring, paths, disk)
    }

    init(_ table: KeyTable, _ ring: KeyRing, _ paths: JournalPaths, _ disk: any Disk) throws(JournalError) {
        journal = table.journal
        masters = ring.ids
        active = ring.active
        var found: [Generation] = []
        let file = KeyFile(directory: paths.keys, disk: disk)
        for number in KeyFile.generations(in: try JournalPaths.names(in: paths.keys, disk)) {
            let front = try JournalError.wrapping { () throws(DiskError) in
                try disk.readWhole(file.path(number), limit: KeyTable.headerBytes + 1)
            }
            let header = try? KeyFileHeader(front, path: file.path(number))
            found.append(Generation(number: number, master: header?.master))
        }
        generations = found
        segmentKeys = table.count(.segment)
        slabKeys = table.count(.slab)
        snapshotKeys = table.count(.snapshot)
        signing = table.signingKeys.map(\.publicHalf)
        lastKeyBackup = table.keyBackupMilliseconds == 0 ? nil : table.keyBackupMilliseconds
    }
}

extension KeyTable {
    /// The signing keys, the oldest first.
    var signingKeys: [SigningKey] {
        entries.filter { $0.key.kind == .signing }.sorted { $0.key.number < $1.key.number }
            .map { SigningKey(serial: UInt32(truncatingIfNeeded: $0.key.number), secret: $0.value.key) }
    }
}

extension JournalCore {
    /// Which keys there are. Through `JournalWriter.maintain`, as everything here.
    package func keyReport() throws(JournalError) -> KeyReport { try KeyReport(table, ring, paths, disk) }

    /// Seals the key file under the active key of `ring`, twice, so that no generation on disk needs another master key.
    /// Segments, slabs and snapshots are not touched.
    ///
    /// - Parameter next: replaces the ring; it also holds the master key under which the key file lies now, since a crash in
    ///   between may leave generations of both.
    /// - Throws: `.masterKeyMissing` when it does not; `.noRoom`: nothing has changed. Else final.
    package mutating func rotateKeys(to next: KeyRing) throws(JournalError) -> KeyReport {
        for master in try keyReport().generations.compactMap(\.master) where next.key(master) == nil {
            throw .masterKeyMissing(id: master)
        }
        // Another key under a known id would be found out at the next start only.
        guard next.key(ring.active).map({ $0 == ring.key(ring.active) }) ?? false else {
            throw .masterKeyWrong(id: ring.active)
        }
        let known = ring
        ring = next
        do throws(JournalError) {
            try replaceKeyFiles(with: table)
        } catch {
            ring = known
            throw error
        }
        return try keyReport()
    }

    /// Forgets a master key that nothing on disk needs any more. Key backups from before the rotation need it still.
    ///
    /// - Throws: `.masterKeyInUse` when it is the active one or seals a key file here; `.masterKeyMissing` when nobody knows it.
    package mutating func retireMasterKey(_ id: String) throws(JournalError) -> KeyReport {
        guard ring.key(id) != nil else { throw .masterKeyMissing(id: id) }
        let file = KeyFile(directory: paths.keys, disk: disk)
        let needing = try keyReport().generations.filter { $0.master == id }.map { file.path($0.number) }
        guard needing.isEmpty, id != ring.active else { throw .masterKeyInUse(id: id, paths: needing) }
        ring = ring.without(id)
        return try keyReport()
    }

    /// Makes the key of a snapshot; another one of the same number goes. It is on disk when this returns.
    package mutating func addSnapshotKey(_ segment: UInt64) throws(JournalError) {
        let name = KeyName(kind: .snapshot, number: segment)
        let key = table.newKey(name, random: random)
        try maintaining { (core) throws(DiskError) in
            var next = core.table
            next.entries[name] = KeyTable.Entry(generation: 0, key: key)
            try core.storeKeys(&next)
        }
        keys.add(snapshot: segment, key: key)
    }

    /// Destroys keys of segments and snapshots: they leave both generations of the key file. The files are the caller's.
    ///
    /// - Precondition: the segments are closed.
    package mutating func dropKeys(segmentsThrough last: UInt64, snapshotsBefore first: UInt64) throws(JournalError) {
        precondition(segments.allSatisfy { $0.number > last }, "an open segment keeps its key")
        var next = table
        next.entries = next.entries.filter { name, _ in
            switch name.kind {
            case .segment: name.number > last
            case .snapshot: name.number >= first
            case .slab, .signing: true
            }
        }
        guard next.entries.count < table.entries.count else { return }
        try replaceKeyFiles(with: next)
        keys.forget(segmentsThrough: last, snapshotsBefore: first)
    }

    /// Makes `next` the table, in two generations of the key file that are the only ones.
    mutating func replaceKeyFiles(with next: KeyTable) throws(JournalError) {
        let file = KeyFile(directory: paths.keys, disk: disk)
        let staged = try maintaining { (core) throws(DiskError) in
            try file.stage(next, with: core.ring, random: core.random)
        }
        try irrevocably { (core) throws(DiskError) in
            try file.publish(staged)
            try core.disk.syncDirectory(core.paths.keys)
        }
        table = staged
    }
}
