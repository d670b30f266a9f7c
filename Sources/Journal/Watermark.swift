/// How far the journal was on disk at some time: the one thing in the directory that knows when its end was cut off.
///
/// It is written after the batch that it names was synced, so it may lag and never leads. Layout:
/// Journal.docc/FileFormat.md, "Watermark".
struct Watermark: Equatable {
    static let magic = Array("BKMARK01".utf8)
    static let version: UInt16 = 2
    static let slotBytes = 4_096
    static let slots = 2
    static let fileBytes = slots * slotBytes
    static let treeOffset = 128
    static let digestOffset = slotBytes - 64
    static let codeOffset = slotBytes - 32

    /// Rises with every one written; the slot is this modulo two.
    var turn: UInt64
    /// Which start of the journal wrote it.
    var start: UInt64
    /// The segment that was being filled, and where its last batch ended.
    var segment: UInt64
    var end: UInt64
    var lastRecord: UInt64
    var lastBatch: UInt64
    var wallMilliseconds: Int64
    /// The chain head after the last batch.
    var chain: [UInt8]
    /// The Merkle tree after the last record.
    var frontier: MerkleFrontier

    /// The slot's bytes under the key of the segment that it names.
    func sealed(key: Cipher.Key, journal: JournalID) -> [UInt8] {
        var slot = ByteWriter()
        slot.put(Self.magic)
        slot.put(Self.version)
        slot.put(KeyTable.suite)
        slot.put(UInt32(Self.slotBytes))
        slot.put(journal)
        slot.put(turn)
        slot.put(start)
        slot.put(segment)
        slot.put(end)
        slot.put(lastRecord)
        slot.put(lastBatch)
        slot.put(wallMilliseconds)
        slot.put(chain)
        slot.pad(to: Self.treeOffset)
        slot.put(UInt32(frontier.peaks.count))
        slot.put(UInt32(0))
        for peak in frontier.peaks { slot.put(peak.bytes) }
        slot.pad(to: Self.digestOffset)
        slot.put(Cipher.digest(slot.bytes))
        slot.put(Cipher.authenticate(slot.bytes, key: Self.key(from: key, journal: journal)))
        return slot.bytes
    }

    /// Reads the fields, whoever wrote them. Foreign bytes: nil for what is no slot.
    init?(decoding slot: [UInt8], journal: JournalID) {
        guard slot.count == Self.slotBytes, Array(slot[..<8]) == Self.magic else { return nil }
        var reader = ByteReader(slot[12..<Self.digestOffset])
        guard reader.number(UInt32.self) == UInt32(Self.slotBytes), reader.journal() == journal,
            let turn = reader.number(UInt64.self), let start = reader.number(UInt64.self),
            let segment = reader.number(UInt64.self), let end = reader.number(UInt64.self),
            let lastRecord = reader.number(UInt64.self), lastRecord < .max, let lastBatch = reader.number(UInt64.self),
            lastBatch < .max, let wall = reader.number(UInt64.self), let chain = reader.take(Chain.headBytes)
        else { return nil }
        var tree = ByteReader(slot[Self.treeOffset..<Self.digestOffset])
        guard let count = tree.number(UInt32.self), Int(count) <= MerkleTree.maxPeaks,
            tree.number(UInt32.self) == 0, let peaks = tree.hashes(Int(count)),
            let frontier = MerkleFrontier(size: lastRecord, peaks: peaks)
        else { return nil }
        self.turn = turn
        self.start = start
        self.segment = segment
        self.end = end
        self.lastRecord = lastRecord
        self.lastBatch = lastBatch
        wallMilliseconds = Int64(bitPattern: wall)
        self.chain = chain
        self.frontier = frontier
    }

    init(
        turn: UInt64, start: UInt64, segment: UInt64, end: UInt64, lastRecord: UInt64, lastBatch: UInt64,
        wallMilliseconds: Int64, chain: [UInt8], frontier: MerkleFrontier
    ) {
        self.turn = turn
        self.start = start
        self.segment = segment
        self.end = end
        self.lastRecord = lastRecord
        self.lastBatch = lastBatch
        self.wallMilliseconds = wallMilliseconds
        self.chain = chain
        self.frontier = frontier
    }

    fileprivate static func key(from segment: Cipher.Key, journal: JournalID) -> Cipher.Key {
        var info = ByteWriter(bytes: Array("budkavle/journal/2/watermark".utf8))
        info.put(journal)
        return Cipher.derive(segment, salt: [], info: info.bytes)
    }
}

/// What a slot of the watermark's file is.
enum WatermarkSlot: Equatable {
    /// Never written, or not there.
    case blank
    case sound(Watermark)
    /// Whole as far as can be seen, and written under the key of a segment that is not in the key file.
    case unknownKey(Watermark)
    case damaged

    /// - Throws: `.newerFormat` for a whole slot of another version.
    init(opening slot: [UInt8], keys: KeyStore, path: String) throws(JournalError) {
        guard slot.contains(where: { $0 != 0 }) else {
            self = .blank
            return
        }
        guard slot.count == Watermark.slotBytes,
            Cipher.digest(Array(slot[..<Watermark.digestOffset]))
                == Array(slot[Watermark.digestOffset..<Watermark.codeOffset])
        else {
            self = .damaged
            return
        }
        var reader = ByteReader(slot[8...])
        let (version, suite) = (reader.number(UInt16.self) ?? 0, reader.number(UInt16.self) ?? 0)
        guard version == Watermark.version, suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard let mark = Watermark(decoding: slot, journal: keys.journal) else {
            self = .damaged
            return
        }
        guard let key = keys.segment(mark.segment) else {
            self = .unknownKey(mark)
            return
        }
        let code = slot[Watermark.codeOffset...]
        let isAuthentic = Cipher.isAuthentic(
            code, for: slot[..<Watermark.codeOffset], key: Watermark.key(from: key, journal: keys.journal))
        self = isAuthentic ? .sound(mark) : .damaged
    }
}

/// Both slots as a start finds them.
struct WatermarkFound {
    var slots: [WatermarkSlot]

    /// - Throws: `.newerFormat`, `.io`.
    static func load(_ paths: JournalPaths, disk: any Disk, keys: KeyStore) throws(JournalError) -> WatermarkFound {
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readWhole(paths.watermark, limit: Watermark.fileBytes)
        } catch {
            guard error.isMissing else { throw JournalError(error) }
            return WatermarkFound(slots: [.blank, .blank])
        }
        var slots: [WatermarkSlot] = []
        for index in 0..<Watermark.slots {
            let slot = Array(bytes.dropFirst(index * Watermark.slotBytes).prefix(Watermark.slotBytes))
            slots.append(try WatermarkSlot(opening: slot, keys: keys, path: paths.watermark))
        }
        return WatermarkFound(slots: slots)
    }

    /// The newest that verifies.
    var newest: Watermark? {
        slots.compactMap { if case .sound(let mark) = $0 { mark } else { nil } }.max { $0.turn < $1.turn }
    }

    /// The newest that nobody can verify here.
    var unverified: Watermark? {
        slots.compactMap { if case .unknownKey(let mark) = $0 { mark } else { nil } }.max { $0.turn < $1.turn }
    }

    /// The turn of the next one: never the slot of the newest.
    var nextTurn: UInt64 { (newest?.turn ?? 0) &+ 1 }
}

/// When `JournalCore.mark` writes.
package enum MarkTime: Sendable {
    /// When a slot does not name the last batch and a second has gone by since one was written.
    case ifDue
    /// When a slot does not name the last batch.
    case now
}

/// The watermark as the writer keeps it.
struct WatermarkWriter {
    private(set) var turn: UInt64
    fileprivate var file: DiskFile?
    /// The last batch that is marked, and the one before, by slot; nil where this start has not marked yet.
    fileprivate var marked = [UInt64?](repeating: nil, count: Watermark.slots)
    fileprivate var markedAt = Duration.zero

    init(nextTurn: UInt64) { turn = nextTurn }

    /// Whether both slots name this batch: one that rots leaves the other.
    func knows(_ batch: UInt64) -> Bool { marked.allSatisfy { $0 == batch } }

    mutating func close(_ disk: any Disk) {
        if let file { disk.close(file) }
        file = nil
    }
}

extension JournalCore {
    /// Writes down how far the journal is on disk, and syncs that.
    ///
    /// - Throws: as `commit`: a failed write or sync is as final here.
    package mutating func mark(_ when: MarkTime = .ifDue) throws(JournalError) {
        guard failure == nil else { throw .stopped }
        guard !watermark.knows(nextBatch - 1) else { return }
        if case .ifDue = when, clock.monotonic - watermark.markedAt < JournalLimits.markInterval { return }
        try unlessFailed { (core) throws(JournalError) in
            try JournalError.wrapping { () throws(DiskError) in try core.writeMark() }
        }
    }

    /// How long until `mark` would write; nil when everything is marked.
    var markIsDue: Duration? {
        guard !watermark.knows(nextBatch - 1), failure == nil else { return nil }
        return watermark.markedAt + JournalLimits.markInterval
    }

    /// The clean end: the watermark says where the journal ends, then the files are closed.
    package mutating func finish() throws(JournalError) {
        for _ in 0..<Watermark.slots { try mark(.now) }
        close()
    }

    /// Makes the file when there is none, so that writing the mark changes no metadata later.
    mutating func makeWatermark() throws(DiskError) {
        let file = try openWatermark()
        watermark.file = file
        guard try disk.size(file) < UInt64(Watermark.fileBytes) else { return }
        try disk.truncate(file, to: 0)
        try disk.writeAll(file, at: 0, [UInt8](repeating: 0, count: Watermark.fileBytes))
        try disk.sync(file)
        try disk.syncDirectory(paths.root)
    }

    private func openWatermark() throws(DiskError) -> DiskFile {
        if let file = watermark.file { return file }
        do throws(DiskError) {
            return try disk.open(paths.watermark, .update)
        } catch {
            guard error.isMissing else { throw error }
            return try disk.open(paths.watermark, .create)
        }
    }

    mutating func writeMark() throws(DiskError) {
        guard let file = watermark.file else { preconditionFailure("an open journal has its watermark open") }
        let segment = segments[0]
        let mark = Watermark(
            turn: watermark.turn, start: table.start, segment: segment.number, end: UInt64(segment.written),
            lastRecord: nextRecord - 1, lastBatch: nextBatch - 1, wallMilliseconds: clock.wallMilliseconds, chain: head,
            frontier: tree)
        let offset = watermark.turn % UInt64(Watermark.slots) * UInt64(Watermark.slotBytes)
        try disk.writeAll(file, at: offset, mark.sealed(key: segment.key, journal: table.journal))
        try disk.sync(file)
        watermark.advance(to: mark.lastBatch, at: clock.monotonic)
    }
}

extension WatermarkWriter {
    fileprivate mutating func advance(to batch: UInt64, at time: Duration) {
        marked[Int(turn % UInt64(Watermark.slots))] = batch
        turn += 1
        markedAt = time
    }
}
