import Foundation
import Journal
import TestSupport
import Testing

struct KeyRotationTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func generations(_ disk: MemoryDisk) -> [String: [UInt8]] {
        disk.files.filter { $0.key.contains("/keys/keys-") }
    }

    @Test func `after a rotation no file needs the old master key, and no data was touched`() throws {
        let disk = MemoryDisk(seed: 1)
        let (old, both) = (try scratch.ring(), try scratch.ring(["v1", "v2"], active: "v2"))
        let new = try scratch.ring(["v2"], active: "v2", seed: 8)
        var journal = try TextJournal(disk, old)
        try journal.write(3)
        let before = disk.files
        let report = try journal.journal.core.rotateKeys(to: both)
        #expect(report.active == "v2" && report.masters == ["v1", "v2"])
        #expect(report.generations.map(\.master) == ["v2", "v2"])
        for (path, bytes) in before where !path.contains("/keys/keys-") { #expect(disk.files[path] == bytes) }
        #expect(journal.readable(in: journal.journal.core) == [0, 1, 2])
        try journal.write(1)
        let next = try TestJournal(disk, new, random: 2)
        #expect(next.replayed.order == [1, 2, 3, 4] && journal.readable(in: next.core) == [0, 1, 2, 3])
        #expect(journalError { _ = try TestJournal(disk, old) } == .masterKeyMissing(id: "v2"))
    }

    @Test func `a rotation wants the old key beside the new one, and the same key under a known id`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TextJournal(disk, try scratch.ring())
        try journal.write(1)
        let files = disk.files
        let alone = try scratch.ring(["v2"], active: "v2", seed: 8)
        #expect(journalError { _ = try journal.journal.core.rotateKeys(to: alone) } == .masterKeyMissing(id: "v1"))
        let wrong = try scratch.ring(["v1", "v2"], active: "v2", seed: 90)
        #expect(journalError { _ = try journal.journal.core.rotateKeys(to: wrong) } == .masterKeyWrong(id: "v1"))
        #expect(disk.files == files)
        try journal.write(1)
    }

    @Test func `a master key retires when nothing on disk is sealed under it`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, try scratch.ring())
        try journal.write([[1]])
        #expect(
            journalError { _ = try journal.core.retireMasterKey("v1") }
                == .masterKeyInUse(id: "v1", paths: generations(disk).keys.sorted(by: >)))
        let both = try scratch.ring(["v1", "v2"], active: "v2")
        journal = try TestJournal(disk, both, random: 2)
        // Every file since the start lies under the new key, and the start wrote two of them.
        #expect(try journal.core.retireMasterKey("v1").masters == ["v2"])
        #expect(
            journalError { _ = try journal.core.retireMasterKey("v2") }
                == .masterKeyInUse(id: "v2", paths: generations(disk).keys.sorted(by: >)))
        #expect(journalError { _ = try journal.core.retireMasterKey("v1") } == .masterKeyMissing(id: "v1"))
        try journal.write([[2]])
    }

    @Test func `a master key that only the older generation needs does not retire`() throws {
        let disk = MemoryDisk(seed: 4)
        let both = try scratch.ring(["v1", "v2"], active: "v2")
        var journal = try TestJournal(disk, try scratch.ring())
        let old = try #require(generations(disk).max { $0.key < $1.key }).value
        journal = try TestJournal(disk, both, random: 2)
        // As after a rotation that a crash kept from removing it.
        disk.overwrite(try #require(generations(disk).keys.min()), with: old)
        let report = try journal.core.keyReport()
        #expect(report.generations.map(\.master) == ["v2", "v1"])
        guard case .masterKeyInUse(_, let paths)? = journalError({ _ = try journal.core.retireMasterKey("v1") }) else {
            Issue.record("it went")
            return
        }
        #expect(paths.count == 1)
        _ = try journal.core.rotateKeys(to: both)
        #expect(try journal.core.retireMasterKey("v1").masters == ["v2"])
    }

    @Test func `the report counts keys by kind and can be had without opening the journal`() throws {
        let disk = MemoryDisk(seed: 5)
        let ring = try scratch.ring()
        var journal = try TestJournal(disk, ring)
        try journal.write([[1]])
        try journal.core.addSnapshotKey(1)
        let report = try journal.core.keyReport()
        #expect(report.segmentKeys >= 1 && report.slabKeys == 1 && report.snapshotKeys == 1)
        #expect(report.signing.map(\.serial) == [1] && report.lastKeyBackup == nil)
        let files = disk.files
        #expect(try KeyReport.read(directory: TestJournal.directory, keys: ring, disk: disk) == report)
        #expect(disk.files == files)
        try journal.core.dropKeys(segmentsThrough: 0, snapshotsBefore: 2)
        #expect(try journal.core.keyReport().snapshotKeys == 0)
        #expect(
            journalError { _ = try KeyReport.read(directory: "/none", keys: ring, disk: disk) }
                == .keysMissing(path: "/none/keys"))
    }

    @Test func `a new signing key is announced by the one before it`() throws {
        let disk = MemoryDisk(seed: 6)
        let ring = try scratch.ring()
        var journal = try TextJournal(disk, ring)
        try journal.write(2)
        let first = try journal.journal.core.keyReport().signing
        _ = try journal.journal.core.erase(slots: journal.texts[0].slots)
        let next = try journal.journal.core.rotateSigningKey()
        #expect(next.serial == 2)
        _ = try journal.journal.core.erase(slots: journal.texts[1].slots)
        let list = try #require(disk.files["/data/orebro/audit/deletions"])
        // Who knows the first key only learns the second from the list.
        #expect(try DeletionList(list, path: "", keys: first).records.map(\.serial) == [1, 1, 2])
        journal.journal = try TestJournal(disk, ring, random: 2)
        #expect(try journal.journal.core.keyReport().signing.map(\.serial) == [1, 2])
    }

    /// J1, by legal states: the master key changes between batches, and the power goes at every place.
    @Test(.timeLimit(.minutes(30)))
    func `a power cut at any call of a rotation loses nothing, and old and new key together always open it`() throws {
        let disk = MemoryDisk(seed: 1)
        let both = try scratch.ring(["v1", "v2"], active: "v2")
        var journal = try TextJournal(disk, try scratch.ring())
        try journal.write(3)
        journal.journal.core.close()
        let probe = ProbedDisk(disk, keepsLog: true)
        var core = try JournalCore.open(
            directory: TestJournal.directory, keys: try scratch.ring(), options: smallOptions(), disk: probe,
            random: SeededRandom(seed: 3), clock: ManualClock()
        ) { _ in }
        let started = probe.logCount
        _ = try core.rotateKeys(to: both)
        let ended = probe.logCount
        try core.addSnapshotKey(9)
        var states = CrashStates(of: probe, choosing: .everything, seed: 11)
        var seen: Set<Int> = []
        let new = try scratch.ring(["v2"], active: "v2", seed: 8)
        try states.forEach { remains in
            guard remains.point > started, seen.insert(remains.fingerprint).inserted else { return true }
            let ring = remains.point >= ended ? new : both
            let next = try TestJournal(
                remains.mounted(seed: 1), ring, options: smallOptions { $0.slabsAhead = 0 }, random: 77)
            #expect(next.replayed.order == [1, 2, 3] && journal.readable(in: next.core) == [0, 1, 2])
            return true
        }
        #expect(seen.count > 30)
        print("J1: \(seen.count) legal states after a power cut in a rotation, 0 records lost, 0 texts lost")
    }

    /// J1, under load: batches, new segments and rotations in turns, cut off at each call.
    @Test(.timeLimit(.minutes(30)))
    func `a journal killed at any call of a load with rotations comes back with every committed record`() throws {
        let rings = try (0..<4).map { try scratch.ring((0...$0).map { "v\($0)" }, active: "v\($0)") }
        var (call, ended, lost, committed) = (0, false, 0, 0)
        while !ended {
            let disk = MemoryDisk(seed: UInt64(call))
            try disk.makeDirectory("/data")
            let probe = ProbedDisk(disk, keepsLog: false)
            var written: [UInt64: [UInt8]] = [:]
            var active = 0
            do {
                var core = try JournalCore.open(
                    directory: TestJournal.directory, keys: rings[0], options: smallOptions { $0.slabsAhead = 0 },
                    disk: probe, random: SeededRandom(seed: UInt64(call)), clock: ManualClock()
                ) { _ in }
                probe.plan(.error(5), at: probe.calls.count + call, isSticky: false)
                for round in 0..<12 {
                    if round % 3 == 2, active < 3 {
                        active += 1
                        _ = try core.rotateKeys(to: rings[active])
                    }
                    while case .progressed = try core.prepare() {}
                    let record = [UInt8](repeating: UInt8(round), count: 9_000)
                    let request = try AppendRequest(records: [record])
                    let grant = try #require(core.space.reserve(.notification, bytes: request.footprint))
                    let report = try core.commit([Pending(request: request, ticket: 1, grant: grant)])
                    written[report.firstRecord] = record
                }
                ended = probe.hits.isEmpty
            } catch is JournalError {}
            disk.crash()
            let next = try TestJournal(
                disk, rings[active], options: smallOptions { $0.slabsAhead = 0 }, random: 99)
            for (number, record) in written where next.replayed.records[number] != record { lost += 1 }
            committed += written.count
            call += 1
        }
        #expect(lost == 0 && call > 100)
        print(
            "J1: killed at each of \(call - 1) calls of a load with 3 rotations: \(committed) committed, \(lost) lost")
    }
}

/// J3: keys that are not as they must be.
struct RefusedKeyTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `missing, wrong, half and swapped keys refuse the start and change no byte`() throws {
        let disk = MemoryDisk(seed: 1)
        let ring = try scratch.ring()
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        try journal.journal.core.addSnapshotKey(1)
        journal.journal.core.close()
        let other = MemoryDisk(seed: 2)
        var foreign = try TextJournal(other, ring, random: 9)
        try foreign.write(1)
        let keyFiles = disk.files.keys.filter { $0.contains("/keys/keys-") }.sorted(by: >)
        let foreignKeys = other.files.filter { $0.key.contains("/keys/keys-") }.sorted { $0.key > $1.key }.map(\.value)
        let foreignNames = other.files.keys.filter { $0.contains("/keys/keys-") }.sorted(by: >)
        var outcomes: [String: JournalError?] = [:]
        func refuse(_ name: String, _ ring: KeyRing, _ change: (MemoryDisk) -> Void) throws {
            let copy = disk.clone(seed: 3)
            change(copy)
            let files = copy.files
            outcomes[name] = journalError { _ = try TestJournal(copy, ring) }
            #expect(copy.files == files, "\(name) changed something")
        }
        try refuse("wrong master key", try scratch.ring(seed: 40)) { _ in }
        try refuse("no master key", try scratch.ring(["v2"], active: "v2")) { _ in }
        try refuse("no key file", ring) { disk in for path in keyFiles { disk.delete(path) } }
        try refuse("half a key file", ring) { disk in
            for path in keyFiles { disk.overwrite(path, with: Array(disk.files[path, default: []].prefix(200))) }
        }
        try refuse("empty key files", ring) { disk in for path in keyFiles { disk.overwrite(path, with: []) } }
        try refuse("key files that changed places", ring) { disk in
            let files = disk.files
            disk.overwrite(keyFiles[0], with: files[keyFiles[1], default: []])
            disk.overwrite(keyFiles[1], with: files[keyFiles[0], default: []])
        }
        try refuse("another journal's key files", ring) { disk in
            for path in keyFiles { disk.delete(path) }
            for (index, bytes) in foreignKeys.enumerated() {
                disk.overwrite(foreignNames[index], with: bytes)
            }
        }
        #expect(outcomes.values.allSatisfy { $0 != nil }, "\(outcomes)")
        #expect(outcomes["wrong master key"] == .masterKeyWrong(id: "v1"))
        #expect(outcomes["no master key"] == .masterKeyMissing(id: "v1"))
        #expect(outcomes["no key file"] == .keysMissing(path: TestJournal.directory + "/keys"))
        #expect(outcomes["half a key file"] == .keysDamaged(path: keyFiles[0]))
        print("J3: \(outcomes.count) kinds of wrong keys, all refused, 0 bytes changed")
    }

    @Test func `the limits of key files: 32 bytes, no rights for others, the daemon's own`() throws {
        func file(_ name: String, _ count: Int, mode: Int) throws -> String {
            let path = scratch.path + "/" + name
            try Data((0..<count).map { UInt8($0) }).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return path
        }
        func load(_ path: String) -> JournalError? {
            journalError { _ = try KeyRing.load([KeyFileReference(id: "v1", path: path)], active: "v1") }
        }
        let half = try file("half", 16, mode: 0o600)
        #expect(load(half) == .keyFile(path: half, problem: .length(16)))
        for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601] {
            let path = try file("mode-\(mode)", 32, mode: mode)
            #expect(load(path) == .keyFile(path: path, problem: .mode(UInt32(mode))))
        }
        for mode in [0o600, 0o400] { #expect(try load(file("good-\(mode)", 32, mode: mode)) == nil) }
        // systemd shows the mask of an access list where a group's rights would stand; others never have any.
        _ = try file("credential", 32, mode: 0o440)
        let credential = KeyFileReference.credential(id: "v1", name: "credential", directory: scratch.path)
        _ = try KeyRing.load([credential], active: "v1")
        _ = try file("open", 32, mode: 0o444)
        let open = KeyFileReference.credential(id: "v1", name: "open", directory: scratch.path)
        #expect(
            journalError { _ = try KeyRing.load([open], active: "v1") }
                == .keyFile(path: scratch.path + "/open", problem: .mode(0o444)))
        guard geteuid() == 0 else { return }
        let foreign = try file("foreign", 32, mode: 0o600)
        #expect(chown(foreign, 12_345, 0) == 0)
        #expect(load(foreign) == .keyFile(path: foreign, problem: .owner(12_345)))
    }
}
