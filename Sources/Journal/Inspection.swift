/// Looks at a journal without opening it for writing: for an operator, beside a running daemon too.
package enum Inspection {
    /// How much is read.
    package enum Depth: Sendable {
        /// Every batch.
        case batches
        /// Every text too.
        case texts
    }

    /// Reads the whole journal in `directory` and reports whatever is not as it was left. Never writes.
    ///
    /// What lies behind a snapshot is read once more as a start from it reads it, without the texts.
    ///
    /// Beside a running daemon the end moves: a batch that is being written shows as a torn tail.
    ///
    /// - Parameter progress: called between batches with how many bytes of segments were read, and how many there are.
    /// - Throws: `.keysMissing`, `.masterKeyMissing`, `.masterKeyWrong`, `.keysDamaged`, `.newerFormat`, `.foreign`, `.io`.
    package static func verify(
        directory: String, keys ring: KeyRing, depth: Depth = .texts, disk: any Disk = PosixDisk(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(JournalError) -> VerifyReport {
        let sight = try InspectedJournal(directory: directory, keys: ring, disk: disk)
        var report = VerifyReport(journal: sight.table.journal)
        let opener = TextOpener(keys: sight.start.keys, paths: sight.paths, disk: disk)
        defer { opener.close() }
        let total = UInt64(sight.segmentNames.count)
        var lastSeen: UInt64 = 0
        var texts: [Finding] = []
        var failure: JournalError?
        var found = try sight.scan { item, segment in
            if segment != lastSeen {
                lastSeen = segment
                report.segments += 1
                progress(UInt64(report.segments - 1), total)
            }
            guard case .batch(let batch, _) = item, failure == nil else { return }
            report.batches += 1
            do throws(JournalError) {
                try check(batch, depth, opener, &report, &texts)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        try inspectKeyFiles(sight, ring, &found)
        report.slabs = try inspectSlabs(sight, &found)
        let snapshots = try inspectSnapshots(sight, &found)
        found.findings += try sight.refusals(from: snapshots, besides: found.findings)
        let copies = AuditCopyShelf(paths: sight.paths, disk: disk, keys: sight.start.keys)
        for finding in try copies.findings(before: sight.table.segmentNumbers.min() ?? 1, { _ in }) {
            try found.issue(finding)
        }
        // Where every text was opened, what the scan guessed about them is said better.
        report.findings = found.findings.filter { depth == .batches || $0.kind != .text } + texts
        report.firstRecord = sight.base?.nextRecord ?? 1
        report.lastRecord = found.nextRecord - 1
        report.lastBatch = found.nextBatch - 1
        report.records = found.replayed
        report.head = found.chain
        report.hasOverride = sight.start.override != nil
        report.accepted = found.acceptedBefore.union(sight.start.override?.findings ?? [])
        progress(total, total)
        return report
    }

    private static func check(
        _ batch: OpenedBatch, _ depth: Depth, _ opener: TextOpener, _ report: inout VerifyReport,
        _ findings: inout [Finding]
    ) throws(JournalError) {
        var number: UInt64 = 0
        for case .text(let text) in batch.items {
            number += 1
            report.texts += 1
            guard depth == .texts else { continue }
            do throws(JournalError) {
                _ = try opener.read(text.id, at: text.location)
            } catch {
                switch error {
                case .textErased: report.erasedTexts += 1
                case .textUnreadable, .textMismatch:
                    findings.append(
                        Finding(
                            .text, segment: text.location.segment, offset: text.location.batchOffset,
                            bytes: UInt64(text.location.byteCount), detail: number))
                // The slab is a finding of its own.
                case .keysDamaged: report.textsWithoutSlab += 1
                case .io(_, _, let number) where DiskError(operation: "", path: "", errno: number).isMissing:
                    report.textsWithoutSlab += 1
                default: throw error
                }
            }
        }
    }

    /// Each generation of the key file: a start looks at the older one only when it needs it.
    private static func inspectKeyFiles(
        _ sight: InspectedJournal, _ ring: KeyRing, _ found: inout Recovery
    ) throws(JournalError) {
        let file = KeyFile(directory: sight.paths.keys, disk: sight.disk)
        for number in sight.start.keyNames.compactMap({ FileName.number(in: $0, prefix: "keys-") })
        where number < sight.table.generation {
            do throws(JournalError) {
                let bytes = try JournalError.wrapping { () throws(DiskError) in
                    try sight.disk.readWhole(file.path(number), limit: KeyFile.limit)
                }
                guard try KeyTable(opening: bytes, path: file.path(number), with: ring).generation == number else {
                    throw .keysDamaged(path: file.path(number))
                }
            } catch {
                switch error {
                case .keysDamaged: try found.issue(Finding(.keyFile, segment: number))
                case .masterKeyMissing: break
                default: throw error
                }
            }
        }
    }

    private static func inspectSlabs(
        _ sight: InspectedJournal, _ found: inout Recovery
    ) throws(JournalError) -> Int {
        let numbers = sight.table.entries.keys.filter { $0.kind == .slab }.map(\.number).sorted()
        for number in numbers {
            do throws(JournalError) {
                _ = try sight.start.keys.slab(number)
            } catch {
                switch error {
                case .keysDamaged: try found.issue(Finding(.slab, segment: number))
                case .io(_, _, let code) where DiskError(operation: "", path: "", errno: code).isMissing:
                    try found.issue(Finding(.slab, segment: number))
                default: throw error
                }
            }
        }
        return numbers.count
    }

    /// - Returns: where those stand that can be read to their end.
    private static func inspectSnapshots(
        _ sight: InspectedJournal, _ found: inout Recovery
    ) throws(JournalError) -> [SnapshotPoint] {
        var points: [SnapshotPoint] = []
        let shelf = SnapshotShelf(paths: sight.paths, disk: sight.disk, keys: sight.start.keys)
        for number in try shelf.numbers() {
            do throws(JournalError) {
                var reader = try shelf.open(number)
                defer { reader.close() }
                while try reader.next() != nil {}
                points.append(reader.point)
            } catch {
                guard case .snapshotDamaged = error else { throw error }
                try found.issue(Finding(.snapshot, segment: number))
            }
        }
        return points
    }
}
