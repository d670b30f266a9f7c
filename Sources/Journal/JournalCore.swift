/// What one step of preparation did.
package enum Preparation: Sendable {
    /// Everything that should be ready is.
    case idle
    /// One step was made; there may be more to do.
    case progressed
    /// The disk has no space for it, or the process no descriptor; ask again later.
    case full
}

/// The journal as a synchronous value over a `Disk`: one owner, one thread. `JournalWriter` is its thread.
///
/// After any failed write or sync it does nothing more: every call throws `.stopped`.
package struct JournalCore {
    /// A segment file that is being filled, or one that is prepared to come next.
    struct OpenSegment {
        let number: UInt64
        let file: DiskFile
        let key: Cipher.Key
        /// Behind the last batch.
        var written: Int
        /// Zeros are written and synced up to here.
        var prepared: Int

        var remaining: Int { max(0, prepared - written) }
    }

    /// Space that is ready, and whose it is. Any thread.
    package let space: SpaceLedger
    /// Slots that are ready. Any thread.
    package let slots = SlotPool()
    /// What the start found.
    package internal(set) var report: OpenReport
    /// The chain head after the last batch, 32 bytes.
    package internal(set) var head: [UInt8]

    /// The Merkle log: proofs of what is in the journal. Any thread.
    package let archive: MerkleArchive
    /// Sight of the files for readers beside the writer.
    package var access: JournalAccess { JournalAccess(paths: paths, disk: disk, keys: keys, clock: clock) }

    let paths: JournalPaths
    let disk: any Disk
    let random: any RandomSource
    let clock: any JournalClock
    let options: JournalOptions
    var ring: KeyRing
    let keys: KeyStore
    var table: KeyTable
    /// The one being filled in front.
    var segments: [OpenSegment] = []
    var reserve: ReserveFile
    /// Where the next line of the deletion list goes.
    var deletionTail = DeletionTail()
    var nextRecord: UInt64
    var nextBatch: UInt64
    /// The Merkle tree after the last batch.
    var tree: MerkleFrontier
    /// Where the journal's end is written down.
    var watermark: WatermarkWriter
    /// Signs heads; nil until `begin` made sure that there is a key.
    var signer: SigningKey?
    private var sealer: BatchSealer
    /// Why nothing more is done; nil while all is well.
    package private(set) var failure: JournalError?

    init(
        paths: JournalPaths, disk: any Disk, random: any RandomSource, clock: any JournalClock,
        options: JournalOptions, ring: KeyRing, keys: KeyStore, table: KeyTable, found: Recovery,
        archive: MerkleArchive
    ) {
        self.paths = paths
        self.disk = disk
        self.random = random
        self.clock = clock
        self.options = options
        self.ring = ring
        self.keys = keys
        self.table = table
        space = SpaceLedger(options: options)
        reserve = ReserveFile(paths: paths, disk: disk, mostBytes: options.reserveFileBytes)
        report = OpenReport(journal: table.journal)
        head = found.chain
        nextRecord = found.nextRecord
        nextBatch = found.nextBatch
        var recovered = found.tree
        recovered.lose(through: found.nextRecord - 1)
        recovered.finish()
        tree = recovered.frontier
        watermark = WatermarkWriter(nextTurn: found.watermark.nextTurn)
        self.archive = archive
        sealer = BatchSealer(keys: keys, random: random)
    }

    /// Writes as many of the requests as fit into one batch, from the first on, and syncs it.
    ///
    /// - Returns: what is on disk now; `requestCount` says how many requests that is, at least one.
    /// - Throws: `.io` and others once, `.stopped` from then on. Nothing is known then about the requests: whether they are
    ///   there is seen at the next start.
    package mutating func commit(_ requests: ArraySlice<Pending>) throws(JournalError) -> CommitReport {
        precondition(!requests.isEmpty, "there is nothing to commit")
        return try unlessFailed { (core) throws(JournalError) in
            try core.writeBatch(requests)
        }
    }

    /// Makes the next step of what should be ready: a piece of zeros, the next segment and its key, slabs.
    ///
    /// - Throws: as `commit`, but a full disk is no error.
    package mutating func prepare() throws(JournalError) -> Preparation {
        try unlessFailed { (core) throws(JournalError) in
            do throws(DiskError) {
                return try core.prepareStep()
            } catch {
                guard error.isPassing else { throw JournalError(error) }
                core.space.setFull(true)
                guard error.isFull else { return .full }
                let hasRoom = try JournalError.wrapping { () throws(DiskError) in try core.makeRoomForProgress() }
                return hasRoom ? .progressed : .full
            }
        }
    }

    /// Opens one text.
    ///
    /// - Throws: `.textUnreadable`, `.textErased`, `.textMismatch`, `.io`.
    package func read(_ id: TextID, at location: TextLocation) throws(JournalError) -> [UInt8] {
        let opener = TextOpener(keys: keys, paths: paths, disk: disk)
        defer { opener.close() }
        return try opener.read(id, at: location)
    }

    /// Grants nothing more and closes the files. What was committed is on disk already.
    package mutating func close() {
        failure = failure ?? .stopped
        space.close()
        for segment in segments { disk.close(segment.file) }
        segments = []
        watermark.close(disk)
    }

    mutating func unlessFailed<Value>(
        _ body: (inout JournalCore) throws(JournalError) -> Value
    ) throws(JournalError) -> Value {
        guard failure == nil else { throw .stopped }
        do throws(JournalError) {
            return try body(&self)
        } catch {
            throw fail(error)
        }
    }

    /// The end of this journal: nothing more is committed or changed after it. Space is granted until `close`: "no space" would be
    /// an answer, and after a failure there is none.
    mutating func fail(_ error: JournalError) -> JournalError {
        failure = error
        return error
    }
}

extension JournalCore {
    private mutating func writeBatch(_ requests: ArraySlice<Pending>) throws(JournalError) -> CommitReport {
        guard let first = requests.first else { preconditionFailure("there is nothing to commit") }
        while segments[0].remaining < first.request.footprint {
            precondition(segments.count > 1, "space was granted that is not prepared")
            try rotate()
        }
        let limit = min(segments[0].remaining, JournalLimits.maxBatchBytes)
        var footprint = 0
        let batch = requests.prefix { pending in
            footprint += pending.request.footprint
            return footprint <= limit
        }
        let offset = UInt64(segments[0].written)
        let place = BatchSealer.Place(
            segment: segments[0].number, offset: offset, batch: nextBatch, firstRecord: nextRecord, chain: head,
            slotMark: slots.mark)
        let leaves = batch.flatMap { $0.request.records.map { MerkleTree.leaf($0) } }
        var next = tree
        for leaf in leaves { next.append(leaf) }
        guard let signer else { preconditionFailure("a journal that was begun has a signing key") }
        let signing = BatchSealer.Signing(frontier: next, wallMilliseconds: clock.wallMilliseconds, key: signer)
        let sealed = try sealer.seal(batch, at: place, segmentKey: segments[0].key, signing: signing)
        try write(at: offset)
        tree = next
        archive.recent.append(leaves, sealed.signedHead)
        let report = CommitReport(
            requestCount: batch.count, lastTicket: batch.last?.ticket ?? 0, firstRecord: nextRecord,
            recordCount: sealed.recordCount, texts: sealed.texts, batch: nextBatch,
            segment: segments[0].number, head: sealed.chain, signedHead: sealed.signedHead)
        head = sealed.chain
        nextRecord += UInt64(sealed.recordCount)
        nextBatch += 1
        segments[0].written += sealer.length
        updateSpace(releasing: batch.reduce(0) { $0 + $1.grant.bytes })
        return report
    }

    private func write(at offset: UInt64) throws(JournalError) {
        let file = segments[0].file
        let result: Result<Void, DiskError> = sealer.output.withUnsafeBytes { bytes in
            do throws(DiskError) {
                try disk.writeAll(file, at: offset, from: UnsafeRawBufferPointer(rebasing: bytes[..<sealer.length]))
                try disk.sync(file)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result { throw JournalError(error) }
    }

    /// Leaves the full segment and begins the next, whose space and key are ready.
    private mutating func rotate() throws(JournalError) {
        let full = segments.removeFirst()
        disk.close(full.file)
        try JournalError.wrapping { () throws(DiskError) in try activate() }
        updateSpace()
    }

    /// Writes and syncs the header of the segment in front. Nothing is written behind it before that.
    mutating func activate(accepting accepted: [Finding] = []) throws(DiskError) {
        let segment = segments[0]
        let header = SegmentHeader(
            journal: table.journal, number: segment.number, start: table.start, firstRecord: nextRecord,
            firstBatch: nextBatch, previousHead: head, madeMilliseconds: clock.wallMilliseconds,
            frontier: tree, accepted: accepted)
        try disk.writeAll(segment.file, at: 0, header.sealed(key: segment.key))
        try disk.sync(segment.file)
    }

    func updateSpace(releasing bytes: Int = 0) {
        space.update(remaining: segments.map(\.remaining), releasing: bytes)
    }
}
