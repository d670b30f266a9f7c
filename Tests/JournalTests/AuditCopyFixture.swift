import TestSupport

@testable import Journal

/// Which records of a test's journal are audit records: every third one.
enum CopiedRecords {
    static func kind(of number: UInt64) -> UInt8? { number.isMultiple(of: 3) ? UInt8(number % 5) + 1 : nil }

    /// What the second fold does with closed segments: leaves and heads to the archive, audit records to copies.
    ///
    /// - Parameter archive: nil leaves leaves and heads where they are.
    static func fold(
        _ access: JournalAccess, into archive: MerkleArchive?, from point: SnapshotPoint? = nil, random: UInt64 = 9
    ) throws {
        var fold = SegmentFold(access, from: point)
        while let number = try fold.next() {
            var copy =
                try access.isCopied(number)
                ? nil
                : AuditCopyWriter(
                    access, segment: number, firstRecord: fold.nextRecord,
                    random: SeededRandom(seed: random &+ number))
            defer { copy?.cancel() }
            let first = fold.nextRecord
            var leaves: [MerkleHash] = []
            var heads: [SignedHead] = []
            var failure: (any Error)?
            _ = try fold.replayNext { item in
                switch item {
                case .text: break
                case .lost(let records): leaves += repeatElement(.unknown, count: records.count)
                case .head(let head, _): heads.append(head)
                case .record(let number, let bytes, let leaf):
                    leaves.append(leaf)
                    guard let kind = kind(of: number), failure == nil else { return }
                    do { try copy?.append(record: number, kind: kind, bytes) } catch { failure = error }
                }
            }
            if let failure { throw failure }
            try archive?.append(firstRecord: first, leaves: leaves, heads: heads, frontier: fold.frontier)
            try copy?.finish(before: fold.nextRecord)
        }
    }

    /// Everything that the copies of segments that went give.
    static func read(_ access: JournalAccess) throws -> [CopiedRecord] {
        var found: [CopiedRecord] = []
        try RecordReader(access).scanCopies { record in
            found.append(record)
            return true
        }
        return found
    }

    /// What they must give of the first so many records of a `ToyJournal`.
    static func expected(through last: UInt64) -> [CopiedRecord] {
        (1...last).compactMap { number in
            kind(of: number).map { CopiedRecord(number: number, kind: $0, bytes: ToyState.record(number)) }
        }
    }

    /// The files of copies, by name.
    static func files(_ disk: MemoryDisk) -> [(path: String, bytes: [UInt8])] {
        disk.files.filter { $0.key.contains("/audit/records") }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
