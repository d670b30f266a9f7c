import Foundation
import Journal
import Synchronization
import TestSupport
import Testing

/// A scratch directory that goes with the object.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "budkavle-journal-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Every file below, with its bytes.
    func contents() -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) ?? [] {
            if let data = FileManager.default.contents(atPath: path + "/" + name) { found[name] = Array(data) }
        }
        return found
    }

    func ring(_ ids: [String] = ["v1"], active: String = "v1", seed: UInt64 = 7) throws -> KeyRing {
        var references: [KeyFileReference] = []
        for (index, id) in ids.enumerated() {
            let file = "\(path)/\(id)-\(seed).key"
            if !FileManager.default.fileExists(atPath: file) {
                try KeyRing.generate(at: file, random: SeededRandom(seed: seed + UInt64(index)))
            }
            references.append(KeyFileReference(id: id, path: file))
        }
        return try KeyRing.load(references, active: active)
    }
}

/// Small sizes, so that a test sees rotations and full disks soon.
func smallOptions(_ change: (inout JournalOptions) -> Void = { _ in }) -> JournalOptions {
    var options = JournalOptions()
    options.segmentBytes = 64 << 10
    options.aheadBytes = 32 << 10
    options.progressReserveBytes = 16 << 10
    options.slabsAhead = 1
    change(&options)
    return options
}

/// What a replay said.
struct Replayed: Equatable {
    var records: [UInt64: [UInt8]] = [:]
    var order: [UInt64] = []
    var texts: [CommittedText] = []
    var lost: [Range<UInt64>] = []

    mutating func take(_ item: ReplayItem) {
        switch item {
        case .text(let id, let location): texts.append(CommittedText(id: id, location: location))
        case .record(let number, let bytes):
            records[number] = bytes
            order.append(number)
        case .lost(let records, _): lost.append(records)
        }
    }
}

/// A journal in memory, opened as often as a test likes.
struct TestJournal {
    static let directory = "/data/orebro"
    var core: JournalCore
    var replayed: Replayed

    init(
        _ disk: MemoryDisk, _ ring: KeyRing, options: JournalOptions = smallOptions(), random: UInt64 = 1,
        clock: ManualClock = ManualClock()
    ) throws {
        var replayed = Replayed()
        try disk.makeDirectory("/data")
        core = try JournalCore.open(
            directory: Self.directory, keys: ring, options: options, disk: disk, random: SeededRandom(seed: random),
            clock: clock
        ) { replayed.take($0) }
        self.replayed = replayed
    }

    /// Reserves, commits one request, and returns what was committed.
    @discardableResult
    mutating func write(
        _ records: [[UInt8]], texts: [SealedText] = [], kind: ReservationClass = .notification
    ) throws -> CommitReport {
        let request = try AppendRequest(records: records, texts: texts)
        while true {
            if let grant = core.space.reserve(kind, bytes: request.footprint) {
                return try core.commit([Pending(request: request, ticket: 1, grant: grant)])
            }
            guard case .progressed = try core.prepare() else { throw JournalError.noSpace(path: "test") }
        }
    }

    mutating func prepareAll() throws {
        while case .progressed = try core.prepare() {}
    }
}

func textID(_ number: UInt64) -> TextID { TextID(high: 0x0123_4567, low: number) }

/// The segment files, by name.
func segments(_ disk: MemoryDisk) -> [(path: String, bytes: [UInt8])] {
    disk.files.filter { $0.key.contains("/segments/") }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}

func quarantine(_ disk: MemoryDisk) -> [String: [UInt8]] { disk.files.filter { $0.key.contains("/quarantine/") } }

/// Runs `body` and returns the journal's error that it threw.
func journalError(_ body: () throws -> Void) -> JournalError? {
    do {
        try body()
        return nil
    } catch {
        return error as? JournalError
    }
}
