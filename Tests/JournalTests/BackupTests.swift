import Foundation
import Journal
import Synchronization
import TestSupport
import Testing

struct BackupTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private func backup(_ writer: JournalWriter, _ name: String) -> Result<BackupReport, JournalError> {
        let told = Told<Result<BackupReport, JournalError>>()
        writer.backup(to: BackupTargets(journal: "/\(name)-journal", keys: "/\(name)-keys")) { told.tell($0) }
        return told.wait()[0]
    }

    private func restore(
        _ disk: MemoryDisk, _ name: String, deletions: String? = nil, keys: String? = nil, to: String = "/restored"
    ) throws -> RestoreReport {
        try Restore.run(
            journal: "/\(name)-journal", keys: "/\(keys ?? name)-keys", deletions: deletions, to: to, ring: ring,
            disk: disk, random: SeededRandom(seed: 77), clock: ManualClock())
    }

    /// Opens a restored directory as if somebody had answered for it.
    private func open(_ disk: MemoryDisk, _ directory: String = "/restored") throws -> (JournalCore, Replayed) {
        #expect(journalError { _ = try start(disk, directory) } == .held(.restored))
        disk.delete(directory + "/hold-restored")
        return try start(disk, directory)
    }

    private func start(_ disk: MemoryDisk, _ directory: String) throws -> (JournalCore, Replayed) {
        var replayed = Replayed()
        let core = try JournalCore.open(
            directory: directory, keys: ring, options: smallOptions(), disk: disk, random: SeededRandom(seed: 55),
            clock: ManualClock()
        ) { replayed.take($0) }
        return (core, replayed)
    }

    @Test func `a backup under writes is one point: everything before it and nothing else, and it starts`() throws {
        let test = try TestWriter(scratch, ring)
        test.start()
        var committed = 0
        for round in 1...6 {
            for _ in 0..<20 {
                committed += 1
                _ = maintain(test.writer) { (core) throws(JournalError) in _ = try core.prepare() }
                try test.append(UInt64(committed))
            }
            let told = Told<Result<BackupReport, JournalError>>()
            test.writer.backup(to: BackupTargets(journal: "/b\(round)-journal", keys: "/b\(round)-keys")) {
                told.tell($0)
            }
            for _ in 0..<20 {
                committed += 1
                try? test.append(UInt64(committed))
            }
            let report = try told.wait()[0].get()
            // Everything that was appended before the call is in it.
            #expect(report.lastRecord >= UInt64(committed - 20))
            _ = try restore(test.disk, "b\(round)", to: "/r\(round)")
            let (_, replayed) = try open(test.disk, "/r\(round)")
            #expect(replayed.order == Array(1...report.lastRecord))
        }
        test.writer.stop()
        print("Backup: 6 backups under writes, each restored and started: every record up to its point, none else")
    }

    @Test func `a backup of the journal alone holds no key, and one of the keys no record`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TextJournal(disk, ring)
        try journal.write(20)
        let report = try journal.journal.core.keyReport()
        #expect(report.lastKeyBackup == nil)
        let targets = BackupTargets(journal: "/j", keys: "/k")
        _ = try copy(&journal.journal.core, targets)
        #expect(try journal.journal.core.keyReport().lastKeyBackup == ManualClock().wallMilliseconds)
        let files = disk.files
        let masters = scratch.masters()
        func opened(_ prefix: String) -> Burglar {
            Burglar.search(files.filter { $0.key.hasPrefix(prefix) }, masters: masters)
        }
        #expect(opened("/j/").records.isEmpty && opened("/k/").records.isEmpty)
        let both = Burglar.search(
            files.filter { $0.key.hasPrefix("/j/") || $0.key.hasPrefix("/k/") }, masters: masters)
        #expect(both.texts.count == 20)
        #expect(!files.keys.contains { $0.hasPrefix("/j/") && ($0.contains("slab") || $0.contains("keys")) })
    }

    /// A backup in one go, on this thread.
    private func copy(_ core: inout JournalCore, _ targets: BackupTargets) throws -> BackupReport {
        try core.backUp(to: targets)
    }

    @Test func `what was erased after a backup is erased in what is restored from it`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TextJournal(disk, ring)
        try journal.write(6)
        _ = try journal.journal.core.erase(slots: journal.texts[0].slots)
        _ = try copy(&journal.journal.core, BackupTargets(journal: "/old-journal", keys: "/old-keys"))
        let erasure = try journal.journal.core.erase(slots: journal.texts[2].slots + journal.texts[3].slots)
        #expect(erasure.completeness.lastKeyBackup == ManualClock().wallMilliseconds)
        let list = "/data/orebro/audit/deletions"
        // Without the list, or with one that is older than the backup, nothing is restored.
        let files = disk.files
        #expect(
            journalError { _ = try restore(disk, "old") }
                == .deletionList(path: "/old-journal", line: 0, problem: .missing))
        disk.overwrite("/older", with: [])
        #expect(
            journalError { _ = try restore(disk, "old", deletions: "/older") }
                == .deletionList(path: "/older", line: 0, problem: .older))
        disk.delete("/older")
        #expect(disk.files == files)
        let report = try restore(disk, "old", deletions: list)
        #expect(report.deletions == 2 && report.slotsErased == 2)
        let restored = disk.files.filter { $0.key.hasPrefix("/restored") || $0.key.hasPrefix("/old-journal") }
        #expect(Set(Burglar.search(restored, masters: scratch.masters()).texts).count == 3)
        let (core, replayed) = try open(disk)
        #expect(replayed.order == Array(1...6) && journal.readable(in: core) == [1, 4, 5])
    }

    @Test func `a list of another history is refused`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TextJournal(disk, ring)
        try journal.write(4)
        let fork = disk.clone(seed: 4)
        _ = try journal.journal.core.erase(slots: journal.texts[0].slots)
        _ = try copy(&journal.journal.core, BackupTargets(journal: "/a-journal", keys: "/a-keys"))
        var other = try TestJournal(fork, ring, random: 9)
        _ = try other.core.erase(slots: journal.texts[1].slots)
        disk.overwrite("/fork", with: fork.files["/data/orebro/audit/deletions"] ?? [])
        #expect(
            journalError { _ = try restore(disk, "a", deletions: "/fork") }
                == .deletionList(path: "/fork", line: 0, problem: .other))
    }

    @Test func `slots of the lost days are never given out again`() throws {
        let disk = MemoryDisk(seed: 5)
        var journal = try TextJournal(disk, ring)
        try journal.write(1)
        _ = try copy(&journal.journal.core, BackupTargets(journal: "/a-journal", keys: "/a-keys"))
        journal.journal = try TestJournal(disk, ring, random: 2)
        let lost = try #require(journal.journal.core.slots.take())
        _ = try journal.journal.core.erase(slots: [lost])
        _ = try restore(disk, "a", deletions: "/data/orebro/audit/deletions")
        let (core, _) = try open(disk)
        let slot = try #require(core.slots.take())
        #expect(slot.rawValue >> 16 > lost.rawValue >> 16 + 1_000_000)
    }

    @Test func `a target that is not empty, half a backup and a changed file are refused`() throws {
        let test = try TestWriter(scratch, ring)
        test.start()
        try test.append(1)
        let disk = test.disk
        try disk.makeDirectory("/a-journal")
        disk.overwrite("/a-journal/something", with: [1])
        #expect(backup(test.writer, "a").failure == .backup(path: "/a-journal", problem: .notEmpty))
        #expect(backup(test.writer, "b").failure == nil)
        let none = BackupTargets(journal: nil, keys: nil)
        let told = Told<Result<BackupReport, JournalError>>()
        test.writer.backup(to: none) { told.tell($0) }
        #expect(told.wait()[0].failure == .backup(path: "", problem: .noTarget))
        test.writer.stop()
        func refused(_ change: (MemoryDisk) -> Void) -> JournalError? {
            let copy = disk.clone(seed: 9)
            change(copy)
            return journalError { _ = try restore(copy, "b") }
        }
        #expect(refused { $0.delete("/b-journal/manifest") } == .backup(path: "/b-journal", problem: .noManifest))
        #expect(
            refused { $0.overwrite("/b-keys/manifest", with: $0.files["/b-journal/manifest"] ?? []) }
                == .backup(path: "/b-keys", problem: .kind))
        for (path, bytes) in disk.files where path.hasPrefix("/b-") {
            for index in [0, bytes.count / 2, bytes.count - 1] where bytes.indices.contains(index) {
                let error = refused { disk in
                    var copy = bytes
                    copy[index] ^= 1
                    disk.overwrite(path, with: copy)
                }
                guard case .backup? = error else {
                    Issue.record("\(path), byte \(index): \(String(describing: error))")
                    continue
                }
            }
        }
        #expect(
            refused {
                try? $0.makeDirectory("/restored"); $0.overwrite("/restored/x", with: [1])
            }
                == .backup(path: "/restored", problem: .notEmpty))
        #expect(refused { _ in } == nil)
    }

    @Test func `keys older than the journal are refused, newer ones are taken`() throws {
        let disk = MemoryDisk(seed: 6)
        let clock = ManualClock()
        var journal = try TestJournal(disk, ring, clock: clock)
        try journal.write([[1]])
        _ = try copy(&journal.core, BackupTargets(journal: "/a-journal", keys: "/a-keys"))
        clock.advance(.seconds(60))
        try journal.write([[2]])
        _ = try copy(&journal.core, BackupTargets(journal: "/b-journal", keys: "/b-keys"))
        #expect(
            journalError { _ = try restore(disk, "b", keys: "a") } == .backup(path: "/a-keys", problem: .keysOlder))
        _ = try restore(disk, "a", keys: "b")
        #expect(try open(disk).1.order == [1])
    }

    @Test func `erasures wait while a backup copies, and are carried out behind it`() throws {
        let test = try TestWriter(scratch, ring)
        test.start()
        let slot = try #require(test.writer.takeSlot())
        try test.append(1, texts: [SealedText(id: textID(1), slots: [slot], bytes: [1])])
        let order = Told<String>()
        test.writer.backup(to: BackupTargets(journal: "/w-journal", keys: "/w-keys")) { result in
            order.tell(result.failure == nil ? "backup" : "failed")
        }
        test.writer.erase([slot]) { _ in order.tell("erasure") }
        #expect(order.wait(for: 2) == ["backup", "erasure"])
        test.writer.stop()
    }

    @Test(.timeLimit(.minutes(30)))
    func `an error at any call of backup and restore is typed, and what is left is never taken for whole`() throws {
        let disk = MemoryDisk(seed: 7)
        var journal = try TextJournal(disk, ring)
        try journal.write(3)
        journal.journal.core.close()
        var (call, failures) = (0, 0)
        while true {
            let copy = disk.clone(seed: UInt64(call))
            let probe = ProbedDisk(copy, keepsLog: false)
            var core = try JournalCore.open(
                directory: TestJournal.directory, keys: ring, options: smallOptions { $0.slabsAhead = 0 },
                disk: probe, random: SeededRandom(seed: 3), clock: ManualClock()
            ) { _ in }
            probe.plan(.error(5), at: probe.calls.count + call, isSticky: false)
            let made = journalError { _ = try core.backUp(to: BackupTargets(journal: "/e-journal", keys: "/e-keys")) }
            let restored =
                made
                ?? journalError {
                    _ = try Restore.run(
                        journal: "/e-journal", keys: "/e-keys", deletions: nil, to: "/restored", ring: ring,
                        disk: probe, random: SeededRandom(seed: 5), clock: ManualClock())
                }
            if probe.hits.isEmpty { break }
            probe.plan(.error(5), at: -1, isSticky: false)
            if restored != nil {
                failures += 1
                let isUntouched = !copy.files.keys.contains { $0.hasPrefix("/restored/") }
                if made != nil {
                    // With a manifest it is whole, only its last name was not known to be durable.
                    let error = journalError { _ = try restore(copy, "e") }
                    if error == nil { #expect(try open(copy).1.order == [1, 2, 3], "call \(call)") }
                } else if let error = journalError({ _ = try start(copy, "/restored") }) {
                    #expect(error == .held(.restored) || error == .keysMissing(path: "/restored/keys"), "call \(call)")
                } else {
                    #expect(isUntouched, "call \(call)")
                }
            }
            call += 1
        }
        #expect(call > 100)
        print(
            "Backup: an error at each of \(call) calls of backup and restore: \(failures) typed, none taken for whole")
    }
}
