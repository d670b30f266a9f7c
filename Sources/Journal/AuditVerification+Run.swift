/// Verifies the Merkle log of a whole journal: every leaf, every head's signature, every level of `audit/`, and the chain.
package enum AuditVerification {
    /// Reads segments and `audit/` of the journal in `directory`. Never writes. About 80 µs per batch for its signature.
    ///
    /// - Parameters:
    ///   - trusted: public keys that the verifier got elsewhere; nil takes the journal's own, which whoever holds its keys could
    ///     have exchanged.
    ///   - held: heads that others kept: `AuditVerification.head` makes them of RECEIPT's two headers.
    /// - Throws: `.keysMissing`, `.masterKeyMissing`, `.masterKeyWrong`, `.keysDamaged`, `.newerFormat`, `.foreign`, `.io`.
    package static func run(
        directory: String, keys ring: KeyRing, trusted: [HeadKey]? = nil, held: [SignedHead] = [],
        disk: any Disk = PosixDisk()
    ) throws(JournalError) -> AuditReport {
        let sight = try InspectedJournal(directory: directory, keys: ring, disk: disk)
        let known = trusted ?? sight.table.signingKeys.map(\.publicHalf)
        var report = AuditReport(journal: sight.table.journal)
        var ours: [SignedHead] = []
        for head in held {
            let isOurs = head.journal == report.journal && known.contains { head.isSigned(by: $0) }
            if isOurs { ours.append(head) } else { report.add(.beside(size: head.size)) }
        }
        let archive = try MerkleArchive(directory: sight.paths.audit, disk: disk, journal: report.journal)
        report.archived = archive.archivedSize
        let first = sight.base?.nextRecord ?? 1
        // A held head of dropped records is judged by `audit/`, any other by the segments.
        let old = AuditWalk(journal: report.journal, keys: known, held: ours.filter { $0.size < first })
        try readArchive(archive, old, &report)
        var walk = AuditWalk(
            journal: report.journal, keys: known, held: ours.filter { $0.size >= first },
            frontier: sight.base?.tree.frontier ?? MerkleFrontier())
        try readCopies(sight, archive, &report)
        let found = try readSegments(sight, archive, &walk, &report)
        report.lastRecord = found.nextRecord - 1
        for finding in found.findings { report.add(.journal(finding)) }
        report.add(walk.end())
        report.signatures += walk.signatures
        report.held += walk.fitting
        dropConsequences(&report)
        report.findings.sort { $0.record < $1.record }
        return report
    }

    /// A leaf of `audit/` that is wrong makes the nodes over it wrong: the leaf is what is told.
    private static func dropConsequences(_ report: inout AuditReport) {
        let leaves = report.findings.compactMap { finding -> UInt64? in
            if case .leaf(let record) = finding { record } else { nil }
        }
        report.findings.removeAll { finding in
            guard case .node(let level, let first) = finding else { return false }
            return leaves.contains { $0 >= first && $0 - first < 1 << UInt64(level) }
        }
    }

    /// A head that somebody kept, with the serial of the key among `keys` that signed it; nil when none did.
    ///
    /// - Parameters:
    ///   - body: the bytes of `head`.
    ///   - signature: the bytes of `signature`.
    package static func head(body: [UInt8], signature: [UInt8], keys: [HeadKey]) -> SignedHead? {
        guard signature.count == SigningKey.signatureBytes, let statement = SignedHead.Statement(body: body) else {
            return nil
        }
        return keys.lazy.map { SignedHead(statement, serial: $0.serial, signature: signature) }
            .first { head in keys.contains { head.isSigned(by: $0) } }
    }

    private static func readArchive(
        _ archive: MerkleArchive, _ start: AuditWalk, _ report: inout AuditReport
    ) throws(JournalError) {
        var walk = start
        var nodes = MerkleNodes()
        let reader = archive.makeReader()
        let size = archive.archivedSize
        let entries = archive.archivedHeads
        var entry: UInt64 = 0
        var record: UInt64 = 0
        func next(_ report: inout AuditReport) throws(JournalError) -> HeadEntry? {
            while entry < entries {
                if let head = try reader.head(entry) { return head }
                report.add(.archivedHead(batch: 0, record: record + 1))
                entry += 1
            }
            return nil
        }
        var head = try next(&report)
        while record < size {
            let leaves = try reader.hashes(0, from: record, Int(min(size - record, 1 << 12)))
            if leaves.isEmpty { return report.add(.leaf(record: record + 1)) }
            for leaf in leaves {
                record += 1
                report.add(walk.append(leaf))
                nodes.append(leaf)
                while let current = head, current.head.size <= record {
                    if !current.isMark { report.add(walk.follow(current.head)) }
                    entry += 1
                    head = try next(&report)
                }
            }
            try compare(nodes, from: record - UInt64(leaves.count), reader, &report)
            nodes.forget(below: nodes.size)
        }
        report.signatures += walk.signatures
        report.held += walk.fitting
    }

    /// The entries of the upper levels that were completed behind `record`.
    private static func compare(
        _ nodes: MerkleNodes, from record: UInt64, _ reader: ArchiveReader, _ report: inout AuditReport
    ) throws(JournalError) {
        for level in ArchiveFiles.levels.dropFirst() {
            let first = record >> UInt64(level)
            let made = nodes.hashes(level, from: first)
            let stored = try reader.hashes(level, from: first, made.count)
            for (place, hash) in made.enumerated() where place >= stored.count || stored[place] != hash {
                // Behind lost records the archive may know more than its leaves give.
                if hash == .unknown { continue }
                report.add(.node(level: level, record: (first + UInt64(place)) << UInt64(level) + 1))
            }
        }
    }

    /// Every copy, and that it holds the records whose leaves are in the archive.
    private static func readCopies(
        _ sight: InspectedJournal, _ archive: MerkleArchive, _ report: inout AuditReport
    ) throws(JournalError) {
        let reader = archive.makeReader()
        let size = archive.archivedSize
        var leaves: (first: UInt64, hashes: [MerkleHash]) = (1, [])
        var failure: JournalError?
        let copies = AuditCopyShelf(paths: sight.paths, disk: sight.disk, keys: sight.start.keys)
        let findings = try copies.findings(before: sight.table.segmentNumbers.min() ?? 1) { copy in
            report.copied += 1
            guard failure == nil, copy.number <= size else { return }
            if copy.number < leaves.first || copy.number - leaves.first >= UInt64(leaves.hashes.count) {
                do throws(JournalError) {
                    leaves = (copy.number, try reader.hashes(0, from: copy.number - 1, 1 << 12))
                } catch { failure = error }
            }
            guard copy.number - leaves.first < UInt64(leaves.hashes.count) else { return }
            let leaf = leaves.hashes[Int(copy.number - leaves.first)]
            // A leaf of a record that was lost when its segment was read says nothing.
            if leaf != .unknown, leaf != MerkleTree.leaf(copy.bytes) { report.add(.copy(record: copy.number)) }
        }
        if let failure { throw failure }
        for finding in findings { report.add(.journal(finding)) }
    }

    private static func readSegments(
        _ sight: InspectedJournal, _ archive: MerkleArchive, _ walk: inout AuditWalk, _ report: inout AuditReport
    ) throws(JournalError) -> Recovery {
        let reader = archive.makeReader()
        var archived = ArchivedHeads(size: archive.archivedSize, count: archive.archivedHeads)
        var failure: JournalError?
        let found = try sight.scan { item, _ in
            guard failure == nil else { return }
            switch item {
            case .lost(let records, _): walk.lose(through: records.upperBound - 1)
            case .batch(let batch, _):
                report.batches += 1
                report.records += UInt64(batch.head.recordCount)
                walk.lose(through: batch.head.firstRecord - 1)
                do throws(JournalError) {
                    try read(batch, reader, &archived, &walk, &report)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return found
    }

    private static func read(
        _ batch: OpenedBatch, _ reader: ArchiveReader, _ archived: inout ArchivedHeads,
        _ walk: inout AuditWalk, _ report: inout AuditReport
    ) throws(JournalError) {
        let first = batch.head.firstRecord
        let leaves = batch.leaves
        for leaf in leaves { report.add(walk.append(leaf)) }
        if first <= archived.size {
            let stored = try reader.hashes(0, from: first - 1, leaves.count)
            for (place, hash) in stored.enumerated() where hash != leaves[place] {
                let record = first + UInt64(place)
                // A record that was lost when the segment was copied may have been put back since.
                if record <= archived.size, hash != .unknown { report.add(.leaf(record: record)) }
            }
        }
        guard case .sound(let trailer) = batch.trailer else {
            if case .none = batch.trailer { report.unsigned += 1 }
            return
        }
        let head = trailer.signedHead(journal: report.journal, batch: batch.head.batch, chain: batch.chain)
        report.add(walk.follow(head))
        walk.place(trailer.frontier)
        guard head.size <= archived.size else { return }
        if try archived.entry(reaching: head.size, reader) != head {
            report.add(.archivedHead(batch: head.batch, record: first))
        }
    }
}

/// The entries of `audit/heads` as they are met in the order of the batches.
private struct ArchivedHeads {
    /// Leaves in the archive.
    let size: UInt64
    let count: UInt64
    private var next: UInt64 = 0

    init(size: UInt64, count: UInt64) {
        self.size = size
        self.count = count
    }

    /// The first entry from here on that reaches this size; nil when it, or one before it, is not what was written.
    mutating func entry(reaching size: UInt64, _ reader: ArchiveReader) throws(JournalError) -> SignedHead? {
        while next < count {
            let entry = try reader.head(next)
            next += 1
            guard let entry else { return nil }
            guard entry.head.size >= size else { continue }
            // One that goes further belongs to a later batch: this one's is missing.
            if entry.head.size > size { next -= 1 }
            return entry.head
        }
        return nil
    }
}
