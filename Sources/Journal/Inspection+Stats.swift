/// One segment in figures.
package struct SegmentStats: Sendable, Equatable {
    /// Its number.
    package let number: UInt64
    /// Length of the file.
    package internal(set) var fileBytes: UInt64 = 0
    /// Header and batches.
    package internal(set) var usedBytes: UInt64 = UInt64(SegmentHeader.bytes)
    /// Batches that are whole.
    package internal(set) var batches = 0
    /// Records in them.
    package internal(set) var records = 0
    /// Texts in them.
    package internal(set) var texts = 0
    /// Plaintext bytes of the texts.
    package internal(set) var textBytes: UInt64 = 0
    /// The first record; nil when it holds none.
    package internal(set) var firstRecord: UInt64?
    /// The last record; nil when it holds none.
    package internal(set) var lastRecord: UInt64?
    /// When it was begun, milliseconds since 1970 UTC; nil when its header does not verify.
    package internal(set) var madeMilliseconds: Int64?
}

/// A journal in figures.
package struct JournalStats: Sendable {
    /// The journal's name.
    package let journal: JournalID
    /// How many times it was started.
    package let starts: UInt64
    /// Generation of the key file.
    package let keyGeneration: UInt64
    /// Keys of segments in the key file.
    package let segmentKeys: Int
    /// Keys of slabs.
    package let slabKeys: Int
    /// Keys of snapshots.
    package let snapshotKeys: Int
    /// Signing keys.
    package let signingKeys: Int
    /// Key slots in slabs that can be opened.
    package internal(set) var slots = 0
    /// Those of them that were destroyed.
    package internal(set) var erasedSlots = 0
    /// The segments that are there, ascending; the last may be prepared and empty.
    package internal(set) var segments: [SegmentStats] = []
    /// Snapshot files, by the last segment that each covers, the newest first.
    package internal(set) var snapshots: [UInt64] = []
    /// The last record; 0 when there is none.
    package internal(set) var lastRecord: UInt64 = 0
    /// The last batch.
    package internal(set) var lastBatch: UInt64 = 0
    /// The chain head after it, 32 bytes.
    package internal(set) var head: [UInt8] = []
    /// The last record that the watermark knows to be on disk; nil without a watermark.
    package internal(set) var markedRecord: UInt64?
    /// When the watermark was written, milliseconds since 1970 UTC.
    package internal(set) var markedMilliseconds: Int64?

    /// Sums over the segments.
    package var batches: Int { segments.reduce(0) { $0 + $1.batches } }
    /// Sums over the segments.
    package var records: Int { segments.reduce(0) { $0 + $1.records } }
    /// Sums over the segments.
    package var texts: Int { segments.reduce(0) { $0 + $1.texts } }
    /// Sums over the segments.
    package var fileBytes: UInt64 { segments.reduce(0) { $0 + $1.fileBytes } }
    /// When the first and the last segment were begun.
    package var span: ClosedRange<Int64>? {
        let times = segments.compactMap(\.madeMilliseconds)
        guard let first = times.min(), let last = times.max() else { return nil }
        return first...last
    }
}

extension Inspection {
    /// Counts what is in the journal in `directory`: reads batches, no texts. Never writes.
    ///
    /// - Throws: as `verify`.
    package static func stats(
        directory: String, keys ring: KeyRing, disk: any Disk = PosixDisk()
    ) throws(JournalError) -> JournalStats {
        let sight = try InspectedJournal(directory: directory, keys: ring, disk: disk)
        let kinds = sight.table.entries.keys.reduce(into: [KeyName.Kind: Int]()) { $0[$1.kind, default: 0] += 1 }
        var stats = JournalStats(
            journal: sight.table.journal, starts: sight.table.start, keyGeneration: sight.table.generation,
            segmentKeys: kinds[.segment] ?? 0, slabKeys: kinds[.slab] ?? 0, snapshotKeys: kinds[.snapshot] ?? 0,
            signingKeys: kinds[.signing] ?? 0)
        var segments: [UInt64: SegmentStats] = [:]
        let found = try sight.scan { item, number in
            guard case .batch(let batch, _) = item else { return }
            segments[number, default: SegmentStats(number: number)].add(batch)
        }
        let reader = sight.start.recovery(at: found.point, acceptance: .everything)
        for number in sight.segmentNames.compactMap({ FileName.number(in: $0, prefix: "segment-") }).sorted() {
            var segment = segments[number] ?? SegmentStats(number: number)
            let path = sight.paths.segment(number)
            segment.fileBytes = try JournalError.wrapping { () throws(DiskError) in
                let file = try disk.open(path, .read)
                defer { disk.close(file) }
                return try disk.size(file)
            }
            segment.madeMilliseconds = try reader.state(of: number).header?.madeMilliseconds
            stats.segments.append(segment)
        }
        for number in sight.table.entries.keys.filter({ $0.kind == .slab }).map(\.number) {
            // A slab that cannot be opened is `verify`'s to report.
            guard let slab = (try? sight.start.keys.slab(number)) ?? nil else { continue }
            stats.slots += JournalLimits.slotsPerSlab
            stats.erasedSlots += (0..<JournalLimits.slotsPerSlab).count { slab.secret($0) == nil }
        }
        stats.snapshots = try SnapshotShelf(paths: sight.paths, disk: disk, keys: sight.start.keys).numbers()
        stats.lastRecord = found.nextRecord - 1
        stats.lastBatch = found.nextBatch - 1
        stats.head = found.chain
        stats.markedRecord = found.mark?.lastRecord
        stats.markedMilliseconds = found.mark?.wallMilliseconds
        return stats
    }
}

extension SegmentStats {
    fileprivate mutating func add(_ batch: OpenedBatch) {
        batches += 1
        records += Int(batch.head.recordCount)
        usedBytes += UInt64(batch.head.totalBytes)
        firstRecord = firstRecord ?? batch.head.firstRecord
        lastRecord = batch.head.lastRecord
        for case .text(let text) in batch.items {
            texts += 1
            textBytes += UInt64(text.location.byteCount)
        }
    }
}
