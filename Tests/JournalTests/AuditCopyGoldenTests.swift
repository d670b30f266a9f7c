import Foundation
import TestSupport
import Testing

@testable import Journal

/// The copies of audit records that `Vectors/copies-N` keeps for ever: key file and copies alone, as they are when every
/// segment has gone.
struct AuditCopyGoldenTests {
    private static let expectations = "expected.txt"

    private static func line(_ record: CopiedRecord) -> String {
        "record \(record.number) kind \(record.kind) \(record.bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined())"
    }

    /// Writes a new vector: for whoever raises the version of copies. `BUDKAVLE_GOLDEN_COPIES=DIRECTORY`, which must be empty.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["BUDKAVLE_GOLDEN_COPIES"] != nil))
    func `the generator writes the vector of this version`() throws {
        let target = try #require(ProcessInfo.processInfo.environment["BUDKAVLE_GOLDEN_COPIES"])
        let scratch = try Scratch()
        let ring = try scratch.ring(["golden"], active: "golden", seed: 78)
        let disk = MemoryDisk(seed: 12)
        for start in 1...4 as ClosedRange<UInt8> {
            var journal = try TestJournal(disk, ring, random: UInt64(start))
            for number in 0..<(start == 2 ? 0 : 7) as Range<UInt8> {
                try journal.write([[start, number] + (0..<(number * 9)).map { $0 ^ start }])
            }
            try CopiedRecords.fold(journal.core.access, into: nil)
            try journal.core.finish()
        }
        let access = try Inspection.access(directory: TestJournal.directory, keys: ring, disk: disk)
        for segment in segments(disk) { disk.delete(segment.path) }
        var files: [(String, Data)] = disk.files.compactMap { path, bytes in
            guard path.contains("/keys/keys-") || path.contains("/audit/records-") else { return nil }
            return (String(path.dropFirst(TestJournal.directory.count + 1)), Data(bytes))
        }
        files.append(
            ("master.key", try #require(FileManager.default.contents(atPath: scratch.path + "/golden-78.key"))))
        let lines =
            [
                "# What a reader must find in the copies beside this file: number, kind and bytes. master.key has the id `golden`",
                "# and is used nowhere else. Written once by the program that had this version; never written again.",
            ] + (try CopiedRecords.read(access)).map(Self.line)
        files.append((Self.expectations, Data(lines.joined(separator: "\n").appending("\n").utf8)))
        for (name, bytes) in files {
            let path = target + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try bytes.write(to: URL(fileURLWithPath: path))
        }
    }

    @Test func `copies of the first version give the records that were written`() throws {
        let root = try #require(Bundle.module.resourcePath) + "/Vectors/copies-1/"
        func file(_ name: String) throws -> [UInt8] {
            Array(try #require(FileManager.default.contents(atPath: root + name), "\(name)"))
        }
        let disk = MemoryDisk(seed: 1)
        for directory in ["", "/keys", "/segments", "/audit", "/snapshots", "/quarantine"] {
            try disk.makeDirectory(TestJournal.directory + directory)
        }
        for directory in ["keys/", "audit/"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: root + directory) {
                disk.overwrite(TestJournal.directory + "/" + directory + name, with: try file(directory + name))
            }
        }
        let scratch = try Scratch()
        let key = scratch.path + "/golden.key"
        #expect(
            FileManager.default.createFile(
                atPath: key, contents: Data(try file("master.key")), attributes: [.posixPermissions: 0o600]))
        let ring = try KeyRing.load([KeyFileReference(id: "golden", path: key)], active: "golden")
        let access = try Inspection.access(directory: TestJournal.directory, keys: ring, disk: disk)
        let expected = String(decoding: try file(Self.expectations), as: UTF8.self).split(separator: "\n")
            .map(String.init).filter { !$0.hasPrefix("#") }
        #expect(try CopiedRecords.read(access).map(Self.line) == expected && expected.count == 4)
        #expect(try access.copies.numbers() == [1, 2, 3])
        // The second segment closed without a record.
        #expect(try access.copies.read(2) { _ in true } == .whole(8..<8))
    }
}
