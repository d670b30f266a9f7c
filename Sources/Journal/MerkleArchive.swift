import Synchronization

/// The Merkle log of one journal: what is in `audit/`, and behind it what is in memory. Any thread.
///
/// The second fold appends what closed segments hold; nothing is dropped from a journal before it is here. Every proof that is
/// handed out was verified against its head, so that a rotten file means no proof, never a wrong one.
package final class MerkleArchive: Sendable {
    private struct State {
        /// Leaves that are in the files, synced, with every node over them and their heads.
        var size: UInt64 = 0
        /// Entries of `heads`.
        var heads: UInt64 = 0
        /// Size of the tree of the last entry that is signed.
        var lastSigned: UInt64 = 0
        /// Public halves of the signing keys, by rising serial.
        var headKeys: [HeadKey] = []
        /// The tree at `size`; nil when it has to be read from the files.
        var frontier: MerkleFrontier?
    }

    let recent = RecentLog()
    private let files: ArchiveFiles
    /// The journal's name, as it stands in every head.
    package let journal: JournalID
    private let state: Mutex<State>
    private let thread = WorkThread(name: "merkle-archive", limit: JournalLimits.maxWaitingProofs)

    /// Finds out how much of the files in `directory` is whole. Writes nothing. Throws: `.io`.
    package init(directory: String, disk: any Disk, journal: JournalID) throws(JournalError) {
        files = ArchiveFiles(directory: directory, disk: disk)
        self.journal = journal
        let files = files
        let lengths = try JournalError.wrapping { () throws(DiskError) in
            (leaves: try files.length(files.level(0)), heads: try files.length(files.heads))
        }
        let leaves = lengths.leaves / UInt64(MerkleHash.byteCount)
        let reader = ArchiveReader(files)
        var found = State(heads: lengths.heads / UInt64(HeadEntry.bytes))
        // A crash leaves a torn end; the last entry that is whole and that the leaves cover is where the archive ends.
        while found.heads > 0 {
            if let entry = try reader.head(found.heads - 1), entry.head.size <= leaves, entry.head.journal == journal {
                found.size = entry.head.size
                break
            }
            found.heads -= 1
        }
        var signed = found.heads
        while signed > 0 {
            signed -= 1
            guard let entry = try reader.head(signed), !entry.isMark else { continue }
            found.lastSigned = entry.head.size
            break
        }
        state = Mutex(found)
    }

    deinit { stop() }

    /// The journal's name, as it stands in heads: 16 bytes.
    package var journalBytes: [UInt8] {
        var name = ByteWriter()
        name.put(journal)
        return name.bytes
    }
    /// How many records' leaves are in the files, synced.
    package var archivedSize: UInt64 { state.withLock { $0.size } }
    /// Entries of `heads`.
    var archivedHeads: UInt64 { state.withLock { $0.heads } }
    /// Reads the files.
    func makeReader() -> ArchiveReader { ArchiveReader(files) }
    /// How many records the log holds.
    package var size: UInt64 { recent.size }
    /// The public halves of all keys that ever signed heads of this journal, by rising serial.
    package var headKeys: [HeadKey] { state.withLock { $0.headKeys } }
    /// The newest signed head that is known; nil before the first.
    package var latest: SignedHead? { recent.latest }

    /// Cuts off what a crash left torn, and what lies beyond the journal's last record.
    ///
    /// - Parameter size: records that the journal holds. An archive that goes on behind them speaks of a journal that was cut:
    ///   leaves and heads beyond it, which prove what is missing, are copied to `quarantine` first.
    func settle(upTo size: UInt64, quarantine: String) throws(JournalError) {
        var found = state.withLock { $0 }
        let reader = ArchiveReader(files)
        if found.size > size {
            try JournalError.wrapping { () throws(DiskError) in
                for (path, name) in [(files.heads, "heads"), (files.level(0), "level-00")] {
                    let file = try files.disk.open(path, .read)
                    defer { files.disk.close(file) }
                    let count = try files.disk.size(file)
                    let copy = quarantine + "/audit-" + name + "-" + .hex(size)
                    try files.disk.copy(file, from: 0, count: Int(clamping: count), to: copy)
                }
                try files.disk.syncDirectory(quarantine)
            }
        }
        while found.size > size {
            found.heads -= 1
            found.size = found.heads == 0 ? 0 : try reader.head(found.heads - 1)?.head.size ?? UInt64.max
        }
        found.lastSigned = min(found.lastSigned, found.size)
        try JournalError.wrapping { () throws(DiskError) in
            try files.cut(files.heads, to: found.heads * UInt64(HeadEntry.bytes))
            for level in ArchiveFiles.levels {
                let count = found.size >> UInt64(level)
                try files.cut(files.level(level), to: count * UInt64(MerkleHash.byteCount))
            }
        }
        state.withLock { state in
            (state.size, state.heads, state.lastSigned) = (found.size, found.heads, found.lastSigned)
        }
    }

    /// Computes entries of a level that are missing from the level below: a file that somebody removed or cut.
    private func fill(_ level: Int, to count: UInt64) throws(JournalError) {
        let width = UInt64(MerkleHash.byteCount)
        var index = try JournalError.wrapping { () throws(DiskError) in try files.length(files.level(level)) / width }
        let reader = ArchiveReader(files)
        while index < count {
            var row = try reader.hashes(level - 8, from: index << 8, 256)
            guard row.count == 256 else { return }
            while row.count > 1 {
                row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.node(row[$0], row[$0 + 1]) }
            }
            try JournalError.wrapping { () throws(DiskError) in
                try files.write(row[0].bytes, to: files.level(level), at: index * width)
            }
            index += 1
        }
    }

    func setHeadKeys(_ keys: [HeadKey]) { state.withLock { $0.headKeys = keys } }

    /// Ends the thread. Later questions get no proof.
    func stop() { thread.stop() }
}

extension MerkleArchive {
    /// Puts the leaves and heads of a closed segment into the files. One caller at a time; blocks for its writes.
    ///
    /// When it returns, all of it is synced, and most of its memory has been given back. Calling it again with the same
    /// does nothing. After an error (a full disk) it may be called again.
    ///
    /// - Parameters:
    ///   - firstRecord: number of the first leaf's record, at most `archivedSize + 1`; what is there already is passed over.
    ///   - leaves: one per record, `.unknown` for a lost one.
    ///   - heads: those of the batches, in order.
    ///   - frontier: the tree behind the last leaf.
    package func append(
        firstRecord: UInt64, leaves: [MerkleHash], heads: [SignedHead], frontier: MerkleFrontier
    ) throws(JournalError) {
        let end = firstRecord - 1 + UInt64(leaves.count)
        let start = state.withLock { $0 }
        precondition(firstRecord > 0 && firstRecord - 1 <= start.size && frontier.size == end, "the archive has a gap")
        for level in ArchiveFiles.levels.dropFirst() { try fill(level, to: start.size >> UInt64(level)) }
        guard end > start.size else { return }
        let edge = if let known = start.frontier { known } else { try storedFrontier(start.size) }
        var nodes = MerkleNodes(edge)
        try JournalError.wrapping { () throws(DiskError) in
            try writeLevels(leaves.dropFirst(Int(start.size - (firstRecord - 1))), &nodes)
        }
        nodes.place(frontier)
        let fresh = heads.filter { $0.size > start.lastSigned && $0.size <= end }
        var entries = fresh.map { HeadEntry(head: $0) }
        if fresh.last?.size != end { entries.append(HeadEntry(mark: frontier, journal: journal)) }
        try JournalError.wrapping { () throws(DiskError) in
            try files.write(
                entries.flatMap(\.encoded), to: files.heads, at: start.heads * UInt64(HeadEntry.bytes))
        }
        state.withLock { state in
            state.size = end
            state.heads = start.heads + UInt64(entries.count)
            state.lastSigned = fresh.last?.size ?? start.lastSigned
            state.frontier = frontier
        }
        recent.forget(below: end)
    }

    /// Writes every level behind what is there, a piece at a time, and syncs it. The heads come later: an entry there says
    /// that the levels are on disk.
    private func writeLevels(_ leaves: ArraySlice<MerkleHash>, _ nodes: inout MerkleNodes) throws(DiskError) {
        var open: [DiskFile] = []
        defer { for file in open { files.disk.close(file) } }
        for level in ArchiveFiles.levels { open.append(try files.update(files.level(level))) }
        var rest = leaves
        while !rest.isEmpty {
            let before = nodes.size
            for leaf in rest.prefix(JournalLimits.archivePieceLeaves) { nodes.append(leaf) }
            rest = rest.dropFirst(JournalLimits.archivePieceLeaves)
            for (place, level) in ArchiveFiles.levels.enumerated() {
                let first = before >> UInt64(level)
                let entries = nodes.hashes(level, from: first).flatMap(\.bytes)
                if entries.isEmpty { continue }
                try files.disk.writeAll(open[place], at: first * UInt64(MerkleHash.byteCount), entries)
            }
            nodes.forget(below: nodes.size)
        }
        for file in open { try files.disk.sync(file) }
    }

    /// The right edge at `size`, read from the files; peaks over lost leaves are unknown.
    private func storedFrontier(_ size: UInt64) throws(JournalError) -> MerkleFrontier {
        let reader = ArchiveReader(files)
        var peaks: [MerkleHash] = []
        for level in (0..<UInt64.bitWidth).reversed() where size >> UInt64(level) & 1 == 1 {
            peaks.append(try reader.node(level, size >> UInt64(level) - 1) ?? .unknown)
        }
        guard let frontier = MerkleFrontier(size: size, peaks: peaks) else {
            preconditionFailure("one peak per bit")
        }
        return frontier
    }
}

extension MerkleArchive {
    /// The evidence for a record from memory alone: what was written lately. Some microseconds; nil when it is older.
    package func recentEvidence(for record: UInt64) -> MerkleEvidence? { recent.evidence(for: record) }

    /// The evidence for any record of the log; nil when there is none.
    ///
    /// - Parameter completion: on the archive's thread, once; on the calling thread, with nil, when too many questions wait.
    package func evidence(for record: UInt64, completion: @escaping @Sendable (MerkleEvidence?) -> Void) {
        ask({ (archive) throws(JournalError) in try archive.evidence(for: record) }, completion)
    }

    /// The proof that the log of `from` records is the beginning of the log of `to` records; nil when there is none.
    package func consistency(
        from: UInt64, to: UInt64, completion: @escaping @Sendable ([MerkleHash]?) -> Void
    ) {
        ask({ (archive) throws(JournalError) in try archive.consistency(from: from, to: to) }, completion)
    }

    /// The root of the tree of the first `size` records; nil when nodes that it needs are not known.
    package func root(at size: UInt64, completion: @escaping @Sendable (MerkleHash?) -> Void) {
        ask({ (archive) throws(JournalError) in try archive.root(at: size) }, completion)
    }

    /// The first signed head behind a record that is in the log, from memory or files, without a path.
    private func head(covering record: UInt64, _ reader: ArchiveReader) throws(JournalError) -> SignedHead? {
        let stored = state.withLock { $0 }
        if record <= stored.size, let head = try reader.head(covering: record, among: stored.heads) { return head }
        return recent.head(covering: record)
    }

    /// Blocks for reads: not on a loop.
    func evidence(for record: UInt64) throws(JournalError) -> MerkleEvidence? {
        let reader = ArchiveReader(files)
        guard record > 0, let leaf = try node(0, record - 1, reader), let head = try head(covering: record, reader)
        else { return nil }
        let path = try MerkleProofs.path(of: record - 1, size: head.size) { (level, index) throws(JournalError) in
            try node(level, index, reader)
        }
        guard let path, MerkleProofs.root(of: leaf, at: record - 1, size: head.size, path: path) == head.root else {
            return nil
        }
        return MerkleEvidence(record: record, leaf: leaf, path: path, head: head)
    }

    /// Blocks for reads: not on a loop.
    func consistency(from: UInt64, to: UInt64) throws(JournalError) -> [MerkleHash]? {
        let reader = ArchiveReader(files)
        return try MerkleProofs.consistency(from: from, to: to) { (level, index) throws(JournalError) in
            try node(level, index, reader)
        }
    }

    /// Blocks for reads: not on a loop.
    func root(at size: UInt64) throws(JournalError) -> MerkleHash? {
        let reader = ArchiveReader(files)
        return try MerkleProofs.root(size: size) { (level, index) throws(JournalError) in
            try node(level, index, reader)
        }
    }

    private func node(_ level: Int, _ index: UInt64, _ reader: ArchiveReader) throws(JournalError) -> MerkleHash? {
        if let node = recent.node(level, index) { return node }
        guard (index + 1) << UInt64(level) <= archivedSize else { return nil }
        return try reader.node(level, index)
    }

    /// Answers on the archive's thread. What the disk says against it is no proof either.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (MerkleArchive) throws(JournalError) -> Answer?,
        _ completion: @escaping @Sendable (Answer?) -> Void
    ) {
        let isTaken = thread.run { [weak self] in
            guard let self else { return completion(nil) }
            completion(try? question(self))
        }
        if !isTaken { completion(nil) }
    }
}
