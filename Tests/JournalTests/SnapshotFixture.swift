import Crypto
import Journal
import TestSupport

/// A state that is easy to check: how many records there were, and a digest over all of them in order.
struct ToyState: Equatable {
    var count: UInt64 = 0
    var digest = [UInt8](repeating: 0, count: 32)

    mutating func take(_ record: [UInt8]) {
        count += 1
        digest = Array(SHA256.hash(data: digest + record))
    }

    var piece: [UInt8] { withUnsafeBytes(of: count.littleEndian) { Array($0) } + digest }

    init() {}

    init?(piece: [UInt8]) {
        guard piece.count == 40 else { return nil }
        count = piece.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        digest = Array(piece.dropFirst(8))
    }

    /// The record with this number in every test here: about six of them fill a segment.
    static func record(_ number: UInt64) -> [UInt8] { known[Int(number)].record }

    /// The state after so many records.
    static func after(_ count: UInt64) -> ToyState { known[Int(count)].state }

    /// Records and states up to the highest number that any test reaches; 0 stands for the beginning.
    private static let known: [(record: [UInt8], state: ToyState)] = {
        var known = [(record: [UInt8](), state: ToyState())]
        for number in 1...UInt64(100) {
            let record = (0..<8_000).map { UInt8(truncatingIfNeeded: UInt64($0) &* (number | 1) &+ number) }
            var state = known[known.count - 1].state
            state.take(record)
            known.append((record, state))
        }
        return known
    }()
}

/// A journal whose fold is a `ToyState`, opened from its snapshots.
struct ToyJournal {
    var core: JournalCore
    var state: ToyState
    /// How many records were replayed, those in the snapshot left out.
    var replayed = 0

    init(_ disk: MemoryDisk, _ ring: KeyRing, random: UInt64, damage: DamagePolicy = .refuse) throws {
        var state = ToyState()
        var replayed = 0
        try disk.makeDirectory("/data")
        core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: smallOptions { $0.damage = damage }, disk: disk,
            random: SeededRandom(seed: random), clock: ManualClock(),
            restore: { reader in
                guard let found = Self.state(in: &reader) else { return false }
                state = found
                return true
            },
            replay: { item in
                guard case .record(_, let bytes) = item else { return }
                state.take(bytes)
                replayed += 1
            })
        self.state = state
        self.replayed = replayed
    }

    static func state(in reader: inout SnapshotReader) -> ToyState? {
        var state: ToyState?
        do {
            while let piece = try reader.next() {
                guard piece.section == 1, state == nil else { continue }
                state = ToyState(piece: piece.bytes)
            }
        } catch { return nil }
        return state?.count == reader.point.nextRecord - 1 ? state : nil
    }

    /// Commits so many more records, one batch each.
    mutating func write(_ count: Int) throws {
        for _ in 0..<count {
            let record = ToyState.record(state.count + 1)
            let request = try AppendRequest(records: [record])
            while true {
                if let grant = core.space.reserve(.notification, bytes: request.footprint) {
                    _ = try core.commit([Pending(request: request, ticket: 1, grant: grant)])
                    break
                }
                guard case .progressed = try core.prepare() else { throw JournalError.noSpace(path: "test") }
            }
            state.take(record)
        }
    }

    /// What the second fold does: from the newest snapshot over the closed segments to a snapshot of its own.
    ///
    /// - Returns: the snapshots that are known to be good, the older first.
    @discardableResult
    mutating func snapshot(random: UInt64 = 5) throws -> [UInt64] {
        var folded = ToyState()
        let start = try core.access.restore { reader in
            guard let found = Self.state(in: &reader) else { return false }
            folded = found
            return true
        }
        var fold = SegmentFold(core.access, from: start)
        var more = true
        while more {
            more = try fold.replayNext { item in
                if case .record(_, let bytes, let leaf) = item {
                    folded.take(bytes)
                    precondition(leaf == MerkleTree.leaf(bytes))
                }
            }
        }
        guard fold.segment > start?.segment ?? 0 else { return start.map { [$0.segment] } ?? [] }
        try core.addSnapshotKey(fold.segment)
        var writer = try SnapshotWriter(
            core.access, point: fold.snapshot(state: folded.digest, foldedMilliseconds: 5),
            random: SeededRandom(seed: random))
        do {
            try writer.append(folded.piece, section: 1)
            try writer.append([UInt8](repeating: 9, count: 700), section: 2)
            try writer.finish()
        } catch {
            writer.cancel()
            throw error
        }
        return (start.map { [$0.segment] } ?? []) + [fold.segment]
    }
}

func snapshots(_ disk: MemoryDisk) -> [(path: String, bytes: [UInt8])] {
    disk.files.filter { $0.key.contains("/snapshots/") }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}
