import Foundation
import Journal
import TestSupport
import Testing

/// Every version reads every journal that was ever released.
struct GoldenJournalTests {
    /// Writes a new vector: for whoever raises the format's version. `BUDKAVLE_GOLDEN=DIRECTORY`, which must be empty.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["BUDKAVLE_GOLDEN"] != nil))
    func `the generator writes the vector of this version`() throws {
        let target = try #require(ProcessInfo.processInfo.environment["BUDKAVLE_GOLDEN"])
        let scratch = try Scratch()
        let ring = try scratch.ring(["golden"], active: "golden", seed: 77)
        let (disk, expected) = try GoldenJournal.write(ring)
        let files = FileManager.default
        for (path, bytes) in disk.files {
            let relative = String(path.dropFirst("/data/".count))
            let name = target + "/" + relative
            try files.createDirectory(
                atPath: (name as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: name))
        }
        try files.copyItem(
            atPath: scratch.path + "/golden-77.key", toPath: target + "/" + GoldenJournal.masterKey)
        let introduction = [
            "# What a reader must find in the journal beside this file: records and texts in order of writing, each with",
            "# its length and SHA-256, then the chain head after the last batch. master.key has the id `golden` and is",
            "# used nowhere else. Written once by the program that had this format version; never written again.",
        ]
        try Data((introduction + expected).joined(separator: "\n").appending("\n").utf8)
            .write(to: URL(fileURLWithPath: target + "/" + GoldenJournal.expectations))
    }

    /// One directory per format version.
    private static let versions =
        (Bundle.module.resourcePath.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0 + "/Vectors") }
        ?? [])
        .filter { $0.hasPrefix("version-") }.sorted()

    @Test func `there is a journal of the first format version`() { #expect(Self.versions.first == "version-1") }

    @Test(arguments: versions)
    func `a journal of every format version gives the records, texts and head that were written`(version: String) throws
    {
        let (disk, ring, expected) = try load(version)
        var items: [ReplayItem] = []
        var core = try JournalCore.open(
            directory: TestJournal.directory, keys: ring, options: smallOptions(), disk: disk,
            random: SeededRandom(seed: 5), clock: ManualClock()
        ) { items.append($0) }
        let facts = try GoldenJournal.facts(items, head: core.head) { id, place in try core.read(id, at: place) }
        #expect(facts == expected)
        #expect(core.report.tornTail == nil && core.report.damage.isEmpty)
        core.close()
    }

    /// The vector as a disk in memory, its key ring and what must come out.
    private func load(_ version: String) throws -> (MemoryDisk, KeyRing, [String]) {
        let root = try #require(Bundle.module.resourcePath) + "/Vectors/" + version
        let disk = MemoryDisk(seed: 1)
        for directory in ["/data", TestJournal.directory]
            + ["keys", "segments", "snapshots", "quarantine", "audit"].map({
                TestJournal.directory + "/" + $0
            })
        {
            try disk.makeDirectory(directory)
        }
        for name in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? []
        where name.hasPrefix(GoldenJournal.collaboration + "/") {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isDirectory),
                !isDirectory.boolValue, let bytes = FileManager.default.contents(atPath: root + "/" + name)
            else { continue }
            disk.overwrite("/data/" + name, with: Array(bytes))
        }
        let scratch = try Scratch()
        let key = try #require(FileManager.default.contents(atPath: root + "/" + GoldenJournal.masterKey))
        #expect(
            FileManager.default.createFile(
                atPath: scratch.path + "/golden.key", contents: key, attributes: [.posixPermissions: 0o600]))
        let ring = try KeyRing.load(
            [KeyFileReference(id: "golden", path: scratch.path + "/golden.key")], active: "golden")
        let text = try #require(FileManager.default.contents(atPath: root + "/" + GoldenJournal.expectations))
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        return (disk, ring, lines.filter { !$0.hasPrefix("#") })
    }
}
