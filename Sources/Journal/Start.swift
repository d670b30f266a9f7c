/// What a start reads before it writes anything: holds, the override, the watermark, a snapshot, then the segments.
struct Start {
    let paths: JournalPaths
    let disk: any Disk
    let keys: KeyStore
    let keyNames: [String]
    /// The override that lies in the directory.
    let override: Override?
    private let table: KeyTable
    private let watermark: WatermarkFound
    let holds: [Finding]

    /// - Throws: `.override`, `.newerFormat`, `.io`.
    init(
        paths: JournalPaths, disk: any Disk, keys: KeyStore, ring: KeyRing, table: KeyTable, keyNames: [String]
    ) throws(JournalError) {
        self.paths = paths
        self.disk = disk
        self.keys = keys
        self.table = table
        self.keyNames = keyNames
        override = try Override.load(paths, journal: table.journal, keys: ring, disk: disk)
        watermark = try WatermarkFound.load(paths, disk: disk, keys: keys)
        holds = try Hold.findings(paths, disk)
    }

    /// Reads the segments, or a snapshot and those behind it, and replays them.
    func scan(
        _ names: [String], log: RecentLog?, policy: DamagePolicy, restore: ((inout SnapshotReader) -> Bool)?,
        replay: (ReplayItem) -> Void
    ) throws(JournalError) -> (found: Recovery, snapshot: SnapshotPoint?) {
        let accepted = Set(override?.findings ?? [])
        let shelf = SnapshotShelf(paths: paths, disk: disk, keys: keys)
        let snapshots = try restore.map { (take) throws(JournalError) in try shelf.restore(with: take) }
        let tree = RecoveredTree(frontier: snapshots?.point?.frontier ?? MerkleFrontier(), log: log)
        let point = snapshots?.point.map { ScanPoint($0, tree: tree) } ?? ScanPoint(origin: table.journal, tree: tree)
        var found = recovery(at: point, acceptance: .exactly(accepted))
        try found.begin(table: table, keyNames: keyNames, holds: holds, refused: snapshots?.refused ?? [])
        try found.scan(names: names, known: table.segmentNumbers) { item in
            switch item {
            case .batch(let batch, _): batch.replay(replay)
            case .lost(let records, let segment):
                if policy == .setAside { replay(.lost(records: records, segment: segment)) }
            }
        }
        if policy == .refuse, let first = found.findings.first(where: { $0.isSetAside }) { throw first.error }
        return (found, snapshots?.point)
    }

    /// A scan that has read nothing yet.
    func recovery(at point: ScanPoint, acceptance: Acceptance) -> Recovery {
        Recovery(paths: paths, disk: disk, keys: keys, at: point, acceptance: acceptance, watermark: watermark)
    }

    /// The override, when this start went on because of it, or an earlier one did and could not record that.
    func accepted(_ found: Recovery) -> Override? {
        guard let override else { return nil }
        let known = found.acceptedBefore.union(found.refusals)
        return override.findings.contains { found in known.contains { $0.isCovered(by: found) } } ? override : nil
    }

    /// What of the override this start needed and no segment's header names yet.
    ///
    /// In the person's words, and not in those of this scan: what a snapshot covers now has to be read where there is none.
    func acceptedNow(_ found: Recovery) -> [Finding] {
        let new = found.refusals.filter { !found.acceptedBefore.contains(where: $0.isCovered) }
        return override?.findings.filter { accepted in new.contains { $0.isCovered(by: accepted) } } ?? []
    }
}

extension Recovery {
    /// Notes what is known before the first segment is read.
    mutating func begin(
        table: KeyTable, keyNames: [String], holds: [Finding], refused snapshots: [String]
    ) throws(JournalError) {
        for number in keyNames.compactMap({ FileName.number(in: $0, prefix: "keys-") }) where number > table.generation
        {
            try issue(Finding(.keyFile, segment: number))
        }
        for path in snapshots {
            let name = path.split(separator: "/").last ?? ""
            try issue(Finding(.snapshot, segment: FileName.number(in: name, prefix: "snapshot-") ?? 0))
        }
        for hold in holds { try issue(hold) }
    }

    /// What was accepted to get here.
    var refusals: [Finding] { findings.filter { $0.consequence == .refusal } }

    /// Segments that hold nothing: their files and keys go.
    var empty: [UInt64] { spares + tornHeaders }
}

extension Finding {
    /// Whether an acceptance of `accepted` speaks of this too: the same thing at the same place, and no record is lost that
    /// was not lost when somebody answered for it. A scan that begins behind a snapshot misses fewer records.
    func isCovered(by accepted: Finding) -> Bool {
        guard kind == accepted.kind else { return false }
        switch kind {
        // Of a missing segment less or more is known, because a snapshot covers it.
        case .segmentMissing: return accepted.segment <= segment && lastMissing <= accepted.lastMissing
        // Seen where the batch is read, or where a snapshot ends with it.
        case .besideWatermark: return detail == accepted.detail
        default:
            return segment == accepted.segment && offset == accepted.offset && bytes == accepted.bytes
                && detail == accepted.detail && accepted.losesToo(records)
        }
    }

    /// Whether these records are among those that are lost.
    private func losesToo(_ others: Range<UInt64>) -> Bool {
        others.isEmpty || records.lowerBound <= others.lowerBound && others.upperBound <= records.upperBound
    }

    /// The last of the neighbours that a missing segment's finding names.
    private var lastMissing: UInt64 { max(segment, detail) }

    /// Missing segments that are neighbours in one finding: as many as there are count as one in an override.
    static func folded(_ findings: [Finding]) -> [Finding] {
        var folded: [Finding] = []
        for finding in findings {
            guard finding.kind == .segmentMissing, let last = folded.last, last.kind == .segmentMissing,
                last.lastMissing &+ 1 == finding.segment
            else {
                folded.append(finding)
                continue
            }
            let lost =
                last.records.isEmpty || finding.records.isEmpty
                ? (last.records.isEmpty ? finding.records : last.records)
                : last.records.lowerBound..<max(last.records.upperBound, finding.records.upperBound)
            folded[folded.count - 1] = Finding(
                .segmentMissing, segment: last.segment, records: lost, detail: finding.lastMissing)
        }
        return folded
    }

    /// Whether it is about bytes of a segment that are copied to `quarantine/`.
    var isSetAside: Bool {
        switch kind {
        case .batch, .trailer, .splice, .unusedSpace, .segmentHeader, .segmentMisplaced, .chain: bytes > 0
        default: false
        }
    }
}

extension OpenedBatch {
    /// Hands on what the batch holds, in order of writing.
    func replay(_ replay: (ReplayItem) -> Void) {
        var number = head.firstRecord
        for item in items {
            switch item {
            case .text(let text): replay(.text(text.id, text.location))
            case .record(let range):
                replay(.record(number: number, bytes: Array(shared[range])))
                number += 1
            }
        }
    }
}

extension KeyTable {
    /// The segments whose keys are there.
    var segmentNumbers: [UInt64] { entries.keys.filter { $0.kind == .segment }.map(\.number) }
}
