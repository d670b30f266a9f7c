/// A journal as somebody sees it who only reads.
struct InspectedJournal {
    let paths: JournalPaths
    let disk: any Disk
    let table: KeyTable
    let start: Start
    let segmentNames: [String]
    /// Where the first segment that is there begins, when older ones were dropped.
    let base: ScanPoint?

    init(directory: String, keys ring: KeyRing, disk: any Disk) throws(JournalError) {
        paths = JournalPaths(root: directory)
        self.disk = disk
        // Segments first: the keys of one that is made meanwhile are read with the key file behind it.
        segmentNames = try JournalPaths.names(in: paths.segments, disk).sorted()
        let keyNames = try JournalPaths.names(in: paths.keys, disk)
        let loaded = try KeyFile(directory: paths.keys, disk: disk).load(names: keyNames, with: ring)
        guard let loaded else { throw .keysMissing(path: paths.keys) }
        table = loaded
        let keys = KeyStore(table: table, directory: paths.keys, disk: disk)
        start = try Start(paths: paths, disk: disk, keys: keys, ring: ring, table: table, keyNames: keyNames)
        base = try Self.base(segmentNames, table, start)
    }

    /// Reads every segment that is there; nothing refuses.
    func scan(_ body: (ScanItem, UInt64) -> Void) throws(JournalError) -> Recovery {
        var found = start.recovery(at: base ?? ScanPoint(origin: table.journal), acceptance: .everything)
        try found.begin(table: table, keyNames: start.keyNames, holds: start.holds, refused: [])
        let known = table.segmentNumbers.filter { $0 > base?.segment ?? 0 }
        try found.scan(names: segmentNames, known: known) { item in
            switch item {
            case .batch(_, let segment), .lost(_, let segment): body(item, segment)
            }
        }
        return found
    }

    /// What refuses a start although a scan from the first segment did not find it.
    ///
    /// A start reads less, and knows what the snapshot proves: a segment that it covers was there, and how it ended. Without
    /// any snapshot it misses what retention let go.
    ///
    /// - Parameters:
    ///   - snapshots: all that can be read. Which of them a start takes is its caller's to say.
    ///   - known: what the scan found.
    func refusals(from snapshots: [SnapshotPoint], besides known: [Finding]) throws(JournalError) -> [Finding] {
        var points = snapshots.map { ScanPoint($0, tree: RecoveredTree(frontier: $0.frontier)) }
        if points.isEmpty, base != nil { points = [ScanPoint(origin: table.journal)] }
        let known = Finding.folded(known.filter { $0.consequence == .refusal })
        var more: [Finding] = []
        for point in points {
            var found = start.recovery(at: point, acceptance: .everything)
            try found.scan(names: segmentNames, known: table.segmentNumbers) { _ in }
            more += found.refusals.filter {
                !known.contains(where: $0.isCovered) && !more.contains(where: $0.isCovered)
            }
        }
        return more
    }

    /// Retention drops the oldest segments with their keys: the first header that is left says where the journal begins.
    private static func base(
        _ names: [String], _ table: KeyTable, _ start: Start
    ) throws(JournalError) -> ScanPoint? {
        let numbers = names.compactMap { FileName.number(in: $0, prefix: "segment-") }.sorted()
        guard let first = numbers.first(where: { start.keys.segment($0) != nil }), first > 1,
            !table.segmentNumbers.contains(where: { $0 < first }),
            let header = try start.recovery(at: ScanPoint(origin: table.journal), acceptance: .everything)
                .state(of: first).header
        else { return nil }
        var point = ScanPoint(
            origin: table.journal, tree: RecoveredTree(frontier: header.frontier ?? MerkleFrontier()))
        point.segment = first - 1
        point.nextRecord = header.firstRecord
        point.nextBatch = header.firstBatch
        point.chain = header.previousHead
        return point
    }
}
