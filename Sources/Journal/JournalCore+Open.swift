extension JournalCore {
    /// Recovers the journal in `directory` and begins a new segment.
    ///
    /// `replay` is called on this thread, in order of writing, with one batch in memory at a time. Nothing is written until
    /// every segment was read and each part of it classified; when this throws before that, not a byte has changed, and
    /// what was replayed has to be forgotten.
    ///
    /// - Parameter directory: one journal, `<data>/<collaboration>`. The caller holds the lock of the data directory.
    /// - Throws: see `JournalError`; with `DamagePolicy.refuse` also `.damaged` for the first damage.
    package static func open(
        directory: String, keys ring: KeyRing, options: JournalOptions = .init(), disk: any Disk = PosixDisk(),
        random: any RandomSource = SystemRandom(), clock: any JournalClock = SystemJournalClock(),
        restore: ((inout SnapshotReader) -> Bool)? = nil, replay: (ReplayItem) -> Void
    ) throws(JournalError) -> JournalCore {
        guard JournalLimits.segmentBytes.contains(options.segmentBytes) else {
            throw .limit(
                name: "segment bytes", value: options.segmentBytes, limit: JournalLimits.segmentBytes.upperBound)
        }
        let paths = JournalPaths(root: directory)
        let keyNames = try JournalPaths.names(in: paths.keys, disk)
        let segmentNames = try JournalPaths.names(in: paths.segments, disk)
        let loaded = try KeyFile(directory: paths.keys, disk: disk).load(names: keyNames, with: ring)
        guard loaded != nil || segmentNames.isEmpty else { throw .keysMissing(path: paths.keys) }
        let table = loaded ?? KeyTable(journal: JournalID(high: random.word(), low: random.word()))
        let store = KeyStore(table: table, directory: paths.keys, disk: disk)
        // Before anything of the archive is read: it says which leaves need not be written again.
        try UnsyncedFiles(paths: paths, disk: disk).settle(segmentNames)
        let archive = try MerkleArchive(directory: paths.audit, disk: disk, journal: table.journal)
        let start = try Start(paths: paths, disk: disk, keys: store, ring: ring, table: table, keyNames: keyNames)
        let (found, snapshot) = try start.scan(
            segmentNames, log: archive.recent, policy: options.damage, restore: restore, replay: replay)

        var core = JournalCore(
            paths: paths, disk: disk, random: random, clock: clock, options: options, ring: ring, keys: store,
            table: table, found: found, archive: archive)
        core.report.wasCreated = loaded == nil
        core.report.recordCount = found.replayed
        core.report.lastRecord = found.nextRecord - 1
        core.report.segments = segmentNames.count - found.spares.count
        core.report.findings = found.findings
        core.report.restoredFrom = snapshot
        // Nobody is answered before a record is on disk, and no leaf is archived before its segment is closed.
        if archive.archivedSize >= found.nextRecord {
            core.report.findings.append(
                Finding(.archive, offset: found.nextRecord - 1, detail: archive.archivedSize))
        }
        core.report.acceptedOverride = start.accepted(found)
        // The key files of this start carry it: clients know heads of what is not there any more.
        if core.report.acceptedOverride != nil { core.table.answeredMilliseconds = clock.wallMilliseconds }
        do throws(DiskError) {
            try core.makeDirectories()
            try core.takeStock()
            try core.spendingReserve { (core) throws(DiskError) in
                try core.makeWatermark()
                try core.settle(found)
            }
            core.deletionTail = try DeletionTail.find(paths.deletions, core.table, disk)
            if core.deletionTail.isForeign { core.report.findings.append(Finding(.deletionList)) }
            core.settleSlabs(mark: found.slotMark)
            try core.spendingReserve { (core) throws(DiskError) in try core.begin(found, start) }
        } catch {
            core.close()
            if error.isFull, !error.isSync { throw .noSpace(path: directory) }
            throw JournalError(error)
        }
        do throws(JournalError) {
            try archive.settle(upTo: found.nextRecord - 1, quarantine: paths.quarantine)
            let closed = max(found.lastSegment + 2, found.nextSegment) - 2
            try core.access.copies.settle(behind: closed, size: found.nextRecord - 1)
            try core.finishErasure()
        } catch {
            core.close()
            throw error
        }
        return core
    }

    private func makeDirectories() throws(DiskError) {
        try disk.makeDirectory(paths.root)
        for directory in paths.all { try disk.makeDirectory(directory) }
        try disk.syncDirectory(paths.root)
        let parent = paths.root.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        if !parent.isEmpty { try disk.syncDirectory(parent.count == 1 ? "/" : parent.joined(separator: "/")) }
    }

    /// Copies aside what was cut or is damaged, cuts, and removes what holds nothing.
    private mutating func settle(_ found: Recovery) throws(DiskError) {
        if let tail = found.tail {
            let file = try disk.open(paths.segment(tail.segment), .update)
            defer { disk.close(file) }
            // The unused zeros go first: on a full disk their space is what the copy and the next segment live on.
            if try disk.size(file) > tail.nonZeroEnd {
                try disk.truncate(file, to: tail.nonZeroEnd)
                try disk.sync(file)
            }
            if tail.nonZeroEnd > tail.end {
                report.tornTail = try setAside(file, tail.segment, tail.end, Int(tail.nonZeroEnd - tail.end), "torn")
                try disk.truncate(file, to: tail.end)
                try disk.sync(file)
            }
        }
        for finding in found.findings where finding.isSetAside {
            let file = try disk.open(paths.segment(finding.segment), .read)
            defer { disk.close(file) }
            _ = try setAside(file, finding.segment, finding.offset, Int(clamping: finding.bytes), "damaged")
        }
        for number in found.tornHeaders {
            let file = try disk.open(paths.segment(number), .read)
            defer { disk.close(file) }
            report.tornTail = try setAside(file, number, 0, SegmentHeader.bytes, "torn")
        }
        // The highest first: what a crash leaves of them has no gaps.
        for number in found.empty.sorted(by: >) + found.leftovers { try disk.remove(paths.segment(number)) }
        if !found.empty.isEmpty || !found.leftovers.isEmpty { try disk.syncDirectory(paths.segments) }
    }

    private func setAside(
        _ file: DiskFile, _ segment: UInt64, _ offset: UInt64, _ count: Int, _ kind: String
    ) throws(DiskError) -> TornTail {
        let path = paths.quarantined(segment, offset, kind)
        try disk.copy(file, from: offset, count: count, to: path)
        try disk.syncDirectory(paths.quarantine)
        return TornTail(segment: segment, offset: offset, bytes: count, quarantineFile: path)
    }

    /// A new segment under a new key, and slabs of this start's own: nothing that an earlier start may have used is used.
    private mutating func begin(_ found: Recovery, _ start: Start) throws(DiskError) {
        try removeLeftovers(start.keyNames)
        table.start += 1
        for number in found.empty { table.entries[KeyName(kind: .segment, number: number)] = nil }
        report.start = table.start
        ensureSigningKey()
        for segment in segments { disk.close(segment.file) }
        try setSnapshotsAside(from: found.nextSegment)
        segments = [try makeSegment(found.nextSegment)]
        try prepareFirst()
        try activate(accepting: start.acceptedNow(found))
        try writeMark()
        try retire(found, start)
        updateSpace()
        do throws(DiskError) {
            if options.slabsAhead > 0 { try prepareSlabs(1) }
        } catch {
            // Without slots nothing new is accepted, but what is stored goes on.
            guard error.isPassing else { throw error }
            space.setFull(true)
        }
    }

    /// Snapshots that cover segments which are gone, and that this start could not read: their numbers are used again, and a
    /// later start that went on from such a snapshot would pass over what is written now.
    private func setSnapshotsAside(from segment: UInt64) throws(DiskError) {
        let names = try disk.list(paths.snapshots).filter { name in
            FileName.number(in: name, prefix: "snapshot-").map { $0 >= segment } ?? false
        }
        for name in names {
            try disk.rename(
                paths.snapshots + "/" + name, to: paths.quarantine + "/" + name + "-" + .hex(table.start))
        }
        guard !names.isEmpty else { return }
        try disk.syncDirectory(paths.quarantine)
        try disk.syncDirectory(paths.snapshots)
    }

    /// Prepares room for the header, the progress reserve and a first piece, or on a full disk as much of it as there is.
    private mutating func prepareFirst() throws(DiskError) {
        try grow(0, to: Self.smallestStartBytes)
        // A piece besides the reserve, so that the first notifications need not wait for the writer's thread.
        let piece = min(options.aheadBytes, Self.firstPieceBytes)
        let needed = min(options.segmentBytes, SegmentHeader.bytes + options.progressReserveBytes + piece)
        var step = JournalLimits.preparationStepBytes
        while segments[0].prepared < needed {
            do throws(DiskError) {
                try grow(0, to: min(segments[0].prepared + step, needed))
            } catch {
                guard error.isPassing else { throw error }
                space.setFull(true)
                step /= 2
                if step < SegmentHeader.bytes { return }
            }
        }
    }

    /// Enough for a thousand small notifications that come at once.
    private static let firstPieceBytes = 4 << 20

    /// The header and a few small batches: with less there is no start.
    private static let smallestStartBytes = 4 * SegmentHeader.bytes

    /// Temporary files and old generations that a crash left behind.
    private func removeLeftovers(_ names: [String]) throws(DiskError) {
        for name in names {
            let isOldKeyFile = FileName.number(in: name, prefix: "keys-").map { $0 + 1 < table.generation } ?? false
            let slab = name.hasPrefix("slab-") ? FileName.number(in: name.dropLast(9), prefix: "slab-") : nil
            let isUnknownSlab =
                slab.map { number in
                    table.entries[KeyName(kind: .slab, number: number)].map {
                        SlabFile.name(number, generation: $0.generation) != name
                    } ?? true
                } ?? false
            if KeyFile.temporaryNames.contains(name) || isOldKeyFile || isUnknownSlab {
                // An erasure relies on it: what a crash left of the old keys ends here.
                try disk.remove(paths.keys + "/" + name)
            }
        }
    }

    /// Holds that this start went on behind, and an override that it did not need.
    private func retire(_ found: Recovery, _ start: Start) throws(DiskError) {
        let holds = found.findings.filter { $0.kind == .held }.compactMap { Hold(number: $0.offset) }
        for hold in holds {
            try disk.rename(
                paths.root + "/" + hold.fileName, to: paths.quarantine + "/" + hold.fileName + "-" + .hex(table.start))
        }
        if !holds.isEmpty {
            try disk.syncDirectory(paths.quarantine)
            try disk.syncDirectory(paths.root)
        }
        if start.override != nil, report.acceptedOverride == nil { try moveOverride() }
    }
}
