import Crypto
import Foundation
import Journal
import Synchronization
import TestSupport
import Testing

/// Random numbers that are not: as after a clone whose generator was not seeded anew, or with a broken one.
final class StuckRandom: RandomSource {
    package func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        for index in bytes.indices { bytes[index] = 0x5A }
    }
}

/// Keeps what a journal sealed, also what a crash takes or a later file replaces.
final class Harvest: Sendable {
    let pieces = Mutex<[(path: String, bytes: [UInt8])]>([])

    func take(_ path: String, _ bytes: UnsafeRawBufferPointer) {
        let magic = ["BKB1", "BKSLAB01", "BKKEYS01"]
        guard magic.contains(where: { bytes.starts(with: Array($0.utf8)) }) else { return }
        pieces.withLock { $0.append((path, Array(bytes))) }
    }
}

/// A disk in memory that shows every write to a harvest. Each batch, slab and key file is one write.
final class HarvestedDisk: Disk {
    let disk: MemoryDisk
    private let harvest: Harvest
    private let paths = Mutex<[DiskFile: String]>([:])

    init(_ disk: MemoryDisk, _ harvest: Harvest) {
        self.disk = disk
        self.harvest = harvest
    }

    func open(_ path: String, _ access: DiskAccess) throws(DiskError) -> DiskFile {
        let file = try disk.open(path, access)
        paths.withLock { $0[file] = path }
        return file
    }

    func write(
        _ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer
    ) throws(DiskError) -> Int {
        harvest.take(paths.withLock { $0[file] ?? "" }, buffer)
        return try disk.write(file, at: offset, from: buffer)
    }

    func close(_ file: DiskFile) { disk.close(file) }
    func size(_ file: DiskFile) throws(DiskError) -> UInt64 { try disk.size(file) }
    func read(
        _ file: DiskFile, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(DiskError) -> Int { try disk.read(file, at: offset, into: buffer) }
    func allocate(_ file: DiskFile, at offset: UInt64, count: Int) throws(DiskError) {
        try disk.allocate(file, at: offset, count: count)
    }
    func sync(_ file: DiskFile) throws(DiskError) { try disk.sync(file) }
    func forget(_ file: DiskFile) { disk.forget(file) }
    func truncate(_ file: DiskFile, to length: UInt64) throws(DiskError) { try disk.truncate(file, to: length) }
    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }
    func makeDirectory(_ path: String) throws(DiskError) { try disk.makeDirectory(path) }
    func rename(_ source: String, to target: String) throws(DiskError) { try disk.rename(source, to: target) }
    func remove(_ path: String) throws(DiskError) { try disk.remove(path) }
    func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }
}

/// J5: keys and nonces over many lives of copied directories, 1,020 in all.
struct NonceCensusTests {
    enum Randomness: CaseIterable {
        /// As it should be.
        case fresh
        /// Every start and every clone draws the same numbers.
        case repeating
        /// Every draw is the same byte.
        case stuck
    }

    struct Count {
        var seals: [[UInt8]: [UInt8]] = [:]
        var equal = 0
        var different = 0
        var cycles = 0
        var closed = 0
        /// Their keys never reached a key file, since the life ended before.
        var closedSlabs = 0

        mutating func add(_ seal: Burglar.Seal) {
            guard let known = seals.updateValue(seal.content, forKey: seal.place) else { return }
            if known == seal.content { equal += 1 } else { different += 1 }
        }
    }

    private static let cyclesPerLineage = 10

    private func source(_ randomness: Randomness, _ seed: UInt64) -> any RandomSource {
        switch randomness {
        case .fresh: SeededRandom(seed: seed)
        case .repeating: SeededRandom(seed: 42)
        case .stuck: StuckRandom()
        }
    }

    /// One life of a directory: a start, batches with texts, sometimes an erasure or a rotation; ends without warning.
    private func live(
        _ disk: HarvestedDisk, _ rings: [KeyRing], _ random: any RandomSource, _ generator: inout SeededGenerator
    ) throws {
        var core = try JournalCore.open(
            directory: TestJournal.directory, keys: rings[Int.random(in: 0...1, using: &generator)],
            options: smallOptions { $0.reserveFileBytes = 0 }, disk: disk, random: random, clock: ManualClock()
        ) { _ in }
        var slots: [SlotID] = []
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let records = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                (0..<Int.random(in: 1...300, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator)
                }
            }
            var texts: [SealedText] = []
            if let slot = core.slots.take() {
                let bytes = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                texts = [SealedText(id: textID(slot.rawValue), slots: [slot], bytes: bytes)]
                slots.append(slot)
            }
            let request = try AppendRequest(records: records, texts: texts)
            guard let grant = core.space.reserve(.notification, bytes: request.footprint) else { break }
            _ = try core.commit([Pending(request: request, ticket: 1, grant: grant)])
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: _ = try core.erase(slots: slots.shuffled(using: &generator).suffix(1))
        case 1: _ = try core.rotateKeys(to: rings[1])
        case 2: _ = try core.rotateSigningKey()
        case 3: disk.disk.fail(.sync, after: 0, errno: 5)
        default: break
        }
        if case .progressed = try core.prepare() { _ = try core.prepare() }
    }

    private func lineage(_ seed: UInt64, _ randomness: Randomness, _ scratch: Scratch, _ count: inout Count) throws {
        let rings = [
            try scratch.ring(["v1", "v2"], active: "v1"), try scratch.ring(["v1", "v2"], active: "v2"),
        ]
        var generator = SeededGenerator(seed: seed)
        let harvest = Harvest()
        var disks = [MemoryDisk(seed: seed)]
        try disks[0].makeDirectory("/data")
        for cycle in 0..<Self.cyclesPerLineage {
            let index = Int.random(in: disks.indices, using: &generator)
            let number = seed &* 1_000 &+ UInt64(cycle)
            // Before it lives, the directory may be copied: a clone that lives too, or a backup that is put back later.
            if disks.count < 4, Bool.random(using: &generator) { disks.append(disks[index].clone(seed: number)) }
            do {
                try live(
                    HarvestedDisk(disks[index], harvest), rings, source(randomness, number), &generator)
            } catch is JournalError {}
            disks[index].crash()
            count.cycles += 1
        }
        var burglar = Burglar(masters: scratch.masters(["v1", "v2"]))
        let pieces = harvest.pieces.withLock { $0 }
        burglar.search(pieces)
        for seal in burglar.seals { count.add(seal) }
        count.closed += burglar.closed
        count.closedSlabs += burglar.closedSlabs
    }

    @Test(.timeLimit(.minutes(10)), arguments: Randomness.allCases)
    func `over 340 lives of crashed, restored and cloned directories no nonce repeats under a key`(
        randomness: Randomness
    ) throws {
        let scratch = try Scratch()
        var count = Count()
        for seed in 0..<34 { try lineage(UInt64(seed), randomness, scratch, &count) }
        #expect(count.cycles == 340)
        #expect(count.different == 0)
        #expect(count.closed == 0, "what was sealed cannot be opened, so it was not counted")
        #expect(count.seals.count > 1_000)
        if randomness == .fresh { #expect(count.equal == 0) }
        print(
            "J5 \(randomness): \(count.cycles) lives, \(count.seals.count + count.equal + count.different) seals,"
                + " \(count.different) repeats of key and nonce with other bytes, \(count.equal) with equal bytes;"
                + " \(count.closedSlabs) slabs not counted, whose keys were never stored")
    }

    /// The rig must see what it looks for.
    @Test func `the census notices a repeat`() {
        var count = Count()
        count.add(Burglar.Seal(place: [1], content: [1]))
        count.add(Burglar.Seal(place: [1], content: [2]))
        count.add(Burglar.Seal(place: [2], content: [2]))
        count.add(Burglar.Seal(place: [2], content: [2]))
        #expect(count.different == 1 && count.equal == 1)
    }
}
