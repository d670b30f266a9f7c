import CaseNotifications
import Journal
import Relay
import STOMP
import TestSupport

/// The state at the end of a closed segment, as `FoldState` of the server holds it: what a snapshot is made of.
struct SimulatedFold {
    private enum Section: UInt8 {
        case relay = 1
        /// Where texts lie: id, `TextLocation.encoded`.
        case texts = 2
        /// The slots of what was accepted: id, slot.
        case slots = 3
    }

    /// Why there is no snapshot that can be used.
    struct Mistake: Error, CustomStringConvertible { var description: String }

    var relay: Relay
    var texts: [NotificationID: TextLocation] = [:]
    var slots: [NotificationID: UInt64] = [:]
    /// The latest time of any event.
    var lastEventAt = Timestamp.distantPast

    init(_ traits: SimulatedTraits) { relay = traits.relay }

    /// Takes a snapshot whole. Nil when anything in it is not as it was written.
    init?(from reader: inout SnapshotReader, _ traits: SimulatedTraits) {
        self.init(traits)
        var relayReader = RelaySnapshotReader(
            collaboration: SimulatedNode.collaboration, settings: SimulatedNode.settings,
            finishedLimit: traits.finishedLimit)
        do {
            while let piece = try reader.next() {
                switch Section(rawValue: piece.section) {
                case .relay: try relayReader.add(piece.bytes)
                case .texts:
                    for entry in Self.entries(piece.bytes, of: 16 + TextLocation.encodedBytes) {
                        texts[Self.id(entry)] = TextLocation(decoding: entry.dropFirst(16))
                    }
                case .slots:
                    for entry in Self.entries(piece.bytes, of: 24) { slots[Self.id(entry)] = Self.word(entry, 16) }
                case nil: return nil
                }
            }
            relay = try relayReader.finish()
        } catch { return nil }
        guard relay.sequence == reader.point.nextRecord - 1, Self.bytes(of: relay.stateDigest) == reader.point.state
        else { return nil }
        lastEventAt = Timestamp(milliseconds: reader.point.foldedMilliseconds)
    }

    func write(to writer: inout SnapshotWriter) throws(JournalError) {
        var pieces = RelaySnapshotWriter(relay)
        while let piece = pieces.next() { try writer.append(piece, section: Section.relay.rawValue) }
        let ids = texts.keys.sorted()
        let places = ids.flatMap { Self.bytes(of: $0) + (texts[$0]?.encoded ?? []) }
        if !places.isEmpty { try writer.append(places, section: Section.texts.rawValue) }
        let known = slots.keys.sorted().flatMap { Self.bytes(of: $0) + Self.bytes(of: slots[$0] ?? 0) }
        if !known.isEmpty { try writer.append(known, section: Section.slots.rawValue) }
    }

    /// Takes in one item of a segment; nil for a record that does not fit although nothing is lost.
    mutating func take(_ item: SegmentItem) throws(Mistake) {
        switch item {
        case .text(let id, let location): texts[NotificationID(high: id.high, low: id.low)] = location
        case .record(let number, let bytes, _):
            guard number == relay.sequence + 1 else {
                throw Mistake(description: "the second fold found record \(number) behind \(relay.sequence)")
            }
            try take(bytes)
        case .lost(let records): relay.skip(records: UInt64(records.count))
        case .head: break
        }
    }

    mutating func take(_ record: [UInt8]) throws(Mistake) {
        lastEventAt = max(lastEventAt, EventCodec.time(of: record) ?? .distantPast)
        if let event = try? EventCodec.decode(record), case .accepted(let accepted) = event.body {
            slots[accepted.notification] = accepted.notificationSlot
        }
        var changes: [Change] = []
        do throws(ReplayFault) {
            try relay.replay(record, into: &changes)
        } catch {
            guard relay.lostRecords > 0 else { throw Mistake(description: "the second fold: \(error)") }
            relay.skip(records: 1)
        }
    }

    /// The oldest segment with content that a station still has to get.
    var oldestNeeded: UInt64? {
        texts.lazy.filter { id, _ in
            relay.contentState(of: id) == .stored
                && relay.deliveries(of: id).contains { $0.transport != .custody && $0.transport != .withdrawn }
        }.map(\.value.segment).min()
    }

    // MARK: Bytes

    static func bytes(of digest: StateDigest) -> [UInt8] { bytes(of: digest.high) + bytes(of: digest.low) }

    private static func bytes(of id: NotificationID) -> [UInt8] { bytes(of: id.high) + bytes(of: id.low) }

    private static func bytes(of word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.bigEndian) { Array($0) } }

    private static func entries(_ bytes: [UInt8], of size: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count - size + 1, by: size).map { bytes[$0..<($0 + size)] }
    }

    private static func id(_ entry: ArraySlice<UInt8>) -> NotificationID {
        NotificationID(high: word(entry, 0), low: word(entry, 8))
    }

    private static func word(_ entry: ArraySlice<UInt8>, _ offset: Int) -> UInt64 {
        entry.dropFirst(offset).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension SimulatedNode {
    /// What a round of the second fold came to.
    enum Round {
        case nothing
        case snapshot
        /// So many segments went.
        case dropped(Int)
        /// It was cut short, or lost records kept it from its end; the next round begins anew.
        case left
        /// The disk kept it from its end.
        case failed(JournalError)
    }

    /// A round of the second fold, as the server makes it on a thread of its own: now and then it is cut short, and batches
    /// are committed between its parts.
    mutating func fold(
        at now: SessionInstant, time: Timestamp, random: inout SeededGenerator
    ) throws -> Round {
        let parts = Int.random(in: 0..<8, using: &random)
        let salt = random.next()
        do {
            var found: SimulatedFold?
            let start = try core.access.restore { reader in
                found = SimulatedFold(from: &reader, traits)
                return found != nil
            }
            var state = found ?? SimulatedFold(traits)
            var segments = SegmentFold(core.access, from: start)
            while try replay(&segments, &state, salt) {}
            // What rotted while this life goes on: the live state knows more, and nothing is written.
            guard state.relay.lostRecords <= relay.lostRecords, parts > 0 else { return .left }
            try commit(at: now, time: time)
            var kept = start.map { [$0.segment] } ?? []
            var round = Round.nothing
            if segments.segment > start?.segment ?? 0 {
                guard
                    try maintained({ (core: inout JournalCore) throws(JournalError) in
                        try core.addSnapshotKey(segments.segment)
                    }) != nil,
                    parts > 1
                else { return .left }
                try commit(at: now, time: time)
                try write(state, segments, salt)
                kept.append(segments.segment)
                round = .snapshot
            }
            guard kept.count == SnapshotLimits.kept, parts > 3, state.relay.lostRecords == 0 else { return round }
            var last = kept.min() ?? 0
            if let oldest = state.oldestNeeded { last = min(last, oldest - 1) }
            // Where notifications leave memory, unread receipts are made from the records of their acceptances.
            if traits.finishedLimit < Relay.finishedLimit, let record = state.relay.oldestUnreadAcceptance {
                while last > 0, try core.access.records(of: last).map({ $0.upperBound > record }) ?? true { last -= 1 }
            }
            last = try core.access.lastSegment(
                through: last, before: time.milliseconds + 1, archived: core.archive.archivedSize)
            let (through, snapshots) = (last, kept)
            mayHaveLetGo = mayHaveLetGo || last > 0
            let dropped = try maintained { (core: inout JournalCore) throws(JournalError) in
                try core.dropSegments(through: through, keeping: snapshots)
            }
            return dropped.map { $0.segments.isEmpty ? round : .dropped($0.segments.count) } ?? .left
        } catch let error as JournalError {
            if case .stopped = error { throw NodeStopped(error) }
            return .failed(error)
        }
    }

    /// Folds the next closed segment, and copies leaves, heads and audit records to the archive.
    private func replay(_ segments: inout SegmentFold, _ state: inout SimulatedFold, _ salt: UInt64) throws -> Bool {
        guard let number = try segments.next() else { return false }
        let first = segments.nextRecord
        var copy =
            try core.access.isCopied(number)
            ? nil
            : AuditCopyWriter(
                core.access, segment: number, firstRecord: first, random: SeededRandom(seed: salt &+ number))
        defer { copy?.cancel() }
        var leaves: [MerkleHash] = []
        var heads: [SignedHead] = []
        var fault: (any Error)?
        let isWhole = try segments.replayNext { item in
            guard fault == nil else { return }
            do {
                try state.take(item)
                switch item {
                case .record(let number, let bytes, let leaf):
                    leaves.append(leaf)
                    if let kind = EventCodec.lasting(bytes) {
                        try copy?.append(record: number, kind: kind.rawValue, bytes)
                    }
                    try compare(state, at: number)
                case .lost(let records): leaves.append(contentsOf: repeatElement(.unknown, count: records.count))
                case .head(let head, _): heads.append(head)
                case .text: break
                }
            } catch { fault = error }
        }
        if let fault { throw fault }
        guard isWhole else { return false }
        if !leaves.isEmpty, first <= core.archive.archivedSize + 1 {
            try core.archive.append(firstRecord: first, leaves: leaves, heads: heads, frontier: segments.frontier)
        }
        try copy?.finish(before: segments.nextRecord)
        return true
    }

    /// Both folds must come to the same, unless the second reads less than the first did.
    private func compare(_ state: SimulatedFold, at record: UInt64) throws {
        guard let sample = samples[record], state.relay.lostRecords <= relay.lostRecords else { return }
        guard state.relay.stateDigest != sample else { return }
        throw SimulatedFold.Mistake(description: "the two folds differ after record \(record)")
    }

    private func write(_ state: SimulatedFold, _ segments: SegmentFold, _ salt: UInt64) throws(JournalError) {
        var writer = try SnapshotWriter(
            core.access,
            point: segments.snapshot(
                state: SimulatedFold.bytes(of: state.relay.stateDigest),
                foldedMilliseconds: state.lastEventAt.milliseconds),
            random: SeededRandom(seed: salt))
        do throws(JournalError) {
            try state.write(to: &writer)
            try writer.finish()
        } catch {
            writer.cancel()
            throw error
        }
    }

    /// Maintenance on the journal; nil when there was no room for it, and then nothing has changed.
    private mutating func maintained<Value>(
        _ work: (inout JournalCore) throws(JournalError) -> Value
    ) throws(NodeStopped) -> Value? {
        do throws(JournalError) {
            return try work(&core)
        } catch {
            if case .noRoom = error { return nil }
            throw NodeStopped(error)
        }
    }

    /// A start from a snapshot comes to what all records give, where all are there and none is lost.
    func compareWithRecords() throws {
        var state = SimulatedFold(traits)
        var fault: SimulatedFold.Mistake?
        var isWhole = true
        try RecordReader(core.access).scan(from: 1, through: durable) { number, bytes in
            isWhole = isWhole && number == state.relay.sequence + 1
            do throws(SimulatedFold.Mistake) {
                if isWhole { try state.take(bytes) }
            } catch { fault = error }
            return isWhole && fault == nil
        }
        if let fault { throw fault }
        guard isWhole, state.relay.sequence == durable else { return }
        guard state.relay.stateDigest == relay.stateDigest, state.slots == slots else {
            throw SimulatedFold.Mistake(description: "the start from a snapshot is not the start from all records")
        }
    }

    // MARK: Keys and losses

    /// Says in the journal that records are lost, once.
    mutating func reportLosses(_ time: Timestamp) throws(NodeStopped) {
        let lost = relay.unreportedLost
        if lost > 0 { try run(.maintain(MaintenanceNote(kind: .lost, count: lost)), time) }
    }

    /// Wraps the keys under another master key.
    mutating func rotateKeys(to ring: KeyRing) throws(NodeStopped) {
        do throws(JournalError) {
            _ = try core.rotateKeys(to: ring)
        } catch {
            // Without space nothing has changed.
            if case .noRoom = error { return }
            throw NodeStopped(error)
        }
    }
}
