import CaseNotifications
import Journal
import Relay

extension SecondFold {
    /// Why a round came to no snapshot.
    private enum Fault: Error {
        /// The two folds differ after this record.
        case differs(sequence: UInt64)
        /// A record is no event, or does not fit.
        case record(ReplayFault)
        /// Records do not follow each other.
        case sequence(expected: UInt64, found: UInt64)
        /// Records cannot be read any more that the live relay has not lost.
        case lost(segment: UInt64, records: Range<UInt64>)
        case journal(JournalError)
    }

    /// Leaves that are gathered before they are written to the archive: 2 MiB.
    private static let leavesPerAppend = 65_536

    /// Folds up to `goal`, writes a snapshot, and lets go what nobody needs.
    func round(through goal: UInt64) {
        do throws(Fault) {
            try fold(through: goal)
        } catch {
            switch error {
            case .differs(let sequence):
                state.withLock { $0.differs = true }
                log.write(.secondFoldDiffers(collaboration: collaboration, sequence: sequence))
            case .record(let fault): log.write(.secondFoldFailed(collaboration: collaboration, "\(fault)"))
            case .sequence(let expected, let found):
                log.write(
                    .secondFoldFailed(
                        collaboration: collaboration, "record \(found) where \(expected) was expected"))
            case .lost(let segment, let records): tellLost(records, in: segment, goal)
            case .journal(.stopped): break
            case .journal(let error): log.write(.secondFoldFailed(collaboration: collaboration, "\(error)"))
            }
        }
    }

    /// A snapshot would make the loss final: the next start would take it, and not read what is damaged. So none is written
    /// until a start has judged the damage. The segment is tried again when another one is closed.
    private func tellLost(_ records: Range<UInt64>, in segment: UInt64, _ goal: UInt64) {
        state.withLock { $0.folded = max($0.folded ?? 0, goal) }
        let what = "records \(records.lowerBound) to \(records.upperBound - 1) of segment \(segment)"
        log.write(
            .secondFoldFailed(
                collaboration: collaboration,
                "\(what) are lost on disk and not in memory: no snapshot is written until a restart has judged that"))
    }

    /// The newest snapshot of no more than so many records; nothing when there is none.
    private func restore(through record: UInt64) throws(Fault) -> (point: SnapshotPoint?, state: FoldState?) {
        var found: FoldState?
        let point = try wrapping { () throws(JournalError) in
            try journal.access.restore { reader in
                guard reader.point.nextRecord - 1 <= record else { return false }
                found = FoldState(from: &reader, collaboration: collaboration)
                return found != nil
            }
        }
        return (point, point == nil ? nil : found)
    }

    private func fold(through goal: UInt64) throws(Fault) {
        // From where the archive has everything before: one whose end was damaged, and cut, is filled up again.
        var restored = try restore(through: journal.archive.archivedSize)
        if restored.point == nil { restored = try restore(through: .max) }
        let start = restored.point
        var fold = Fold(
            state: restored.state ?? FoldState(collaboration: collaboration),
            segments: SegmentFold(journal.access, from: start),
            archive: journal.archive, access: journal.access, known: live?.lost)
        while fold.segments.segment < goal, !isStopping {
            let samples = state.withLock { $0.samples }
            guard try fold.replayNext(samples, while: { !isStopping }) else { break }
        }
        let reached = fold.segments
        state.withLock { state in
            state.times = fold.state.times
            state.samples.removeAll { $0.sequence < reached.nextRecord }
        }
        guard !isStopping else { return }
        var kept = start.map { [$0.segment] } ?? []
        if reached.segment > start?.segment ?? 0 {
            guard try write(&fold.state, at: reached) else { return }
            kept.append(reached.segment)
        }
        // Behind a segment that is missing without an override there is nothing to do before another one is closed.
        state.withLock { $0.folded = max(reached.segment, goal) }
        if kept.count == SnapshotLimits.kept { try letGo(fold.state, keeping: kept, archived: fold.archived) }
    }

    private func write(_ folded: inout FoldState, at point: SegmentFold) throws(Fault) -> Bool {
        folded.contents.patrol(.max, against: folded.relay)
        let segment = point.segment
        return try wrapping { () throws(JournalError) in
            let hasKey = try maintain { (core: inout JournalCore) throws(JournalError) in
                try core.addSnapshotKey(segment)
                return true
            }
            guard hasKey == true else { return false }
            var writer = try SnapshotWriter(
                journal.access,
                point: point.snapshot(
                    state: FoldState.bytes(of: folded.relay.stateDigest),
                    foldedMilliseconds: folded.lastEventAt.milliseconds))
            do throws(JournalError) {
                guard try folded.write(to: &writer, while: { !isStopping }) else {
                    writer.cancel()
                    return false
                }
                try writer.finish()
            } catch {
                writer.cancel()
                throw error
            }
            log.write(.snapshotWritten(collaboration: collaboration, segment: segment, sequence: folded.relay.sequence))
            return true
        }
    }

    /// Segments may go when both snapshots cover them, their leaves are in the archive and their audit records copied, they are
    /// old enough, no open notification has its content there, and no unread receipt is made from their records.
    private func letGo(_ folded: FoldState, keeping kept: [UInt64], archived: UInt64) throws(Fault) {
        // While anything is lost nothing is thrown away: what could not be served may still be read by hand.
        guard folded.relay.lostRecords == 0 else { return try letSnapshotsGo(keeping: kept) }
        let horizon = horizon(at: WallTime.now, MonotonicTime.milliseconds)
        try wrapping { () throws(JournalError) in
            var last = kept.min() ?? 0
            if let oldest = folded.contents.oldestSegment(neededBy: folded.relay) { last = min(last, oldest - 1) }
            if let record = folded.relay.oldestUnreadAcceptance { last = min(last, folded.segment(before: record)) }
            last = try journal.access.lastSegment(through: last, before: horizon.milliseconds, archived: archived)
            try copyAuditRecords(through: last)
            guard !isStopping else { return }
            let through = last
            let dropped = try maintain { (core: inout JournalCore) throws(JournalError) in
                try core.dropSegments(through: through, keeping: kept)
            }
            if let dropped, !dropped.segments.isEmpty {
                log.write(
                    .segmentsDropped(
                        collaboration: collaboration, count: dropped.segments.count,
                        through: dropped.segments.upperBound - 1))
                let onDrop = state.withLock { state in
                    state.times.removeAll { $0.segment < dropped.segments.upperBound }
                    return state.onDrop
                }
                onDrop?(dropped.segments.count)
            }
        }
    }

    /// Snapshots from which nobody starts go even while all segments stay.
    private func letSnapshotsGo(keeping kept: [UInt64]) throws(Fault) {
        try wrapping { () throws(JournalError) in
            _ = try maintain { (core: inout JournalCore) throws(JournalError) in
                try core.dropSegments(through: 0, keeping: kept)
            }
        }
    }

    /// Reads the copies of what is to go once more, and makes those anew that are missing (an earlier version made none) or
    /// damaged. When it returns, every audit record of the segments that the next call drops is in `audit/`, synced.
    private func copyAuditRecords(through last: UInt64) throws(JournalError) {
        let access = journal.access
        for segment in try access.segments(through: last).prefix(Int(JournalCore.segmentsPerDrop)) where !isStopping {
            guard try !access.isCopiedWhole(segment) else { continue }
            guard let records = try access.records(of: segment) else { throw .segmentHeader(segment) }
            var copy = try AuditCopyWriter(access, segment: segment, firstRecord: records.lowerBound)
            defer { copy.cancel() }
            var fault: JournalError?
            var next = records.lowerBound
            if !records.isEmpty {
                try RecordReader(access).scan(from: next, through: records.upperBound - 1) { number, bytes in
                    guard number == next else { return false }
                    next += 1
                    do throws(JournalError) {
                        try copy.append(bytes, of: number)
                    } catch { fault = error }
                    return fault == nil
                }
            }
            if let fault { throw fault }
            // What rotted since it was folded cannot be copied any more: the segment stays.
            guard next == records.upperBound else {
                throw .damaged(segment: segment, offset: 0, records: next..<records.upperBound)
            }
            try copy.finish(before: next)
        }
    }

    private func wrapping<Value>(_ body: () throws(JournalError) -> Value) throws(Fault) -> Value {
        do throws(JournalError) {
            return try body()
        } catch {
            throw .journal(error)
        }
    }

    /// One round's state and where it stands.
    private struct Fold {
        var state: FoldState
        var segments: SegmentFold
        let archive: MerkleArchive
        private let access: JournalAccess
        /// Records that may be lost: those that the live relay has lost. Nil where none serves.
        private let known: KnownLosses?
        /// The copy of the present segment's audit records; nil when there is one.
        private var copy: AuditCopyWriter?
        private var leaves: [MerkleHash] = []
        private var heads: [SignedHead] = []
        private var firstLeaf: UInt64 = 1
        private var changes: [Change] = []
        /// The last record whose leaf is in the archive.
        var archived: UInt64 { archive.archivedSize }

        init(
            state: FoldState, segments: SegmentFold, archive: MerkleArchive, access: JournalAccess, known: KnownLosses?
        ) {
            self.state = state
            self.segments = segments
            self.archive = archive
            self.access = access
            self.known = known
            firstLeaf = segments.nextRecord
        }

        /// Folds the next segment; false when it is not closed yet, or when it was told to stop.
        mutating func replayNext(_ samples: [FoldSample], while goesOn: () -> Bool) throws(Fault) -> Bool {
            defer { copy?.cancel() }
            var fault: Fault?
            var isStopped = false
            var segments = segments
            var times = SegmentTimes(
                segment: 0, firstRecord: segments.nextRecord, earliest: .distantFuture, latest: .distantPast)
            let isWhole: Bool
            do throws(JournalError) {
                guard let number = try segments.next() else { return false }
                times.segment = number
                let isCopied = try access.isCopied(number)
                copy =
                    isCopied
                    ? nil : try AuditCopyWriter(access, segment: number, firstRecord: segments.nextRecord)
                // The rest of a segment is only read when the fold is to stop: it is thrown away.
                isWhole = try segments.replayNext { item in
                    guard fault == nil, !isStopped else { return }
                    do throws(Fault) {
                        try take(item, samples, &times)
                    } catch { fault = error }
                    if case .head = item { isStopped = !goesOn() }
                }
            } catch { throw .journal(error) }
            if let fault { throw fault }
            guard isWhole, !isStopped else { return false }
            self.segments = segments
            try store(segments.frontier)
            do throws(JournalError) {
                try copy?.finish(before: segments.nextRecord)
            } catch { throw .journal(error) }
            if times.earliest <= times.latest { state.times.append(times) }
            if state.times.count > FoldState.timesLimit { state.times.removeFirst() }
            return true
        }

        private mutating func take(
            _ item: SegmentItem, _ samples: [FoldSample], _ times: inout SegmentTimes
        ) throws(Fault) {
            switch item {
            case .text(let id, let location):
                if let notification = id.notification {
                    state.contents.replayed(notification, at: location, in: state.relay)
                }
            case .record(let number, let bytes, let leaf):
                guard number == state.relay.sequence + 1 else {
                    throw .sequence(expected: state.relay.sequence + 1, found: number)
                }
                try replay(bytes, of: times.segment)
                let at = EventCodec.time(of: bytes) ?? .distantPast
                state.lastEventAt = max(state.lastEventAt, at)
                times.earliest = min(times.earliest, at)
                times.latest = max(times.latest, at)
                leaves.append(leaf)
                do throws(JournalError) {
                    try copy?.append(bytes, of: number)
                } catch { throw .journal(error) }
                if let sample = samples.first(where: { $0.sequence == number }),
                    sample.digest != state.relay.stateDigest
                {
                    throw .differs(sequence: number)
                }
            case .lost(let records):
                try skip(records, of: times.segment)
                leaves.append(contentsOf: repeatElement(.unknown, count: records.count))
            case .head(let head, let frontier):
                heads.append(head)
                if leaves.count >= SecondFold.leavesPerAppend { try store(frontier) }
            }
        }

        private mutating func skip(_ records: Range<UInt64>, of segment: UInt64) throws(Fault) {
            state.relay.skip(records: UInt64(records.count))
            guard known?.covers(records, total: state.relay.lostRecords) ?? true else {
                throw .lost(segment: segment, records: records)
            }
        }

        private mutating func replay(_ bytes: [UInt8], of segment: UInt64) throws(Fault) {
            changes.removeAll(keepingCapacity: true)
            do throws(ReplayFault) {
                try state.relay.replay(bytes, into: &changes)
            } catch {
                guard case .doesNotFit = error, state.relay.lostRecords > 0 else { throw .record(error) }
                let number = state.relay.sequence + 1
                try skip(number..<(number + 1), of: segment)
            }
        }

        /// Copies what was gathered to the archive. One that is behind every snapshot, because its files were lost, gets nothing
        /// more, and then no segment goes.
        private mutating func store(_ frontier: MerkleFrontier) throws(Fault) {
            if !leaves.isEmpty, firstLeaf <= archive.archivedSize + 1 {
                do throws(JournalError) {
                    try archive.append(firstRecord: firstLeaf, leaves: leaves, heads: heads, frontier: frontier)
                } catch { throw .journal(error) }
            }
            firstLeaf += UInt64(leaves.count)
            leaves.removeAll(keepingCapacity: true)
            heads.removeAll(keepingCapacity: true)
        }
    }
}

extension AuditCopyWriter {
    /// Adds a record when it is one that outlives its segment.
    fileprivate mutating func append(_ record: [UInt8], of number: UInt64) throws(JournalError) {
        guard let kind = EventCodec.lasting(record) else { return }
        try append(record: number, kind: kind.rawValue, record)
    }
}
