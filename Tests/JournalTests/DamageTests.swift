import Journal
import TestSupport
import Testing

struct DamageTests {
    let scratch: Scratch
    let ring: KeyRing

    init() throws {
        scratch = try Scratch()
        ring = try scratch.ring()
    }

    /// Three batches in one segment; the last has a text. Returns the disk, the last batch's place and its length.
    private func written(seed: UInt64 = 1) throws -> (disk: MemoryDisk, path: String, offset: Int, end: Int) {
        let disk = MemoryDisk(seed: seed)
        var journal = try TestJournal(disk, ring)
        try journal.write([[1, 1, 1]])
        try journal.write([[2, 2, 2]])
        let slot = try #require(journal.core.slots.take())
        let text = SealedText(id: textID(1), slots: [slot], bytes: [UInt8](repeating: 7, count: 300))
        let report = try journal.write([[3, 3, 3]], texts: [text])
        let segment = try #require(segments(disk).first { $0.bytes.contains { $0 != 0 } })
        let end = try #require(segment.bytes.lastIndex { $0 != 0 }) + 1
        return (disk, segment.path, Int(report.texts[0].location.batchOffset), end)
    }

    @Test func `a cut at every byte of the last batch keeps all earlier records and sets the rest aside`() throws {
        let (source, path, offset, end) = try written()
        let whole = try #require(source.files[path])
        for cut in offset..<end {
            let disk = source.clone(seed: 1)
            disk.overwrite(path, with: Array(whole[..<cut]) + [UInt8](repeating: 0, count: whole.count - cut))
            let journal = try TestJournal(disk, ring, random: 2)
            #expect(journal.replayed.order == [1, 2], "cut at \(cut)")
            if cut > offset {
                let tail = try #require(journal.core.report.tornTail, "cut at \(cut)")
                #expect(tail.offset == UInt64(offset))
                let kept = try #require(disk.files[tail.quarantineFile])
                #expect(Array(kept.prefix(cut - offset)) == Array(whole[offset..<cut]))
            }
            #expect(disk.files[path]?.count == offset)
            guard cut % 16 == 0 else { continue }
            var next = try TestJournal(disk, ring, random: 3)
            #expect(next.core.report.tornTail == nil && next.replayed.order == [1, 2])
            #expect(try next.write([[9]]).firstRecord == 3)
        }
    }

    @Test func `a file that ends anywhere in the last batch is a torn tail too`() throws {
        let (source, path, offset, end) = try written()
        let whole = try #require(source.files[path])
        for cut in stride(from: offset, to: end, by: 7) {
            let disk = source.clone(seed: 1)
            disk.overwrite(path, with: Array(whole[..<cut]))
            #expect(try TestJournal(disk, ring, random: 2).replayed.order == [1, 2], "cut at \(cut)")
        }
    }

    @Test func `a flipped bit in any byte of the segment header refuses the start and changes nothing`() throws {
        let (source, path, _, _) = try written()
        let whole = try #require(source.files[path])
        for index in 0..<4_096 {
            let disk = source.clone(seed: 1)
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            disk.overwrite(path, with: bytes)
            let before = disk.files
            let error = journalError { _ = try TestJournal(disk, ring, random: 2) }
            switch error {
            case .segmentHeader(1), .newerFormat: break
            default: Issue.record("byte \(index): \(String(describing: error))")
            }
            #expect(disk.files == before, "byte \(index)")
        }
    }

    @Test func `a flipped bit in a batch is never served and is named by segment and records`() throws {
        let (source, path, offset, _) = try written()
        let whole = try #require(source.files[path])
        for index in 4_096..<(4_096 + 1_024) {
            let disk = source.clone(seed: 1)
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            disk.overwrite(path, with: bytes)
            let before = disk.files
            let first = UInt64(index < 4_608 ? 1 : 2)
            let place = UInt64(index < 4_608 ? 4_096 : 4_608)
            // The trailer stands behind the frames: what it says is lost, no record is.
            let trailer = UInt64(index < 4_608 ? 4_608 : 5_120) - 128
            guard index < trailer else {
                #expect(
                    journalError { _ = try TestJournal(disk, ring, random: 2) }
                        == .damaged(segment: 1, offset: trailer, records: 0..<0), "byte \(index)")
                #expect(disk.files == before)
                continue
            }
            #expect(
                journalError { _ = try TestJournal(disk, ring, random: 2) }
                    == .damaged(segment: 1, offset: place, records: first..<(first + 1)), "byte \(index)")
            #expect(disk.files == before)
            guard index % 8 == 0 else { continue }

            let rest = try TestJournal(disk, ring, options: smallOptions { $0.damage = .setAside }, random: 2)
            #expect(rest.replayed.lost == [first..<(first + 1)])
            #expect(rest.replayed.order == [1, 2, 3].filter { $0 != first })
            #expect(rest.core.report.damage.count == 1)
            #expect(quarantine(disk).values.first == Array(bytes[Int(place)..<(Int(place) + 512)]))
            #expect(disk.files[path]?.prefix(5_120) == bytes.prefix(5_120))
        }
        #expect(offset == 5_120)
    }

    @Test func `a flipped bit in the last batch is a torn tail and never served`() throws {
        let (source, path, offset, end) = try written()
        let whole = try #require(source.files[path])
        for index in offset..<end {
            let disk = source.clone(seed: 1)
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            disk.overwrite(path, with: bytes)
            let journal = try TestJournal(disk, ring, random: 2)
            #expect(journal.replayed.order == [1, 2], "byte \(index)")
            #expect(journal.core.report.tornTail?.offset == UInt64(offset))
        }
    }

    @Test func `a text that rotted is refused when it is read`() throws {
        let disk = MemoryDisk(seed: 3)
        var journal = try TestJournal(disk, ring)
        let slot = try #require(journal.core.slots.take())
        let text = SealedText(id: textID(1), slots: [slot], bytes: [UInt8](repeating: 7, count: 3_000))
        let location = try journal.write([[1]], texts: [text]).texts[0].location
        try journal.write([[2]])
        let (path, whole) = try #require(segments(disk).first)
        let start = Int(location.batchOffset) + Int(location.textOffset)
        for index in start..<(start + 112 + 3_016) {
            var bytes = whole
            bytes[index] ^= 0x10
            disk.overwrite(path, with: bytes)
            #expect(throws: JournalError.textUnreadable(location)) { try journal.core.read(textID(1), at: location) }
        }
    }

    @Test func `a segment that is gone, doubled, swapped or from elsewhere stops the start`() throws {
        let source = MemoryDisk(seed: 5)
        for start in 1...4 {
            var journal = try TestJournal(source, ring, random: UInt64(start))
            try journal.write([[UInt8(start)]])
        }
        let files = segments(source).filter { $0.bytes.contains { $0 != 0 } }
        #expect(files.count == 4)

        let gone = source.clone(seed: 1)
        gone.delete(files[1].path)
        #expect(journalError { _ = try TestJournal(gone, ring) } == .segmentMissing(2))

        let doubled = source.clone(seed: 1)
        doubled.overwrite(files[2].path, with: files[1].bytes)
        #expect(journalError { _ = try TestJournal(doubled, ring) } == .segmentHeader(3))

        let emptied = source.clone(seed: 1)
        emptied.overwrite(files[1].path, with: Array(files[1].bytes.prefix(4_096)))
        #expect(journalError { _ = try TestJournal(emptied, ring) } == .chain(segment: 3, offset: 0))

        let foreign = source.clone(seed: 1)
        foreign.overwrite(TestJournal.directory + "/segments/notes.txt", with: [1])
        #expect(
            journalError { _ = try TestJournal(foreign, ring) }
                == .foreign(path: TestJournal.directory + "/segments/notes.txt"))

        let other = MemoryDisk(seed: 6)
        var stranger = try TestJournal(other, ring, random: 99)
        try stranger.write([[1]])
        let moved = source.clone(seed: 1)
        let bytes = try #require(segments(other).first).bytes
        moved.overwrite(files[0].path, with: bytes)
        #expect(journalError { _ = try TestJournal(moved, ring) } == .segmentHeader(1))
    }

    @Test func `batches that changed places stop the start`() throws {
        let (disk, path, _, _) = try written()
        var bytes = try #require(disk.files[path])
        let first = Array(bytes[4_096..<4_608])
        bytes.replaceSubrange(4_096..<4_608, with: bytes[4_608..<5_120])
        bytes.replaceSubrange(4_608..<5_120, with: first)
        disk.overwrite(path, with: bytes)
        #expect(journalError { _ = try TestJournal(disk, ring) } == .chain(segment: 1, offset: 4_096))
    }
}
