import Foundation
import Journal
import TestSupport
import Testing

struct KeyTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func problem(_ path: String, id: String = "v1", active: String = "v1") -> KeyFileProblem? {
        guard
            case .keyFile(_, let problem) = journalError({
                _ = try KeyRing.load([KeyFileReference(id: id, path: path)], active: active)
            })
        else { return nil }
        return problem
    }

    private func file(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let path = scratch.path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test func `a generated key is 32 bytes of mode 0600 and never overwritten`() throws {
        let path = scratch.path + "/new.key"
        try KeyRing.generate(at: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600 && attributes[.size] as? Int == 32)
        let before = FileManager.default.contents(atPath: path)
        #expect(journalError { try KeyRing.generate(at: path) } == .keyFile(path: path, problem: .exists))
        #expect(FileManager.default.contents(atPath: path) == before)
        #expect(problem(path) == nil)
    }

    @Test func `a key that others may read is refused`() throws {
        let key = (0..<32).map { UInt8($0) }
        #expect(problem(try file("a", key, mode: 0o640)) == .mode(0o640))
        #expect(problem(try file("b", key, mode: 0o604)) == .mode(0o604))
        #expect(problem(try file("c", key, mode: 0o400)) == nil)
        #expect(problem(try file("d", key, mode: 0o700)) == .mode(0o700))
    }

    @Test func `a key of another length or of equal bytes is refused`() throws {
        let key = (0..<33).map { UInt8($0) }
        #expect(problem(try file("a", Array(key[..<31]))) == .length(31))
        #expect(problem(try file("b", key)) == .length(33))
        #expect(problem(try file("c", [])) == .length(0))
        #expect(problem(try file("d", [UInt8](repeating: 0, count: 32))) == .notRandom)
    }

    @Test func `a link, a directory and nothing at all are refused`() throws {
        let real = try file("real", (0..<32).map { UInt8($0) })
        let link = scratch.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        #expect(problem(link) == .notRegular)
        #expect(problem(scratch.path) == .notRegular)
        #expect(problem(scratch.path + "/absent") == .unreadable(errno: 2))
    }

    @Test func `ids are checked, and a credential may show the mask of an access list`() throws {
        let path = try file("a", (0..<32).map { UInt8($0) }, mode: 0o600)
        #expect(problem(path, id: "V1") == .id("V1"))
        #expect(problem(path, id: "") == .id(""))
        #expect(problem(path, id: String(repeating: "a", count: 32), active: String(repeating: "a", count: 32)) == nil)
        #expect(problem(path, id: String(repeating: "a", count: 33)) == .id(String(repeating: "a", count: 33)))
        #expect(problem(path, id: "v1", active: "v2") == .id("v2"))
        _ = try file("queue.key", (0..<32).map { UInt8($0) }, mode: 0o440)
        _ = try KeyRing.load([.credential(id: "v1", name: "queue.key", directory: scratch.path)], active: "v1")
    }

    @Test func `a wrong or missing master key refuses to start and changes nothing`() throws {
        let disk = MemoryDisk(seed: 1)
        var journal = try TestJournal(disk, try scratch.ring())
        try journal.write([[1]])
        let before = disk.files
        #expect(journalError { _ = try TestJournal(disk, try scratch.ring(seed: 8)) } == .masterKeyWrong(id: "v1"))
        #expect(
            journalError { _ = try TestJournal(disk, try scratch.ring(["v2"], active: "v2")) }
                == .masterKeyMissing(id: "v1"))
        #expect(disk.files == before)
    }

    @Test func `several master keys open what one of them wrapped, and the active one wraps from then on`() throws {
        let disk = MemoryDisk(seed: 2)
        var journal = try TestJournal(disk, try scratch.ring())
        try journal.write([[1]])
        journal = try TestJournal(disk, try scratch.ring(["v1", "v2"], active: "v2"), random: 2)
        #expect(journal.replayed.order == [1])
        let next = try TestJournal(disk, try scratch.ring(["v2"], active: "v2", seed: 8), random: 3)
        #expect(next.replayed.order == [1])
    }

    @Test func `a damaged key file falls back to the generation before, and two damaged ones refuse`() throws {
        let disk = MemoryDisk(seed: 3)
        let ring = try scratch.ring()
        var journal = try TestJournal(disk, ring)
        try journal.write([[1]])
        journal = try TestJournal(disk, ring, random: 2)
        try journal.write([[2]])
        let keyFiles = disk.files.filter { $0.key.contains("/keys/keys-") }.sorted { $0.key < $1.key }
        #expect(keyFiles.count == 2)
        let newest = keyFiles[1]
        for index in newest.value.indices where index < 160 || index % 16 == 0 {
            let copy = disk.clone(seed: 1)
            var bytes = newest.value
            bytes[index] ^= 4
            copy.overwrite(newest.key, with: bytes)
            #expect(try TestJournal(copy, ring, random: 3).replayed.order == [1, 2], "byte \(index)")
            copy.overwrite(keyFiles[0].key, with: [])
        }
        disk.overwrite(newest.key, with: [])
        disk.overwrite(keyFiles[0].key, with: [UInt8](keyFiles[0].value.dropLast()))
        #expect(journalError { _ = try TestJournal(disk, ring) } == .keysDamaged(path: newest.key))
        for file in keyFiles { disk.delete(file.key) }
        #expect(journalError { _ = try TestJournal(disk, ring) } == .keysMissing(path: TestJournal.directory + "/keys"))
    }

    @Test func `no salt, slot or segment key is used twice over fifty starts and crashes`() throws {
        let ring = try scratch.ring()
        let disk = MemoryDisk(seed: 4)
        var salts: Set<[UInt8]> = []
        var slots: Set<UInt64> = []
        var batches = 0
        for start in 0..<50 {
            var journal = try TestJournal(disk, ring, random: UInt64(start))
            for _ in 0..<5 {
                let slot = try #require(journal.core.slots.take())
                #expect(slots.insert(slot.rawValue).inserted)
                try journal.write([[1]], texts: [SealedText(id: textID(1), slots: [slot], bytes: [1])])
                batches += 1
            }
            disk.crash()
        }
        for (_, bytes) in segments(disk) {
            var offset = 4_096
            while offset + 128 <= bytes.count, bytes[offset..<(offset + 4)].elementsEqual("BKB1".utf8) {
                #expect(salts.insert(Array(bytes[(offset + 40)..<(offset + 72)])).inserted)
                let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + 8 + $1]) << (8 * $1) }
                offset += length
            }
        }
        #expect(salts.count == batches)
        let commitments = segments(disk).map { Array($0.bytes[96..<128]) }
        #expect(Set(commitments).count == commitments.count)
    }

    @Test func `a second lock on the same directory is refused until the first is given back`() throws {
        let first = try DataDirectory(path: scratch.path + "/data")
        #expect(
            journalError { _ = try DataDirectory(path: scratch.path + "/data") }
                == .locked(path: scratch.path + "/data"))
        first.unlock()
        _ = try DataDirectory(path: scratch.path + "/data")
    }
}
