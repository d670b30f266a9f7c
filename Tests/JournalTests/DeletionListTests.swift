import Journal
import TestSupport
import Testing

struct DeletionListTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    private static let path = "/data/orebro/audit/deletions"

    /// A list of so many records, and the keys to verify it.
    private func list(_ count: Int, seed: UInt64 = 1) throws -> (MemoryDisk, [HeadKey]) {
        let disk = MemoryDisk(seed: seed)
        var journal = try TextJournal(disk, ring, random: seed)
        try journal.write(count)
        for text in journal.texts { _ = try journal.journal.core.erase(slots: text.slots) }
        return (disk, try journal.journal.core.keyReport().signing)
    }

    private func problem(_ bytes: [UInt8], _ keys: [HeadKey]) -> (Int, DeletionProblem)? {
        guard
            case .deletionList(_, let line, let problem)? = journalError({
                _ = try DeletionList(bytes, path: "list", keys: keys)
            })
        else { return nil }
        return (line, problem)
    }

    @Test func `a record says when, where and which slots, and nothing about people`() throws {
        let (disk, keys) = try list(2)
        let bytes = try #require(disk.files[Self.path])
        let list = try DeletionList(bytes, path: Self.path, keys: keys)
        #expect(list.records.map(\.number) == [1, 2] && list.records.map(\.position) == [2, 2])
        #expect(list.records[0].statement == .erased([SlotID(rawValue: 1 << 16)]))
        #expect(list.records[0].wallMilliseconds == ManualClock().wallMilliseconds)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let pattern = #/budkavle-deletion/1 \d+ [0-9a-f]{32} \d+ \d+ [0-9:;,-]+ [\w-]{43} \d+ [\w-]{86}/#
        #expect(try lines.allSatisfy { try pattern.wholeMatch(in: $0) != nil })
    }

    @Test func `a line that was changed, removed, swapped, doubled or cut is named`() throws {
        let (disk, keys) = try list(4)
        let bytes = try #require(disk.files[Self.path])
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { Array(($0 + "\n").utf8) }
        #expect(problem(bytes, keys) == nil)
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= 1
            let line = bytes[..<index].count { $0 == 10 } + 1
            let found = problem(copy, keys)
            #expect(found != nil && found.map { $0.0 <= line + 1 } ?? false, "byte \(index)")
        }
        #expect(problem(lines.dropFirst().flatMap { $0 }, keys)?.0 == 1)
        #expect(problem(lines[0] + lines[2] + lines[3], keys).map { $0 == (2, .order) } ?? false)
        #expect(problem(lines[0] + lines[0], keys).map { $0 == (2, .order) } ?? false)
        #expect(problem(bytes.dropLast(), keys).map { $0 == (4, .form) } ?? false)
        lines.swapAt(1, 2)
        #expect(problem(lines.flatMap { $0 }, keys).map { $0 == (2, .order) } ?? false)
        #expect(problem(bytes, []).map { $0 == (1, .signature) } ?? false)
        let other = try list(4, seed: 2).0.files[Self.path] ?? []
        #expect(problem(lines[0] + other, keys).map { $0 == (2, .journal) } ?? false)
        #expect(try DeletionList([], path: "", keys: []).records.isEmpty)
    }

    @Test func `slots as text are read back, and any other form of them is not`() throws {
        let (disk, keys) = try list(1)
        let bytes = try #require(disk.files[Self.path])
        let line = String(decoding: bytes, as: UTF8.self)
        for bad in ["1:00", "1:0,0", "1:0-0", "0:0", "1:2048", "1:1,0", "1:0;1:1", "1:", ":0", "1:0-", "1:0;", "x:0"] {
            let copy = Array(line.replacing(" 1:0 ", with: " \(bad) ").utf8)
            #expect(problem(copy, keys).map { $0 == (1, .form) } ?? false, "\(bad)")
        }
        let good = Array(line.replacing(" 1:0 ", with: " 1:0-5,9;18:3 ").utf8)
        #expect(problem(good, keys).map { $0 == (1, .signature) } ?? false)
    }

    @Test func `a torn line is cut off by the next erasure, and one nobody signed stays as evidence`() throws {
        let (disk, keys) = try list(2)
        let bytes = try #require(disk.files[Self.path])
        disk.overwrite(Self.path, with: bytes + Array("budkavle-deletion/1 3 12".utf8))
        var journal = try TestJournal(disk, ring, random: 5)
        let slot = try #require(journal.core.slots.take())
        _ = try journal.core.erase(slots: [slot])
        #expect(try DeletionList(disk.files[Self.path] ?? [], path: "", keys: keys).records.count == 3)
        let whole = disk.files[Self.path] ?? []
        disk.overwrite(Self.path, with: whole + Array("budkavle-deletion/1 something else\n".utf8))
        journal = try TestJournal(disk, ring, random: 6)
        let next = try #require(journal.core.slots.take())
        _ = try journal.core.erase(slots: [next])
        #expect(problem(disk.files[Self.path] ?? [], keys).map { $0 == (4, .form) } ?? false)
    }

    @Test func `a list that was cut, altered, put back or taken away is a finding of the next start`() throws {
        let (disk, _) = try list(3)
        let bytes = try #require(disk.files[Self.path])
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { Array(($0 + "\n").utf8) }
        var altered = bytes
        altered[bytes.count - 5] ^= 1
        var starts: [(String, [UInt8]?, [Finding.Kind])] = [("whole", bytes, [])]
        // A torn line is what a crash leaves behind.
        starts.append(("torn", bytes + Array("budkavle-del".utf8), []))
        starts += [
            ("cut", Array(bytes.dropLast()), [.deletionList]), ("older", lines[0] + lines[1], [.deletionList]),
            ("altered", altered, [.deletionList]), ("empty", [], [.deletionList]), ("gone", nil, [.deletionList]),
        ]
        for (name, changed, kinds) in starts {
            let copy = disk.clone(seed: 1)
            if let changed { copy.overwrite(Self.path, with: changed) } else { try copy.remove(Self.path) }
            var journal = try TestJournal(copy, ring, random: 9)
            #expect(journal.core.report.findings.map(\.kind) == kinds, "\(name)")
            #expect(journal.core.report.damage.allSatisfy { $0.description.hasPrefix("audit/deletions was cut") })
            #expect(journal.core.report.damage.count == kinds.count, "\(name)")
            _ = try journal.write([[1]])
            let slot = try #require(journal.core.slots.take())
            _ = try journal.core.erase(slots: [slot])
        }
    }
}
